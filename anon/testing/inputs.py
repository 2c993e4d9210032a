"""Making the objects that tests give to scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from anon.encoding.elements import DataSet, DataSetError
from anon.encoding.instance import TRANSFER_SYNTAX_UID, EncodedInstance, encoding_of
from anon.encoding.text import SPECIFIC_CHARACTER_SET
from anon.errors import StatementError
from anon.places import find_places, make_place
from anon.tagpath import TagStep
from anon.testing.model import Input, InputError, TagValue, Target
from anon.values import Values6, charsets_of
from anon.vr import vr_today

_VALUES: Final = Values6()


def build(source: Input) -> bytes:
    """Make an object: a file of PS3.10.

    Raises:
        InputError: the file is missing or no DICOM, or an element cannot be given its value.
    """
    content = _read(source)
    if content is not None and not source.tags and not source.without:
        return content
    try:
        return _changed(content, source)
    except DataSetError as error:
        raise InputError(f"{source.file}: cannot be read as DICOM ({error.code})") from None


def _changed(content: bytes | None, source: Input) -> bytes:
    instance = _parse(content, source.transfer_syntax_uid)
    for target in source.without:
        for place in find_places(_tops(instance, target), target.path):
            place.dataset.remove(place.tag)
    if source.file is None and _needs_unicode(source.tags):
        instance.dataset.put(SPECIFIC_CHARACTER_SET, "CS", b"ISO_IR 192")
    # The character set first: the other values are written in it.
    for tag in sorted(source.tags, key=lambda each: each.target.path.tag != SPECIFIC_CHARACTER_SET):
        _put(instance, tag)
    return b"".join(instance.part10_chunks())


def _read(source: Input) -> bytes | None:
    if source.file is None:
        return None
    try:
        if source.file.exists() and not source.file.is_file():
            raise InputError(f"{source.file}: not a file")
        return source.file.read_bytes()
    except OSError as error:
        raise InputError(f"{source.file}: {error.strerror}") from None


def _parse(content: bytes | None, syntax: str) -> EncodedInstance:
    if content is not None:
        return EncodedInstance.from_part10(content)
    meta = DataSet()
    meta.put(TRANSFER_SYNTAX_UID, "UI", syntax.encode("ascii"))
    return EncodedInstance(meta, DataSet(encoding=encoding_of(syntax)), syntax)


def _needs_unicode(tags: Sequence[TagValue]) -> bool:
    if any(tag.target.path.tag == SPECIFIC_CHARACTER_SET for tag in tags):
        return False
    return any(isinstance(tag.value, str) and not tag.value.isascii() for tag in tags)


def _tops(instance: EncodedInstance, target: Target) -> Sequence[DataSet]:
    step = target.path.steps[0]
    if isinstance(step, TagStep) and step.mask >> 16 == 0xFFFF:
        return (instance.element_set(step.bits),)
    return (instance.meta, instance.dataset)


def _put(instance: EncodedInstance, tag: TagValue) -> None:
    path = tag.target.path
    step = path.steps[0]
    assert isinstance(step, TagStep)
    try:
        place = make_place(instance.element_set(step.bits), path)
        dataset, number = place.dataset, place.tag
        if not number & 0xFFFF or number >> 16 in (0x0000, 0x0004) or number >> 16 >= 0xFFFA:
            raise InputError(f"{tag.target.name} has no place in a data set")
        vr = tag.vr or _usual_vr(dataset, number)
        if vr == "SQ":
            if tag.value is not None:
                raise InputError(f"{tag.target.name} is a sequence: give it [], or elements in its items")
            dataset.put_sequence(number)
            return
        if tag.value is None:
            raise InputError(f'{tag.target.name} is no sequence: write "" for no value')
        value = tag.value
        if isinstance(value, str):
            value = _VALUES.encode(
                value, vr, dataset.encoding.little, lambda: charsets_of(place.chain), lambda _: None
            )
        dataset.put(number, vr, value)
    except StatementError as failure:
        raise InputError(f"{tag.target.name}: {failure.message}") from None


def _usual_vr(dataset: DataSet, tag: int) -> str:
    """The VR that the element has, or usually has; private elements are text."""
    existing = dataset.get(tag)
    if existing is not None:
        return existing.vr
    vr = vr_today(tag)
    return "LO" if vr == "UN" else vr
