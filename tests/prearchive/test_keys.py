from __future__ import annotations

import threading
from pathlib import Path

import pytest

from prearchive.errors import ConfigurationProblemError
from prearchive.keys import KEY_VARIABLE, SiteKeys, create_keys, read_keys

KEYS = SiteKeys(bytes(range(32)))
OTHER = SiteKeys(bytes(range(1, 33)))


def test_the_same_text_gets_the_same_hash_and_another_site_another_one() -> None:
    assert KEYS.uid_key("1.2.3") == SiteKeys(bytes(range(32))).uid_key("1.2.3")
    assert KEYS.uid_key("1.2.3") != OTHER.uid_key("1.2.3")
    assert KEYS.label_suffix("Doe^Jane") != OTHER.label_suffix("Doe^Jane")
    assert KEYS.received_digest(b"x", "1.2") != OTHER.received_digest(b"x", "1.2")
    assert SiteKeys(bytes(range(32))).script_key == KEYS.script_key != OTHER.script_key


def test_hashes_have_their_shapes_and_do_not_show_each_other() -> None:
    assert len(KEYS.uid_key("1.2")) == 32
    assert len(KEYS.label_suffix("1.2")) == 8
    assert not KEYS.uid_key("1.2").startswith(KEYS.label_suffix("1.2"))
    hashed = KEYS.hashed_uid("1.2.3")
    assert hashed.startswith("2.25.") and len(hashed) <= 64
    assert int(hashed[5:]) != int(KEYS.uid_key("1.2.3"), 16)


def test_the_received_digest_tells_transfer_syntaxes_apart_and_takes_any_buffer() -> None:
    assert KEYS.received_digest(b"abc", "1.2") == KEYS.received_digest(memoryview(b"abc"), "1.2")
    assert KEYS.received_digest(b"abc", "1.2") == KEYS.received_digest(bytearray(b"abc"), "1.2")
    assert KEYS.received_digest(b"abc", "1.2") != KEYS.received_digest(b"abc", "1.2.1")
    assert KEYS.received_digest(b"2abc", "1.2") != KEYS.received_digest(b"abc", "1.22")


def test_text_that_is_no_unicode_still_gets_a_hash() -> None:
    assert KEYS.uid_key("1.\ud800") and KEYS.hashed_uid("\udcff") and KEYS.label_suffix("\udcff")


def test_a_key_of_another_length_is_no_key() -> None:
    with pytest.raises(ValueError):
        SiteKeys(b"short")


def test_a_new_key_is_private_and_is_read_again(tmp_path: Path) -> None:
    assert read_keys(tmp_path, None, {}) is None
    made = create_keys(tmp_path, None)
    path = tmp_path / "site.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in tmp_path.iterdir()] == ["site.key"]
    found = read_keys(tmp_path, None, {})
    assert found is not None and found.uid_key("1") == made.uid_key("1")


def test_an_existing_key_is_never_replaced(tmp_path: Path) -> None:
    first = create_keys(tmp_path, None)
    again = create_keys(tmp_path, None)
    assert first.uid_key("1") == again.uid_key("1")


def test_processes_that_make_the_key_at_once_end_with_the_same(tmp_path: Path) -> None:
    barrier = threading.Barrier(8)
    made: list[str] = []

    def make() -> None:
        barrier.wait()
        made.append(create_keys(tmp_path, None).uid_key("1"))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8 and len(set(made)) == 1


def test_the_environment_or_another_file_may_hold_the_key(tmp_path: Path) -> None:
    key = "ab" * 32
    (tmp_path / "elsewhere").write_text(key.upper() + "\n")
    from_file = read_keys(tmp_path, tmp_path / "elsewhere", {})
    from_environment = read_keys(tmp_path, None, {KEY_VARIABLE: key})
    assert from_file is not None and from_environment is not None
    assert from_file.uid_key("1") == from_environment.uid_key("1")


@pytest.mark.parametrize("content", [b"", b"abc", b"g" * 64, b"\xff" * 64])
def test_a_damaged_key_is_refused_and_never_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "site.key").write_bytes(content)
    with pytest.raises(ConfigurationProblemError, match=r"site\.key"):
        read_keys(tmp_path, None, {})
    with pytest.raises(ConfigurationProblemError):
        create_keys(tmp_path, None)
    assert (tmp_path / "site.key").read_bytes() == content


def test_a_wrong_key_in_the_environment_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationProblemError) as caught:
        read_keys(tmp_path, None, {KEY_VARIABLE: "secret"})
    assert "secret" not in str(caught.value)


def test_an_unwritable_folder_is_a_configuration_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationProblemError, match="cannot write"):
        create_keys(tmp_path / "missing", None)


def test_a_key_that_is_a_folder_is_a_configuration_problem(tmp_path: Path) -> None:
    (tmp_path / "site.key").mkdir()
    with pytest.raises(ConfigurationProblemError, match="cannot read"):
        read_keys(tmp_path, None, {})
