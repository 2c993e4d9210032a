"""From syntax trees to something that runs: what both dialects check in the same way.

Every mistake of a script is noted, none stops the search for the next. The dialects' own rules are in
`compile4` and `compile6`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

import anon.functions.dates
import anon.functions.logic
import anon.functions.lookups
import anon.functions.pixels
import anon.functions.tags
import anon.functions.text
import anon.functions.uids
import anon.functions.values
import anon.functions.web  # noqa: F401  (the modules of functions fill the table when they are imported)
from anon.calls import Get, bound, count_message, flat, form_of, listed, parts, paths_of, read_entry
from anon.errors import Diagnostic, StatementError
from anon.functions.message_format import FormatError, parse_format
from anon.functions.registry import SESSION_LABEL, Argument, Builtin, Kind, functions_of
from anon.functions.web import url_function
from anon.hints import path_hint, place_in_text, regex_hint, unknown_function_hint
from anon.host import Host
from anon.java_regex import JavaRegexError, compile_java
from anon.label_rule import LabelRule, session_label_function
from anon.matching import Pattern, compile_pattern
from anon.operations.run import Evaluate, Run
from anon.syntax import nodes
from anon.syntax.parse import diagnostic
from anon.syntax.span import Source, Span
from anon.tagpath import TagError, TagPath, parse_path6
from anon.values import ListValue, Value, Values, text_of


class Program(Protocol):
    """A compiled script, apart from its text."""

    @property
    def values(self) -> Values:
        """How the dialect reads and writes."""

    @property
    def required(self) -> Mapping[str, tuple[str, Span]]:
        """The variables that the caller supplies: small letters to spelling and place of first use."""

    @property
    def label_rule(self) -> LabelRule | None:
        """How the script makes the label of a session, where it does."""

    def bind(self, supplied: Mapping[str, str]) -> dict[str, Value]:
        """The variables at the start of a run; `supplied` has names in small letters and lacks none."""

    def run(self, run: Run) -> None:
        """Apply the script."""


class Compiler:
    """What the compilers of both dialects share.

    Attributes:
        diagnostics: what was found so far.
        functions: by name.
    """

    dialect: int

    def __init__(self, source: Source, host: Host) -> None:
        self.source = source
        self.diagnostics: list[Diagnostic] = []
        self.functions: dict[str, Builtin] = dict(functions_of(self.dialect))
        if host.taken_labels is not None:
            self.functions[SESSION_LABEL] = session_label_function(self.dialect, host)
        self._may_ask = bool(host.allowed_hosts)
        if self._may_ask:
            self.functions["getURL"] = url_function(self.dialect, host.allowed_hosts)

    def error(self, span: Span, code: str, message: str, hint: str = "") -> None:
        """Note a mistake."""
        self.diagnostics.append(diagnostic(self.source, span, code, message, hint))

    def warn(self, span: Span, code: str, message: str, hint: str = "") -> None:
        """Note something that is allowed and probably not meant."""
        self.diagnostics.append(diagnostic(self.source, span, code, message, hint, "warning"))

    # -- what a dialect adds

    def value(self, node: nodes.Value) -> Evaluate:
        """A value, with tags read."""
        raise AssertionError("each dialect has its own")

    def integer_argument(self, node: nodes.Value, argument: Argument) -> Get:
        """A whole number as an argument."""
        raise AssertionError("each dialect has its own")

    # -- calls

    def function(self, call: nodes.Call) -> Builtin | None:
        """The function of a call; an unknown name is noted and gives None."""
        name = call.name.name
        found = self.functions.get(name)
        if found is None:
            hint = unknown_function_hint(name, self.functions, self.dialect)
            message = f"there is no function {name!r} in DicomEdit {self.dialect}"
            self.error(call.name.span, "unknown-function", message, hint)
            for argument in call.arguments:
                self.mention(argument)
        return found

    def mention(self, node: nodes.Value) -> None:
        """Look through a value that is not used, for its variables and mistakes."""
        if isinstance(node, nodes.Call | nodes.Values | nodes.Format):
            inner = node.entries if isinstance(node, nodes.Values) else node.arguments
            if isinstance(node, nodes.Call) and node.name.name not in self.functions:
                self.function(node)
                return
            for entry in inner:
                self.mention(entry)
        elif isinstance(node, nodes.Variable):
            self.value(node)

    def call(self, call: nodes.Call, *, as_value: bool = True) -> Evaluate:
        """A call, its arguments checked against what the function takes."""
        found = self.function(call)
        if found is None:
            return _nothing
        if as_value and found.returns == "nothing":
            self.error(call.span, "no-value", f"{found.name} has no value", "make it a statement of its own")
        count = len(call.arguments)
        has_rest = bool(found.arguments) and found.arguments[-1].is_rest
        is_surplus = found.is_exact and not has_rest and count > len(found.arguments)
        if count < found.required or is_surplus:
            wanted_form = f"write {form_of(found)}"
            place = call.span
            if is_surplus:
                place = call.arguments[len(found.arguments)].span.to(call.arguments[-1].span)
            self.error(place, "argument-count", count_message(found, count), wanted_form)
            for argument in call.arguments:
                self.mention(argument)
            return _nothing
        if found.name == "getURL" and not self._may_ask:
            self.warn(
                call.name.span,
                "not-allowed",
                "getURL is switched off here, objects that need it are refused",
            )
        self.check_call(call, found)
        getters: list[Get] = []
        rest: list[Get] = []
        for number, node in enumerate(call.arguments):
            wanted = found.arguments[min(number, len(found.arguments) - 1)] if found.arguments else None
            if wanted is None or (number >= len(found.arguments) and not wanted.is_rest):
                self.mention(node)
                continue
            get = self.argument(node, wanted, found)
            if wanted.is_rest:
                rest.append(listed(get) if wanted.kind == "text" else get)
            else:
                getters.append(get)
        return bound(found, tuple(getters), tuple(rest))

    def check_call(self, call: nodes.Call, found: Builtin) -> None:
        """What a dialect wants to say about a call."""

    def argument(self, node: nodes.Value, argument: Argument, found: Builtin) -> Get:
        """One argument in the form that the function wants."""
        kind: Kind = argument.kind
        if kind == "integer":
            return self.integer_argument(node, argument)
        if kind == "paths":
            return self._paths(node)
        if kind == "path list":
            return self._path_list(node, found)
        if kind == "source":
            return self._source(node)
        if kind == "entries":
            return self._entries(node)
        if kind == "tags" or kind == "tag":
            return self._tags(node, kind, found)
        if kind in ("plain", "parsed", "pattern", "format", "new value"):
            if self.dialect == 6 and isinstance(node, nodes.Path):
                self.error(
                    node.span, "argument-kind", f"{found.name} does not read its {argument.name} from a tag",
                    f'write the tag in quotes: "{node.path}"' if argument.name == "path"
                    else "store the value in a variable first",
                )  # fmt: skip
                return _nothing
            if kind == "pattern":
                return self.pattern(node)
            if kind == "format":
                return self._format(node)
            if kind == "parsed":
                return self._parsed(node, argument, found)
        evaluate = self.value(node)
        if kind == "maybe":
            return lambda run: text_of(evaluate(run))
        if kind == "parts":
            return parts(node.path if isinstance(node, nodes.Path) else None, evaluate)
        if kind == "values":
            return lambda run: tuple(read_entry(run, entry, node.span) for entry in flat(evaluate(run)))
        return self.needed(node, evaluate, f"the {argument.name} of {found.name}")

    def needed(self, node: nodes.Value, evaluate: Evaluate, what: str) -> Get:
        """A text that must be there."""
        where = f", {node.path} is absent" if isinstance(node, nodes.Path) else ""
        failure = f"{what} has no value{where}"

        def get(run: Run) -> str:
            text = text_of(evaluate(run))
            if text is None:
                raise StatementError("no-value", failure, span=node.span)
            return text

        return get

    def pattern(self, node: nodes.Value, evaluate: Evaluate | None = None) -> Get:
        """A regular expression, from a value that may be compiled already; a literal one is checked now."""
        if isinstance(node, nodes.Text):
            try:
                compiled = Pattern(compile_java(node.text))
            except JavaRegexError as error:
                place = place_in_text(self.source, node, error.start, error.end, self.dialect)
                message = f"the pattern cannot be used: {error}"
                self.error(place, "bad-regex", message, regex_hint(str(error)))
                return _nothing
            return lambda run: compiled
        needed = self.needed(node, evaluate or self.value(node), "the regular expression")

        def get(run: Run) -> Pattern:
            try:
                return compile_pattern(needed(run))
            except StatementError as failure:
                failure.span = failure.span or node.span
                raise

        return get

    def _format(self, node: nodes.Value) -> Get:
        if isinstance(node, nodes.Text):
            try:
                parts = parse_format(node.text)
            except FormatError as error:
                self.error(node.span, "bad-format", f"the format cannot be used: {error}")
                return _nothing
            return lambda run: parts
        needed = self.needed(node, self.value(node), "the message format")

        def get(run: Run) -> Any:
            try:
                return parse_format(needed(run))
            except FormatError as error:
                message = f"the message format cannot be used: {error}"
                raise StatementError("bad-format", message, span=node.span) from None

        return get

    def _parsed(self, node: nodes.Value, argument: Argument, found: Builtin) -> Get:
        """A text in a notation of its own; a literal is checked now."""
        parse = argument.parse
        assert parse is not None
        if isinstance(node, nodes.Text | nodes.Number):
            try:
                made = parse(node.text)
            except StatementError as failure:
                self.error(node.span, failure.code, failure.message, failure.hint)
                return _nothing
            return lambda run: made
        needed = self.needed(node, self.value(node), f"the {argument.name} of {found.name}")

        def get(run: Run) -> Any:
            try:
                return parse(needed(run))
            except StatementError as failure:
                failure.span = failure.span or node.span
                raise

        return get

    def _source(self, node: nodes.Value) -> Get:
        """The path of a single element, or a text."""
        if isinstance(node, nodes.Path):
            if node.path.plural_reason():
                message = f"{node.path} cannot be used here: {node.path.plural_reason()}"
                self.error(node.span, "not-singular", message, "name a single element, sequences with [n]")
            path = node.path
            return lambda run: path
        evaluate = self.value(node)
        return lambda run: text_of(evaluate(run))

    def _entries(self, node: nodes.Value) -> Get:
        """Values; a path stays a path, in a list too."""
        if isinstance(node, nodes.Path):
            path = node.path
            return lambda run: (path,)
        evaluate = self.value(node)
        return lambda run: flat(evaluate(run))

    def _path_list(self, node: nodes.Value, found: Builtin) -> Get:
        """Paths in a list."""
        if isinstance(node, nodes.Text | nodes.Number | nodes.Path):
            message = f"{found.name} takes a list of tags"
            self.error(node.span, "argument-kind", message, "write the tags in braces: {(0008,0020), ...}")
            return _nothing
        if isinstance(node, nodes.Values):
            return self._paths(node)
        evaluate = self.value(node)

        def get(run: Run) -> Any:
            value = evaluate(run)
            if not isinstance(value, ListValue):
                raise StatementError("argument-kind", f"{found.name} takes a list of tags", span=node.span)
            return paths_of(value, node.span)

        return get

    def _paths(self, node: nodes.Value) -> Get:
        """Paths of an argument: a path, a string that holds one, a list of these, or what gives such."""
        if isinstance(node, nodes.Text):
            try:
                path = parse_path6(node.text)
            except TagError as error:
                self.error(node.span, "bad-tag", error.message, path_hint(node.text) or error.hint)
                return _nothing
            return lambda run: (path,)
        if isinstance(node, nodes.Number):
            self.error(node.span, "bad-tag", "a number is no tag path", "a path is written (gggg,eeee)")
            return _nothing
        if isinstance(node, nodes.Path):
            given = node.path
            return lambda run: (given,)
        if isinstance(node, nodes.Values):
            entries = [self._paths(entry) for entry in node.entries]
            return lambda run: tuple(path for entry in entries for path in entry(run))
        evaluate = self.value(node)
        return lambda run: paths_of(evaluate(run), node.span)

    def _bare_paths(self, node: nodes.Value, found: Builtin) -> Get:
        """Paths of an argument as `_paths` takes them, but no texts."""
        message, hint = f"{found.name} takes tags, not texts", "write the tag without quotes"
        if isinstance(node, nodes.Text):
            self.error(node.span, "argument-kind", message, hint)
            return _nothing
        if isinstance(node, nodes.Values):
            entries = [self._bare_paths(entry, found) for entry in node.entries]
            return lambda run: tuple(path for entry in entries for path in entry(run))
        if isinstance(node, nodes.Path | nodes.Number):
            return self._paths(node)
        evaluate = self.value(node)

        def get(run: Run) -> Any:
            given = flat(evaluate(run))
            if not all(isinstance(entry, TagPath) for entry in given):
                raise StatementError("argument-kind", message, hint, node.span)
            return given

        return get

    def _tags(self, node: nodes.Value, kind: Kind, found: Builtin) -> Get:
        """Paths of which each means a single element."""
        get = self._bare_paths(node, found) if kind == "tags" else self._paths(node)
        for path, span in written_paths(node):
            if path.plural_reason():
                message = f"{path} cannot be used here: {path.plural_reason()}"
                self.error(span, "not-singular", message, "name a single element, sequences with [n]")

        def get_singular(run: Run) -> Any:
            given: tuple[TagPath, ...] = get(run)
            for path in given:
                reason = path.plural_reason()
                if reason:
                    raise StatementError("not-singular", f"a path cannot be used: {reason}", span=node.span)
            if kind == "tags":
                return given
            if len(given) != 1:
                raise StatementError("not-singular", "a single path is wanted, not a list", span=node.span)
            return given[0]

        return get_singular


def written_paths(node: nodes.Value) -> list[tuple[TagPath, Span]]:
    """The paths that stand in an argument."""
    if isinstance(node, nodes.Path):
        return [(node.path, node.span)]
    if isinstance(node, nodes.Values):
        return [found for entry in node.entries for found in written_paths(entry)]
    if isinstance(node, nodes.Text):
        with suppress(TagError):
            return [(parse_path6(node.text), node.span)]
    return []


def _nothing(run: Run) -> None:
    return None
