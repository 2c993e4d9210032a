"""Images for the tests of alterPixels: built, compressed, edited both ways and read again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pydicom
import pytest
from builders import loaded, make_dataset, part10_bytes, saved
from pydicom.dataset import Dataset

import anon
from anon.encoding.instance import EncodedInstance

AREA = "l=1, t=1, r=4, b=3"


def compiled(area: str = AREA, value: str = "v=0", before: str = "", after: str = "") -> anon.Script:
    call = f'alterPixels["rectangle", "{area}", "solid", "{value}"]'
    return anon.compile_script(f'version "6.6"\n{before}\n{call}\n{after}')


BLACK = compiled()


def code_of(run: Callable[[], Any]) -> str:
    with pytest.raises(anon.ScriptError) as caught:
        run()
    return caught.value.diagnostics[0].code


def by_file(content: bytes, script: anon.Script = BLACK) -> Dataset:
    """The result of the path that files take."""
    instance = EncodedInstance.from_part10(content)
    script.apply_encoded(instance, {})
    return loaded(b"".join(map(bytes, instance.part10_chunks())))


def by_dataset(content: bytes, script: anon.Script = BLACK) -> Dataset:
    """The result of the path that pydicom data sets take."""
    dataset = loaded(content)
    script.apply(dataset, {})
    return loaded(saved(dataset))


BOTH = pytest.mark.parametrize("edit", [by_file, by_dataset])


def make_samples(frames: int, rows: int, columns: int, samples: int, bits: int) -> np.ndarray[Any, Any]:
    """Random samples, none of them 0: frames x rows x columns x samples."""
    made = np.random.default_rng(7).integers(1, 1 << bits, (frames, rows, columns, samples))
    return made.astype("u1" if bits <= 8 else "u2")


def make_image(
    samples: np.ndarray[Any, Any],
    *,
    photometric: str = "",
    stored: int = 0,
    planar: int = 0,
    big: bool = False,
    **elements: Any,
) -> Dataset:
    """An image; `samples` as `make_samples` gives them."""
    frames, rows, columns, count = samples.shape
    bits = 8 * samples.dtype.itemsize
    dataset = make_dataset(
        Rows=rows,
        Columns=columns,
        SamplesPerPixel=count,
        PhotometricInterpretation=photometric or ("MONOCHROME2" if count == 1 else "RGB"),
        BitsAllocated=bits,
        BitsStored=stored or bits,
        HighBit=(stored or bits) - 1,
        PixelRepresentation=0,
    )
    if count > 1:
        dataset.PlanarConfiguration = planar
    if frames > 1:
        dataset.NumberOfFrames = frames
    ordered = samples.transpose(0, 3, 1, 2) if planar else samples
    content = ordered.astype(ordered.dtype.newbyteorder(">" if big else "<")).tobytes()
    dataset.add_new(0x7FE00010, "OB" if bits == 8 else "OW", content + bytes(len(content) % 2))
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def compressed(dataset: Dataset, transfer_syntax_uid: str, **options: Any) -> bytes:
    native = loaded(part10_bytes(dataset))
    native.compress(pydicom.uid.UID(transfer_syntax_uid), generate_instance_uid=False, **options)
    return saved(native)
