"""References that lead in a ring: whatever follows them ends, the check names them, and the repair opens them."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from dataclasses import dataclass

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.domain.exports import Choice
from chatdesk.core.domain.sharing.team import TeamRole
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.storage.chat.context_rows import path_up
from chatdesk.core.storage.sync import entering, sharing
from chatdesk.core.storage.transfer.export_reader import open_reader
from chatdesk.core.storage.upkeep.repair import RepairService
from tests.helpers.checks import integrity_check
from tests.helpers.examples import examples, sample
from tests.helpers.store import Store

_DEEP = examples(10_000)


@dataclass(frozen=True)
class _World:
    """Two threads: one with two versions of its second question, of which ``hidden`` is not shown, and ``other``."""

    thread: str
    first: str
    answer: str
    hidden: str
    leaf: str
    other: str
    stranger: str


async def _world(store: Store) -> _World:
    thread, other = await store.thread(), await store.thread("Other")
    first, answer = await store.ask(thread, "one")
    hidden, _ = await store.ask(thread, "two")
    _, leaf = await store.ask(thread, "three")
    await store.messages.add_question_version(hidden, "other two", None)
    stranger, _ = await store.ask(other, "elsewhere")
    return _World(thread, first, answer, hidden, leaf, other, stranger)


# Each says what the column of which message points to.
_RINGS: dict[str, Callable[[_World], tuple[tuple[str, str], ...]]] = {
    "hidden to itself": lambda w: ((w.hidden, w.hidden),),
    "leaf to itself": lambda w: ((w.leaf, w.leaf),),
    "leaf to the first": lambda w: ((w.leaf, w.first),),
    "first to itself": lambda w: ((w.first, w.first),),
    "pair": lambda w: ((w.answer, w.hidden), (w.hidden, w.answer)),
    "into another thread": lambda w: ((w.hidden, w.stranger),),
    "through another thread": lambda w: ((w.hidden, w.stranger), (w.stranger, w.hidden)),
}
_COLUMNS = ("parent_id", "chosen_child_id", "deleted_with", "chosen_root_id", "current_leaf_id", "context_from_id")


def _tie(store: Store, world: _World, ring: str, column: str) -> None:
    with closing(sqlite3.connect(store.path, isolation_level=None)) as conn:
        for message, target in _RINGS[ring](world):
            if column in ("chosen_root_id", "current_leaf_id", "context_from_id"):
                of = "SELECT thread_id FROM messages WHERE id = ?"
                conn.execute(f"UPDATE threads SET {column} = ? WHERE id = ({of})", (target, message))
            else:
                conn.execute(f"UPDATE messages SET {column} = ? WHERE id = ?", (target, message))


async def _export(store: Store, world: _World) -> None:
    with open_reader(store.path) as reader:
        assert set(reader.thread_ids(Choice())) >= {world.thread, world.other}


async def _delete_and_restore(store: Store, world: _World) -> None:
    await store.paths.delete(world.answer, with_later=True)
    await store.paths.restore(world.answer)


async def _move(store: Store, world: _World) -> None:
    project = await store.projects.create("Elsewhere")
    await store.library.set_flag([world.thread], "project_id", project.id, "Move")


async def _purge(store: Store, world: _World) -> None:
    await store.paths.delete(world.answer, with_later=True)
    await store.library.delete([world.thread])
    store.clock.now += 365 * 24 * 3600 * 1000
    await store.trash.purge_expired(store.clock.now)


async def _share(store: Store, world: _World) -> None:
    """All is written into the log of a team, in far fewer steps than these."""
    project = (await store.threads.get(world.thread)).project_id

    def work(conn: Connection) -> None:
        if not sharing.running(conn, "w"):
            sharing.start(conn, store.db.origin, project, "w", TeamRole.OWNER, "channel")
        assert any(entering.log_batch(conn, store.db.origin, project) is None for _step in range(_DEEP))

    await store.db.write(work)


_OPERATIONS: dict[str, Callable[[Store, _World], Awaitable[object]]] = {
    "start": lambda store, world: store.reopen(),
    "open": lambda store, world: store.messages.page(world.thread, limit=100),
    "outline": lambda store, world: store.outlines.tree(world.thread, preview=10),
    "read ahead": lambda store, world: store.messages.below(world.hidden, limit=100),
    "context": lambda store, world: store.db.read(lambda conn: path_up(conn, world.leaf, "", limit=100)),
    "select": lambda store, world: store.paths.select_version(world.hidden),
    "find": lambda store, world: store.paths.lead_path_to(world.leaf),
    "delete and restore": _delete_and_restore,
    "branch": lambda store, world: store.paths.branch(world.leaf, "Branch"),
    "edit": lambda store, world: store.messages.add_question_version(world.first, "new", None),
    "ask": lambda store, world: store.ask(world.thread, "four"),
    "export": _export,
    "move": _move,
    "share": _share,
}


def _service(store: Store) -> RepairService:
    return RepairService(store.db, store.path.parent / "blobs")


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("ring", "column"), sample(list(itertools.product(_RINGS, _COLUMNS)), 14))
async def test_what_follows_a_ring_ends_and_the_repair_opens_it(store: Store, ring: str, column: str) -> None:
    world = await _world(store)
    _tie(store, world, ring, column)
    for operation in _OPERATIONS.values():
        with suppress(ChatDeskError):
            await operation(store, world)
    _tie(store, world, ring, column)
    found = await _service(store).check()
    report = await _service(store).repair()
    assert report.left == ()
    assert bool(report.done) is bool(found)
    assert column != "chosen_child_id" or found, "the check says nothing"
    assert await integrity_check(store.db) == []
    for operation in _OPERATIONS.values():
        with suppress(ChatDeskError):
            await operation(store, world)
    assert await _service(store).check() == []


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("ring", "column"), sample(list(itertools.product(_RINGS, _COLUMNS)), 7))
async def test_a_ring_is_purged(store: Store, ring: str, column: str) -> None:
    world = await _world(store)
    _tie(store, world, ring, column)
    await _purge(store, world)
    await _service(store).repair()
    assert await integrity_check(store.db) == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize("column", ["parent_id", "chosen_child_id"])
async def test_a_deep_ring_ends_as_well(store: Store, column: str) -> None:
    world = await _world(store)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as conn, conn:
        row = conn.execute("SELECT * FROM messages WHERE id = ?", (world.leaf,))
        names = [each[0] for each in row.description]
        values = dict(zip(names, row.fetchone(), strict=True))
        ids = [world.leaf, *(f"{world.leaf}-{number:05}" for number in range(_DEEP))]
        for place, (above, each) in enumerate(itertools.pairwise(ids), start=1):
            made = values | {"id": each, "parent_id": above, "position": values["position"] + place, "search_n": None}
            made["content_digest"] = None
            marks = ", ".join("?" * len(names))
            conn.execute(f"INSERT INTO messages ({', '.join(names)}) VALUES ({marks})", [made[name] for name in names])
            conn.execute("UPDATE messages SET chosen_child_id = ? WHERE id = ?", (each, above))
        end, begin = (world.leaf, ids[-1]) if column == "parent_id" else (ids[-1], world.leaf)
        conn.execute(f"UPDATE messages SET {column} = ? WHERE id = ?", (begin, end))
    for operation in _OPERATIONS.values():
        with suppress(ChatDeskError):
            await operation(store, world)
    report = await _service(store).repair()
    assert report.done
    assert await integrity_check(store.db) == []
    await _purge(store, world)
    assert await integrity_check(store.db) == []
