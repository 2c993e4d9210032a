"""The page of all functions, made from the table: `python -m anon.functions.manual > docs/functions.md`."""

from __future__ import annotations

import ast
import doctest
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import anon.compile  # noqa: F401  (imports the modules of functions, which fill the table)
from anon.functions.registry import Builtin, functions_of
from anon.host import Host
from anon.label_rule import session_label_function

#: The labels that are taken in the examples of `makeSessionLabel`.
EXAMPLE_LABELS: Final = ("S1_v00_mr", "S1_v01_mr")
#: The lookup table of the examples.
EXAMPLE_TABLE: Final = "pid/PID-1 = S007"

_INTRODUCTION: Final = """\
# Functions

<!-- Made by `python -m anon.functions.manual`. Edit the docstrings beside the functions, not this page. -->

What scripts can call, with examples that a test runs. Names are spelled as shown, case counts. In the
examples (0008,0060) is `MR`. Arguments in (parentheses) may be left out; `...` stands for any number.
`prearc anon functions NAME` shows one of them.
"""
_ABOUT: Final = {
    4: """\
A surplus argument is ignored. An element that is given no value becomes empty. Beside functions there are
message formats, `"{0}_{1}" subject, session` (the same as `format`), and the generator `new UID`, as in
`(0020,000D) := new UID`: a UID that nobody can foresee, the same for the same old value of this element
wherever the key is the same (a site has one), and without a key as long as the script is loaded.
""",
    6: """\
Where nothing else is said, an absent element as an argument is an error. Without a value `:=` changes
nothing.
""",
}


class Example(NamedTuple):
    """An expression and its value; None is no value."""

    expression: str
    value: str | None
    is_failure: bool = False


def all_functions() -> list[Builtin]:
    """Every function of both dialects, also those that only some callers provide."""
    host = Host(taken_labels=EXAMPLE_LABELS)
    found: list[Builtin] = []
    for dialect in (4, 6):
        known = [*functions_of(dialect).values(), session_label_function(dialect, host)]
        found += sorted(known, key=lambda each: each.name.lower())
    return found


def signature(found: Builtin) -> str:
    """How a function is called."""
    names = []
    for argument in found.arguments:
        name = f"{argument.name}..." if argument.is_rest else argument.name
        names.append(f"({name})" if argument.is_optional else name)
    return f"{found.name}[{', '.join(names)}]"


def prose(found: Builtin) -> str:
    """What a function does, without the examples."""
    return found.doc.partition(">>>")[0].strip()


def examples(found: Builtin) -> list[Example]:
    """The examples of a function: what stands in `run(...)`, and what comes out."""
    made: list[Example] = []
    for example in doctest.DocTestParser().get_examples(found.doc):
        tree = ast.parse(example.source.strip(), mode="eval").body
        call = next(node for node in ast.walk(tree) if isinstance(node, ast.Call))
        expression = str(ast.literal_eval(call.args[0]))
        if example.exc_msg is not None:
            made.append(Example(expression, example.exc_msg.strip().rpartition(": ")[2], is_failure=True))
        elif isinstance(tree, ast.Call):
            value = ast.literal_eval(example.want) if example.want.strip() else None
            made.append(Example(expression, value))
        else:
            made.append(Example(expression, f"{ast.literal_eval(example.want)}..."))
    return made


def example_lines(found: Builtin) -> list[str]:
    """The examples of a function for readers."""
    shown = examples(found)
    width = min(max((len(each.expression) for each in shown), default=0), 60)
    lines = []
    for each in shown:
        value = "(no value)" if each.value is None else each.value or "(empty)"
        result = f"error: {value}" if each.is_failure else value
        lines.append(f"{each.expression:<{width}}  ->  {result}")
    return lines


def page(found: Builtin) -> str:
    """All about one function, as plain text."""
    parts = [f"{signature(found)}   (DicomEdit {found.dialect})"]
    parts += [_wrapped(paragraph) for paragraph in prose(found).split("\n\n")]
    lines = example_lines(found)
    if lines:
        parts.append("\n".join(f"    {line}" for line in lines))
    return "\n\n".join(parts)


def _wrapped(paragraph: str) -> str:
    """A paragraph for terminals; lists and the like stay as they are."""
    is_plain = not any(line.startswith((" ", "-", "|")) for line in paragraph.splitlines())
    return textwrap.fill(paragraph, 79, break_on_hyphens=False) if is_plain else paragraph


def manual(functions: Sequence[Builtin]) -> str:
    """The page of all functions, in Markdown."""
    parts = [_INTRODUCTION]
    for dialect in (4, 6):
        own = [each for each in functions if each.dialect == dialect]
        parts.append(f"## DicomEdit {dialect}\n\n{_ABOUT[dialect]}")
        parts.extend(_section(each) for each in own)
    return "\n".join(parts)


def _section(found: Builtin) -> str:
    lines: Iterable[str] = example_lines(found)
    shown = "\n".join(lines)
    block = f"\n```text\n{shown}\n```\n" if shown else ""
    return f"### `{signature(found)}`\n\n{prose(found)}\n{block}"


if __name__ == "__main__":
    sys.stdout.write(manual(all_functions()))
