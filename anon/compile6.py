"""Compiling DicomEdit 6, and how it runs: top to bottom, every statement sees what the ones before it did."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from anon.calls import Get
from anon.compile import Compiler, written_paths
from anon.errors import StatementError
from anon.functions.registry import SESSION_LABEL, Argument, Builtin
from anon.host import Host
from anon.label_rule import SESSION, LabelRule, uses_of
from anon.language import VERSIONS_6
from anon.operations.assign import AssignIfPresent, AssignPath, element_text
from anon.operations.condition import Choose, equality6, match, negation, truth
from anon.operations.delete import DeletePath
from anon.operations.private_tags import RemoveAllPrivateTags
from anon.operations.run import Evaluate, Operation, Run, Test, perform
from anon.operations.variables import EvaluateOnly, Store
from anon.syntax import nodes
from anon.syntax.span import Source, Span
from anon.tagpath import TRANSFER_SYNTAX_UID, LevelStep, TagPath
from anon.values import ListValue, Value, Values6, count_entries

_INTEGER = re.compile(r"[+-]?[0-9]{1,10}")
_MAX_ENTRIES: Final = 100_000  # of a list, those of the lists in it too


@dataclass(slots=True)
class Program6:
    """A compiled script of DicomEdit 6."""

    required: Mapping[str, tuple[str, Span]]
    spellings: Mapping[str, str]
    operations: tuple[Operation, ...]
    label_rule: LabelRule | None = None
    values: Values6 = field(default_factory=Values6)

    def bind(self, supplied: Mapping[str, str]) -> dict[str, Value]:
        """The caller's variables in every spelling that the script uses."""
        return {spelled: supplied[small] for spelled, small in self.spellings.items()}

    def run(self, run: Run) -> None:
        """Apply the script.

        Raises:
            StatementError: nothing of the object is worth keeping then.
        """
        perform(self.operations, run)


class Compiler6(Compiler):
    """Resolves names and checks a script of DicomEdit 6."""

    dialect = 6

    def __init__(self, source: Source, host: Host) -> None:
        super().__init__(source, host)
        self._lookup = host.lookup
        self._initialised: set[str] = set()
        self._required: dict[str, tuple[str, Span]] = {}
        self._spellings: dict[str, str] = {}

    def compile(self, statements: tuple[nodes.Statement6, ...]) -> Program6:
        """Compile a script; mistakes are in `diagnostics` afterwards."""
        operations = self._block(statements)
        rule = self._label_rule(statements, operations)
        return Program6(self._required, self._spellings, operations, rule)

    def _label_rule(
        self, statements: tuple[nodes.Statement6, ...], operations: tuple[Operation, ...]
    ) -> LabelRule | None:
        """How `session` gets its label, when the last unconditional statement about it asks for one."""
        initials: dict[str, nodes.Value] = {}
        known: dict[str, nodes.Value] = {}
        last: nodes.Initialise | None = None
        for statement in statements:
            if isinstance(statement, nodes.Initialise):
                initials[statement.name.name] = statement.value
                if statement.name.name.lower() == SESSION:
                    last, known = statement, dict(initials)
        if last is None or SESSION_LABEL not in self.functions:
            return None
        variables, functions = uses_of(last.value, known.get)
        if SESSION_LABEL not in functions:
            return None
        name, span = last.name.name, last.span
        needed = {variable.lower() for variable in variables if variable not in known}
        required = {small: use for small, use in self._required.items() if small in needed}
        stores = [
            each
            for each in operations
            if isinstance(each, Store) and each.name in variables | {name} and each.span.start <= span.start
        ]

        def evaluate(run: Run) -> Value:
            perform(stores, run)
            return run.variables[name]

        return LabelRule(evaluate, required, span)

    # -- variables

    def _mention(self, variable: nodes.Variable) -> None:
        """A name that no statement further up initialises has to come from the caller."""
        name = variable.name
        if name in self._initialised:
            return
        self._required.setdefault(name.lower(), (name, variable.span))
        self._spellings[name] = name.lower()

    def _variable(self, node: nodes.Variable) -> Evaluate:
        self._mention(node)
        name = node.name

        def get(run: Run) -> Value:
            try:
                return run.variables[name]
            except KeyError:
                message = f"the variable {name!r} has no value, the statement that sets it was not reached"
                raise StatementError("unset-variable", message, span=node.span) from None

        return get

    # -- values

    def value(self, node: nodes.Value) -> Evaluate:
        """A value; tags are read."""
        if isinstance(node, nodes.Text | nodes.Number):
            text = node.text
            return lambda run: text
        if isinstance(node, nodes.Variable):
            return self._variable(node)
        if isinstance(node, nodes.Path):
            return self._path_value(node)
        if isinstance(node, nodes.Values):
            entries = [self._entry(entry) for entry in node.entries]
            return lambda run: _list(tuple(entry(run) for entry in entries))
        assert isinstance(node, nodes.Call)
        return self.call(node)

    def _entry(self, node: nodes.Value) -> Evaluate:
        """An entry of a list: a path stays a path."""
        if isinstance(node, nodes.Path):
            path = node.path
            return lambda run: path
        return self.value(node)

    def _path_value(self, node: nodes.Path) -> Evaluate:
        self.check_singular(node, "read as a value")
        path = node.path

        def get(run: Run) -> Value:
            try:
                return run.read(path)
            except StatementError as failure:
                failure.span = failure.span or node.span
                raise

        return get

    def check_singular(self, node: nodes.Path, what: str) -> None:
        """Note a path that may mean several elements where one is needed."""
        reason = node.path.plural_reason()
        if reason:
            message = f"{node.path} cannot be {what}, {reason}"
            self.error(node.span, "not-singular", message, _singular_hint(node.path, what))

    def integer_argument(self, node: nodes.Value, argument: Argument) -> Get:
        """A whole number: a literal, or a text that is one."""
        if isinstance(node, nodes.Number | nodes.Text):
            number = _to_integer(node.text)
            if number is None:
                message = f"the {argument.name} must be a whole number of 32 bits"
                self.error(node.span, "argument-kind", message, "write a number such as 0")
            return lambda run: number
        needed = self.needed(node, self.value(node), f"the {argument.name}")

        def get(run: Run) -> int:
            found = _to_integer(needed(run))
            if found is None:
                raise StatementError(
                    "not-a-number", f"the {argument.name} is not a whole number", span=node.span
                )
            return found

        return get

    def argument(self, node: nodes.Value, argument: Argument, found: Builtin) -> Get:
        """One argument in the form that the function wants."""
        if argument.kind == "new value" and not isinstance(node, nodes.Path):
            evaluate = self._element_value(node)
            return lambda run: element_text(run, evaluate)
        if argument.kind == "private paths":
            return self._private_paths(node, found)
        return super().argument(node, argument, found)

    def _private_paths(self, node: nodes.Value, found: Builtin) -> Get:
        get = self._paths(node)
        message = f"{found.name} takes private tags only"
        hint = "name the private creator: (gggg,{CREATOR}ee)"
        for path, span in written_paths(node):
            if not path.is_private:
                self.error(span, "argument-kind", f"{message}, {path} is public", hint)

        def get_private(run: Run) -> tuple[TagPath, ...]:
            paths: tuple[TagPath, ...] = get(run)
            if not all(path.is_private for path in paths):
                raise StatementError("argument-kind", message, hint, node.span)
            return paths

        return get_private

    def check_call(self, call: nodes.Call, found: Builtin) -> None:
        """Warn of look-ups that find nothing."""
        if found.name == "lookup":
            self._check_lookup(call)

    def _check_lookup(self, call: nodes.Call) -> None:
        """Warn of look-ups that cannot succeed."""
        key_type = call.arguments[0]
        if self._lookup is None:
            message = "there is no lookup table here, objects that need it are refused"
            self.warn(call.name.span, "no-lookup-table", message)
        elif isinstance(key_type, nodes.Text) and key_type.text not in self._lookup.key_types:
            message = f"the lookup table has no key type {key_type.text!r}, objects that need it are refused"
            close = get_close_matches(key_type.text, self._lookup.key_types, n=1)
            self.warn(
                key_type.span, "no-such-key-type", message, f"did you mean {close[0]!r}?" if close else ""
            )

    # -- conditions

    def _condition(self, condition: nodes.Condition) -> Test:
        if isinstance(condition, nodes.Call):
            if (
                condition.name.name in self.functions
                and self.functions[condition.name.name].returns == "nothing"
            ):
                evaluate = self.call(condition, as_value=False)
                return lambda run: evaluate(run) is True
            return truth(self.call(condition))
        left = self.value(condition.left)
        for side in (condition.left, condition.right):
            if isinstance(side, nodes.Values):
                self.error(side.span, "list-compared", "a list cannot be compared")
        if condition.operator.endswith("~"):
            right = self.value(condition.right)
            test = match(left, right, self.pattern(condition.right, right))
        else:
            test = equality6(left, self.value(condition.right))
        return negation(test) if condition.operator.startswith("!") else test

    # -- statements

    def _block(self, statements: tuple[nodes.Statement6, ...]) -> tuple[Operation, ...]:
        found = (self._statement(statement) for statement in statements)
        return tuple(operation for operation in found if operation is not None)

    def _statement(self, statement: nodes.Statement6) -> Operation | None:
        if isinstance(statement, nodes.Ternary):
            test = self._condition(statement.condition)
            then = self._block((statement.then,))
            otherwise = () if statement.otherwise is None else self._block((statement.otherwise,))
            return Choose(statement.span, ((test, statement.condition.span, then),), otherwise)
        if isinstance(statement, nodes.IfBlock):
            branches = tuple(
                (self._condition(branch.condition), branch.condition.span, self._block(branch.body))
                for branch in statement.branches
            )
            return Choose(statement.span, branches, self._block(statement.otherwise))
        if isinstance(statement, nodes.Describe):
            if statement.text is None:
                self._mention(statement.name)
            return None
        if isinstance(statement, nodes.Export):
            return None
        if isinstance(statement, nodes.RemoveAllPrivateTags):
            return RemoveAllPrivateTags(statement.span)
        if isinstance(statement, nodes.Version):
            self._version(statement)
            return None
        return self._action(statement)

    def _version(self, statement: nodes.Version) -> None:
        if statement.version.text not in VERSIONS_6:
            message = f"there is no DicomEdit {statement.version.text}"
            self.error(
                statement.version.span, "bad-version", message, f"versions are 6.0 to {VERSIONS_6[-1]}"
            )

    def _action(self, action: nodes.Action6) -> Operation | None:
        if isinstance(action, nodes.Assign):
            self.check_singular(action.target, "given a value with :=")
            self._check_target(action.target.path, action.target.span)
            return AssignPath(action.span, action.target.path, self._element_value(action.value))
        if isinstance(action, nodes.AssignIfPresent):
            self._check_target(action.target.path, action.target.span)
            return AssignIfPresent(action.span, action.target.path, self._element_value(action.value))
        if isinstance(action, nodes.Delete):
            self._check_target(action.target.path, action.target.span)
            return DeletePath(action.span, action.target.path)
        if isinstance(action, nodes.Initialise):
            return self._initialise(action)
        if isinstance(action, nodes.Call):
            return EvaluateOnly(action.span, self.call(action, as_value=False))
        assert action.value is not None
        return EvaluateOnly(action.span, self.value(action.value))

    def _initialise(self, action: nodes.Initialise) -> Operation | None:
        name = action.name.name
        value = action.value
        if (
            isinstance(value, nodes.Call)
            and value.name.name == SESSION_LABEL
            and SESSION_LABEL not in self.functions
        ):
            # A server does not have the label function of XNAT's uploaders: the caller's label is used.
            for argument in value.arguments:
                self.mention(argument)
            self._mention(action.name)
            return None
        evaluate = self.value(value)
        self._initialised.add(name)
        return Store(action.span, name, evaluate)

    def _element_value(self, node: nodes.Value) -> Evaluate:
        evaluate = self.value(node)
        is_list_call = (
            isinstance(node, nodes.Call)
            and node.name.name in self.functions
            and self.functions[node.name.name].returns == "list"
        )
        if isinstance(node, nodes.Values) or is_list_call:
            self.error(node.span, "list-assigned", "an element cannot be given a list")
        return evaluate

    def _check_target(self, path: TagPath, span: Span) -> None:
        if path.tag == TRANSFER_SYNTAX_UID:
            self.error(span, "transfer-syntax", "a script cannot change the transfer syntax")


def _list(entries: tuple[Value, ...]) -> ListValue:
    """A list. Variables in each other can double one any number of times.

    Raises:
        StatementError: it gets too long.
    """
    made = ListValue(entries)
    if count_entries(made) > _MAX_ENTRIES:
        raise StatementError("too-long", f"the list gets longer than {_MAX_ENTRIES} entries")
    return made


def _singular_hint(path: TagPath, what: str) -> str:
    """How to name a single element instead, or to reach all of them."""
    is_target = what.startswith("given")
    if any(isinstance(step, LevelStep) or step.is_wild for step in path.steps):
        every = "write ?= instead, it gives every such element the value"
        return every if is_target else "name a single element"
    steps = [str(step) for step in path.text.split("/")]
    if steps[-1].endswith("]"):
        return "add the element of the item: /(gggg,eeee)"
    numbered = [
        step if "]" in step and "%" not in step else f"{step.partition('[')[0]}[0]" for step in steps[:-1]
    ]
    singular = "/".join([*numbered, steps[-1]])
    return f"write {singular} for the first item" + (", or ?= for all items" if is_target else "")


def _to_integer(text: str) -> int | None:
    if _INTEGER.fullmatch(text) is None or not -(1 << 31) <= int(text) < 1 << 31:
        return None
    return int(text)
