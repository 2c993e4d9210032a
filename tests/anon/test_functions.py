"""Every function: the examples of its page, and what all of them have in common."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import pytest
from builders import make_dataset

import anon
import anon.labels
from anon.functions.manual import EXAMPLE_LABELS, EXAMPLE_TABLE, all_functions, examples, manual, page
from anon.functions.registry import Builtin

ALL = all_functions()
PAGE = Path(__file__).parents[2] / "docs" / "functions.md"


def runner(dialect: int) -> Any:
    def run(expression: str) -> str | None:
        """The value of an expression, by way of an element that holds any text."""
        dataset = make_dataset(PatientComments="")
        version = "" if dialect == 4 else 'version "6.6"\n'
        script = anon.compile_script(
            f"{version}(0010,4000) := {expression}", taken_labels=EXAMPLE_LABELS, lookup=EXAMPLE_TABLE
        )
        script.apply(dataset, {})
        value: str | None = dataset.PatientComments
        return value

    return run


@pytest.mark.parametrize("found", ALL, ids=lambda found: f"{found.name}-{found.dialect}")
def test_the_examples_of_a_function_are_true(found: Builtin) -> None:
    test = doctest.DocTestParser().get_doctest(found.doc, {"run": runner(found.dialect)}, found.name, None, 0)
    results = doctest.DocTestRunner(verbose=False).run(test)
    assert results.attempted > 0 or found.returns == "nothing"
    assert results.failed == 0


@pytest.mark.parametrize("found", ALL, ids=lambda found: f"{found.name}-{found.dialect}")
def test_a_function_without_its_arguments_is_a_mistake(found: Builtin) -> None:
    if found.required == 0:
        return
    call = f"{found.name}[]" if found.dialect == 6 else f'{found.name}[""]'
    text = f'version "6.6"\n{call}' if found.dialect == 6 else f"(0010,0020) := {call}"
    if found.dialect == 4 and found.required == 1:
        return
    with pytest.raises(anon.ScriptError) as caught:
        anon.compile_script(text, taken_labels=[])
    assert caught.value.diagnostics[0].code in ("argument-count", "argument-kind")


# Values of an object that look like what functions take: tag, format, pattern, rectangle, date, number.
SECRETS = (
    "Secret^Jane", "(0011,{SECRET}1)", "(SECRET", "{SECRET", "$SECRET", "l=SECRET, t=0", "SECRET12",
    "471147114",
)  # fmt: skip
OTHERS = ('"a"', '"1"', '"l=0, t=0, r=5, b=5"', '"days"', "(0008,0020)", "(0020,4000)", "{v}")


def said(text: str, secret: str) -> str:
    """Everything that a script says of an object with a secret; nothing when it does not compile."""
    try:
        script = anon.compile_script(text, taken_labels=EXAMPLE_LABELS, lookup=EXAMPLE_TABLE)
    except anon.ScriptError:
        return ""
    try:
        return str(script.apply(make_dataset(ImageComments=secret, Rows=8, Columns=8), {}).messages)
    except anon.ScriptError as error:
        return f"{error} {error.diagnostics}"


@pytest.mark.parametrize("found", ALL, ids=lambda found: f"{found.name}-{found.dialect}")
def test_nothing_that_is_said_of_a_function_holds_a_value_of_the_object(found: Builtin) -> None:
    count = max(len(found.arguments), 1)
    for secret in SECRETS:
        for other in OTHERS:
            for place in range(count):
                arguments = [other] * count
                arguments[place] = "v" if found.dialect == 6 else "(0020,4000)"
                call = f"{found.name}[{', '.join(arguments)}]"
                statement = call if found.returns == "nothing" else f"(0010,4000) := {call}"
                start = 'version "6.6"\nv := concatenate[(0020,4000)]\n' if found.dialect == 6 else ""
                heard = said(start + statement, secret).lower()
                assert "secret" not in heard
                assert "471147114" not in heard


# What the Java engine 6.6.0 registers; documents name a few more (`hash`, `default`), which it does not know.
LANGUAGE_6 = (
    "concatenate format lowercase uppercase substring replace match ismatch hashUID hashUIDList newUID mapUID"
    " mapReferencedUIDs getURL lookup retainPrivateTags removeTags delete set alterPixels normalizeString"
    " shiftDateByIncrement shiftDateTimeByIncrement shiftDateTimeListByIncrement"
    " shiftDateTimeSequenceByIncrement scalePatientAgeAndDobFromStudyDate collectValues blankValues reject"
    " true false and or equals isPresent valueAt"
)


def test_every_function_of_dicomedit_6_is_there_and_on_the_page() -> None:
    names = {found.name for found in ALL if found.dialect == 6}
    assert names == {*LANGUAGE_6.split(), "makeSessionLabel"}
    page_of_6 = PAGE.read_text("utf-8").split("## DicomEdit 6")[1].split("\n## ")[0]
    assert all(f"### `{name}[" in page_of_6 for name in names)


def test_the_page_of_functions_is_made_from_the_table() -> None:
    made = manual(ALL)
    assert PAGE.read_text("utf-8") == made, "run `python -m anon.functions.manual > docs/functions.md`"
    assert all(f"### `{found.name}[" in made for found in ALL)
    assert ">>>" not in made


@pytest.mark.parametrize("found", ALL, ids=lambda found: f"{found.name}-{found.dialect}")
def test_the_page_of_one_function_shows_its_examples(found: Builtin) -> None:
    shown = page(found)
    assert shown.startswith(f"{found.name}[")
    assert ">>>" not in shown
    for example in examples(found):
        assert example.expression in shown
    assert max(len(line) for line in shown.partition("\n    ")[0].splitlines()) <= 80


def test_the_example_of_next_label_is_true() -> None:
    assert doctest.testmod(anon.labels).failed == 0
