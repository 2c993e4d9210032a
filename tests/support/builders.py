"""Data sets for tests: built, or taken from the real files that come with pydicom. No patient data."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

WHEEL_FILES = Path(pydicom.__file__).parent / "data" / "test_files"


def wheel_file(name: str) -> Path:
    """The path of one of pydicom's own test files."""
    path = WHEEL_FILES / name
    assert path.is_file(), path
    return path


def sendable_wheel_files() -> Iterator[Path]:
    """Every wheel file that is Part 10, reads without force and has both SOP UIDs."""
    for path in sorted(WHEEL_FILES.rglob("*")):
        if not path.is_file():
            continue
        try:
            dataset = pydicom.dcmread(path, stop_before_pixels=True)
        except Exception:
            continue
        if dataset.get("SOPClassUID") and dataset.get("SOPInstanceUID"):
            yield path


def make_dataset(**elements: Any) -> Dataset:
    """A small MR instance with fresh UIDs; keywords set or (None) remove elements."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = MRImageStorage
    dataset.SOPInstanceUID = generate_uid()
    dataset.StudyDate = "20240229"
    dataset.StudyTime = "101112"
    dataset.Modality = "MR"
    dataset.StudyDescription = "Study of knees"
    dataset.PatientName = "Doe^Jane"
    dataset.PatientID = "PID-1"
    dataset.PatientBirthDate = "19700101"
    dataset.StudyInstanceUID = generate_uid()
    dataset.SeriesInstanceUID = generate_uid()
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = 1
    for keyword, value in elements.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def encode_dataset(dataset: Dataset, transfer_syntax_uid: str = ExplicitVRLittleEndian) -> bytes:
    """The bytes a C-STORE request would carry (native transfer syntaxes)."""
    syntax = pydicom.uid.UID(transfer_syntax_uid)
    buffer = DicomBytesIO()
    buffer.is_little_endian = syntax.is_little_endian
    buffer.is_implicit_VR = syntax.is_implicit_VR
    write_dataset(buffer, dataset)
    return buffer.getvalue()


def saved(dataset: Dataset) -> bytes:
    """The file that pydicom writes of a data set with its file meta information."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def loaded(content: bytes) -> Dataset:
    """What pydicom reads from a file, with preamble or without."""
    return pydicom.dcmread(BytesIO(content), force=True)


def part10_bytes(dataset: Dataset, transfer_syntax_uid: str = ExplicitVRLittleEndian) -> bytes:
    """A whole file."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(transfer_syntax_uid)
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()
