"""The function that edits pixel data (DicomEdit 6)."""

from __future__ import annotations

from anon.errors import StatementError
from anon.functions.registry import builtin, parsed
from anon.operations.run import Run
from anon.pixels.rectangle import (
    Fill,
    Rectangle,
    parse_fill,
    parse_fill_kind,
    parse_rectangle,
    parse_shape,
)


@builtin(
    "alterPixels",
    versions="6.0+",
    arguments=[
        parsed("shape", parse_shape),
        parsed("area", parse_rectangle),
        parsed("fill", parse_fill_kind),
        parsed("value", parse_fill),
    ],
    returns="nothing",
    exact=True,
)
def alter_pixels(run: Run, _shape: str, area: Rectangle, _fill: str, value: Fill) -> None:
    """Black out a rectangle of every frame: `"rectangle", "l=0, t=0, r=640, b=40", "solid", "v=0"`.

    The only shape is `rectangle`, the only fill `solid`, in any case. The area has `l` or `left`, `t` or
    `top`, `r` or `right`, `b` or `bottom`, in small letters, all four: columns and rows from 0, of which
    right and bottom are the first that stay. What lies outside of the image is cut off; a rectangle that is
    wholly outside, or has no area, is an error.

    The value is `v` or `value`, or `r`, `g` and `b`, from 0 to 255; `""` is 0. It is the value of the samples
    as they are stored, so 0 is black in MONOCHROME2 and RGB, white in MONOCHROME1, the first colour of a
    palette and, where samples have a sign, in the middle of their range. In YBR_FULL it is converted: black
    has the luminance 0. A colour in an image without colours is an error, and so is a value that the samples
    cannot hold.

    The object becomes Explicit VR Little Endian. Compressed pixel data (RLE, JPEG, JPEG-LS, JPEG 2000, HTJ2K)
    are decoded; JPEG becomes RGB, and loss is noted in (0028,2110), (0028,2112) and (0028,2114). JPEG
    Lossless and JPEG with 12 bits need the extra `gpl-codecs`. (0028,0301) becomes `NO`, whatever the size of
    the rectangle; (0012,0063) and (0012,0064) say that pixels were cleaned.

    An object whose SOP class is not one of images is an error, so call this under a condition. So are 1, 32
    and 64 bits, uncompressed YBR_FULL_422, pixel data that are shorter than the attributes say or have more
    frames, and what shows the image a second time: overlays (remove them before, `-(60X@,XXXX)`) and an icon
    (`-(0088,0200)`). Without pixel data nothing happens, with a warning. Presentation states, and other
    objects made from the image, are not looked for.
    """
    try:
        from anon.pixels.alter import black_out  # numpy and the codecs, which few scripts need
    except ImportError:
        raise StatementError(
            "missing-codec",
            "numpy or Pillow is not installed",
            "install the project with all of its dependencies",
        ) from None
    black_out(run, area, value)
