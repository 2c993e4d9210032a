"""The wheel: what is in it, and that an installation of it works."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("anon", "cli", "config", "prearchive", "receiver")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def committed_files() -> Iterator[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            yield Path(name)


def test_the_wheel_holds_the_five_packages_and_nothing_else(names: set[str]) -> None:
    folders = {name.partition("/")[0] for name in names}
    assert {folder for folder in folders if not folder.endswith(".dist-info")} == set(PACKAGES)
    assert not [name for name in names if "__pycache__" in name]


def test_every_committed_file_of_a_package_is_in_the_wheel(names: set[str]) -> None:
    expected = {path.as_posix() for path in committed_files() if path.parts[0] in PACKAGES}
    assert expected
    assert expected <= names


@pytest.mark.parametrize(
    "name",
    [
        "anon/syntax/dicomedit4.lark",
        "anon/syntax/dicomedit6.lark",
        "config/defaults/prearc.toml",
        "config/defaults/anon/site.das",
        "config/defaults/anon/projects/TRAINING.das",
        "config/defaults/anon/lookup.txt",
        "config/defaults/library/library.toml",
        "config/defaults/library/basic-profile.das",
        "config/defaults/library/basic-profile.tests.toml",
        "anon/profile/table.tsv",
        "prearchive/db/versions/",
        *(f"{package}/py.typed" for package in PACKAGES),
    ],
)
def test_data_files_travel_with_their_package(names: set[str], name: str) -> None:
    assert any(found.startswith(name) for found in names)


def test_the_wheel_brings_its_licence_and_the_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        entries = {name.rpartition("/")[2]: name for name in archive.namelist() if ".dist-info/" in name}
        assert "Apache License" in archive.read(entries["LICENSE"]).decode()
        assert "prearc = cli.main:main" in archive.read(entries["entry_points.txt"]).decode()


@pytest.mark.parametrize("package", PACKAGES)
def test_each_top_level_name_is_ours(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__file__ is not None
    assert Path(module.__file__).resolve() == ROOT / package / "__init__.py"


@pytest.mark.parametrize("package", [package for package in PACKAGES if package != "anon"])
def test_only_anon_has_code_in_its_init(package: str) -> None:
    # A stranger's package of the same name may overwrite the file: nothing of ours may be missed then.
    lines = (ROOT / package / "__init__.py").read_text().strip()
    assert lines.startswith('"""')
    assert lines.endswith('"""')
    assert lines.count('"""') == 2


@pytest.mark.slow
def test_an_installed_wheel_works_without_the_source_tree(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    locked = ROOT / "requirements" / "runtime.txt"
    subprocess.run([*pip, "--no-deps", "--require-hashes", "-r", str(locked)], cwd=tmp_path, check=True)
    subprocess.run([*pip, "--no-deps", str(wheel)], cwd=tmp_path, check=True)
    prearc = str(environment / "bin" / "prearc")
    site = tmp_path / "site"
    subprocess.run([prearc, "init", str(site)], cwd=tmp_path, check=True, capture_output=True)
    arguments = [prearc, "--config", str(site)]
    environ = {**os.environ, "PREARC_RECEIVERS__0__PORT": "0"}
    with subprocess.Popen([*arguments, "serve"], cwd=tmp_path, env=environ, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline().startswith(b"ready")
        server.terminate()
    assert server.returncode == 0
    listed = subprocess.run([*arguments, "--json", "list"], cwd=tmp_path, check=True, capture_output=True)
    assert json.loads(listed.stdout) == []
    script = site / "anon" / "site.das"
    checked = subprocess.run([prearc, "anon", "check", str(script)], cwd=tmp_path, capture_output=True)
    assert checked.returncode == 0
    for name in ("site", "project"):
        copy = [prearc, "anon", "library", "copy", f"xnat-training-{name}", "library"]
        subprocess.run(copy, cwd=tmp_path, check=True, capture_output=True)
    tested = subprocess.run([prearc, "anon", "test", "library"], cwd=tmp_path, capture_output=True)
    assert tested.returncode == 0
    assert b"4 passed" in tested.stdout


def test_every_dependency_is_locked_in_a_version_that_fits() -> None:
    from packaging.requirements import Requirement

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = {name: locked_versions(ROOT / "requirements" / f"{name}.txt") for name in ("runtime", "dev")}
    wanted = {
        "runtime": project["dependencies"],
        "dev": project["dependencies"] + project["optional-dependencies"]["dev"],
    }
    for name, requirements in wanted.items():
        for requirement in map(Requirement, requirements):
            assert requirement.specifier.contains(locked[name][requirement.name.lower()]), requirement
    assert set(locked["runtime"].items()) <= set(locked["dev"].items())


def locked_versions(path: Path) -> dict[str, str]:
    versions = {}
    for line in path.read_text().splitlines():
        if "==" in line:
            name, _, rest = line.partition("==")
            versions[name] = rest.split()[0]
    return versions


def test_every_locked_package_has_hashes() -> None:
    for name in ("runtime", "dev"):
        entries = (ROOT / "requirements" / f"{name}.txt").read_text().replace("\\\n", " ").splitlines()
        packages = [entry for entry in entries if "==" in entry]
        assert packages
        assert all("--hash=sha256:" in entry for entry in packages)
