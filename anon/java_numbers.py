"""Binary numbers as Java 17 writes them.

`Double.toString` and `Float.toString` give the digits that tell a number from its neighbours, but up to
Java 18 not always the fewest: 3.22E11 as a single precision number is `3.21999995E11`. What scripts copy or
compare should not depend on who runs them, so the way to these digits is followed step by step: whole numbers
up to 2**63 are cut by a table, the rest by the algorithm of Steele and White (1990).
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple


class _Kind(NamedTuple):
    """A format of IEEE 754: bits of the significand, and the exponent of the smallest normal number."""

    bits: int
    least: int


_SINGLE: Final = _Kind(24, -126)
_DOUBLE: Final = _Kind(53, -1022)
# How many digits at the end of a whole number say nothing, by its bits beyond the significand.
_SILENT_DIGITS: Final = tuple(int(bits * math.log10(2)) for bits in range(64))


def number_text(value: float, *, single: bool) -> str:
    """A binary number as Java writes it, always with a point: `0.25`, `100.0`, `1.0E10`.

    Args:
        value: the number.
        single: it is one of single precision.

    >>> number_text(0.1, single=False), number_text(1e-05, single=False), number_text(2.0**24, single=True)
    ('0.1', '1.0E-5', '1.6777216E7')
    """
    if math.isnan(value):
        return "NaN"
    sign = "-" if math.copysign(1.0, value) < 0 else ""
    if math.isinf(value):
        return f"{sign}Infinity"
    if value == 0:
        return f"{sign}0.0"
    digits, point = _digits(abs(value), _SINGLE if single else _DOUBLE)
    digits = digits.rstrip("0") or "0"
    # The number is 0.DIGITS times ten to the power of `point`.
    if -3 < point <= 7:
        if point <= 0:
            return f"{sign}0.{'0' * -point}{digits}"
        return f"{sign}{digits[:point].ljust(point, '0')}.{digits[point:] or '0'}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{point - 1}"


def _digits(value: float, kind: _Kind) -> tuple[str, int]:
    """The digits of a positive number, and where the point stands before or behind the first of them."""
    fraction, exponent = math.frexp(value)
    exponent -= 1  # the number is 1.something times two to its power
    significand = int(fraction * (1 << 53))
    significand >>= (significand & -significand).bit_length() - 1
    width = significand.bit_length()
    bits = kind.bits if exponent >= kind.least else kind.bits - (kind.least - exponent)
    if width <= exponent + 1 <= 63:
        return _whole_digits(int(value), exponent - bits)
    return _shortest_digits(significand, width, exponent, bits)


def _whole_digits(whole: int, surplus_bits: int) -> tuple[str, int]:
    silent = _SILENT_DIGITS[surplus_bits - 1] if surplus_bits > 2 else 0
    unit = 10**silent
    quotient, rest = divmod(whole, unit)
    if silent and rest >= unit // 2:
        quotient += 1
    text = str(quotient)
    return text, len(text) + silent


def _shortest_digits(significand: int, width: int, exponent: int, bits: int) -> tuple[str, int]:
    """Digits up to where no neighbour can be meant any more."""
    tiny_bits = max(0, width - exponent - 1)
    decimal = math.floor(
        (significand / (1 << (width - 1)) - 1.5) * 0.289529654 + 0.176091259 + exponent * 0.301029995663981
    )
    fives, scale_fives = max(0, -decimal), max(0, decimal)
    twos = fives + tiny_bits + exponent
    scale_twos, ulp_twos = scale_fives + tiny_bits, twos - bits
    twos -= width - 1
    common = min(twos, scale_twos)
    twos, scale_twos, ulp_twos = twos - common, scale_twos - common, ulp_twos - common
    if width == 1:
        ulp_twos -= 1  # below a power of two the next number is only half as far away
    shift = max(0, -ulp_twos)
    rest = significand * 5**fives << (twos + shift)
    scale = 5**scale_fives << (scale_twos + shift)
    ulp = 5**fives << (ulp_twos + shift)
    # With integers of more than 64 bits Java counts a tie as reached.
    is_large = (
        width + twos + shift + _bits_of_power(fives) >= 64
        or scale_twos + shift + 1 + _bits_of_power(scale_fives + 1) >= 64
    )
    ten = 10 * scale
    digits: list[int] = []
    low = high = False
    is_first = True
    while not low and not high:
        digit, rest = divmod(rest, scale)
        rest, ulp = rest * 10, ulp * 10
        low, high = rest < ulp, rest + ulp > ten or (is_large and rest + ulp == ten)
        if digits or digit or high:
            digits.append(digit)
        else:
            decimal -= 1
        if is_first and not -3 <= decimal < 8:
            low = high = False  # such a number has one more digit, behind the point
        is_first = False
    difference = 2 * rest - ten
    text = "".join(map(str, digits))
    if high and (not low or difference > 0 or (difference == 0 and digits[-1] & 1)):
        rounded = str(int(text) + 1)
        return rounded, decimal + 1 + len(rounded) - len(text)
    return text, decimal + 1


def _bits_of_power(power: int) -> int:
    """How many bits a power of five has; none for the first, as Java counts."""
    return (5**power).bit_length() if power else 0
