"""What stays in objects although the script removes what identifies the patient."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from anon.lint.checked import Checked
from anon.lint.effects import Effect, Step, inner_values
from anon.lint.knowledge import DATES, IDENTIFYING, NEVER_MISSING, USUAL_DATES, WHO
from anon.lint.paths import PRIVATE, covers, covers_below, described_tag, top_level
from anon.lint.rule import Finding, lint
from anon.lint.variables import SUPPLIED
from anon.syntax import nodes
from anon.syntax.span import Span
from anon.tagpath import ANY_LEVELS, TagPath, TagStep, is_private_creator

_PATIENT_IDENTITY_REMOVED: Final = 0x00120062
_METHODS: Final = (0x00120063, 0x00120064)
_PATIENT_NAME, _PATIENT_ID = 0x00100010, 0x00100020
_SHIFTS: Final = frozenset({"shiftDateByIncrement", "shiftDateTimeByIncrement"})
_TOP_PRIVATE: Final = TagPath((TagStep(0x00010000, 0x00010000),), "(XXX#,XXXX)")


@lint(
    "orphans",
    title="a private creator is removed, the data it explains stay",
    fires="- (0029,0010)\n",
    silent="- (0029,0010)\n- (0029,10XX)\n",
    dialects=(4,),
    is_told=True,
)
def orphans(checked: Checked) -> Iterator[Finding]:
    """(gggg,0010) to (gggg,00FF) of an odd group name the maker of the data in (gggg,1000) to (gggg,FFFF).

    Removed alone, it leaves data that nobody can read any more, and that DicomEdit 6 cannot find by their
    creator. Remove the block as well, `- (0029,10XX)`, or all private elements, `- (XXX#,XXXX)`.
    """
    deleted = [
        (step.span, effect.path.steps[0])
        for step, effect in checked.effects
        if effect.kind == "delete" and effect.path is not None
    ]
    for span, target in deleted:
        if not isinstance(target, TagStep) or target.is_wild or not is_private_creator(target.bits):
            continue
        data = target.bits & 0xFFFF0000 | (target.bits & 0xFF) << 8
        if any(isinstance(other, TagStep) and _includes_block(other, data) for _, other in deleted):
            continue
        pattern = f"({data >> 16:04X},{data >> 8 & 0xFF:02X}XX)"
        message = "private data elements stay and lose their creator"
        yield Finding(span, message, f"delete the whole block, {pattern}, too")


def _includes_block(step: TagStep, data: int) -> bool:
    return not step.mask & 0xFF and data & step.mask == step.bits


@lint(
    "empty-script",
    title="nothing in the script changes an object",
    fires='version "6.6"\n// - (0010,0030)\n',
    silent='version "6.6"\n- (0010,0030)\n',
    is_global=True,
)
def empty_script(checked: Checked) -> Iterator[Finding]:
    """The script has no statement, or only variables: every object stays as it came.

    Comments are no statements: what stands behind // is not carried out. A script that is not meant to do
    anything can be switched off instead, `prearc anon site disable`.
    """
    idle = all(
        isinstance(each, nodes.Version)
        or (isinstance(each, nodes.Initialise) and each.name.name.lower() != "session")
        for each in checked.statements
    )
    if idle and not checked.effects:
        first_line = checked.source.text.partition("\n")[0]
        message = "the script has no statement that changes an object"
        yield Finding(Span(0, len(first_line)), message, "write what is to be removed or replaced")


@lint(
    "method-unset",
    title="objects are de-identified, but nothing in them says so",
    fires="- (0010,0030)\n- (0010,1040)\n",
    silent='- (0010,0030)\n- (0010,1040)\n(0012,0063) := "Site script 1"\n',
    is_global=True,
)
def method_unset(checked: Checked) -> Iterator[Finding]:
    """De-identification Method (0012,0063), or its code sequence (0012,0064), says what was done.

    DICOM wants it (PS3.15 section E.1.1), together with Patient Identity Removed (0012,0062) := "YES" once
    the patient cannot be found out any more. Whoever gets the data later can tell from them that, and how,
    it was treated. For a project's script nothing is said: the site's script sets them.
    """
    hidden = _hiding(checked)
    if checked.purpose == "project" or hidden is None or checked.has_open_effects:
        return
    unset, hints = [], []
    if not any(_is_set(checked, tag) for tag in _METHODS):
        unset.append("De-identification Method (0012,0063)")
        hints.append('(0012,0063) := "what was done"')
    is_anonymous = all(_is_touched(checked, tag) for tag in (_PATIENT_NAME, _PATIENT_ID))
    if is_anonymous and not _is_set(checked, _PATIENT_IDENTITY_REMOVED):
        unset.append("Patient Identity Removed (0012,0062)")
        hints.append('(0012,0062) := "YES"')
    if unset:
        verb = "is" if len(unset) == 1 else "are"
        message = f"this de-identifies, but {' and '.join(unset)} {verb} not set"
        yield Finding(hidden, message, f"add {' and '.join(hints)}")


def _hiding(checked: Checked) -> Span | None:
    """The first place where the patient's name or ID, or two other things that identify, are hidden.

    Labels and pseudonyms are not counted: they may be all that a script is for.
    """
    found = {
        _tag_of(effect): effect.span
        for _, effect in reversed(checked.effects)
        if _tag_of(effect) in IDENTIFYING
        and not (effect.value is not None and _is_label(checked, effect.value))
    }
    if len(found) < 2 and not found.keys() & {_PATIENT_NAME, _PATIENT_ID}:
        return None
    return min(found.values(), key=lambda span: span.start)


def _is_label(checked: Checked, value: nodes.Value) -> bool:
    """Whether a value is a label of the server or a pseudonym from the lookup table."""
    inner = list(inner_values(checked.stands_for(value)))
    if any(isinstance(each, nodes.Call) and each.name.name == "lookup" for each in inner):
        return True
    return any(isinstance(each, nodes.Variable) and each.name.lower() in SUPPLIED for each in inner)


@lint(
    "identity-stays",
    title="the script says the patient's identity is removed, but leaves some of it",
    fires='(0010,0010) := subject\n(0010,0020) := session\n(0012,0062) := "YES"\n(0012,0063) := "v1"\n',
    silent="(0010,0010) := subject\n(0010,0020) := session\n- (0010,0030)\n- (0010,00X1)\n- (0010,10XX)\n"
    '- (0010,21XX)\n- (0010,2297)\n- (0010,0032)\n(0012,0062) := "YES"\n(0012,0063) := "v1"\n- (XXX#,XXXX)\n',
    is_global=True,
)
def identity_stays(checked: Checked) -> Iterator[Finding]:
    """Patient Identity Removed (0012,0062) is set to YES, and elements that name the patient stay.

    Whoever gets the data will take them for anonymous. Remove these elements, or leave (0012,0062) unset.
    `prearc anon check --profile basic` compares with all that DICOM's Basic Profile protects. For a project's
    script nothing is said: the site's script may have removed them.
    """
    claim = _claim(checked)
    if claim is None or checked.has_open_effects:
        return
    left = [tag for tag in sorted(WHO) if not _is_touched(checked, tag)]
    if left:
        more = f" and {len(left) - 2} more" if len(left) > 2 else ""
        names = ", ".join(described_tag(tag) for tag in left[:2])
        yield Finding(claim, f"identity is called removed, but {names}{more} stay", "remove them")


@lint(
    "private-stays",
    title="the script says the patient's identity is removed, but leaves private elements",
    fires='version "6.6"\n(0012,0062) := "YES"\n',
    silent='version "6.6"\n(0012,0062) := "YES"\nremoveAllPrivateTags\n',
    is_global=True,
)
def private_stays(checked: Checked) -> Iterator[Finding]:
    """What devices write into private elements, of odd groups, only their makers know. Names are found there.

    Remove them all, or all but those that are known to be harmless: `removeAllPrivateTags` and
    `retainPrivateTags` of DicomEdit 6, `- (XXX#,XXXX)` of DicomEdit 4. For a project's script nothing is
    said.
    """
    claim = _claim(checked)
    if claim is None or checked.has_open_effects:
        return
    wanted = _TOP_PRIVATE if checked.dialect == 4 else PRIVATE
    for _, effect in checked.effects:
        if effect.kind == "retain":
            return
        if effect.kind == "delete" and effect.path is not None and covers_below(effect.path, wanted):
            return
    hint = "- (XXX#,XXXX)" if checked.dialect == 4 else "removeAllPrivateTags"
    yield Finding(claim, "identity is called removed, but private elements stay", f"add {hint}")


def _claim(checked: Checked) -> Span | None:
    """Where the script says that the patient's identity is removed; a project's is not judged alone."""
    if checked.purpose == "project":
        return None
    for _, effect in checked.index.above(top_level(_PATIENT_IDENTITY_REMOVED)):
        if effect.value is not None and checked.constants.text(effect.value) == "YES":
            return effect.span
    return None


@lint(
    "dates-mixed",
    title="some dates are shifted, others stay",
    fires='version "6.6"\n(0008,0020) := shiftDateByIncrement[(0008,0020), "-100"]\n',
    silent='version "6.6"\n'
    'shiftDateTimeListByIncrement[{"*/(0008,0020)", "*/(0008,0021)", "*/(0008,0022)", "*/(0008,0023)"}, '
    '"-100", "days"]\n',
    is_global=True,
)
def dates_mixed(checked: Checked) -> Iterator[Finding]:
    """A study is done in an hour, so one date that stays tells how far the others were moved.

    Shift the dates of study, series, acquisition and content, and what else the objects have, by the same
    number of days, or remove them.
    """
    shifts = [
        (effect.span, effect.path)
        for _, effect in checked.effects
        if effect.path is not None and _shifts(checked, effect) and _tag_of(effect) in DATES
    ]
    if not shifts or checked.has_open_effects:
        return
    left = [tag for tag in sorted(USUAL_DATES) if not _is_touched(checked, tag)]
    if left:
        names = ", ".join(described_tag(tag) for tag in left)
        yield Finding(shifts[0][0], f"dates are shifted, but not {names}", "shift or remove these, too")


def _shifts(checked: Checked, effect: Effect) -> bool:
    if effect.kind == "shift":
        return True
    if effect.value is None:
        return False
    value = checked.stands_for(effect.value)
    return isinstance(value, nodes.Call) and value.name.name in _SHIFTS


@lint(
    "keeps-old",
    title="an element keeps its value when the one to copy is missing",
    fires='version "6.6"\n(0010,0010) := (0010,0020)\n',
    silent='version "6.6"\n-(0010,0010)\n(0010,0010) := (0010,0020)\n',
    dialects=(6,),
)
def keeps_old(checked: Checked) -> Iterator[Finding]:
    """`:=` of DicomEdit 6 does nothing when the value on its right is missing: what was there stays.

    Then a name or number that was to be replaced is still in the object. Remove the element above, and
    assign after that; or write `?=`, which empties it.
    """
    for step, effect in checked.effects:
        tag = _tag_of(effect)
        if effect.kind != "assign" or effect.value is None or tag not in IDENTIFYING or effect.path is None:
            continue
        value = checked.stands_for(effect.value)
        read = {each.path.tag for each in inner_values(value) if isinstance(each, nodes.Path)}
        if tag in read or read & NEVER_MISSING or checked.constants.find(value) is not None:
            continue
        if not checked.may_be_absent(value) or _is_removed_above(checked, step, effect.path):
            continue
        message = f"where the value is missing {described_tag(tag)} stays as it is"
        yield Finding(effect.span, message, "remove it first, or write ?=")


def _is_removed_above(checked: Checked, step: Step, path: TagPath) -> bool:
    for other, effect in checked.effects:
        if other is step:
            return False
        replaces = effect.kind in ("delete", "assign", "replace") and other.guard <= step.guard
        if replaces and effect.path is not None and covers(effect.path, path):
            return True
    return False


# -- what the rules share


def _tag_of(effect: Effect) -> int:
    """The tag of an element at the top level or at any level; 0 for other paths."""
    if effect.path is None:
        return 0
    *above, last = effect.path.steps
    is_plain = all(step == ANY_LEVELS for step in above)
    return last.bits if is_plain and isinstance(last, TagStep) and last.mask == 0xFFFFFFFF else 0


def _is_set(checked: Checked, tag: int) -> bool:
    """Whether any statement gives the element, or one in its items, a value."""
    for _, effect in checked.effects:
        if effect.kind == "assign" and effect.path is not None:
            first = effect.path.steps[0]
            if isinstance(first, TagStep) and first.mask == 0xFFFFFFFF and first.bits == tag:
                return True
    return False


def _is_touched(checked: Checked, tag: int) -> bool:
    """Whether any statement is about the element at the top level."""
    path = top_level(tag)
    return any(
        effect.path is not None and covers_below(effect.path, path) for _, effect in checked.index.above(path)
    )
