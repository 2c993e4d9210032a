"""What `alterPixels` takes: a shape, where it is, how it is filled."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from anon.errors import StatementError
from anon.pixels.image import Image

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,10}", re.ASCII)
_SIDES: Final = {
    "l": "left", "left": "left", "t": "top", "top": "top",
    "r": "right", "right": "right", "b": "bottom", "bottom": "bottom",
}  # fmt: skip
_COLOURS: Final = {"v": "value", "value": "value", "r": "r", "g": "g", "b": "b"}


class Rectangle(NamedTuple):
    """Columns `left` to `right` and rows `top` to `bottom`, from 0, without the last ones."""

    left: int
    top: int
    right: int
    bottom: int

    def clipped(self, image: Image) -> Rectangle:
        """The part that is on the image.

        Raises:
            StatementError: there is none.
        """
        clipped = Rectangle(
            max(self.left, 0), max(self.top, 0), min(self.right, image.columns), min(self.bottom, image.rows)
        )
        if clipped.left >= clipped.right or clipped.top >= clipped.bottom:
            raise StatementError("outside-image", "the rectangle is not on the image")
        return clipped


class Fill(NamedTuple):
    """What is written: red, green and blue, which are the same for a grey."""

    red: int = 0
    green: int = 0
    blue: int = 0

    def sample_values(self, image: Image) -> tuple[int, ...]:
        """The samples of a filled pixel, as they are stored.

        Raises:
            StatementError: the image cannot show it.
        """
        values: tuple[int, ...] = self
        if image.samples == 1:
            if self.red != self.green or self.red != self.blue:
                raise StatementError(
                    "bad-fill", "the image has no colours, but the fill has one", "give a single value: v=0"
                )
            values = (self.red,)
        elif image.photometric == "YBR_FULL":
            values = _luminance_and_chrominance(self, 1 << (image.bits_stored - 1))
        greatest = (1 << (image.bits_stored - image.is_signed)) - 1
        if max(values) > greatest:
            raise StatementError("bad-fill", f"the fill is above {greatest}, the greatest value of a sample")
        return tuple(value << image.unused_low_bits for value in values)


def _luminance_and_chrominance(fill: Fill, centre: int) -> tuple[int, int, int]:
    """PS3.3 section C.7.6.3.1.2."""
    red, green, blue = fill
    luminance = 0.299 * red + 0.587 * green + 0.114 * blue
    chrominance_blue = centre - 0.1687 * red - 0.3313 * green + 0.5 * blue
    chrominance_red = centre + 0.5 * red - 0.4187 * green - 0.0813 * blue
    greatest = 2 * centre - 1
    return (
        round(luminance),
        min(max(round(chrominance_blue), 0), greatest),
        min(max(round(chrominance_red), 0), greatest),
    )


def parse_shape(text: str) -> str:
    """The name of a shape: `rectangle` in any case."""
    return _known(text, "rectangle", "shape")


def parse_fill_kind(text: str) -> str:
    """The name of a way to fill: `solid` in any case."""
    return _known(text, "solid", "fill")


def _known(text: str, known: str, what: str) -> str:
    if text.lower() != known:
        raise StatementError(f"bad-{what}", f"there is no such {what}", f'the only one is "{known}"')
    return known


def parse_rectangle(text: str) -> Rectangle:
    """The sides of a rectangle: `l=0, t=0, r=100, b=20`, or with their whole names.

    Raises:
        StatementError: a side is missing, given twice or no whole number, or nothing lies between them.
    """
    sides = _numbers(text, _SIDES, "rectangle")
    missing = [name for name in ("left", "top", "right", "bottom") if name not in sides]
    if missing:
        raise StatementError(
            "bad-rectangle",
            f"the rectangle lacks {', '.join(missing)}",
            'write it as "l=0, t=0, r=100, b=20"',
        )
    rectangle = Rectangle(**sides)
    if rectangle.left >= rectangle.right or rectangle.top >= rectangle.bottom:
        raise StatementError(
            "bad-rectangle", "the rectangle has no area", "right and bottom are the first ones that stay"
        )
    return rectangle


def parse_fill(text: str) -> Fill:
    """The value of a fill: `v=0`, or `r=0, g=0, b=0`; nothing is 0.

    Raises:
        StatementError: a number is missing, given twice or not from 0 to 255.
    """
    given = _numbers(text, _COLOURS, "fill")
    if any(not 0 <= number <= 255 for number in given.values()):
        raise StatementError("bad-fill", "the fill is not from 0 to 255")
    if not given:
        return Fill()
    if set(given) == {"value"}:
        return Fill(given["value"], given["value"], given["value"])
    if set(given) == {"r", "g", "b"}:
        return Fill(given["r"], given["g"], given["b"])
    raise StatementError("bad-fill", "the fill is neither a value nor a colour", "v=0 or r=0, g=0, b=0")


def _numbers(text: str, names: dict[str, str], what: str) -> dict[str, int]:
    """The numbers of `name=number, ...` by the first of each name's spellings; unknown names are ignored."""
    found: dict[str, int] = {}
    for piece in text.split(","):
        if not piece.strip():
            continue
        given, equals, number = piece.partition("=")
        if not equals:
            raise StatementError(f"bad-{what}", f"a part of the {what} is not name=number")
        name = names.get(given.strip())
        if name is None:
            continue
        if name in found:
            raise StatementError(f"bad-{what}", f"the {what} has {name} twice")
        value = int(number) if _INTEGER.fullmatch(number.strip()) else None
        if value is None or not -(1 << 31) <= value < 1 << 31:
            raise StatementError(f"bad-{what}", f"{name} of the {what} is not a whole number")
        found[name] = value
    return found
