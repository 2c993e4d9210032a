"""`prearc anon explain`, and how mistakes look on a terminal."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from command_line import prearc

from anon.codes.manual import pages
from anon.errors import Diagnostic
from cli.drawing import say_drawn


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_code_is_explained_with_both_examples() -> None:
    shown = prearc("anon", "explain", "assign-sign")
    assert shown.exit_code == 0
    assert '    (0010,0010) = "Anonymous"' in shown.stdout
    assert '    (0010,0010) := "Anonymous"' in shown.stdout
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())


def test_a_warning_is_explained_too_and_brackets_do_not_matter() -> None:
    assert "hash" in prearc("anon", "explain", "[guessable-hash]").stdout
    assert "silences" in prearc("anon", "explain", "unused-allow").stdout


def test_every_line_that_is_no_example_fits_80_columns() -> None:
    for row in json.loads(prearc("--json", "anon", "explain").stdout):
        for line in prearc("anon", "explain", row["code"]).stdout.splitlines():
            assert len(line) <= 80 or line.startswith("    "), line


def test_an_unknown_code_is_exit_code_4_with_what_was_meant() -> None:
    shown = prearc("anon", "explain", "asign-sign")
    assert shown.exit_code == 4
    assert "did you mean assign-sign" in shown.stderr
    assert "lists them all" in prearc("anon", "explain", "zzz").stderr


def test_without_a_code_all_are_listed() -> None:
    shown = prearc("anon", "explain", "--json")
    listed = [entry["code"] for entry in json.loads(shown.stdout)]
    assert listed == [each.code for each in pages()]
    text = prearc("anon", "explain").stdout
    assert all(code in text for code in listed)


def test_a_script_that_is_not_utf8_is_drawn(tmp_path: Path) -> None:
    script = tmp_path / "latin.das"
    script.write_bytes(b'- (0010,0010)\n(0008,0080) := "M\xfcnster"\n')
    shown = prearc("anon", "check", script)
    assert shown.exit_code == 3
    assert "error[not-utf8]" in shown.stdout and "latin.das:2:18" in shown.stdout
    assert "Traceback" not in shown.output
    script.write_bytes("- (0010,0010)\n".encode("utf-16"))
    assert "UTF-16" in prearc("anon", "check", script).stdout


def test_colours_are_for_terminals_and_nothing_of_a_script_reaches_them_raw(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = "(0010,0010) := \x1b[2J\n"
    found = [Diagnostic("assign-sign", "a \x1b[31m message", 1, 16, 1, 17, "a hint")]
    stream, plain = Terminal(), io.StringIO()
    say_drawn(found, text, "s.das", stream=stream)
    say_drawn(found, text, "s.das", stream=plain)
    assert "\x1b[31merror[assign-sign]\x1b[0m" in stream.getvalue()
    assert "\x1b[2J" not in stream.getvalue() and "\\x1b[2J" in stream.getvalue()
    assert "\x1b" not in plain.getvalue()
