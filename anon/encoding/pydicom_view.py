"""A pydicom data set seen as an encoded object, so that scripts edit both in the same way.

Elements are encoded only when a script looks at them; those that pydicom has not decoded yet are taken as
they are. What the script changed goes back into the data set when it is done, as elements that pydicom
decodes when they are asked for.
"""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from pydicom.charset import convert_encodings, default_encoding, python_encoding
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.errors import BytesLengthException
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRLittleEndian

from anon.encoding.elements import (
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    LONG_VR_NAMES,
    PIXEL_DATA_TAGS,
    DataSet,
    Element,
    Encoding,
    implicit_vr,
    is_unknown_sequence,
)
from anon.encoding.instance import TRANSFER_SYNTAX_UID, EncodedInstance
from anon.encoding.text import SPECIFIC_CHARACTER_SET
from anon.errors import StatementError

_UNDEFINED: Final = 0xFFFFFFFF
# What pydicom raises at values that it cannot decode, or cannot encode again.
_FAILURES: Final = (
    ValueError, TypeError, AttributeError, LookupError, NotImplementedError, OSError, struct.error,
    BytesLengthException,
)  # fmt: skip


@contextmanager
def _at_work() -> Iterator[None]:
    """While pydicom decodes or encodes elements.

    Raises:
        StatementError: it cannot.
    """
    try:
        yield
    except _FAILURES as error:
        raise StatementError(
            "not-encodable", "pydicom cannot decode or encode an element of the object"
        ) from error


class PydicomInstance:
    """A pydicom data set and its file meta information, and the encoded object that stands for them.

    Attributes:
        instance: what scripts edit; the pydicom data set stays as it is until `write_back`.
    """

    def __init__(self, dataset: Dataset, instance: EncodedInstance, meta: _View, view: _View) -> None:
        self.instance = instance
        self._dataset = dataset
        self._meta = meta
        self._view = view

    @classmethod
    def of(cls, dataset: Dataset) -> PydicomInstance:
        """See a data set as an encoded object."""
        given = getattr(dataset, "file_meta", None)
        file_meta = FileMetaDataset() if given is None else given
        named = file_meta.get("TransferSyntaxUID") or ExplicitVRLittleEndian
        transfer_syntax_uid = UID(str(named))
        encoding = EXPLICIT_BIG if dataset.original_encoding[1] is False else EXPLICIT_LITTLE
        is_compressed = transfer_syntax_uid.is_transfer_syntax and transfer_syntax_uid.is_compressed
        view = _View(
            dataset,
            encoding,
            _charsets(dataset, None),
            is_compressed and not _is_deflated(transfer_syntax_uid),
        )
        meta = _View(file_meta, EXPLICIT_LITTLE, [default_encoding], False)
        return cls(dataset, EncodedInstance(meta, view, str(transfer_syntax_uid)), meta, view)

    def write_back(self) -> None:
        """Put what was changed into the pydicom data set."""
        if self.instance.dataset is self._view:
            self._view.write_back()
        else:
            _replace(self._dataset, self.instance.dataset)
        changed = self._meta.changed_tags() - {TRANSFER_SYNTAX_UID}
        has_meta = getattr(self._dataset, "file_meta", None) is not None
        if not has_meta and changed <= {0x00020002, 0x00020003}:
            return  # an object without file meta does not get one because its SOP UIDs are known
        self._meta.write_back()
        if not has_meta:
            self._dataset.file_meta = self._meta.pydicom  # type: ignore[assignment]


def _replace(dataset: Dataset, made: DataSet) -> None:
    """Put the elements of `made` into a pydicom data set instead of its own, whose encoding was another."""
    charsets = _declared(made, None)
    elements = [_decodable(element, made.encoding, charsets) for element in made.elements()]
    dataset.clear()
    for element in elements:
        _put(dataset, element)
    dataset.set_original_encoding(made.encoding.implicit, made.encoding.little, charsets)


def _is_deflated(transfer_syntax_uid: UID) -> bool:
    return bool(transfer_syntax_uid.is_deflated)


def _charsets(dataset: Dataset, inherited: list[str] | None) -> list[str]:
    try:
        declared = dataset.get("SpecificCharacterSet")
        if declared is None:
            return inherited or [default_encoding]
        names = [str(name).strip() for name in ([declared] if isinstance(declared, str) else declared)]
    except _FAILURES:
        return [default_encoding]
    if any(name not in python_encoding for name in names):
        return [default_encoding]  # asking pydicom would put the unknown name into its log
    return list(convert_encodings(names or ["ISO_IR 6"]))


def _declared(dataset: DataSet, inherited: list[str] | None) -> list[str]:
    """The character sets of a data set that is not pydicom's."""
    declared = Dataset()
    element = dataset.get(SPECIFIC_CHARACTER_SET)
    if element is not None:
        declared[Tag(element.tag)] = _decodable(element, dataset.encoding, [])
    return _charsets(declared, inherited)


class _View(DataSet):
    """One level of a pydicom data set."""

    __slots__ = ("_charsets", "_is_encapsulated", "pydicom")

    def __init__(
        self,
        dataset: Dataset,
        encoding: Encoding,
        charsets: list[str],
        is_encapsulated: bool,
        owner: Element | None = None,
    ) -> None:
        super().__init__(encoding=encoding, owner=owner)
        self.pydicom = dataset
        self._charsets = charsets
        self._is_encapsulated = is_encapsulated

    @property
    def has_guessed_vrs(self) -> bool:
        """Whether pydicom read elements without VR, as the transfer syntax says or in spite of it."""
        if self.pydicom.original_encoding[0] is True:
            return True
        found = (self._given(tag) for tag in self._source_tags())
        return any(isinstance(each, RawDataElement) and each.VR is None for each in found)

    def _source_tags(self) -> set[int]:
        return {int(tag) for tag in self.pydicom.keys()}  # noqa: SIM118 (iterating a Dataset decodes it)

    def _source_sequences(self) -> list[int]:
        return [tag for tag in sorted(self._source_tags()) if self._is_sequence(tag)]

    def _is_sequence(self, tag: int) -> bool:
        found = self._given(tag)
        if isinstance(found, RawDataElement) and found.VR is None:
            return implicit_vr(tag) == "SQ" or self._has_unknown_items(found)
        return str(found.VR) == "SQ" or (isinstance(found, RawDataElement) and self._has_unknown_items(found))

    @staticmethod
    def _has_unknown_items(found: RawDataElement) -> bool:
        """Whether this is a sequence of unknown VR (PS3.5 section 6.2.2, note 2)."""
        if found.VR not in ("UN", None) or found.tag in PIXEL_DATA_TAGS:
            return False
        if found.length == _UNDEFINED:
            return True
        if found.VR is None or not found.is_little_endian or not found.value:
            return False
        return is_unknown_sequence(found.tag, found.value)

    def _load(self, tag: int) -> Element | None:
        if tag not in self.pydicom:
            return None
        found = self._given(tag)
        if isinstance(found, RawDataElement) and self._is_ready(found):
            vr = found.VR or implicit_vr(tag)
            undefined = found.length == _UNDEFINED and tag in PIXEL_DATA_TAGS
            return Element(self, tag, vr, found.value or b"", undefined=undefined)
        with _at_work():
            return self._encoded(tag, self.pydicom[Tag(tag)])

    def _given(self, tag: int) -> DataElement | RawDataElement:
        """The element as pydicom has it, decoded only if it has to be read from the file first."""
        with _at_work():
            return self.pydicom.get_item(Tag(tag))

    def _is_ready(self, found: RawDataElement) -> bool:
        """Whether the bytes can be used as they are."""
        vr = found.VR or implicit_vr(found.tag)
        is_deferred = found.value is None and found.length not in (0, _UNDEFINED)
        if self._has_unknown_items(found):
            return False
        return vr != "SQ" and not is_deferred and found.is_little_endian == self.encoding.little

    def _encoded(self, tag: int, found: DataElement) -> Element:
        vr = str(found.VR)
        if vr == "SQ":
            element = Element(self, tag, "SQ", None, items=[])
            for item in found.value or ():
                charsets = _charsets(item, self._charsets)
                element.items.append(_View(item, self.encoding, charsets, False, element))
            return element
        if " or " in vr:
            vr = "OW" if isinstance(found.value, bytes) and "OW" in vr else vr.split(" or ")[0]
            found = DataElement(found.tag, vr, found.value)
        if isinstance(found.value, bytes):
            undefined = tag in PIXEL_DATA_TAGS and (self._is_encapsulated or bool(found.is_undefined_length))
            return Element(self, tag, vr, found.value, undefined=undefined)
        stream = DicomBytesIO()
        stream.is_implicit_VR = False
        stream.is_little_endian = self.encoding.little
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            write_data_element(stream, found, self._charsets)
        encoded = stream.getvalue()
        return Element(self, tag, vr, encoded[12 if vr in LONG_VR_NAMES else 8 :])

    def write_back(self, inherited: list[str] | None = None) -> None:
        """Put the changes of this level, and of the levels below, into the pydicom data set.

        Args:
            inherited: the character sets of the data set around this one.
        """
        for tag in sorted(self.changed_tags()):
            element = self.get(tag)
            if element is None:
                if tag in self.pydicom:
                    del self.pydicom[Tag(tag)]
            else:
                _put(self.pydicom, _decodable(element, self.encoding, _charsets(self.pydicom, inherited)))
        if SPECIFIC_CHARACTER_SET in self.changed_tags():
            if inherited is not None:
                self.pydicom._parent_encoding = inherited
            _declare(self.pydicom, _charsets(self.pydicom, inherited))


def _declare(dataset: Dataset, charsets: list[str]) -> None:
    """Tell pydicom the character set of the encoded texts; it would take the one from before the change."""
    is_implicit, is_little = dataset.original_encoding
    dataset.set_original_encoding(is_implicit, is_little, charsets)
    for tag in list(dataset.keys()):
        found = dataset.get_item(tag)
        if isinstance(found, DataElement) and found.VR == "SQ":
            for item in found.value or ():
                if SPECIFIC_CHARACTER_SET not in item:
                    item._parent_encoding = charsets
                    _declare(item, charsets)


def _put(dataset: Dataset, element: DataElement | RawDataElement) -> None:
    """Put an element into a pydicom data set as reading a file does.

    pydicom decodes a private element that is assigned at once. Values that it cannot decode would leave the
    data set half changed, and those of VR UN would get the VR of its dictionary of private elements.
    """
    if isinstance(element, RawDataElement) and element.tag.is_private:
        dataset._dict[element.tag] = element
    else:
        dataset[element.tag] = element


def _decodable(element: Element, encoding: Encoding, charsets: list[str]) -> DataElement | RawDataElement:
    """An element for pydicom, decoded when somebody asks for its value."""
    if element.is_sequence:
        return DataElement(
            Tag(element.tag), "SQ", Sequence([_item(item, charsets) for item in element.items])
        )
    value = element.value
    fields: dict[str, Any] = {"is_implicit_VR": False, "is_little_endian": encoding.little}
    return RawDataElement(Tag(element.tag), element.vr, len(value), value, 0, **fields)


def _item(item: DataSet, charsets: list[str]) -> Dataset:
    if isinstance(item, _View):
        item.write_back(charsets)
        return item.pydicom
    made = Dataset(parent_encoding=charsets)
    charsets = _declared(item, charsets)
    # As items that were read: pydicom decodes what else it writes, into the VRs of its own dictionaries.
    made.set_original_encoding(item.encoding.implicit, item.encoding.little, charsets)
    for element in item.elements():
        _put(made, _decodable(element, item.encoding, charsets))
    return made
