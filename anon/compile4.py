"""Compiling DicomEdit 4, and how it runs.

Nothing is applied while conditions and right sides are evaluated: all of them see the object as it came. Then
the actions are carried out from the last to the first, so of two statements about one element the first wins.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from anon.compile import SESSION_LABEL, Compiler, Get
from anon.errors import StatementError
from anon.functions.message_format import FormatError, fill, parse_format
from anon.functions.registry import Argument, Builtin
from anon.operations.assign import element_text, write
from anon.operations.condition import equality4, match
from anon.operations.delete import remove_tag
from anon.operations.run import Evaluate, Run, Test
from anon.places import Place
from anon.syntax import nodes
from anon.syntax.span import Source, Span
from anon.tagpath import TRANSFER_SYNTAX_UID, TagPath, TagStep, is_private_creator
from anon.values import Value, Values4, text_of
from anon.vr import BINARY_VRS, vr_in_2012

_GUESSABLE: Final = frozenset({0x00080050, 0x00100010, 0x00100020})  # numbers and names, from short lists


@dataclass(frozen=True, slots=True)
class SetTag:
    """`tag := value`, or a pattern: then every element of the top level that matches when its turn comes."""

    span: Span
    step: TagStep
    evaluate: Evaluate

    def carry_out(self, run: Run, text: str | None) -> None:
        """Write the value that was found before anything was changed."""
        if not self.step.is_wild:
            dataset = run.instance.element_set(self.step.bits)
            write(run, Place((dataset,), self.step.bits), text)
            return
        dataset = run.instance.dataset
        for tag in dataset.tags():
            if self.step.matches(dataset, tag):
                write(run, Place((dataset,), tag), text)


@dataclass(frozen=True, slots=True)
class DeleteTag:
    """`- tag`, or a pattern. Patterns never reach group 2."""

    span: Span
    step: TagStep
    evaluate: Evaluate

    def carry_out(self, run: Run, text: str | None) -> None:
        """Remove what is there now."""
        if not self.step.is_wild:
            remove_tag(run, self.step.bits)
            return
        dataset = run.instance.dataset
        for tag in dataset.tags():
            if self.step.matches(dataset, tag):
                remove_tag(run, tag)


@dataclass(frozen=True, slots=True)
class EchoValue:
    """`echo`: the text is not shown, it may hold patient data. A failure inside it does not count."""

    span: Span
    evaluate: Evaluate

    def carry_out(self, run: Run, text: str | None) -> None:
        """Do nothing."""


Action = SetTag | DeleteTag | EchoValue


@dataclass(slots=True)
class Program4:
    """A compiled script of DicomEdit 4."""

    required: Mapping[str, tuple[str, Span]]
    actions: tuple[tuple[tuple[Test, ...], Action], ...]
    values: Values4 = field(default_factory=Values4)

    def bind(self, supplied: Mapping[str, str]) -> dict[str, Value]:
        """The caller's variables; those with an initial value never take the caller's."""
        return {name: supplied[name] for name in self.required}

    def run(self, run: Run) -> None:
        """Apply the script.

        Raises:
            StatementError: nothing of the object is worth keeping then.
        """
        planned: list[tuple[Action, str | None]] = []
        for tests, action in self.actions:
            run.span = action.span
            try:
                if all(test(run) for test in tests):
                    planned.append(
                        (
                            action,
                            None if isinstance(action, EchoValue) else element_text(run, action.evaluate),
                        )
                    )
            except StatementError as failure:
                failure.span = failure.span or action.span
                raise
        for action, text in reversed(planned):
            run.span = action.span
            try:
                action.carry_out(run, text)
            except StatementError as failure:
                failure.span = failure.span or action.span
                raise


class Compiler4(Compiler):
    """Resolves names and checks a script of DicomEdit 4."""

    dialect = 4

    def __init__(self, source: Source, taken_labels: Collection[str] | None) -> None:
        super().__init__(source, taken_labels)
        self._mentioned: dict[str, tuple[str, Span]] = {}
        self._initials: dict[str, Evaluate] = {}
        self._initial_nodes: dict[str, nodes.Initialise] = {}
        self._secret = secrets.token_bytes(32)

    def compile(self, statements: tuple[nodes.Statement4, ...]) -> Program4:
        """Compile a script; mistakes are in `diagnostics` afterwards."""
        self._collect_initials(statements)
        actions: list[tuple[tuple[Test, ...], Action]] = []
        for statement in statements:
            if isinstance(statement, nodes.Initialise):
                continue
            if isinstance(statement, nodes.Describe | nodes.Export):
                self._mention(statement.name)
                continue
            if isinstance(statement, nodes.Conditional):
                tests = tuple(self._condition(condition) for condition in statement.conditions)
                actions.append((tests, self._action(statement.action)))
            else:
                actions.append(((), self._action(statement)))
        self._warn_of_order(statements)
        required = {name: use for name, use in self._mentioned.items() if name not in self._initials}
        return Program4(required, tuple(actions))

    # -- variables

    def _collect_initials(self, statements: tuple[nodes.Statement4, ...]) -> None:
        tolerated: list[nodes.Initialise] = []
        for statement in statements:
            if not isinstance(statement, nodes.Initialise):
                continue
            name = statement.name.name.lower()
            if name in self._initial_nodes:
                message = f"the variable {statement.name.name!r} gets its initial value twice"
                self.error(statement.span, "initialised-twice", message)
                continue
            self._initial_nodes[name] = statement
            if self._is_tolerated(statement.value):
                tolerated.append(statement)
        self._refuse_cycles()
        for statement in tolerated:
            # Without the function the variable has no initial value, but what was mentioned was mentioned.
            assert isinstance(statement.value, nodes.Call)
            self._mention(statement.name)
            for argument in statement.value.arguments:
                self.value(argument)
        for name, statement in self._initial_nodes.items():
            if statement not in tolerated:
                self._initials[name] = self.value(statement.value)

    def _is_tolerated(self, value: nodes.Value) -> bool:
        """Whether this is the label function of XNAT's uploaders, which a server does not have."""
        is_call = isinstance(value, nodes.Call) and value.name.name == SESSION_LABEL
        return is_call and SESSION_LABEL not in self.functions

    def _refuse_cycles(self) -> None:
        uses = {
            name: {used.name.lower() for used in _variables(statement.value)}
            for name, statement in self._initial_nodes.items()
        }
        # What needs nothing that is left cannot be part of a cycle; the rest is few and searched one by one.
        left = {name: used & set(uses) for name, used in uses.items()}
        users: dict[str, list[str]] = {}
        for name, used_names in left.items():
            for used in used_names:
                users.setdefault(used, []).append(name)
        free = [name for name, used_names in left.items() if not used_names]
        while free:
            done = free.pop()
            del left[done]
            for user in users.get(done, ()):
                left[user].discard(done)
                if not left[user]:
                    free.append(user)
        for name in left:
            reached: set[str] = set()
            open_names = [name]
            while open_names:
                for used in left.get(open_names.pop(), set()) - reached:
                    reached.add(used)
                    open_names.append(used)
            if name in reached:
                statement = self._initial_nodes[name]
                message = f"the initial value of {statement.name.name!r} needs {statement.name.name!r} itself"
                self.error(statement.span, "variable-cycle", message)

    def _mention(self, variable: nodes.Variable) -> str:
        name = variable.name.lower()
        known = self._mentioned.get(name)
        if known is None or variable.span < known[1]:
            self._mentioned[name] = (variable.name, variable.span)
        return name

    # -- values

    def value(self, node: nodes.Value) -> Evaluate:
        """A value; tags are read from the object as it came."""
        if isinstance(node, nodes.Text | nodes.Number):
            text = node.text
            return lambda run: text
        if isinstance(node, nodes.Variable):
            return self._variable(node)
        if isinstance(node, nodes.Path):
            return self._tag_value(node)
        if isinstance(node, nodes.Format):
            return self._message(node)
        assert isinstance(node, nodes.Call)
        return self.call(node)

    def _variable(self, node: nodes.Variable) -> Evaluate:
        name = self._mention(node)
        initials = self._initials

        def get(run: Run) -> Value:
            initial = initials.get(name)
            return run.variables[name] if initial is None else initial(run)

        return get

    def _tag_value(self, node: nodes.Path) -> Evaluate:
        step = _step(node.path)
        path = node.path
        if step.is_wild:
            message = "a pattern has no value"
            self.error(node.span, "not-singular", message, "patterns stand left of := or after - only")
        elif step.bits >> 31:
            self.error(node.span, "not-readable", "DicomEdit 4 cannot read groups from 8000 on")

        def get(run: Run) -> Value:
            try:
                return run.read(path)
            except StatementError as failure:
                failure.span = failure.span or node.span
                raise

        return get

    def _message(self, node: nodes.Format) -> Evaluate:
        terms = [self.value(argument) for argument in node.arguments]
        try:
            parts = parse_format(node.pattern.text)
        except FormatError as error:
            self.error(node.pattern.span, "bad-format", f"the message format cannot be used: {error}")
            parts = ()

        def get(run: Run) -> Value:
            texts = [text_of(term(run)) for term in terms]
            if any(isinstance(part, int) and part < len(texts) and texts[part] is None for part in parts):
                run.warn("a value is absent and becomes the text `null`")
            return fill(parts, texts)

        return get

    def integer_argument(self, node: nodes.Value, argument: Argument) -> Get:
        """A whole number: a literal."""
        if not isinstance(node, nodes.Number):
            self.error(
                node.span, "argument-kind", f"the {argument.name} must be a number, written without quotes"
            )
            return lambda run: 0
        number = int(node.text)
        return lambda run: number

    def check_call(self, call: nodes.Call, found: Builtin) -> None:
        """Warn of hashes that can be guessed."""
        if found.name != "hashUID":
            return
        argument = call.arguments[0]
        if isinstance(argument, nodes.Path) and argument.path.tag in _GUESSABLE:
            self.warn(call.span, "guessable-hash", "a hash of a name or number can be guessed")

    # -- statements

    def _condition(self, condition: nodes.Condition) -> Test:
        assert isinstance(condition, nodes.Comparison)
        left = self.value(condition.left)
        if condition.operator == "~":
            return match(left, self.pattern(condition.right))
        return equality4(left, self.value(condition.right))

    def _action(self, action: nodes.Action4) -> Action:
        if isinstance(action, nodes.Echo):
            if action.value is not None:
                self.value(action.value)
            return EchoValue(action.span, lambda run: None)
        step = _step(action.target.path)
        self._check_target(action, step)
        if isinstance(action, nodes.Delete):
            return DeleteTag(action.span, step, lambda run: None)
        if isinstance(action, nodes.Assign):
            return SetTag(action.span, step, self.value(action.value))
        return SetTag(action.span, step, self._new_uid(action, step))

    def _check_target(self, action: nodes.Assign | nodes.AssignNew | nodes.Delete, step: TagStep) -> None:
        if step.is_wild:
            if isinstance(action, nodes.AssignNew):
                self.error(action.target.span, "not-singular", "a pattern cannot be given a new value")
            return
        tag = step.bits
        if tag == TRANSFER_SYNTAX_UID:
            self.error(action.span, "transfer-syntax", "a script cannot change the transfer syntax")
        if isinstance(action, nodes.Delete):
            if is_private_creator(tag):
                message = "private data elements stay and lose their creator"
                self.warn(action.span, "orphans", message, "delete the whole block, such as (0029,10XX), too")
            return
        vr = vr_in_2012(tag)
        if tag & 0xFFFF and (vr == "SQ" or vr == "UN" or vr in BINARY_VRS):
            message = f"{action.target.path} has VR {vr}, which cannot be given a text"
            self.error(action.target.span, "no-text-possible", message)

    def _new_uid(self, action: nodes.AssignNew, step: TagStep) -> Evaluate:
        for argument in action.arguments:
            self.value(argument)
        if action.generator.name != "UID":
            message = f"there is no generator {action.generator.name!r} in DicomEdit 4"
            self.error(action.generator.span, "unknown-generator", message, "did you mean 'UID'?")
        path = TagPath((step,), action.target.path.text)
        secret = self._secret

        def get(run: Run) -> Value:
            # The same old value of the same element gives the same new one as long as this script lives,
            # without a memory of all values that were ever seen.
            seen = f"{step.bits:08X}|{run.read(path)}".encode("utf-8", "surrogatepass")
            digest = bytearray(hmac.new(secret, seen, hashlib.sha256).digest()[:16])
            digest[6] = digest[6] & 0x0F | 0x40
            digest[8] = digest[8] & 0x3F | 0x80
            return f"2.25.{int.from_bytes(digest, 'big')}"

        return get

    def _warn_of_order(self, statements: tuple[nodes.Statement4, ...]) -> None:
        """Of two unconditional statements about one element the first wins, though it reads the other way."""
        seen: dict[str, Span] = {}
        for statement in statements:
            if isinstance(statement, nodes.Assign | nodes.AssignNew | nodes.Delete):
                text = statement.target.path.text.upper()
                if text in seen:
                    line = self.source.position(seen[text]).line
                    message = f"line {line} is about the same element and wins, DicomEdit 4 works backwards"
                    self.warn(statement.span, "first-wins", message)
                seen.setdefault(text, statement.span)


def _step(path: TagPath) -> TagStep:
    step = path.steps[0]
    assert isinstance(step, TagStep)
    return step


def _variables(node: nodes.Value) -> list[nodes.Variable]:
    if isinstance(node, nodes.Variable):
        return [node]
    if isinstance(node, nodes.Call | nodes.Format):
        return [found for argument in node.arguments for found in _variables(argument)]
    return []
