"""The settings of a site: models whose attributes are the keys of `prearc.toml`.

Every key may be left out. Keys that are not listed here are refused. All paths are absolute once a
`Settings` exists; in the file they are relative to the site folder.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, model_validator

CONFIG_FILE_NAME = "prearc.toml"
UNASSIGNED = "Unassigned"  # the word shown where a session has no project; therefore no project's name
MEBIBYTE = 1024 * 1024

_PROJECT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_WEB_HOST = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*(?::([0-9]{1,5}))?", re.ASCII)
_LOOKS_LIKE_AN_ADDRESS = re.compile(r"[0-9.]+(/.*)?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(/.*)?", re.ASCII)


def ae_title_problem(text: str) -> str | None:
    """Say what is wrong with an AE title, or return None (PS3.5 section 6.2, VR AE)."""
    if not 1 <= len(text) <= 16:
        return "an AE title has 1 to 16 characters"
    if any(not " " <= character <= "~" for character in text) or "\\" in text:
        return "an AE title has printable ASCII characters only, and no backslash"
    if text != text.strip():
        return "an AE title must not begin or end with a blank"
    return None


def allow_item_problem(item: str) -> str | None:
    """Say what is wrong with an item of a receiver's `allow` list, or return None.

    Items are `IP`, `CIDR`, `AET`, `AET@IP` or `AET@CIDR`, as in XNAT's whitelist.
    """
    if item.count("@") > 1:
        return "an item holds one @ at most"
    title, at_sign, address = item.rpartition("@")
    if at_sign:
        if not _is_address(address):
            return f"{address!r} is no address or network"
        return ae_title_problem(title)
    if _is_address(item):
        return None
    if _LOOKS_LIKE_AN_ADDRESS.fullmatch(item):
        return "this is no valid address or network"
    return ae_title_problem(item)


def project_id_problem(text: str) -> str | None:
    """Say what is wrong with a project's id, or return None: it becomes the name of a folder."""
    if not _PROJECT_ID.fullmatch(text):
        return "a project's id has 1 to 64 characters of A-Z a-z 0-9 _ -"
    if text.lower() == UNASSIGNED.lower():
        return f"{UNASSIGNED} is the word for sessions without a project"
    return None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _checked_ae_title(text: str) -> str:
    problem = ae_title_problem(text)
    if problem:
        raise ValueError(problem)
    return text


def _checked_allow_item(item: str) -> str:
    problem = allow_item_problem(item)
    if problem:
        raise ValueError(f"{problem}; write an AE title, an address, a network or AET@address")
    return item


def _checked_host(text: str) -> str:
    if not text or any(not "!" <= character <= "~" for character in text):
        raise ValueError("a host is an address or a name without blanks")
    return text


def _checked_text(text: str) -> str:
    if not text.strip():
        raise ValueError("this must not be blank")
    return text


def _checked_web_host(text: str) -> str:
    found = _WEB_HOST.fullmatch(text)
    if found is None or not 0 < int(found[1] or 80) <= 65535:
        raise ValueError("write the name of a web server, or name:port; no address with http://, no path")
    return text.lower()


AETitle = Annotated[str, AfterValidator(_checked_ae_title)]
AllowItem = Annotated[str, AfterValidator(_checked_allow_item)]
NotBlank = Annotated[str, AfterValidator(_checked_text)]
Host = Annotated[str, AfterValidator(_checked_host)]
WebHost = Annotated[str, AfterValidator(_checked_web_host)]
Positive = Annotated[StrictInt, Field(gt=0)]
NotNegative = Annotated[StrictInt, Field(ge=0)]
PrearchivePolicy = Literal["manual", "auto", "overwrite"]


class _Table(BaseModel):
    """A table of `prearc.toml`: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


TableT = TypeVar("TableT", bound=_Table)


class Storage(_Table):
    """Where the data are."""

    root: Path = Path("data")
    group: NotBlank | None = None  # opens folders (0750) and files (0640) to this group
    key_file: Path | None = None  # of the site key; default <root>/site.key


class Database(_Table):
    """Which database; an empty address means SQLite in <root>/prearc.db."""

    url: str = ""


class Routing(_Table):
    """Routing rules, one text a rule: `(GGGG,EEEE):REGEX[:GROUP][ t:TARGET r:REPLACEMENT]`."""

    project: list[str] = Field(default_factory=list)
    subject: list[str] = Field(default_factory=list)
    session: list[str] = Field(default_factory=list)


class Tls(_Table):
    """TLS of a receiver; with `client_ca` senders must show a certificate signed by it."""

    cert: Path
    key: Path
    client_ca: Path | None = None


class Receiver(_Table):
    """One called AE title on one port. Several may share a port, then also host and TLS."""

    ae_title: AETitle = "XNAT"
    port: Annotated[StrictInt, Field(ge=0, le=65535)] = 8104  # 0: any free port
    host: Host = "127.0.0.1"
    enabled: StrictBool = True
    anonymize: StrictBool = True
    allow: list[AllowItem] | None = None  # None: everybody; empty: nobody
    quiet_seconds: NotNegative | None = None  # None: as [sessions]
    max_pdu: Annotated[StrictInt, Field(ge=4096, le=16 * MEBIBYTE)] = 131072
    routing: Routing = Field(default_factory=Routing)
    tls: Tls | None = None


class Sessions(_Table):
    """Sessions of the prearchive."""

    quiet_seconds: NotNegative = 300
    labels: Literal["guarded", "as-received"] = "guarded"
    file_name: NotBlank = (
        "${StudyInstanceUID}-${SeriesNumber}-${InstanceNumber}-${HashSOPClassUIDWithSOPInstanceUID}"
    )


class Anonymization(_Table):
    """The site script, and what scripts may do."""

    site_enabled: StrictBool = True
    record: StrictBool = False  # each application of a script leaves an item in (0012,0064)
    allowed_hosts: list[WebHost] = Field(default_factory=list)  # that `getURL` may ask


class Project(_Table):
    """One project. `anonymize` is true by default where the project's script exists (see `Settings`)."""

    aliases: list[NotBlank] = Field(default_factory=list)
    anonymize: StrictBool = False
    prearchive: PrearchivePolicy = "manual"

    @property
    def says_anonymize(self) -> bool:
        """Whether the settings say `anonymize`, and not just the absence or presence of a script."""
        return "anonymize" in self.model_fields_set

    def with_default(self, *, has_script: bool) -> Project:
        """Return this project, anonymizing if it has a script and does not say otherwise."""
        if self.says_anonymize:
            return self
        completed = self.model_copy(update={"anonymize": has_script})
        completed.model_fields_set.discard("anonymize")
        return completed


class Limits(_Table):
    """Bounds that keep one sender, or one broken object, from taking the machine."""

    max_pdu_bytes: Positive = MEBIBYTE
    max_object_bytes: Positive = 4096 * MEBIBYTE
    max_header_bytes: Positive = 64 * MEBIBYTE
    max_inflate_bytes: Positive = 2048 * MEBIBYTE
    max_nesting: Positive = 64
    max_associations: Positive = 50
    associations_per_address: Positive = 20
    idle_seconds: Positive = 60
    min_free_bytes: NotNegative = 100 * MEBIBYTE


class Settings(_Table):
    """Everything `prearc.toml` says, with defaults; `folder` is the site folder itself."""

    folder: Path
    storage: Storage = Field(default_factory=Storage)
    database: Database = Field(default_factory=Database)
    receivers: list[Receiver] = Field(default_factory=lambda: [Receiver()])
    routing: Routing = Field(default_factory=Routing)
    sessions: Sessions = Field(default_factory=Sessions)
    anonymization: Anonymization = Field(default_factory=Anonymization)
    projects: dict[str, Project] = Field(default_factory=dict)
    limits: Limits = Field(default_factory=Limits)

    @model_validator(mode="after")
    def _check_and_complete(self) -> Self:
        problems = [*_receiver_problems(self.receivers), *_project_problems(self.projects)]
        if problems:
            raise ValueError("\n".join(problems))
        folder = self.folder.absolute()
        completed = {
            "folder": folder,
            "storage": _with_absolute_paths(self.storage, folder),
            "receivers": [
                receiver.model_copy(update={"tls": _with_absolute_paths(receiver.tls, folder)})
                if receiver.tls
                else receiver
                for receiver in self.receivers
            ],
            "projects": {
                project_id: project.with_default(has_script=_script_path(folder, project_id).is_file())
                for project_id, project in self.projects.items()
            },
        }
        for name, value in completed.items():
            object.__setattr__(self, name, value)  # frozen for everybody else
        return self

    @property
    def config_path(self) -> Path:
        """The file these settings were read from."""
        return self.folder / CONFIG_FILE_NAME

    @property
    def site_script_path(self) -> Path:
        """The site script."""
        return self.folder / "anon" / "site.das"

    @property
    def lookup_path(self) -> Path:
        """The lookup tables of the scripts."""
        return self.folder / "anon" / "lookup.txt"

    def project_script_path(self, project: str) -> Path:
        """The script of a project; `project` must be an id that passes `project_id_problem`."""
        if project_id_problem(project):
            raise ValueError("not a project's id")
        return _script_path(self.folder, project)

    def resolve_project(self, text: str) -> str | None:
        """Return the id of the project with this id or alias, exactly as written, or None."""
        if text in self.projects:
            return text
        for project_id, project in self.projects.items():
            if text in project.aliases:
                return project_id
        return None

    def receiver_quiet_seconds(self, receiver: Receiver) -> int:
        """Return after how many silent seconds a session of this receiver is complete."""
        return self.sessions.quiet_seconds if receiver.quiet_seconds is None else receiver.quiet_seconds


def _script_path(folder: Path, project: str) -> Path:
    return folder / "anon" / "projects" / f"{project}.das"


def _with_absolute_paths(table: TableT, folder: Path) -> TableT:
    return table.model_copy(update={name: folder / value for name, value in table if isinstance(value, Path)})


def _receiver_problems(receivers: list[Receiver]) -> Iterable[str]:
    by_port: dict[int, Receiver] = {}
    titles: set[tuple[str, int]] = set()
    for index, receiver in enumerate(receivers):
        name = f"{receiver.ae_title}:{receiver.port}"
        if (receiver.ae_title, receiver.port) in titles:
            yield f"receivers[{index}]: {name} is there twice"
        titles.add((receiver.ae_title, receiver.port))
        first = by_port.setdefault(receiver.port, receiver)
        if first.host != receiver.host:
            yield (
                f"receivers[{index}].host: {receiver.host!r} of {name} differs from {first.host!r} of"
                f" {first.ae_title}:{first.port}; receivers that share a port share the host"
            )
        if first.tls != receiver.tls:
            yield (
                f"receivers[{index}].tls: {name} differs from {first.ae_title}:{first.port};"
                " receivers that share a port share the TLS settings"
            )


def _project_problems(projects: dict[str, Project]) -> Iterable[str]:
    owners: dict[str, str] = {}
    for project_id in projects:
        problem = project_id_problem(project_id)
        if problem:
            yield f"projects.{project_id!r}: {problem}"
        owners[project_id] = project_id
    for project_id, project in projects.items():
        for alias in project.aliases:
            if alias.lower() == UNASSIGNED.lower():
                yield f"projects.{project_id}.aliases: {alias!r} is the word for sessions without a project"
            owner = owners.setdefault(alias, project_id)
            if owner != project_id or alias == project_id or project.aliases.count(alias) > 1:
                yield f"projects.{project_id}.aliases: {alias!r} names project {owner} already"
