"""The DicomEdit engine: compiles scripts once and applies them to any number of objects."""

from typing import TYPE_CHECKING, Any

from anon.errors import Diagnostic, ScriptError
from anon.files import apply_to_file
from anon.labels import next_label
from anon.script import ApplyReport, Script, compile_script

if TYPE_CHECKING:
    from anon.lint.check import CheckReport, check_script

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


if not TYPE_CHECKING:  # it would make every name a good one

    def __getattr__(name: str) -> Any:
        """Load the linter when somebody asks for it: who only runs scripts need not wait for it."""
        if name in ("CheckReport", "check_script"):
            from anon.lint import check

            return getattr(check, name)
        raise AttributeError(f"module 'anon' has no attribute {name!r}")
