"""The DicomEdit engine: compiles scripts once and applies them to any number of objects."""

from anon.errors import Diagnostic, ScriptError
from anon.files import apply_to_file
from anon.labels import next_label
from anon.lint.check import CheckReport, check_script
from anon.script import ApplyReport, Script, compile_script

__all__ = [
    "ApplyReport",
    "CheckReport",
    "Diagnostic",
    "Script",
    "ScriptError",
    "apply_to_file",
    "check_script",
    "compile_script",
    "next_label",
]
