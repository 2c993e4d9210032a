"""Checking a script: its mistakes, and what it allows itself and hardly means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from anon.compiling import Compiled, compile_text
from anon.errors import Diagnostic, ScriptError
from anon.host import Host
from anon.lint.allow import UNUSED, silence
from anon.lint.checked import Checked, Purpose
from anon.lint.registry import LINTS
from anon.lint.rule import Lint
from anon.lookup import LookupTable, parse_table
from anon.syntax.parse import diagnostic

_SITE_SCRIPT: Final = "site.das"
_PROJECT_FOLDER: Final = "projects"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was found in a script.

    Attributes:
        language: "4.x" or "6.x"; None when the version line does not tell.
        diagnostics: mistakes and warnings, in the order of the script.
    """

    language: Literal["4.x", "6.x"] | None
    diagnostics: list[Diagnostic]


def check_script(
    text: str,
    name: str = "script",
    *,
    purpose: Purpose | None = None,
    lookup: str | LookupTable | None = None,
) -> CheckReport:
    """Find the mistakes of a script, and warn of what it hardly means.

    A comment `// prearc: allow CODE, CODE` silences warnings: of the line it ends, of the line below when it
    stands alone, of the whole script when it stands alone above the first statement.

    Args:
        text: the script; its version line tells the language.
        name: of its file. `site.das` is taken for a site script, what lies in `projects` for a project's.
        purpose: a site script meets objects nobody has labelled yet, a project script what was reviewed.
        lookup: the table that `lookup` finds its values in, or its text.

    Raises:
        ScriptError: the lookup table has mistakes.
    """
    host = Host(None, lookup=parse_table(lookup) if isinstance(lookup, str) else lookup)
    try:
        compiled = compile_text(text, name, host)
    except ScriptError as error:
        return CheckReport(None, error.diagnostics)
    purpose = purpose or _purpose_of(name)
    asked = _lints_for(compiled, purpose)
    found = silence([*compiled.diagnostics, *_findings(compiled, purpose, asked)], compiled, asked)
    # What a line with a mistake was taken for may be wrong: nothing else is said about it.
    wrong = {each.line for each in compiled.errors}
    found = [each for each in found if each.severity == "error" or each.line not in wrong]
    found.sort(key=_place)
    return CheckReport("4.x" if compiled.language.dialect == 4 else "6.x", found)


def warnings_of(compiled: Compiled) -> list[Diagnostic]:
    """The warnings of a script that compiled; without those that only a check gives."""
    asked = [rule for rule in _lints_for(compiled, None) if rule.is_told]
    found = silence([*compiled.diagnostics, *_findings(compiled, None, asked)], compiled, asked)
    found.sort(key=_place)
    return [each for each in found if each.code != UNUSED]


def _place(found: Diagnostic) -> tuple[int, int]:
    return found.line, found.column


def _purpose_of(name: str) -> Purpose | None:
    """What a script is for, as its place in a site's folder tells."""
    *folders, file_name = name.replace("\\", "/").split("/")
    if folders and folders[-1] == _PROJECT_FOLDER:
        return "project"
    return "site" if file_name == _SITE_SCRIPT else None


def _lints_for(compiled: Compiled, purpose: Purpose | None) -> list[Lint]:
    dialect = compiled.language.dialect
    has_errors = bool(compiled.errors)
    return [
        rule
        for rule in LINTS
        if dialect in rule.dialects and rule.purpose in ("", purpose) and not (rule.is_global and has_errors)
    ]


def _findings(compiled: Compiled, purpose: Purpose | None, asked: Iterable[Lint]) -> Iterator[Diagnostic]:
    checked = Checked(compiled, purpose)
    for rule in asked:
        for span, message, hint in rule.find(checked):
            yield diagnostic(checked.source, span, rule.code, message, hint, "warning")
