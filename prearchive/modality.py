"""What kind of session and scan the instances make: XNAT's types, and the variable `modalityLabel`.

A session is typed by its best SOP class, not by its first file. Only where no SOP class says anything do the
Modality values decide. PET with CT is a PET session; PET with MR is a PET/MR session.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from pydicom import uid

#: Pairs of SOP Class UID and Modality, as stored, of the instances of a session or a scan.
Pairs = Iterable[tuple[str, str | None]]

OTHER: Final = "otherDicom"
UNKNOWN_MODALITY: Final = "OT"

# Short name -> SOP classes. Each class is here once; the short name is that of the scan type.
_SCAN_CLASSES: Final[Mapping[str, tuple[str, ...]]] = {
    "mr": (
        uid.MRImageStorage,
        uid.EnhancedMRImageStorage,
        uid.EnhancedMRColorImageStorage,
        uid.LegacyConvertedEnhancedMRImageStorage,
    ),
    "pet": (
        uid.PositronEmissionTomographyImageStorage,
        uid.EnhancedPETImageStorage,
        uid.LegacyConvertedEnhancedPETImageStorage,
    ),
    "ct": (uid.CTImageStorage, uid.EnhancedCTImageStorage, uid.LegacyConvertedEnhancedCTImageStorage),
    "xa": (uid.XRayAngiographicImageStorage, uid.EnhancedXAImageStorage, uid.XRay3DAngiographicImageStorage),
    "us": (
        uid.UltrasoundImageStorage,
        uid.UltrasoundMultiFrameImageStorage,
        uid.EnhancedUSVolumeStorage,
        "1.2.840.10008.5.1.4.1.1.3",  # Ultrasound Multi-frame, retired
        "1.2.840.10008.5.1.4.1.1.6",  # Ultrasound, retired
    ),
    "rtImage": (
        uid.RTImageStorage,
        uid.RTDoseStorage,
        uid.RTStructureSetStorage,
        uid.RTPlanStorage,
        uid.RTBeamsTreatmentRecordStorage,
        uid.RTBrachyTreatmentRecordStorage,
        uid.RTTreatmentSummaryRecordStorage,
        uid.RTIonPlanStorage,
        uid.RTIonBeamsTreatmentRecordStorage,
    ),
    "cr": (uid.ComputedRadiographyImageStorage,),
    "opt": (uid.OphthalmicTomographyImageStorage,),
    "op": (uid.OphthalmicPhotography8BitImageStorage, uid.OphthalmicPhotography16BitImageStorage),
    "mg": (
        uid.DigitalMammographyXRayImageStorageForPresentation,
        uid.DigitalMammographyXRayImageStorageForProcessing,
    ),
    "dx": (uid.DigitalXRayImageStorageForPresentation, uid.DigitalXRayImageStorageForProcessing),
    "io": (
        uid.DigitalIntraOralXRayImageStorageForPresentation,
        uid.DigitalIntraOralXRayImageStorageForProcessing,
    ),
    "dx3DCraniofacial": (uid.XRay3DCraniofacialImageStorage,),
    "nm": (uid.NuclearMedicineImageStorage, "1.2.840.10008.5.1.4.1.1.5"),  # the second one is retired
    "sr": (
        uid.BasicTextSRStorage,
        uid.EnhancedSRStorage,
        uid.ComprehensiveSRStorage,
        uid.Comprehensive3DSRStorage,
        uid.MammographyCADSRStorage,
        uid.ChestCADSRStorage,
        uid.ColonCADSRStorage,
        uid.XRayRadiationDoseSRStorage,
        uid.EnhancedXRayRadiationDoseSRStorage,
        uid.RadiopharmaceuticalRadiationDoseSRStorage,
        uid.PatientRadiationDoseSRStorage,
    ),
    "sm": (uid.VLWholeSlideMicroscopyImageStorage,),
    "gm": (uid.VLMicroscopicImageStorage,),
    "gmv": (uid.VideoMicroscopicImageStorage,),
    "rf": (uid.XRayRadiofluoroscopicImageStorage, uid.EnhancedXRFImageStorage),
    "es": (uid.VLEndoscopicImageStorage,),
    "esv": (uid.VideoEndoscopicImageStorage,),
    "xc": (uid.VLPhotographicImageStorage,),
    "xcv": (uid.VideoPhotographicImageStorage,),
    "dms": (uid.DermoscopicPhotographyImageStorage,),
    "cfm": (uid.ConfocalMicroscopyImageStorage, uid.ConfocalMicroscopyTiledPyramidalImageStorage),
    "pa": (uid.PhotoacousticImageStorage,),
    "ecg": (
        uid.TwelveLeadECGWaveformStorage,
        uid.GeneralECGWaveformStorage,
        uid.General32bitECGWaveformStorage,
        uid.AmbulatoryECGWaveformStorage,
    ),
    "emg": (uid.ElectromyogramWaveformStorage,),
    "eog": (uid.ElectrooculogramWaveformStorage,),
    "resp": (uid.RespiratoryWaveformStorage, uid.MultichannelRespiratoryWaveformStorage),
    "pos": (uid.BodyPositionWaveformStorage,),
    "eeg": (
        uid.RoutineScalpElectroencephalogramWaveformStorage,
        uid.SleepElectroencephalogramWaveformStorage,
    ),
    "eps": (uid.CardiacElectrophysiologyWaveformStorage,),
    "hd": (uid.HemodynamicWaveformStorage,),
    "obj": (uid.EncapsulatedOBJStorage,),
    "seg": (uid.SegmentationStorage,),
    "sc": (
        uid.SecondaryCaptureImageStorage,
        uid.MultiFrameSingleBitSecondaryCaptureImageStorage,
        uid.MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
        uid.MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
        uid.MultiFrameTrueColorSecondaryCaptureImageStorage,
    ),
}
_SCAN_OF_CLASS: Final = {
    str(sop_class_uid): short for short, classes in _SCAN_CLASSES.items() for sop_class_uid in classes
}

# Which session a SOP class makes: that of its scan type, but these say nothing about the session ...
_SCANS_WITHOUT_SESSION = frozenset(
    {"io", "dx3DCraniofacial", "rf", "seg", "sc", "op", "gmv", "esv", "xc", "xcv", "eps", "hd"}
)
# ... and of these scan types only some classes do.
_SESSION_CLASSES_ONLY: Final[Mapping[str, frozenset[str]]] = {
    "rtImage": frozenset({uid.RTImageStorage, uid.RTDoseStorage}),
    "sr": frozenset({uid.BasicTextSRStorage, uid.EnhancedSRStorage}),
}

# The best one of several; XNAT's lists.
_LEAD_TYPES: Final = (
    "pet", "mr", "ct", "xa", "us", "rtImage", "cr", "opt", "mg", "dx", "nm", "sr", "sm", "gm", "rf", "es",
    "rg", "dms", "cfm", "pa", "ecg", "emg", "eog", "resp", "pos", "obj", "eeg",
    # further types of scans; no session has them
    "io", "dx3DCraniofacial", "op", "xc", "esv", "gmv", "xcv", "eps", "hd", "seg", "sc", OTHER,
)  # fmt: skip
_LEAD_MODALITIES: Final = (
    "PT", "MR", "CT", "XA", "US", "RT", "CR", "OPT", "MG", "DX", "NM", "EEG", "ECG", "EMG", "EOG", "IVUS",
    "SM", "GM", "RF", "ES", "XC", "RG", "DMS", "CFM", "PA", "RESP", "POS", "OBJ", "OT", "SR", "SC", "ANN",
)  # fmt: skip
# Values of Modality (0008,0060) that name a kind of session by another word.
_MODALITY_ALIASES: Final = {
    "RTIMAGE": "RT", "RTDOSE": "RT", "RTSTRUCT": "RT", "RTPLAN": "RT", "RTRECORD": "RT",
}  # fmt: skip
_SESSION_OF_MODALITY: Final = {
    "PT": "pet",
    "RT": "rtImage",
    "IVUS": "us",
    "OT": OTHER,
    "SC": OTHER,
    "ANN": OTHER,
    **{
        name: name.lower() for name in _LEAD_MODALITIES if name not in ("PT", "RT", "IVUS", "OT", "SC", "ANN")
    },
}


def scan_type(pairs: Pairs) -> str:
    """Return the type of a scan: `xnat:mrScanData`; of several kinds of instances the best one counts."""
    found = {_SCAN_OF_CLASS.get(sop_class_uid, OTHER) for sop_class_uid, _ in pairs}
    return f"xnat:{_best(found)}ScanData"


def session_type(pairs: Pairs) -> str:
    """Return the type of a session: `xnat:mrSessionData`."""
    short = _session_short_name(pairs)
    return f"xnat:{'rt' if short == 'rtImage' else short}SessionData"


def modality_label(pairs: Pairs) -> str:
    """Return the value of a script's `modalityLabel`: MR, CT, PET (also PET-CT), PETMR, RT, ..., OT."""
    short = _session_short_name(pairs)
    if short == OTHER:
        return UNKNOWN_MODALITY
    return "RT" if short == "rtImage" else short.upper()


def lead_modality(modalities: Iterable[str | None]) -> str:
    """Return the leading one of several Modality values, `OT` when none is known."""
    found = {_MODALITY_ALIASES.get(modality, modality) for modality in modalities if modality}
    return next((modality for modality in _LEAD_MODALITIES if modality in found), UNKNOWN_MODALITY)


def _session_short_name(pairs: Pairs) -> str:
    # The set first: sessions have thousands of instances and a handful of kinds.
    kinds = set(pairs)
    by_class = {short for sop_class_uid, _ in kinds if (short := _session_of_class(sop_class_uid))}
    if by_class:
        return "petmr" if {"pet", "mr"} <= by_class else _best(by_class)
    modalities = {modality for _, modality in kinds}
    if {"PT", "MR"} <= modalities:
        return "petmr"
    return _SESSION_OF_MODALITY.get(lead_modality(modalities), OTHER)


def _session_of_class(sop_class_uid: str) -> str | None:
    short = _SCAN_OF_CLASS.get(sop_class_uid)
    if short is None or short in _SCANS_WITHOUT_SESSION:
        return None
    only = _SESSION_CLASSES_ONLY.get(short)
    return short if only is None or sop_class_uid in only else None


def _best(found: set[str]) -> str:
    return next((short for short in _LEAD_TYPES if short in found), OTHER)
