"""Versions beside each other: the switch is one rename, and killed anywhere it leaves a whole program that starts."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chatdesk.core.updates.program_folder import ProgramFolder
from chatdesk.core.updates.release import Version
from tests.helpers.killed_update import NEW
from tests.helpers.update_feed import INSTALLED, ROOT, UpdateWorld


@pytest.fixture
def world(tmp_path: Path) -> UpdateWorld:
    return UpdateWorld(tmp_path)


def _staged(world: UpdateWorld, folder: ProgramFolder) -> Path:
    return world.make_program(str(NEW), folder.make_work_folder() / "program")


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_any_step_a_whole_program_starts_and_the_next_try_works(tmp_path: Path, moment: str) -> None:
    number, starts, is_killed = 0, set(), True
    while is_killed:
        number += 1
        world = UpdateWorld(tmp_path / str(number))
        folder = ProgramFolder(world.place)
        command = [str(folder.place), str(_staged(world, folder)), str(number), moment]
        ended = subprocess.run([sys.executable, "-m", "tests.helpers.killed_update", *command], cwd=ROOT, check=False)
        is_killed = ended.returncode == -signal.SIGKILL
        assert is_killed or ended.returncode == 0
        starts.add(world.starts())  # also looks whether the program is whole
        assert (folder.previous / "chatdesk").exists()
        if world.starts() != str(NEW):
            folder.activate(_staged(world, folder), NEW)
            assert world.starts() == str(NEW)
            assert folder.previous.name == INSTALLED
    assert number > 8
    assert starts == {INSTALLED, str(NEW)}


def test_what_is_neither_in_use_nor_the_way_back_is_removed(world: UpdateWorld) -> None:
    folder = ProgramFolder(world.place)
    folder.activate(_staged(world, folder), NEW)
    folder.remove_others(world.place / "versions" / "0.2.0")
    assert sorted(each.name for each in (world.place / "versions").iterdir()) == ["0.2.0", "0.3.0"]
    world.make_program("0.1.5", world.place / "versions" / "0.1.5")
    folder.remove_others(world.place / "versions" / "0.1.5")
    assert "0.1.5" in os.listdir(world.place / "versions")  # it runs


def test_a_version_that_another_process_runs_stays_until_that_has_ended(world: UpdateWorld) -> None:
    folder, old = ProgramFolder(world.place), world.make_program("0.1.5", world.place / "versions" / "0.1.5")
    shutil.copy(shutil.which("sleep") or "", old / "chatdesk")
    with subprocess.Popen([old / "chatdesk", "60"]) as process:
        try:
            folder.remove_others(world.place / "versions" / INSTALLED)
            assert (old / "chatdesk").exists()
        finally:
            process.kill()
    folder.remove_others(world.place / "versions" / INSTALLED)
    assert not old.exists()


def test_the_version_in_use_is_never_replaced(world: UpdateWorld) -> None:
    folder, before = ProgramFolder(world.place), world.installed()
    with pytest.raises(FileExistsError):
        folder.activate(_staged(world, folder), Version(0, 2, 0))
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
