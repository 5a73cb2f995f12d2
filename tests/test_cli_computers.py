"""``chatdesk computers`` between two profiles and a folder."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chatdesk.cli.main import run
from chatdesk.core.settings import secrets
from chatdesk.core.sync.computers.phrase import new_secret, phrase_of
from tests.helpers.accounts import MemoryKeyring

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def chatdesk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """``chatdesk("laptop", "computers", "status")``: exit code, stdout and stderr."""
    rings: dict[str, MemoryKeyring] = {}
    monkeypatch.setenv("CHATDESK_PROVIDER", "offline")

    def command(who: str, *words: str, given: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(secrets, "system_keyring", lambda: rings.setdefault(who, MemoryKeyring()))
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        code = run([*words, "--data-dir", str(tmp_path / who)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return command


def _ask(chatdesk: Run, who: str, *words: str) -> str:
    code, out, err = chatdesk(who, "ask", "--json", *words)
    assert code == 0, err
    thread: str = json.loads(out.splitlines()[-1])["thread_id"]
    return thread


def _titles(chatdesk: Run, who: str) -> list[str]:
    code, out, err = chatdesk(who, "threads", "--json")
    assert code == 0, err
    return sorted(each["title"] for each in json.loads(out))


def _start(chatdesk: Run, place: Path) -> str:
    code, out, err = chatdesk("laptop", "computers", "start", str(place))
    assert code == 0, err
    return out.splitlines()[0]


def _join(chatdesk: Run, place: Path, phrase: str) -> None:
    code, out, err = chatdesk("desktop", "computers", "join", str(place), "--yes", given=phrase)
    assert code == 0, out + err


def _sync(chatdesk: Run, who: str) -> None:
    code, out, err = chatdesk(who, "computers", "sync")
    assert code == 0, out + err


def test_two_libraries_become_one(chatdesk: Run, tmp_path: Path) -> None:
    _ask(chatdesk, "laptop", "What is on the laptop?")
    _ask(chatdesk, "desktop", "What is on the desktop?")
    place = tmp_path / "carried"
    phrase = _start(chatdesk, place)
    _join(chatdesk, place, phrase)
    _sync(chatdesk, "laptop")
    assert len(_titles(chatdesk, "laptop")) == 2
    assert _titles(chatdesk, "laptop") == _titles(chatdesk, "desktop")


def test_attached_files_travel(chatdesk: Run, tmp_path: Path) -> None:
    place, file = tmp_path / "carried", tmp_path / "notes.txt"
    file.write_text("What the meeting decided. " * 100_000)
    phrase = _start(chatdesk, place)
    _ask(chatdesk, "laptop", "What was decided?", "--attach", str(file))
    _sync(chatdesk, "laptop")
    _join(chatdesk, place, phrase)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    arrived = [path for path in (tmp_path / "desktop").rglob(sha256) if path.is_file()]
    assert [path.read_bytes() for path in arrived] == [file.read_bytes()]


def test_the_state_is_told_as_json(chatdesk: Run, tmp_path: Path) -> None:
    place = tmp_path / "carried"
    _ask(chatdesk, "laptop", "What is on the laptop?")
    _start(chatdesk, place)
    code, out, _ = chatdesk("laptop", "computers", "status", "--json")
    state = json.loads(out)
    assert (code, state["place"], state["waiting"], state["problem"]) == (0, str(place), 0, None)
    assert [each["is_this"] for each in state["computers"]] == [True]


def test_another_phrase_and_a_foreign_folder_are_refused(chatdesk: Run, tmp_path: Path) -> None:
    place, other = tmp_path / "carried", tmp_path / "other"
    phrase = _start(chatdesk, place)
    other.mkdir()
    (other / "letter.txt").write_text("Dear Ana")
    for words, given in (
        (("join", str(place), "--yes"), "0" * 28),
        (("join", str(place), "--yes"), phrase_of(new_secret())),
        (("join", str(place), "--yes"), phrase[:-1] + ("0" if phrase[-1] != "0" else "1")),
        (("join", str(other), "--yes"), phrase),
        (("start", str(other)), ""),
        (("sync",), ""),
    ):
        code, _, err = chatdesk("desktop", "computers", *words, given=given)
        assert code == 1, words
        assert "Nothing was changed" in err or "not joined" in err, err
    assert [each.name for each in other.iterdir()] == ["letter.txt"]


def _leave(chatdesk: Run, who: str) -> str:
    code, out, err = chatdesk(who, "computers", "leave", "--yes")
    assert code == 0, out + err
    return out + err


def test_who_left_keeps_everything_and_may_join_again(chatdesk: Run, tmp_path: Path) -> None:
    place = tmp_path / "carried"
    _ask(chatdesk, "laptop", "What is on the laptop?")
    phrase = _start(chatdesk, place)
    _join(chatdesk, place, phrase)
    _ask(chatdesk, "desktop", "What is not sent yet?")
    before = sorted(path for path in place.rglob("*") if path.is_file())
    assert "not in the folder yet" in _leave(chatdesk, "desktop")
    assert sorted(path for path in place.rglob("*") if path.is_file()) == before
    assert len(_titles(chatdesk, "desktop")) == 2
    kept = tmp_path / "desktop" / "computers"
    assert not kept.exists() or not any(kept.iterdir())
    _ask(chatdesk, "laptop", "What was asked meanwhile?")
    _sync(chatdesk, "laptop")
    assert len(_titles(chatdesk, "desktop")) == 2
    for verb in ("sync", "status", "leave"):
        code, _, err = chatdesk("desktop", "computers", verb, *(["--yes"] if verb == "leave" else []))
        assert code == 1
        assert "has not joined any others" in err
    _join(chatdesk, place, phrase)
    _sync(chatdesk, "laptop")
    assert len(_titles(chatdesk, "laptop")) == 3
    assert _titles(chatdesk, "laptop") == _titles(chatdesk, "desktop")


def test_who_left_may_start_anew_elsewhere(chatdesk: Run, tmp_path: Path) -> None:
    _ask(chatdesk, "laptop", "What is on the laptop?")
    _join(chatdesk, tmp_path / "first", _start(chatdesk, tmp_path / "first"))
    _leave(chatdesk, "laptop")
    _leave(chatdesk, "desktop")
    _join(chatdesk, tmp_path / "second", _start(chatdesk, tmp_path / "second"))
    _sync(chatdesk, "laptop")
    assert len(_titles(chatdesk, "laptop")) == 1
    assert _titles(chatdesk, "laptop") == _titles(chatdesk, "desktop")


def test_what_cannot_be_removed_is_said(chatdesk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _ask(chatdesk, "laptop", "What is on the laptop?")
    _start(chatdesk, tmp_path / "carried")

    def refuse(_path: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(shutil, "rmtree", refuse)
    code, _, err = chatdesk("laptop", "computers", "leave", "--yes")
    assert code == 1
    assert "cannot be removed" in err
    assert "by hand" in err
    assert len(_titles(chatdesk, "laptop")) == 1
    assert chatdesk("laptop", "computers", "status")[0] == 1


def test_leaving_asks_first(chatdesk: Run, tmp_path: Path) -> None:
    _start(chatdesk, tmp_path / "carried")
    code, _, err = chatdesk("laptop", "computers", "leave", given="no\n")
    assert code == 1
    assert "Nothing was changed" in err
    assert chatdesk("laptop", "computers", "status")[0] == 0


def test_nothing_merges_before_the_person_agrees(chatdesk: Run, tmp_path: Path) -> None:
    place = tmp_path / "carried"
    _ask(chatdesk, "laptop", "What is on the laptop?")
    phrase = _start(chatdesk, place)
    code, _, err = chatdesk("desktop", "computers", "join", str(place), given=f"{phrase}\nno\n")
    assert code == 1
    assert "Nothing was changed" in err
    assert _titles(chatdesk, "desktop") == []
