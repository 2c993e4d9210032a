"""Make the scripts of the library that are variants of the Basic Profile, and their tests.

config/defaults/library/library.toml says which there are and with which options.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from anon.profile.generate import make_script
from anon.profile.generated_tests import make_tests
from config.library import library_scripts

LIBRARY: Final = Path(__file__).resolve().parents[1] / "config" / "defaults" / "library"


def files() -> dict[Path, str]:
    """The files and their texts."""
    made = {}
    for script in library_scripts():
        if script.options is not None:
            made[LIBRARY / f"{script.name}.das"] = make_script(script.options)
            made[LIBRARY / f"{script.name}.tests.toml"] = make_tests(script.name, script.options)
    return made


def main() -> None:
    """Write the files."""
    for path, text in files().items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
