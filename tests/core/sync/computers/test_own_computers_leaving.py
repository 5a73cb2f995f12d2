"""A computer that leaves its folder keeps everything as private projects, and may come back: what was done meanwhile ×
on which computer × where it comes back to. Nothing is lost and nothing is there twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from chatdesk.core.storage.sync import own_places, team
from chatdesk.core.sync.computers.library_key import LibraryKey
from tests.helpers.computers_sim.own_computer import OwnComputer, new_library, settle
from tests.helpers.sync_sim.memory_profile import now

_BEFORE = ["one", "two"]


@dataclass
class _Threads:
    """What both computers have at first: two threads of a project."""

    first: str
    second: str


def _nothing(_computer: OwnComputer, _threads: _Threads) -> None:
    pass


def _write(computer: OwnComputer, threads: _Threads) -> None:
    computer.ask(threads.first, f"asked on {computer.name}")


def _begin(computer: OwnComputer, _threads: _Threads) -> None:
    computer.begin_thread(f"begun on {computer.name}")


def _delete(computer: OwnComputer, threads: _Threads) -> None:
    now(computer.profile.repositories.library.delete([threads.second]))


def _rename(computer: OwnComputer, threads: _Threads) -> None:
    now(computer.profile.repositories.threads.rename(threads.first, f"As {computer.name} has it"))


def _add_project(computer: OwnComputer, _threads: _Threads) -> None:
    project = now(computer.profile.repositories.projects.create(f"Of {computer.name}"))
    now(
        computer.profile.repositories.messages.create_thread_with_question(
            project.id, "new", f"in a new project of {computer.name}", provider=None, model=None
        )
    )


MEANWHILE = {
    "nothing": (_nothing, _BEFORE, ""),
    "written": (_write, _BEFORE, "asked on {name}"),
    "begun": (_begin, _BEFORE, "begun on {name}"),
    "deleted": (_delete, ["one"], ""),
    "renamed": (_rename, _BEFORE, ""),
    "a project added": (_add_project, _BEFORE, "in a new project of {name}"),
}


def _to_the_same_folder(laptop: OwnComputer, desk: OwnComputer, _folder: Path) -> None:
    laptop.join()


def _to_a_new_folder(laptop: OwnComputer, desk: OwnComputer, folder: Path) -> None:
    """Both leave the former one."""
    key, place = LibraryKey(b"another library!"), folder / "another"
    place.mkdir()
    desk.leave()
    for each in (laptop, desk):
        each.go_to(key, place)
    laptop.begin()


BACK = {"to the same folder": _to_the_same_folder, "to a new folder": _to_a_new_folder}


def _expected(here: str, there: str, back: str) -> list[str]:
    """What both show at the end. A new folder knows nothing of the order of things before it: there a thread is where
    the first computer has it."""
    _, kept_here, new_here = MEANWHILE[here]
    _, kept_there, new_there = MEANWHILE[there]
    new = [text for text in (new_here.format(name="laptop"), new_there.format(name="desk")) if text]
    kept = set(kept_here) if back == "to a new folder" else set(kept_here) & set(kept_there)
    return sorted([*kept, *new])


@pytest.mark.parametrize("has_sent", [True, False], ids=["all sent", "something unsent"])
@pytest.mark.parametrize("back", BACK)
@pytest.mark.parametrize("there", MEANWHILE)
@pytest.mark.parametrize("here", MEANWHILE)
def test_who_leaves_may_come_back(here: str, there: str, back: str, has_sent: bool, tmp_path: Path) -> None:
    laptop, desk = new_library(tmp_path, "laptop", "desk")
    threads = _Threads(laptop.begin_thread("one"), laptop.begin_thread("two"))
    settle(laptop, desk)
    unsent = []
    if not has_sent:
        laptop.ask(threads.first, "unsent")
        unsent = ["unsent"]
    texts = laptop.texts()
    laptop.leave()
    assert laptop.texts() == texts
    MEANWHILE[here][0](laptop, threads)
    MEANWHILE[there][0](desk, threads)
    settle(desk)
    BACK[back](laptop, desk, tmp_path)
    settle(laptop, desk)
    assert laptop.texts() == desk.texts() == sorted([*_expected(here, there, back), *unsent])
    assert laptop.shown() == desk.shown()


Operation = Callable[[OwnComputer, str, str, str], None]


def _delete_the_project(computer: OwnComputer, project: str, _other: str, _thread: str) -> None:
    now(computer.profile.repositories.library.delete_project(project))


def _move_the_thread(computer: OwnComputer, _project: str, other: str, thread: str) -> None:
    now(computer.profile.repositories.library.set_flag([thread], "project_id", other, "Move"))


def _move_and_write(computer: OwnComputer, project: str, other: str, thread: str) -> None:
    _move_the_thread(computer, project, other, thread)
    computer.ask(thread, "written after the move")


def _move_and_delete(computer: OwnComputer, project: str, other: str, thread: str) -> None:
    _move_the_thread(computer, project, other, thread)
    _delete_the_project(computer, project, other, thread)


def _move_there_and_back(computer: OwnComputer, project: str, other: str, thread: str) -> None:
    _move_and_write(computer, project, other, thread)
    _move_the_thread(computer, other, project, thread)


@pytest.mark.parametrize("is_continued", [False, True], ids=["", "continued there"])
@pytest.mark.parametrize(
    "operation", [_delete_the_project, _move_the_thread, _move_and_write, _move_and_delete, _move_there_and_back]
)
def test_what_only_a_private_project_allows_loses_and_doubles_nothing(
    operation: Operation, is_continued: bool, tmp_path: Path
) -> None:
    laptop, desk = new_library(tmp_path, "laptop", "desk")
    thread = laptop.begin_thread("one")
    project = laptop.projects()[0]
    _add_project(laptop, _Threads(thread, thread))
    other = next(each for each in laptop.projects() if each != project)
    settle(laptop, desk)
    laptop.leave()
    operation(laptop, project, other, thread)
    texts = laptop.texts()
    if is_continued:
        desk.ask(thread, "continued")
        texts = sorted({*texts, "one", "continued"})
    settle(desk)
    laptop.join()
    settle(laptop, desk)
    assert (laptop.texts(), desk.texts()) == (texts, texts)
    assert laptop.shown() == desk.shown()


def test_a_look_that_ends_after_the_leaving_carries_nothing_again(tmp_path: Path) -> None:
    laptop, desk = new_library(tmp_path, "laptop", "desk")
    laptop.begin_thread("one")
    settle(laptop, desk)
    store = laptop.open()
    before = laptop.profile.store.shares()
    hello, view = store.view(laptop.profile.db.device_id)
    store.close()
    laptop.leave()
    laptop.profile.store.store_view(hello, view, before)
    assert laptop.profile.db.read_now(own_places.carried) == {}
    assert all(each.is_ended for each in laptop.profile.db.read_now(team.shares).values())
