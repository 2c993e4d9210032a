"""Comments that silence warnings: `// prearc: allow CODE, CODE`.

Such a comment is about the line that it ends. Standing alone it is about the statement below it, and above
the first statement of a script (the version line does not count) about the whole script. Mistakes cannot be
silenced.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from anon.compiling import Compiled
from anon.errors import Diagnostic
from anon.lint.checked import Checked
from anon.lint.rule import TABLE, Finding, Lint, lint
from anon.syntax import nodes
from anon.syntax.parse import diagnostic
from anon.syntax.span import Source, Span

#: Warnings of compiling: about what fails on some objects.
TOLD_BY_COMPILER: Final = frozenset(
    {"no-label-function", "no-text-possible", "not-allowed", "transfer-syntax"}
)
UNUSED: Final = "unused-allow"

# Strings first: what looks like a comment in one is none. DicomEdit 4 lets them span lines.
_COMMENT_4: Final = re.compile(r'"(?:[^"\\]|\\[\s\S])*"|"[^\n]*|(?P<comment>//[^\n]*)')
_COMMENT_6: Final = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"|"[^\n]*|(?P<comment>//[^\n]*)')
_FOR_US: Final = re.compile(r"\bprearc:")
_ALLOW: Final = re.compile(r"[ \t]*allow[ \t]+(?P<codes>[\w-]+(?:[ \t]*,[ \t]*[\w-]+)*)")
_CODE: Final = re.compile(r"[\w-]+")


@dataclass(frozen=True, slots=True)
class _Allowance:
    """A code in a comment.

    Attributes:
        code: that is allowed; "" when the comment cannot be read.
        span: of the code.
        lines: that it is about, None for all.
    """

    code: str
    span: Span
    lines: range | None


@lint(
    UNUSED,
    title="a comment silences a warning that is not given",
    fires="// prearc: allow first-wins\n- (0010,0010)\n",
    silent="- (0010,0010)\n",
)
def unused_allow(checked: Checked) -> Iterator[Finding]:
    """A comment `// prearc: allow CODE` names a code that does not exist, or a warning that is not given.

    It is about the line that it ends, or, standing alone, about the statement below; above the first
    statement it is about the whole script. Mistakes cannot be silenced. Remove what is not needed any more:
    it would hide the next mistake of that kind.
    """
    return iter(())  # found by `silence`, when the other rules have spoken


def silence(found: Sequence[Diagnostic], compiled: Compiled, asked: Collection[Lint]) -> list[Diagnostic]:
    """Leave out the warnings that comments allow, and add one for each that allows nothing."""
    allowances = list(_allowances(compiled))
    used: set[_Allowance] = set()
    left: list[Diagnostic] = []
    for each in found:
        allowing = [allowance for allowance in allowances if _is_about(allowance, each)]
        used.update(allowing)
        if not allowing:
            left.append(each)
    asked_codes = {rule.code for rule in asked} | TOLD_BY_COMPILER
    for allowance in allowances:
        if allowance not in used:
            remark = _remark(allowance.code, asked_codes)
            if remark is not None:
                left.append(diagnostic(compiled.language.source, allowance.span, UNUSED, *remark, "warning"))
    return left


def _is_about(allowance: _Allowance, found: Diagnostic) -> bool:
    if found.severity != "warning" or found.code != allowance.code:
        return False
    lines = allowance.lines
    return lines is None or (lines.start <= found.end_line and found.line < lines.stop)


def _remark(code: str, asked: Collection[str]) -> tuple[str, str] | None:
    """What to say about a code that silenced nothing: message and hint."""
    if not code:
        return "the comment is not understood", "write // prearc: allow CODE, CODE"
    known = TABLE.keys() | TOLD_BY_COMPILER
    if code not in known:
        close = get_close_matches(code, known, n=1, cutoff=0.7)
        return f"there is no warning {code!r}", f"did you mean {close[0]}?" if close else ""
    if code not in asked:
        return None  # nobody looked for it
    return f"there is no {code} here that this would silence", "remove it"


def _allowances(compiled: Compiled) -> Iterator[_Allowance]:
    source = compiled.language.source
    first = _first_statement(compiled)
    statements = _statement_starts(compiled, source)
    for span, text in _comments(source.text, compiled.language.dialect):
        for_us = _FOR_US.search(text)
        if for_us is None:
            continue
        lines = _lines_of(span, source, first, statements)
        found = _ALLOW.match(text, for_us.end())
        if found is None:
            yield _Allowance("", Span(span.start + for_us.start(), span.end), lines)
            continue
        for code in _CODE.finditer(text, found.start("codes"), found.end("codes")):
            place = Span(span.start + code.start(), span.start + code.end())
            yield _Allowance(code[0], place, lines)


def _comments(text: str, dialect: int) -> Iterator[tuple[Span, str]]:
    for found in (_COMMENT_4 if dialect == 4 else _COMMENT_6).finditer(text):
        if found["comment"] is not None:
            yield Span(found.start(), found.end()), found[0]


def _lines_of(comment: Span, source: Source, first: int, statements: Sequence[int]) -> range | None:
    """The lines that a comment is about; None for all."""
    line = source.position(comment).line
    line_start = source.text.rfind("\n", 0, comment.start) + 1
    if source.text[line_start : comment.start].strip():
        return range(line, line + 1)
    if comment.start < first:
        return None
    below = next((each for each in statements if each > line), line)
    return range(line, below + 1)


def _first_statement(compiled: Compiled) -> int:
    starts = (each.span.start for each in compiled.statements if not isinstance(each, nodes.Version))
    return next(starts, len(compiled.language.source.text))


def _statement_starts(compiled: Compiled, source: Source) -> list[int]:
    """The lines in which something other than a comment begins."""
    numbers = []
    offset = 0
    for line in source.text.split("\n"):
        stripped = line.strip()
        if stripped and not stripped.startswith("//"):
            numbers.append(source.position(Span(offset, offset + 1)).line)
        offset += len(line) + 1
    return numbers
