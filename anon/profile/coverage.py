"""What a script leaves of what the Basic Profile protects: tried on an object that has all of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple

from pydicom.datadict import keyword_for_tag

from anon.comparison import Seen, State, state_of
from anon.errors import ScriptError
from anon.listing import Step
from anon.lookup import LookupTable
from anon.profile.generate import SCRIPT_OPTIONS, UnknownOptionError, suggestion
from anon.profile.probe import CODES, INNER_UID, ITEMS, NESTED, Probed, kinds_for, make_probe, probed_rows
from anon.profile.table import EDITION, PRIVATE, Action, Option
from anon.script import compile_script

BASIC: Final = "basic"
_KEY: Final = b"only to try scripts out"
# Values of these can come about by chance, as when dates are shifted, or are no text.
_UNCERTAIN_VRS: Final = frozenset({"AS", "DA", "DS", "DT", "IS", "TM", "US"})
_SEPARATORS = re.compile(r"[\s\\,;()]+")
_VARIABLES: Final = {"project": "P1", "subject": "S1", "session": "S1_MR1"}


class Outcome(StrEnum):
    """What became of an attribute of the object; the worst comes last."""

    REMOVED = "removed"
    EMPTIED = "emptied"
    REPLACED = "replaced"
    COPIED = "copied"  # gone or replaced, but the value stands elsewhere
    UNCHANGED = "unchanged"


def stays(outcome: Outcome) -> bool:
    """Whether a value is still in the object."""
    return outcome in (Outcome.COPIED, Outcome.UNCHANGED)


class _After(NamedTuple):
    """An object that a script was carried out on, and all words of its values."""

    state: State
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """What a script does with an attribute of Table E.1-1.

    Attributes:
        tag: as the table has it: `(gggg,eeee)`, with X for open digits, or `private`.
        name: of the attribute.
        keyword: "" for several attributes at once and those that the dictionary does not know.
        wanted: what the profile does with it, with the options that were chosen.
        top: what became of it outside of sequences.
        nested: what became of it in items of sequences; where that differs, what is worst.
    """

    tag: str
    name: str
    keyword: str
    wanted: Action
    top: Outcome
    nested: Outcome

    @property
    def is_gap(self) -> bool:
        """Whether the profile protects it, and its value stays somewhere."""
        return self.wanted is not Action.KEEP and (stays(self.top) or stays(self.nested))

    @property
    def is_lost(self) -> bool:
        """Whether an option keeps it, and the script does not."""
        return self.wanted is Action.KEEP and self.top is not Outcome.UNCHANGED


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a script leaves of what the profile protects.

    Attributes:
        edition: of PS3.15.
        options: of the profile.
        rows: one for each attribute that can be in a stored object, in the order of their tags; none when the
            script rejected or failed on all objects.
        failure: what failed, when it did on some of the objects.
        kinds: modalities of the objects that it accepted.
    """

    edition: str
    options: Sequence[Option]
    rows: Sequence[CoverageRow]
    failure: ScriptError | None
    kinds: Sequence[str]

    @property
    def gaps(self) -> list[CoverageRow]:
        """What is protected and stays as it was."""
        return [row for row in self.rows if row.is_gap]

    @property
    def counts(self) -> Counter[str]:
        """How many rows there are of each kind: `gap`, `covered`, `kept`, `lost`."""
        return Counter(
            "gap" if row.is_gap else "covered" if row.wanted is not Action.KEEP
            else "lost" if row.is_lost else "kept"
            for row in self.rows
        )  # fmt: skip


def profile_options(names: Collection[str]) -> list[Option]:
    """The options of a profile that is named by `basic` and options, such as `retain-uids`.

    Raises:
        UnknownOptionError: there is no such option, or two exclude each other.
    """
    known = [name for name in SCRIPT_OPTIONS if name in set(Option)]
    for name in names:
        if name not in (BASIC, *known):
            raise UnknownOptionError(f"there is no profile {name!r}{suggestion(name, (BASIC, *known))}")
        for other in SCRIPT_OPTIONS[name].excludes if name != BASIC else ():
            if other in names:
                raise UnknownOptionError(f"{name} and {other} exclude each other")
    return [Option(name) for name in known if name in names]


def coverage(
    text: str,
    name: str = "script",
    options: Collection[str] = (),
    *,
    lookup: LookupTable | None = None,
) -> Coverage:
    """Try a script on made-up objects of several modalities, and say what it left of them as it was.

    What a script does under a condition counts only where that holds for all of these objects. Objects that
    it rejects do not count: nothing of them is stored.

    Args:
        text: of the script.
        name: for messages.
        options: of the profile: `basic`, which says nothing, and names such as `retain-uids`.
        lookup: the table; a key that it lacks is taken to have an entry.

    Raises:
        UnknownOptionError: there is no such option, or two exclude each other.
        ScriptError: the script has mistakes.
    """
    chosen = profile_options(options)
    table = LookupTable(_Answering({} if lookup is None else lookup.values))
    script = compile_script(text, name, lookup=table, key=_KEY)
    worst: dict[str, CoverageRow] = {}
    accepted: list[str] = []
    failure: ScriptError | None = None
    rows, kinds = probed_rows(text), list(kinds_for(text))
    before = state_of(make_probe(kinds[0], text))  # the kinds differ in what is not protected
    for kind in kinds:
        instance = make_probe(kind, text)
        try:
            report = script.apply_encoded(instance, _variables(script.variables, kind))
        except ScriptError as error:
            failure = failure or error
            continue
        if report.status == "rejected":
            continue
        accepted.append(kind)
        after = _after(state_of(instance))
        for probed in rows:
            found = _row(probed, probed.row.action_with(chosen), before, after)
            known = worst.get(found.tag)
            worst[found.tag] = found if known is None else _worse(known, found)
    return Coverage(EDITION, chosen, list(worst.values()), failure, accepted)


class _Answering(dict[tuple[str, str], str]):
    """A lookup table's entries, and one for every key that has none: the object's Patient ID is made up."""

    def get(self, key: tuple[str, str], default: str | None = None) -> str:  # type: ignore[override]
        return super().get(key) or default or "PROBED"


def _variables(names: Collection[str], kind: str) -> dict[str, str]:
    known = {**_VARIABLES, "modalitylabel": kind}
    return {name: known.get(name.lower(), f"{name}1") for name in names}


def _after(state: State) -> _After:
    values = (seen.row.value for seen in state.values() if seen.row.value)
    return _After(state, frozenset(word for value in values for word in _SEPARATORS.split(value)))


def _row(probed: Probed, wanted: Action, before: State, after: _After) -> CoverageRow:
    row, tag = probed
    is_single = row.tag != PRIVATE and "X" not in row.tag
    return CoverageRow(
        row.tag,
        row.name,
        keyword_for_tag(tag) if is_single else "",
        wanted,
        _outcome(probed, wanted, (), before, after),
        max((_outcome(probed, wanted, steps, before, after) for steps in NESTED), key=_badness),
    )


def _outcome(
    probed: Probed, wanted: Action, steps: tuple[Step, ...], before: State, after: _After
) -> Outcome:
    """What became of one element of the object."""
    row, tag = probed
    place = (*steps, (tag, -1))
    was, now = before[place].row, after.state.get(place)
    if now is not None and row.vr != "SQ" and _is_same(now, before[place]):
        return Outcome.UNCHANGED
    if was.vr not in _UNCERTAIN_VRS and was.value in after.words:
        return Outcome.COPIED
    if now is None:
        return Outcome.REMOVED
    if row.vr != "SQ":
        return Outcome.REPLACED if now.row.value or now.encoded else Outcome.EMPTIED
    # A sequence is as it was when one of the elements in it is; for some only the UIDs count.
    inner = (INNER_UID,) if wanted is Action.REPLACE_UIDS_INSIDE else (INNER_UID, *CODES)
    places = [(*steps, (tag, item), (each, -1)) for item in range(ITEMS) for each in inner]
    if any(each in after.state and _is_same(after.state[each], before[each]) for each in places):
        return Outcome.UNCHANGED
    return Outcome.REPLACED if any(each in after.state for each in places) else Outcome.EMPTIED


def _is_same(now: Seen, before: Seen) -> bool:
    """Whether the value is as it was; another VR, or a private block without its creator, changes nothing."""
    return (now.row.value, now.encoded) == (before.row.value, before.encoded)


def _badness(outcome: Outcome) -> int:
    return list(Outcome).index(outcome)


def _worse(one: CoverageRow, other: CoverageRow) -> CoverageRow:
    """What became of an attribute of two objects: the worst of both."""
    return replace(
        one,
        top=max(one.top, other.top, key=_badness),
        nested=max(one.nested, other.nested, key=_badness),
    )
