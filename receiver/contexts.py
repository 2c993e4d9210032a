"""Presentation contexts: SOP classes and transfer syntaxes of an association (PS3.8 section 7.1.1.13).

Accepted are Verification, and every proposed SOP class that is not known to be something else than storage:
private, retired and future storage classes too. The transfer syntax is the first proposed one whose data sets
can be parsed, because the order of the proposal is the sender's preference and nothing is ever transcoded.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import sop_class
from pynetdicom.presentation import PresentationContext

from anon.encoding.instance import can_parse

VERIFICATION = "1.2.840.10008.1.1"
_VERIFICATION_SYNTAXES = (ImplicitVRLittleEndian, ExplicitVRLittleEndian)
# DICOMDIR is a storage class by name only: it belongs to media, not to the network (PS3.4 annex I).
_MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
_STORES = frozenset({"StorageServiceClass", "NonPatientObjectStorageServiceClass"})
_NO_SERVICE = "ServiceClass"


def is_storage(sop_class_uid: str) -> bool:
    """Whether this may be a storage SOP class: every one that is not known to be anything else."""
    known = UID(sop_class_uid)
    if sop_class_uid == _MEDIA_DIRECTORY or known.type not in ("SOP Class", ""):
        return False
    service = sop_class.uid_to_service_class(sop_class_uid).__name__
    if service != _NO_SERVICE:
        return service in _STORES
    # pydicom's dictionary also has the retired classes; what it does not know either is private, or newer.
    return not known.type or "Storage" in known.name


def choose_transfer_syntax(sop_class_uid: str, proposed: Iterable[str]) -> str | None:
    """Return the transfer syntax for a proposed context, None when there is none we can take."""
    if sop_class_uid == VERIFICATION:
        return next((syntax for syntax in proposed if syntax in _VERIFICATION_SYNTAXES), None)
    return next((syntax for syntax in proposed if can_parse(syntax)), None)


def narrow(proposed: Iterable[PresentationContext]) -> list[PresentationContext]:
    """Leave each proposed context with the transfer syntax we choose; return what we support, for pynetdicom.

    pynetdicom negotiates one list of transfer syntaxes an abstract syntax, in the acceptor's order. With a
    single syntax left in each proposed context it can only choose that one, also where the same abstract
    syntax is proposed several times with different preferences.
    """
    chosen: dict[str, list[str]] = {}
    for context in proposed:
        sop_class_uid = str(context.abstract_syntax or "")
        if sop_class_uid != VERIFICATION and not is_storage(sop_class_uid):
            continue  # not in the result: pynetdicom answers "abstract syntax not supported"
        syntaxes = chosen.setdefault(sop_class_uid, [])
        syntax = choose_transfer_syntax(sop_class_uid, context.transfer_syntax)
        if syntax is not None:
            context.transfer_syntax = [syntax]
            if syntax not in syntaxes:
                syntaxes.append(syntax)
    return [_supported(sop_class_uid, syntaxes) for sop_class_uid, syntaxes in chosen.items()]


def _supported(sop_class_uid: str, syntaxes: list[str]) -> PresentationContext:
    context = PresentationContext()
    context.abstract_syntax = sop_class_uid
    # Empty when no proposed syntax can be parsed: the answer is then "transfer syntaxes not supported".
    context.transfer_syntax = list(syntaxes)
    return context
