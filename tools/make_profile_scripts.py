"""Make config/defaults/library/basic-profile.das from the table of the Basic Profile."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from anon.profile.generate import make_script

LIBRARY: Final = Path(__file__).resolve().parents[1] / "config" / "defaults" / "library"
NAME: Final = "basic-profile"


def files() -> dict[Path, str]:
    """The files and their texts."""
    return {LIBRARY / f"{NAME}.das": make_script()}


def main() -> None:
    """Write the files."""
    for path, text in files().items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
