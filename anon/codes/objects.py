"""Failures of a script on an object. The object is left as it was, and not stored."""

from __future__ import annotations

from typing import Final

from anon.codes.entry import Code, entry


def _on_object(
    code: str, title: str, text: str, wrong: str = "", right: str = "", *, six: bool = False
) -> Code:
    return entry(code, title, text, wrong, right, when="object", six=six)


OBJECTS: Final[tuple[Code, ...]] = (
    _on_object(
        "absent-in-label",
        "a value in the session label is absent",
        "A label is made of values that are always there.",
    ),
    _on_object(
        "backslash",
        "the value of a variable holds a backslash",
        "A backslash separates the values of an element, so one label would become two. Whoever applies the "
        "script has to leave it out.",
    ),
    _on_object(
        "bad-data-set",
        "the object cannot be read",
        "The file is damaged, or no DICOM file.",
    ),
    _on_object(
        "bad-image",
        "the attributes of the pixel data make no sense",
        "Rows, columns, bits and the pixel data contradict each other.",
    ),
    _on_object(
        "bad-record-id",
        "the id of a record is too long",
        "At most 16 plain characters.",
    ),
    _on_object(
        "bad-replacement",
        "the replacement of `replace` cannot be used",
        "Only $0 and a backslash before a character are special.",
    ),
    _on_object(
        "has-icon",
        "the object has an icon of the image",
        "The icon shows what is to be blacked out; remove it first.",
    ),
    _on_object(
        "has-overlay",
        "the object has overlays",
        "Overlays are not blacked out; remove them first.",
    ),
    _on_object(
        "identity-removed",
        "a script removes the UIDs an object cannot be without",
        "Replace the SOP UIDs instead.",
        wrong="- (0008,0018)",
        right="(0008,0018) := hashUID[(0008,0018)]",
    ),
    _on_object(
        "missing-codec",
        "no program to decode the pixel data is installed",
        "Install the project with all of its dependencies.",
    ),
    _on_object(
        "missing-variable",
        "a variable has no value",
        "XNAT supplies project, subject, session and modalityLabel; anything else whoever "
        "applies the script.",
        wrong="(0010,0010) := nobody",
        right='(0010,0010) := "nobody"',
    ),
    _on_object(
        "needs-object",
        "the session label depends on elements",
        "A label is made before an object is seen, of variables alone.",
    ),
    _on_object(
        "nested-pixels",
        "a sequence has compressed pixel data",
        "They are not decoded; remove the sequence first.",
    ),
    _on_object(
        "no-creator",
        "a private element in a block without creator",
        "Assign by creator, which makes it, too.",
    ),
    _on_object(
        "no-data-element",
        "an element of a group that data sets do not have",
        "Such as 0000, 0001 and FFFF.",
    ),
    _on_object(
        "no-private-block",
        "a private group has no free block left",
        "Remove private elements first.",
    ),
    _on_object(
        "no-such-date",
        "a date or time that does not exist",
        "Such as 20230230.",
        wrong='(0008,0020) := shiftDateByIncrement["20230230", 1]',
        right='(0008,0020) := shiftDateByIncrement["20230228", 1]',
        six=True,
    ),
    _on_object(
        "no-such-key",
        "the lookup table has no entry for a value",
        "The object is refused, so the original cannot stay by mistake.",
    ),
    _on_object(
        "not-a-date",
        "a value is no date",
        "Dates are eight digits, year first.",
        wrong='(0008,0020) := shiftDateByIncrement["yesterday", 1]',
        right='(0008,0020) := shiftDateByIncrement["20230228", 1]',
        six=True,
    ),
    _on_object(
        "not-a-number",
        "a text for an element that holds numbers",
        "Write digits.",
        wrong='(0028,0010) := "many"',
        right='(0028,0010) := "12"',
    ),
    _on_object(
        "not-a-sequence",
        "a path leads through an element that is no sequence",
        "Only sequences have items.",
        wrong='(0010,0010)[0]/(0010,0020) := "x"',
        right='(0008,1140)[0]/(0008,1155) := "1.2"',
        six=True,
    ),
    _on_object(
        "not-a-tag",
        "a text for an element that holds a tag",
        "Eight hexadecimal digits.",
        wrong='(0028,0009) := "Rows"',
        right='(0028,0009) := "00181063"',
        six=True,
    ),
    _on_object(
        "not-an-age",
        "a value is no age",
        "Three digits and one of D, W, M, Y.",
    ),
    _on_object(
        "not-an-image",
        "the object has pixel data without the attributes of an image",
        "Rows, columns and the like are missing.",
    ),
    _on_object(
        "not-decodable",
        "the pixel data cannot be decoded",
        "They are damaged, or not of the kind the object says.",
    ),
    _on_object(
        "not-encodable",
        "an element cannot be decoded or encoded",
        "The object is damaged.",
    ),
    _on_object(
        "not-representable",
        "a text does not fit the character set of the object",
        "Assign (0008,0005) first, in DicomEdit 4 below the text; ISO_IR 192 holds every text.",
        wrong='(0010,0010) := "日本"',
        right='(0008,0005) := "ISO_IR 192"\n(0010,0010) := "日本"',
        six=True,
    ),
    _on_object(
        "out-of-range",
        "a number or place that is not there",
        "A number too large for its element, a place behind the end of a text, a group that "
        "the pattern does not have.",
        wrong='(0028,0010) := "70000"',
        right='(0028,0010) := "512"',
    ),
    _on_object(
        "outside-image",
        "the rectangle is not on the image",
        "Sides are pixels from the top left corner.",
    ),
    _on_object(
        "regex-timeout",
        "a pattern runs too long",
        "Repetitions within repetitions, such as (a+)+, take for ever on some values.",
    ),
    _on_object(
        "short-pixel-data",
        "the pixel data are too short",
        "The object is damaged.",
    ),
    _on_object(
        "too-many-pixels",
        "the pixel data would be too large",
        "The object says that its image is larger than memory allows.",
    ),
    _on_object(
        "unknown-character-set",
        "there is no such character set",
        "See PS3.3 section C.12.1.1.2.",
        wrong='(0008,0005) := "ISO_IR 9"',
        right='(0008,0005) := "ISO_IR 192"',
    ),
    _on_object(
        "unset-variable",
        "the statement that sets a variable was not reached",
        "Give it a value before the condition.",
        wrong='(0008,0060) = "NN" ? v := "a"\n(0010,0020) := v',
        right='v := ""\n(0008,0060) = "NN" ? v := "a"\n(0010,0020) := v',
        six=True,
    ),
    _on_object(
        "unsupported-image",
        "an image of a kind that cannot be edited",
        "Only pixel data of whole numbers with 8 or 16 bits.",
    ),
    _on_object(
        "unsupported-transfer-syntax",
        "a compression that cannot be edited",
        "Decompress the object first, or keep it out.",
    ),
    _on_object(
        "url-failed",
        "a web server gave no answer that can be used",
        "The address is wrong, or the server is away.",
    ),
    _on_object(
        "wrong-vr",
        "a function for dates gets an element that holds none",
        "Name an element with VR DA or DT.",
        wrong="(0008,0020) := shiftDateByIncrement[(0010,0020), 1]",
        right="(0008,0020) := shiftDateByIncrement[(0008,0020), 1]",
        six=True,
    ),
)
