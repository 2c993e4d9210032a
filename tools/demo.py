"""The guided walk of `make demo`: receive, anonymize, review and archive two small studies.

Drives nothing but the public command line. Everything it makes lies in one folder, which the next run
makes anew.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import shlex
import shutil
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pydicom
import tomlkit

MARKER = ".made-by-make-demo"
WIDTH = 80
STEPS = 8
PATIENCE_SECONDS = 40.0
SCRIPTS = ("anon/site.das", "anon/projects/TRAINING.das")
WATCHED = {
    "(0012,0063)": "De-identification Method",
    "(0010,0030)": "Patient's Birth Date",
    "(0020,000D)": "Study Instance UID",
    "(0008,1030)": "Study Description",
    "(0010,0010)": "Patient's Name",
    "(0010,0020)": "Patient ID",
}


def _find_storescu() -> str | None:
    """Find DCMTK's sender; in an active virtual environment pynetdicom has a program of the same name."""
    for folder in os.get_exec_path():
        path = shutil.which("storescu", path=folder)
        if path is None:
            continue
        version = subprocess.run(
            [path, "--version"], capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        if "dcmtk" in (version.stdout + version.stderr).lower():
            return path
    return None


class DemoError(Exception):
    """A step did not do what it should; the message says which."""


class Study(NamedTuple):
    """One study to send: where it comes from in the pydicom wheel, and what the demo writes into it."""

    folder: str
    source: str
    description: str
    series: int
    slices: int


STUDIES = (
    Study("ct", "CT_small.dcm", "Training course", series=1, slices=5),
    Study("mr", "MR_small.dcm", "MR of the head", series=2, slices=3),
)


def say(text: str = "") -> None:
    """Print one paragraph, at most 80 columns wide."""
    print(textwrap.fill(text, WIDTH, break_on_hyphens=False), flush=True)


def step(number: int, text: str) -> None:
    """Open a step with one line that says what it shows."""
    print(flush=True)
    say(f"[{number}/{STEPS}] {text}")


def make_study(study: Study, folder: Path) -> None:
    """Write slices made from one real file: its header and pixels, instance numbers and UIDs of their own."""
    source = Path(pydicom.__file__).parent / "data" / "test_files" / study.source
    folder.mkdir(parents=True)
    dataset = pydicom.dcmread(source)
    series_uid, sop_instance_uid = dataset.SeriesInstanceUID, dataset.SOPInstanceUID
    dataset.StudyDescription = study.description
    dataset.PatientBirthDate = "19620417"  # the originals leave it empty
    for series_number in range(1, study.series + 1):
        dataset.SeriesNumber = series_number
        dataset.SeriesInstanceUID = f"{series_uid}.{series_number}"
        for instance_number in range(1, study.slices + 1):
            dataset.InstanceNumber = instance_number
            dataset.SOPInstanceUID = f"{sop_instance_uid}.{series_number}.{instance_number}"
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            dataset.save_as(folder / f"{series_number}-{instance_number}.dcm", enforce_file_format=True)


def sent_elements(path: Path) -> dict[str, str]:
    """Read the watched elements of a file that was sent."""
    dataset = pydicom.dcmread(path, stop_before_pixels=True)
    found = {}
    for tag_path in WATCHED:
        tag = int(tag_path[1:5] + tag_path[6:10], 16)
        if tag in dataset:
            found[tag_path] = str(dataset[tag].value)
    return found


def free_port() -> int:
    """Ask the system for a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Walk:
    """The demo's folder and the commands run against it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = folder / "site"
        self.log_path = folder / "serve.log"
        self.port = free_port()
        self.prearc = Path(sys.executable).with_name("prearc")
        self.environment = {**os.environ, "PREARC_CONFIG": str(self.site)}

    def run(self, *arguments: str) -> None:
        """Show a prearc command and let it print."""
        print(f"$ prearc {shlex.join(arguments)}", flush=True)
        result = subprocess.run([self.prearc, *arguments], env=self.environment, stdin=subprocess.DEVNULL)
        if result.returncode:
            raise DemoError(f"`prearc {shlex.join(arguments)}` ended with exit code {result.returncode}")

    def ask(self, *arguments: str) -> Any:
        """Run a prearc command quietly and return what its JSON says."""
        command: list[str | Path] = [self.prearc, "--json", *arguments]
        result = subprocess.run(
            command, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if result.returncode:
            raise DemoError(
                f"`prearc --json {shlex.join(arguments)}` ended with exit code {result.returncode}:\n"
                + result.stderr
            )
        return json.loads(result.stdout)

    def send(self, folder: Path) -> None:
        """Send a folder with DCMTK's storescu, or with our own sender where that is missing."""
        storescu = _find_storescu()
        if storescu is None:
            self.run("send", str(folder), f"XNAT@127.0.0.1:{self.port}")
            return
        arguments = ["-aet", "SCANNER", "-aec", "XNAT", "+sd", "127.0.0.1", str(self.port), str(folder)]
        print(f"$ storescu {shlex.join(arguments)}", flush=True)
        result = subprocess.run([storescu, *arguments], stdin=subprocess.DEVNULL)
        if result.returncode:
            raise DemoError(f"storescu ended with exit code {result.returncode}")

    def elements(self, *arguments: str) -> dict[str, str]:
        """Read the watched elements of a session's first instance with `prearc tags`."""
        print(f"$ prearc --json {shlex.join(arguments)}", flush=True)
        rows = self.ask(*arguments)
        return {row["path"]: row["value"] or "" for row in rows if row["path"] in WATCHED}

    def await_ready(self, count: int) -> list[dict[str, Any]]:
        """Wait until so many sessions are there and READY; return their rows."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            rows: list[dict[str, Any]] = self.ask("list")
            if len(rows) == count and all(row["status"] == "READY" for row in rows):
                return rows
            time.sleep(0.5)
        raise DemoError(f"the sessions were not READY after {PATIENCE_SECONDS:.0f} seconds")

    @contextmanager
    def server(self) -> Iterator[None]:
        """Run `prearc serve` while the block runs."""
        print("$ prearc serve", flush=True)
        with self.log_path.open("w") as log:
            process = subprocess.Popen(
                [self.prearc, "serve"],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        try:
            print(self.ready_line(process), flush=True)
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def ready_line(self, process: subprocess.Popen[str]) -> str:
        """Return the line that says that the receivers listen."""
        if process.stdout is None:
            raise DemoError("prearc serve has no standard output")
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if selector.select(PATIENCE_SECONDS):
                line = process.stdout.readline().rstrip()
                if line.startswith("ready"):
                    return line
        raise DemoError(f"prearc serve did not come up:\n{self.log_path.read_text()}")


def compare(columns: Sequence[tuple[str, dict[str, str]]]) -> None:
    """Print the watched elements side by side, one line an element; long values are cut in the middle."""
    width = (WIDTH - 11) // len(columns) - 2
    print(f"{'element':11}" + "".join(f"  {title:{width}}" for title, _ in columns).rstrip())
    for tag_path in WATCHED:
        cells = [values.get(tag_path, "-") for _, values in columns]
        print(tag_path + "".join(f"  {shorten(cell, width):{width}}" for cell in cells).rstrip())


def shorten(text: str, width: int) -> str:
    """Cut a text in the middle where it is longer than `width`."""
    if len(text) <= width:
        return text
    head = (width - 2) // 2
    return f"{text[:head]}..{text[head + 2 - width :]}"


def prepare(folder: Path) -> None:
    """Make the demo's folder anew; a folder that no demo made is left alone."""
    if folder.exists():
        if any(folder.iterdir()) and not (folder / MARKER).is_file():
            raise DemoError(
                f"{folder} exists and was not made by a demo; choose another: make demo DEMO=FOLDER"
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARKER).touch()


def hurry(walk: Walk) -> None:
    """Change three settings of the new site: the demo needs a free port, and no minutes of waiting."""
    path = walk.site / "prearc.toml"
    settings: Any = tomlkit.parse(path.read_text())
    settings["receivers"][0]["port"] = walk.port
    settings["sessions"]["quiet_seconds"] = 2
    settings["projects"]["TRAINING"]["aliases"] = ["Training course"]
    path.write_text(tomlkit.dumps(settings))


def walk_through(walk: Walk) -> None:
    """Show the eight steps."""
    sent = walk.folder / "sent"
    say(
        f"dicom-prearchive in {STEPS} steps. Everything is written below {walk.folder}/. "
        f"The commands are shown as they run, with PREARC_CONFIG={walk.site}."
    )

    step(1, "A site folder: settings, a site-wide script, a script of project TRAINING.")
    walk.run("init", str(walk.site))
    hurry(walk)
    say(
        "(The demo changes three settings: a free port, 2 quiet seconds instead of 300, "
        'and "Training course" as another name of TRAINING.)'
    )
    walk.run("anon", "check", *(str(walk.site / name) for name in SCRIPTS))
    say("The library has the site script with tests, which say what it does to a few made-up objects:")
    walk.run("anon", "library", "copy", "xnat-training-site", str(walk.folder / "library"))
    walk.run("anon", "test", str(walk.folder / "library"))

    step(2, "Two studies are made from real CT and MR files, and the receiver starts.")
    for study in STUDIES:
        make_study(study, sent / study.folder)
    with walk.server():
        step(3, "A scanner sends them. The site script runs before anything is stored.")
        for study in STUDIES:
            walk.send(sent / study.folder)
        number, held = review(walk, sorted((sent / "mr").iterdir())[0])
        archive(walk, number, held)

    print()
    say(f"The receiver has stopped. All of it lies below {walk.folder}/. To go on by hand:")
    print(f"  export PREARC_CONFIG={walk.site}")
    prearc = os.path.relpath(walk.prearc)
    for arguments in ("show 1", "archive 1 --dry-run", "serve"):
        print(f"  {prearc} {arguments}")


def review(walk: Walk, example: Path) -> tuple[str, dict[str, str]]:
    """Show steps 4 to 6. Return the number of the MR and its elements."""
    step(4, "Quiet for 2 seconds: READY. The CT's Study Description names TRAINING.")
    rows = walk.await_ready(len(STUDIES))
    walk.run("list")
    unassigned = [row for row in rows if row["project"] == "Unassigned"]
    if len(unassigned) != 1:
        raise DemoError("exactly one session should be Unassigned")
    number = str(unassigned[0]["id"])

    step(5, "The MR as held: the site script has run, the project script has not.")
    held = walk.elements("tags", number)
    compare([("as sent", sent_elements(example)), ("prearchive", held)])

    step(6, "Nobody said where the MR belongs. A person moves it to TRAINING.")
    walk.run("move", number, "--project", "TRAINING")
    say("What the project script would change with these labels; nothing is written:")
    walk.run("anon", "diff", "--session", number)
    return number, held


def archive(walk: Walk, number: str, held: dict[str, str]) -> None:
    """Show steps 7 and 8: archiving with a changed label, and what is where afterwards."""
    step(7, "It is archived with another session label. Now the project script runs.")
    walk.run("archive", number, "--session", "MR_v1", "--yes")
    (archived_row,) = walk.ask("archived", "list")
    compare([("prearchive", held), ("archive", walk.elements("archived", "tags", str(archived_row["id"])))])

    step(8, "Prearchive and archive now, and whether files and database agree.")
    walk.run("list")
    walk.run("archived", "list")
    walk.run("check")


def main() -> int:
    """Walk, and say in one line what went wrong if something did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("demo"), help="made anew at every run")
    folder = parser.parse_args().folder
    try:
        prepare(folder)
        walk_through(Walk(folder))
    except DemoError as error:
        print(f"\nThe demo stopped: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
