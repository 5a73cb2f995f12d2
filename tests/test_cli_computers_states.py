"""``chatdesk computers``: command × state. Each cell says the words that a person reads, and the exit code."""

from __future__ import annotations

import copy
import errno
import io
import platform
import shutil
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from chatdesk.cli.main import run
from chatdesk.core.settings import secrets
from chatdesk.core.sync.computers import place as places
from chatdesk.core.sync.computers.folder_store import library_file
from chatdesk.core.sync.computers.library_key import LibraryKey
from chatdesk.core.sync.computers.phrase import new_secret, phrase_of
from tests.helpers.accounts import MemoryKeyring


@dataclass
class Desk:
    """A laptop, another computer of its person, and what is carried between them, below one folder that is put back for
    each cell: profiles hold the path of the folder that they joined."""

    root: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    rings: dict[str, MemoryKeyring] = field(default_factory=dict)
    kept_rings: dict[str, dict[str, MemoryKeyring]] = field(default_factory=dict)
    phrase: str = ""
    newer: str = ""

    @property
    def place(self) -> Path:
        return self.root / "work" / "place"

    def run(self, who: str, *words: str, given: str = "") -> tuple[int, str]:
        self.monkeypatch.setattr(secrets, "system_keyring", lambda: self.rings.setdefault(who, MemoryKeyring()))
        self.monkeypatch.setattr(platform, "node", lambda: who)
        self.monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        code = run([*words, "--data-dir", str(self.root / "work" / who)])
        printed = self.capsys.readouterr()
        return code, printed.out + printed.err

    def computers(self, who: str, *words: str, given: str = "", code: int = 0) -> str:
        found, said = self.run(who, "computers", *words, given=given)
        assert found == code, said
        return said

    def ask(self, who: str, text: str) -> None:
        code, said = self.run(who, "ask", text)
        assert code == 0, said

    def titles(self, who: str) -> str:
        return self.run(who, "threads")[1]

    def put_back(self, state: str) -> None:
        shutil.rmtree(self.root / "work", ignore_errors=True)
        shutil.copytree(self.root / state, self.root / "work", symlinks=True)
        self.rings = copy.deepcopy(self.kept_rings[state])

    def keep(self, state: str) -> None:
        shutil.copytree(self.root / "work", self.root / state, symlinks=True)
        self.kept_rings[state] = copy.deepcopy(self.rings)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    monkeypatch.setenv("CHATDESK_PROVIDER", "offline")
    return Desk(tmp_path, monkeypatch, capsys)


def _make_states(desk: Desk) -> None:
    """Keep a copy of the folder for each state that is reached by commands."""
    desk.ask("desk", "What is on the desk?")
    desk.phrase = desk.computers("desk", "start", str(desk.place)).splitlines()[0]
    desk.keep("nothing")
    desk.ask("laptop", "What is on the laptop?")
    desk.computers("laptop", "start", str(desk.root / "work" / "own"))
    desk.keep("started")
    desk.put_back("nothing")
    desk.computers("laptop", "join", str(desk.place), "--yes", given=desk.phrase)
    desk.ask("laptop", "What is not sent yet?")
    desk.keep("joined")
    desk.computers("laptop", "pause")
    desk.keep("paused")
    desk.put_back("joined")
    said = desk.computers("desk", "remove", "laptop", "--yes")
    desk.newer = said.splitlines()[0]
    desk.computers("laptop", "sync", "--wait", "3", code=1)
    desk.keep("removed")


def _gone(desk: Desk) -> None:
    shutil.rmtree(desk.place)


def _foreign(desk: Desk) -> None:
    _gone(desk)
    desk.place.mkdir()
    (desk.place / places.LIBRARY).write_bytes(library_file(LibraryKey(new_secret()), 0))


def _refusing(code: int) -> Callable[[Desk], None]:
    def refuse(desk: Desk) -> None:
        def fail(_target: Path) -> AbstractContextManager[io.BytesIO]:
            raise OSError(code, "no")

        desk.monkeypatch.setattr(places, "replacing", fail)

    return refuse


def _nothing(_desk: Desk) -> None:
    pass


# Each state: which copy it begins with, where start, join and restore begin with another one, and what happens then.
STATES: Final = {
    "nothing": ("nothing", _nothing),
    "started": ("started", _nothing),
    "joined": ("joined", _nothing),
    "paused": ("paused", _nothing),
    "removed": ("removed", _nothing),
    "folder gone": ("joined", _gone),
    "folder of another library": ("joined", _foreign),
    "wrong phrase": ("nothing", _nothing),
    "place read-only": ("joined", _refusing(errno.EROFS)),
    "disk full": ("joined", _refusing(errno.ENOSPC)),
}
_ENTERING: Final = ("start", "join", "restore")
COMMANDS: Final = {
    "start": ("start", "{root}/work/empty"),
    "join": ("join", "{root}/work/place", "--yes"),
    "restore": ("restore", "{root}/work/place", "--yes"),
    "sync": ("sync",),
    "status": ("status",),
    "pause": ("pause",),
    "resume": ("resume",),
    "remove": ("remove", "desk", "--yes"),
    "leave": ("leave", "--yes"),
}
# What is said, and with which exit code: for a command whatever the state is, then for single states of it.
NOT_JOINED, JOINED = "has not joined any others", "has joined already"
IN_STEP, HAS_CHATS = "everything in the folder is here", "has chats already"
REMOVED, UNREACHABLE = "was removed on desk", "cannot be reached"
READ_ONLY, FULL = "Read-only file system", "is full"
CELLS: Final[dict[str, dict[str, tuple[str, int]]]] = {
    "start": {
        "nothing": ("This is your recovery phrase", 0),
        "started": (JOINED, 1),
        "joined": (JOINED, 1),
        "paused": (JOINED, 1),
        "removed": ("This is your recovery phrase", 0),
        "folder gone": ("This is your recovery phrase", 0),
        "folder of another library": ("This is your recovery phrase", 0),
        "wrong phrase": ("This is your recovery phrase", 0),
        "place read-only": (READ_ONLY, 1),
        "disk full": (FULL, 1),
    },
    "join": {
        "nothing": (IN_STEP, 0),
        "started": (JOINED, 1),
        "joined": (JOINED, 1),
        "paused": (JOINED, 1),
        "removed": ("phrase was replaced when a computer was removed", 1),
        "folder gone": (UNREACHABLE, 1),
        "folder of another library": ("phrase is not the one of this folder", 1),
        "wrong phrase": ("phrase is not the one of this folder", 1),
        "place read-only": (READ_ONLY, 1),
        "disk full": (FULL, 1),
    },
    "restore": {
        "nothing": (IN_STEP, 0),
        "started": (HAS_CHATS, 1),
        "joined": (HAS_CHATS, 1),
        "paused": (HAS_CHATS, 1),
        "removed": (HAS_CHATS, 1),
        "folder gone": (UNREACHABLE, 1),
        "folder of another library": ("phrase is not the one of this folder", 1),
        "wrong phrase": ("phrase is not the one of this folder", 1),
        "place read-only": (READ_ONLY, 1),
        "disk full": (FULL, 1),
    },
    "sync": {
        "nothing": (NOT_JOINED, 1),
        "started": (IN_STEP, 0),
        "joined": (IN_STEP, 0),
        "paused": ("is paused. Nothing is read or written", 1),
        "removed": (REMOVED, 1),
        "folder gone": (UNREACHABLE, 1),
        "folder of another library": ("belongs to another recovery phrase", 1),
        "wrong phrase": (NOT_JOINED, 1),
        "place read-only": (READ_ONLY, 1),
        "disk full": (FULL, 1),
    },
    "status": {
        "nothing": (NOT_JOINED, 1),
        "started": ("laptop (this one)", 0),
        "joined": ("desk, last here", 0),
        "paused": ("Paused: nothing is read or written there.", 0),
        "removed": (REMOVED, 0),
        "folder gone": ("changes wait here", 0),
        "folder of another library": ("changes wait here", 0),
        "wrong phrase": (NOT_JOINED, 1),
        "place read-only": ("changes wait here", 0),
        "disk full": ("changes wait here", 0),
    },
    "pause": {state: (NOT_JOINED, 1) if base == "nothing" else ("Paused", 0) for state, (base, _) in STATES.items()},
    "resume": {state: (NOT_JOINED, 1) if base == "nothing" else ("again", 0) for state, (base, _) in STATES.items()},
    "remove": {
        "nothing": (NOT_JOINED, 1),
        "started": ("None of your computers is called desk", 1),
        "joined": ("desk was removed", 0),
        "paused": ("is paused", 1),
        "removed": (REMOVED, 1),
        "folder gone": (UNREACHABLE, 1),
        "folder of another library": ("belongs to another recovery phrase", 1),
        "wrong phrase": (NOT_JOINED, 1),
        "place read-only": (READ_ONLY, 1),
        "disk full": (FULL, 1),
    },
    "leave": {state: (NOT_JOINED, 1) if base == "nothing" else ("has left", 0) for state, (base, _) in STATES.items()},
}


def _play(desk: Desk, command: str, state: str) -> tuple[int, str]:
    base, then = STATES[state]
    is_new = base == "joined" and state != "joined" and command in _ENTERING
    desk.put_back("nothing" if is_new else base)
    with desk.monkeypatch.context() as inside:
        outside, desk.monkeypatch = desk.monkeypatch, inside
        try:
            then(desk)
            words = [each.format(root=desk.root) for each in COMMANDS[command]]
            wait = ["--wait", "3"] if command in (*_ENTERING, "sync", "remove") else []
            given = phrase_of(new_secret()) if state == "wrong phrase" else desk.phrase
            return desk.run("laptop", "computers", *words, *wait, given=given)
        finally:
            desk.monkeypatch = outside


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_how_it_is_in_every_state(command: str, desk: Desk) -> None:
    assert CELLS[command].keys() == STATES.keys()
    _make_states(desk)
    wrong = []
    for state, (words, code) in CELLS[command].items():
        found, said = _play(desk, command, state)
        if found != code or words not in said:
            wrong.append((state, found, said))
        if code and command in ("remove", "start"):
            assert "recovery phrase. Write it down" not in said, "a phrase that nothing uses"
        assert "Traceback" not in said
    assert wrong == []


def test_a_removed_computer_keeps_its_words_and_gets_nothing_new(desk: Desk) -> None:
    _make_states(desk)
    desk.put_back("removed")
    desk.ask("desk", "What is new on the desk?")
    desk.computers("desk", "sync")
    desk.ask("laptop", "What was written after the removal?")
    desk.computers("laptop", "sync", "--wait", "3", code=1)
    assert "What is new on the desk" not in desk.titles("laptop")
    assert "What was written after" in desk.titles("laptop")
    assert "What is not sent yet" in desk.titles("laptop")
    desk.computers("desk", "sync")
    assert "What was written after" not in desk.titles("desk")
    # Found again, it joins with the new phrase, and what it kept is merged.
    desk.computers("laptop", "join", str(desk.place), "--yes", given=desk.newer)
    desk.computers("desk", "sync")
    assert desk.titles("desk").count("What was written after") == 1
    assert "What is new on the desk" in desk.titles("laptop")


def test_those_that_stay_join_again_with_the_new_phrase(desk: Desk) -> None:
    _make_states(desk)
    desk.put_back("joined")
    desk.computers("laptop", "sync")
    desk.computers("tablet", "join", str(desk.place), "--yes", given=desk.phrase)
    newer = desk.computers("tablet", "remove", "desk", "--yes").splitlines()[0]
    desk.ask("laptop", "What waits?")
    assert "desk was removed on tablet" in desk.computers("laptop", "sync", "--wait", "3", code=1)
    desk.computers("laptop", "join", str(desk.place), "--yes", given=newer)
    desk.computers("tablet", "sync")
    for who in ("laptop", "tablet"):
        assert desk.titles(who).count("What waits?") == 1
        assert desk.titles(who).count("What is on the desk?") == 1
    assert "was removed on tablet" in desk.computers("desk", "sync", "--wait", "3", code=1)
    # One more removal, from the folder that was made by the first.
    newest = desk.computers("laptop", "remove", "tablet", "--yes").splitlines()[0]
    assert desk.computers("fresh", "restore", str(desk.place), "--yes", given=newest)
    assert desk.titles("fresh").count("What waits?") == 1


def test_restoring_brings_everything_to_an_empty_profile(desk: Desk) -> None:
    _make_states(desk)
    desk.put_back("joined")
    desk.computers("laptop", "sync")
    desk.computers("fresh", "restore", str(desk.place), "--yes", given=desk.phrase)
    for text in ("What is on the desk?", "What is not sent yet?"):
        assert desk.titles("fresh").count(text) == 1


def test_paused_reads_and_writes_nothing(desk: Desk) -> None:
    _make_states(desk)
    desk.put_back("paused")
    before = {path: path.read_bytes() for path in desk.place.rglob("*") if path.is_file()}
    desk.ask("laptop", "What is asked while paused?")
    desk.ask("desk", "What is asked meanwhile?")
    assert {path: path.read_bytes() for path in desk.place.rglob("*") if path.is_file()} == before
    desk.computers("desk", "sync")
    assert "What is asked meanwhile?" not in desk.titles("laptop")
    desk.computers("laptop", "resume")
    desk.computers("laptop", "sync")
    assert "What is asked meanwhile?" in desk.titles("laptop")
    desk.computers("desk", "sync")
    assert "What is asked while paused?" in desk.titles("desk")
