"""Where everything is: which messages are loaded, which items are in view, and the place the reader holds.

The reader's place is an item and the y of its top in the view, never a number of pixels from the start of the thread:
so heights above and below may change as they become known, and the line under the eye stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from chatdesk.ui.transcript.entry import MessageEntry
from chatdesk.ui.transcript.heights import HeightTree
from chatdesk.ui.transcript.item import Item
from chatdesk.ui.transcript.looks import Looks

PAD_TOP = 22.0
PAD_BOTTOM = 14.0
_MAX_LAID_OUT = 500
_NEW_ENTRY_GUESS = 160.0


@dataclass(frozen=True, slots=True)
class Placed:
    """An item in the view; ``y`` is its top."""

    entry: MessageEntry
    index: int
    y: float

    @property
    def item(self) -> Item:
        return self.entry.items[self.index]

    @property
    def bottom(self) -> float:
        return self.y + self.item.height


@dataclass(slots=True)
class _Hold:
    """The reader's place. ``characters`` finds it again when the items of the message were replaced."""

    entry: MessageEntry
    item: Item
    index: int
    y: float
    characters: int = 0


class ThreadLayout:
    """``entries`` are the loaded messages: one run of the shown path, oldest first."""

    def __init__(self) -> None:
        self.entries: list[MessageEntry] = []
        self.tree = HeightTree()
        self.placed: list[Placed] = []
        self.sticks_to_end = True
        self.has_older = False
        self.has_newer = False
        self._by_id: dict[str, MessageEntry] = {}
        self._order: dict[str, int] | None = None
        self._hold: _Hold | None = None
        self._laid_out: dict[Item, None] = {}
        self._looks: Looks | None = None
        self._width = 0.0
        self._view_height = 0.0

    # Loaded messages

    def clear(self) -> None:
        self.__init__()  # type: ignore[misc]

    def find(self, message_id: str | None) -> MessageEntry | None:
        return self._by_id.get(message_id) if message_id is not None else None

    def order_of(self, entry: MessageEntry) -> int:
        if self._order is None:
            self._order = {each.message.id: place for place, each in enumerate(self.entries)}
        return self._order.get(entry.message.id, -1)

    def replace_all(self, entries: Iterable[MessageEntry], *, total: int) -> None:
        self.entries = list(entries)
        self._hold = None
        self.placed = []
        self._laid_out.clear()
        self._reindex()
        last = self.entries[-1].message.position + 1 if self.entries else 0
        self.tree.resize(max(last, total) if self.has_newer else last)
        self._note_positions(self.entries)

    def add_older(self, entries: list[MessageEntry]) -> None:
        self.entries[:0] = entries
        self._reindex()
        self._note_positions(self.entries[: len(entries) + 1])

    def add_newer(self, entries: list[MessageEntry]) -> None:
        start = max(0, len(self.entries) - 1)
        self.entries += entries
        self._reindex()
        if entries:
            self._cover(entries[-1].message.position + 1)
        self._note_positions(self.entries[start:])

    def note_end(self, position: int) -> None:
        """The thread goes on to ``position`` though that message is not loaded."""
        self._cover(position + 1)

    def cut_from(self, place: int) -> list[MessageEntry]:
        """Forget the loaded messages from ``place`` on, and all heights from there."""
        gone = self.entries[place:]
        seam = next(
            (each.y - each.entry.gaps[0] for each in self.placed if each.index == 0 and each.entry in gone), 0.0
        )
        del self.entries[place:]
        self._reindex()
        end = self.entries[-1].message.position + 1 if self.entries else 0
        self.tree.resize(end)
        self._drop_hold_of(gone)
        if self._hold is None and self.entries:
            # What stood above the cut stays where it is; when that was out of view, its end comes to the top.
            last = self.entries[-1]
            self._prepare(last)
            item = last.items[-1]
            self._set_hold(Placed(last, len(last.items) - 1, seam - last.tail - item.height))
        return gone

    def drop_far(self, keep: int) -> list[MessageEntry]:
        """Unload messages far from the view, so that at most about ``keep`` stay. Their heights stay known."""
        if len(self.entries) <= keep + keep // 4 or not self.placed:
            return []
        middle = self.order_of(self.placed[0].entry)
        first = max(0, min(middle - keep // 2, len(self.entries) - keep))
        last = first + keep
        gone = self.entries[:first] + self.entries[last:]
        self.has_older = self.has_older or first > 0
        self.has_newer = self.has_newer or last < len(self.entries)
        self.entries = self.entries[first:last]
        self._reindex()
        return gone

    # The place of the reader

    def hold_at(self, entry: MessageEntry, offset: float) -> None:
        """Put the point ``offset`` px below the top of ``entry`` at the top of the view."""
        self._prepare(entry)
        tops = entry.tops
        index = max(0, sum(1 for top in tops if top <= offset) - 1)
        self._set_hold(Placed(entry, index, tops[index] - offset))

    def hold_position(self, y: float) -> bool:
        """Go to ``y`` px from the start of the thread. False when that message is not loaded."""
        position = self.tree.find(y - PAD_TOP)
        entry = self._entry_at(position)
        if entry is None:
            return False
        self.hold_at(entry, y - PAD_TOP - self.tree.prefix(entry.message.position))
        return True

    def scroll_by(self, delta: float) -> None:
        if self._hold is not None:
            self._hold.y -= delta

    def find_hold(self) -> Placed | None:
        hold = self._hold
        if hold is None or self.find(hold.entry.message.id) is not hold.entry:
            return None
        index = hold.entry.index_of(hold.item)
        if index is None:
            index = hold.entry.index_at_characters(hold.characters)
            if self._looks is not None:
                self._measure(hold.entry, index)
        return Placed(hold.entry, index, hold.y)

    @property
    def top_entry(self) -> tuple[MessageEntry, float] | None:
        """The message at the top of the view, and how far its top is above it."""
        for placed in self.placed:
            if placed.bottom > 0:
                return placed.entry, placed.entry.tops[placed.index] - placed.y
        return None

    @property
    def scroll_value(self) -> float:
        """Pixels from the start of the thread to the top of the view."""
        if not self.placed:
            return 0.0
        first = self.placed[0]
        start = PAD_TOP + self.tree.prefix(first.entry.message.position)
        return start + first.entry.tops[first.index] - first.y

    @property
    def content_height(self) -> float:
        return PAD_TOP + self.tree.total + PAD_BOTTOM

    @property
    def is_at_end(self) -> bool:
        """Whether the end of the thread is in view."""
        if self.has_newer:
            return False
        if not self.placed:
            return True
        last = self.placed[-1]
        is_last = last.entry is self.entries[-1] and last.index == len(last.entry.items) - 1
        return is_last and last.bottom + last.entry.tail + PAD_BOTTOM <= self._view_height + 2

    # Laying out

    def set_looks(self, looks: Looks) -> None:
        self._looks = looks
        self._laid_out.clear()

    def set_width(self, width: float) -> None:
        """The width of the column; what was measured at another width is a guess again."""
        if width != self._width:
            if self._width:
                self.tree.forget(0)
            self._width = width

    def arrange(self, width: float, height: float, *, margin: float = 0.0) -> None:
        """Lay out what a view of this size shows, ``placed``, starting from the reader's place."""
        assert self._looks is not None
        if not self.entries:
            self.placed = []
            return
        self.set_width(width)
        self._view_height = height
        start = self._starting_point(height)
        placed = self._walk(start, height, margin)
        placed = self._pull_to_edges(placed, height, margin)
        self.placed = placed
        self._store_heights()
        self._renew_hold()
        self._release_far()

    def _starting_point(self, height: float) -> Placed:
        if self.sticks_to_end and not self.has_newer:
            entry = self.entries[-1]
            self._prepare(entry)
            index = len(entry.items) - 1
            self._measure(entry, index)
            return Placed(entry, index, height - PAD_BOTTOM - entry.tail - entry.items[index].height)
        held = self.find_hold()
        if held is None:
            entry = self.entries[0]
            self._prepare(entry)
            return Placed(entry, 0, PAD_TOP + entry.gaps[0])
        self._prepare(held.entry)
        return held

    def _walk(self, start: Placed, height: float, margin: float) -> list[Placed]:
        self._measure(start.entry, start.index)
        above: list[Placed] = []
        current = start
        while current.y > -margin:
            before = self._before(current)
            if before is None:
                break
            above.append(before)
            current = before
        below = [start]
        current = start
        while current.bottom < height + margin:
            following = self._after(current)
            if following is None:
                break
            below.append(following)
            current = following
        return above[::-1] + below

    def _pull_to_edges(self, placed: list[Placed], height: float, margin: float) -> list[Placed]:
        """No empty space below the last message unless the thread is short, and none above the first."""
        last = placed[-1]
        if not self.has_newer and last.entry is self.entries[-1] and last.index == len(last.entry.items) - 1:
            spare = height - (last.bottom + last.entry.tail + PAD_BOTTOM)
            if spare > 0.5:
                placed = self._walk(Placed(last.entry, last.index, last.y + spare), height, margin)
        first = placed[0]
        if first.entry is self.entries[0] and first.index == 0:
            excess = first.y - (PAD_TOP + first.entry.gaps[0])
            if excess > 0.5:
                placed = self._walk(Placed(first.entry, 0, first.y - excess), height, margin)
        return placed

    def _before(self, placed: Placed) -> Placed | None:
        entry, index = placed.entry, placed.index
        if index > 0:
            self._measure(entry, index - 1)
            return Placed(entry, index - 1, placed.y - entry.gaps[index] - entry.items[index - 1].height)
        place = self.order_of(entry)
        if place <= 0:
            return None
        previous = self.entries[place - 1]
        self._prepare(previous)
        last = len(previous.items) - 1
        self._measure(previous, last)
        y = placed.y - entry.gaps[0] - previous.tail - previous.items[last].height
        return Placed(previous, last, y)

    def _after(self, placed: Placed) -> Placed | None:
        entry, index = placed.entry, placed.index
        if index + 1 < len(entry.items):
            self._measure(entry, index + 1)
            return Placed(entry, index + 1, placed.bottom + entry.gaps[index + 1])
        place = self.order_of(entry) + 1
        if place >= len(self.entries):
            return None
        following = self.entries[place]
        self._prepare(following)
        self._measure(following, 0)
        return Placed(following, 0, placed.bottom + entry.tail + following.gaps[0])

    def _measure(self, entry: MessageEntry, index: int) -> None:
        self._prepare(entry)
        entry.measure(index)
        item = entry.items[index]
        self._laid_out.pop(item, None)
        self._laid_out[item] = None

    def _prepare(self, entry: MessageEntry) -> None:
        if self._looks is not None and self._width:
            entry.prepare(self._looks, self._width)

    def _store_heights(self) -> None:
        seen: MessageEntry | None = None
        for placed in self.placed:
            if placed.entry is not seen:
                seen = placed.entry
                self.tree.set(seen.message.position, seen.height)

    def store_height(self, entry: MessageEntry) -> None:
        self._prepare(entry)
        if entry.width and 0 <= entry.message.position < len(self.tree):
            self.tree.set(entry.message.position, entry.height)

    def _renew_hold(self) -> None:
        chosen = next((each for each in self.placed if each.bottom > 0), None)
        if chosen is not None:
            self._set_hold(chosen)

    def _set_hold(self, placed: Placed) -> None:
        characters = placed.entry.characters_before(placed.index)
        self._hold = _Hold(placed.entry, placed.item, placed.index, placed.y, characters)

    def _drop_hold_of(self, gone: list[MessageEntry]) -> None:
        if self._hold is not None and self._hold.entry in gone:
            self._hold = None
        self.placed = [each for each in self.placed if each.entry not in gone]

    def _release_far(self) -> None:
        if len(self._laid_out) <= _MAX_LAID_OUT:
            return
        shown = {placed.item for placed in self.placed}
        for item in list(self._laid_out)[: len(self._laid_out) - _MAX_LAID_OUT]:
            if item not in shown:
                del self._laid_out[item]
                item.release()

    def _entry_at(self, position: int) -> MessageEntry | None:
        """The loaded message at ``position``, or the one before it when that place is empty."""
        if not self.entries or position < self.entries[0].message.position:
            return None if self.has_older else (self.entries[0] if self.entries else None)
        if position > self.entries[-1].message.position:
            return None if self.has_newer else self.entries[-1]
        low, high = 0, len(self.entries) - 1
        while low < high:
            middle = (low + high + 1) // 2
            if self.entries[middle].message.position <= position:
                low = middle
            else:
                high = middle - 1
        return self.entries[low]

    def _cover(self, count: int) -> None:
        while len(self.tree) < count and count - len(self.tree) <= 4:
            self.tree.append(_NEW_ENTRY_GUESS)
        if len(self.tree) < count:
            self.tree.resize(count)

    def _note_positions(self, run: list[MessageEntry]) -> None:
        """Positions between two neighbours belong to messages in the trash: they take no room."""
        if not self.has_older and run and run[0] is self.entries[0]:
            for position in range(run[0].message.position):
                self.tree.set(position, 0.0)
        for before, after in pairwise(run):
            for position in range(before.message.position + 1, after.message.position):
                self.tree.set(position, 0.0)
        for entry in run:
            self.store_height(entry)

    def _reindex(self) -> None:
        self._by_id = {entry.message.id: entry for entry in self.entries}
        self._order = None
