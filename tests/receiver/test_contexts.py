from __future__ import annotations

import pytest
from pynetdicom import sop_class
from pynetdicom.presentation import PresentationContext, build_context, negotiate_as_acceptor

from receiver.contexts import choose_transfer_syntax, is_storage, narrow

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
XML = "1.2.840.10008.1.2.6.2"
CT = "1.2.840.10008.5.1.4.1.1.2"


def proposal(*contexts: tuple[str, list[str]]) -> list[PresentationContext]:
    proposed = []
    for number, (abstract, syntaxes) in enumerate(contexts):
        context = build_context(abstract, syntaxes)
        context.context_id = 2 * number + 1
        proposed.append(context)
    return proposed


def negotiated(*contexts: tuple[str, list[str]]) -> list[tuple[int | None, str]]:
    proposed = proposal(*contexts)
    results, _ = negotiate_as_acceptor(proposed, narrow(proposed), {})
    return [(result.result, str(result.transfer_syntax[0])) for result in results]


def test_every_storage_class_that_pynetdicom_knows_is_storage() -> None:
    assert all(is_storage(uid) for uid in sop_class._STORAGE_CLASSES.values())


@pytest.mark.parametrize(
    "sop_class_uid",
    [
        "1.3.46.670589.11.0.0.12.1",  # Philips private
        "1.3.12.2.1107.5.9.1",  # Siemens CSA Non-Image
        "1.2.840.10008.5.1.4.1.1.6",  # retired Ultrasound Image Storage
        "1.2.840.10008.5.1.4.1.1.999.1",  # newer than any dictionary
        "1.2.840.10008.5.1.4.38.1",  # Hanging Protocol Storage
        "1.2.3",
    ],
)
def test_private_retired_and_future_classes_are_storage(sop_class_uid: str) -> None:
    assert is_storage(sop_class_uid)


@pytest.mark.parametrize(
    "sop_class_uid",
    [
        "1.2.840.10008.1.20.1",  # Storage Commitment
        "1.2.840.10008.5.1.4.1.2.2.1",  # Study Root FIND
        "1.2.840.10008.5.1.4.31",  # Modality Worklist
        "1.2.840.10008.3.1.2.3.3",  # MPPS
        "1.2.840.10008.1.3.10",  # DICOMDIR
        "1.2.840.10008.4.2",  # Storage Service Class, not a SOP class
        "1.2.840.10008.3.1.2.1.1",  # retired Detached Patient Management
        EXPLICIT,
    ],
)
def test_what_is_known_to_be_something_else_is_not_storage(sop_class_uid: str) -> None:
    assert not is_storage(sop_class_uid)


def test_the_first_proposed_transfer_syntax_that_can_be_parsed_is_taken() -> None:
    assert choose_transfer_syntax(CT, [XML, JPEG_2000, EXPLICIT, IMPLICIT]) == JPEG_2000
    assert choose_transfer_syntax(CT, [XML]) is None


def test_verification_takes_only_the_uncompressed_little_endian_syntaxes() -> None:
    assert choose_transfer_syntax("1.2.840.10008.1.1", [JPEG_2000, IMPLICIT]) == IMPLICIT
    assert choose_transfer_syntax("1.2.840.10008.1.1", [JPEG_2000]) is None


def test_each_context_gets_its_own_preference_also_for_the_same_sop_class() -> None:
    assert negotiated((CT, [EXPLICIT, IMPLICIT]), (CT, [IMPLICIT, EXPLICIT]), (CT, [JPEG_2000])) == [
        (0, EXPLICIT),
        (0, IMPLICIT),
        (0, JPEG_2000),
    ]


def test_refused_contexts_say_why() -> None:
    assert negotiated((CT, [XML]), ("1.2.840.10008.5.1.4.31", [IMPLICIT]), (CT, [IMPLICIT])) == [
        (4, XML),
        (3, IMPLICIT),
        (0, IMPLICIT),
    ]
