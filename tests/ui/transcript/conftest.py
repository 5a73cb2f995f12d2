"""A transcript over a thread made of plain dataclasses: pages are cut from a list, blocks are parsed on the spot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from chatdesk.core.domain.message import Message, MessagePage, Part, PartType, Role, Status
from chatdesk.core.rendering.answers.thoughts import parse_answer, parse_question
from chatdesk.core.rendering.blocks import Block
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.view import TranscriptView


@dataclass
class FakeUpdate:
    first_changed: int
    blocks: tuple[Block, ...]


class FakeStream:
    def __init__(self, on_update: Callable[[FakeUpdate], None]) -> None:
        self._on_update = on_update
        self._text = ""
        self._blocks: tuple[Block, ...] = ()
        self.is_cancelled = False

    def append(self, delta: str) -> None:
        if self.is_cancelled:
            return
        self._text += delta
        blocks = parse_markdown(self._text)
        first = 0
        for old, new in zip(self._blocks, blocks, strict=False):
            if old != new:
                break
            first += 1
        self._blocks = blocks
        self._on_update(FakeUpdate(first, blocks[first:]))

    def cancel(self) -> None:
        self.is_cancelled = True


class FakeTicket:
    def __init__(self) -> None:
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class FakeRenderer:
    """With ``is_held`` answers wait until ``deliver_all``."""

    def __init__(self) -> None:
        self.is_held = False
        self.requests: list[str] = []
        self.streams: list[FakeStream] = []
        self._waiting: list[tuple[str, Callable[[tuple[Block, ...]], None], FakeTicket]] = []

    def request(self, text: str, on_done: Callable[[tuple[Block, ...]], None], *, is_answer: bool = True) -> FakeTicket:
        self.requests.append(text)
        parse = parse_answer if is_answer else parse_question
        ticket = FakeTicket()
        if self.is_held:
            self._waiting.append((text, on_done, ticket))
        else:
            on_done(parse(text))
        return ticket

    def deliver_all(self) -> None:
        waiting, self._waiting = self._waiting, []
        for text, on_done, ticket in waiting:
            if not ticket.is_cancelled:
                on_done(parse_answer(text))

    def open_stream(self, on_update: Callable[[FakeUpdate], None]) -> FakeStream:
        self.streams.append(FakeStream(on_update))
        return self.streams[-1]


@dataclass
class FakeThread:
    """The shown path of one thread; ``fetch`` and ``fetch_at`` are what a view takes."""

    messages: list[Message]
    thread_id: str = "t"
    asked: list[dict[str, Any]] = field(default_factory=list)
    held: list[Callable[[], None]] | None = None  # a list: pages are delivered when its functions are called

    def fetch(
        self,
        thread_id: str,
        *,
        limit: int,
        before: str | None,
        after: str | None,
        around: str | None,
        deliver: Callable[[MessagePage], None],
    ) -> None:
        self.asked.append({"limit": limit, "before": before, "after": after, "around": around})
        ids = {message.id: place for place, message in enumerate(self.messages)}
        count = len(self.messages)
        first, last = max(0, count - limit), count
        if around is not None:
            first = max(0, ids.get(around, count) - limit // 2)
            last = min(count, first + limit)
        elif before is not None:
            last = ids[before]
            first = max(0, last - limit)
        elif after is not None:
            first = ids[after] + 1
            last = min(count, first + limit)
        page = self._page(first, last)
        if self.held is not None:
            self.held.append(lambda: deliver(page))
        else:
            deliver(page)

    def fetch_at(
        self,
        thread_id: str,
        *,
        limit: int,
        before: str | None,
        after: str | None,
        around: str | None,
        deliver: Callable[[MessagePage], None],
        at: int | None = None,
    ) -> None:
        if at is None:
            self.fetch(thread_id, limit=limit, before=before, after=after, around=around, deliver=deliver)
            return
        self.asked.append({"at": at})
        first = max(0, at - limit // 2)
        deliver(self._page(first, min(len(self.messages), first + limit)))

    def _page(self, first: int, last: int) -> MessagePage:
        count = len(self.messages)
        return MessagePage(self.thread_id, tuple(self.messages[first:last]), first > 0, last < count, count)


def make_message(
    position: int,
    text: str = "",
    *,
    role: Role | None = None,
    status: Status = Status.COMPLETE,
    thread_id: str = "t",
    message_id: str | None = None,
    **more: Any,
) -> Message:
    """Even positions are questions, odd ones answers, unless ``role`` says otherwise."""
    role = role or (Role.USER if position % 2 == 0 else Role.ASSISTANT)
    message_id = message_id or f"m{position}"
    parts = (Part(f"p{message_id}", message_id, 0, PartType.TEXT, {"text": text}),) if text else ()
    message = Message(message_id, thread_id, None, role, status, created_at=0, position=position, parts=parts)
    model = None if role is Role.USER else "test-model"
    return replace(message, **{"model": model, **more})


def make_thread(count: int, text: Callable[[int], str] = lambda place: f"Message number {place}.") -> FakeThread:
    return FakeThread([make_message(place, text(place)) for place in range(count)])


def copied_text(view: TranscriptView) -> str:
    """What Ctrl+C puts on the clipboard."""
    QTest.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    wait_for_copy(view)
    return QGuiApplication.clipboard().text()


def wait_for_copy(view: TranscriptView) -> None:
    """Until a long copy that is made beside the window is on the clipboard."""
    view.parts.clipboard._pool.waitForDone()
    QApplication.processEvents()


@dataclass
class World:
    """``open`` shows a thread in a new view of a fixed size."""

    app: QApplication
    theme: Theme
    renderer: FakeRenderer
    views: list[TranscriptView] = field(default_factory=list)

    def open(
        self, thread: FakeThread, *, anchor: Any = None, knows_at: bool = False, size: tuple[int, int] = (900, 600)
    ) -> TranscriptView:
        view = TranscriptView(thread.fetch_at if knows_at else thread.fetch, self.renderer, self.theme)
        self.views.append(view)
        view.resize(*size)
        view.show()
        view.show_thread(thread.thread_id, anchor)
        self.settle()
        return view

    def settle(self) -> None:
        for _ in range(4):
            self.app.processEvents()


@pytest.fixture
def world(qapp: QApplication) -> Iterator[World]:
    theme = Theme(qapp, preference="light")
    made = World(qapp, theme, FakeRenderer())
    yield made
    for view in made.views:
        view.hide()
        view.deleteLater()
    made.settle()
    theme.deleteLater()
