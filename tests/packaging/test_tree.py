"""What is committed: names that must not appear, and what the documents promise."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Written in pieces, so that this file does not find itself.
FORBIDDEN = re.compile(
    "|".join(
        [
            "py" + r"pi\.org",
            "python" + r"hosted\.org",
            r"--(extra-)?index" + "-url",
            r"--find" + "-links",
            r"--trusted" + "-host",
            "reg" + r"istry\.npmjs",
            "deb" + r"\.debian\.org",
            r"(?<![\w.])/work" + r"/(main|shared)\b",
            r"(?<![\w.])/(root|home/\w+)" + r"/",
        ]
    )
)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)(?:#([^)]*))?\)")


def committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def documents() -> list[Path]:
    return [path for path in committed() if path.suffix == ".md"]


def test_no_committed_file_names_a_package_index_or_a_path_of_one_machine() -> None:
    found = []
    for path in committed():
        content = path.read_bytes()
        if b"\0" in content:
            continue
        text = content.decode("utf-8", "replace")
        # `make lock` has to say that the lock shall name no index.
        text = text.replace("--no-emit-index-url", "").replace("--no-emit-find-links", "")
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in FORBIDDEN.finditer(text)]
    assert found == []


def test_no_tests_folder_is_a_package() -> None:
    # A lone tests/anon/__init__.py would make the tests import themselves as `anon`.
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for path in documents():
        for target, anchor in LINK.findall(path.read_text()):
            linked = (path.parent / target).resolve()
            if not linked.exists() or (anchor and anchor not in anchors(linked)):
                broken.append(f"{path.relative_to(ROOT)}: {target}#{anchor}")
    assert broken == []


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as most viewers make them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_decision_is_listed_once_and_numbered() -> None:
    folder = ROOT / "docs" / "decisions"
    numbered = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [name[:4] for name in numbered] == [f"{number:04}" for number in range(1, len(numbered) + 1)]
    listed = LINK.findall((folder / "README.md").read_text())
    assert sorted(target for target, _ in listed) == numbered


def test_the_readme_names_every_setting() -> None:
    from config.settings import Project, Receiver, Settings

    models: dict[str, Any] = {"receivers": Receiver, "projects": Project}
    for name, field in Settings.model_fields.items():
        models.setdefault(name, field.annotation)
    keys = [(table, key) for table, model in models.items() for key in getattr(model, "model_fields", {})]
    assert len(keys) > 30
    readme = (ROOT / "README.md").read_text()
    assert [f"{table}.{key}" for table, key in keys if f"`{key}`" not in readme] == []


def test_the_version_is_the_same_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()
    assert f"dicom-prearchive:{version}" in (ROOT / "docker-compose.yml").read_text()
    assert f"dicom_prearchive-{version}-" in (ROOT / "deploy" / "prearc.service").read_text()


def test_the_conformance_statement_lists_every_status() -> None:
    from receiver.status import Status

    statement = (ROOT / "docs" / "conformance.md").read_text()
    assert [status.name for status in Status if f"0x{status.value:04X}" not in statement] == []


def test_make_without_a_target_lists_the_targets() -> None:
    result = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("demo", "serve", "test", "test-slow", "lint", "lock", "clean"):
        assert re.search(rf"^  {target} ", result.stdout, flags=re.MULTILINE), target
    assert max(map(len, result.stdout.splitlines())) <= 80


@pytest.mark.parametrize("name", [".ci/run", "deploy/container.sh"])
def test_shell_scripts_are_at_least_well_formed(name: str) -> None:
    shell = (ROOT / name).read_text().partition("\n")[0].removeprefix("#!").split()[-1].rpartition("/")[2]
    subprocess.run([shell, "-n", name], cwd=ROOT, check=True)


def test_the_ci_script_can_be_executed_and_fails_when_a_target_fails(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    script = tmp_path / ".ci" / "run"
    script.write_bytes((ROOT / ".ci" / "run").read_bytes())
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    (tmp_path / "Makefile").write_text("test:\n\t@false\ntest-slow:\n\t@echo slow ones ran\n")
    result = subprocess.run(["bash", str(script)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert result.returncode == 1
    assert "slow ones ran" in result.stdout
