from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from config.settings import (
    Project,
    Receiver,
    Settings,
    ae_title_problem,
    allow_item_problem,
    project_id_problem,
)


def settings(folder: Path, **tables: Any) -> Settings:
    return Settings.model_validate({"folder": folder, **tables})


def problem(folder: Path, **tables: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        settings(folder, **tables)
    return str(caught.value)


def test_every_key_may_be_left_out(tmp_path: Path) -> None:
    found = settings(tmp_path)
    (receiver,) = found.receivers
    assert (receiver.ae_title, receiver.port, receiver.host) == ("XNAT", 8104, "127.0.0.1")
    assert receiver.enabled and receiver.anonymize and receiver.allow is None
    assert found.receiver_quiet_seconds(receiver) == 300
    assert found.projects == {}
    assert found.sessions.labels == "guarded"
    assert found.anonymization.site_enabled and not found.anonymization.record
    assert found.storage.root == tmp_path / "data"


def test_all_paths_are_absolute_and_relative_to_the_site_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = settings(
        Path("site"),
        storage={"root": "../data", "key_file": "/etc/prearc.key"},
        receivers=[{"tls": {"cert": "tls/a.pem", "key": "tls/a.key"}}],
    )
    assert found.folder == tmp_path / "site"
    assert found.storage.root == tmp_path / "site" / ".." / "data"
    assert found.storage.key_file == Path("/etc/prearc.key")
    tls = found.receivers[0].tls
    assert tls is not None
    assert (tls.cert, tls.client_ca) == (tmp_path / "site" / "tls" / "a.pem", None)
    assert found.site_script_path == tmp_path / "site" / "anon" / "site.das"
    assert found.lookup_path.name == "lookup.txt"
    assert found.project_script_path("P4") == tmp_path / "site" / "anon" / "projects" / "P4.das"
    with pytest.raises(ValueError, match="not a project's id"):
        found.project_script_path("../P4")


def test_a_receivers_quiet_seconds_come_before_those_of_the_site(tmp_path: Path) -> None:
    found = settings(tmp_path, receivers=[{"quiet_seconds": 0}, {"port": 1}], sessions={"quiet_seconds": 7})
    assert [found.receiver_quiet_seconds(receiver) for receiver in found.receivers] == [0, 7]


def test_a_project_is_found_by_its_id_and_its_aliases_exactly(tmp_path: Path) -> None:
    found = settings(tmp_path, projects={"P4": {"aliases": ["Four"]}, "P5": {}})
    assert found.resolve_project("P4") == "P4"
    assert found.resolve_project("Four") == "P4"
    assert found.resolve_project("four") is None
    assert found.resolve_project("") is None


def test_a_project_is_anonymized_by_default_where_its_script_exists(tmp_path: Path) -> None:
    (tmp_path / "anon" / "projects").mkdir(parents=True)
    (tmp_path / "anon" / "projects" / "P4.das").write_text("")
    found = settings(tmp_path, projects={"P4": {}, "P5": {}, "P6": {"anonymize": True}})
    assert [project.anonymize for project in found.projects.values()] == [True, False, True]
    off = settings(tmp_path, projects={"P4": Project(anonymize=False)})
    assert not off.projects["P4"].anonymize


def test_settings_do_not_change(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        settings(tmp_path).folder = Path("/")  # type: ignore[misc]


@pytest.mark.parametrize("title", ["", "x" * 17, " A", "A ", "A\\B", "Ä", "A\n"])
def test_ae_titles_that_dicom_does_not_allow_are_refused(tmp_path: Path, title: str) -> None:
    assert ae_title_problem(title)
    assert "receivers.0.ae_title" in problem(tmp_path, receivers=[{"ae_title": title}])


@pytest.mark.parametrize("title", ["X", "x" * 16, "A B", "CT/1", "A@B"])
def test_ae_titles_that_dicom_allows_pass(title: str) -> None:
    assert ae_title_problem(title) is None


@pytest.mark.parametrize(
    "item",
    ["SCANNER1", "192.168.1.7", "10.0.0.0/8", "10.0.0.1/8", "::1", "fe80::/10", "S@10.0.0.0/8", "S@::1"],
)
def test_allow_items_are_titles_addresses_networks_or_both(item: str) -> None:
    assert allow_item_problem(item) is None


@pytest.mark.parametrize(
    "item", ["", "A@B@C", "S@nowhere", "@10.0.0.1", "10.0.0.300", "10.0.0.0/33", "fe80::/200", "x" * 17]
)
def test_allow_items_that_mean_nothing_are_refused(tmp_path: Path, item: str) -> None:
    assert allow_item_problem(item)
    assert "receivers.0.allow.0" in problem(tmp_path, receivers=[{"allow": [item]}])


@pytest.mark.parametrize("port", [-1, 65536, True, "104", 1.5])
def test_ports_are_whole_numbers_in_range(tmp_path: Path, port: object) -> None:
    assert "receivers.0.port" in problem(tmp_path, receivers=[{"port": port}])


@pytest.mark.parametrize("host", ["", "a b", "a\n"])
def test_hosts_have_no_blanks(tmp_path: Path, host: str) -> None:
    assert "receivers.0.host" in problem(tmp_path, receivers=[{"host": host}])


@pytest.mark.parametrize(
    "host", ["", "http://x", "x/y", "x:0", "x:65536", "x:", "a b", "x:80:80", "[::1]", ".x", "a\n", 5]
)
def test_hosts_that_scripts_may_ask_are_names_with_or_without_a_port(tmp_path: Path, host: object) -> None:
    assert "anonymization.allowed_hosts.0" in problem(tmp_path, anonymization={"allowed_hosts": [host]})


def test_a_web_server_is_known_by_its_name_in_small_letters(tmp_path: Path) -> None:
    found = settings(tmp_path, anonymization={"allowed_hosts": ["Ids.Example.org", "10.0.0.1:8080"]})
    assert found.anonymization.allowed_hosts == ["ids.example.org", "10.0.0.1:8080"]
    assert settings(tmp_path).anonymization.allowed_hosts == []


def test_receivers_that_share_a_port_share_host_and_tls(tmp_path: Path) -> None:
    assert settings(tmp_path, receivers=[Receiver(), Receiver(ae_title="B")])
    assert "XNAT:8104 is there twice" in problem(tmp_path, receivers=[{}, {}])
    other_host = problem(tmp_path, receivers=[{}, {"ae_title": "B", "host": "0.0.0.0"}])
    assert "receivers[1].host: '0.0.0.0' of B:8104" in other_host
    other_tls = problem(tmp_path, receivers=[{}, {"ae_title": "B", "tls": {"cert": "a", "key": "b"}}])
    assert "receivers[1].tls" in other_tls


@pytest.mark.parametrize("project_id", ["", "a b", "a/b", "..", "é", "x" * 65, "Unassigned", "unassigned"])
def test_project_ids_are_safe_names_of_folders(tmp_path: Path, project_id: str) -> None:
    assert project_id_problem(project_id)
    assert repr(project_id) in problem(tmp_path, projects={project_id: {}})


@pytest.mark.parametrize(
    "projects",
    [
        {"A": {"aliases": ["B"]}, "B": {}},
        {"A": {"aliases": ["x"]}, "B": {"aliases": ["x"]}},
        {"A": {"aliases": ["x", "x"]}},
        {"A": {"aliases": ["A"]}},
        {"A": {"aliases": ["Unassigned"]}},
        {"A": {"aliases": [" "]}},
    ],
)
def test_a_name_means_one_project(tmp_path: Path, projects: dict[str, Any]) -> None:
    assert "aliases" in problem(tmp_path, projects=projects)


@pytest.mark.parametrize(
    "tables",
    [
        {"limits": {"max_pdu_bytes": 0}},
        {"limits": {"min_free_bytes": -1}},
        {"sessions": {"quiet_seconds": -1}},
        {"sessions": {"quiet_seconds": True}},
        {"sessions": {"labels": "raw"}},
        {"sessions": {"file_name": " "}},
        {"anonymization": {"site_enabled": "yes"}},
        {"receivers": [{"max_pdu": 10}]},
        {"filter": {"enabled": True}},
        {"storage": {"rot": "x"}},
    ],
)
def test_values_out_of_range_and_unknown_keys_are_refused(tmp_path: Path, tables: dict[str, Any]) -> None:
    problem(tmp_path, **tables)
