"""Session labels that a script makes with `makeSessionLabel`, and how to ask for one without an object.

XNAT's uploaders have that function, its server has not: there the variable `session` takes the label that was
chosen elsewhere. The review step can still offer what the script would have made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn, cast

from anon.encoding.instance import EncodedInstance
from anon.errors import StatementError
from anon.functions.message_format import ABSENT
from anon.functions.registry import SESSION_LABEL, Builtin, make_builtin, maybe
from anon.host import Host
from anon.labels import next_label
from anon.operations.run import Evaluate, Run
from anon.syntax import nodes
from anon.syntax.span import Span
from anon.values import Value, Values, text_of

SESSION: Final = "session"  # the variable that holds the label of the session


@dataclass(frozen=True, slots=True)
class LabelRule:
    """How a script makes the label of a session.

    Attributes:
        evaluate: the label.
        required: the variables it needs from the caller: small letters to spelling and place of first use.
        span: where it stands.
    """

    evaluate: Evaluate
    required: Mapping[str, tuple[str, Span]]
    span: Span


class _NoObject:
    """Stands where an object would be: whatever a rule wants of it, it needs an object."""

    def __getattr__(self, name: str) -> NoReturn:
        raise StatementError("needs-object", "the label depends on data elements, not on variables alone")


def make_label(rule: LabelRule, values: Values, variables: dict[str, Value], host: Host) -> str | None:
    """Evaluate a label rule without an object; None when the script's pattern gives no label.

    Raises:
        StatementError: the rule reads data elements, or a value in it is absent.
    """
    run = Run(cast(EncodedInstance, _NoObject()), values, variables, host)
    try:
        label = text_of(rule.evaluate(run))
    except StatementError as failure:
        failure.span = failure.span or rule.span
        raise
    if any(text == ABSENT for _, text in run.messages):
        raise StatementError("absent-in-label", "a value in the label is absent", span=rule.span)
    return label or None


def session_label_function(dialect: int, host: Host) -> Builtin:
    """`makeSessionLabel` for a caller that knows which labels are taken."""
    known = frozenset(host.taken_labels or ())

    def make_session_label(pattern: str | None) -> str:
        """Return the first free label of a pattern: its first run of # becomes a number, counted from 0.

        The number is padded to the length of the run and grows beyond it when needed. A pattern without #
        gives an empty text. (In the examples `S1_v00_mr` and `S1_v01_mr` are taken.)

        Only programs that know which labels are taken provide this function; a server
        does not when it receives or archives. There `session := makeSessionLabel[...]` is no mistake, and the
        variable takes the caller's value; the review step offers the label that this would have made.

        >>> run('makeSessionLabel["S1_v##_mr"]')
        'S1_v02_mr'
        >>> run('makeSessionLabel[format["{0}_##", lowercase["CT"]]]')
        'ct_00'
        >>> run('makeSessionLabel["S1"]')
        ''
        """
        return next_label(
            pattern or "", known, ignore_case=host.labels_ignore_case, present=host.present_label
        )

    function: Callable[..., Any] = make_session_label
    return make_builtin(SESSION_LABEL, function, dialect=dialect, arguments=[maybe("pattern")])


def uses_of(
    node: nodes.Value, find_initial: Callable[[str], nodes.Value | None]
) -> tuple[set[str], set[str]]:
    """The variables and functions that a value needs, also by way of other variables' initial values."""
    variables: set[str] = set()
    functions: set[str] = set()
    waiting: list[nodes.Value] = [node]
    while waiting:
        value = waiting.pop()
        if isinstance(value, nodes.Call | nodes.Format):
            waiting.extend(value.arguments)
        if isinstance(value, nodes.Call):
            functions.add(value.name.name)
        elif isinstance(value, nodes.Values):
            waiting.extend(value.entries)
        elif isinstance(value, nodes.Variable) and value.name not in variables:
            variables.add(value.name)
            initial = find_initial(value.name)
            if initial is not None:
                waiting.append(initial)
    return variables, functions
