"""The library of ready scripts, which comes with the program: what there is, and the texts."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class LibraryScript:
    """A script of the library.

    Attributes:
        name: of its file, without `.das`.
        title: in a few words.
        use: "site", "project", or "any" for both.
        does: in a sentence.
        keeps: what it leaves as it was.
        options: of the Basic Profile that it is made with; None when it is another script.
    """

    name: str
    title: str
    use: str
    does: str
    keeps: str
    options: tuple[str, ...] | None

    @property
    def text(self) -> str:
        """The script."""
        return _read(f"{self.name}.das")

    @property
    def tests(self) -> str:
        """Its tests."""
        return _read(f"{self.name}.tests.toml")


class UnknownLibraryScriptError(Exception):
    """The library has no such script (exit 4). The text says which ones there are."""


@cache
def library_scripts() -> tuple[LibraryScript, ...]:
    """All scripts, in the order in which they are shown."""
    entries: list[dict[str, Any]] = tomllib.loads(_read("library.toml"))["script"]
    return tuple(
        LibraryScript(**{**entry, "options": tuple(entry["options"]) if "options" in entry else None})
        for entry in entries
    )


def get_library_script(name: str) -> LibraryScript:
    """Return a script by its name, with or without `.das`.

    Raises:
        UnknownLibraryScriptError: there is none.
    """
    wanted = name.removesuffix(".das")
    for script in library_scripts():
        if script.name == wanted:
            return script
    names = [script.name for script in library_scripts()]
    near = get_close_matches(wanted, names, n=1)
    hint = f", did you mean {near[0]!r}?" if near else ";"
    raise UnknownLibraryScriptError(f"the library has no script {name!r}{hint} it has {', '.join(names)}")


def _read(name: str) -> str:
    return resources.files("config").joinpath("defaults", "library", name).read_text(encoding="utf-8")
