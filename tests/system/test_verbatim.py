"""What the script does not touch is stored byte for byte, for every real file that can be sent."""

from __future__ import annotations

from pathlib import Path

import pydicom
from builders import sendable_wheel_files
from running_site import SITE_SCRIPT, RunningSite

from anon.encoding.instance import EncodedInstance

# Cut off on purpose: a length beyond the end of the data set means that it cannot be parsed.
TRUNCATED = {"MR_truncated.dcm", "rtplan_truncated.dcm"}
TOUCHED = {0x00100030, 0x00101000, 0x00101001, 0x00101005, 0x00101040, 0x00120063, 0x0020000D}


def elements_of(path: Path) -> dict[int, bytes]:
    """Each top-level element's encoded bytes, header included."""
    dataset = EncodedInstance.from_part10(path.read_bytes()).dataset
    return {tag: b"".join(dataset.element_chunks(tag)) for tag in dataset.tags()}


def wire_bytes(path: Path) -> bytes:
    return b"".join(EncodedInstance.from_part10(path.read_bytes()).dataset_chunks())


def stored_by_uid(site: RunningSite) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in (site.data / "prearchive").rglob("*.dcm"):
        sop_instance_uid = str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID)
        found.setdefault(sop_instance_uid, []).append(path)
    assert sum(row["instances"] for row in site.json("list")) == sum(map(len, found.values()))
    return found


def test_without_a_script_the_stored_data_sets_are_those_on_the_wire(tmp_path: Path) -> None:
    paths = list(sendable_wheel_files())
    with RunningSite(tmp_path / "site", site_script=None) as site:
        rows = site.json("send", *paths, f"XNAT@127.0.0.1:{site.port}", code=None)
        assert len(rows) == len(paths)
        stored = stored_by_uid(site)
    for path in paths:
        sop_instance_uid = str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID)
        if path.name in TRUNCATED:
            continue
        copies = stored[sop_instance_uid]
        wanted = wire_bytes(path)
        assert any(copy.read_bytes().endswith(wanted) and wire_bytes(copy) == wanted for copy in copies), path


def test_with_the_training_script_only_its_elements_differ(tmp_path: Path) -> None:
    paths = [path for path in sendable_wheel_files() if path.name not in TRUNCATED]
    with RunningSite(tmp_path / "site", site_script=SITE_SCRIPT) as site:
        site.json("send", *paths, f"XNAT@127.0.0.1:{site.port}", code=None)
        stored = stored_by_uid(site)
    for path in paths:
        sop_instance_uid = str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID)
        wanted = {tag: value for tag, value in elements_of(path).items() if tag not in TOUCHED}
        copies = [
            {tag: value for tag, value in elements_of(copy).items() if tag not in TOUCHED}
            for copy in stored[sop_instance_uid]
        ]
        assert wanted in copies, path
