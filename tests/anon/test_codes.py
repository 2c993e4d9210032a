"""The catalogue of codes: complete, and its examples are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from builders import make_dataset

import anon
from anon.codes import CODES
from anon.codes.entry import Code
from anon.codes.manual import manual, page
from anon.lint.registry import LINTS
from anon.lint.rule import TABLE

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "codes.md"
EXAMPLES = [each for each in CODES.values() if each.wrong]
# How the engine names codes where it raises or notes something.
RAISED = re.compile(
    r"(?:Fix|StatementError|MistakeError|Mistake|Diagnostic)\(\s*\"([a-z0-9-]+)\""
    r"|(?:self\.(?:error|warn)|note|diagnostic)\([^\"\n]*,\s*\"([a-z0-9-]+)\""
    r"|^\s*\S+\.span, \"([a-z0-9-]+)\"|^\s*\"((?:bad|no|not|wrong|unknown|argument|list|too)-[a-z-]+)\",$",
    re.MULTILINE,
)


def codes_of(text: str) -> set[str]:
    """The codes that compiling a script, or applying it to an object, gives."""
    try:
        script = anon.compile_script(text)
        found = {each.code for each in script.warnings}
    except anon.ScriptError as error:
        return {each.code for each in error.diagnostics}
    dataset = make_dataset(
        SpecificCharacterSet="ISO_IR 100", StudyDate="20240229", PatientID="MRN1", ReferencedImageSequence=[]
    )
    try:
        script.apply(dataset, dict.fromkeys(("project", "subject", "session", "label"), "x"))
    except anon.ScriptError as error:
        found |= {each.code for each in error.diagnostics}
    return found


@pytest.mark.parametrize("each", EXAMPLES, ids=lambda each: each.code)
def test_the_wrong_example_of_a_code_has_it_and_the_right_one_has_not(each: Code) -> None:
    assert each.code in codes_of(each.wrong)
    if each.right.strip():
        assert anon.compile_script(each.right)
        assert each.code not in codes_of(each.right)


def test_every_code_of_the_engine_is_in_the_catalogue() -> None:
    known = set(CODES) | set(TABLE)
    found: dict[str, Path] = {}
    for path in sorted((ROOT / "anon").rglob("*.py")):
        if path.parts[-2] in ("lint", "testing", "codes", "profile"):
            continue
        for groups in RAISED.findall(path.read_text("utf-8")):
            found.update({code: path for code in groups if code and code not in ("warning", "error")})
    assert len(found) > 80
    assert {code: str(path) for code, path in found.items() if code not in known} == {}


def test_a_code_means_one_thing() -> None:
    assert set(CODES) & {rule.code for rule in LINTS} == set()


def test_the_page_of_codes_is_made_from_the_catalogue() -> None:
    assert PAGE.read_text("utf-8") == manual(), "run `python -m anon.codes.manual > docs/codes.md`"


def test_a_page_shows_both_examples() -> None:
    shown = page("assign-sign")
    assert '(0010,0010) = "Anonymous"' in shown and '(0010,0010) := "Anonymous"' in shown
    assert shown.startswith("assign-sign")


def test_texts_are_sentences_without_words_of_parsers() -> None:
    for each in CODES.values():
        assert each.text.endswith(".") and not each.title.endswith(".")
        assert (
            re.search(r"\b(token|parse|parser|terminal|expected|grammar)\b", each.text + each.title) is None
        )
