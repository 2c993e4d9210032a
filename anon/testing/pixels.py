"""What tests can expect of pixels. Decoders are loaded when a test asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Final, Literal

from anon.encoding.elements import Element
from anon.encoding.instance import EncodedInstance
from anon.errors import StatementError
from anon.host import Host
from anon.operations.run import Run
from anon.pixels.rectangle import Rectangle
from anon.testing.model import Expectation
from anon.testing.observed import Observed, Snapshot
from anon.testing.registry import Answer, verb
from anon.values import Values6

if TYPE_CHECKING:
    from anon.pixels.decode import Samples

_PATH: Final = "(7FE0,0010)"
_PIXEL_DATA: Final = 0x7FE00010
_SAMPLES_PER_PIXEL: Final = 0x00280002


class _PixelError(Exception):
    """The pixels cannot be looked at."""


@verb("rectangles")
def pixels_hidden(observed: Sequence[Observed], expectation: Expectation) -> Iterator[Answer]:
    """All pixels of the rectangle have one value, in each frame.

    The rectangle is [left, top, right, bottom] as in `alterPixels`: columns and rows count from 0, right and
    bottom are the first ones outside. Several rectangles are a list of such lists. In the input it must have
    more than one value. As in the MIDI-B benchmark, where people judge it.

        pixels_hidden = [0, 0, 40, 12]
    """
    area: Rectangle = expectation.wanted
    expected = f"(one value in {_words_of(area)})"
    for each in observed:
        assert each.after is not None
        try:
            if _is_uniform(_frames(each.before, "the input"), area):
                message = f"the input has one value in {_words_of(area)} already, so nothing can be hidden"
                answer = Answer("error", expected, "(one value)", message)
            elif _is_uniform(_frames(each.after, "the result"), area):
                answer = Answer("passed", expected, "(one value)")
            else:
                message = f"the pixels in {_words_of(area)} still have different values"
                answer = Answer("failed", expected, "(different values)", message)
        except _PixelError as error:
            answer = Answer("error", expected, None, str(error))
        yield answer._replace(path=_PATH, observed=each)


@verb("flag")
def pixels_retained(observed: Sequence[Observed], expectation: Expectation) -> Iterator[Answer]:
    """All pixels have the values that they had, except those that `pixels_hidden` of the same test is about.

    The size and the number of frames stay the same, too; the transfer syntax may change. As in the MIDI-B
    benchmark, which knows no exceptions.

        pixels_retained = true
    """
    areas: tuple[Rectangle, ...] = expectation.wanted
    expected = "(the same pixels outside of the hidden ones)" if areas else "(the same pixels)"
    for each in observed:
        assert each.after is not None
        try:
            difference = _difference(each.before, each.after, areas)
        except _PixelError as error:
            answer = Answer("error", expected, None, str(error))
        else:
            answer = Answer("passed", expected, expected)
            if difference:
                answer = Answer(
                    "failed", expected, f"({difference})", f"the pixels have changed: {difference}"
                )
        yield answer._replace(path=_PATH, observed=each)


def _difference(before: Snapshot, after: Snapshot, areas: Sequence[Rectangle]) -> str:
    """How the pixels differ outside of the areas; "" when they do not."""
    old = _frames(before, "the input")
    if _pixel_data(after.instance) is None:
        return "there is no pixel data any more"
    new = _frames(after, "the result")
    if old.shape != new.shape:
        return "the size, or the number of frames or samples, is another one"
    differs = (old != new).any(axis=3)
    for area in areas:
        differs[:, area.top : area.bottom, area.left : area.right] = False
    if not differs.any():
        return ""
    frame, row, column = (int(numbers[0]) for numbers in differs.nonzero())
    count = int(differs.sum())
    where = f"column {column}, row {row}" + (f" of frame {frame + 1}" if old.shape[0] > 1 else "")
    return f"{count} pixel{'s' * (count != 1)} with another value, the first in {where}"


def _words_of(area: Rectangle) -> str:
    return f"columns {area.left} to {area.right - 1}, rows {area.top} to {area.bottom - 1}"


def _is_uniform(frames: Samples, area: Rectangle) -> bool:
    """Whether all pixels of an area are the same, in each frame.

    Raises:
        _PixelError: the area is not inside of the image.
    """
    _, rows, columns, _ = frames.shape
    if area.right > columns or area.bottom > rows:
        raise _PixelError(
            f"{_words_of(area)} is not inside of the image of {columns} columns and {rows} rows"
        )
    inside = frames[:, area.top : area.bottom, area.left : area.right]
    return bool((inside == inside[:, :1, :1]).all())


def _frames(snapshot: Snapshot, what: str) -> Samples:
    """All pixels, decoded: frames x rows x columns x samples, without sign.

    Raises:
        _PixelError: there are none, or they cannot be decoded here.
    """
    element = _pixel_data(snapshot.instance)
    if element is None:
        raise _PixelError(f"{what} has no pixel data, so this says nothing")
    try:
        if element.is_encapsulated:
            return _decompressed(snapshot.instance, element)
        return _native(snapshot.instance)
    except StatementError as error:
        hint = f" ({error.hint})" if error.hint else ""
        raise _PixelError(f"the pixels of {what} cannot be decoded: {error.message}{hint}") from None


def _pixel_data(instance: EncodedInstance) -> Element | None:
    element = instance.dataset.get(_PIXEL_DATA)
    return element if element is not None and element.length else None


def _decompressed(instance: EncodedInstance, element: Element) -> Samples:
    from anon.pixels.decode import decode, samples_of
    from anon.pixels.image import read_image

    image = read_image(Run(instance, Values6(), {}, Host()))
    pixels, result = decode(element.value, image, instance.transfer_syntax_uid)
    return samples_of(pixels, result)


def _native(instance: EncodedInstance) -> Samples:
    from pydicom.pixels.utils import pixel_array

    content = BytesIO(b"".join(instance.part10_chunks()))
    samples = instance.dataset.get(_SAMPLES_PER_PIXEL)
    is_grey = samples is None or int.from_bytes(samples.value, _order(instance)) <= 1
    try:
        found = pixel_array(content, raw=True)
    except Exception:  # pydicom raises whatever it likes
        raise StatementError("bad-image", "the attributes of the pixel data make no sense") from None
    if found.dtype.kind == "i":
        found = found.view(f"u{found.dtype.itemsize}")
    if is_grey:
        found = found[..., None]
    return found if found.ndim == 4 else found[None]


def _order(instance: EncodedInstance) -> Literal["little", "big"]:
    return "little" if instance.dataset.encoding.little else "big"
