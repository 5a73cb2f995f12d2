"""Loads the messages of a selection with their blocks, also those that are not in the view's loaded run."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from chatdesk.core.domain.message import Message, MessagePage
from chatdesk.core.rendering.client import RenderClient
from chatdesk.ui.transcript.contract import MessageFetcher
from chatdesk.ui.transcript.copying.selection import SelectedRange, Selection
from chatdesk.ui.transcript.layout.layout import ThreadLayout
from chatdesk.ui.transcript.messages.entry import MessageEntry

MOST_MESSAGES = 20_000
MOST_RENDERED = 400  # more messages than this are copied as their source: rendering them would take seconds
_PAGE = 200

Found = Callable[[list[Message]], None]


class SelectionLoader(QObject):
    """A loader of one selection at a time: a newer request replaces the one under way."""

    def __init__(
        self, layout: ThreadLayout, fetch: MessageFetcher, renderer: RenderClient, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._layout = layout
        self._fetch = fetch
        self._renderer = renderer
        self._number = 0
        self._made: list[MessageEntry] = []

    def forget(self) -> None:
        """Cancel the request under way."""
        self._number += 1
        for entry in self._made:
            entry.close()
        self._made = []

    def load(self, thread_id: str, selection: Selection, deliver: Callable[[list[MessageEntry]], None]) -> None:
        """Deliver the messages that the selection touches, oldest first, but no more than ``MOST_MESSAGES``.

        They are delivered at once when all of them are loaded.
        """
        self.forget()
        selected, entries = selection.range(), self._layout.entries
        if selected is None or not entries:
            deliver([])
            return
        ends = {place.entry.message.id: place.entry for place in selection.ends()}

        def finish(messages: list[Message]) -> None:
            touched = [each for each in messages if selected.touches(each.position)][:MOST_MESSAGES]
            self._render([self._entry_for(message, ends) for message in touched], deliver)

        if self._covers(selected):
            finish([entry.message for entry in entries])
        elif selection.first is not None:
            self._around(thread_id, selection.first.entry.message.id, selected, finish)
        else:
            loaded = [entry.message for entry in entries]
            self._older(thread_id, loaded, lambda found: self._newer(thread_id, found, selected, finish))

    def _covers(self, selected: SelectedRange) -> bool:
        first, last = self._layout.entries[0].message.position, self._layout.entries[-1].message.position
        has_start = not self._layout.has_older or selected.low[0] >= first
        return has_start and (not self._layout.has_newer or selected.high[0] <= last)

    def _entry_for(self, message: Message, ends: dict[str, MessageEntry]) -> MessageEntry:
        # The ends are the very items that the reader selected in, loaded or not.
        entry = ends.get(message.id) or self._layout.find(message.id)
        return entry if entry is not None else MessageEntry(message)

    # Fetching

    def _around(self, thread_id: str, message_id: str, selected: SelectedRange, then: Found) -> None:
        def receive(page: MessagePage) -> None:
            self._newer(thread_id, list(page.messages), selected, then)

        self._ask(thread_id, receive, around=message_id)

    def _older(self, thread_id: str, found: list[Message], then: Found) -> None:
        def receive(page: MessagePage) -> None:
            found[:0] = page.messages
            if page.messages and page.has_older and len(found) < MOST_MESSAGES:
                self._older(thread_id, found, then)
            else:
                then(found)

        if self._layout.has_older and found:
            self._ask(thread_id, receive, before=found[0].id)
        else:
            then(found)

    def _newer(self, thread_id: str, found: list[Message], selected: SelectedRange, then: Found) -> None:
        def receive(page: MessagePage) -> None:
            found.extend(page.messages)
            if page.messages and page.has_newer:
                self._newer(thread_id, found, selected, then)
            else:
                then(found)

        if found and found[-1].position < selected.high[0] and len(found) < MOST_MESSAGES:
            self._ask(thread_id, receive, after=found[-1].id)
        else:
            then(found)

    def _ask(
        self,
        thread_id: str,
        receive: Callable[[MessagePage], None],
        *,
        before: str | None = None,
        after: str | None = None,
        around: str | None = None,
    ) -> None:
        number = self._number

        def deliver(page: MessagePage) -> None:
            if number == self._number:
                receive(page)

        self._fetch(thread_id, limit=_PAGE, before=before, after=after, around=around, deliver=deliver)

    # Blocks

    def _render(self, entries: list[MessageEntry], deliver: Callable[[list[MessageEntry]], None]) -> None:
        number = self._number
        if len(entries) <= MOST_RENDERED:
            # Entries of the layout are rendered when they come into view, so these are copies.
            entries = [each if _is_readable(each) else MessageEntry(each.message) for each in entries]
            self._made = [each for each in entries if not _is_readable(each)]
        waiting = {id(entry) for entry in self._made}

        def on_ready(entry: MessageEntry) -> None:
            entry.rebuild()
            if id(entry) in waiting and _is_readable(entry):
                waiting.discard(id(entry))
                if not waiting and number == self._number:
                    deliver(entries)

        if not waiting:
            deliver(entries)
        for entry in list(self._made):
            entry.request_blocks(self._renderer, on_ready)


def _is_readable(entry: MessageEntry) -> bool:
    """Return whether the blocks of a message are known, or come with the stream."""
    return entry.has_blocks or entry.facts.is_live
