"""What a pull costs grows with the number of messages, whatever their shape, and so does what is done to all of them.

Counted are the steps of SQLite's virtual machine. Pages are small, so that work that every page does again shows.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Final

import pytest

from chatdesk.core.storage.sync import outbox
from tests.helpers.log_shapes import SHAPES, Shape, chats
from tests.helpers.pulled_log import ANNS, PulledLog, Reader

_FEW, _PAGE = 100, 10
# Each step of a page, its indexes deeper at twice as many.
_TWICE: Final = 2.5
_DEARER: Final = 1.5
Action = Callable[[PulledLog, Reader], None]


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


def _steps(shape: Shape, count: int, action: Action | None = None, *, page: int = _PAGE) -> int:
    """Hundreds of steps of the whole pull."""
    log = PulledLog()
    shape(log, count)
    reader = Reader(log, joined_seq=len(log.rows))
    steps = 0

    def count_steps() -> int:
        nonlocal steps
        steps += 1
        return 0

    if action is not None:
        reader.pull(page=100)
        action(log, reader)
    reader.profile.db.raw.set_progress_handler(count_steps, 100)
    reader.pull(page=page)
    reader.close()
    return steps


@pytest.mark.parametrize("name", SHAPES)
def test_a_first_pull_grows_with_what_is_pulled(name: str) -> None:
    few, many = _steps(SHAPES[name], _FEW), _steps(SHAPES[name], 2 * _FEW)
    assert many < _TWICE * few
    assert many < _DEARER * _of_chats()


@cache
def _of_chats() -> int:
    return _steps(chats, 2 * _FEW)


@pytest.mark.parametrize("action", _ACTIONS)
@pytest.mark.parametrize("name", ["roots", "replies", "a chain", "later versions downwards"])
def test_what_is_done_to_all_messages_grows_with_them(name: str, action: str) -> None:
    few, many = (_steps(SHAPES[name], count, _ACTIONS[action]) for count in (_FEW, 2 * _FEW))
    assert many < _TWICE * few


@pytest.mark.parametrize("parent", ["chain", "question", "none"])
@pytest.mark.parametrize("order", [list.copy, list.reverse, random.Random(1).shuffle], ids=["", "reversed", "mixed"])
def test_what_was_lost_is_brought_back_in_time_that_grows_with_it(order: Callable[..., object], parent: str) -> None:
    action = partial(_bring_back, order=order, parent=parent)
    few, many = (_steps(SHAPES["replies to lost messages"], count, action, page=100) for count in (6 * _FEW, 12 * _FEW))
    assert many < _TWICE * few
