"""Projects and threads of own computers behave as one's own: operation × what the other computer did meanwhile. Both
show the same at the end, with every text once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from chatdesk.core.domain.message import ContextMark
from chatdesk.core.domain.sharing.team import NOWHERE, EndReason, TeamRole, Workspace
from chatdesk.core.ids import new_id
from chatdesk.core.storage.sync import sharing, team
from tests.helpers.computers_sim.own_computer import OwnComputer, new_library, settle
from tests.helpers.examples import sample
from tests.helpers.sync_sim.memory_profile import now


@dataclass
class Desk:
    """What both computers have: a project with two threads, another one with one thread, and a third without any."""

    first: str
    second: str
    thread: str
    beside: str
    other: str
    empty: str

    def project_of(self, computer: OwnComputer, thread: str) -> str:
        found = computer.profile.rows("SELECT project_id FROM threads WHERE id = ?", thread)
        return {self.first: "first", self.second: "second", self.empty: "empty"}[found[0][0]]

    def is_live(self, computer: OwnComputer, project: str) -> bool:
        return project in computer.projects()


def _begin(computer: OwnComputer, project: str, text: str) -> str:
    messages = computer.profile.repositories.messages
    return now(messages.create_thread_with_question(project, text, text, provider=None, model=None))[0].id


def _desk(tmp_path: Path) -> tuple[OwnComputer, OwnComputer, Desk]:
    laptop, tower = new_library(tmp_path, "laptop", "tower")
    first = laptop.projects()[0]
    second, empty = (now(laptop.profile.repositories.projects.create(name)).id for name in ("Second", "Empty"))
    thread, beside, other = _begin(laptop, first, "one"), _begin(laptop, first, "two"), _begin(laptop, second, "three")
    settle(laptop, tower)
    assert tower.texts() == ["one", "three", "two"]
    return laptop, tower, Desk(first, second, thread, beside, other, empty)


Operation = Callable[[OwnComputer, Desk], None]


def _move(computer: OwnComputer, desk: Desk, to: str | None = None) -> None:
    now(computer.profile.repositories.library.set_flag([desk.thread], "project_id", to or desk.second, "Move"))


def _move_elsewhere(computer: OwnComputer, desk: Desk) -> None:
    _move(computer, desk, desk.empty)


def _write(computer: OwnComputer, desk: Desk) -> None:
    computer.ask(desk.thread, f"written on {computer.name}")


def _begin_there(computer: OwnComputer, desk: Desk) -> None:
    _begin(computer, desk.first, f"begun on {computer.name}")


def _delete_project(computer: OwnComputer, desk: Desk) -> None:
    now(computer.profile.repositories.library.delete_project(desk.first))


def _delete_target(computer: OwnComputer, desk: Desk) -> None:
    now(computer.profile.repositories.library.delete_project(desk.second))


def _delete_thread(computer: OwnComputer, desk: Desk) -> None:
    now(computer.profile.repositories.library.delete([desk.thread]))


def _rename_project(computer: OwnComputer, desk: Desk) -> None:
    now(computer.profile.repositories.projects.change(desk.first, {"name": f"As {computer.name} has it"}))


def _pin(computer: OwnComputer, desk: Desk) -> None:
    now(computer.profile.repositories.library.set_flag([desk.thread], "pinned_at", 1000, "Pin"))


def _archive(computer: OwnComputer, desk: Desk) -> None:
    now(computer.profile.repositories.library.set_flag([desk.thread], "archived_at", 1000, "Archive"))


def _archive_project(computer: OwnComputer, desk: Desk) -> None:
    now(computer.profile.repositories.projects.change(desk.first, {"archived_at": 1000}))


def _mark(computer: OwnComputer, desk: Desk) -> None:
    (message,) = computer.profile.rows("SELECT id FROM messages WHERE thread_id = ? LIMIT 1", desk.thread)[0]
    now(computer.profile.repositories.contexts.mark(message, ContextMark.PINNED))


def _tag(computer: OwnComputer, desk: Desk) -> None:
    now(computer.profile.repositories.library.tag([desk.thread], add=["red"], remove=[]))


def _new_project(computer: OwnComputer, desk: Desk) -> None:
    _begin(computer, now(computer.profile.repositories.projects.create("New")).id, f"begun on {computer.name}")


def _nothing(_computer: OwnComputer, _desk: Desk) -> None:
    pass


OPERATIONS = (
    _nothing, _move, _move_elsewhere, _write, _begin_there, _delete_project, _delete_target, _delete_thread,
    _rename_project, _pin, _archive, _archive_project, _mark, _tag, _new_project,
)  # fmt: skip
# A thread that one computer deletes stays if the other one did one of these meanwhile.
_KEEPS = {_write, _tag}


def _expected(here: Operation, there: Operation) -> list[str]:
    """The texts that both show. A deletion hides what its computer had seen."""
    texts = {"one", "two", "three"}
    for operation, name in ((here, "laptop"), (there, "tower")):
        if operation is _write:
            texts.add(f"written on {name}")
        if operation in (_begin_there, _new_project):
            texts.add(f"begun on {name}")
    both = {here, there}
    if _delete_project in both:
        texts -= {"two"} if _KEEPS & both else {"one", "two"}
    if _delete_target in both:
        texts -= {"three"}
    if _delete_thread in both and not _KEEPS & both:
        texts -= {"one"}
    return sorted(texts)


@pytest.mark.parametrize(
    ("here", "there"),
    sample(
        [
            (here, there)
            for n, here in enumerate(OPERATIONS)
            for there in OPERATIONS[0 if here is _delete_project else n :]
        ],
        40,
    ),
)
def test_both_show_the_same_and_lose_nothing(here: Operation, there: Operation, tmp_path: Path) -> None:
    laptop, tower, desk = _desk(tmp_path)
    here(laptop, desk)
    tower.clock.time.ms += 60_000
    there(tower, desk)
    settle(laptop, tower)
    settle(tower, laptop)
    assert laptop.shown() == tower.shown()
    assert laptop.texts() == tower.texts() == _expected(here, there)
    assert laptop.profile.rows("SELECT count(*) FROM changes WHERE state = 2 AND problem <> 'overruled'") == [(0,)]


@pytest.mark.parametrize(
    ("here", "there", "home"),
    [
        (_move, _nothing, "second"),
        (_nothing, _move, "second"),
        (_move, _move_elsewhere, "empty"),
        (_move_elsewhere, _move, "second"),
        (_move, _write, "second"),
        (_delete_target, _move, "second"),
    ],
)
def test_a_thread_is_where_the_later_move_put_it(here: Operation, there: Operation, home: str, tmp_path: Path) -> None:
    laptop, tower, desk = _desk(tmp_path)
    here(laptop, desk)
    tower.clock.time.ms += 60_000
    there(tower, desk)
    settle(laptop, tower)
    settle(tower, laptop)
    assert desk.project_of(laptop, desk.thread) == desk.project_of(tower, desk.thread) == home
    assert desk.is_live(laptop, desk.second) and desk.is_live(tower, desk.second)


@pytest.mark.parametrize(("there", "is_live"), [(_nothing, False), (_write, True), (_rename_project, True)])
def test_a_deleted_project_stays_if_it_was_continued(there: Operation, is_live: bool, tmp_path: Path) -> None:
    laptop, tower, desk = _desk(tmp_path)
    _delete_project(laptop, desk)
    there(tower, desk)
    settle(laptop, tower)
    settle(tower, laptop)
    assert desk.is_live(laptop, desk.first) is desk.is_live(tower, desk.first) is is_live


def test_a_project_that_was_deleted_on_one_comes_back_with_its_threads_from_the_other(tmp_path: Path) -> None:
    laptop, tower, desk = _desk(tmp_path)
    now(laptop.profile.repositories.library.delete([desk.beside]))
    laptop.clock.time.ms += 60_000
    _delete_project(laptop, desk)
    settle(laptop, tower)
    now(tower.profile.repositories.library.restore_project(desk.first))
    settle(tower, laptop)
    assert laptop.texts() == tower.texts() == ["one", "three"]
    assert desk.is_live(laptop, desk.first)


def test_both_delete_all_projects_but_one(tmp_path: Path) -> None:
    laptop, tower, desk = _desk(tmp_path)
    library = laptop.profile.repositories.library
    now(library.delete_project(desk.empty))
    settle(laptop, tower)
    _delete_project(laptop, desk)
    _delete_target(tower, desk)
    for _ in range(2):
        settle(laptop, tower)
    assert laptop.projects() == tower.projects() != []
    assert laptop.shown() == tower.shown()


@pytest.mark.parametrize("is_at_once", [True, False], ids=["emptied by hand", "too old"])
def test_what_goes_for_good_goes_everywhere(is_at_once: bool, tmp_path: Path) -> None:
    laptop, tower, desk = _desk(tmp_path)
    _delete_thread(laptop, desk)
    settle(laptop, tower)
    if is_at_once:
        now(laptop.profile.repositories.library.mark_gone([desk.thread]))
    else:
        laptop.clock.time.ms += 40 * 86_400_000
    now(laptop.profile.repositories.trash.purge_expired())
    settle(laptop, tower)
    for computer in (laptop, tower):
        words = computer.profile.rows("SELECT content FROM message_parts")
        assert not any("one" in row[0] for row in words)
        assert computer.texts() == ["three", "two"]


def _share(computer: OwnComputer, project: str) -> str:
    workspace = new_id()
    computer.profile.db.write_now(
        lambda conn: team.add_workspace(conn, Workspace(workspace, "Team", NOWHERE, new_id(), True, joined_at=1))
    )
    computer.profile.db.write_now(
        lambda conn: sharing.start(conn, computer.profile.db.origin, project, workspace, TeamRole.OWNER, "")
    )
    return workspace


def test_what_is_shared_with_a_team_leaves_the_folder_and_comes_back(tmp_path: Path) -> None:
    laptop, tower, desk = _desk(tmp_path)
    _share(laptop, desk.first)
    laptop.ask(desk.thread, "for the team")
    _begin(laptop, desk.first, "begun for the team")
    settle(laptop, tower)
    assert tower.texts() == ["one", "three", "two"]
    tower.ask(desk.thread, "on the copy")
    _begin(tower, desk.first, "begun on the copy")
    settle(tower, laptop)
    assert laptop.texts() == ["begun for the team", "for the team", "one", "three", "two"]
    laptop.profile.db.write_now(lambda conn: sharing.end(conn, desk.first, EndReason.UNSHARED))
    for _ in range(2):
        settle(laptop, tower)
    everything = ["begun for the team", "begun on the copy", "for the team", "on the copy", "one", "three", "two"]
    assert laptop.texts() == tower.texts() == everything
    assert laptop.shown() == tower.shown()


def test_a_thread_that_goes_to_a_team_stays_on_the_other_computer_as_it_was(tmp_path: Path) -> None:
    laptop, tower, desk = _desk(tmp_path)
    _share(laptop, desk.second)
    _move(laptop, desk)
    laptop.ask(desk.thread, "for the team")
    tower.ask(desk.thread, "on the copy")
    settle(laptop, tower)
    assert laptop.texts() == ["for the team", "one", "three", "two"]
    assert tower.texts() == ["on the copy", "one", "three", "two"]
    assert desk.project_of(tower, desk.thread) == "first"


def test_a_move_to_a_project_that_a_team_has_here_changes_nothing(tmp_path: Path) -> None:
    laptop, tower, desk = _desk(tmp_path)
    _share(laptop, desk.second)
    settle(laptop, tower)
    _move(tower, desk)
    settle(tower, laptop)
    assert desk.project_of(laptop, desk.thread) == "first"
    assert desk.project_of(tower, desk.thread) == "second"
