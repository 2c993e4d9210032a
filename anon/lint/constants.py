"""Values that are known before any object is seen: literals, and what functions make of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NoReturn, cast

from anon.compile4 import Compiler4
from anon.compile6 import Compiler6
from anon.compiling import Compiled
from anon.encoding.instance import EncodedInstance
from anon.errors import StatementError
from anon.functions.message_format import FormatError
from anon.lint.effects import inner_values
from anon.operations.run import Run
from anon.syntax import nodes
from anon.values import Value, text_of

# Those whose value depends on their arguments alone.
_PURE: Final = frozenset(
    {
        "and",
        "concatenate",
        "equals",
        "false",
        "format",
        "hashUID",
        "ismatch",
        "lowercase",
        "match",
        "normalizeString",
        "or",
        "replace",
        "shiftDateByIncrement",
        "shiftDateTimeByIncrement",
        "substring",
        "true",
        "uppercase",
        "urlEncode",
    }
)
# Characters: no element is judged by more, and texts that are doubled again and again end somewhere.
_LONGEST: Final = 3000
_DEEPEST: Final = 50  # variables that stand for variables


@dataclass(frozen=True, slots=True)
class Constant:
    """A value known beforehand.

    Attributes:
        text: None for no value.
        failure: why it can never be found; then `text` means nothing.
    """

    text: str | None
    failure: StatementError | None = None


class _NoObject:
    """Stands where an object would be: what is constant never asks it for anything."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(name)


class Constants:
    """Finds the constant values of a script.

    Args:
        compiled: the script.
        variables: the one value node of each variable that has just one, under its name as `key` makes it.
    """

    def __init__(self, compiled: Compiled, variables: Mapping[str, nodes.Value]) -> None:
        self._compiled = compiled
        self._variables = variables
        self._ignores_case = compiled.language.dialect == 4
        self._known: dict[nodes.Value, Constant | None] = {}
        self._depth = 0

    def key(self, name: str) -> str:
        """The name under which a variable is known: DicomEdit 4 does not tell case apart."""
        return name.lower() if self._ignores_case else name

    def resolve(self, variable: nodes.Variable) -> nodes.Value | None:
        """What a variable stands for, wherever it is used; None when that depends."""
        return self._variables.get(self.key(variable.name))

    def find(self, node: nodes.Value) -> Constant | None:
        """The value of a node, if it is always the same."""
        if isinstance(node, nodes.Text | nodes.Number):
            return Constant(node.text)
        if isinstance(node, nodes.Path | nodes.Values):
            return None
        if node in self._known:
            return self._known[node]
        if self._depth == _DEEPEST:
            return None
        self._known[node] = None  # variables that need each other end here
        self._depth += 1
        try:
            self._known[node] = self._find(node)
        finally:
            self._depth -= 1
        return self._known[node]

    def text(self, node: nodes.Value) -> str | None:
        """The text of a node, if it is always the same and has one."""
        found = self.find(node)
        return None if found is None or found.failure is not None else found.text

    def _find(self, node: nodes.Value) -> Constant | None:
        if isinstance(node, nodes.Variable):
            value = self.resolve(node)
            return None if value is None else self.find(value)
        variables: dict[str, Value] = {}
        for inner in inner_values(node):
            if isinstance(inner, nodes.Path):
                return None
            if isinstance(inner, nodes.Text) and len(inner.text) > _LONGEST:
                return None
            if isinstance(inner, nodes.Call) and inner.name.name not in _PURE:
                return None
            if isinstance(inner, nodes.Variable):
                found = self.find(inner)
                if found is None or found.failure is not None:
                    return None
                variables[self.key(inner.name)] = found.text
        return self._evaluate(node, variables)

    def _evaluate(self, node: nodes.Value, variables: dict[str, Value]) -> Constant | None:
        compiled = self._compiled
        compiler_class = Compiler4 if self._ignores_case else Compiler6
        compiler = compiler_class(compiled.language.source, compiled.host)
        evaluate = compiler.value(node)
        if compiler.diagnostics:
            return None  # compiling has told it
        run = Run(cast(EncodedInstance, _NoObject()), compiled.program.values, variables, compiled.host)
        try:
            text = text_of(evaluate(run))
            return None if text is not None and len(text) > _LONGEST else Constant(text)
        except StatementError as failure:
            return Constant(None, failure)
        except (FormatError, RecursionError):
            return None
