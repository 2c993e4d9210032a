"""Random scripts of DicomEdit 4 with the result they must have, found without the engine.

Text and value of every expression are made together, and the actions are carried out on the JSON form of the
golden results' objects: what is shared with the engine is the dictionary of 2012, nothing else.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import random
import re
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import quote_plus

import vectors

from anon.vr import vr_in_2012

Json = dict[str, Any]
Written = tuple[str, str | None]

VARIABLES = {"project": "PROJ_01", "Subject": "SUBJ007", "vb": "Beta"}
READABLE = (  # noqa: SIM905 (shorter like this)
    "00080008 00080020 00080030 00080050 00080060 00080081 00080090 00080094 00081030 00100010 00100020 "
    "00100030 00101090 00102160 00102180 00104000 0020000D 00200013 00280010 00280030 00290010 00291008 "
    "00291010 00291011"
).split()
TARGETS = (*READABLE, "00100217", "60000022", "00281101", "00091001")
NEEDED = ("00080005", "00080016", "00080018")  # not for patterns: without them objects are refused
LITERALS = ("ANON", "X1", "Site A", "a\\b", "", "removed", "7", "2020", "é", "x^y", "α", " pad ")
# Pattern for the script, the same for Python, group.
MATCHES = (
    (r"(.).*", r"([^\n\r])[^\n\r]*", 1),
    (r"(?s).*", r"(?s).*", 0),
    (r"(\w+)[^\w](.*)", r"(\w+)[^\w]([^\n\r]*)", 2),
    (r"([A-Z]+)?.*", r"([A-Z]+)?[^\n\r]*", 1),
    (r"(?i)[a-z]+", r"(?i)[a-z]+", 0),
    (r"\d+", r"\d+", 0),
    (r"[A-Z].*", r"[A-Z][^\n\r]*", 0),
    (r"M.|C.|U\w", r"M[^\n\r]|C[^\n\r]|U\w", 0),
)
TEXT_VRS = {"LO", "SH", "PN", "LT", "ST", "UT"}
WHOLE_TEXT_VRS = {"LT", "ST", "UT"}
NAME_PARTS = ("Alphabetic", "Ideographic", "Phonetic")


@cache
def objects() -> list[Json]:
    """Three objects of the golden results: UTF-8, Latin-1, and without a declaration."""
    lines = (vectors.FOLDER / "vectors4" / "charset.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["input"] for line in lines[:3]]


def read(dataset: Json, tag: str) -> str | None:
    """What a script reads (SPEC-4 section 6)."""
    element = dataset.get(tag)
    if element is None:
        return None
    if element["vr"] in ("OB", "UN"):
        value = base64.b64decode(element.get("InlineBinary", ""))
        if element["vr"] == "OB":
            return value.hex("\\").upper() or None
        shown = ("\\\\" if b == 92 else chr(b) if 32 <= b < 127 else f"\\{b:02X}" for b in value)
        return "".join(shown) or None
    values = element.get("Value", [])
    if element["vr"] != "PN":
        return "\\".join("" if one is None else str(one) for one in values)
    names = ("=".join((one or {}).get(part, "") for part in NAME_PARTS).rstrip("=") for one in values)
    return "\\".join(name.rstrip("^ ") for name in names)


def stored(tag: str, text: str | None, charset: str | None) -> Json | None:
    """The element that a text becomes (SPEC-4 section 7), or None when the object is refused."""
    vr = vr_in_2012(int(tag, 16))
    if vr == "US":
        pieces = [] if text == "" else ["none"] if text is None else text.split("\\")
        if not all(re.fullmatch(r"[+-]?[0-9]{1,9}", piece) and 0 <= int(piece) < 65536 for piece in pieces):
            return None
        return {"vr": vr, "Value": [int(piece) for piece in pieces]} if pieces else {"vr": vr}
    text = text or ""
    if (
        vr in TEXT_VRS
        and charset == "latin-1"
        and text.encode("latin-1", "replace").decode("latin-1") != text
    ):
        return None
    if vr not in TEXT_VRS or charset is None:
        text = text.encode().decode("latin-1")
    strip = " \0"
    values = [text] if vr in WHOLE_TEXT_VRS else text.split("\\")
    values = [one.rstrip(strip) if vr in TEXT_VRS else one.strip(strip) for one in values]
    if values == [""]:
        return {"vr": vr}
    if vr != "PN":
        return {"vr": vr, "Value": [one or None for one in values]}
    names = ({k: v for k, v in zip(NAME_PARTS, one.split("="), strict=False) if v} for one in values)
    return {"vr": vr, "Value": [name or None for name in names]}


def tag_text(tag: str) -> str:
    """A tag or pattern as scripts write it."""
    return f"({tag[:4]},{tag[4:]})"


def literal(text: str) -> str:
    """A string as scripts write it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def matches(pattern: str, tag: str) -> bool:
    """Whether a pattern means a tag."""
    kinds = {"X": (0, 1), "@": (0,), "#": (1,)}
    return all(
        int(digit, 16) % 2 in kinds[letter] if letter in kinds else letter == digit
        for letter, digit in zip(pattern, tag, strict=True)
    )


def hashed(text: str) -> str:
    """`hashUID` (SPEC-4 section 8.3)."""
    number = int.from_bytes(hashlib.sha1(text.encode()).digest()[:16], "big")
    number = number & ~(0xF << 76) | 5 << 76
    return f"2.25.{number & ~(3 << 62) | 2 << 62}"


class Writer:
    """Writes one script, and works out what it does."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.input = self.random.choice(objects())
        self.dataset: Json = self.input["dataset"]
        declared = self.dataset.get("00080005", {}).get("Value", [None])[0]
        self.charset = {"ISO_IR 192": "utf-8", "ISO_IR 100": "latin-1"}.get(declared)
        self.initials: dict[str, str | None] = {}

    def vector(self) -> Json:
        """The script and its result, as golden results are written."""
        initialisations = []
        for name in self.random.sample(["va", "w1", "Zeta", "_x"], self.random.randrange(4)):
            text, value = self.value()
            self.initials[name] = value
            initialisations.append(f"{name} := {text}")
        lines, actions = [], []
        for _ in range(self.random.randrange(1, 8)):
            condition, holds = self.conditions()
            statement, action = self.action()
            lines.append(condition + statement + self.random.choice(["", "", '  // n "x']))
            if holds and action is not None:
                actions.append(action)
        for initialisation in initialisations:  # a variable may be used above
            lines.insert(self.random.randrange(len(lines) + 1), initialisation)
        line_end = self.random.choice(["\n", "\n", "\r\n", "\r", "\n\n", "\n \t// a line\n"])
        result = self.result(actions)
        expect = {"status": "error"} if result is None else {"status": "ok", "dataset": result}
        script = line_end.join(lines)
        return {"script": script, "variables": VARIABLES, "input": self.input, "expect": expect}

    # -- values

    def value(self) -> Written:
        """A message format or a term."""
        if self.random.random() < 0.75:
            return self.term()
        terms = [self.term() for _ in range(self.random.randrange(1, 4))]
        pattern, text = self.format([value for _, value in terms])
        return f"{literal(pattern)} {', '.join(term for term, _ in terms)}", text

    def format(self, values: list[str | None]) -> tuple[str, str]:
        """A pattern and what it gives."""
        pattern = text = ""
        for _ in range(self.random.randrange(1, 3)):
            number = self.random.randrange(len(values) + 1)
            before = self.random.choice(["", "<", "a ", "-", "}"])
            pattern += f"{before}{{{number}}}"
            value = f"{{{number}}}" if number == len(values) else values[number]
            text += before + ("null" if value is None else value)
        ending, shown = self.random.choice(
            [("", ""), ("", ""), ("''", "'"), ("'{0}", "{0}"), ("'{0}'!", "{0}!")]
        )
        return pattern + ending, text + shown

    def term(self, depth: int = 0) -> Written:
        """A literal, number, tag, variable or call."""
        kind = self.random.random()
        if kind < 0.22 or depth > 3:
            text = self.random.choice(LITERALS)
            return literal(text), text
        if kind < 0.28:
            number = str(self.random.choice([0, 5, -3, 12]))
            return number, number
        if kind < 0.55:
            tag = self.random.choice(READABLE)
            written = tag_text(tag)
            return self.random.choice([written, written.lower()]), read(self.dataset, tag)
        if kind < 0.65:
            known = {**VARIABLES, **self.initials}
            name = self.random.choice(list(known))
            return self.random.choice([name, name.lower(), name.upper()]), known[name]
        return self.call(depth + 1)

    def call(self, depth: int) -> Written:
        """A function."""
        argument, value = self.term(depth)
        name = self.random.choice(
            ["lowercase", "uppercase", "hashUID", "urlEncode", "format", "match", "replace", "substring"]
        )
        blank = self.random.choice(["", " ", "\t", "\\\n"])
        if name == "format":
            other, second = self.term(depth)
            pattern, text = self.format([value, second])
            return f"format[{literal(pattern)},{blank}{argument}, {other}]", text
        if name == "match":
            java, python, group = self.random.choice(MATCHES)
            found = None if value is None else re.fullmatch(python, value, re.ASCII)
            return f"match[{argument},{blank}{literal(java)}, {group}]", found and found[group]
        whole = "null" if value is None else value
        if name == "replace":
            old, new = self.random.choice("asl^o "), self.random.choice(["#", "", "__", "$1"])
            call = f'replace[format["{{0}}", {argument}], {literal(old)}, {literal(new)}]'
            return call, whole.replace(old, new)
        if name == "substring":
            return f'substring[{blank}format["{{0}}xyz", {argument}], 1, 3]', f"{whole}xyz"[1:3]
        surplus = f", {self.term(depth + 1)[0]}" if self.random.random() < 0.2 else ""
        functions: dict[str, Callable[[str], str]] = {
            "lowercase": str.lower,
            "uppercase": str.upper,
            "hashUID": hashed,
            "urlEncode": lambda text: quote_plus(text, safe="*").replace("~", "%7E"),
        }
        made = functions[name]
        return f"{name}{blank}[{argument}{surplus}{blank}]", None if value is None else made(value)

    # -- statements

    def conditions(self) -> tuple[str, bool]:
        """Up to two conditions, and whether they hold."""
        text, holds = "", True
        for _ in range(self.random.choice([0, 0, 0, 1, 1, 2])):
            left, value = self.value()
            if self.random.random() < 0.6:
                right, other = self.value()
                if value is not None and self.random.random() < 0.5:
                    right, other = literal(value), value
                text += f"{left} = {right} : "
                holds = holds and value == other
            else:
                java, python, _ = self.random.choice(MATCHES)
                text += f"{left} ~ {literal(java)}:"
                holds = holds and value is not None and bool(re.fullmatch(python, value, re.ASCII))
        return text, holds

    def pattern(self) -> str:
        """A pattern that leaves the object what it needs."""
        while True:
            digits = list(self.random.choice(TARGETS))
            for place in self.random.sample(range(8), self.random.randrange(1, 4)):
                digits[place] = self.random.choice(["X", "X", "#" if int(digits[place], 16) % 2 else "@"])
            pattern = "".join(digits)
            if not any(matches(pattern, tag) for tag in NEEDED):
                return pattern

    def action(self) -> tuple[str, tuple[str, bool, str | None] | None]:
        """A statement; its target, whether it assigns, and what."""
        kind = self.random.random()
        if kind < 0.05:
            return f"echo {self.value()[0]}", None
        target = self.random.choice(TARGETS) if self.random.random() < 0.7 else self.pattern()
        if kind < 0.4:
            target = self.random.choice([target, "00400275"])
            return f"-{self.random.choice(['', ' ', chr(9)])}{tag_text(target)}", (target, False, None)
        text, value = self.value()
        return f"{tag_text(target)}{self.random.choice([' := ', ':='])}{text}", (target, True, value)

    def result(self, actions: list[tuple[str, bool, str | None]]) -> Json | None:
        """The object after the actions, from the last to the first; None when it is refused."""
        made: Json = copy.deepcopy(self.dataset)
        for target, assigns, value in reversed(actions):
            is_wild = not set(target).isdisjoint("X@#")
            for tag in [tag for tag in sorted(made) if matches(target, tag)] if is_wild else [target]:
                if not assigns:
                    made.pop(tag, None)
                    continue
                is_readable = vr_in_2012(int(tag, 16)) not in ("SQ", "OB", "OW", "UN")
                element = stored(tag, value, self.charset) if is_readable else None
                if element is None:
                    return None
                made[tag] = element
        return made
