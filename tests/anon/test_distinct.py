"""Distinct values over many objects."""

from __future__ import annotations

from struct import pack

import pytest
from builders import encode_dataset, make_dataset
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from anon.distinct import ValueTally
from anon.encoding.instance import EncodedInstance


def tally_of(*datasets: Dataset) -> ValueTally:
    tally = ValueTally()
    for dataset in datasets:
        tally.add(EncodedInstance.from_wire(encode_dataset(dataset), ExplicitVRLittleEndian))
    return tally


def with_items(*codes: str) -> Dataset:
    items = []
    for code in codes:
        item = Dataset()
        item.CodeValue = code
        items.append(item)
    return make_dataset(RequestAttributesSequence=items)


def test_values_are_counted_by_file_the_most_frequent_first() -> None:
    rows = tally_of(*(make_dataset(PatientID=text) for text in ("b", "a", "a"))).rows()
    row = next(row for row in rows if row.path == "(0010,0020)")
    assert (row.files, row.values, row.more) == (3, [("a", 2), ("b", 1)], 0)


def test_items_of_a_sequence_count_as_one_element() -> None:
    rows = tally_of(with_items("A", "B", "A"), with_items("A")).rows()
    row = next(row for row in rows if row.path.startswith("(0040,0275)"))
    assert (row.path, row.files, row.values) == ("(0040,0275)[%]/(0008,0100)", 2, [("A", 2), ("B", 1)])


def test_free_text_comes_first_and_numbers_last() -> None:
    rows = tally_of(make_dataset(PatientComments="said", Rows=4, StudyDate="20200101")).rows()
    kinds = [row.vr for row in rows if row.path in ("(0010,4000)", "(0028,0010)", "(0008,0020)")]
    assert kinds == ["LT", "DA", "US"]


def test_text_in_elements_of_unknown_vr_is_shown_and_other_bytes_are_not() -> None:
    dataset = make_dataset()
    dataset.private_block(0x0011, "ACME", create=True).add_new(1, "UN", b"Dr. Who ")
    dataset.private_block(0x0011, "ACME").add_new(2, "UN", b"\1\2")
    rows = {row.path: row.values for row in tally_of(dataset).rows()}
    assert rows["(0011,{ACME}01)"] == [("Dr. Who", 1)]
    assert "(0011,{ACME}02)" not in rows


@pytest.mark.parametrize(
    ("character_set", "codec", "name"),
    [
        ("ISO_IR 100", "latin-1", "Müller^Jörg"),
        ("ISO_IR 192", "utf-8", "Şükrü"),
        ("ISO_IR 144", "iso8859-5", "Иванов"),
        ("", "latin-1", "Müller^Jörg"),
        ("", "utf-8", "山田^太郎"),
    ],
)
def test_names_in_elements_of_unknown_vr_are_shown_in_any_language(
    character_set: str, codec: str, name: str
) -> None:
    dataset = make_dataset(SpecificCharacterSet=character_set)
    dataset.private_block(0x0011, "ACME", create=True).add_new(1, "UN", name.encode(codec))
    row = next(row for row in tally_of(dataset).rows() if row.path == "(0011,{ACME}01)")
    assert row.is_free_text
    assert row.values == [(name, 1)]


def test_numbers_in_elements_of_unknown_vr_are_not_taken_for_accented_letters() -> None:
    dataset = make_dataset(SpecificCharacterSet="ISO_IR 100")
    dataset.private_block(0x0011, "ACME", create=True).add_new(1, "UN", pack("<f", 0.1))
    assert "(0011,{ACME}01)" not in {row.path for row in tally_of(dataset).rows()}


def test_the_number_of_values_that_are_kept_has_a_limit() -> None:
    tally = ValueTally(most=5)
    for number in range(8):
        encoded = encode_dataset(make_dataset(PatientID=str(number)))
        tally.add(EncodedInstance.from_wire(encoded, ExplicitVRLittleEndian))
    row = next(row for row in tally.rows() if row.path == "(0010,0020)")
    assert (row.files, len(row.values), row.more) == (8, 5, 3)
