"""From syntax trees back to text: reading what was printed gives the same tree, apart from its places.

Layout and comments of the original are gone: one statement a line, blocks indented, strings escaped anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from anon.syntax import nodes

_INDENT: Final = "    "
_ESCAPED_4: Final = str.maketrans(
    {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
)


def print4(statements: Iterable[nodes.Statement4]) -> str:
    """A script of DicomEdit 4."""
    return "".join(f"{_statement4(statement)}\n" for statement in statements)


def print6(statements: Iterable[nodes.Statement6]) -> str:
    """A script of DicomEdit 6; its version line is one of the statements.

    Raises:
        ValueError: a text holds a quotation mark or a line end, which the language cannot write.
    """
    return "".join(f"{line}\n" for statement in statements for line in _lines6(statement, ""))


# -- values


def _text4(text: str) -> str:
    return f'"{text.translate(_ESCAPED_4)}"'


def _text6(text: str) -> str:
    if '"' in text or "\n" in text or "\r" in text:
        raise ValueError("DicomEdit 6 has no way to write a quotation mark or a line end in a text")
    doubled = text.replace("\\", "\\\\")
    return f'"{doubled}"'


def _value(value: nodes.Value, dialect: int) -> str:
    match value:
        case nodes.Text(text=text):
            return _text4(text) if dialect == 4 else _text6(text)
        case nodes.Number(text=text):
            return text
        case nodes.Path(path=path):
            return path.text
        case nodes.Variable(name=name):
            return name
        case nodes.Call(name=called, arguments=arguments):
            return f"{called.name}[{_values(arguments, dialect)}]"
        case nodes.Format(pattern=pattern, arguments=arguments):
            return f"{_text4(pattern.text)} {_values(arguments, dialect)}"
        case nodes.Values(entries=entries):
            return f"{{{_values(entries, dialect)}}}"


def _values(values: Iterable[nodes.Value], dialect: int) -> str:
    return ", ".join(_value(value, dialect) for value in values)


def _condition(condition: nodes.Condition, dialect: int) -> str:
    if isinstance(condition, nodes.Call):
        return _value(condition, dialect)
    left, right = _value(condition.left, dialect), _value(condition.right, dialect)
    return f"{left} {condition.operator} {right}"


# -- statements


def _describe(statement: nodes.Describe, dialect: int) -> str:
    what = statement.keyword if statement.text is None else _value(statement.text, dialect)
    return f"describe {statement.name.name} {what}"


def _action(action: nodes.Action4 | nodes.Action6, dialect: int) -> str:
    match action:
        case nodes.Assign(target=target, value=value):
            return f"{target.path.text} := {_value(value, dialect)}"
        case nodes.AssignIfPresent(target=target, value=value):
            return f"{target.path.text} ?= {_value(value, dialect)}"
        case nodes.AssignNew(target=target, generator=generator, arguments=arguments):
            given = f"[{_values(arguments, dialect)}]" if arguments else ""
            return f"{target.path.text} := new {generator.name}{given}"
        case nodes.Initialise(name=name, value=value):
            return f"{name.name} := {_value(value, dialect)}"
        case nodes.Delete(target=target):
            return f"-{target.path.text}"
        case nodes.Echo(value=said):
            return "echo" if said is None else f"echo {_value(said, dialect)}"
        case nodes.Call():
            return _value(action, dialect)


def _statement4(statement: nodes.Statement4) -> str:
    match statement:
        case nodes.Conditional(conditions=conditions, action=action):
            parts = [*(_condition(condition, 4) for condition in conditions), _action(action, 4)]
            return " : ".join(parts)
        case nodes.Describe():
            return _describe(statement, 4)
        case nodes.Export(name=name, field=field):
            return f"export {name.name} {_value(field, 4)}"
        case _:
            return _action(statement, 4)


def _lines6(statement: nodes.Statement6, indent: str) -> Iterator[str]:
    match statement:
        case nodes.IfBlock(branches=branches, otherwise=otherwise):
            opening = "if"
            for branch in branches:
                yield f"{indent}{opening} ({_condition(branch.condition, 6)}) {{"
                yield from _block(branch.body, indent)
                opening = "} elseif"
            if otherwise:
                yield f"{indent}}} else {{"
                yield from _block(otherwise, indent)
            yield f"{indent}}}"
        case nodes.Version(version=version):
            yield f"version {_text6(version.text)}"  # only found at the beginning of a line
        case _:
            line = _line6(statement)
            # A line that begins with `version` is taken for the version line.
            yield f"{indent or ' '}{line}" if line.startswith("version") else f"{indent}{line}"


def _block(body: Iterable[nodes.Statement6], indent: str) -> Iterator[str]:
    for statement in body:
        yield from _lines6(statement, indent + _INDENT)


def _line6(
    statement: nodes.Action6 | nodes.Ternary | nodes.Describe | nodes.Export | nodes.RemoveAllPrivateTags,
) -> str:
    match statement:
        case nodes.Ternary(condition=condition, then=then, otherwise=otherwise):
            rest = "" if otherwise is None else f" : {_action(otherwise, 6)}"
            return f"{_condition(condition, 6)} ? {_action(then, 6)}{rest}"
        case nodes.Describe():
            return _describe(statement, 6)
        case nodes.Export(name=name, field=field):
            return f"export {name.name} {_value(field, 6)}"
        case nodes.RemoveAllPrivateTags():
            return "removeAllPrivateTags"
        case _:
            return _action(statement, 6)
