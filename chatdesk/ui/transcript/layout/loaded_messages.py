"""Keeps the loaded messages: a run of the shown path, oldest first, without gaps."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from chatdesk.ui.transcript.messages.entry import MessageEntry


class LoadedMessages:
    """The loaded messages; ``has_older`` and ``has_newer`` tell whether the thread goes on beyond them."""

    def __init__(self) -> None:
        self.entries: list[MessageEntry] = []
        self.has_older = False
        self.has_newer = False
        self._by_id: dict[str, MessageEntry] = {}
        self._order: dict[str, int] | None = None

    def find(self, message_id: str | None) -> MessageEntry | None:
        return self._by_id.get(message_id) if message_id is not None else None

    def order_of(self, entry: MessageEntry) -> int:
        """Return the place of a message in the run, -1 when it is not loaded."""
        if self._order is None:
            self._order = {each.message.id: place for place, each in enumerate(self.entries)}
        return self._order.get(entry.message.id, -1)

    def nearest(self, position: int) -> MessageEntry | None:
        """Return the loaded message at ``position``, or the one before it when that position is empty.

        None means that the position is not loaded.
        """
        if not self.entries:
            return None
        if position < self.entries[0].message.position:
            return None if self.has_older else self.entries[0]
        if position > self.entries[-1].message.position and self.has_newer:
            return None
        place = bisect_right(self.entries, position, key=lambda entry: entry.message.position)
        return self.entries[max(0, place - 1)]

    @property
    def is_whole(self) -> bool:
        """True if every message of the thread is loaded."""
        return not self.has_older and not self.has_newer

    def replace(self, entries: Iterable[MessageEntry]) -> None:
        self.entries = list(entries)
        self._reindex()

    def add_older(self, entries: list[MessageEntry]) -> None:
        self.entries[:0] = entries
        self._reindex()

    def add_newer(self, entries: list[MessageEntry]) -> None:
        self.entries += entries
        self._reindex()

    def cut(self, place: int) -> list[MessageEntry]:
        """Remove and return all messages from ``place`` on."""
        gone = self.entries[place:]
        del self.entries[place:]
        self._reindex()
        return gone

    def keep_around(self, middle: int, keep: int) -> list[MessageEntry]:
        """Unload all but about ``keep`` messages around ``middle``, and return the unloaded ones."""
        first = max(0, min(middle - keep // 2, len(self.entries) - keep))
        last = first + keep
        gone = self.entries[:first] + self.entries[last:]
        self.has_older = self.has_older or first > 0
        self.has_newer = self.has_newer or last < len(self.entries)
        self.replace(self.entries[first:last])
        return gone

    def _reindex(self) -> None:
        self._by_id = {entry.message.id: entry for entry in self.entries}
        self._order = None
