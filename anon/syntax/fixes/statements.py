"""How a statement begins: verbs, misspelled words, statements of the other dialect, remarks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from anon.functions.registry import find_similar, functions_of
from anon.syntax.draft import Edit, Fix, View
from anon.syntax.fixes.functions import needed
from anon.syntax.fixes.shapes import path_end, without
from anon.syntax.span import Span
from anon.tag_names import find_meant_tag, format_tag

_DELETING: Final = (
    "delete",
    "remove",
    "del",
    "rm",
    "erase",
    "drop",
    "strip",
    "discard",
    "unset",
    "kill",
    "removeTag",
    "deleteTag",
    "delete_tag",
    "remove_tag",
    "deleteElement",
    "removeElement",
    "DELETE",
    "REMOVE",
    "minus",
)
_EMPTYING: Final = ("empty", "blank", "clear", "BLANK", "EMPTY", "CLEAR", "zero", "reset")
_SETTING: Final = (
    "set",
    "replace",
    "assign",
    "put",
    "let",
    "var",
    "const",
    "change",
    "modify",
    "update",
    "REPLACE",
    "SET",
    "ADD",
    "add",
    "insert",
    "edit",
    "write",
    "string",
    "String",
    "text",
    "make",
    "val",
)
_HASHING: Final = ("hash", "hashuid", "hashUID", "HASH", "anonymize", "pseudonymize", "md5", "sha1", "sha256")
_KEEPING: Final = ("keep", "retain", "KEEP", "skip", "ignore", "preserve", "pass")
_WORDS_6: Final = ("removeAllPrivateTags", "describe", "export", "echo", "elseif", "else", "version", "if")
_WORDS_4: Final = ("describe", "export", "echo")
_ALL_PRIVATE: Final = (
    "removeallprivatetags",
    "removeprivatetags",
    "removeallprivate",
    "deleteprivatetags",
    "deleteallprivatetags",
    "removeprivategroups",
    "removeprivateelements",
    "removeallprivateelements",
    "removeallprivatetag",
    "removeprivate",
    "deleteprivate",
)
_TARGET: Final = r"(?:[*+.]\s*/\s*)*\([^()]*\)(?:\s*\[[^\]]*\])?(?:\s*/\s*\([^()]*\)(?:\s*\[[^\]]*\])?)*"
_NAMED: Final = rf"(?P<target>{_TARGET}|\"\([^\"]*\)\"|[A-Za-z_]+\b|[0-9A-Fa-f]{{4}},?[0-9A-Fa-f]{{4}})"


def verbs(view: View) -> Iterator[Fix]:
    """Words for what signs do: `delete (0010,0010)`."""
    head = re.match(
        r"\s*(?:.*?[?:{]\s*)??\b(?P<verb>[A-Za-z_]+)\b\s*(?:[(\[]\s*(?=[(\[\"A-Za-z]))?" + _NAMED, view.text
    )
    # A verb may follow a condition; the one at the beginning is looked for first.
    for found in (
        re.match(rf"\s*(?P<verb>[A-Za-z_]+)\b\s*(?:[(\[]\s*(?=[(\[\"A-Za-z]))?{_NAMED}", view.text),
        head,
    ):
        if found is None:
            continue
        verb, target = found["verb"], found["target"]
        is_call = view.code[found.end("verb") :].lstrip().startswith("[")
        if is_call and (view.dialect == 6 or verb in functions_of(4)):
            continue
        if verb in ("describe", "export", "echo", "version", "if", "elseif", "else", "new"):
            continue
        end = found.end()
        tag = None
        if target[0].isalpha():
            words = re.match(r"[A-Za-z]+(?: [A-Za-z']+)*", view.text[found.start("target") :])
            whole = words[0] if words else target
            tag = find_meant_tag(whole, nearly=False)
            end = found.start("target") + len(whole)
            if tag is None:
                goes_on = re.match(r"\S+ (?!(?:to|with|as|by|from|if|when|where)\b)", whole) is not None
                tag, end = find_meant_tag(target, nearly=not goes_on), found.end()
            if tag is None:
                continue
        if target[0] in '"0123456789':
            target = target.strip('"')
        shown = format_tag(tag) if tag is not None else target
        place = Span(*found.span("verb"))
        rest = re.sub(r"^\s*[)\]]?\s*", "", view.text[end:]).rstrip()
        yield from _verb(view, found.start("verb"), verb, shown, rest, place)
        return


_DECLARING: Final = (
    "let",
    "var",
    "const",
    "set",
    "string",
    "String",
    "val",
    "def",
    "my",
    "local",
    "int",
    "auto",
)


def declared_variables(view: View) -> Iterator[Fix]:
    """`let x = "a"`: a word before the name of a variable."""
    found = re.match(r"\s*([A-Za-z]+)\s+([A-Za-z_]\w*)\s*(:?=|:)\s*(?=\S)", view.code)
    if found is None or found[1] not in _DECLARING:
        return
    message = f"a variable gets its value with :=, without the word {found[1]}"
    edits = [Edit(found.start(1), found.start(2), "")]
    if found[3] != ":=":
        edits.append(Edit(*found.span(3), ":="))
    yield Fix("foreign-word", message, Span(*found.span(1)), tuple(edits))


def _verb(view: View, start: int, verb: str, target: str, rest: str, place: Span) -> Iterator[Fix]:
    end = len(view.text)
    kinds = (*_DELETING, *_EMPTYING, *_SETTING, *_HASHING, *_KEEPING)
    if verb not in kinds and verb in functions_of(view.dialect):
        return  # a function without its brackets
    close = (
        verb if verb in kinds else next(iter(get_close_matches(verb.lower(), kinds, n=1, cutoff=0.75)), "")
    )
    if close in _DELETING:
        message = f"an element is removed with a minus sign, not with the word {verb}"
        yield Fix("foreign-word", message, place, (Edit(start, end, f"- {target}{rest}"),))
        yield Fix("foreign-word", message, place, (Edit(start, end, f"- {target}"),))
    elif close in _EMPTYING:
        message = f"an element is emptied by giving it an empty text, not with the word {verb}"
        yield Fix("foreign-word", message, place, (Edit(start, end, f'{target} := ""'),))
    elif close in _SETTING:
        message = f"a value is assigned with :=, without the word {verb}"
        value = re.sub(r"^(?:[:=]+|,|\bto\b|\bwith\b|\bas\b|\bby\b|->)\s*", "", rest)
        value = value.rstrip(")") if value.count(")") > value.count("(") else value
        value = value[:-1] if value.count("]") > value.count("[") else value
        if value:
            yield Fix("foreign-word", message, place, (Edit(start, end, f"{target} := {value}"),))
        hint = f'write {target} := "text"'
        yield Fix("foreign-word", message, place, (Edit(start, end, f'{target} := "text"'),), hint)
    elif close in _HASHING:
        message = f"a hash is assigned like any value, not with the word {verb}"
        text = f"{target} := hashUID[{target}]"
        yield Fix("foreign-word", message, place, (Edit(start, end, text),), "for a UID write {line}")
    elif close in _KEEPING:
        message = f"there is no word {verb}, an element that no statement names stays as it is"
        yield Fix("foreign-word", message, place, (), "leave the line out")


def lone_verbs(view: View) -> Iterator[Fix]:
    """`(0008,0060) = "MR" : delete`."""
    found = re.search(r"[:?]\s*([A-Za-z]+)\s*$", view.code)
    if found and found[1] in (*_DELETING, *_EMPTYING):
        removes = found[1] in _DELETING
        message = f"which element is {'removed' if removes else 'emptied'} is missing"
        hint = "write - (gggg,eeee)" if removes else 'write (gggg,eeee) := ""'
        yield Fix("missing-tag", message, Span(*found.span(1)), (), hint)


def private_tags(view: View) -> Iterator[Fix]:
    """`removeAllPrivateTags`, misspelled or with brackets."""
    found = re.match(r"\s*removeAllPrivateTags\s+(except|but|without|keep)\b.*?(\([^()]*\))", view.code)
    if found:
        place = Span(found.start(1), view.end())
        message = "removeAllPrivateTags removes them all, nothing follows it"
        tag = view.text[slice(*found.span(2))]
        hint = f'write retainPrivateTags["{tag}"] on the line before it, with the creator in the tag'
        yield Fix("misspelled", message, place, (Edit(found.start(1), view.end(), ""),), hint)
    if view.shape.startswith("rT"):
        rest = view.span(1, len(view.words) - 1)
        message = "removeAllPrivateTags removes them all, nothing follows it"
        yield Fix("misspelled", message, rest, (Edit(view.span(0).end, rest.end, ""),))
    found = re.match(
        r"\s*((?:-|remove|delete|strip|drop)\s*(?:all\s+)?(?:the\s+)?private(?:\s+(?:tags|elements|groups|data))?)\s*$",
        view.code,
        re.IGNORECASE,
    )
    if found:
        place = Span(*found.span(1))
        message = "all private elements are removed with removeAllPrivateTags"
        if view.dialect == 6:
            yield Fix("misspelled", message, place, (Edit(*place, "removeAllPrivateTags"),))
        hint = 'begin the script with version "6.6" and write removeAllPrivateTags'
        message = "DicomEdit 4 cannot remove all private elements at once"
        yield Fix("dicomedit6-only", message, place, (), hint)
        return
    found = re.match(
        r"\s*(?:.*[?{:]\s*)?(?P<all>-?\s*(?P<word>[A-Za-z_]+)\s*(?P<rest>[\[(]\s*[\])])?)\s*(?=\}|$)",
        view.code,
    )
    if found is None:
        return
    small = found["word"].lower().replace("_", "")
    if small not in _ALL_PRIVATE and not get_close_matches(small, _ALL_PRIVATE[:2], n=1, cutoff=0.85):
        return
    span = Span(*found.span("all"))
    if view.dialect == 4:
        message = "DicomEdit 4 cannot remove all private elements at once"
        hint = 'begin the script with version "6.6" and write removeAllPrivateTags'
        yield Fix("dicomedit6-only", message, span, (), hint)
        return
    if found["word"] == "removeAllPrivateTags":
        message = "removeAllPrivateTags stands alone, without brackets or a minus"
        yield Fix("misspelled", message, span, (Edit(*span, "removeAllPrivateTags"),))
        return
    word = Span(*found.span("word"))
    message = f"there is no statement {found['word']}"
    hint = "did you mean removeAllPrivateTags?"
    yield Fix("misspelled", message, word, (Edit(*span, "removeAllPrivateTags"),), hint)


def misspelled(view: View) -> Iterator[Fix]:
    """A first word that resembles one of the language."""
    words = _WORDS_4 if view.dialect == 4 else _WORDS_6
    for number, word in enumerate(view.words):
        if word.type != "NAME" or (number and view.shape[number - 1] not in "?:{}"):
            continue
        close = get_close_matches(str(word).lower(), [each.lower() for each in words], n=1, cutoff=0.7)
        for right in words:
            if close and right.lower() == close[0] and right != str(word):
                hint = f"did you mean {right}?"
                message = f"there is no statement {word}"
                yield Fix("misspelled", message, view.span(number), (view.substitute(number, right),), hint)


def declarations(view: View) -> Iterator[Fix]:
    """`describe` and `export`, not quite as they must be."""
    kind = view.shape[:1]
    if kind not in ("d", "x"):
        return
    if "U" in view.shape:
        return  # a quotation mark is missing
    name = str(view.words[0])
    wanted = 'describe name "text", or describe name hidden' if kind == "d" else 'export name "field"'
    hint = f"write {wanted}"
    rest = view.text[view.span(0).end :].strip()
    for pattern, made in (
        (r'"(\w+)"\s*[:=,]*\s*("[^"]*"|hidden)', r"\1 \2"),
        (r'("[^"]*")\s*[:=,]*\s*([A-Za-z_]\w*)', r"\2 \1"),
        (r'([A-Za-z_]\w*)\s*[:=,]+\s*("[^"]*"|hidden)', r"\1 \2"),
        (r"([A-Za-z_]\w*)\s*[:=,]*\s+'([^']*)'", r'\1 "\2"'),
        (r"([A-Za-z_]\w*)\s*[:=,]*\s*(?:[Hh]id\w*|HIDDEN|invisible)", r"\1 hidden"),
        (r"([A-Za-z_]\w*)\s+(?:as|AS|to|is)\s+(\"[^\"]*\"|hidden)", r"\1 \2"),
        (r'([A-Za-z_]\w*)\s+((?:[^"\s:=,(\[]+\s*)+|[\w.-]+:[\w./:@\[\]-]+)', r'\1 "\2"'),
        (r'\w*\s*\[\s*([A-Za-z_]\w*)\s*,\s*("[^"]*")\s*\]', r"\1 \2"),
        (r'([A-Za-z_]\w*)\s+("[^"]*")\s+hidden', r"\1 hidden"),
    ):
        if found := re.fullmatch(pattern, rest):
            made_text = found.expand(made).replace(' "hidden"', " hidden")
            start = view.text.index(rest, view.span(0).end)
            edits = (Edit(start, start + len(rest), made_text.strip()),)
            second = "its description" if kind == "d" else "a field"
            message = f"`{name}` names a variable and then {second}, in this order"
            last = len(view.words) - 1
            place, code = view.span(min(1, last), last), "declaration"
            if made == r'\1 "\2"' and made_text != rest and "'" not in rest:
                place, code, message = (
                    view.span(min(2, last), last),
                    "unquoted-text",
                    "a text stands in quotes",
                )
            yield Fix(code, message, place, edits)
    if len(view.words) == 1:
        yield Fix("declaration", f"no variable follows `{name}`", view.span(0), (), hint)
    elif view.shape == kind + "a":
        what = "description" if kind == "d" else "name of a field"
        yield Fix("declaration", f"the {what} of the variable is missing", view.span(1), (), hint)
    elif view.shape[1] == "T":
        message = f"`{name}` is about a variable, not about a tag"
        yield Fix("declaration", message, view.span(1), (), hint)
    elif view.shape[1] not in "aSU!":
        message = f"{view.words[1]} is a word of the language and cannot name a variable"
        yield Fix("reserved-word", message, view.span(1), (), "choose another name")
    else:
        place = view.stop_span()
        yield Fix("declaration", f"`{name}` is not written like this", place, (), hint)


def new_uids(view: View) -> Iterator[Fix]:
    """`new UID` as the value of a variable or of a function."""
    found = re.search(r"(?:^a=|[\[,])(wa)", view.shape) if view.dialect == 4 else None
    if found and str(view.words[found.end() - 1]).lower() == "uid":
        message = "only an element can be given a new UID, behind its :="
        place = view.span(found.start(1), found.end() - 1)
        yield Fix(
            "missing-target", message, place, (), "write (gggg,eeee) := new UID where the UID is wanted"
        )


def reserved(view: View) -> Iterator[Fix]:
    """Words of the language as names of variables."""
    for number, letter in enumerate(view.shape):
        if letter in "iejcdxhwvr" and (
            view.shape[number + 1 : number + 2] == "=" or (number and view.shape[number - 1] in "=,[~")
        ):
            if letter == "w" and view.shape[number - 1 : number] == "=" and number:
                continue
            word = str(view.words[number])
            if letter == "r":
                message = "removeAllPrivateTags is a statement of its own and gives no value"
                yield Fix("reserved-word", message, view.span(number), (), "write it on a line of its own")
                return
            message = f"{word} is a word of the language and cannot name a variable"
            new = f"my_{word}"
            edits = (view.substitute(number, new),)
            yield Fix(
                "reserved-word", message, view.span(number), edits, f"choose another name, such as {new}"
            )
            return


def dialects(view: View) -> Iterator[Fix]:
    """Statements and values that only the other dialect has."""
    shape = view.shape
    if view.dialect == 6:
        for found in re.finditer(r":=\s*(new\s+([A-Za-z_]\w*)(?:\s*\[[^\]]*\])?)", view.code):
            span = Span(*found.span(1))
            message = "new UID is DicomEdit 4, in DicomEdit 6 a function makes UIDs"
            target = re.search(rf"({_TARGET})\s*$", view.code[: found.start()])
            call = f"hashUID[{target[1]}]" if target else "newUID[]"
            hint = "write {line} to get the same new UID for the same old one, or newUID[] for a random one"
            yield Fix("dicomedit4-only", message, span, (Edit(*span, call),), hint)
        if shape == "vN":
            span = view.span(1)
            message = "the number of the version stands in quotes"
            yield Fix("bad-version", message, span, (Edit(*span, f'"{view.words[1]}"'),))
        if shape.rstrip("\n") == "c":
            span = view.span(0)
            yield Fix("missing-value", "nothing follows `echo`", span, (), 'write echo "text"')
        return
    if shape.startswith("wa"):
        message = "which element gets the new UID is missing"
        yield Fix(
            "missing-target", message, view.span(0, 1), (), "write the tag before it: (gggg,eeee) := new UID"
        )
    for number, letter in enumerate(shape):
        if letter == "q":
            message = "DicomEdit 4 has no ?=, and := makes the element where it is not there"
            yield Fix(
                "dicomedit6-only",
                message,
                view.span(number),
                (view.substitute(number, ":="),),
                'begin the script with version "6.6" to use ?=, or write {line}',
            )
        end = path_end(shape, number)
        if end > number + 1 and letter in "T*+.":
            message = "DicomEdit 4 does not reach elements in sequences"
            hint = 'begin the script with version "6.6", which has such paths'
            yield Fix("dicomedit6-only", message, view.span(number, end - 1), (), hint)
        elif letter == "{" and view.shape[number - 1 : number] in ("=", ",", "["):
            message = "DicomEdit 4 has no lists in braces"
            hint = 'begin the script with version "6.6", which has them'
            yield Fix("dicomedit6-only", message, view.span(number), (), hint)
        elif letter == "v" or (letter == "a" and not number and str(view.words[0]) == "version"):
            hint = 'write version "6.6" at the left of the first line'
            yield Fix("bad-version", "the version stands here as a statement", view.span(0), (), hint)
    for found in re.finditer(r"(?<=[)\]])\s*(\.|->|>|\\|::)\s*(?=\()", view.code):
        message = "DicomEdit 4 does not reach elements in sequences"
        hint = 'begin the script with version "6.6", and write a / between the tags'
        yield Fix("dicomedit6-only", message, Span(*found.span(1)), (), hint)
    if re.fullmatch(r"a\[.*\]", shape):
        name = str(view.words[0])
        message = "DicomEdit 4 has no functions that stand alone, a function gives a value"
        hint = f'write (gggg,eeee) := {name}[...], or begin the script with version "6.6"'
        yield Fix("dicomedit6-only", message, view.span(0), (), hint)


def lone_values(view: View) -> Iterator[Fix]:
    """A tag, a name or a text, and nothing that is done with it."""
    shape = view.shape.rstrip("\n")
    if not shape or view.stop < len(shape) - 1:
        return
    span = view.span(0, len(shape) - 1)
    shown = view.text[span.start : span.end]
    if path_end(shape, 0) == len(shape):
        hint = f'write - {shown} to remove the element, or {shown} := "" to empty it'
        yield Fix("missing-action", "the line names an element and does nothing with it", span, (), hint)
    elif shape == "a":
        tag = find_meant_tag(shown)
        similar = find_similar(shown, functions_of(view.dialect)) or find_similar(shown, functions_of(6))
        if similar is not None and view.dialect == 6:
            values = needed(functions_of(6)[similar])
            message = f"the function {similar} has no square brackets behind it"
            edit = (Edit(span.start, span.end, f"{similar}[{values}]"),)
            yield Fix("call-brackets", message, span, edit)
        elif similar is not None:
            message = f"{shown} stands alone, and DicomEdit 4 has no functions that do"
            hint = f'begin the script with version "6.6" and write {similar}[]'
            yield Fix("dicomedit6-only", message, span, (), hint)
        elif tag is not None:
            hint = f'write - {format_tag(tag)} to remove it, or {format_tag(tag)} := "text"'
            yield Fix("keyword-not-tag", "the line names an element and does nothing with it", span, (), hint)
        else:
            hint = f'write {shown} := "text" to give it a value, or leave the line out'
            yield Fix("missing-action", "the line names a variable and does nothing with it", span, (), hint)
    elif shape in ("S", "N"):
        hint = "write (gggg,eeee) := before it, or // to make it a comment"
        yield Fix("missing-action", "the line holds a value and does nothing with it", span, (), hint)
    elif shape == "-a":
        place = view.span(1)
        hint = "write the tag of the element: - (gggg,eeee)"
        message = f"{view.words[1]} is no tag, and only elements can be removed"
        yield Fix("missing-tag", message, place, (), hint)
    elif shape in ("-S", "-N"):
        place = view.span(1)
        yield Fix("missing-tag", "only elements can be removed", place, (), "write the tag: - (gggg,eeee)")


def deleted_and_set(view: View) -> Iterator[Fix]:
    """A minus before an assignment, or several minus signs."""
    behind = re.match(r"[^=]*~[^=]*[:?](-)T[^-]*[=q]", view.shape)
    if behind:
        message = "a minus removes the element, so it cannot be given a value as well"
        place = view.span(behind.start(1))
        yield Fix("remove-and-set", message, place, (without(view, behind.start(1)),))
    if not view.shape.startswith("-"):
        return
    minus = view.span(0)
    if view.shape.startswith("--") and "T" in view.shape:
        second = view.span(1)
        yield Fix("double-minus", "one minus sign is enough", second, (without(view, 1),))
    elif view.shape.startswith("--"):
        span = view.span(0, 1)
        remark = view.text[span.end :].strip()
        message = "a comment begins with //, not with --"
        edits = (Edit(span.start, len(view.text), f"// {remark}"),)
        yield Fix("comment-sign", message, span, edits, f"write // {remark}")
    for number, letter in enumerate(view.shape):
        if letter in "=q" and number:
            message = "a minus removes the element, so it cannot be given a value as well"
            yield Fix("remove-and-set", message, minus, (Edit(minus.start, minus.end, ""),))
    if "=" in view.shape:
        return
    end = path_end(view.shape, 1)
    if end > 1 and re.fullmatch("~[SaNT].*", view.shape[end:]) and str(view.words[end]) == "=":
        message = "a minus removes the element, so it cannot be given a value as well"
        edit = Edit(minus.start, minus.end, "")
        yield Fix("remove-and-set", message, minus, (edit, view.substitute(end, ":=")))
    if end > 1 and view.shape[end : end + 1] in ("~", "S"):
        rest = view.span(end, len(view.words) - 1)
        message = "a minus removes the element, so nothing can follow the tag"
        yield Fix("remove-and-set", message, rest, (Edit(rest.start, rest.end, ""),))


def remarks(view: View) -> Iterator[Fix]:
    """Words without any sign: somebody forgot the // of a comment."""
    start = len(view.text) - len(view.text.lstrip())
    shown = view.text.strip()
    if re.match(r"(?:[A-Za-z]+[,.]?\s+){2,}[A-Za-z(]", view.code.strip()) and not re.search(
        r":=|\?=|[\[\]{}=~\"]", view.code
    ):
        span = Span(start, start + len(shown))
        message = "this line holds words and no statement"
        yield Fix(
            "remark",
            message,
            span,
            (Edit(*span, f"// {shown}"),),
            "if it is a comment, write {line}".replace("{line}", f"// {shown}"),
        )
    first = view.stop
    if view.dialect == 4 and re.search("=Sa{2,}$", view.shape) and first == view.shape.index("S") + 2:
        first -= 1  # the first word is read as a value of the text
    words_after = re.fullmatch("a{2,}", view.shape[first:]) if first > 1 else None
    if words_after and first < len(view.words):
        place = view.span(first, len(view.words) - 1)
        edit = Edit(place.start, place.start, "// ")
        hint = f"write // {view.text[place.start : place.end]}"
        message = "words behind a statement are a comment and begin with //"
        yield Fix("remark", message, place, (edit,), hint)
    found = re.match(r"\s*(\\{1,2}|[/'*%]|REM\b|rem\b|;+|!+|/\s+/)\s*(?=[A-Za-z ])", view.code)
    if found and not re.match(r"\s*\*\s*/", view.code):
        sign = Span(*found.span(1))
        rest = view.text[found.end() :].strip()
        message = f"a comment begins with //, not with {found[1]}"
        yield Fix(
            "comment-sign",
            message,
            sign,
            (Edit(sign.start, len(view.text), f"// {rest}"),),
            f"write // {rest}",
        )
