"""Texts and numbers as Java 17 writes them: results of `Double.toString`, `Float.toString`, `toLowerCase`."""

from __future__ import annotations

import doctest
import struct

import pytest

import anon.java_case
import anon.java_numbers
from anon.java_case import lower_case
from anon.java_numbers import number_text


@pytest.mark.parametrize("module", [anon.java_case, anon.java_numbers])
def test_the_examples_are_true(module: object) -> None:
    results = doctest.testmod(module)  # type: ignore[arg-type]
    assert results.attempted > 0 and results.failed == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (100.0, "100.0"),
        (1e10, "1.0E10"),
        (1e-05, "1.0E-5"),
        (0.001, "0.001"),
        (0.000999, "9.99E-4"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (12345678.5, "1.23456785E7"),
        (2e23, "1.9999999999999998E23"),
        (1e23, "9.999999999999999E22"),
        (5e-324, "4.9E-324"),
        (1e-321, "1.0E-321"),
        (1.7976931348623157e308, "1.7976931348623157E308"),
        (9007199254740994.0, "9.007199254740994E15"),
        (9.223372036854776e18, "9.223372036854776E18"),
        (1.152921504606851e18, "1.15292150460685107E18"),
        (-0.0, "-0.0"),
        (-3.5e-07, "-3.5E-7"),
        (1 / 3, "0.3333333333333333"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
    ],
)
def test_double_precision_numbers(value: float, text: str) -> None:
    assert number_text(value, single=False) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1, "0.1"),
        (0.25, "0.25"),
        (1e10, "1.0E10"),
        (3.22e11, "3.21999995E11"),
        (-2.69e10, "-2.69000008E10"),
        (2.0**24, "1.6777216E7"),
        (16777218.0, "1.6777218E7"),
        (1e-45, "1.4E-45"),
        (3.4028234663852886e38, "3.4028235E38"),
        (2.0**-10, "9.765625E-4"),
        (1 / 3, "0.33333334"),
        (1e-10, "1.0E-10"),
    ],
)
def test_single_precision_numbers(value: float, text: str) -> None:
    (stored,) = struct.unpack("<f", struct.pack("<f", value))
    assert number_text(stored, single=True) == text


def test_every_text_of_a_number_means_that_number() -> None:
    for exponent in range(-1074, 1024):
        for factor in (1.0, 1.1, 1.9):
            value = factor * 2.0**exponent
            assert float(number_text(value, single=False)) == value


@pytest.mark.parametrize(
    ("text", "small"),
    [
        ("KNEE", "knee"),
        ("İ", "i\u0307"),
        ("ΣΟΦΟΣ", "σοφος"),
        ("ΣΟΦΟΣ^ΝΙΚΟΣ", "σοφος^νικος"),
        ("Σ", "σ"),
        (" Σ", " σ"),
        ("ΑΣ'Β", "ασ'β"),
        ("ΑΣ-Β", "ασ-β"),
        ("ΑΣ=ΒΣ", "ας=βς"),
        ("ΑΣ\\ΒΣ", "ας\\βς"),
        ("ΑΣ:Β ΑΣ", "ας:β ας"),
        ("ΑΣ1", "ας1"),
    ],
)
def test_small_letters(text: str, small: str) -> None:
    assert lower_case(text) == small
