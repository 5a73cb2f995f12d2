from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.errors import InvalidInput
from chatdesk.core.settings.schema import Settings
from chatdesk.core.settings.store import (
    SettingsInForce,
    SettingsNotSaved,
    SettingsStore,
    changed_settings,
    write_atomically,
)

needs_permissions = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)


@pytest.fixture
def store(tmp_path: Path) -> SettingsStore:
    return SettingsStore(tmp_path / "config" / "settings.toml")


def _write(store: SettingsStore, data: bytes) -> None:
    store.path.parent.mkdir(parents=True, exist_ok=True)
    store.path.write_bytes(data)


def test_without_a_file_everything_is_default(store: SettingsStore) -> None:
    loaded = store.load({})
    assert loaded.settings == Settings()
    assert loaded.problems == ()


def test_saved_settings_come_back_and_the_file_is_private(store: SettingsStore) -> None:
    store.save({"theme": "dark", "text_scale": 1.5, "openai_headers": {"X-Team": "blue"}})
    settings = store.load({}).settings
    assert (settings.theme, settings.text_scale, dict(settings.openai_headers)) == ("dark", 1.5, {"X-Team": "blue"})
    assert store.path.stat().st_mode & 0o077 == 0


def test_saving_keeps_comments_and_keys_of_newer_versions(store: SettingsStore) -> None:
    _write(store, b'# mine\n[appearance]\ntheme = "light" # bright\nfuture = 1\n')
    store.save({"text_scale": 2.0})
    text = store.path.read_text()
    assert "# mine" in text
    assert "# bright" in text
    assert "future = 1" in text
    assert store.load({}).settings.theme == "light"


def test_a_variable_wins_over_the_file(store: SettingsStore) -> None:
    store.save({"openai_model": "from-file", "trash_days": 3})
    loaded = store.load({"CHATDESK_MODEL": "from-variable", "CHATDESK_THEME": ""})
    assert loaded.settings.openai_model == "from-variable"
    assert loaded.settings.trash_days == 3
    assert loaded.from_environment == {"openai_model"}


def test_one_wrong_value_gives_way_and_the_others_hold(store: SettingsStore) -> None:
    _write(store, b'[appearance]\ntheme = "purple"\ntext_scale = 1.5\n')
    loaded = store.load({"CHATDESK_TRASH_DAYS": "soon"})
    assert loaded.settings.theme == "system"
    assert loaded.settings.text_scale == 1.5
    assert [problem.split(" was ignored")[0] for problem in loaded.problems] == [
        "appearance.theme in the settings file",
        "CHATDESK_TRASH_DAYS",
    ]


@pytest.mark.parametrize(
    "data", [b"[appear", b"\xff\xfe\x00", b"a = " + b"[" * 20_000], ids=["cut", "not-utf8", "deep"]
)
def test_a_damaged_file_is_kept_aside_and_never_overwrites_an_older_copy(store: SettingsStore, data: bytes) -> None:
    for number in (1, 2):
        _write(store, data)
        loaded = store.load({})
        kept = store.path.with_name(f"settings.broken-{number}.toml")
        assert loaded.settings == Settings()
        assert kept.name in loaded.problems[0]
        assert kept.read_bytes() == data
        assert not store.path.exists()


def test_saving_over_a_damaged_file_keeps_it_too(store: SettingsStore) -> None:
    _write(store, b"[appear")
    store.save({"theme": "dark"})
    assert store.path.with_name("settings.broken-1.toml").read_bytes() == b"[appear"
    assert store.load({}).settings.theme == "dark"


def test_an_empty_file_is_told_until_something_is_in_it(store: SettingsStore) -> None:
    _write(store, b"")
    (problem,) = store.load({}).problems
    assert problem.startswith(f"The settings file {store.path} is empty.")
    store.save({"theme": "dark"})
    assert store.load({}).problems == ()


def test_an_address_that_cannot_be_used_is_not_called_ignored(store: SettingsStore) -> None:
    (problem,) = store.load({"OPENAI_BASE_URL": "http://me:hunter2@127.0.0.1/v1"}).problems
    assert problem.startswith("OPENAI_BASE_URL cannot be used: it must not contain a password")
    assert "hunter2" not in problem


def test_a_section_that_is_no_table_is_replaced_on_saving(store: SettingsStore) -> None:
    _write(store, b"appearance = 1\n")
    assert store.load({}).settings == Settings()
    store.save({"theme": "dark"})
    assert store.load({}).settings.theme == "dark"


def test_an_invalid_change_is_refused_and_nothing_is_written(store: SettingsStore) -> None:
    with pytest.raises(InvalidInput, match=r"appearance\.theme"):
        store.save({"text_scale": 1.5, "theme": "purple"})
    assert not store.path.exists()


def test_a_file_that_cannot_be_replaced_is_reported_and_leaves_no_litter(
    store: SettingsStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save({"theme": "dark"})

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SettingsNotSaved):
        store.save({"theme": "light"})
    assert [path.name for path in store.path.parent.iterdir()] == ["settings.toml"]
    assert store.load({}).settings.theme == "dark"


def test_a_directory_in_its_place_is_a_problem_not_a_crash(store: SettingsStore) -> None:
    store.path.mkdir(parents=True)
    assert "cannot be read" in store.load({}).problems[0]


def test_writing_atomically_leaves_old_or_new_text(tmp_path: Path) -> None:
    target = tmp_path / "file"
    write_atomically(target, "one")
    write_atomically(target, "two")
    assert target.read_text() == "two"
    assert list(tmp_path.iterdir()) == [target]


def test_a_follower_gets_the_settings_at_once_and_after_each_change() -> None:
    in_force = SettingsInForce(Settings(trash_days=3))
    seen: list[int] = []
    in_force.follow(lambda settings: seen.append(settings.trash_days))
    in_force.change(replace(in_force.current, trash_days=5))
    assert seen == [3, 5]
    assert in_force.current.trash_days == 5


def test_only_values_that_differ_have_changed() -> None:
    before = Settings(shortcuts={"chat.new": "Ctrl+M"})
    after = replace(before, shortcuts={"chat.new": "Ctrl+M"}, theme="dark")
    assert changed_settings(before, after) == {"theme": "dark"}
