"""Writing values into elements: `:=` and `?=`."""

from __future__ import annotations

from dataclasses import dataclass

from anon.encoding.elements import Element
from anon.encoding.text import SPECIFIC_CHARACTER_SET
from anon.errors import StatementError
from anon.operations.charset import recode, relabel
from anon.operations.run import Evaluate, Run
from anon.places import Place, find_places, make_place, require_place
from anon.syntax.span import Span
from anon.tagpath import ONE_LEVEL, TRANSFER_SYNTAX_UID, TagPath, is_private_creator
from anon.values import ListValue, charsets_of, text_of
from anon.vr import vr_today


def write(run: Run, place: Place, text: str | None) -> None:
    """Store a text in an element, in the VR and the way of the script's dialect.

    Raises:
        StatementError: the element cannot take this text.
    """
    tag = place.tag
    dataset = place.dataset
    if not tag & 0xFFFF or not tag >> 16:
        run.warn("group lengths and group 0000 are never written")
        return
    existing = dataset.get(tag)
    require_place(tag, is_made_in_item=existing is None and len(place.chain) > 1)
    if existing is not None and existing.is_encapsulated:
        raise StatementError("no-text-possible", "encapsulated pixel data cannot be given a text")
    vr = run.values.vr_for(tag, existing)
    value = run.values.encode(text, vr, dataset.encoding.little, lambda: charsets_of(place.chain), run.warn)
    if tag == TRANSFER_SYNTAX_UID and dataset is run.instance.meta:
        if value.rstrip(b" \0").decode("latin-1") != run.instance.transfer_syntax_uid:
            raise StatementError("transfer-syntax", "a script cannot change the transfer syntax")
        return
    if tag == SPECIFIC_CHARACTER_SET:
        if text in run.values.relabelled_charsets:
            relabel(run, place.chain, value)
        else:
            recode(place.chain, value)
        return
    dataset.put(tag, vr, value)


def is_passed_over(element: Element) -> bool:
    """Whether a statement that gives values to all matching elements leaves this one: sequences and creators.

    Not what came as a sequence with items though the dictionary knows it as none (PS3.6): it cannot be given
    a value, so the object is refused. Passed over, it would keep what the script is there to take away.
    """
    if is_private_creator(element.tag):
        return True
    return element.is_sequence and (not element.items or vr_today(element.tag) in ("SQ", "UN"))


def element_text(run: Run, evaluate: Evaluate) -> str | None:
    """The value of the right side as text.

    Raises:
        StatementError: it is a list, which no element can hold.
    """
    value = evaluate(run)
    if isinstance(value, ListValue):
        raise StatementError("list-assigned", "an element cannot be given a list")
    return text_of(value)


@dataclass(frozen=True, slots=True)
class AssignPath:
    """`path := value` of DicomEdit 6: creates what is missing; nothing happens without a value."""

    span: Span
    path: TagPath
    evaluate: Evaluate

    def run(self, run: Run) -> None:
        """Carry the statement out."""
        text = element_text(run, self.evaluate)
        if text is None:
            run.warn("there is no value to assign, the element stays as it is")
            return
        tag = self.path.tag
        if tag is not None:
            write(run, Place((run.instance.element_set(tag),), tag), text)
        else:
            write(run, make_place(run.top(self.path), self.path), text)


@dataclass(frozen=True, slots=True)
class AssignIfPresent:
    """`path ?= value` of DicomEdit 6: every element that is there gets it; no value empties them."""

    span: Span
    path: TagPath
    evaluate: Evaluate

    def run(self, run: Run) -> None:
        """Carry the statement out."""
        text = element_text(run, self.evaluate)
        if self.path.steps == (ONE_LEVEL,):
            run.warn("a path of a single . means no element")
            return
        for place in find_places(run.tops(self.path), self.path):
            element = place.dataset.get(place.tag)
            if element is None or is_passed_over(element):
                continue
            if text is None:
                run.warn("there is no value to assign, the elements become empty")
            write(run, place, text)
