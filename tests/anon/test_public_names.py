"""The public face of the engine: its names, and what `import anon` does not load."""

from __future__ import annotations

import subprocess
import sys

import pytest

import anon

HEAVY = ("anon.lint.check", "anon.pixels.alter", "anon.pixels.decode", "anon.profile", "anon.testing")


def test_every_public_name_is_there() -> None:
    for name in anon.__all__:
        assert getattr(anon, name).__module__.startswith("anon.")
    names: dict[str, object] = {}
    exec("from anon import *", names)
    assert set(anon.__all__) <= set(names)
    with pytest.raises(AttributeError, match="no attribute 'compile_scripts'"):
        _ = anon.compile_scripts  # type: ignore[attr-defined]


def test_who_runs_scripts_does_not_load_what_checks_or_tests_them() -> None:
    code = (
        "import sys, anon; anon.compile_script('- (0010,0010)');"
        f" print([name for name in {HEAVY} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
