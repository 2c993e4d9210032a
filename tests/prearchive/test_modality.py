"""Types of sessions and scans, modalityLabel."""

from __future__ import annotations

import pytest
from pydicom import uid

from prearchive.modality import lead_modality, modality_label, scan_type, session_type

MR = (uid.MRImageStorage, "MR")
PET = (uid.PositronEmissionTomographyImageStorage, "PT")
CT = (uid.CTImageStorage, "CT")
RTSTRUCT = (uid.RTStructureSetStorage, "RTSTRUCT")
RAW = (uid.RawDataStorage, "MR")
SIEMENS_CSA = ("1.3.12.2.1107.5.9.1", "MR")


@pytest.mark.parametrize(
    ("pairs", "session", "label"),
    [
        ([MR, RAW], "mr", "MR"),
        ([(uid.MRImageStorage, None)], "mr", "MR"),
        ([RTSTRUCT, (uid.EnhancedMRImageStorage, "MR")], "mr", "MR"),
        ([PET, CT], "pet", "PET"),
        ([CT, PET, RTSTRUCT], "pet", "PET"),
        ([PET, MR], "petmr", "PETMR"),
        ([PET, MR, CT], "petmr", "PETMR"),
        ([(uid.SecondaryCaptureImageStorage, "CT")], "ct", "CT"),
        ([(uid.SecondaryCaptureImageStorage, "SC")], "otherDicom", "OT"),
        ([(uid.SecondaryCaptureImageStorage, None)], "otherDicom", "OT"),
        ([(uid.SecondaryCaptureImageStorage, "PT"), (uid.RawDataStorage, "MR")], "petmr", "PETMR"),
        ([(uid.SecondaryCaptureImageStorage, "PT"), MR], "mr", "MR"),
        ([SIEMENS_CSA], "mr", "MR"),
        ([RTSTRUCT], "rt", "RT"),
        ([(uid.RTDoseStorage, "RTDOSE")], "rt", "RT"),
        ([RTSTRUCT, CT], "ct", "CT"),
        ([(uid.EnhancedXRFImageStorage, "RF")], "rf", "RF"),
        ([(uid.BasicTextSRStorage, "SR")], "sr", "SR"),
        ([(uid.ComprehensiveSRStorage, "SR")], "sr", "SR"),
        ([(uid.XRayRadiationDoseSRStorage, "XX"), (uid.RawDataStorage, "CT")], "ct", "CT"),
        ([(uid.OphthalmicTomographyImageStorage, "OPT")], "opt", "OPT"),
        ([(uid.DigitalMammographyXRayImageStorageForPresentation, "MG")], "mg", "MG"),
        ([(uid.UltrasoundImageStorage, "IVUS")], "us", "US"),
        ([("1.2.3", "IVUS")], "us", "US"),
        ([("1.2.3", "XC")], "xc", "XC"),
        ([("1.2.3", "nonsense")], "otherDicom", "OT"),
        ([], "otherDicom", "OT"),
    ],
)
def test_a_session_is_typed_by_its_best_class_then_by_modality(
    pairs: list[tuple[str, str | None]], session: str, label: str
) -> None:
    assert session_type(pairs) == f"xnat:{session}SessionData"
    assert session_type(iter(reversed(pairs))) == f"xnat:{session}SessionData"
    assert modality_label(pairs) == label


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([MR, RAW], "mr"),
        ([RAW], "otherDicom"),
        ([SIEMENS_CSA], "otherDicom"),
        ([RTSTRUCT], "rtImage"),
        ([(uid.SecondaryCaptureImageStorage, "CT")], "sc"),
        ([(uid.SegmentationStorage, "SEG")], "seg"),
        ([(uid.ComprehensiveSRStorage, "SR")], "sr"),
        ([(uid.DigitalIntraOralXRayImageStorageForProcessing, "IO")], "io"),
        ([(uid.XRayRadiofluoroscopicImageStorage, "RF")], "rf"),
        ([(uid.VLWholeSlideMicroscopyImageStorage, "SM")], "sm"),
        ([("1.2.3.4", "MR")], "otherDicom"),
        ([], "otherDicom"),
    ],
)
def test_a_scan_is_typed_by_its_best_class(pairs: list[tuple[str, str | None]], expected: str) -> None:
    assert scan_type(pairs) == f"xnat:{expected}ScanData"


def test_the_lead_modality_is_xnats() -> None:
    assert lead_modality(["CT", "PT", "SR"]) == "PT"
    assert lead_modality(["SR", "OT"]) == "OT"
    assert lead_modality(["RTSTRUCT"]) == "RT"
    assert lead_modality([None, "??"]) == "OT"
