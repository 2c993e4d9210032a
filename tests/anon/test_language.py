"""Which language a script is in."""

from __future__ import annotations

import pytest

import anon


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", "4.x"),
        ("// nothing", "4.x"),
        ("\ufeff- (0010,0010)", "4.x"),
        ('version "4"\n- (0010,0010)', "4.x"),
        ('version "4.2" // old\n- (0010,0010)', "4.x"),
        ("version 4.0\n", "4.x"),
        ('versionLabel := "x"', "4.x"),
        ('version "6.0"', "6.x"),
        ('\ufeffversion "6.7"\n', "6.x"),
        ('// header\r\nversion\t"6.6"\r\n', "6.x"),
        ('version "6.1" -(0010,0010)', "6.x"),
    ],
)
def test_the_version_line_decides(text: str, language: str) -> None:
    assert anon.compile_script(text).language == language


@pytest.mark.parametrize(
    "text",
    [
        ' version "6.1"',
        'version  "6.1"',
        'Version "6.1"',
        'version"6.1"',
        "version 6.1",
        'version := "6.1"',
        'version "6.8"',
        'version "6"',
        'version "6.6.0"',
        'version "5.0"',
        'version "4.3"',
        "version",
        'version "6.1',
        '\tversion "4"',
    ],
)
def test_a_malformed_version_line_is_an_error_with_a_hint(text: str) -> None:
    with pytest.raises(anon.ScriptError) as caught:
        anon.compile_script(text + "\n- (0010,0010)\n")
    assert [found.code for found in caught.value.diagnostics] == ["bad-version"]
    assert caught.value.diagnostics[0].hint


@pytest.mark.parametrize(
    "text",
    [
        '(0010,0010) ?= "x"',
        '(0008,0060) = "MR" ? -(0010,0010)',
        "removeAllPrivateTags",
        "-(0029,{ACME}XX)",
        "-*/(0010,0010)",
        '(0008,1140)[0]/(0008,1155) := "1"',
        'if ((0008,0060) = "MR") {\n}',
        "removeTags[(0010,0010)]",
        '(0010,0020) := concatenate["a", "b"]',
    ],
)
def test_dicomedit_6_without_a_version_line_is_an_error_with_a_hint(text: str) -> None:
    with pytest.raises(anon.ScriptError) as caught:
        anon.compile_script("- (0010,0030)\n" + text)
    assert [(found.code, found.line) for found in caught.value.diagnostics] == [("no-version", 2)]
    assert "version" in caught.value.diagnostics[0].hint


def test_a_second_version_line_is_checked_too() -> None:
    with pytest.raises(anon.ScriptError) as caught:
        anon.compile_script('version "6.6"\nversion "9.9"')
    assert caught.value.diagnostics[0].line == 2
