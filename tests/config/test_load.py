from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import ConfigError
from config.load import load_settings
from config.settings import Settings


def load(folder: Path, text: str, **environ: str) -> Settings:
    (folder / "prearc.toml").write_text(text, encoding="utf-8")
    return load_settings(folder, environ)


def problems(folder: Path, text: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, **environ)
    place = f"{folder / 'prearc.toml'}"
    return [line.replace(place, "prearc.toml") for line in caught.value.problems]


def test_a_folder_without_settings_gets_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path, {})
    assert "there is no prearc.toml" in str(caught.value)
    assert f"prearc init {tmp_path}" in str(caught.value)
    assert len(caught.value.problems) == 1


def test_a_file_instead_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("")
    with pytest.raises(ConfigError, match="this is no folder"):
        load_settings(tmp_path / "site", {})
    (tmp_path / "prearc.toml").mkdir()
    with pytest.raises(ConfigError, match="Is a directory"):
        load_settings(tmp_path, {})


def test_text_that_is_no_toml_is_told_with_its_place(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, "[storage]\nroot = \n")
    assert line.startswith("prearc.toml: this is no TOML")
    assert "line 2" in line
    (tmp_path / "prearc.toml").write_bytes(b'[storage]\nroot = "\xff"\n')
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_settings(tmp_path, {})


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert load(tmp_path, "\ufeff[sessions]\nquiet_seconds = 4\n").sessions.quiet_seconds == 4


def test_unknown_keys_name_the_nearest_known_one_and_their_line(tmp_path: Path) -> None:
    text = """\
[storage]
rot = "x"
[[receivers]]
port = 1
[[receivers]]
quiet_second = 4
[receivers.routing]
subjct = []
[projects.P4]
alias = []
[filter]
enabled = true
"""
    assert set(problems(tmp_path, text)) == {
        "prearc.toml:2: unknown key 'rot' in [storage]; the nearest known key is 'root'",
        "prearc.toml:6: unknown key 'quiet_second' in [receivers[1]]; "
        "the nearest known key is 'quiet_seconds'",
        "prearc.toml:8: unknown key 'subjct' in [receivers[1].routing]; the nearest known key is 'subject'",
        "prearc.toml:10: unknown key 'alias' in [projects.P4]; the nearest known key is 'aliases'",
        "prearc.toml:11: unknown key 'filter'; the nearest known key is 'receivers'",
    }
    assert problems(tmp_path, 'folder = "x"\n') == ["prearc.toml:1: unknown key 'folder'"]


def test_wrong_values_are_quoted_with_key_and_line(tmp_path: Path) -> None:
    text = """\
[sessions]
labels = "raw"
[limits]
idle_seconds = 0
min_free_bytes = -1
[[receivers]]
port = "a"
enabled = "yes"
max_pdu = 99999999999
allow = ["A@B@C"]
[receivers.tls]
cert = "a"
"""
    found = problems(tmp_path, text)
    assert "prearc.toml:2: sessions.labels: this must be 'guarded' or 'as-received', not 'raw'" in found
    assert "prearc.toml:4: limits.idle_seconds: this must be greater than 0, not 0" in found
    assert "prearc.toml:5: limits.min_free_bytes: this must be 0 or more, not -1" in found
    assert "prearc.toml:7: receivers[0].port: this must be a whole number, not 'a'" in found
    assert "prearc.toml:8: receivers[0].enabled: this must be true or false, not 'yes'" in found
    assert "prearc.toml:11: receivers[0].tls.key: this key is needed" in found
    assert any(
        line.startswith("prearc.toml:10: receivers[0].allow[0]:") and "'A@B@C'" in line for line in found
    )
    assert any(
        line.startswith("prearc.toml:9: receivers[0].max_pdu: this must be 16777216 or less")
        for line in found
    )


def test_tables_that_are_none_are_told(tmp_path: Path) -> None:
    assert problems(tmp_path, "storage = 5\n") == ["prearc.toml:1: storage: this must be a table, not 5"]
    (line,) = problems(tmp_path, "receivers = 5\n")
    assert line == "prearc.toml:1: receivers: this must be a list in [ ], not 5"
    (line,) = problems(tmp_path, "[storage]\nroot = 5\n")
    assert line == "prearc.toml:2: storage.root: this must be a path in quotes, not 5"


def test_a_database_address_is_never_quoted(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, '[database]\nurl = ["postgresql://u:secret@h/d"]\n')
    assert "database.url" in line
    assert "secret" not in line


def test_long_values_are_cut_in_messages(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, f'[[receivers]]\nae_title = "{"x" * 300}"\n')
    assert line.endswith("x...")


def test_rules_across_keys_name_the_file(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, "[[receivers]]\n[[receivers]]\n")
    assert line == "prearc.toml: receivers[1]: XNAT:8104 is there twice"


def test_the_environment_replaces_keys(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        "[sessions]\nquiet_seconds = 4\n",
        PREARC_CONFIG="elsewhere",
        PREARC_SITE_KEY="00",
        OTHER__ROOT="x",
        PREARC_STORAGE__ROOT="/srv/dicom",
        PREARC_STORAGE__GROUP="1200",
        PREARC_SESSIONS__LABELS="as-received",
        PREARC_SESSIONS__QUIET_SECONDS="0",
        PREARC_ANONYMIZATION__RECORD="true",
        PREARC_RECEIVERS__0__HOST="0.0.0.0",
        PREARC_RECEIVERS__0__ALLOW='["A", "10.0.0.0/8"]',
        PREARC_RECEIVERS__1__AE_TITLE="SECOND",
        PREARC_RECEIVERS__1__PORT="8105",
        PREARC_PROJECTS__P4__ALIASES='["Four"]',
    )
    assert str(found.storage.root) == "/srv/dicom"
    assert found.storage.group == "1200"
    assert found.sessions.labels == "as-received"
    assert found.sessions.quiet_seconds == 0
    assert found.anonymization.record
    assert found.receivers[0].host == "0.0.0.0"
    assert found.receivers[0].allow == ["A", "10.0.0.0/8"]
    assert (found.receivers[1].ae_title, found.receivers[1].port) == ("SECOND", 8105)
    assert found.projects["P4"].aliases == ["Four"]


def test_a_whole_list_may_come_from_the_environment(tmp_path: Path) -> None:
    found = load(tmp_path, "", PREARC_RECEIVERS='[{ae_title = "ONE", port = 1}]')
    assert [receiver.ae_title for receiver in found.receivers] == ["ONE"]


@pytest.mark.parametrize(
    ("variable", "value", "wanted"),
    [
        ("PREARC_RECEIVERS__0__PORT", "x", "receivers[0].port: this must be a whole number, not 'x'"),
        ("PREARC_RECEIVERS__5__PORT", "5", "it names nothing that can be set"),
        ("PREARC_STORAGE__ROOT__X", "5", "storage.root"),
        ("PREARC_STORAG__ROOT", "a", "unknown key 'storag'; the nearest known key is 'storage'"),
        ("PREARC_RECEIVERS", "[1", "written as in TOML"),
        (
            "PREARC_RECEIVERS__0__PROT",
            "1",
            "unknown key 'prot' in [receivers[0]]; the nearest known key is 'port'",
        ),
    ],
)
def test_mistakes_in_the_environment_name_the_variable(
    tmp_path: Path, variable: str, value: str, wanted: str
) -> None:
    (line,) = problems(tmp_path, "", **{variable: value})
    assert line.startswith(f"environment variable {variable}: ")
    assert wanted in line


def test_the_environment_cannot_reach_into_a_value(tmp_path: Path) -> None:
    (line,) = problems(tmp_path, "[sessions]\nquiet_seconds = 4\n", PREARC_SESSIONS__QUIET_SECONDS__X="1")
    assert "it names nothing that can be set" in line
