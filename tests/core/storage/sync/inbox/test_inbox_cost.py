"""What a pull costs grows with the number of messages, whatever their shape, and so does what is done to all of them.

Counted are the steps of SQLite's virtual machine. Pages are small, so that work that every page does again shows.
"""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from itertools import product
from typing import Final

import pytest

from chatdesk.core.domain.library import GONE
from chatdesk.core.storage.sync import erasing, erasing_trash, outbox
from tests.helpers.examples import sample
from tests.helpers.log_shapes import RECORDS, SHAPES, Shape, chats
from tests.helpers.pulled_log import ANNS, START_MS, PulledLog, Reader

_FEW, _PAGE = 100, 10
# Each step of a page, its indexes deeper at twice as many.
_TWICE: Final = 2.5
_DEARER: Final = 1.5
# Where each page looks through all of one register.
_TWICE_A_REGISTER: Final = 3
Action = Callable[[PulledLog, Reader], None]
_ORDERS: dict[str, Callable[[list[str]], object]] = {
    "same": list.copy,
    "reversed": list.reverse,
    "mixed": random.Random(1).shuffle,
}


def _start_over(log: PulledLog, reader: Reader) -> None:
    reader.profile.db.write_now(lambda conn: outbox.start_over(conn, log.project_id))


def _erase(log: PulledLog, _reader: Reader) -> None:
    thread_id = next(row.entity for row in log.rows if row.kind == "thread")
    made = [row.id for row in log.rows if row.kind == "message"]
    for start in range(0, len(made), _PAGE):
        log.add("thread", "del", thread_id, {"changes": made[start : start + _PAGE]}, reg="erased")


def _delete(log: PulledLog, _reader: Reader) -> None:
    for entity in [row.entity for row in log.rows if row.kind == "message"]:
        log.delete("message", entity)


def _delete_the_newest_first(log: PulledLog, _reader: Reader) -> None:
    for entity in [row.entity for row in reversed(log.rows) if row.kind == "message"]:
        log.delete("message", entity, covers={ANNS: 10**9})


def _delete_and_restore(log: PulledLog, reader: Reader) -> None:
    _delete(log, reader)
    for row in [row for row in log.rows if (row.kind, row.op) == ("message", "del")]:
        log.add("message", "edit", row.entity, parents=[row.id])


def _delete_threads(log: PulledLog, _reader: Reader) -> None:
    for entity in [row.entity for row in log.rows if row.kind == "thread"]:
        log.delete("thread", entity)


def _bring_back(log: PulledLog, _reader: Reader, order: Callable[[list[str]], object], parent: str) -> None:
    """All parents that were lost come again, as messages of a chain, beside each other or as replies to one."""
    messages = [row for row in log.rows if row.kind == "message"]
    thread_id = next(row.entity for row in log.rows if row.kind == "thread")
    above = [json.loads(row.body or "{}").get("parent_id") for row in messages]
    lost = [each for each in above if each not in {None, *(row.entity for row in messages)}]
    parents = {
        "chain": dict(zip(lost[1:], lost[:-1], strict=True)),
        "question": dict.fromkeys(lost[1:], lost[0]),
        "none": {},
    }[parent]
    order(lost)
    for each in lost:
        log.message(thread_id, parents.get(each), message_id=each)


_ACTIONS: Final[Mapping[str, Action]] = {
    each.__name__.strip("_"): each
    for each in (*(_start_over, _erase, _delete, _delete_the_newest_first, _delete_and_restore, _delete_threads),)
}


@contextmanager
def _counted_steps(raw: sqlite3.Connection) -> Iterator[list[int]]:
    """The number of hundreds of steps that SQLite takes inside."""
    steps = [0]

    def count() -> int:
        steps[0] += 1
        return 0

    raw.set_progress_handler(count, 100)
    yield steps
    raw.set_progress_handler(None, 0)


def _steps(shape: Shape, count: int, action: Action | None = None, *, page: int = _PAGE) -> int:
    """Hundreds of steps of the whole pull."""
    log = PulledLog()
    shape(log, count)
    reader = Reader(log, joined_seq=len(log.rows))
    if action is not None:
        reader.pull(page=100)
        action(log, reader)
    with _counted_steps(reader.profile.db.raw) as steps:
        reader.pull(page=page)
    reader.close()
    return steps[0]


@pytest.mark.parametrize("name", sample([*SHAPES], 10))
def test_a_first_pull_grows_with_what_is_pulled(name: str) -> None:
    few, many = _steps(SHAPES[name], _FEW), _steps(SHAPES[name], 2 * _FEW)
    assert many < _TWICE * few
    assert many < _DEARER * _of_chats()


@pytest.mark.parametrize("name", sample([*RECORDS], 6))
def test_whatever_else_is_pulled_costs_as_much_as_there_is(name: str) -> None:
    few, many = (_steps(RECORDS[name], count, page=200) for count in (4 * _FEW, 8 * _FEW))
    assert many < _TWICE_A_REGISTER * few


@cache
def _of_chats() -> int:
    return _steps(chats, 2 * _FEW)


_MANY = ("roots", "replies", "a chain", "later versions downwards")


@pytest.mark.parametrize(("name", "action"), sample(list(product(_MANY, _ACTIONS)), 8))
def test_what_is_done_to_all_messages_grows_with_them(name: str, action: str) -> None:
    few, many = (_steps(SHAPES[name], count, _ACTIONS[action]) for count in (_FEW, 2 * _FEW))
    assert many < _TWICE * few


@pytest.mark.parametrize(("parent", "order"), sample(list(product(("chain", "question", "none"), _ORDERS)), 3))
def test_what_was_lost_is_brought_back_in_time_that_grows_with_it(order: str, parent: str) -> None:
    action = partial(_bring_back, order=_ORDERS[order], parent=parent)
    few, many = (_steps(SHAPES["replies to lost messages"], count, action, page=100) for count in (6 * _FEW, 12 * _FEW))
    assert many < _TWICE * few


@pytest.mark.parametrize("trash", [f"UPDATE threads SET deleted_at = {GONE}", "UPDATE messages SET deleted_at = 1"])
def test_trash_is_asked_to_be_erased_in_time_that_grows_with_it(trash: str) -> None:
    few, many = (_steps_of_emptying(trash, count) for count in (6 * _FEW, 12 * _FEW))
    assert many < _TWICE * few


def _steps_of_emptying(trash: str, count: int) -> int:
    log = PulledLog()
    SHAPES["roots"](log, count)
    reader = Reader(log, joined_seq=len(log.rows))
    reader.pull()
    db = reader.profile.db
    db.write_now(lambda conn: conn.exec_driver_sql(trash))
    with _counted_steps(db.raw) as steps:
        while db.write_now(lambda conn: erasing_trash.ask_for_purged(conn, db.origin, START_MS)):
            pass
    named = [erasing.named(row[0]) for row in reader.rows("SELECT body FROM changes WHERE reg = 'erased'")]
    assert sum(map(len, named)) >= count
    reader.close()
    return steps[0]
