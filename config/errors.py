"""What can go wrong with a site's configuration."""

from __future__ import annotations

from collections.abc import Sequence


class ConfigError(Exception):
    """The site folder or its `prearc.toml` cannot be used (exit 2).

    `problems` holds one line for each mistake; every line names the file, the key and the offending item.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems: Sequence[str] = problems


class SiteExistsError(ConfigError):
    """`prearc init` found a site where it should write a new one (exit 2)."""


class UnknownProjectError(Exception):
    """A command names a project that `prearc.toml` does not have (exit 4)."""
