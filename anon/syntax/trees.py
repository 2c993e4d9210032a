# ruff: noqa: D102 (the methods are the rules of the grammars, and explained there)
"""From what the grammars recognise to syntax trees: one method a rule, called while the script is read.

The rules are explained in the grammars. A method gets the parts of its rule: words with `start_pos`,
`end_pos` and their text, or finished nodes.
"""

from __future__ import annotations

import re
from typing import Any, Final, Protocol

from anon.syntax import nodes
from anon.syntax.span import Span
from anon.tagpath import LevelStep, Step, TagError, TagPath, level_steps, make_path, parse_tag4, parse_tag6

_INTEGER: Final = re.compile(r"0|-?[1-9][0-9]*")
_FLOAT: Final = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")
_ESCAPE: Final = re.compile(r"\\([\s\S]|$)")
_ESCAPE_4: Final = re.compile(r"\\(u[0-9A-Fa-f]{4}|[0-7]{3}|[\s\S]|$)")
_ESCAPES_4: Final = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "'": "'", "\\": "\\"}
_OCTAL: Final = re.compile(r"[0-7]{3}")


class MistakeError(Exception):
    """A word is not written as the language wants it; the statement around it is left out."""

    def __init__(self, code: str, message: str, hint: str, span: Span) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.span = span


class Word(Protocol):
    """What the lexer finds: text with a place."""

    start_pos: int
    end_pos: int

    def __str__(self) -> str: ...


def span_of(part: Any) -> Span:
    """Where a word or node stands."""
    if isinstance(part, nodes.Node):
        return part.span
    return Span(part.start_pos, part.end_pos)


def _across(parts: list[Any]) -> Span:
    present = [part for part in parts if part is not None]
    return span_of(present[0]).to(span_of(present[-1]))


class _Trees:
    """The rules that both languages have."""

    def name(self, parts: list[Any]) -> nodes.Variable:
        return nodes.Variable(span_of(parts[0]), str(parts[0]))

    def assign(self, parts: list[Any]) -> nodes.Assign:
        return nodes.Assign(_across(parts), *parts)

    def initialise(self, parts: list[Any]) -> nodes.Initialise:
        return nodes.Initialise(_across(parts), *parts)

    def delete(self, parts: list[Any]) -> nodes.Delete:
        return nodes.Delete(_across(parts), parts[1])

    def describe_text(self, parts: list[Any]) -> nodes.Describe:
        return nodes.Describe(_across(parts), parts[1], parts[2], "")

    def export(self, parts: list[Any]) -> nodes.Export:
        return nodes.Export(_across(parts), parts[1], parts[2])


class Trees4(_Trees):
    """DicomEdit 4."""

    def start(self, parts: list[Any]) -> tuple[nodes.Statement4, ...]:
        return tuple(parts)

    def conditional(self, parts: list[Any]) -> nodes.Conditional:
        return nodes.Conditional(_across(parts), tuple(parts[:-1]), parts[-1])

    def condition(self, parts: list[Any]) -> nodes.Comparison:
        return nodes.Comparison(_across(parts), parts[0], str(parts[1]), parts[2])

    def assign_new(self, parts: list[Any]) -> nodes.AssignNew:
        target, _, name, terms, _ = parts
        generator = nodes.Variable(span_of(name), str(name))
        return nodes.AssignNew(_across(parts), target, generator, tuple(terms or ()))

    def echo(self, parts: list[Any]) -> nodes.Echo:
        return nodes.Echo(_across(parts), parts[1])

    def describe_hidden(self, parts: list[Any]) -> nodes.Describe:
        return nodes.Describe(_across(parts), parts[1], None, "hidden")

    def format(self, parts: list[Any]) -> nodes.Format:
        pattern, terms = parts
        return nodes.Format(pattern.span.to(terms[-1].span), pattern, tuple(terms))

    def terms(self, parts: list[Any]) -> list[nodes.Value]:
        return parts

    def call(self, parts: list[Any]) -> nodes.Call:
        name, terms, _ = parts
        return nodes.Call(_across([name, parts[2]]), name, tuple(terms))

    def tag(self, parts: list[Any]) -> nodes.Path:
        span, text = span_of(parts[0]), str(parts[0])
        try:
            return nodes.Path(span, TagPath((parse_tag4(text),), text))
        except TagError as error:
            raise MistakeError("bad-tag", error.message, error.hint, span) from error

    def text(self, parts: list[Any]) -> nodes.Text:
        span = span_of(parts[0])

        def translate(found: re.Match[str]) -> str:
            if found[1] in _ESCAPES_4:
                return _ESCAPES_4[found[1]]
            raise MistakeError(
                "bad-escape",
                f"DicomEdit 4 has no escape \\{found[1].strip() or 'at the end of a line'}",
                "a backslash is written \\\\",
                Span(span.start + 1 + found.start(), span.start + 1 + found.end()),
            )

        return nodes.Text(span, _ESCAPE_4.sub(translate, str(parts[0])[1:-1]))

    def number(self, parts: list[Any]) -> nodes.Number:
        span, text = span_of(parts[0]), str(parts[0])
        if _INTEGER.fullmatch(text) is None:
            raise MistakeError(
                "bad-number", f"{text} is not a number of DicomEdit 4", f'write "{text}"', span
            )
        if not -(1 << 31) <= int(text) < 1 << 31:
            raise MistakeError("bad-number", "the number needs more than 32 bits", f'write "{text}"', span)
        return nodes.Number(span, text)


class Trees6(_Trees):
    """DicomEdit 6."""

    def start(self, parts: list[Any]) -> tuple[nodes.Statement6, ...]:
        return tuple(parts)

    def assign_if_present(self, parts: list[Any]) -> nodes.AssignIfPresent:
        return nodes.AssignIfPresent(_across(parts), *parts)

    def echo(self, parts: list[Any]) -> nodes.Echo:
        return nodes.Echo(_across(parts), parts[1])

    def comparison(self, parts: list[Any]) -> nodes.Comparison:
        return nodes.Comparison(_across(parts), parts[0], str(parts[1]), parts[2])

    def ternary(self, parts: list[Any]) -> nodes.Ternary:
        return nodes.Ternary(_across(parts), *parts)

    def if_block(self, parts: list[Any]) -> nodes.IfBlock:
        *branches, otherwise = parts
        last = branches[-1].span if otherwise is None else otherwise[0]
        body = () if otherwise is None else otherwise[1]
        return nodes.IfBlock(branches[0].span.to(last), tuple(branches), body)

    def branch_if(self, parts: list[Any]) -> nodes.Branch:
        word, condition, (block_span, statements) = parts
        return nodes.Branch(span_of(word).to(block_span), condition, statements)

    branch_elseif = branch_if

    def else_block(self, parts: list[Any]) -> tuple[Span, tuple[nodes.Statement6, ...]]:
        word, (block_span, statements) = parts
        return span_of(word).to(block_span), statements

    def block(self, parts: list[Any]) -> tuple[Span, tuple[nodes.Statement6, ...]]:
        *statements, brace = parts
        return span_of(brace), tuple(statements)

    def describe_keyword(self, parts: list[Any]) -> nodes.Describe:
        return nodes.Describe(_across(parts), parts[1], None, str(parts[2]))

    def remove_all_private_tags(self, parts: list[Any]) -> nodes.RemoveAllPrivateTags:
        return nodes.RemoveAllPrivateTags(_across(parts))

    def version(self, parts: list[Any]) -> nodes.Version:
        return nodes.Version(_across(parts), parts[1])

    def call(self, parts: list[Any]) -> nodes.Call:
        name, *arguments, _ = parts
        present = tuple(argument for argument in arguments if argument is not None)
        return nodes.Call(_across([name, parts[-1]]), name, present)

    def values(self, parts: list[Any]) -> nodes.Values:
        present = tuple(part for part in parts[1:-1] if part is not None)
        return nodes.Values(_across([parts[0], parts[-1]]), present)

    def path(self, parts: list[Any]) -> nodes.Path:
        steps: list[Step] = []
        texts: list[str] = []
        for _, text, some in parts:
            steps.extend(some)
            texts.append(text)
        span = parts[0][0].to(parts[-1][0])
        try:
            return nodes.Path(span, make_path(steps, "/".join(texts)))
        except TagError as error:
            raise MistakeError("bad-tag", error.message, error.hint, span) from error

    def step(self, parts: list[Any]) -> tuple[Span, str, tuple[Step, ...]]:
        word, text = parts[0], str(parts[0])
        if word.type != "TAG":
            return span_of(word), text, self._levels(text)
        item = None if len(parts) < 3 or parts[1] is None else str(parts[1])
        span = _across(parts)
        try:
            return span, text if item is None else f"{text}[{item}]", (parse_tag6(text, item),)
        except TagError as error:
            raise MistakeError("bad-tag", error.message, error.hint, span) from error

    @staticmethod
    def _levels(symbol: str) -> tuple[LevelStep, ...]:
        return level_steps(symbol)

    def text(self, parts: list[Any]) -> nodes.Text:
        span, raw = span_of(parts[0]), str(parts[0])[1:-1]
        for found in _ESCAPE.finditer(raw):
            if found[1] in tuple("nrtbf()\\") or _OCTAL.match(raw, found.start() + 1):
                continue
            hint = "a backslash is written \\\\"
            if found[1] == '"':
                hint = "a string cannot hold a quotation mark"
            place = Span(span.start + 1 + found.start(), span.start + 1 + found.end())
            raise MistakeError("bad-escape", f"DicomEdit 6 has no escape \\{found[1]}", hint, place)
        # Only the doubled backslash means one; the language leaves the other escapes as they are typed.
        return nodes.Text(span, raw.replace("\\\\", "\\"))

    def number(self, parts: list[Any]) -> nodes.Number:
        span, text = span_of(parts[0]), str(parts[0])
        if _INTEGER.fullmatch(text) is None and _FLOAT.fullmatch(text) is None:
            raise MistakeError(
                "bad-number", f"{text} is not a number of DicomEdit 6", f'write "{text}"', span
            )
        return nodes.Number(span, text)
