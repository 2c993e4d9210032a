"""The DICOM network side: the only home of pynetdicom, and no business rules."""
