"""A first file of tests for a script: an object with what it names, and what it makes of that now."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from anon.language import choose_language
from anon.script import Script
from anon.syntax import nodes
from anon.syntax.parse import parse4, parse6
from anon.tagpath import TagError, TagPath, TagStep
from anon.testing.inputs import build
from anon.testing.model import Input, InputError, ScriptTest, TagValue, Target
from anon.testing.observed import Observed, Pair, all_pairs
from anon.testing.run import observe
from anon.testing.targets import parse_target
from anon.vr import vr_today

_EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"
_BASIC: Final = {
    "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4",
    "SOPInstanceUID": "1.2.3.4.5.6",
    "StudyDate": "20240229",
    "Modality": "MR",
    "StudyDescription": "Knee left",
    "PatientName": "Doe^Jane",
    "PatientID": "123456",
    "PatientBirthDate": "19701231",
    "StudyInstanceUID": "1.2.3.4",
    "SeriesInstanceUID": "1.2.3.4.5",
}
_BY_VR: Final = {
    "AE": "SCANNER1", "AS": "045Y", "CS": "TEXT", "DA": "20240229", "DS": "1.5", "DT": "20240229101112",
    "FD": "1.5", "FL": "1.5", "IS": "1", "PN": "Doe^Jane", "SL": "1", "SS": "1", "SV": "1", "TM": "101112",
    "UI": "1.2.3.4.7", "UL": "1", "UR": "http://example.org", "US": "1", "UV": "1",
    "LO": "some text", "LT": "some text", "SH": "some text", "ST": "some text", "UC": "some text",
    "UN": "some text", "UT": "some text",
}  # fmt: skip
_VARIABLES: Final = {"project": "P4", "subject": "S1", "session": "S1_MR", "modalitylabel": "MR"}
_NOT_GIVEN: Final = frozenset({0x0000, 0x0002, 0x0004, 0x7FE0})  # groups: not of the data set, and pixels
_SPECIFIC_CHARACTER_SET: Final = 0x00080005
_LONGEST_VALUE: Final = 120
_HEADER: Final = """\
# Tests for {name}. Run them with: prearc anon test {name}
#
# Written by `prearc anon test --init`: an object with the elements that the script names, and what the script
# makes of it now. Read what is expected, correct what is not meant to be so, and add tests for other objects.
# The words below [test.expect] are explained in docs/script-tests.md.
"""
_COMMENTS: Final = {
    "absent": "gone",
    "empty": "there, without a value",
    "uid_changed": "another UID",
    "text_notnull": "some value",
    "unchanged": "as it was",
}


def starter_suite(script: Script, name: str) -> str:
    """The text of a file of tests that pass.

    Args:
        script: that the tests are for.
        name: of its file.
    """
    variables = {each: _VARIABLES.get(each.lower(), f"{each}1") for each in script.variables}
    tags = _tags(script, variables)
    parts = [_HEADER.format(name=name)]
    if variables:
        lines = [f"{_quoted_key(key)} = {_quoted(value)}\n" for key, value in variables.items()]
        parts.append("[variables]\n" + "".join(lines))
    lines = [f"{_key(tag.target)} = {_quoted(str(tag.value))}\n" for tag in tags]
    parts.append('[[test]]\nname = "what becomes of an object"\n\n[test.input.tags]\n' + "".join(lines))
    parts.append("[test.expect]\n" + _expectations(script, _input(tags, variables)))
    return "\n".join(parts)


# -- the input


def _tags(script: Script, variables: dict[str, str]) -> list[TagValue]:
    """The elements of a plain object, and those that the script names."""
    targets = [parse_target(keyword, single=True) for keyword in _BASIC]
    targets += [target for path in _paths(script) if (target := _target(path)) is not None]
    found: dict[str, TagValue] = {}
    for target in targets:
        value = _value(target)
        if value is not None:
            found.setdefault(target.path.text, TagValue(target, value))
    tags = sorted(found.values(), key=lambda each: each.target.path.text)
    try:
        build(_input(tags, variables))
    except InputError:
        return _fitting(tags, variables)
    return tags


def _fitting(tags: list[TagValue], variables: dict[str, str]) -> list[TagValue]:
    """Elements without those that have no place beside the others."""
    kept: list[TagValue] = []
    for tag in tags:
        with suppress(InputError):
            build(_input([*kept, tag], variables))
            kept.append(tag)
    return kept


def _paths(script: Script) -> Iterator[TagPath]:
    language = choose_language(script.text, script.name)
    read = parse4 if language.dialect == 4 else parse6
    yield from _paths_in(read(language.source)[0])


def _paths_in(found: Any) -> Iterator[TagPath]:
    """All tag paths of a syntax tree."""
    if isinstance(found, nodes.Path):
        yield found.path
    elif isinstance(found, tuple):
        for each in found:
            yield from _paths_in(each)
    elif isinstance(found, nodes.Node):
        for field in dataclasses.fields(found):
            yield from _paths_in(getattr(found, field.name))


def _target(path: TagPath) -> Target | None:
    """The element that a path of a script means, if it is a single one that can be given a value."""
    try:
        target = parse_target(path.text, single=True)
    except TagError:
        return None
    tag = _last(target).bits
    if tag >> 16 in _NOT_GIVEN or not tag & 0xFFFF or tag == _SPECIFIC_CHARACTER_SET:
        return None
    return target


def _last(target: Target) -> TagStep:
    last = target.path.steps[-1]
    assert isinstance(last, TagStep)
    return last


def _value(target: Target) -> str | None:
    """A value that fits the element."""
    if target.keyword in _BASIC:
        return _BASIC[target.keyword]
    last = _last(target)
    vr = "LO" if last.creator is not None else vr_today(last.bits)
    return _BY_VR.get(vr)


def _input(tags: list[TagValue], variables: dict[str, str]) -> Input:
    return Input(None, tuple(tags), (), _EXPLICIT_LITTLE, variables)


# -- what the script makes of it


def _expectations(script: Script, source: Input) -> str:
    test = ScriptTest("", (source,), (), 1)
    content = build(source)
    # Twice, because some values are other ones each time.
    observed, again = (observe(script, test, 0, content) for _ in range(2))
    if observed.failure is not None:
        return f"fails = {_quoted(observed.failure.code)}\n"
    if observed.outcome == "rejected" or again.after is None:
        return "rejected = true\n"
    named = {tag.target.path.text for tag in source.tags}
    names: dict[str, list[str]] = {}
    values: list[str] = []
    for pair in all_pairs(observed):
        if pair.path.startswith("(0002,") or (pair.before is not None and pair.path not in named):
            continue
        try:
            target = parse_target(pair.path, single=True)
        except TagError:  # the creator has letters that paths cannot have
            continue
        verb = _verb(pair, observed, again)
        if verb == "equals":
            assert pair.after is not None
            values.append(f"{_key(target)} = {_quoted(pair.after.text or '')}\n")
        elif verb:
            names.setdefault(verb, []).append(_quoted(target.keyword if _is_plain(target) else pair.path))
    written = [
        f"# {comment}\n{verb} = [{', '.join(names[verb])}]\n"
        for verb, comment in _COMMENTS.items()
        if verb in names
    ]
    if values:
        written.append("\n# with this value\n[test.expect.equals]\n" + "".join(values))
    return "".join(written)


def _verb(pair: Pair, observed: Observed, again: Observed) -> str:
    """What is true of an element now; "" where nothing is worth to be said."""
    before, after = pair.before, pair.after
    if after is None:
        return "absent"
    if before is not None and after.is_same(before):
        return "unchanged"
    if after.element.is_sequence:
        return ""  # what is in it comes by itself
    if after.is_empty:
        return "empty"
    if before is not None and after.element.vr == "UI":
        return "uid_changed"
    assert again.after is not None
    other = again.after.entries.get(pair.steps)
    is_the_same_each_time = other is not None and other.is_same(after)
    is_short = after.text is not None and len(after.text) <= _LONGEST_VALUE
    return "equals" if is_the_same_each_time and is_short else "text_notnull"


# -- TOML


def _key(target: Target) -> str:
    return target.keyword if _is_plain(target) else _quoted(target.path.text)


def _is_plain(target: Target) -> bool:
    return bool(target.keyword) and len(target.path.steps) == 1


def _quoted_key(name: str) -> str:
    return name if name.isascii() and name.replace("_", "").replace("-", "").isalnum() else _quoted(name)


def _quoted(text: str) -> str:
    """A text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
