"""Logs of a project whose messages have every shape that somebody may give them: as a newcomer pulls them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any, Final

from chatdesk.core.ids import new_id
from tests.helpers.pulled_log import START_MS, PulledLog

Shape = Callable[[PulledLog, int], None]


def chats(log: PulledLog, count: int) -> None:
    """Usual threads: the measure of all others."""
    for _ in range(count // 50):
        _down(log, log.thread(), 50)


def _down(log: PulledLog, thread_id: str, count: int, parent_id: str | None = None) -> list[str]:
    made: list[str] = []
    for _ in range(count):
        parent_id = log.message(thread_id, parent_id)
        made.append(parent_id)
    return made


def _chain(log: PulledLog, count: int) -> None:
    _down(log, log.thread(), count)


def _roots(log: PulledLog, count: int) -> None:
    thread_id = log.thread()
    for _ in range(count):
        log.message(thread_id)


def _replies(log: PulledLog, count: int) -> None:
    thread_id = log.thread()
    question = log.message(thread_id)
    for _ in range(count):
        log.message(thread_id, question)


def _replies_below_a_chain(log: PulledLog, count: int) -> None:
    thread_id = log.thread()
    end = _down(log, thread_id, count // 2)[-1]
    for _ in range(count // 2):
        log.message(thread_id, end)


def _versions(log: PulledLog, count: int, *, of_each: int, is_last_answered: bool) -> None:
    thread_id, parent_id = log.thread(), None
    for _ in range(count // of_each):
        made = [log.message(thread_id, parent_id) for _ in range(of_each)]
        parent_id = made[-1 if is_last_answered else 0]


def _later_versions(log: PulledLog, count: int, *, step: int) -> None:
    thread_id = log.thread()
    above = [None, *_down(log, thread_id, count // 2)[:-1]]
    for parent_id in above[::step]:
        log.message(thread_id, parent_id)


def _side_by_side(log: PulledLog, count: int) -> None:
    thread_id, ends = log.thread(), [None] * 10
    for place in range(count):
        ends[place % 10] = log.message(thread_id, ends[place % 10])  # type: ignore[call-overload]


def _in_order(log: PulledLog, count: int, order: Callable[[list[int]], None], *, parent: str, late: str = "") -> None:
    """Messages whose ids rise with their place come in another order; ``late``: a thread or parent that comes last."""
    thread_id = new_id() if late == "thread" else log.thread()
    ids = sorted(new_id() for _ in range(count))
    question = new_id()
    places = list(range(count))
    order(places)
    for place in places:
        above = {"chain": ids[place - 1] if place else None, "question": question, "none": None}[parent]
        log.message(thread_id, above, message_id=ids[place])
    if parent == "question":
        log.message(thread_id, message_id=question)
    if late == "thread":
        log.add("thread", "new", thread_id, {"title": "Late", "title_source": "person", "created_at": START_MS})


def _shuffle(places: list[int]) -> None:
    random.Random(1).shuffle(places)


def _erased(log: PulledLog, count: int, *, parent: str, each: int = 1) -> None:
    """Every ``each``-th message is left as its place only."""
    thread_id, above = log.thread(), None
    question = log.message(thread_id)
    for place in range(count):
        parent_id = {"chain": above, "question": question, "none": None}[parent]
        if place % each:
            above = log.message(thread_id, parent_id)
            continue
        above = new_id()
        body = {"thread_id": thread_id, "role": "user", "status": "complete", "created_at": START_MS, "is_purged": True}
        more = {} if parent_id is None else {"parent_id": parent_id}
        log.add("message", "new", above, body | more, is_erased=True)


def _below_lost(log: PulledLog, count: int) -> None:
    """Half of the messages are below the other half, which the server lost."""
    thread_id = log.thread()
    for _ in range(count // 2):
        log.message(thread_id, new_id())


def _edits(log: PulledLog, count: int, reg: str, *, is_chained: bool) -> None:
    thread_id, parents = log.thread(), ()
    for place in range(count):
        made = log.edit("thread", thread_id, reg, {"title": f"T{place}", "model": f"m{place}"}, parents=parents)
        parents = (made.id,) if is_chained else ()


def _tags(log: PulledLog, count: int) -> None:
    thread_id = log.thread()
    for place in range(count):
        log.edit("thread", thread_id, f"lww.tag.{new_id()}", {"is_on": True, "name": f"tag {place}"})


def _erased_tags(log: PulledLog, count: int) -> None:
    _tags(log, count // 2)
    thread_id, *_ = (row.entity for row in log.rows)
    for row in log.rows[1:]:
        log.add("thread", "del", thread_id, {"changes": [row.id]}, reg="erased")


def _summaries(log: PulledLog, count: int) -> None:
    thread_id = log.thread()
    first, last = _down(log, thread_id, 2)
    ends = {"thread_id": thread_id, "from_message_id": first, "up_to_message_id": last}
    for _ in range(count):
        log.add("summary", "new", new_id(), {**ends, "text": "in short", "author": "model"})


def _erasures(log: PulledLog, count: int) -> None:
    """Each names what is not there."""
    thread_id = log.thread()
    _down(log, thread_id, count // 2)
    for _ in range(count // 2):
        log.add("thread", "del", thread_id, {"changes": [new_id() for _ in range(20)]}, reg="erased")


def _deletions(log: PulledLog, count: int, kind: str) -> None:
    thread_id = log.thread()
    message_id = log.message(thread_id)
    for _ in range(count):
        log.delete(kind, {"thread": thread_id, "message": message_id}[kind])


def _again_and_again(log: PulledLog, count: int, kind: str) -> None:
    """What a server that lies may bring: one id, made many times."""
    thread_id = log.thread()
    message_id, change_id = log.message(thread_id), new_id()
    ends = {"thread_id": thread_id, "from_message_id": message_id, "up_to_message_id": message_id}
    made = new_id()
    for place in range(count):
        if kind == "thread":
            log.add("thread", "new", thread_id, {"title": f"{place}", "title_source": "person", "created_at": 1})
        elif kind == "summary":
            log.add("summary", "new", made, {**ends, "text": "in short", "author": "model"})
        else:
            again = {"id": change_id} if kind == "change" else {}
            log.message(thread_id, message_id, f"{place}", message_id=new_id() if again else made, **again)


def _with(shape: Callable[..., None], **values: Any) -> Shape:
    return lambda log, count: shape(log, count, **values)


SHAPES: Final[Mapping[str, Shape]] = {
    "a chain": _chain,
    "roots": _roots,
    "replies": _replies,
    "replies below a chain": _replies_below_a_chain,
    "a comb": _with(_versions, of_each=2, is_last_answered=False),
    "a comb of older versions": _with(_versions, of_each=2, is_last_answered=True),
    "ten versions at each depth": _with(_versions, of_each=10, is_last_answered=True),
    "fifty versions at each depth": _with(_versions, of_each=50, is_last_answered=False),
    "later versions downwards": _with(_later_versions, step=1),
    "later versions upwards": _with(_later_versions, step=-1),
    "chains side by side": _side_by_side,
    "replies to lost messages": _below_lost,
    **{
        f"{parent} {order.__name__.strip('_')}": _with(_in_order, order=order, parent=parent)
        for parent in ("chain", "question", "none")
        for order in (list.reverse, _shuffle)
    },
    **{
        f"{parent} before its thread": _with(_in_order, order=list.sort, parent=parent, late="thread")
        for parent in ("chain", "question", "none")
    },
    **{
        f"{parent} with every {each}. erased": _with(_erased, parent=parent, each=each)
        for parent in ("chain", "question", "none")
        for each in (1, 2)
    },
}

# What else a member may write very much of, all in one thread.
RECORDS: Final[Mapping[str, Shape]] = {
    **{
        f"{reg}, {'each after the one before' if is_chained else 'all at once'}": _with(
            _edits, reg=reg, is_chained=is_chained
        )
        for reg in ("title", "lww.model", "lww.of_tomorrow")
        for is_chained in (False, True)
    },
    "tags": _tags,
    "erased tags": _erased_tags,
    "summaries": _summaries,
    "erasures": _erasures,
    "deletions of a message": _with(_deletions, kind="message"),
    "deletions of a thread": _with(_deletions, kind="thread"),
    **{
        f"one {kind} again and again": _with(_again_and_again, kind=kind)
        for kind in ("change", "thread", "message", "summary")
    },
}
