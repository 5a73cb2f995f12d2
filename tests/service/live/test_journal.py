"""The journal of events: what is kept, for how long, and what it costs where nobody follows."""

from __future__ import annotations

import asyncio
from dataclasses import is_dataclass

from hypothesis import given
from hypothesis import strategies as st

from chatdesk.core import events
from chatdesk.core.domain.thread import Project
from chatdesk.core.events import EventBus, PathChanged, ProjectChanged, TagsChanged, TextStreamed, ThreadsChanged
from chatdesk.service.live.events import merged
from chatdesk.service.live.journal import KINDS, EventJournal
from tests.helpers.waiting import until


def _text(delta: str, message_id: str = "m", part_index: int = 0) -> TextStreamed:
    return TextStreamed("t", message_id, part_index, "text", delta)


async def test_events_are_numbered_and_read_from_any_number_that_is_kept() -> None:
    bus = EventBus()
    journal = EventJournal(bus)
    with journal.followed():
        for number in range(5):
            bus.publish(_text(str(number)))
        found = journal.read(2, 2)
        assert found is not None
        assert [(each.number, each.event.delta, each.thread_ids) for each in found] == [
            (3, "2", ("t",)),
            (4, "3", ("t",)),
        ]
        assert journal.read(5, 10) == []
        assert journal.read(6, 10) is None
    journal.close()


async def test_the_oldest_events_make_room() -> None:
    bus = EventBus()
    journal = EventJournal(bus, most_bytes=10_000)
    with journal.followed():
        for _ in range(100):
            bus.publish(_text("x" * 1_000))
        assert journal.read(0, 10) is None
        kept = journal.read(95, 10)
        assert kept is not None
        assert [each.number for each in kept] == [96, 97, 98, 99, 100]
        assert journal.read(80, 10) is None
    journal.close()


async def test_nothing_is_heard_while_nobody_follows_and_nobody_can_come_back() -> None:
    bus = EventBus()
    journal = EventJournal(bus, kept_s=0.02)
    bus.publish(_text("before"))
    with journal.followed():
        first = journal.name
        bus.publish(_text("one"))
    bus.publish(_text("two"))
    with journal.followed():
        assert journal.name == first
        assert journal.last == 2
    await until(lambda: not journal.is_open)
    bus.publish(_text("nobody"))
    assert journal.last == 2
    with journal.followed():
        assert journal.name != first
        assert journal.read(1, 10) is None
    journal.close()


async def test_closing_ends_what_was_to_end_later() -> None:
    bus = EventBus()
    journal = EventJournal(bus, kept_s=0.01)
    with journal.followed():
        pass
    journal.close()
    assert not journal.is_open
    with journal.followed():
        await asyncio.sleep(0)
        assert journal.is_open
    journal.close()


async def test_the_thread_and_project_of_each_event() -> None:
    bus = EventBus()
    journal = EventJournal(bus)
    project = Project("p", "P", "#000000", "", None, None, 1, None)
    with journal.followed():
        for event in (TagsChanged(), ThreadsChanged(None), ProjectChanged(project), PathChanged("t", None)):
            bus.publish(event)
        found = journal.read(0, 10)
        assert found is not None
        assert [(each.thread_ids, each.project_id) for each in found] == [
            ((), None),
            (None, None),
            ((), "p"),
            (("t",), None),
        ]
    journal.close()


def test_each_event_that_there_is_is_kept() -> None:
    assert len(set(KINDS)) == len(KINDS)
    named = (each for each in vars(events).values() if getattr(each, "__module__", "") == events.__name__)
    assert set(KINDS) == {each for each in named if is_dataclass(each)}


_EVENTS = st.lists(
    st.one_of(
        st.builds(_text, st.text(min_size=1, max_size=3), st.sampled_from("abc"), st.integers(0, 1)),
        st.sampled_from([PathChanged("t", None), TagsChanged()]),
    ),
    max_size=30,
)


@given(_EVENTS)
def test_merged_text_says_the_same(events: list[object]) -> None:
    def told(them: tuple[object, ...] | list[object]) -> tuple[dict[tuple[str, int], str], list[object]]:
        """The text of each part whenever something else happened, and what that was."""
        texts: dict[tuple[str, int], str] = {}
        rest: list[object] = []
        for event in them:
            if isinstance(event, TextStreamed):
                key = event.message_id, event.part_index
                texts[key] = texts.get(key, "") + event.delta
            else:
                rest.append((event, dict(texts)))
        return texts, rest

    shorter = merged(events)
    assert told(shorter) == told(events)
    between = [[]]
    for event in shorter:
        if isinstance(event, TextStreamed):
            between[-1].append((event.message_id, event.part_index))
        else:
            between.append([])
    assert all(len(set(keys)) == len(keys) for keys in between)
