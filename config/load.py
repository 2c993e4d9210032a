"""Read the settings of a site: `prearc.toml`, then the environment, then every rule of `config.settings`.

An environment variable `PREARC_<TABLE>__<KEY>` replaces a key: `PREARC_STORAGE__ROOT=/srv/dicom`,
`PREARC_RECEIVERS__0__HOST=0.0.0.0`, `PREARC_PROJECTS__P4__ALIASES=["Four"]` (project ids as written).
This is done here and not with pydantic-settings because that package needs a quarter of a second to import,
which every command would pay.
"""

from __future__ import annotations

import difflib
import itertools
import os
import re
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from config.errors import ConfigError
from config.settings import CONFIG_FILE_NAME, Settings

ENVIRONMENT_PREFIX = "PREARC_"
_SECRET_KEYS = {("database", "url")}  # may hold a password: never quoted
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]#]+?)\s*\]")
_LONGEST_QUOTE = 80

Location = tuple[str | int, ...]


def load_settings(folder: Path | str, environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of the site folder `folder`.

    Raises:
        ConfigError: no site there, no TOML, unknown keys or wrong values; one line for each mistake.
    """
    folder = Path(folder)
    config_path = folder / CONFIG_FILE_NAME
    toml_text = _read_text(folder, config_path)
    try:
        tables: dict[str, Any] = tomllib.loads(toml_text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{config_path}: this is no TOML: {error}") from None
    if "folder" in tables:
        raise ConfigError(f"{config_path}{_line_of(toml_text, ('folder',))}: unknown key 'folder'")
    replaced = _apply_environment(tables, os.environ if environ is None else environ)
    try:
        return Settings.model_validate({**tables, "folder": folder})
    except ValidationError as error:
        raise ConfigError(*_problems(error, config_path, toml_text, replaced)) from None


def _read_text(folder: Path, config_path: Path) -> str:
    try:
        return config_path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            f"{folder}: no site here (there is no {CONFIG_FILE_NAME}); `prearc init {folder}` writes one,"
            " --config names another folder"
        ) from None
    except NotADirectoryError:
        raise ConfigError(f"{folder}: this is no folder; --config names the folder of a site") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{config_path}: not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        raise ConfigError(f"{config_path}: {error.strerror}") from None


def _apply_environment(tables: dict[str, Any], environ: Mapping[str, str]) -> dict[Location, str]:
    """Put the values of `PREARC_...` variables into `tables`; return their locations and names."""
    replaced: dict[Location, str] = {}
    for variable in sorted(environ):
        parts = variable.removeprefix(ENVIRONMENT_PREFIX).split("__")
        known = parts[0].lower() in Settings.model_fields and parts[0].lower() != "folder"
        if not variable.startswith(ENVIRONMENT_PREFIX) or (len(parts) == 1 and not known):
            continue  # PREARC_CONFIG, PREARC_SITE_KEY and the like
        location = _location(parts)
        try:
            _put(tables, location, _typed(environ[variable], location))
        except (LookupError, TypeError):
            raise ConfigError(f"environment variable {variable}: it names nothing that can be set") from None
        except tomllib.TOMLDecodeError:
            raise ConfigError(
                f"environment variable {variable}: lists and tables are written as in TOML,"
                ' for example ["SCANNER1", "10.0.0.0/8"]'
            ) from None
        replaced[location] = variable
    return replaced


def _location(parts: list[str]) -> Location:
    """Turn the parts of a variable's name into keys: lower case, but a project's id stays as written."""
    keys: list[str | int] = []
    for part in parts:
        if keys == ["projects"]:
            keys.append(part)
        else:
            keys.append(int(part) if part.isdigit() else part.lower())
    return tuple(keys)


def _put(tables: dict[str, Any], location: Location, value: Any) -> None:
    place: Any = tables
    for key, following in itertools.pairwise(location):
        if isinstance(place, list):
            if key == len(place):  # the next receiver
                place.append({})
            place = place[typing.cast(int, key)]
        else:
            place = place.setdefault(key, [] if isinstance(following, int) else {})
    place[location[-1]] = value


def _typed(text: str, location: Location) -> Any:
    """Read the value of a variable: text where the key holds text, else as TOML writes it."""
    if _expects_text(location):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        if text.lstrip().startswith(("[", "{")):
            raise
        return text  # the rules of the key will say what is wrong with it


def _expects_text(location: Location) -> bool:
    annotation: Any = Settings
    for key in location:
        models = [found for found in _members(annotation) if _is_model(found)]
        if models and isinstance(key, str) and key in models[0].model_fields:
            annotation = models[0].model_fields[key].annotation
            continue
        containers = [found for found in _members(annotation) if typing.get_origin(found) in (list, dict)]
        if not containers:
            return False
        annotation = typing.get_args(containers[0])[-1]
    return any(
        found in (str, Path) or typing.get_origin(found) is typing.Literal for found in _members(annotation)
    )


def _members(annotation: Any) -> list[Any]:
    """Return the members of a union, or the annotation itself; `Annotated` is looked through."""
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [member for part in typing.get_args(annotation) for member in _members(part)]
    return [annotation]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _problems(
    error: ValidationError, config_path: Path, toml_text: str, replaced: Mapping[Location, str]
) -> Iterator[str]:
    """Draw pydantic's findings: file, line, key, what is wrong, the offending item."""
    for finding in error.errors(include_url=False):
        location: Location = finding["loc"]
        if not location:  # rules across keys: each line names its keys already
            for line in str(finding["ctx"]["error"]).splitlines():
                yield f"{config_path}: {line}"
            continue
        place = str(config_path) + _line_of(toml_text, location)
        for source, variable in replaced.items():
            shared = min(len(source), len(location))
            if source[:shared] == location[:shared]:
                place = f"environment variable {variable}"
        if finding["type"] == "extra_forbidden":
            yield f"{place}: {_unknown_key(location)}"
        else:
            yield f"{place}: {_path(location)}: {_wording(finding)}{_quoted(location, finding['input'])}"


def _unknown_key(location: Location) -> str:
    annotation: Any = Settings
    for key in location[:-1]:
        annotation = next((found for found in _members(annotation) if _is_model(found)), annotation)
        if _is_model(annotation):
            annotation = annotation.model_fields[str(key)].annotation
        else:
            annotation = typing.get_args(annotation)[-1]
    table = next(found for found in _members(annotation) if _is_model(found))
    known = [name for name in table.model_fields if name != "folder"]
    near = difflib.get_close_matches(str(location[-1]).lower(), known, n=1, cutoff=0.0)
    where = f" in [{_path(location[:-1])}]" if len(location) > 1 else ""
    hint = f"; the nearest known key is {near[0]!r}" if near else ""
    return f"unknown key {str(location[-1])!r}{where}{hint}"


def _wording(finding: Any) -> str:
    kind, context = finding["type"], finding.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    wordings = {
        "int_type": "this must be a whole number",
        "bool_type": "this must be true or false",
        "string_type": "this must be text in quotes",
        "path_type": "this must be a path in quotes",
        "list_type": "this must be a list in [ ]",
        "dict_type": "this must be a table",
        "model_type": "this must be a table",
        "missing": "this key is needed",
        "literal_error": f"this must be {context.get('expected')}",
        "greater_than": f"this must be greater than {context.get('gt')}",
        "greater_than_equal": f"this must be {context.get('ge')} or more",
        "less_than_equal": f"this must be {context.get('le')} or less",
    }
    return wordings.get(kind, str(finding["msg"]))


def _quoted(location: Location, value: Any) -> str:
    if location[:2] in _SECRET_KEYS or isinstance(value, dict):
        return ""
    shown = repr(value)
    if len(shown) > _LONGEST_QUOTE:
        shown = shown[:_LONGEST_QUOTE] + "..."
    return f", not {shown}"


def _path(location: Location) -> str:
    text = ""
    for key in location:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            text += f".{key}" if text else key
    return text


def _line_of(toml_text: str, location: Location) -> str:
    """Return ":<line>" of the deepest part of `location` that a plain reading of the lines finds, else ""."""
    counts: dict[str, int] = {}
    header = ""  # "receivers[0].routing", as `_path` writes it
    found: dict[str, int] = {}
    for number, line in enumerate(toml_text.splitlines(), start=1):
        match = _HEADER.match(line)
        if match:
            names = re.sub(r"[\s\"']", "", match[2])
            if match[1] == "[[":
                counts[names] = counts.get(names, -1) + 1
            first, _, rest = names.partition(".")
            if first in counts:
                first = f"{first}[{counts[first]}]"
            header = f"{first}.{rest}" if rest else first
            found.setdefault(header, number)
            continue
        key, equals, _ = line.partition("=")
        if equals:
            name = re.sub(r"[\s\"']", "", key)
            found.setdefault(f"{header}.{name}" if header else name, number)
    for length in range(len(location), 0, -1):
        place = found.get(_path(location[:length]))
        if place is not None:
            return f":{place}"
    return ""
