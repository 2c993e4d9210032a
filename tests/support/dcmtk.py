"""Where DCMTK's programs are."""

from __future__ import annotations

import os
import shutil
import subprocess


def find_dcmtk(program: str) -> str | None:
    """One of DCMTK's programs; pynetdicom brings some of the same names."""
    for folder in os.get_exec_path():
        path = shutil.which(program, path=folder)
        if path is None:
            continue
        version = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60)
        if "dcmtk" in (version.stdout + version.stderr).lower():
            return path
    return None
