"""UIDs: what holds a study together, and what refers to what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from anon.lint.checked import Checked
from anon.lint.effects import NEW_UID_4, Effect, Step, inner_values
from anon.lint.knowledge import REFERENCES, SHARED_UIDS, SOP_CLASS_UID, SOP_INSTANCE_UID, STUDY_INSTANCE_UID
from anon.lint.paths import covers, covers_below, described_tag, top_level
from anon.lint.rule import Finding, lint
from anon.syntax import nodes
from anon.syntax.span import Span
from anon.tagpath import TagPath, TagStep

_NEW: Final = frozenset({"newUID", NEW_UID_4})
_CHANGES: Final = frozenset({"assign", "replace", "hash", "map"})
_ONE_EACH: Final = (SOP_INSTANCE_UID, *sorted(SHARED_UIDS))
_HASH_6: Final = "hash it: hashUID gives the same new UID for the same old one"
_HASH_4: Final = "write hashUID[...] of the same tag: the same old UID gives the same new one"


@lint(
    "new-uid",
    title="a UID that several files share is made anew for each file",
    fires="(0020,000D) := new UID\n",
    silent="(0020,000D) := hashUID[(0020,000D)]\n",
    is_told=True,
)
def new_uid(checked: Checked) -> Iterator[Finding]:
    """Study, Series and Frame of Reference UID tell which files belong together.

    A new UID for each file takes a study of 500 images apart into 500 studies of one image. XNAT's own
    documentation warns of it. Use `hashUID`, in DicomEdit 6 also `mapUID`: the same old UID gives the same
    new one in every file.
    """
    for _, effect in checked.effects:
        tag = _last_tag(effect.path)
        if tag in SHARED_UIDS and effect.value is not None and _makes_new(checked, effect.value):
            what = described_tag(tag)
            message = f"every file gets a {what} of its own, so files do not stay together"
            yield Finding(effect.value.span, message, _HASH_4 if checked.dialect == 4 else _HASH_6)


def _makes_new(checked: Checked, value: nodes.Value) -> bool:
    inner = inner_values(checked.stands_for(value))
    return any(isinstance(each, nodes.Call) and each.name.name in _NEW for each in inner)


@lint(
    "one-uid",
    title="all files get the same UID",
    fires='(0020,000D) := "1.2.840.99.1"\n',
    silent="(0020,000D) := hashUID[(0020,000D)]\n",
)
def one_uid(checked: Checked) -> Iterator[Finding]:
    """A UID names one thing in the world. As a fixed text it is the same in all files of all patients.

    Then the studies of different patients become one study, and of files with one SOP Instance UID an
    archive keeps one. Use `hashUID`.
    """
    for _, effect in checked.effects:
        tag = _last_tag(effect.path)
        if tag not in _ONE_EACH or effect.kind not in ("assign", "replace") or effect.value is None:
            continue
        if checked.constants.text(effect.value):
            message = f"all files get the same {described_tag(tag)}"
            yield Finding(effect.value.span, message, _HASH_4 if checked.dialect == 4 else _HASH_6)


@lint(
    "uid-removed",
    title="a UID is removed that an object cannot be without",
    fires="- (0020,000D)\n",
    silent="(0020,000D) := hashUID[(0020,000D)]\n",
)
def uid_removed(checked: Checked) -> Iterator[Finding]:
    """Without its SOP UIDs no archive takes an object, so such an object is refused here.

    Without its Study or Series Instance UID nobody can tell which files belong together. Hash them instead.
    """
    tags = (SOP_CLASS_UID, SOP_INSTANCE_UID, *sorted(SHARED_UIDS))
    told = set()
    for step, effect, tag in _removals(checked, tags):
        if effect.span in told or checked.is_made_again(step, tag):
            continue
        what = described_tag(tag)
        if tag in (SOP_CLASS_UID, SOP_INSTANCE_UID):
            message = f"{what} is removed: every object is refused, it cannot be without"
            hint = "leave it as it is" if tag == SOP_CLASS_UID else "hash it instead, with hashUID"
        elif tag in (STUDY_INSTANCE_UID, 0x0020000E):
            message = f"{what} is removed: nothing tells any more which files belong together"
            hint = "hash it instead, with hashUID"
        else:
            continue  # optional: without it images stay images
        told.add(effect.span)
        yield Finding(effect.span, message, hint)


def _removals(checked: Checked, tags: tuple[int, ...]) -> Iterator[tuple[Step, Effect, int]]:
    for tag in tags:
        for step, effect in checked.index.above(top_level(tag)):
            is_emptied = effect.kind in ("assign", "replace") and checked.is_empty(effect.value)
            is_gone = effect.kind == "delete" or is_emptied
            if is_gone and effect.path is not None and covers(effect.path, top_level(tag)):
                yield step, effect, tag


@lint(
    "unmatched-references",
    title="a UID changes, what refers to it does not",
    fires='version "6.6"\n(0008,0018) := hashUID[(0008,0018)]\n',
    silent='version "6.6"\nhashUIDList["*/(0008,0018)", "*/(0008,1155)", "*/(0008,1167)"]\n',
    is_global=True,
)
def unmatched_references(checked: Checked) -> Iterator[Finding]:
    """Objects name other objects, studies and series in sequences. Those elements keep the old UID.

    So the references lead nowhere: segmentations, presentation states, radiotherapy plans and reports lose
    the images they are about. And the old UID, which leads back to the patient in the hospital's archive,
    is still in the file. In DicomEdit 6 change both: `hashUIDList["*/(0008,0018)", "*/(0008,1155)"]`.
    DicomEdit 4 cannot reach into sequences: remove them whole, or write the script in DicomEdit 6.
    """
    changed = [(reference, found) for reference in REFERENCES if (found := _change(checked, reference.tag))]
    tags = [reference.tag for reference, _ in changed]
    if checked.dialect == 4 and tags == [STUDY_INSTANCE_UID]:
        return  # XNAT's own script does this: what refers to images still does
    for reference, span in changed:
        left = [path for path in reference.paths if not _is_changed_too(checked, path)]
        if not left:
            continue
        more = f" and in {len(left) - 1} other places" if len(left) > 1 else ""
        what = described_tag(reference.tag)
        message = f"{what} changes, what refers to it does not: {left[0]}{more}"
        if checked.dialect == 4:
            hint = f"remove {', '.join(_sequences(left)[:3])} whole, or use DicomEdit 6"
        else:
            wanted = ", ".join(sorted({f'"*/{path.text.rpartition("/")[2]}"' for path in left}))
            hint = f"hashUIDList[{wanted}] or mapReferencedUIDs, as the UID itself"
        yield Finding(span, message, hint)


def _sequences(paths: list[TagPath]) -> list[str]:
    return sorted({path.text.partition("[")[0] for path in paths})


def _change(checked: Checked, tag: int) -> Span | None:
    """Where the UID gets another value that comes from the old one."""
    path = top_level(tag)
    for _, effect in checked.index.above(path):
        if effect.kind in _CHANGES and effect.path is not None and covers(effect.path, path):
            value = None if effect.value is None else checked.stands_for(effect.value)
            is_new = value is not None and _makes_new(checked, value)  # that is told already
            is_made = value is None or any(isinstance(each, nodes.Call) for each in inner_values(value))
            if is_made and not is_new:
                return effect.span
    return None


def _is_changed_too(checked: Checked, path: TagPath) -> bool:
    for _, effect in checked.index.above(path):
        assert effect.path is not None
        if effect.kind == "delete":
            if covers_below(effect.path, path):
                return True
        elif effect.kind in _CHANGES and covers(effect.path, path):
            return True
    return checked.has_open_effects


def _last_tag(path: TagPath | None) -> int:
    """The tag of the elements that a path means; 0 when that is not one tag."""
    last = None if path is None else path.steps[-1]
    return last.bits if isinstance(last, TagStep) and last.mask == 0xFFFFFFFF else 0
