"""Variables: who gives them a value, and when that comes too late or counts for nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from anon.functions.registry import SESSION_LABEL, functions_of
from anon.lint.checked import Checked
from anon.lint.effects import has_effects, inner_values
from anon.lint.rule import Finding, lint
from anon.syntax import nodes
from anon.tag_names import find_meant_tag, format_tag

#: Those that a server gives a script, in small letters, with their spelling.
SUPPLIED: Final = {name.lower(): name for name in ("project", "subject", "session", "modalityLabel")}
_AT_RECEIPT: Final = {
    "project": "is Unassigned as long as nobody has chosen a project",
    "subject": "may be empty or made from the patient's name, as long as nobody has chosen a label",
    "session": "may be dicom_upload or made from the patient ID, as long as nobody has chosen a label",
}


@lint(
    "unsupplied-variable",
    title="a variable is used that nobody gives a value",
    fires="(0010,0010) := subjct\n",
    silent="(0010,0010) := subject\n",
    is_told=True,
)
def unsupplied_variable(checked: Checked) -> Iterator[Finding]:
    """A server supplies `project`, `subject`, `session` and `modalityLabel`, and no others.

    Without a value for every variable it mentions, also in conditions that are never true, a script fails on
    every object. Give it one in the script, `name := "text"`, in DicomEdit 6 above its first use, or with
    `--var` where the script is run by hand.
    """
    given = {checked.constants.key(each.name.name): each for each in checked.initials}
    spoilt = [_GIVEN.match(checked.source.lines[error.line - 1]) for error in checked.compiled.errors]
    lost = {checked.constants.key(found[1]) for found in spoilt if found}
    for small, (spelled, span) in checked.compiled.program.required.items():
        own = given.get(checked.constants.key(spelled))
        if own is None and checked.constants.key(spelled) in lost:
            continue  # the line that gives it a value has a mistake, which is told
        if small in SUPPLIED or (own is not None and _makes_label(own.value)):
            continue
        if own is not None:
            message = f"{spelled!r} is used before line {checked.line(own.span)} gives it a value"
            yield Finding(span, message, "move that line up")
            continue
        close = get_close_matches(spelled, [*SUPPLIED.values(), *given], n=1, cutoff=0.7)
        hint = _meant_as(spelled, checked.compiled.language.dialect)
        if close and not hint:
            hint = f"did you mean {close[0]!r}?"
        if not hint and spelled.isupper():
            hint = f'a text stands in quotes: "{spelled}"'
        hint = hint or f'give it one: {spelled} := "..."'
        yield Finding(span, f"nobody supplies the variable {spelled!r}", hint)


_GIVEN: Final = re.compile(r"\s*([A-Za-z_]\w*)\s*:=")
_NO_VALUE: Final = ("null", "none", "nil", "empty", "blank", "nothing", "undefined")


def _meant_as(name: str, dialect: int) -> str:
    """What a name is elsewhere, when it is no variable at all: a function, an element, an empty text."""
    known = functions_of(dialect)
    if dialect == 4 and name.lower() == "newuid":
        return "write new UID"
    if name.lower() == "removeallprivatetags":
        return "write removeAllPrivateTags on a line of its own"
    function = next((each for each in known if each.lower() == name.lower()), None)
    if function is not None:
        values = ", ".join(each.name for each in known[function].arguments if not each.is_optional)
        return f"a function has square brackets behind it: {function}[{values}]"
    if name.lower() in _NO_VALUE:
        return 'an empty text is written ""'
    if name.lower() in ("remove", "delete"):
        return "an element is removed with - before its tag"
    tag = find_meant_tag(name, nearly=False)
    return f"an element is named by its tag: {format_tag(tag)}" if tag is not None and len(name) > 4 else ""


@lint(
    "early-variable",
    title="a site script uses a label that is not chosen yet",
    fires="(0010,0010) := subject\n",
    silent='(0010,0010) := "anonymous"\n',
    purpose="site",
)
def early_variable(checked: Checked) -> Iterator[Finding]:
    """The site script runs when an object arrives. Nobody has looked at it then, or chosen labels for it.

    `project` is the text Unassigned if nothing in the object names a project, `subject` may be empty, and
    both `subject` and `session` may be made from the patient's name and ID. Use them in the project's
    script, which runs when the session goes to the archive.
    """
    given = {
        checked.constants.key(each.name.name) for each in checked.initials if not _makes_label(each.value)
    }
    told = set()
    for value in checked.values_used:
        if not isinstance(value, nodes.Variable) or checked.constants.key(value.name) in given:
            continue
        small = value.name.lower()
        if small in _AT_RECEIPT and small not in told:
            told.add(small)
            message = f"in a site script {value.name!r} {_AT_RECEIPT[small]}"
            yield Finding(value.span, message, "use it in the project's script")


@lint(
    "unused-variable",
    title="a variable gets a value that nobody uses",
    fires='prefix := "A"\n(0010,0010) := subject\n',
    silent='prefix := "A"\n(0010,0010) := format["{0}{1}", prefix, subject]\n',
    is_global=True,
)
def unused_variable(checked: Checked) -> Iterator[Finding]:
    """Perhaps a line that uses it was removed, or its name is spelled in two ways.

    In DicomEdit 6 case counts: `Label` and `label` are two variables.
    """
    used = {
        checked.constants.key(each.name) for each in checked.values_used if isinstance(each, nodes.Variable)
    }
    used |= {
        checked.constants.key(each.name.name)
        for each in checked.statements
        if isinstance(each, nodes.Describe | nodes.Export)
    }
    for statement in checked.initials:
        name = statement.name.name
        if checked.constants.key(name) in used or name.lower() in SUPPLIED or _acts(statement.value):
            continue
        others = sorted(each for each in used if each.lower() == name.lower())
        hint = f"did you mean {others[0]!r}? Case counts" if others else "remove it, or use it"
        yield Finding(statement.span, f"nobody uses the variable {name!r}", hint)


@lint(
    "caller-ignored",
    title="a variable of the server gets a value in the script",
    fires='subject := "S1"\n(0010,0010) := subject\n',
    silent="(0010,0010) := subject\n",
)
def caller_ignored(checked: Checked) -> Iterator[Finding]:
    """The script's own value counts, the label that was chosen in the review does not.

    So all objects get the same one. `session := makeSessionLabel[...]` is different: the review offers the
    label it makes. For a value of your own take another name.
    """
    for statement in checked.initials:
        name = statement.name.name
        if name.lower() in SUPPLIED and not _makes_label(statement.value):
            yield Finding(
                statement.span, f"the {name!r} that the server supplies is ignored", "take another name"
            )


@lint(
    "maybe-unset",
    title="a variable has no value when a condition was not met",
    fires='version "6.6"\n(0008,0060) = "MR" ? kind := "M" : kindOfOther := "X"\n(0008,103E) := kind\n',
    silent='version "6.6"\nkind := "X"\n(0008,0060) = "MR" ? kind := "M"\n(0008,103E) := kind\n',
    dialects=(6,),
    is_global=True,
)
def maybe_unset(checked: Checked) -> Iterator[Finding]:
    """The only lines that give it a value depend on conditions. Objects that meet none of them are refused.

    Give the variable a value before the condition, or in every branch.
    """
    required = {spelled for spelled, _ in checked.compiled.program.required.values()}
    walk = _Assigned(checked, required)
    walk.block(checked.compiled.statements, set())
    for variable in walk.found:
        message = f"{variable.name!r} has no value when the condition above does not hold"
        yield Finding(variable.span, message, f'write {variable.name} := "" above the condition')


class _Assigned:
    """Follows which variables certainly have a value."""

    def __init__(self, checked: Checked, required: set[str]) -> None:
        self._given = {each.name.name for each in checked.initials} - required
        self._told: set[str] = set()
        self.found: list[nodes.Variable] = []

    def block(self, statements: Sequence[nodes.Statement4 | nodes.Statement6], known: set[str]) -> set[str]:
        for statement in statements:
            known = self._statement(statement, known)
        return known

    def _statement(self, statement: nodes.Statement4 | nodes.Statement6, known: set[str]) -> set[str]:
        if isinstance(statement, nodes.Ternary):
            self._condition(statement.condition, known)
            then = self.block((statement.then,), known)
            return then & self.block(() if statement.otherwise is None else (statement.otherwise,), known)
        if isinstance(statement, nodes.IfBlock):
            ends = []
            for branch in statement.branches:
                self._condition(branch.condition, known)
                ends.append(self.block(branch.body, known))
            return self.block(statement.otherwise, known).intersection(*ends)
        if isinstance(statement, nodes.Assign | nodes.AssignIfPresent | nodes.Initialise | nodes.Echo):
            if statement.value is not None:
                self._use(statement.value, known)
        elif isinstance(statement, nodes.Call):
            self._use(statement, known)
        return known | {statement.name.name} if isinstance(statement, nodes.Initialise) else known

    def _condition(self, condition: nodes.Condition, known: set[str]) -> None:
        for value in [condition] if isinstance(condition, nodes.Call) else [condition.left, condition.right]:
            self._use(value, known)

    def _use(self, value: nodes.Value, known: set[str]) -> None:
        for inner in inner_values(value):
            if isinstance(inner, nodes.Variable) and inner.name in self._given - known - self._told:
                self._told.add(inner.name)
                self.found.append(inner)


def _makes_label(value: nodes.Value) -> bool:
    return any(
        isinstance(each, nodes.Call) and each.name.name == SESSION_LABEL for each in inner_values(value)
    )


def _acts(value: nodes.Value) -> bool:
    """Whether finding the value may be what the line is for."""
    return any(isinstance(each, nodes.Call) and has_effects(each) for each in inner_values(value))
