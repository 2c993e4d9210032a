"""Corners of DicomEdit 4 that the golden results do not reach, section by section."""

from __future__ import annotations

from typing import Any

import pytest
from builders import make_dataset
from pydicom.dataset import Dataset

import anon
from anon.vr import vr_in_2012


def applied(text: str, dataset: Dataset | None = None, **variables: str) -> Dataset:
    dataset = make_dataset() if dataset is None else dataset
    anon.compile_script(text).apply(dataset, variables)
    return dataset


def value(expression: str, dataset: Dataset | None = None, **variables: str) -> Any:
    """The value of an expression, by way of an element that holds any text."""
    return applied(f"(0010,4000) := {expression}", dataset, **variables).PatientComments


def failure(text: str, dataset: Dataset | None = None, **variables: str) -> str:
    with pytest.raises(anon.ScriptError) as caught:
        applied(text, dataset, **variables)
    return caught.value.diagnostics[0].code


# -- which language


@pytest.mark.parametrize(
    "text",
    [
        "version 4\n- (0010,0010)",
        'version "4.1" // the old one\r\n- (0010,0010)',
        '// first\nversion "4.0"\r- (0010,0010)',
        ' version1 := "x"\n- (0010,0010)',
        'version2 := "x"\n- (0010,0010)',
        'versions := "6.1"\n- (0010,0010)',
        "",
        "\n\n// nothing\n",
        "\ufeff// nothing",
    ],
)
def test_these_are_scripts_of_dicomedit_4(text: str) -> None:
    assert anon.compile_script(text).language == "4.x"
    assert ("PatientName" in applied(text)) is ("0010" not in text)


@pytest.mark.parametrize(
    "text", ['version "4.3"', 'version "5"', "version", 'version := "x"', 'VERSION "6.1"', '\tversion "6.1"']
)
def test_these_name_no_language(text: str) -> None:
    assert failure(f"{text}\n- (0010,0010)") == "bad-version"


# -- words


def test_names_are_read_without_case_and_keywords_with() -> None:
    text = "Who := SUBJECT\necho Who\nechoes := who\n(0010,0020) := ECHOES"
    assert applied(text, subject="S1").PatientID == "S1"
    assert applied('newUID := "x"\n(0010,0020) := newuid').PatientID == "x"


def test_a_line_goes_on_behind_a_backslash_but_not_in_a_comment() -> None:
    assert applied('(0010,0020) \\\n:= \\\n"x"').PatientID == "x"
    assert "PatientName" not in applied("// comment \\\n- (0010,0010)")


def test_strings_hold_escapes_and_raw_line_ends_and_slashes() -> None:
    assert value(r'"a\tb\"c\\\\d\'// no comment"') == "a\tb\"c\\\\d'// no comment"
    assert value('"one\ntwo"') == "one\ntwo"


@pytest.mark.parametrize("text", [r'"\u0041"', r'"\101"', r'"\q"', "007", "-0", "1.5", "2147483648", "f[]"])
def test_words_that_fail_on_every_object_are_mistakes(text: str) -> None:
    with pytest.raises(anon.ScriptError):
        anon.compile_script(f"(0010,0020) := {text}")


def test_numbers_are_texts() -> None:
    assert value("-12") == "-12"
    assert value("0") == "0"
    assert "PatientID" not in applied('7 = "7" : - (0010,0020)')


@pytest.mark.parametrize(
    "text",
    [
        "(0010,0020) := (0010,00X0)",
        '(0010,00X0) = "x" : - (0010,0020)',
        "(0010,0020) := (8001,0010)",
        '(0010,0020) := lowercase["x", (8001,0010)]',
        '(0010,0020) := lowercase["x", (0010,00X0)]',
        "(0010,00X0) := new UID",
        'a = "b" ? - (0010,0010)',
        '(0008,0060) = "MR" : v := "x"',
        'new := "x"',
        'describe echo "x"',
        "export subject",
        '(0010,0020) := "a", "b"',
        "- (0010,0020), (0010,0010)",
    ],
)
def test_what_the_grammar_does_not_have_is_a_mistake(text: str) -> None:
    with pytest.raises(anon.ScriptError):
        anon.compile_script(text)


# -- how statements run


def test_a_condition_that_does_not_hold_keeps_its_statement_from_failing() -> None:
    for action in ('(0040,0275) := "x"', '(0002,0010) := "1.2"', '(0028,0010) := "no number"',
                   '(0010,0020) := substring["a", 3, 9]', "(0010,0020) := (0008,1140)"):  # fmt: skip
        dataset = make_dataset(ReferencedImageSequence=[Dataset()])
        applied(f'(0008,0060) = "CT" : {action}', dataset)
        failure(f'(0008,0060) = "MR" : {action}', dataset)


def test_conditions_stop_at_the_first_that_is_false() -> None:
    dataset = make_dataset(ReferencedImageSequence=[Dataset()])
    applied('(0008,0060) = "CT" : (0008,1140) = "x" : - (0010,0010)', dataset)
    assert failure('(0008,1140) = "x" : (0008,0060) = "CT" : - (0010,0010)', dataset) == "not-readable"


def test_absent_and_empty_are_different_in_conditions() -> None:
    dataset = make_dataset(PatientSex="")
    applied("(0010,0040) = (0010,2160) : - (0010,0010)", dataset)
    assert "PatientName" in dataset
    applied('(0010,2160) = (0010,21F0) : (0010,0040) = "" : - (0010,0010)', dataset)
    assert "PatientName" not in dataset
    assert "PatientID" in applied('(0010,2160) ~ ".*" : - (0010,0020)')
    assert failure("(0008,0060) ~ (0010,2160) : - (0010,0020)") == "no-value"


def test_an_initial_value_that_nobody_uses_may_fail_and_one_that_is_used_is_found_once() -> None:
    assert applied('v := substring["ab", 5, 9]\n(0010,0020) := "x"').PatientID == "x"
    chain = "\n".join(f'v{n} := format["{{0}}{{1}}", v{n + 1}, v{n + 1}]' for n in range(18))
    assert len(value(f'v0\n{chain}\nv18 := "x"')) == 2**18
    long = "\n".join(f'v{n} := format["{{0}}{{1}}", v{n + 1}, v{n + 1}]' for n in range(40))
    assert failure(f'{long}\nv40 := "x"\n(0010,4000) := v0') == "too-long"
    long = "\n".join(f'v{n} := replace[v{n + 1}, "", v{n + 1}]' for n in range(40))
    assert failure(f'{long}\nv40 := "xx"\n(0010,4000) := v0') == "too-long"


def test_an_initial_value_without_value_does_not_ask_the_caller() -> None:
    assert value('v\nv := match["a", "b", 0]', v="given") == ""
    assert failure("(0010,0020) := v\nw := v") == "missing-variable"
    assert failure('(0010,0020) = "never" : (0010,0020) := v') == "missing-variable"
    assert failure('describe v "text"') == "missing-variable"


def test_arguments_of_new_are_evaluated_and_may_fail() -> None:
    dataset = make_dataset(ReferencedImageSequence=[Dataset()])
    assert failure("(0020,000D) := new UID[(0008,1140)]", dataset) == "not-readable"
    script = anon.compile_script("(0020,0052) := new UID\n(0020,000D) := new UID")
    first, second = make_dataset(StudyInstanceUID="1.2"), make_dataset(StudyInstanceUID="1.2")
    third = make_dataset(StudyInstanceUID="1.2", FrameOfReferenceUID="None")
    for each in (first, second, third):
        script.apply(each, {})
    assert first.StudyInstanceUID == second.StudyInstanceUID == third.StudyInstanceUID
    assert first.FrameOfReferenceUID == second.FrameOfReferenceUID != third.FrameOfReferenceUID
    assert first.FrameOfReferenceUID != first.StudyInstanceUID


def test_patterns_reach_what_is_there_when_their_turn_comes() -> None:
    dataset = make_dataset(PatientSex="F")
    dataset.add_new(0x00290010, "LO", "ACME")
    dataset.add_new(0x00291008, "CS", "X")
    applied("- (XXX#,XXXX)\n- (001@,004X)", dataset)
    assert 0x00290010 not in dataset and 0x00291008 not in dataset and "PatientSex" not in dataset
    dataset = make_dataset(ReferencedImageSequence=[Dataset()])
    assert failure('(0008,11XX) := "x"', dataset) == "no-text-possible"
    assert "ReferencedImageSequence" not in applied("- (0008,11XX)", dataset)
    assert applied('(0010,0000) := 5\n(0010,00X0) := "x"').PatientID == "x"


def test_a_pattern_may_take_the_character_set_with_all_texts_that_need_it() -> None:
    dataset = make_dataset(SpecificCharacterSet="ISO_IR 100", StudyDescription="Été")
    applied("- (0008,XXX5)\n- (0008,103X)", dataset)
    assert "SpecificCharacterSet" not in dataset
    dataset = make_dataset(SpecificCharacterSet="ISO_IR 100")
    dataset.add_new(0x00080025, "LO", "Été")
    applied("- (0008,00X5)", dataset)
    assert 0x00080005 not in dataset and 0x00080025 not in dataset
    dataset = make_dataset(SpecificCharacterSet="ISO_IR 100", StudyDescription="Été")
    assert failure("- (0008,00X5)", dataset) == "not-representable"


def test_meta_elements_are_reached_by_their_tag_only() -> None:
    dataset = make_dataset()
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.SourceApplicationEntityTitle = "SECRET"
    applied("- (0002,00XX)", dataset)
    assert dataset.file_meta.SourceApplicationEntityTitle == "SECRET"
    applied("- (0002,0016)", dataset)
    assert "SourceApplicationEntityTitle" not in dataset.file_meta


# -- values


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('substring["abc", 1, 1]', None),
        ('"[{0}]" substring["   ", 1, 9]', "[   ]"),
        ('substring["", 1, 9]', None),
        ('substring["a😀b", 1, 3]', "😀"),
        ('substring["a😀b", 0, 2]', "a?"),
        ('uppercase["ß"]', "SS"),
        ('replace["abc", "", "-"]', "-a-b-c-"),
        ('replace["a.c", ".", "\\\\1"]', "a\\1c"),
        ('match["abc", "b", 0]', None),
        ('match["abc", "(x)?abc", 1]', None),
        ('match["abc", "b(c)", 7]', None),
        ('match["AB", "(?i)(a)b", 1]', "A"),
        ('match["a-b", "\\\\Qa-\\\\E(.)", 1]', "b"),
        ('match["aab", "(a++)b", 1]', "aa"),
        ('match["Ab1", "\\\\p{Upper}\\\\p{Lower}[\\\\w&&[^a-z]]", 0]', "Ab1"),
        ('urlEncode["a b&ü~*"]', "a+b%26%C3%BC%7E*"),
        ('format["{0}-{1}-{2}", "a", (0010,2160)]', "a-null-{2}"),
        ('format["it\'s {0}", "a"]', "its {0}"),
        ('format["it\'\'s {0}", "a"]', "it's a"),
        ('format["a } {0}", "b"]', "a } b"),
        ('format["{0,}{+1}", "a", "b"]', "ab"),
        ('"{1} {0}" "a", "b"', "b a"),
        ('"{0}"', "{0}"),
        ("lowercase[(0010,2160), nonsense]", None),
        ("hashUID[(0010,2160)]", None),
    ],
)
def test_functions_do_in_corners_what_java_does(expression: str, expected: str | None) -> None:
    found = value(expression, nonsense="x")
    assert (found or None) == expected or found == expected


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ('substring["abc", 2, 1]', "out-of-range"),
        ('substring["\u00a0", 0, 9]', "out-of-range"),
        ('replace["a", "b", (0010,2160)]', "no-value"),
        ('match["abc", ".*", 1]', "out-of-range"),
        ('match["abc", (0010,2160), 0]', "no-value"),
        ("format[(0010,2160)]", "no-value"),
        ('format["{0,number}", "1"]', "bad-format"),
        ('format["{a}", "1"]', "bad-format"),
        ('format["{2147483648}", "1"]', "bad-format"),
        ('format[(0008,0060), "x"', "unbalanced-bracket"),
    ],
)
def test_functions_fail_where_java_fails(expression: str, code: str) -> None:
    assert failure(f"(0010,4000) := {expression}") == code


def test_a_format_that_is_not_a_literal_is_checked_when_it_is_known() -> None:
    assert value('format[(0010,0020), "b"]', make_dataset(PatientID="a{0}")) == "ab"
    assert failure("(0010,4000) := format[(0010,0020)]", make_dataset(PatientID="a{")) == "bad-format"


@pytest.mark.parametrize(
    ("keyword", "stored", "expected"),
    [
        ("PatientName", "DOE^JANE^^^ ", "DOE^JANE"),
        ("PatientName", "DOE^J^=漢^字", "DOE^J^=漢^字"),
        ("OtherPatientIDs", [" a ", "b "], "a\\b"),
        ("PatientComments", "  a\\b ", "  a\\b"),
        ("Rows", 512, "512"),
        ("FrameIncrementPointer", 0x00181063, "1577059"),
        ("PixelPaddingValue", [1, 2], "1\\2"),
        ("RecommendedDisplayFrameRateInFloat", 3.4028234663852886e38, "3.4028235E38"),
        ("DiffusionBValue", 1e10, "1.0E10"),
        ("DiffusionBValue", [0.1, 100.0], "0.1\\100.0"),
    ],
)
def test_elements_are_read_as_java_reads_them(keyword: str, stored: Any, expected: str) -> None:
    dataset = make_dataset()
    if isinstance(stored, list) and keyword == "PixelPaddingValue":
        dataset.add_new(0x00280120, "US", stored)
    else:
        setattr(dataset, keyword, stored)
    tag = dataset[keyword].tag
    assert value(f'format["{{0}}", ({tag.group:04X},{tag.element:04X})]', dataset).rstrip() == expected


@pytest.mark.parametrize(
    ("vr", "stored", "expected"),
    [
        ("OB", b"A\\\x00\xff", "41\\5C\\00\\FF"),
        ("UN", b"A\\\x00\xff", "A\\\\\\00\\FF"),
        ("OW", b"\x01\x02\xff\xff", "513\\65535"),
        ("OF", b"\x00\x00\x80\x3f", "1.0"),
        ("OL", b"A\\\x00\xff", "A\\\\\\00\\FF"),
        ("OD", b"AB\x00\xffABCD", "AB\\00\\FFABCD"),
        ("OV", b"AB\x00\xffABCD", "AB\\00\\FFABCD"),
        ("OB", b"", None),
        ("OD", b"", None),
        ("OW", b"", ""),
    ],
)
def test_binary_elements_are_read_as_java_reads_them(vr: str, stored: bytes, expected: str | None) -> None:
    dataset = make_dataset()
    dataset.add_new(0x00291001, vr, stored)
    assert value('"[{0}]" (0029,1001)', dataset) == f"[{'null' if expected is None else expected}]"


@pytest.mark.parametrize(
    ("tag", "text", "expected"),
    [
        ("(0028,0106)", "+7", 7),
        ("(0018,9087)", "1e3", 1000.0),
        ("(0018,9087)", " 0x1.8p1d ", 3.0),
        ("(0018,9087)", "NaN\\\\Infinity", None),
        ("(0018,9087)", "-.5f", -0.5),
        ("(0028,0009)", "FrameTime\\\\0018106a", [0x00181063, 0x0018106A]),
        ("(0028,0010)", "", None),
        ("(0018,6022)", "-5", -5),
    ],
)
def test_texts_become_numbers_as_java_reads_them(tag: str, text: str, expected: Any) -> None:
    dataset = applied(f'{tag} := "{text}"')
    found = dataset[int(tag[1:5] + tag[6:10], 16)].value
    if expected is None:
        assert found is None or len(found) == 2
    else:
        assert found == expected


@pytest.mark.parametrize("text", ["", " 1", "1 ", "1\\\\\\\\2", "1.0", "0x1", "1e400"])
def test_texts_that_are_no_numbers_refuse_the_object(text: str) -> None:
    tag = "(0018,9087)" if "e" in text else "(0028,0010)"
    if text:
        assert failure(f'{tag} := "{text}"') in ("not-a-number", "out-of-range")
    assert failure(f"{tag} := (0010,2160)") == "no-value"


@pytest.mark.parametrize(
    ("tag", "vr"),
    [
        (0x00100010, "PN"),
        (0x00100000, "UL"),
        (0x00290010, "LO"),
        (0x00290002, "LO"),
        (0x00291008, "LO"),
        (0x50000005, "US"),
        (0x501E0005, "US"),
        (0x50200005, "LO"),
        (0x60020010, "US"),
        (0x60003000, "OB"),
        (0x00280106, "US"),
        (0x00281101, "US"),
        (0x00283006, "OW"),
        (0x7FE00010, "OW"),
        (0x54001010, "OB"),
        (0x00280400, "US"),
        (0x00280403, "AT"),
        (0x00280410, "LO"),
        (0x00203100, "CS"),
        (0x00203101, "LO"),
        (0x00287FE0, "UT"),
        (0x00080119, "LO"),
        (0x00080220, "LO"),
        (0x00189361, "LO"),
        (0x00189360, "SQ"),
        (0x00400710, "LO"),
        (0x0040A160, "UT"),
        (0x300A0600, "LO"),
        (0x00701505, "LO"),
        (0x0072006C, "SH"),
        (0x0072006B, "LO"),
        (0x12345678, "LO"),
    ],
)
def test_the_dictionary_is_the_one_of_2012(tag: int, vr: str) -> None:
    assert vr_in_2012(tag) == vr


def test_iso_ir_6_declares_nothing() -> None:
    dataset = make_dataset(SpecificCharacterSet="ISO_IR 6")
    script = anon.compile_script('(0010,4000) := "é"')
    report = script.apply(dataset, {})
    assert dataset.get_item("PatientComments").value.rstrip() == "é".encode()
    assert any("character set" in message for message in report.messages)


def test_lone_halves_of_characters_from_the_caller_become_question_marks() -> None:
    assert value("hashUID[v]", v="\ud83d") == value("hashUID[v]", v="?")
    assert value('"\ud83d"') == "?"


def test_guesses_and_surprises_are_warned_of() -> None:
    text = (
        '(0020,000D) := hashUID[(0010,0030)]\n(0010,0030) := (0008,0020)\n(0008,0060) = "MR" : '
        "- (0010,0030)\n(0010,0040) := lowercase[(0010,0030)]\n(0008,0060) ~ (0020,000D) : "
        "- (0010,0010)\n- (0010,00X0)"
    )
    found = [(each.code, each.line) for each in anon.compile_script(text).warnings]
    assert sorted(found, key=lambda each: each[1]) == [
        ("guessable-hash", 1), ("first-wins", 3), ("reads-original", 4), ("reads-original", 5),
    ]  # fmt: skip
