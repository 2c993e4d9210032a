"""What holds for every text and every object."""

from __future__ import annotations

import io

import pydicom
import pytest
from builders import make_dataset, part10_bytes
from hypothesis import given, settings
from hypothesis import strategies as st

import anon
from anon.encoding.instance import EncodedInstance
from anon.render import render

pytestmark = pytest.mark.repeats

WORDS = st.sampled_from(
    [
        'version "6.6"',
        "\n",
        "\n",
        " ",
        "(0010,0010)",
        "(0010,00XX)",
        "(0008,1140)[0]/(0008,1155)",
        ":=",
        "?=",
        "-",
        "=",
        "~",
        "?",
        ":",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        ",",
        '"text"',
        '"{0}"',
        "5",
        "-3",
        "1.5",
        "007",
        "name",
        "subject",
        "if",
        "elseif",
        "else",
        "echo",
        "describe",
        "export",
        "hidden",
        "new",
        "UID",
        "hashUID",
        "format",
        "lowercase",
        "removeAllPrivateTags",
        "*/",
        "+/",
        "./",
        "%",
        "//",
        "\\\n",
        "'",
        '"',
        "(0029,{A B}10)",
        "é",
        "\r",
        "\t",
        "\ufeff",
    ]
)
SCRIPTS = st.one_of(
    st.text(max_size=200),
    st.lists(WORDS, max_size=30).map("".join),
    st.lists(WORDS, max_size=30).map(lambda words: 'version "6.6"\n' + " ".join(words)),
)
STATEMENTS_6 = st.sampled_from(
    [
        "-(0010,0010)",
        "-*/(0010,0010)",
        '(0010,0020) := "x"',
        "(0010,0020) := (0008,1030)",
        '(0010,00XX) ?= "y"',
        '(0008,1140)[1]/(0008,1155) := "1.2"',
        "removeAllPrivateTags",
        '(0009,{ACME}01) := "z"',
        '(0028,0010) := "no"',
        '(0028,0010) := "7"',
        '(0008,0005) := "ISO_IR 100"',
        "-(0008,0018)",
        '(0002,0016) := "AE"',
        "(0010,0020) := subject",
        '(0008,0060) = "MR" ? -(0008,1030) : -(0008,0020)',
        '(0008,1140) := "x"',
        '(0010,0010) := "日本"',
        "(0020,000D) := hashUID[(0020,000D)]",
        '(0008,0005) := "ISO_IR 192"',
    ]
)
STATEMENTS_4 = st.sampled_from(
    [
        "- (0010,0010)",
        "- (0010,XXXX)",
        '(0010,0020) := "x"',
        "(0010,0020) := (0008,1030)",
        '(0010,00X0) := "y"',
        '(0028,0010) := "no"',
        '(0028,0010) := "7"',
        '(0008,0005) := "ISO_IR 100"',
        "- (0008,0018)",
        "(0010,0020) := subject",
        '(0008,0060) = "MR" : - (0008,1030)',
        "(0020,000D) := new UID",
        '(0010,0010) := "日本"',
        "(0010,1090) := (0040,0275)",
    ]
)


@settings(max_examples=400, deadline=None)
@given(SCRIPTS)
def test_reading_any_text_gives_a_script_or_a_script_error(text: str) -> None:
    try:
        anon.compile_script(text)
    except anon.ScriptError as error:
        lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        assert error.diagnostics
        for found in error.diagnostics:
            assert 1 <= found.line <= len(lines)
            assert 1 <= found.column <= len(lines[found.line - 1]) + 1
            assert (found.end_line, found.end_column) > (found.line, found.column)
        assert render(error.diagnostics, text, "script")


@settings(max_examples=150, deadline=None)
@given(st.lists(STATEMENTS_6, max_size=6), st.lists(STATEMENTS_4, max_size=6), st.booleans(), st.booleans())
def test_an_object_is_edited_as_a_whole_or_not_at_all(
    six: list[str], four: list[str], is_six: bool, is_latin: bool
) -> None:
    text = "\n".join(['version "6.6"', *six] if is_six else four)
    script = anon.compile_script(text)
    dataset = make_dataset(
        SpecificCharacterSet="ISO_IR 100" if is_latin else "ISO_IR 192", PatientName="Müller", Rows=1
    )
    dataset.private_block(0x0009, "ACME", create=True).add_new(0x01, "LO", "secret")
    encoded = part10_bytes(dataset)
    pydicom_dataset = pydicom.dcmread(io.BytesIO(encoded))
    instance = EncodedInstance.from_part10(encoded)
    try:
        script.apply_encoded(instance, {"subject": "S"})
    except anon.ScriptError as error:
        with pytest.raises(anon.ScriptError) as caught:
            script.apply(pydicom_dataset, {"subject": "S"})
        assert caught.value.diagnostics == error.diagnostics
        untouched = io.BytesIO()
        pydicom_dataset.save_as(untouched, enforce_file_format=True)
        assert untouched.getvalue() == encoded
        assert "secret" not in str(error) and "Müller" not in str(error)
        return
    # Both ways of applying a script agree, and what it made can be read.
    if "new UID" not in text:
        script.apply(pydicom_dataset, {"subject": "S"})
        stored = pydicom.dcmread(io.BytesIO(b"".join(map(bytes, instance.part10_chunks()))))
        again = io.BytesIO()
        pydicom_dataset.save_as(again, enforce_file_format=True)
        assert pydicom.dcmread(io.BytesIO(again.getvalue())) == stored


@settings(max_examples=100, deadline=None)
@given(st.text("ab#", max_size=6), st.lists(st.text("ab019", max_size=6), max_size=20))
def test_a_numbered_label_is_free_and_the_first_that_is(pattern: str, existing: list[str]) -> None:
    label = anon.next_label(pattern, existing)
    if "#" not in pattern:
        assert label == ""
        return
    assert label not in existing
    earlier = list(existing)
    for _ in range(30):
        following = anon.next_label(pattern, [*earlier, label])
        assert following not in {*earlier, label}
        earlier.append(label)
        label = following
