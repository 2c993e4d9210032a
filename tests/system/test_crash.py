"""Killing the server: what got Success is there afterwards; and the order that makes it so."""

from __future__ import annotations

import hashlib
import random
import re
import threading
import time
from pathlib import Path

import pydicom
import pytest
from builders import encode_dataset, make_dataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from running_site import RunningSite, needs_strace, store_bytes

MR = "1.2.840.10008.5.1.4.1.1.4"


def send_until_cut(site: RunningSite, acknowledged: dict[str, str], studies: list[str]) -> None:
    """Send instances one after another until the connection dies; note each Success."""
    association = site.associate((MR, ExplicitVRLittleEndian))
    if not association.is_established:
        return
    try:
        while association.is_established:
            dataset = make_dataset(StudyInstanceUID=random.choice(studies), ImageComments="x" * 20000)
            status = store_bytes(association, encode_dataset(dataset), MR, dataset.SOPInstanceUID)
            if status.get("Status") != 0:
                return
            acknowledged[dataset.SOPInstanceUID] = hashlib.sha256(dataset.ImageComments.encode()).hexdigest()
    except Exception:
        return
    finally:
        if association.is_established:
            association.abort()


def kill_and_check(folder: Path, rounds: int) -> None:
    acknowledged: dict[str, str] = {}
    studies = [generate_uid() for _ in range(4)]
    chance = random.Random()
    site = RunningSite(folder)
    for number in range(rounds):
        site.start()
        if number % 5 == 4:
            studies = [
                generate_uid() for _ in range(4)
            ]  # new sessions are opened at the moment of the kill too
        senders = [
            threading.Thread(target=send_until_cut, args=(site, acknowledged, studies)) for _ in range(2)
        ]
        for sender in senders:
            sender.start()
        while len(acknowledged) < number + 2 and any(sender.is_alive() for sender in senders):
            time.sleep(0.01)  # a slow machine must come to acknowledge some, too
        time.sleep(chance.uniform(0.05, 1.0))
        site.kill()
        for sender in senders:
            sender.join(timeout=30)
        site.run("check")  # what the kill left is no finding even before the next start
    site.start()
    stored = {
        entry["sop_instance_uid"]: entry
        for row in site.json("list")
        for entry in site.json("files", str(row["id"]))
    }
    missing = set(acknowledged) - set(stored)
    assert not missing, f"{len(missing)} of {len(acknowledged)} acknowledged instances are gone"
    assert len(acknowledged) > rounds
    for sop_instance_uid, digest in acknowledged.items():
        dataset = pydicom.dcmread(site.data / stored[sop_instance_uid]["path"])
        assert hashlib.sha256(dataset.ImageComments.encode()).hexdigest() == digest
    on_disk = {path.relative_to(site.data).as_posix() for path in (site.data / "prearchive").rglob("*.dcm")}
    assert on_disk == {entry["path"] for entry in stored.values()}
    assert site.stop() == 0
    site.run("check")


@pytest.mark.timeout(300)
def test_success_survives_kill_nine(tmp_path: Path) -> None:
    kill_and_check(tmp_path / "site", 4)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_success_survives_twenty_kills(tmp_path: Path) -> None:
    kill_and_check(tmp_path / "site", 20)


@needs_strace
def test_success_is_only_answered_after_file_folder_and_row_are_safe(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    site = RunningSite(tmp_path / "site")
    calls = "trace=fsync,fdatasync,rename,renameat,renameat2,sendto,sendmsg,write,send"
    site.start(["strace", "-f", "-y", "-s", "8", "-o", str(trace), "-e", calls])
    study_uid = generate_uid()
    association = site.associate((MR, ExplicitVRLittleEndian))
    for number in range(4):
        dataset = make_dataset(StudyInstanceUID=study_uid, InstanceNumber=number)
        assert store_bytes(association, encode_dataset(dataset), MR, dataset.SOPInstanceUID).Status == 0
    association.release()
    assert site.stop() == 0

    # unfinished/resumed pairs: a call counts where it ended, a send where it began
    events: list[tuple[str, str]] = []
    pending: dict[str, str] = {}
    for line in trace.read_text(errors="replace").splitlines():
        process, _, call = line.partition(" ")
        call = call.strip()
        if "<unfinished ...>" in call and not re.match(r"(sendto|sendmsg|write|send)\(", call):
            pending[process] = call.replace("<unfinished ...>", "")
            continue
        if resumed := re.match(r"<\.\.\. (\w+) resumed>(.*)", call):
            call = pending.pop(process, "") + resumed[2]
        if found := re.match(r"f(?:data)?sync\(\d+<([^>]*)>", call):
            events.append(("sync", found[1]))
        elif found := re.match(r"rename\w*\(.*\.dcm\"", call):
            names = re.findall(r'"([^"]*)"', call)
            folders = re.findall(r"(?:AT_FDCWD|\d+)<([^>]*)>", call)
            if len(folders) == 2:
                names = [str(Path(folder) / name) for folder, name in zip(folders, names, strict=True)]
            events.append(("rename", "\n".join(names)))
        elif re.match(r"(sendto|sendmsg|write|send)\(\d+<(socket|TCP)", call):
            events.append(("send", ""))
    renames = [place for place, (kind, _) in enumerate(events) if kind == "rename"]
    assert len(renames) == 4
    for place in renames:
        source, target = events[place][1].split("\n")
        before = [name for kind, name in events[:place] if kind == "sync"]
        assert source in before, "the file was not synced before the rename"
        answer = next(n for n in range(place, len(events)) if events[n][0] == "send")
        synced = [name for kind, name in events[place:answer] if kind == "sync"]
        folder = str(Path(target).parent)
        assert folder in synced, "the folder was not synced before the answer"
        commits = [n for n, name in enumerate(synced) if name.endswith("prearc.db-wal")]
        assert commits and commits[-1] > synced.index(folder), (
            "no commit between the folder sync and the answer"
        )
