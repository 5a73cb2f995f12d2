"""Keys in an encrypted file."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from chatdesk.core.settings.key_file import (
    FILE_NAME,
    KeyFile,
    KeyFileLocked,
    KeyFileUnusable,
    WrongPassphrase,
)
from chatdesk.core.settings.passphrase import PassphraseTooWeak, check_passphrase

KEY, PASSPHRASE = "sk-marked-0123456789", "correct horse battery"
QUICK = 2**10


def _made(folder: Path) -> KeyFile:
    made = KeyFile(folder, work=QUICK)
    made.create(PASSPHRASE)
    made.put("openai", KEY)
    return made


def test_keys_come_back_with_the_passphrase_only(tmp_path: Path) -> None:
    _made(tmp_path)
    again = KeyFile(tmp_path, work=QUICK)
    assert again.exists
    assert not again.is_open
    assert again.get("openai") is None
    with pytest.raises(WrongPassphrase):
        again.unlock("correct horse")
    assert not again.is_open
    again.unlock(PASSPHRASE)
    assert again.get("openai") == KEY
    again.remove("openai")
    again.remove("openai")
    assert again.get("openai") is None


def test_the_file_holds_its_parameters_and_no_key_and_is_its_owners_only(tmp_path: Path) -> None:
    _made(tmp_path)
    path = tmp_path / FILE_NAME
    text = path.read_text()
    assert KEY not in text
    assert PASSPHRASE not in text
    assert json.loads(text)["parameters"]["kdf"] == "scrypt"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [FILE_NAME]


def test_each_writing_has_a_new_salt_and_nonce(tmp_path: Path) -> None:
    made = _made(tmp_path)
    first = json.loads((tmp_path / FILE_NAME).read_text())["parameters"]
    made.put("other", KEY)
    second = json.loads((tmp_path / FILE_NAME).read_text())["parameters"]
    assert first["salt"] != second["salt"]
    assert first["nonce"] != second["nonce"]


def test_the_usual_work_is_what_is_advised(tmp_path: Path) -> None:
    KeyFile(tmp_path).create(PASSPHRASE)
    assert json.loads((tmp_path / FILE_NAME).read_text())["parameters"]["n"] == 2**17


def test_a_changed_passphrase_is_the_only_one(tmp_path: Path) -> None:
    made = _made(tmp_path)
    with pytest.raises(WrongPassphrase):
        made.change_passphrase("something else", "maple otter thirty tides")
    with pytest.raises(PassphraseTooWeak):
        made.change_passphrase(PASSPHRASE, "short")
    made.change_passphrase(PASSPHRASE, "maple otter thirty tides")
    again = KeyFile(tmp_path, work=QUICK)
    with pytest.raises(WrongPassphrase):
        again.unlock(PASSPHRASE)
    again.unlock("maple otter thirty tides")
    assert again.get("openai") == KEY


def test_an_old_file_is_never_replaced_and_a_closed_one_not_written(tmp_path: Path) -> None:
    _made(tmp_path)
    again = KeyFile(tmp_path, work=QUICK)
    with pytest.raises(KeyFileUnusable):
        again.create(PASSPHRASE)
    with pytest.raises(KeyFileLocked):
        again.put("openai", "other")


@pytest.mark.parametrize(
    "change",
    [
        {"n": 2**30},
        {"n": 0},
        {"r": 1000},
        {"p": 100},
        {"kdf": "none"},
        {"version": 2},
        {"salt": "!"},
        {"n": "x"},
        {"n": 1000},
    ],
)
def test_absurd_parameters_are_refused_at_once(tmp_path: Path, change: dict[str, object]) -> None:
    _made(tmp_path)
    path = tmp_path / FILE_NAME
    document = json.loads(path.read_text())
    document["parameters"] |= change
    path.write_text(json.dumps(document))
    with pytest.raises(KeyFileUnusable):
        KeyFile(tmp_path).unlock(PASSPHRASE)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"parameters": {}}', "[" * 100_000])
def test_a_damaged_file_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / FILE_NAME
    path.write_text(text)
    with pytest.raises(KeyFileUnusable):
        KeyFile(tmp_path).unlock(PASSPHRASE)
    assert path.read_text() == text


def test_changed_parameters_are_noticed(tmp_path: Path) -> None:
    """They are authenticated with the keys, so that nobody can weaken them unseen."""
    _made(tmp_path)
    path = tmp_path / FILE_NAME
    document = json.loads(path.read_text())
    document["parameters"]["note"] = "added"
    path.write_text(json.dumps(document))
    with pytest.raises(WrongPassphrase):
        KeyFile(tmp_path).unlock(PASSPHRASE)


def test_a_place_that_cannot_be_written_has_words(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("a file in the way")
    with pytest.raises(KeyFileUnusable) as caught:
        KeyFile(tmp_path / "config", work=QUICK).create(PASSPHRASE)
    assert KEY not in caught.value.sentence


@pytest.mark.parametrize(
    "passphrase",
    [
        "",
        " " * 40,
        "12345678",
        "password",
        "chatdesk passphrase",
        "qwertyuiop",
        "aaaaaaaaaaaaaaaa",
        "hunter2hunter2",
        "Tr0ub4dour&3",
    ],
)
def test_an_easy_passphrase_is_refused_with_a_reason(tmp_path: Path, passphrase: str) -> None:
    file = KeyFile(tmp_path, work=QUICK)
    with pytest.raises(PassphraseTooWeak) as caught:
        file.create(passphrase)
    assert not file.exists
    assert "words" in caught.value.next_step


@pytest.mark.parametrize(
    "passphrase",
    [
        "correct horse battery",
        "lampe fenster wolke igel",
        "x7#kQ9!pVd",
        "猫 と 一緒に 海へ 行きたい",
        "lampe fenster wolke igel " * 100,
    ],
)
def test_a_hard_passphrase_is_accepted(passphrase: str) -> None:
    check_passphrase(passphrase)


@pytest.mark.parametrize(
    ("passphrase", "words"), [("", "No passphrase was given"), ("   ", "blanks"), ("\t", "blanks")]
)
def test_none_and_blanks_are_told_apart(passphrase: str, words: str) -> None:
    with pytest.raises(PassphraseTooWeak, match=words):
        check_passphrase(passphrase)
