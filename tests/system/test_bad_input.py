"""What bad input gets: a status or one clear line, an audit row, no file; and the server lives on."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from builders import encode_dataset, make_dataset
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from running_site import PREARC, RunningSite

MR = "1.2.840.10008.5.1.4.1.1.4"


def send(site: RunningSite, dataset: Dataset, encoded: bytes | None = None, **command: Any) -> Dataset:
    return site.store_bytes(
        encode_dataset(dataset) if encoded is None else encoded,
        sop_class_uid=MR,
        sop_instance_uid=command.get("sop_instance_uid", dataset.get("SOPInstanceUID") or generate_uid()),
        transfer_syntax_uid=ExplicitVRLittleEndian,
    )


def log_lines(site: RunningSite, name: str) -> list[dict[str, Any]]:
    path = site.data / "logs" / name
    return (
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    )


def test_an_unknown_called_ae_title_is_rejected_as_such(tmp_path: Path) -> None:
    with RunningSite(tmp_path / "site") as site:
        association = site.associate((MR, ExplicitVRLittleEndian), called="NOBODY")
        assert association.is_rejected
        primitive = association.acceptor.primitive
        assert (primitive.result, primitive.result_source, primitive.diagnostic) == (1, 1, 7)


def test_a_script_that_fails_on_one_of_three_objects_refuses_that_one_alone(tmp_path: Path) -> None:
    script = '(0012,0063) := "v1"\n(0008,0060) = "XX" : (0008,103E) := (0008,1140)\n'
    study = {"StudyInstanceUID": generate_uid(), "ReferencedImageSequence": [Dataset()]}
    with RunningSite(tmp_path / "site", site_script=script) as site:
        objects = [make_dataset(Modality=modality, **study) for modality in ("MR", "XX", "MR")]
        statuses = [send(site, dataset) for dataset in objects]
        assert [status.Status for status in (statuses[0], statuses[2])] == [0, 0]
        assert 0xC000 < statuses[1].Status <= 0xC0FF
        assert 0 < len(statuses[1].ErrorComment) <= 64
        (row,) = site.json("list")
        assert row["instances"] == 2
        details = site.json("show", str(row["id"]))
        (discarded,) = details["discarded"]
        assert (discarded["outcome"], discarded["count"]) == ("failed", 1)
        failures = [line for line in log_lines(site, "anon.log") if line["event"] == "script_failed"]
        assert len(failures) == 1
        assert failures[0]["line"] == 2
        assert failures[0]["column"] >= 1
        assert failures[0]["code"]
        line = json.dumps(failures[0])
        assert objects[1].SOPInstanceUID not in line
        assert "2.25." in line  # the hashed UID
        assert '"failed"' in json.dumps(site.json("status")) or "failed" in site.run("status").stdout
        site.run("check")


PATH_TRICKS = [
    "../../../../tmp/evil",
    "..",
    ".",
    "/etc/passwd",
    "a\x00b",
    "a/b\\c",
    "-rf",
    "x" * 64,
    "\x1b[2J",
]


def with_raw_value(encoded: bytes, tag: bytes, text: str) -> bytes:
    """Replace a value by one that a Dataset would not take."""
    value = text.encode() + (b" " if len(text) % 2 else b"")
    start = encoded.index(tag)
    end = start + 8 + encoded[start + 6]
    return encoded[:start] + tag + len(value).to_bytes(2, "little") + value + encoded[end:]


def test_a_path_trick_in_any_value_stays_inside_the_session_folder(tmp_path: Path) -> None:
    with RunningSite(tmp_path / "site", site_script=None) as site:
        for trick in PATH_TRICKS:
            dataset = make_dataset(
                PatientName=trick, PatientID=trick[:64], StudyDescription=trick, AccessionNumber=trick[:16],
                PatientComments=f"Project:{trick} Subject:{trick} Session:{trick}",
            )  # fmt: skip
            dataset.add_new("Modality", "CS", trick[:16])
            encoded = with_raw_value(encode_dataset(dataset), b"\x20\0\x11\0IS", trick[:14])
            encoded = with_raw_value(encoded, b"\x20\0\x13\0IS", trick[:14])
            assert send(site, dataset, encoded).Status == 0
        rows = site.json("list")
        assert len(rows) == len(PATH_TRICKS)
        folder = (site.data / "prearchive").resolve()
        stored = list(site.data.rglob("*.dcm"))
        assert len(stored) == len(PATH_TRICKS)
        for path in stored:
            parts = path.resolve().relative_to(folder).parts
            assert len(parts) == 7, "project/timestamp/folder/SCANS/scan/DICOM/file"
            assert all(part.isprintable() and part not in (".", "..") for part in parts)
            assert path.stat().st_mode & 0o777 == 0o600
        assert not [path for path in tmp_path.rglob("*evil*") if not path.is_relative_to(folder)]
        escape = next(row for row in rows if row["instances"] and "2J" in f"{row['subject']}{row['session']}")
        reference = str(escape["id"])
        for words in (["list"], ["show", reference], ["tags", reference], ["status"]):
            assert "\x1b" not in site.run(*words).stdout
        site.run("check")


UNSAFE_UIDS = ["../../../x", "1.2.3/4", "1.2.3\\4", "1.2.é", "1.2.3 4", "a.b.c", "1" * 65]


def test_unsafe_uids_are_refused_with_an_audit_row_and_no_file(tmp_path: Path) -> None:
    keywords = ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"]
    with RunningSite(tmp_path / "site") as site:
        for keyword, unsafe in product(keywords, UNSAFE_UIDS):
            dataset = make_dataset()
            encoded = encode_dataset(dataset)
            good = getattr(dataset, keyword).encode()
            bad = unsafe.encode("latin-1")
            good_value = good + (b"\0" if len(good) % 2 else b"")
            bad_value = bad + (b"\0" if len(bad) % 2 else b"")
            encoded = encoded.replace(
                len(good_value).to_bytes(2, "little") + good_value,
                len(bad_value).to_bytes(2, "little") + bad_value,
            )
            assert bad in encoded
            status = send(site, dataset, encoded)
            assert 0xC000 <= status.Status <= 0xC0FF, unsafe
            assert unsafe not in status.ErrorComment
        assert site.json("list") == []
        assert not list(site.data.rglob("*.dcm"))
        assert str(len(keywords) * len(UNSAFE_UIDS)) in json.dumps(site.json("status"))
        assert send(site, make_dataset()).Status == 0  # the server lives on
        site.run("check")


def test_objects_without_sop_instance_uid_and_garbage_are_refused(tmp_path: Path) -> None:
    with RunningSite(tmp_path / "site") as site:
        statuses = [
            send(site, make_dataset(SOPInstanceUID=None)),
            send(site, make_dataset(SOPClassUID=None)),
            send(site, make_dataset(), b"garbage" * 100),
            send(site, make_dataset(), encode_dataset(make_dataset())[:-3]),
        ]
        assert all(0xC000 <= status.Status <= 0xC0FF for status in statuses)
        assert all(0 < len(status.ErrorComment) <= 64 for status in statuses)
        mismatch = send(site, make_dataset(), sop_instance_uid=generate_uid())
        assert mismatch.Status == 0xA900
        assert not list(site.data.rglob("*.dcm"))
        for noise in (b"GET / HTTP/1.0\r\n\r\n", bytes(64), b"\x01\x00\xff\xff\xff\xff" + bytes(100)):
            with socket.create_connection(("127.0.0.1", site.port)) as connection:
                connection.sendall(noise)
        assert send(site, make_dataset()).Status == 0


def serve_output(site: RunningSite, code: int) -> str:
    done = subprocess.run(
        site.command("serve"), capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_a_script_with_mistakes_stops_serve_with_all_of_them(tmp_path: Path) -> None:
    script = '(0020,000D) := hashUDI[(0020,000D)]\n- (0010,0030)\n(0010,0010) := "open\n- PatientName\n'
    site = RunningSite(tmp_path / "site", site_script=script)
    output = serve_output(site, 3)
    assert "hashUDI" in output
    assert "hashUID" in output  # the hint
    for line in (1, 3, 4):
        assert f"site.das:{line}:" in output, output


def test_a_site_script_that_is_missing_stops_serve(tmp_path: Path) -> None:
    site = RunningSite(tmp_path / "site")
    (site.folder / "anon" / "site.das").unlink()
    assert "site.das" in serve_output(site, 2)


def test_an_unknown_key_is_named_with_its_nearest_known_one(tmp_path: Path) -> None:
    site = RunningSite(tmp_path / "site", extra="[storrage]\nroot = 'data'\n")
    output = serve_output(site, 2)
    assert "storrage" in output
    assert "storage" in output.replace("storrage", "")
    assert "prearc.toml" in output


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        site = RunningSite(tmp_path / "site")
        path = site.folder / "prearc.toml"
        path.write_text(path.read_text().replace("port = 0", f"port = {port}"))
        output = serve_output(site, 2)
        assert str(port) in output
        assert len(output.strip().splitlines()) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_one_clear_line(tmp_path: Path) -> None:
    site = RunningSite(tmp_path / "site")
    site.folder.chmod(0o500)
    try:
        assert len(serve_output(site, 2).strip().splitlines()) == 1
    finally:
        site.folder.chmod(0o700)


def test_a_storage_root_that_is_a_file_is_one_clear_line(tmp_path: Path) -> None:
    site = RunningSite(tmp_path / "site")
    site.data.write_text("not a folder")
    output = serve_output(site, 2)
    assert len(output.strip().splitlines()) == 1
    assert "data" in output


def test_a_folder_without_prearc_toml_is_one_clear_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [*PREARC, "--config", str(tmp_path / "nowhere"), "list"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "prearc init" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
