"""Regular expressions that some values keep busy for ever."""

from __future__ import annotations

from collections.abc import Iterator

from anon.lint.checked import Checked
from anon.lint.repetition import find_ambiguous
from anon.lint.rule import Finding, lint
from anon.syntax import nodes


@lint(
    "runaway-pattern",
    title="a pattern repeats a repetition, which takes for ever on some values",
    fires='(0008,103E) ~ "(\\\\w+\\\\s?)+!" : - (0008,103E)\n',
    silent='(0008,103E) ~ "[\\\\w\\\\s]+!" : - (0008,103E)\n',
    is_told=True,
)
def runaway_pattern(checked: Checked) -> Iterator[Finding]:
    r"""In `(a+)+` the same letters can be shared out between the two + in many ways, and all are tried.

    With each letter more it takes twice as long, so one odd value would keep a server busy for years. Here
    it is stopped after some seconds and the object refused. Repeat once: `a+` instead of `(a+)+`,
    `[\w\s]+` instead of `(\w+\s?)+`.
    """
    patterns: list[nodes.Value] = [
        condition.right
        for condition in checked.conditions
        if isinstance(condition, nodes.Comparison) and condition.operator.endswith("~")
    ]
    patterns += [node for _, node in checked.arguments_of_kind("pattern")]
    for node in patterns:
        text = checked.constants.text(node)
        culprit = None if text is None else find_ambiguous(text)
        if culprit is not None:
            message = f"the pattern can run for ever: {culprit} can match the same text in many ways"
            yield Finding(node.span, message, "repeat once, such as a+ instead of (a+)+")
