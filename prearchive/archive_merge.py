"""Merge treated instances into an archived session: which scan they join, which files they replace. Pure.

XNAT's rules: a series that is known keeps the archived scan's id; an unknown series whose id is taken gets
`<id>-<XX><n>`, XX from the scan type; fields the archived session has win over new ones. An instance that is
there already is replaced. A file name that another instance has is never taken: the new file gets a number.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from prearchive import paths
from prearchive.db.session_rows import InstanceRow, ScanRows, SessionRows
from prearchive.placement import NOT_ANONYMIZED_WARNING
from prearchive.script_messages import SCRIPT_MESSAGE

_SCAN_LABEL_LENGTH = 64
# They say something about the files, not about the session that is merged.
_LASTING_WARNINGS = frozenset({NOT_ANONYMIZED_WARNING, SCRIPT_MESSAGE})


class Placed(NamedTuple):
    """A file that gets a place in the merged session."""

    scan_label: str
    file_name: str
    new_scan_label: str
    new_file_name: str


@dataclass(slots=True)
class Merged:
    """The archived session as it will be."""

    rows: SessionRows
    kept: list[Placed] = field(default_factory=list)  # files of the archived session
    added: list[Placed] = field(default_factory=list)  # files of the session that is merged into it
    replaced: list[tuple[ScanRows, InstanceRow]] = field(default_factory=list)  # leave the archived session


def merge(existing: SessionRows, incoming: SessionRows) -> Merged:
    """Merge `incoming` into `existing`; neither is changed."""
    coming_uids = {instance.sop_instance_uid for _, instance in incoming.instances()}
    coming_keys = {instance.received_sop_key for _, instance in incoming.instances()}
    merged = Merged(_joined(existing, incoming))
    scans: dict[str, ScanRows] = {}
    for scan in existing.scans:
        kept = []
        for instance in scan.instances:
            if instance.sop_instance_uid in coming_uids or instance.received_sop_key in coming_keys:
                merged.replaced.append((scan, instance))
            else:
                kept.append(instance)
                merged.kept.append(Placed(scan.label, instance.file_name, scan.label, instance.file_name))
        scans[scan.label] = replace(scan, instances=kept)
    for scan in incoming.scans:
        target = _scan_for(scan, scans)
        names = {instance.file_name for instance in target.instances}
        for instance in scan.instances:
            name = _free_name(instance.file_name, names)
            names.add(name)
            target.instances.append(replace(instance, file_name=name))
            merged.added.append(Placed(scan.label, instance.file_name, target.label, name))
    merged.rows.scans = [scan for scan in scans.values() if scan.instances]
    merged.rows.count()
    return merged


def _joined(existing: SessionRows, incoming: SessionRows) -> SessionRows:
    senders = {sender.association_id: sender for sender in (*existing.senders, *incoming.senders)}
    scripts = {script.sha256: script for script in (*existing.scripts, *incoming.scripts)}
    session = copy.deepcopy(existing.session)
    for name in ("scan_date", "scan_time", "session_type", "modality_label", "study_uid"):
        session[name] = session[name] or incoming.session[name]
    for name in ("last_received_at", "modified_at"):
        session[name] = max(session[name], incoming.session[name])
    # A session with data that no script has seen says so, whatever else is in it.
    session["anonymize"] = session["anonymize"] and incoming.session["anonymize"]
    known = {(warning.code, warning.text) for warning in existing.warnings}
    lasting = [
        warning
        for warning in incoming.warnings
        if warning.code in _LASTING_WARNINGS and (warning.code, warning.text) not in known
    ]
    return SessionRows(
        session=session,
        senders=list(senders.values()),
        scripts=list(scripts.values()),
        discarded=[*existing.discarded, *incoming.discarded],
        history=list(existing.history),
        warnings=[*existing.warnings, *lasting],
    )


def _scan_for(scan: ScanRows, scans: dict[str, ScanRows]) -> ScanRows:
    """The scan of the merged session that a series joins; a new one when the series is unknown."""
    for known in scans.values():
        if scan.series_uid and known.series_uid == scan.series_uid:
            return known
    keys = {known.series_key for known in scans.values()}
    if scan.series_key in keys:
        # The same series as received, under another UID: it stays one scan, its rows need one key.
        return next(known for known in scans.values() if known.series_key == scan.series_key)
    label = scan.label
    number = 0
    while label in scans:
        number += 1
        suffix = f"-{_short_type(scan.scan_type)}{number}"
        label = f"{scan.label[: _SCAN_LABEL_LENGTH - len(suffix)]}{suffix}"
    scans[label] = replace(scan, label=label, instances=[])
    return scans[label]


def _short_type(scan_type: str | None) -> str:
    """Two letters of a scan type: `xnat:mrScanData` gives MR, `xnat:petScanData` PT."""
    letters = (scan_type or "xnat:otherDicomScanData").removeprefix("xnat:")[:2].upper()
    return "PT" if letters == "PE" else letters


def _free_name(name: str, taken: set[str]) -> str:
    number = 0
    while (numbered := paths.numbered(name, number)) in taken:
        number += 1
    return numbered
