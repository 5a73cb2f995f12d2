"""Attacks on the files that a removal brings: found, said, and nothing merged. The removed computer knows the former
phrase, and somebody else has only the folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from chatdesk.core.ids import new_id
from chatdesk.core.sync.computers import removal
from chatdesk.core.sync.computers.folder_store import library_file
from chatdesk.core.sync.computers.library_key import HEAD_BYTES, Kind, LibraryKey
from chatdesk.core.sync.computers.looking import OtherPhrase, find, look
from chatdesk.core.sync.computers.place import LIBRARY, Place, PlaceOfOthers
from chatdesk.core.sync.computers.removal import ComputerRemoved, Notice, OlderPhrase, PhraseReplaced
from tests.helpers.computers_sim.own_computer import OwnComputer, new_library, settle

STRANGER = LibraryKey(b"somebody else's!")


def _notice_path(computer: OwnComputer) -> Path:
    return computer.place_folder / Place.removal_name(computer.computer)


def _remove(by: OwnComputer, gone: OwnComputer) -> None:
    notice = Notice(gone.profile.db.device_id, gone.name, by.name, 1)
    removal.write(by.place, by.key, notice, by.computer)


def _begin_anew(*computers: OwnComputer) -> LibraryKey:
    """Go on with a new phrase in a folder of its own, as a removal does."""
    key = LibraryKey(new_id().encode()[-16:])
    folder = computers[0].place.chosen.resolve() / key.folder_name
    folder.mkdir()
    for each in computers:
        each.leave()
        each.go_to(key, folder)
    computers[0].begin()
    return key


def _flip(at: Callable[[int], int]) -> Callable[[bytes], bytes]:
    def flipped(data: bytes) -> bytes:
        place = at(len(data))
        return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]

    return flipped


FORGERIES: dict[str, Callable[[bytes], bytes]] = {
    "a bit of the mark": _flip(lambda _size: 0),
    "a bit of the salt": _flip(lambda _size: HEAD_BYTES - 1),
    "a bit of the words": _flip(lambda size: size // 2),
    "a bit of the seal": _flip(lambda size: size - 1),
    "cut to nothing": lambda _data: b"",
    "cut in half": lambda data: data[: len(data) // 2],
    "longer by a byte": lambda data: data + b"\0",
    "chance": lambda data: os.urandom(len(data)),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_notice_stops_nobody_and_is_said(forgery: str, tmp_path: Path) -> None:
    laptop, desk = new_library(tmp_path, "laptop", "desk")
    thread = laptop.begin_thread("one")
    settle(laptop, desk)
    _remove(desk, laptop)
    path = _notice_path(desk)
    path.write_bytes(FORGERIES[forgery](path.read_bytes()))
    laptop.ask(thread, "two")
    settle(laptop, desk)
    assert desk.texts() == ["one", "two"]
    assert desk.looks.unreadable == {path.name}


@pytest.mark.parametrize("how", ["of another library", "of another kind", "under another's name"])
def test_a_file_in_the_place_of_a_notice_stops_nobody(how: str, tmp_path: Path) -> None:
    laptop, desk = new_library(tmp_path, "laptop", "desk")
    laptop.begin_thread("one")
    settle(laptop, desk)
    path = _notice_path(desk)
    if how == "of another library":
        removal.write(desk.place, STRANGER, Notice(laptop.profile.db.device_id, "x", "y", 1), desk.computer)
    elif how == "of another kind":
        path.write_bytes(desk.key.seal(Kind.HEAD, desk.computer, 0, b'{"device": "", "name": "", "by": "", "at": 1}'))
    else:
        _remove(desk, laptop)
        path.rename(_notice_path(laptop))
        path = _notice_path(laptop)
    settle(laptop, desk)
    assert desk.looks.unreadable == {path.name}


def test_a_notice_stops_the_removed_one_and_those_that_stay(tmp_path: Path) -> None:
    laptop, desk, tablet = new_library(tmp_path, "laptop", "desk", "tablet")
    thread = laptop.begin_thread("one")
    settle(laptop, desk, tablet)
    _remove(desk, laptop)
    laptop.ask(thread, "kept here")
    with pytest.raises(ComputerRemoved, match="removed on desk"):
        laptop.round()
    with pytest.raises(PhraseReplaced, match="laptop was removed on desk"):
        tablet.round()
    assert laptop.texts() == ["kept here", "one"]


def test_who_has_seen_a_notice_stays_stopped_when_it_is_withheld(tmp_path: Path) -> None:
    laptop, desk = new_library(tmp_path, "laptop", "desk")
    thread = laptop.begin_thread("one")
    settle(laptop, desk)
    _remove(desk, laptop)
    with pytest.raises(PhraseReplaced):
        desk.round()
    _notice_path(desk).unlink()
    laptop.ask(thread, "by whoever has it now")
    laptop.round()
    with pytest.raises(PhraseReplaced):
        desk.round()
    assert desk.texts() == ["one"]


def test_what_the_removed_one_writes_on_reaches_nobody(tmp_path: Path) -> None:
    laptop, desk, tablet = new_library(tmp_path, "laptop", "desk", "tablet")
    thread = laptop.begin_thread("one")
    settle(laptop, desk, tablet)
    key = _begin_anew(desk, tablet)
    settle(desk, tablet)
    # With the former phrase, in its own folder and in that of the new library, under every name.
    laptop.ask(thread, "written on")
    laptop.round()
    written = sorted((laptop.place_folder / laptop.computer).glob("*.seg"))[-1]
    for name in (laptop.computer, key.name_of("computer", laptop.profile.db.device_id), desk.computer):
        (desk.place_folder / name).mkdir(exist_ok=True)
        for number in (1, 2, 3, 99):
            target = desk.place_folder / name / f"{number:08} (conflicted copy).seg"
            shutil.copyfile(written, target)
    settle(desk, tablet)
    assert desk.texts() == tablet.texts() == ["one"]
    assert tablet.looks.unreadable
    assert desk.shown() == tablet.shown()


def test_segments_of_the_former_phrase_cannot_be_brought_back(tmp_path: Path) -> None:
    laptop, desk, tablet = new_library(tmp_path, "laptop", "desk", "tablet")
    laptop.begin_thread("one")
    settle(laptop, desk, tablet)
    former = tmp_path / "former"
    shutil.copytree(laptop.place_folder, former, ignore=shutil.ignore_patterns("library-*"))
    _begin_anew(desk, tablet)
    desk.begin_thread("new")
    settle(desk, tablet)
    shutil.copytree(former, desk.place_folder, dirs_exist_ok=True)
    settle(desk, tablet)
    assert desk.texts() == tablet.texts() == ["new", "one"]
    assert desk.shown() == tablet.shown()


def test_a_library_file_that_was_set_back_is_found(tmp_path: Path) -> None:
    laptop, desk = new_library(tmp_path, "laptop", "desk")
    laptop.begin_thread("one")
    settle(laptop, desk)
    former, folder = laptop.key, laptop.place_folder
    key = _begin_anew(desk)
    settle(desk)
    (desk.place_folder / LIBRARY).write_bytes(library_file(former, 1))
    with pytest.raises(OtherPhrase):
        find(folder.resolve(), key)
    # A computer that is new there, and one that finds its own folder gone, too.
    tablet = OwnComputer("tablet", tmp_path / "tablet", key, laptop.clock)
    tablet.go_to(key, desk.place_folder)
    with pytest.raises(PlaceOfOthers):
        tablet.round()
    assert tablet.texts() == []
    settle(desk)  # it writes the file again, as it was here before
    assert find(folder.resolve(), key).path == desk.place_folder


def test_the_former_phrase_is_told_from_a_wrong_one(tmp_path: Path) -> None:
    laptop, desk = new_library(tmp_path, "laptop", "desk")
    laptop.begin_thread("one")
    settle(laptop, desk)
    _remove(desk, laptop)
    former, folder = laptop.key, laptop.place_folder.resolve()
    key = _begin_anew(desk)
    settle(desk)
    with pytest.raises(OlderPhrase):
        look(folder, former)
    with pytest.raises(OtherPhrase):
        look(folder, STRANGER)
    found = look(folder, key)
    assert [each.name for each in found.computers] == ["desk"]
    assert found.size > 0


def test_names_that_a_removed_computer_chose_are_spelt_out(tmp_path: Path) -> None:
    laptop, desk = new_library(tmp_path, "laptop", "desk")
    settle(laptop, desk)
    _remove(desk, laptop)
    removal.write(desk.place, desk.key, Notice("d", "\u202egnp\n" * 500, "x" * 900, 1), desk.computer)
    with pytest.raises(PhraseReplaced) as raised:
        laptop.round()
    said = str(raised.value.what)
    assert "\u202e" not in said
    assert "\n" not in said
    assert len(said) < 300
