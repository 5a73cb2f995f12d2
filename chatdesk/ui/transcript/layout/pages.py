"""Requests pages of the thread: one at a time, and answers to an older request or thread are dropped. Changes of
messages that come while a page is being fetched are added to it."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from dataclasses import replace

from chatdesk.core.domain.message import Message, MessagePage
from chatdesk.ui.transcript.contract import MessageFetcher

PAGE = 40
_PATIENCE_S = 5.0  # a page that failed is never delivered: after this the next scroll asks again
_STRIDE = 200  # messages a step while walking to a position that cannot be asked for


class Pages:
    """The requests for pages.

    ``on_page(page, wish)`` gets each page; ``wish`` is "newest", "around", "older", "newer" or "at". Set it before any
    request.
    """

    def __init__(self, fetch: MessageFetcher) -> None:
        self.on_page: Callable[[MessagePage, str], None] = _drop
        self._fetch = fetch
        self._thread_id: str | None = None
        self._wish = 0
        self._pending = ""
        self._asked_at = 0.0
        self._held: list[Callable[[], None]] | None = None
        self._can_ask_at = _takes_position(fetch)

    @property
    def is_asking(self) -> bool:
        """True while a page that was requested may still come."""
        return bool(self._pending)

    @property
    def is_waiting(self) -> bool:
        return bool(self._pending) and time.monotonic() - self._asked_at < _PATIENCE_S

    def set_thread(self, thread_id: str | None) -> None:
        if thread_id != self._thread_id:
            self._held = None
        self._thread_id = thread_id
        self._wish += 1
        self._pending = ""

    def hold(self) -> None:
        """Request nothing until ``release``, because another path is about to be stored."""
        if self._held is None:
            self._held = []

    def release(self) -> None:
        """Send the last request that was held back."""
        held, self._held = self._held, None
        for ask in (held or [])[-1:]:
            ask()

    def newest(self) -> None:
        self._ask("newest", self._deliver("newest"))

    def around(self, message_id: str) -> None:
        self._ask("around", self._deliver("around"), around=message_id)

    def older(self, message_id: str) -> None:
        if not self.is_waiting:
            self._ask("older", self._deliver("older"), before=message_id)

    def newer(self, message_id: str) -> None:
        if not self.is_waiting:
            self._ask("newer", self._deliver("newer"), after=message_id)

    def at(self, position: int, first: tuple[str, int], last: tuple[str, int]) -> None:
        """Request the page that holds ``position``; ``first`` and ``last`` are id and position of the loaded ends."""
        if self._can_ask_at:
            self._ask("at", self._deliver("at"), at=position)
        elif position < first[1]:
            self._walk(position, before=first[0])
        else:
            self._walk(position, after=last[0])

    def _walk(self, position: int, *, before: str | None = None, after: str | None = None) -> None:
        # The last answer's neighbourhood is asked for again around its message, so one page is delivered at the end.
        def step(page: MessagePage) -> None:
            if not page.messages:
                self.on_page(page, "at")
                return
            first, last = page.messages[0], page.messages[-1]
            if before is not None and first.position > position and page.has_older:
                self._walk(position, before=first.id)
            elif after is not None and last.position < position and page.has_newer:
                self._walk(position, after=last.id)
            else:
                nearest = min(page.messages, key=lambda each: abs(each.position - position))
                self._ask("at", self._deliver("at"), around=nearest.id)

        self._ask("at", self._guard(step), limit=_STRIDE, before=before, after=after)

    def _ask(
        self,
        wish: str,
        deliver: Callable[[MessagePage], None],
        *,
        limit: int = PAGE,
        before: str | None = None,
        after: str | None = None,
        around: str | None = None,
        at: int | None = None,
    ) -> None:
        if self._thread_id is None:
            return
        if self._held is not None:
            asked_for = self._thread_id

            def ask() -> None:
                if asked_for == self._thread_id:
                    self._ask(wish, deliver, limit=limit, before=before, after=after, around=around, at=at)

            self._held.append(ask)
            return
        self._pending = wish
        self._asked_at = time.monotonic()
        extra = {} if at is None else {"at": at}
        self._fetch(self._thread_id, limit=limit, before=before, after=after, around=around, deliver=deliver, **extra)

    def _deliver(self, wish: str) -> Callable[[MessagePage], None]:
        return self._guard(lambda page: self.on_page(page, wish))

    def _guard(self, receive: Callable[[MessagePage], None]) -> Callable[[MessagePage], None]:
        self._wish += 1
        wish = self._wish

        def guarded(page: MessagePage) -> None:
            if wish == self._wish and page.thread_id == self._thread_id:
                self._pending = ""
                receive(page)

        return guarded


def _drop(_page: MessagePage, _wish: str) -> None:
    """Ignore a page, because no receiver is set yet."""


def _takes_position(fetch: MessageFetcher) -> bool:
    try:
        return "at" in inspect.signature(fetch).parameters
    except (TypeError, ValueError):
        return False


class PendingMessageChanges:
    """The newest known state of each message that changed since the last page came."""

    def __init__(self) -> None:
        self._heard: dict[str, Message] = {}
        self._added: dict[str, None] = {}  # ids of added messages, in order of arrival

    def add(self, message: Message) -> None:
        self._added[message.id] = None
        self._heard[message.id] = message

    def change(self, message: Message) -> None:
        self._heard[message.id] = message

    def forget(self) -> None:
        """Forget all changes, because a page that is requested from now on contains them."""
        self._heard.clear()
        self._added.clear()

    def bring_up_to_date(self, page: MessagePage) -> MessagePage:
        """Return the page with all changes, and with the new messages if it holds the end of the thread."""
        if not self._heard:
            return page
        messages = [self._newer(message) for message in page.messages]
        if not page.has_newer:
            last = messages[-1].position if messages else -1
            for message in (self._heard[id_] for id_ in self._added):
                if message.position > last:
                    messages.append(message)
                    last = message.position
        return replace(page, messages=tuple(messages), total=page.total + len(messages) - len(page.messages))

    def _newer(self, message: Message) -> Message:
        """Return the newer state of a message; of an unfinished answer the page holds more text than the change."""
        heard = self._heard.get(message.id, message)
        return heard if heard.status.is_final or message.status.is_final else message
