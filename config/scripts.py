"""The scripts of a site folder: find them, replace them, switch them on and off; and write a new site folder.

Everything here changes files of the site folder, nothing below the storage root. Files are replaced
atomically (temporary name, sync, rename), so that a running server sees the old text or the new one.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from config.errors import ConfigError, SiteExistsError, UnknownProjectError
from config.settings import CONFIG_FILE_NAME, Settings

# No tests beside the scripts: these are examples, and their tests would refuse every other script.
TEMPLATES = ("prearc.toml", "anon/site.das", "anon/projects/TRAINING.das", "anon/lookup.txt")
_FOLDER_MODE = 0o700
_FILE_MODE = 0o600


@dataclass(frozen=True, slots=True)
class ScriptFile:
    """Where one script of the site is and whether it is meant to run."""

    project: str | None  # None: the site script
    path: Path
    enabled: bool

    @property
    def name(self) -> str:
        """The name that messages use: `site.das`, `projects/P4.das`."""
        return "site.das" if self.project is None else f"projects/{self.project}.das"


def get_script_file(settings: Settings, project: str | None) -> ScriptFile:
    """Return the script of a project (an id or an alias), or with None the site script.

    Raises:
        UnknownProjectError: `prearc.toml` has no such project.
    """
    if project is None:
        return ScriptFile(None, settings.site_script_path, settings.anonymization.site_enabled)
    project_id = settings.resolve_project(project)
    if project_id is None:
        raise UnknownProjectError(f"there is no project {project!r} in {settings.config_path}")
    return ScriptFile(
        project_id, settings.project_script_path(project_id), settings.projects[project_id].anonymize
    )


def read_script(script_file: ScriptFile) -> str | None:
    """Return the text of a script, or None when its file does not exist."""
    try:
        return script_file.path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{script_file.path}: not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise ConfigError(f"{script_file.path}: {error.strerror}") from None


def write_script(script_file: ScriptFile, text: str) -> None:
    """Put a new text in force. The caller has compiled it."""
    _replace_file(script_file.path, text.encode("utf-8"))


def set_script_enabled(settings: Settings, project: str | None, enabled: bool) -> None:
    """Switch a script on or off in `prearc.toml`, keeping its comments and its order."""
    import tomlkit  # only these commands pay for it

    script_file = get_script_file(settings, project)
    with _locked(settings.folder):
        document = tomlkit.parse(settings.config_path.read_bytes().decode("utf-8-sig"))
        if script_file.project is None:
            document.setdefault("anonymization", tomlkit.table())["site_enabled"] = enabled
        else:
            projects = document.setdefault("projects", tomlkit.table(is_super_table=True))
            projects.setdefault(script_file.project, tomlkit.table())["anonymize"] = enabled
        _replace_file(settings.config_path, tomlkit.dumps(document).encode("utf-8"))


def write_site_folder(folder: Path) -> list[Path]:
    """Write a new site folder with commented settings, scripts and a lookup table; return the files.

    Raises:
        SiteExistsError: there is a site already; nothing was changed.
        ConfigError: the folder cannot be written.
    """
    targets = [folder / name for name in TEMPLATES]
    for target in targets:
        if os.path.lexists(target):
            raise SiteExistsError(f"{folder}: a site is here already ({target} exists); nothing was changed")
    try:
        for name, target in zip(TEMPLATES, targets, strict=True):
            _make_folders(target.parent)
            template = resources.files("config").joinpath("defaults", *name.split("/")).read_bytes()
            if name != CONFIG_FILE_NAME:
                _write_new(target, template)
        # The settings come last: a folder with settings is a whole site.
        _write_new(targets[0], resources.files("config").joinpath("defaults", CONFIG_FILE_NAME).read_bytes())
    except FileExistsError as error:
        raise SiteExistsError(f"{error.filename}: somebody else writes a site here") from None
    except OSError as error:
        raise ConfigError(f"{error.filename or folder}: {error.strerror}") from None
    return targets


def _make_folders(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folders(folder.parent)
    folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)


def _write_new(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _FILE_MODE)
    with os.fdopen(descriptor, "wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())


def _replace_file(path: Path, content: bytes) -> None:
    """Replace `path` at once: whoever reads sees the old content or the new one, also after a power cut."""
    try:
        _make_folders(path.parent)
        # Through a link, so that a site folder may point to files elsewhere.
        path = path.resolve()
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            _write_new(temporary, content)
            with suppress(FileNotFoundError):
                temporary.chmod(path.stat().st_mode & 0o777)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the site folder's lock while a file is read, changed and written back."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(folder / ".prearc.lock", timeout=10, mode=_FILE_MODE):
            yield
    except Timeout:
        raise ConfigError(f"{folder}: somebody else is changing the settings; try again") from None
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be written: {error.strerror}") from None
