"""The receiver with DCMTK's tools as senders: what most sites will point at it."""

from __future__ import annotations

import subprocess
import time
from itertools import pairwise

import pytest
from builders import wheel_file
from dcmtk import find_dcmtk
from receiving import STORED, NotingIntake, running_server

from config.settings import Receiver
from prearchive.incoming import FailureReason, IncomingInstance, Outcome, OutcomeKind

PROGRAMS = {program: find_dcmtk(program) for program in ("storescu", "echoscu")}
pytestmark = pytest.mark.skipif(None in PROGRAMS.values(), reason="DCMTK is not installed")


def run(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [PROGRAMS[program] or "", *(str(each) for each in arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def test_echoscu_is_answered() -> None:
    with running_server() as running:
        assert run("echoscu", "-aec", "XNAT", "127.0.0.1", running.port).returncode == 0


def test_storescu_delivers_data_sets_as_they_are_in_the_files() -> None:
    paths = [wheel_file("CT_small.dcm"), wheel_file("MR_small.dcm")]
    with running_server() as running:
        assert run("storescu", "-aec", "XNAT", "127.0.0.1", running.port, *paths).returncode == 0
        assert len(running.intake.incoming) == 2
        # DCMTK writes the data set anew, so sizes may differ; the pixels are the end of these files.
        for incoming, path in zip(running.intake.incoming, paths, strict=True):
            assert incoming.transfer_syntax_uid == "1.2.840.10008.1.2.1"
            assert path.read_bytes()[-2000:-200] in bytes(incoming.encoded_dataset)


def test_storescu_reports_a_failed_object() -> None:
    intake = NotingIntake()
    intake.outcome = Outcome(OutcomeKind.FAILED, FailureReason.SCRIPT_FAILED)
    with running_server(intake=intake) as running:
        done = run("storescu", "-d", "-aec", "XNAT", "127.0.0.1", running.port, wheel_file("CT_small.dcm"))
    assert "0xc020" in (done.stdout + done.stderr).lower()
    assert "The anonymization script failed on this object" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("called", "calling", "text"),
    [
        ("NOBODY", "SCANNER1", "Called AE Title Not Recognized"),
        ("XNAT", "STRANGER", "Calling AE Title Not Recognized"),
    ],
)
def test_echoscu_is_told_why_it_is_refused(called: str, calling: str, text: str) -> None:
    with running_server(Receiver(port=0, allow=["SCANNER1"])) as running:
        done = run("echoscu", "-aec", called, "-aet", calling, "127.0.0.1", running.port)
    assert done.returncode != 0
    assert text in done.stdout + done.stderr


def test_a_sender_with_nagles_algorithm_is_not_held_up() -> None:
    """Else the delayed acknowledgement, 40 ms, would be between any two objects."""
    arrivals: list[float] = []

    def note(_incoming: IncomingInstance) -> Outcome:
        arrivals.append(time.monotonic())
        return STORED

    intake = NotingIntake()
    intake.decide = note
    path = wheel_file("MR_small.dcm")
    with running_server(intake=intake) as running:
        done = run("storescu", "-aec", "XNAT", "--repeat", "200", "127.0.0.1", running.port, path)
        assert done.returncode == 0
    assert len(arrivals) == 200
    gaps = sorted(later - earlier for earlier, later in pairwise(arrivals))
    assert gaps[len(gaps) // 4] < 0.035  # most may be long on a busy machine, not all
