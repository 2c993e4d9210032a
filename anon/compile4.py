"""Compiling DicomEdit 4: names, kinds of values, and what can be said before an object is seen."""

from __future__ import annotations

from anon.calls import Get
from anon.compile import Compiler
from anon.errors import StatementError
from anon.functions.message_format import ABSENT, FormatError, fill, parse_format
from anon.functions.registry import SESSION_LABEL, Argument
from anon.host import Host
from anon.label_rule import SESSION, LabelRule, uses_of
from anon.operations.condition import equality4, match
from anon.operations.run import Evaluate, Run, Test
from anon.program4 import Action, Condition, DeleteTag, EchoValue, Program4, SetTag
from anon.syntax import nodes
from anon.syntax.span import Source, Span
from anon.tagpath import TRANSFER_SYNTAX_UID, TagPath, TagStep
from anon.values import Value, text_of
from anon.vr import BINARY_VRS, vr_in_2012


class Compiler4(Compiler):
    """Resolves names and checks a script of DicomEdit 4."""

    dialect = 4

    def __init__(self, source: Source, host: Host) -> None:
        super().__init__(source, host)
        self._mentioned: dict[str, tuple[str, Span]] = {}
        self._initials: dict[str, Evaluate] = {}
        self._initial_nodes: dict[str, nodes.Initialise] = {}
        self._host = host

    def compile(self, statements: tuple[nodes.Statement4, ...]) -> Program4:
        """Compile a script; mistakes are in `diagnostics` afterwards."""
        self._collect_initials(statements)
        actions: list[tuple[tuple[Condition, ...], Action]] = []
        for statement in statements:
            if isinstance(statement, nodes.Initialise):
                continue
            if isinstance(statement, nodes.Describe | nodes.Export):
                self._mention(statement.name)
                continue
            if isinstance(statement, nodes.Conditional):
                conditions = tuple((self._condition(each), each.span) for each in statement.conditions)
                actions.append((conditions, self._action(statement.action, is_certain=False)))
            else:
                actions.append(((), self._action(statement, is_certain=True)))
        required = {name: use for name, use in self._mentioned.items() if name not in self._initials}
        return Program4(required, tuple(actions), self._label_rule())

    def _label_rule(self) -> LabelRule | None:
        """How `session` gets its label, when the label function makes it."""
        statement = self._initial_nodes.get(SESSION)
        if statement is None or SESSION not in self._initials:
            return None
        variables, functions = uses_of(statement.value, self._find_initial)
        if SESSION_LABEL not in functions:
            return None
        needed = {variable.lower() for variable in variables} - self._initials.keys()
        required = {name: use for name, use in self._mentioned.items() if name in needed}
        return LabelRule(self._initials[SESSION], required, statement.span)

    def _find_initial(self, name: str) -> nodes.Value | None:
        statement = self._initial_nodes.get(name.lower())
        return None if statement is None else statement.value

    # -- variables

    def _collect_initials(self, statements: tuple[nodes.Statement4, ...]) -> None:
        tolerated: list[nodes.Initialise] = []
        for statement in statements:
            if not isinstance(statement, nodes.Initialise):
                continue
            name = statement.name.name.lower()
            if name in self._initial_nodes:
                first = self.source.position(self._initial_nodes[name].span).line
                message = f"the variable {statement.name.name!r} has its value from line {first} already"
                hint = "leave one of the lines out, or choose another name"
                self.error(statement.name.span, "initialised-twice", message, hint)
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
            # `session` is what every caller supplies: XNAT's own training script is written like that.
            if statement.name.name.lower() != "session":
                message = f"{SESSION_LABEL} is unknown here: {statement.name.name!r} takes the caller's value"
                self.warn(statement.value.span, "no-label-function", message)
        for name, statement in self._initial_nodes.items():
            if statement not in tolerated:
                self._initials[name] = self.value(statement.value)

    def _is_tolerated(self, value: nodes.Value) -> bool:
        """Whether this is the label function of XNAT's uploaders, which a server does not have."""
        is_call = isinstance(value, nodes.Call) and value.name.name == SESSION_LABEL
        return is_call and SESSION_LABEL not in self.functions

    def _refuse_cycles(self) -> None:
        uses = {
            name: {used.lower() for used in uses_of(statement.value, lambda used: None)[0]}
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
                self.error(statement.value.span, "variable-cycle", message)

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
            if initial is not None and name not in run.variables:
                # Always of the object as it came, so once is enough.
                run.variables[name] = initial(run)
            return run.variables[name]

        return get

    def _tag_value(self, node: nodes.Path) -> Evaluate:
        step = _step(node.path)
        path = node.path
        if step.is_wild:
            message = f"{node.path} means many elements, so it has no value"
            self.error(node.span, "not-singular", message, "name a single element, without X, @ and #")
        elif step.bits >> 31:
            hint = 'a script that begins with version "6.6" can read them'
            self.error(node.span, "not-readable", "DicomEdit 4 cannot read groups from 8000 on", hint)

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
            self.error(node.pattern.span, "bad-format", f"the format cannot be used: {error}")
            parts = ()

        def get(run: Run) -> Value:
            texts = [text_of(term(run)) for term in terms]
            if any(isinstance(part, int) and part < len(texts) and texts[part] is None for part in parts):
                run.warn(ABSENT)
            return fill(parts, texts)

        return get

    def mention(self, node: nodes.Value) -> None:
        """Look through a value that is not used; a tag must be one that can be read all the same."""
        if isinstance(node, nodes.Path):
            self.value(node)
        else:
            super().mention(node)

    def integer_argument(self, node: nodes.Value, argument: Argument) -> Get:
        """A whole number: a literal."""
        if not isinstance(node, nodes.Number):
            hint = "write a number such as 0"
            if isinstance(node, nodes.Text) and node.text.strip().isdigit():
                hint = f"write {node.text.strip()} without the quotes"
            message = f"the {argument.name} must be a number, written without quotes"
            self.error(node.span, "argument-kind", message, hint)
            return lambda run: 0
        number = int(node.text)
        return lambda run: number

    # -- statements

    def _condition(self, condition: nodes.Condition) -> Test:
        assert isinstance(condition, nodes.Comparison)
        left = self.value(condition.left)
        if condition.operator == "~":
            pattern = self.pattern(condition.right)
            return match(left, pattern, pattern)
        return equality4(left, self.value(condition.right))

    def _action(self, action: nodes.Action4, *, is_certain: bool) -> Action:
        if isinstance(action, nodes.Echo):
            if action.value is not None:
                self.value(action.value)
            return EchoValue(action.span, lambda run: None)
        step = _step(action.target.path)
        self._check_target(action, step, is_certain)
        if isinstance(action, nodes.Delete):
            return DeleteTag(action.span, step, lambda run: None)
        if isinstance(action, nodes.Assign):
            return SetTag(action.span, step, self.value(action.value))
        return SetTag(action.span, step, self._new_uid(action, step))

    def _check_target(
        self, action: nodes.Assign | nodes.AssignNew | nodes.Delete, step: TagStep, is_certain: bool
    ) -> None:
        """Note targets that fail: mistakes, or warnings where a condition may keep them from failing."""
        note = self.error if is_certain else self.warn
        if step.is_wild:
            if isinstance(action, nodes.AssignNew):
                hint = "write a line for each of the tags"
                self.error(action.target.span, "not-singular", "a pattern cannot be given a new UID", hint)
            return
        tag = step.bits
        if tag == TRANSFER_SYNTAX_UID:
            note(action.target.span, "transfer-syntax", "a script cannot change the transfer syntax")
        if isinstance(action, nodes.Delete):
            return
        vr = vr_in_2012(tag)
        if tag & 0xFFFF and (vr == "SQ" or vr == "UN" or vr in BINARY_VRS):
            message = f"{action.target.path} has VR {vr}, which cannot be given a text"
            hint = f"write - {action.target.path} to remove it"
            note(action.target.span, "no-text-possible", message, hint)

    def _new_uid(self, action: nodes.AssignNew, step: TagStep) -> Evaluate:
        arguments = [self.value(argument) for argument in action.arguments]
        if action.generator.name != "UID":
            message = f"there is no generator {action.generator.name!r} in DicomEdit 4"
            hint = f"write {action.target.path} := new UID"
            if action.generator.name in self.functions:
                hint = f"write {action.target.path} := {action.generator.name}[{action.target.path}]"
            self.error(action.generator.span, "unknown-generator", message, hint)
        path = TagPath((step,), action.target.path.text)
        host = self._host

        def get(run: Run) -> Value:
            # The same old value of the same element gives the same new one, without a memory of all values
            # that were ever seen.
            for argument in arguments:
                argument(run)  # not used, but it may fail
            return f"2.25.{host.number_for('new UID', f'{step.bits:08X}', repr(run.read(path)))}"

        return get


def _step(path: TagPath) -> TagStep:
    step = path.steps[0]
    assert isinstance(step, TagStep)
    return step
