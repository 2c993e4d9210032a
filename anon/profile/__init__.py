"""Confidentiality profiles of DICOM PS3.15: the table, scripts made from it, and what a script covers."""
