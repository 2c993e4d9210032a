"""The DicomEdit engine: compile a script once, apply it to many DICOM objects."""
