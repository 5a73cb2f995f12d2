"""Versions beside each other: the switch is one rename, and killed anywhere it leaves a whole program that starts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.updates.program_folder import ProgramFolder
from chatdesk.core.updates.release import Version
from tests.helpers.update_feed import UpdateWorld

NEW = Version(0, 3, 0)


class KilledError(BaseException):
    """What a test ends the work with, where a kill would."""


@pytest.fixture
def world(tmp_path: Path) -> UpdateWorld:
    return UpdateWorld(tmp_path)


def _staged(world: UpdateWorld, folder: ProgramFolder) -> Path:
    return world.make_program(str(NEW), folder.make_work_folder() / "program")


def _kill_at(monkeypatch: pytest.MonkeyPatch, wanted: int, *, before: bool) -> list[int]:
    """Have the work end at the call of the system with that number that changes a name."""
    calls = [0]

    def killing(call: Callable[..., Any]) -> Callable[..., Any]:
        def made(*arguments: Any, **options: Any) -> Any:
            calls[0] += 1
            if before and calls[0] == wanted:
                raise KilledError
            result = call(*arguments, **options)
            if not before and calls[0] == wanted:
                raise KilledError
            return result

        return made

    for name in ("rename", "replace", "symlink", "mkdir"):
        monkeypatch.setattr(os, name, killing(getattr(os, name)))
    monkeypatch.setattr(shutil, "rmtree", lambda *_arguments, **_options: None)  # nobody tidies up after a kill
    return calls


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_killed_at_any_step_a_whole_program_starts_and_the_next_try_works(
    tmp_path: Path, before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, starts = 0, set()
    while True:
        number += 1
        world = UpdateWorld(tmp_path / str(number))
        folder = ProgramFolder(world.place)
        staged = _staged(world, folder)
        with monkeypatch.context() as patched:
            calls = _kill_at(patched, number, before=before)
            with suppress(KilledError):
                folder.put_in_place(staged, NEW)
        starts.add(world.starts())  # also looks whether the program is whole
        assert (folder.previous / "chatdesk").exists()
        if calls[0] < number:
            break
        if world.starts() != str(NEW):
            again = _staged(world, folder)
            folder.put_in_place(again, NEW)
            assert world.starts() == str(NEW)
            assert folder.previous.name == "0.2.0"
    assert number > 6
    assert starts == {"0.2.0", "0.3.0"}


def test_what_is_neither_in_use_nor_the_way_back_is_removed(world: UpdateWorld) -> None:
    folder = ProgramFolder(world.place)
    folder.put_in_place(_staged(world, folder), NEW)
    folder.remove_others(world.place / "versions" / "0.2.0")
    assert sorted(each.name for each in (world.place / "versions").iterdir()) == ["0.2.0", "0.3.0"]
    world.make_program("0.1.5", world.place / "versions" / "0.1.5")
    folder.remove_others(world.place / "versions" / "0.1.5")
    assert "0.1.5" in os.listdir(world.place / "versions")  # it runs


def test_the_version_in_use_is_never_replaced(world: UpdateWorld) -> None:
    folder, before = ProgramFolder(world.place), world.installed()
    with pytest.raises(FileExistsError):
        folder.put_in_place(_staged(world, folder), Version(0, 2, 0))
    assert world.installed() == before


def test_what_was_cut_off_is_removed_but_for_a_download(world: UpdateWorld) -> None:
    folder = ProgramFolder(world.place)
    _staged(world, folder)
    (folder.work / "download").write_bytes(b"begun")
    folder.clear_work()
    assert os.listdir(folder.work) == ["download"]


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"[" * 100_000, b"\xff"])
def test_a_damaged_memory_counts_as_none(world: UpdateWorld, content: bytes) -> None:
    folder = ProgramFolder(world.place)
    folder.write_state({"is_asked": True})
    assert folder.read_state() == {"is_asked": True}
    (folder.feed / "state.json").write_bytes(content)
    assert folder.read_state() == {}


def test_one_process_at_a_time_holds_a_lock(world: UpdateWorld) -> None:
    folder = ProgramFolder(world.place)
    with folder.locked("install"), pytest.raises(BlockingIOError), folder.locked("install"):
        pass
    with folder.locked("install"):
        pass
