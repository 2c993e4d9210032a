"""alterPixels against the plain way with pydicom and numpy: time and memory, as ratios of one run.

Both black out the same rectangle of all frames and write an Explicit VR Little Endian file. Each way runs in
a process of its own, so that its peak of memory is its own; the least of several times counts. The two
results have to hold the same pixels, or the run fails.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

LEFT, TOP, RIGHT, BOTTOM = 0, 0, 400, 40
CALL = f'alterPixels["rectangle", "l={LEFT}, t={TOP}, r={RIGHT}, b={BOTTOM}", "solid", "v=0"]'
SYNTAXES = {
    "native": ExplicitVRLittleEndian,
    "rle": RLELossless,
    "jpeg-ls": JPEGLSLossless,
    "jpeg2000": JPEG2000Lossless,
}


class Measured(NamedTuple):
    """What one way needed: seconds, and bytes of memory above those before it began."""

    seconds: float
    peak_bytes: int


def make_object(path: Path, frames: int, size: int, transfer_syntax_uid: UID) -> None:
    """Write an image of smooth shapes and some noise, 12 of 16 bits, which compresses as scans do."""
    rows, columns = np.mgrid[:size, :size]
    smooth = 2000 + 1500 * np.sin(rows / 40) * np.cos(columns / 55)
    noise = np.random.default_rng(5).integers(0, 16, (frames, size, size))
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = EnhancedMRImageStorage
    dataset.SOPInstanceUID = generate_uid()
    dataset.Modality = "MR"
    dataset.Rows = dataset.Columns = size
    dataset.NumberOfFrames = frames
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.add_new(0x7FE00010, "OW", (smooth + noise).astype("<u2").tobytes())
    if transfer_syntax_uid != ExplicitVRLittleEndian:
        dataset.compress(transfer_syntax_uid, generate_instance_uid=False)
    dataset.save_as(path, enforce_file_format=True)


def by_engine(source: Path, target: Path) -> Callable[[], None]:
    """The engine, as `prearc anon apply` uses it."""
    import anon

    script = anon.compile_script(f'version "6.6"\n{CALL}')
    return lambda: _apply(script, source, target)


def _apply(script: object, source: Path, target: Path) -> None:
    import anon

    assert isinstance(script, anon.Script)
    anon.apply_to_file(script, source, target)


def by_pydicom(source: Path, target: Path) -> Callable[[], None]:
    """What one writes with pydicom and numpy; the file is synced, as the engine's is."""

    def edit() -> None:
        dataset = pydicom.dcmread(source)
        pixels = dataset.pixel_array.copy()  # the array may not be writable
        pixels[..., TOP:BOTTOM, LEFT:RIGHT] = 0
        dataset.PixelData = pixels.tobytes()
        dataset["PixelData"].VR = "OW"
        dataset["PixelData"].is_undefined_length = False
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        with target.open("wb") as stream:
            dataset.save_as(stream, enforce_file_format=True)
            stream.flush()
            os.fsync(stream.fileno())

    return edit


WAYS = {"engine": by_engine, "pydicom": by_pydicom}


def _memory_bytes(what: str) -> int:
    """VmRSS or VmHWM, its peak (Linux; ru_maxrss would count the process that started this one)."""
    status = Path("/proc/self/status").read_text()
    found = re.search(rf"^{what}:\s+(\d+) kB", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


def measure_here(way: str, source: Path, target: Path, repeats: int) -> Measured:
    """Measure one way in this process; a tiny object first, so that codecs are loaded before."""
    tiny = source.with_name("tiny-" + source.name)
    WAYS[way](tiny, target)()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = _memory_bytes("VmRSS")
    edit = WAYS[way](source, target)
    times, peak = [], 0
    for _ in range(repeats):
        started = time.perf_counter()
        edit()
        times.append(time.perf_counter() - started)
        peak = peak or _memory_bytes("VmHWM")  # of the first: garbage of one would count for the next
    return Measured(min(times), peak - before)


def measure(way: str, source: Path, target: Path, repeats: int) -> Measured:
    """Measure one way in a process of its own."""
    command = [sys.executable, __file__, "--only", way, str(source), str(target), "--repeats", str(repeats)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return Measured(float(printed[0]), int(printed[1]))


def compare(name: str, folder: Path, frames: int, size: int, repeats: int) -> str:
    """A line of the table."""
    source = folder / f"{name}.dcm"
    make_object(source, frames, size, SYNTAXES[name])
    make_object(source.with_name("tiny-" + source.name), 2, 512, SYNTAXES[name])
    targets = {way: folder / f"{name}-{way}.dcm" for way in WAYS}
    engine, plain = (measure(way, source, targets[way], repeats) for way in ("engine", "pydicom"))
    if pydicom.dcmread(targets["engine"]).PixelData != pydicom.dcmread(targets["pydicom"]).PixelData:
        raise SystemExit(f"{name}: the two ways differ")
    return (
        f"{name:<9} {engine.seconds:>7.2f} s {plain.seconds:>7.2f} s {plain.seconds / engine.seconds:>6.1f}x"
        f" {engine.peak_bytes >> 20:>6} MiB {plain.peak_bytes >> 20:>6} MiB"
        f" {plain.peak_bytes / max(engine.peak_bytes, 1):>6.1f}x"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--size", type=int, default=512, help="rows and columns of a frame")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs=3, metavar=("WAY", "SOURCE", "TARGET"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        way, source, target = given.only
        measured = measure_here(way, Path(source), Path(target), given.repeats)
        print(measured.seconds, measured.peak_bytes)
        return
    print(f"{given.frames} frames of {given.size} x {given.size}, {given.frames * given.size**2 >> 19} MiB")
    print(f"{'':<9} {'engine':>9} {'pydicom':>9} {'':>7} {'engine':>10} {'pydicom':>10}")
    with tempfile.TemporaryDirectory() as folder:
        for name in SYNTAXES:
            print(compare(name, Path(folder), given.frames, given.size, given.repeats), flush=True)


if __name__ == "__main__":
    main()
