"""Reading a file of tests: NAME.tests.toml beside NAME.das."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import pydicom
from pydicom._uid_dict import UID_dictionary
from pydicom.uid import UID

from anon.encoding.elements import VR_NAMES
from anon.encoding.instance import can_parse
from anon.errors import Diagnostic, ScriptError
from anon.lookup import LookupTable, parse_table
from anon.testing.expectations import read_expectations
from anon.testing.lines import Location
from anon.testing.model import FormatError, Input, ScriptTest, Suite, TagValue, Target
from anon.testing.reader import CODE, Reader
from anon.testing.registry import verbs

SAMPLES: Final = Path(pydicom.__file__).parent / "data" / "test_files"
_DEFAULT_SYNTAX: Final = "1.2.840.10008.1.2.1"
_NOT_TEXT_VRS: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW"})
_VRS: Final = frozenset(VR_NAMES.values())
_TRANSFER_SYNTAX: Final = "(0002,0010)"


def read_suite(path: Path) -> Suite:
    """Read a file of tests; paths in it start from its folder.

    Raises:
        FormatError: with all its mistakes.
        OSError: it cannot be read.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"not UTF-8 text (byte {error.start})"
        found = Diagnostic(CODE, message, line, 1, line, 2, "save the file as UTF-8")
        raise FormatError([found], str(path), content.decode("utf-8", "replace")) from None
    return parse_suite(text, str(path), path.parent)


def parse_suite(text: str, name: str, folder: Path) -> Suite:
    """Read the text of a file of tests. Inputs are not read, but the lookup table is.

    Args:
        text: of the file.
        name: for messages.
        folder: that paths in it start from.

    Raises:
        FormatError: with all its mistakes.
    """
    reader = Reader(text, name, folder)
    document = reader.document
    reader.check_keys(document, ("variables", "lookup", "test"), (), "a file of tests", _top_advice)
    variables = reader.variables(document.get("variables", {}), ("variables",))
    lookup = _lookup(reader, document["lookup"]) if "lookup" in document else None
    tests = document.get("test", [])
    if not isinstance(tests, list) or not tests or not all(isinstance(each, dict) for each in tests):
        reader.complain(("test",), "there are no tests in here", "each begins with the line [[test]]")
        tests = []
    found = [_test(reader, each, ("test", number), variables) for number, each in enumerate(tests)]
    _refuse_same_names(reader, found)
    if reader.problems:
        raise FormatError(reader.problems, name, reader.source)
    return Suite(name, tuple(found), lookup)


def _top_advice(key: str) -> str:
    return "each test begins with the line [[test]]" if key in ("input", "expect", "name", "tests") else ""


def _test_advice(key: str) -> str:
    if key in verbs():
        return f"{key!r} belongs below [test.expect]"
    return f"{key!r} belongs below [test.input]" if key in _INPUT_KEYS else ""


def _test(
    reader: Reader, table: Mapping[str, Any], location: Location, defaults: Mapping[str, str]
) -> ScriptTest:
    reader.check_keys(table, ("name", "variables", "input", "expect"), location, "a test", _test_advice)
    name = reader.text(table.get("name"), (*location, "name"), "the name of a test")
    variables = {**defaults, **reader.variables(table.get("variables", {}), (*location, "variables"))}
    called = f"the test {name!r}" if name else "this test"
    written = table.get("input")
    inputs: list[Input] = []
    if isinstance(written, list) and written:
        for number, each in enumerate(written):
            inputs.append(_input(reader, each, (*location, "input", number), variables))
    elif written is not None and written != []:
        inputs.append(_input(reader, written, (*location, "input"), variables))
    else:
        reader.complain(location, f"{called} has no input", "write [test.input] or [test.input.tags]")
    if "expect" not in table:
        reader.complain(location, f"{called} expects nothing", "write [test.expect]")
        return ScriptTest(name, tuple(inputs), (), reader.line(location))
    expectations = read_expectations(reader, table["expect"], (*location, "expect"))
    return ScriptTest(name, tuple(inputs), expectations, reader.line(location))


def _refuse_same_names(reader: Reader, tests: list[ScriptTest]) -> None:
    seen: set[str] = set()
    for number, test in enumerate(tests):
        if test.name and test.name in seen:
            reader.complain(
                ("test", number, "name"), f"two tests have the name {test.name!r}", "give each its own"
            )
        seen.add(test.name)


# -- inputs


_INPUT_KEYS: Final = ("file", "sample", "tags", "without", "transfer_syntax", "variables")


def _input(reader: Reader, value: Any, location: Location, variables: Mapping[str, str]) -> Input:
    table = reader.table(value, location, "an input")
    reader.check_keys(table, _INPUT_KEYS, location, "an input")
    file = _file(reader, table, location)
    if file is None and "tags" not in table:
        reader.complain(location, "an input needs a file, a sample or tags", "write [test.input.tags]")
    if "transfer_syntax" in table and ("file" in table or "sample" in table):
        reader.complain((*location, "transfer_syntax"), "a file has its transfer syntax", "leave this out")
    given = reader.table(table.get("tags", {}), (*location, "tags"), "tags")
    tags = [_tag(reader, name, each, (*location, "tags", name)) for name, each in given.items()]
    place = (*location, "without")
    without = reader.targets(table["without"], place) if "without" in table else []
    if without and file is None:
        reader.complain(
            place,
            "'without' takes elements away from a file or a sample",
            "leave them out of the tags instead",
        )
    return Input(
        file,
        tuple(tag for tag in tags if tag is not None),
        tuple(without),
        _transfer_syntax(reader, table, location),
        {**variables, **reader.variables(table.get("variables", {}), (*location, "variables"))},
    )


def _file(reader: Reader, table: Mapping[str, Any], location: Location) -> Path | None:
    """Where the file is that an input starts from."""
    if "sample" in table:
        place = (*location, "sample")
        if "file" in table:
            reader.complain(place, "an input is made of a file or of a sample", "leave one of them out")
        name = reader.text(table["sample"], place, "the name of a sample")
        known = {path.name for path in SAMPLES.glob("*.dcm")}
        if name and name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.0)
            reader.complain(
                place, f"there is no sample {name!r}", f"the nearest one is {near[0]!r}", culprit=name
            )
        return SAMPLES / name
    if "file" not in table:
        return None
    place = (*location, "file")
    name = reader.text(table["file"], place, "the path of a file")
    _refuse_remote(reader, name, place)
    return reader.folder / name


def _refuse_remote(reader: Reader, name: str, location: Location) -> None:
    if "://" in name or "\0" in name:
        reader.complain(
            location, f"{name!r} is no path of a file", "tests take files of this machine only", culprit=name
        )


def _transfer_syntax(reader: Reader, table: Mapping[str, Any], location: Location) -> str:
    if "transfer_syntax" not in table:
        return _DEFAULT_SYNTAX
    place = (*location, "transfer_syntax")
    name = reader.text(table["transfer_syntax"], place, "a transfer syntax")
    by_keyword = {entry[4]: uid for uid, entry in UID_dictionary.items() if can_parse(uid)}
    uid = by_keyword.get(name, name)
    if name and not can_parse(uid):
        near = get_close_matches(name, by_keyword, n=1, cutoff=0.0)
        message = f"{name!r} is no transfer syntax that data sets can be in"
        reader.complain(place, message, f"the nearest one is {near[0]!r}", culprit=name)
        return _DEFAULT_SYNTAX
    return UID(uid)


def _tag(reader: Reader, name: str, value: Any, location: Location) -> TagValue | None:
    """An element that an input is given: its value, or a table of VR and value."""
    target = reader.target(name, location, single=True)
    if target is not None and target.path.text == _TRANSFER_SYNTAX:
        message = "the transfer syntax is not given as an element"
        reader.complain(location, message, 'write transfer_syntax = "..." below [test.input]')
        return None
    if not isinstance(value, dict):
        return _tag_value(reader, target, value, None, location)
    reader.check_keys(value, ("vr", "value", "hex"), location, "an element", _nested_advice)
    vr = value.get("vr")
    if vr is not None and not (isinstance(vr, str) and vr in _VRS):
        reader.complain((*location, "vr"), f"{vr!r} is no value representation", "two capital letters: LO")
        vr = None
    if "hex" in value:
        try:
            return None if target is None else TagValue(target, bytes.fromhex(value["hex"]), vr)
        except (TypeError, ValueError):
            reader.complain((*location, "hex"), "this is no hexadecimal value", 'pairs of digits: "00FF"')
            return None
    return _tag_value(reader, target, value.get("value", ""), vr, location)


def _nested_advice(_: str) -> str:
    example = "RequestAttributesSequence[0]/ScheduledProcedureStepID"
    return f'an element of an item is written with its path: "{example}"'


def _tag_value(
    reader: Reader, target: Target | None, value: Any, vr: str | None, location: Location
) -> TagValue | None:
    if vr in _NOT_TEXT_VRS:
        hint = f'{{ vr = "{vr}", hex = "00FF" }}'
        reader.complain(location, f"a value of VR {vr} is written in hexadecimal", hint)
        return None
    if value == []:
        return None if target is None else TagValue(target, None, vr)
    text = reader.value_text(value, location)
    return None if target is None or text is None else TagValue(target, text, vr)


# -- lookup tables


def _lookup(reader: Reader, value: Any) -> LookupTable | None:
    """The lookup table: the path of a file, or entries written into the file of tests."""
    location: Location = ("lookup",)
    if isinstance(value, dict):
        text = "\n".join(f"{key} = {entry}" for key, entry in value.items())
        name = "[lookup]"
    else:
        name = reader.text(value, location, "the path of the lookup table")
        _refuse_remote(reader, name, location)
        try:
            text = (reader.folder / name).read_bytes().decode("utf-8") if name else ""
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            hint = "paths start from the folder of the tests"
            reader.complain(location, f"the lookup table cannot be read: {reason}", hint, culprit=name)
            return None
    try:
        return parse_table(text, name)
    except ScriptError as error:
        for found in error.diagnostics:
            reader.complain(location, f"{name}, line {found.line}: {found.message}", found.hint)
        return None
