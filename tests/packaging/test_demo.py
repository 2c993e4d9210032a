"""The demo: it works, reads well, and can be run again."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    spec = importlib.util.spec_from_file_location("demo", ROOT / "tools" / "demo.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["demo"] = module
    spec.loader.exec_module(module)
    return module


def run_demo(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools" / "demo.py"), "--folder", str(folder)]
    return subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=folder.parent, timeout=110
    )


@pytest.mark.slow
def test_the_demo_shows_what_each_script_did_and_can_be_run_again(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    for _ in range(2):
        began = time.monotonic()
        result = run_demo(folder)
        assert result.returncode == 0, result.stdout + result.stderr
        assert time.monotonic() - began < 60
        lines = result.stdout.splitlines()
        shown = {tuple(re.split(r" {2,}", line.strip())) for line in lines if line.startswith("(0")}
        assert ("(0012,0063)", "-", "My XNAT sitewide anon script v01") in shown
        assert ("(0010,0030)", "19620417", "-") in shown
        assert ("(0008,1030)", "MR of the head", "MR of the head") in shown
        assert ("(0008,1030)", "MR of the head", "TRAINING") in shown
        assert ("(0010,0020)", "4MR1", "MR_v1") in shown
        # A path as long as this one is not the demo's fault.
        assert [line for line in lines if len(line) > 80 and str(tmp_path) not in line] == []


def test_a_folder_that_no_demo_made_is_left_alone(demo: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(demo.DemoError, match="not made by a demo"):
        demo.prepare(tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_the_demo_makes_its_own_folder_anew(demo: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    demo.prepare(folder)
    (folder / "old").touch()
    demo.prepare(folder)
    assert [path.name for path in folder.iterdir()] == [demo.MARKER]


def test_long_values_are_cut_in_the_middle(demo: ModuleType) -> None:
    assert demo.shorten("1.2.840.10008", 13) == "1.2.840.10008"
    assert demo.shorten("1.2.840.10008.1", 11) == "1.2...008.1"
    assert len(demo.shorten("x" * 100, 30)) == 30


def test_the_studies_have_what_the_steps_talk_about(demo: ModuleType, tmp_path: Path) -> None:
    for study in demo.STUDIES:
        demo.make_study(study, tmp_path / study.folder)
        files = sorted((tmp_path / study.folder).iterdir())
        assert len(files) == study.series * study.slices
        elements = demo.sent_elements(files[0])
        assert elements["(0010,0030)"]
        assert elements["(0008,1030)"] == study.description
        assert "(0012,0063)" not in elements
