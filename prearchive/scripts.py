"""The scripts in force: site script and project scripts, compiled once, read anew when their files change.

Fail closed: a script that is switched on but missing or wrong is an error when it is first asked for. Once a
good version is in force, a newer one with mistakes does not replace it; what is wrong is kept in `problems`.
The lookup table that all scripts of a site share is treated alike, only that a site need not have one.
"""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import anon
from anon.errors import ScriptError
from anon.lookup import NAME, LookupTable, parse_table
from anon.render import render
from prearchive.errors import ConfigurationProblemError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.settings import Settings

SITE_SCRIPT_NAME = "site.das"
LOOKUP_NAME = NAME
Signature = tuple[int, int, int] | None  # of a file, None when there is none


@dataclass(frozen=True, slots=True)
class LoadedScript:
    """A script in force."""

    script: anon.Script
    text: str
    sha256: str  # of the file's bytes
    name: str  # site.das, projects/P4.das

    @property
    def language(self) -> str:
        """The version of DicomEdit that it is written in."""
        return self.script.language


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a script is."""

    name: str
    path: Path
    switch: str  # the setting that asks for it


@dataclass(slots=True)
class _Shelved:
    """A good version, and the file as it was seen last: the good version or a newer one with mistakes."""

    loaded: LoadedScript
    seen: Signature


@dataclass(slots=True)
class _ShelvedTable:
    """The lookup table in force, None when the site has none, and its file as it was seen last."""

    table: LookupTable | None
    seen: Signature


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What scripts are compiled with."""

    lookup: LookupTable | None
    allowed_hosts: tuple[str, ...]
    key: bytes | None

    def compile(self, text: str, name: str) -> anon.Script:
        """Compile a script.

        Raises:
            ScriptError: it has mistakes.
        """
        return anon.compile_script(
            text, name=name, lookup=self.lookup, allowed_hosts=self.allowed_hosts, key=self.key
        )


class ScriptShelf:
    """The scripts of a site. Safe to use from several threads.

    Files are looked at again by `refresh` only, so that asking costs nothing.

    Args:
        settings: which scripts there are.
        key: what `mapUID` and the like derive UIDs with, the same for all processes of a site; None is for
            looking at scripts, not for running them.
    """

    def __init__(self, settings: Settings, key: bytes | None = None) -> None:
        self._settings = settings
        self._key = key
        self._table: _ShelvedTable | None = None  # read with the first script
        self._shelved: dict[str, _Shelved] = {}
        self._problems: dict[str, str] = {}
        self._lock = threading.Lock()
        self._without_file = _projects_without_file(settings)

    @property
    def problems(self) -> list[str]:
        """What is wrong with newer versions that were not taken over, drawn with their places."""
        return [text for _, text in sorted(self._problems.items())]

    def site(self) -> LoadedScript | None:
        """Return the site script, None when it is switched off.

        Raises:
            ConfigurationProblemError: its file is missing or cannot be read.
            ScriptError: it has mistakes; all of them are in it.
        """
        if not self._settings.anonymization.site_enabled:
            return None
        return self._get(_site_source(self._settings))

    def project(self, project: str) -> LoadedScript | None:
        """Return the script of a project, None when it is switched off.

        Raises:
            NotFoundError: the settings have no such project (any more).
            ConfigurationProblemError: its file is missing or cannot be read.
            ScriptError: it has mistakes; all of them are in it.
        """
        settings = self._settings.projects.get(project)
        if settings is None:
            raise NotFoundError(f"there is no project {project!r} in {self._settings.config_path}")
        if not settings.anonymize:
            return None
        return self._get(_project_source(self._settings, project))

    def load_all(self) -> list[LoadedScript]:
        """Load every script that is switched on, as `serve` does at its start.

        Raises:
            ConfigurationProblemError: a file is missing or cannot be read.
            ScriptError: a script has mistakes.
        """
        return [self._get(source) for source in _wanted(self._settings)]

    def in_force(self) -> list[LoadedScript]:
        """Return the scripts that were loaded and are switched on."""
        names = [source.name for source in _wanted(self._settings)]
        return [self._shelved[name].loaded for name in names if name in self._shelved]

    def newest(self) -> dict[str, LoadedScript | Exception]:
        """Compile every script that is switched on as its file is now, by name; mistakes are not raised.

        Nothing of it comes into force. A lookup table that cannot be used is among them.
        """
        found: dict[str, LoadedScript | Exception] = {}
        table = None
        try:
            table = _load_table(self._settings.lookup_path).table
        except (ConfigurationProblemError, ScriptError) as error:
            found[LOOKUP_NAME] = error
        surroundings = self._surroundings(self._settings, table)
        for source in _wanted(self._settings):
            try:
                found[source.name], _ = _load(source, surroundings)
            except (ConfigurationProblemError, ScriptError) as error:
                found[source.name] = error
        return found

    def refresh(self) -> None:
        """Take over files that changed; keep the version in force of those with mistakes."""
        with self._lock:
            self._refresh_table()
            for source in _wanted(self._settings):
                shelved = self._shelved.get(source.name)
                if shelved is None:
                    continue  # never asked for, so the newest file will be read then
                seen = _signature(source.path)
                if seen == shelved.seen:
                    continue
                try:
                    self._shelve(source, self._settings)
                except (ConfigurationProblemError, ScriptError) as error:
                    shelved.seen = seen
                    self._problems[source.name] = explain(error, source.path)

    def use_settings(self, settings: Settings) -> None:
        """Follow changed settings. When one of them asks for a script that cannot be used, nothing changes.

        Raises:
            ConfigurationProblemError: the file of a script that is newly switched on is missing.
            ScriptError: such a script has mistakes.
        """
        with self._lock:
            known = {source.name for source in _wanted(self._settings)}
            wanted = list(_wanted(settings))
            for source in wanted:
                if source.name not in known:
                    self._shelve(source, settings)
            hosts = self._settings.anonymization.allowed_hosts
            self._settings = settings
            if settings.anonymization.allowed_hosts != hosts:
                self._compile_anew()
            self._without_file = _projects_without_file(settings)
            names = {LOOKUP_NAME, *(source.name for source in wanted)}
            self._problems = {name: text for name, text in self._problems.items() if name in names}

    def has_new_files(self) -> bool:
        """Whether a project got its script after the settings were read: then they should be read again.

        A project that does not say `anonymize` anonymizes from the moment it has a script.
        """
        return any(path.is_file() for path in self._without_file)

    def _get(self, source: _Source) -> LoadedScript:
        shelved = self._shelved.get(source.name)
        if shelved is not None:
            return shelved.loaded
        with self._lock:
            shelved = self._shelved.get(source.name)
            return shelved.loaded if shelved is not None else self._shelve(source, self._settings)

    def _shelve(self, source: _Source, settings: Settings) -> LoadedScript:
        if self._table is None:
            self._table = _load_table(settings.lookup_path)
        loaded, seen = _load(source, self._surroundings(settings, self._table.table))
        self._shelved[source.name] = _Shelved(loaded, seen)
        self._problems.pop(source.name, None)
        return loaded

    def _surroundings(self, settings: Settings, table: LookupTable | None) -> _Surroundings:
        return _Surroundings(table, tuple(settings.anonymization.allowed_hosts), self._key)

    def _refresh_table(self) -> None:
        path = self._settings.lookup_path
        seen = _signature(path)
        if self._table is None or seen == self._table.seen:
            return
        try:
            self._table = _load_table(path)
        except (ConfigurationProblemError, ScriptError) as error:
            self._table.seen = seen
            self._problems[LOOKUP_NAME] = explain(error, path)
            return
        self._problems.pop(LOOKUP_NAME, None)
        self._compile_anew()

    def _compile_anew(self) -> None:
        """Give the scripts in force other surroundings. What a script may say does not depend on them."""
        assert self._table is not None
        surroundings = self._surroundings(self._settings, self._table.table)
        for shelved in self._shelved.values():
            loaded = shelved.loaded
            shelved.loaded = replace(loaded, script=surroundings.compile(loaded.text, loaded.name))


def explain(error: Exception, path: Path) -> str:
    """Return what is wrong with a script: its mistakes drawn in their lines, or the sentence of the error.

    Lines of the lookup table are not shown: this may be logged, and they name patients.
    """
    if not isinstance(error, ScriptError):
        return str(error)
    if error.name == LOOKUP_NAME:
        places = [f"{path}:{found.line}:{found.column}: {found.message}" for found in error.diagnostics]
        return "\n".join([*places, "an entry of the lookup table is written `type/key = value`"])
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return str(error)
    return render(error.diagnostics, text, error.name)


def script_path(settings: Settings, name: str) -> Path:
    """Return where the script of this name is: `site.das`, `projects/<PROJECT>.das`; or the lookup table."""
    if name == LOOKUP_NAME:
        return settings.lookup_path
    project = project_of(name)
    return settings.site_script_path if project is None else settings.project_script_path(project)


def project_of(name: str) -> str | None:
    """Return the project whose script has this name, None for the site script."""
    return None if name == SITE_SCRIPT_NAME else name.removeprefix("projects/").removesuffix(".das")


def _site_source(settings: Settings) -> _Source:
    return _Source(SITE_SCRIPT_NAME, settings.site_script_path, "[anonymization] site_enabled")


def _project_source(settings: Settings, project: str) -> _Source:
    path = settings.project_script_path(project)
    return _Source(f"projects/{project}.das", path, f"[projects.{project}] anonymize")


def _wanted(settings: Settings) -> Iterator[_Source]:
    if settings.anonymization.site_enabled:
        yield _site_source(settings)
    for project, project_settings in settings.projects.items():
        if project_settings.anonymize:
            yield _project_source(settings, project)


def _projects_without_file(settings: Settings) -> list[Path]:
    paths = [settings.project_script_path(project) for project in settings.projects]
    return [path for path in paths if not path.is_file()]


def _load(source: _Source, surroundings: _Surroundings) -> tuple[LoadedScript, Signature]:
    """Read and compile a script; returns it with the file's signature, taken before the text was read."""
    try:
        text, content, seen = _read(source.path)
    except FileNotFoundError:
        raise ConfigurationProblemError(
            f"{source.path}: this script is missing, but {source.switch} asks for it: write it, "
            f"or switch it off with {source.switch} = false"
        ) from None
    script = surroundings.compile(text, source.name)
    return LoadedScript(script, text, hashlib.sha256(content).hexdigest(), source.name), seen


def _load_table(path: Path) -> _ShelvedTable:
    """Read the lookup table.

    Raises:
        ConfigurationProblemError: the file cannot be read.
        ScriptError: it has lines that are no entry; its name is `lookup.txt`.
    """
    try:
        text, _, seen = _read(path)
    except FileNotFoundError:
        return _ShelvedTable(None, None)
    return _ShelvedTable(parse_table(text), seen)


def _read(path: Path) -> tuple[str, bytes, Signature]:
    try:
        with path.open("rb") as opened:
            found = os.fstat(opened.fileno())
            content = opened.read()
        return content.decode("utf-8"), content, (found.st_mtime_ns, found.st_size, found.st_ino)
    except FileNotFoundError:
        raise
    except UnicodeDecodeError as error:
        raise ConfigurationProblemError(f"{path}: not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise ConfigurationProblemError(f"{path}: cannot be read: {error.strerror}") from None


def _signature(path: Path) -> Signature:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
