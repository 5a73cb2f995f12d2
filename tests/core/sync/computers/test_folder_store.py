"""The folder of a person's computers carries what the engine sends: nothing is lost, nothing is there twice."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from chatdesk.core.sync.computers.place import PlaceUnreachable
from chatdesk.core.sync.errors import TeamParked
from tests.helpers.computers_sim.own_computer import OwnComputer, new_library, settle
from tests.helpers.sync_sim.memory_profile import now


def test_two_libraries_become_one(tmp_path: Path) -> None:
    laptop, desk = new_library(tmp_path, "laptop", "desk")
    laptop.begin_thread("on the laptop")
    desk.begin_thread("on the desk")
    settle(laptop, desk)
    assert laptop.texts() == desk.texts() == ["on the desk", "on the laptop"]
    assert laptop.shown() == desk.shown()


def test_an_unused_first_project_is_not_there_twice(tmp_path: Path) -> None:
    laptop, desk = new_library(tmp_path, "laptop", "desk")
    laptop.begin_thread("on the laptop")
    settle(laptop, desk)
    assert laptop.projects() == desk.projects()
    assert len(desk.projects()) == 1


def test_both_edit_the_same_thread(tmp_path: Path) -> None:
    laptop, desk = new_library(tmp_path, "laptop", "desk")
    thread = laptop.begin_thread("the question")
    settle(laptop, desk)
    laptop.ask(thread, "from the laptop")
    desk.ask(thread, "from the desk")
    now(laptop.profile.repositories.threads.rename(thread, "As the laptop has it"))
    now(desk.profile.repositories.threads.rename(thread, "As the desk has it"))
    settle(laptop, desk)
    assert laptop.texts() == desk.texts() == ["from the desk", "from the laptop", "the question"]
    assert laptop.shown() == desk.shown()


def test_a_deleted_thread_is_deleted_everywhere_unless_it_was_continued(tmp_path: Path) -> None:
    laptop, desk = new_library(tmp_path, "laptop", "desk")
    gone, kept = laptop.begin_thread("to go"), laptop.begin_thread("to stay")
    settle(laptop, desk)
    now(laptop.profile.repositories.library.delete([gone, kept]))
    desk.ask(kept, "continued")
    settle(laptop, desk)
    assert laptop.texts() == desk.texts() == ["continued", "to stay"]


def test_a_copied_profile_gives_nothing_twice(tmp_path: Path) -> None:
    laptop, desk = new_library(tmp_path, "laptop", "desk")
    laptop.begin_thread("before the copy")
    copy = OwnComputer("copy", tmp_path / "copy", laptop.key, laptop.clock, image=laptop.profile.db.image())
    copy.place = laptop.place
    laptop.begin_thread("after it here")
    settle(laptop, desk)
    copy.begin_thread("after it there")
    with pytest.raises(TeamParked):
        settle(copy)
    copy.join()
    settle(laptop, copy, desk)
    assert laptop.texts() == desk.texts() == copy.texts() == ["after it here", "after it there", "before the copy"]
    assert laptop.shown() == desk.shown() == copy.shown()


def test_lost_logs_are_filled_again(tmp_path: Path) -> None:
    laptop, desk = new_library(tmp_path, "laptop", "desk")
    thread = laptop.begin_thread("one")
    desk.begin_thread("two")
    settle(laptop, desk)
    shutil.rmtree(laptop.data)
    laptop.ask(thread, "three")
    settle(laptop, desk)
    assert laptop.texts() == desk.texts() == ["one", "three", "two"]
    assert laptop.shown() == desk.shown()


def test_a_folder_that_was_emptied_is_filled_again(tmp_path: Path) -> None:
    laptop, desk = new_library(tmp_path, "laptop", "desk")
    laptop.begin_thread("one")
    settle(laptop, desk)
    for each in laptop.place_folder.rglob("*.seg"):
        each.unlink()
    settle(laptop, desk)
    tablet = OwnComputer("tablet", tmp_path / "tablet", laptop.key, laptop.clock)
    tablet.place = laptop.place
    settle(tablet)
    assert tablet.texts() == ["one"]


def test_a_disk_that_is_not_connected_is_not_written_to(tmp_path: Path) -> None:
    laptop, desk = new_library(tmp_path, "laptop", "desk")
    laptop.begin_thread("one")
    settle(laptop, desk)
    shutil.move(laptop.place_folder, tmp_path / "away")
    laptop.place_folder.mkdir()
    with pytest.raises(PlaceUnreachable):
        laptop.round()
    assert list(laptop.place_folder.iterdir()) == []
    laptop.place_folder.rmdir()
    with pytest.raises(PlaceUnreachable):
        laptop.round()
    assert not laptop.place_folder.exists()
