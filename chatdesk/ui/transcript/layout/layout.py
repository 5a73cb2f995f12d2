"""Lays out the loaded messages around the reader's place, and knows which items are in view.

The reader's place is an item and the y of its top in the view, never a number of pixels from the start of the thread:
so heights above and below may change as they become known, and the line under the eye stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chatdesk.ui.transcript.contract import LineAnchor
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.layout.held_place import (
    HeldPlace,
    Placed,
    item_to_hold,
    line_at_top,
    line_top,
    y_after_change,
)
from chatdesk.ui.transcript.layout.loaded_messages import LoadedMessages
from chatdesk.ui.transcript.layout.scale import ScalePoint, ThreadScale, length_of
from chatdesk.ui.transcript.messages.entry import MessageEntry

PAD_TOP = 22.0
PAD_BOTTOM = 34.0  # with the room that an answer keeps below itself, as much as a toast covers
_MAX_LAID_OUT = 500


class ThreadLayout(LoadedMessages):
    """The layout of the loaded messages: ``arrange`` fills ``placed`` with the items in view."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = ThreadScale()
        self.placed: list[Placed] = []
        self.sticks_to_end = True
        self._held: HeldPlace | None = None
        self._wanted_line: tuple[MessageEntry, LineAnchor] | None = None
        self._laid_out: dict[Item, None] = {}
        self._style: TranscriptStyle | None = None
        self._width = 0.0
        self._view_height = 0.0

    # Loaded messages

    def clear(self) -> None:
        self.__init__()  # type: ignore[misc]

    def replace_all(self, entries: Iterable[MessageEntry], *, total: int) -> None:
        """Show another part of the thread; the scale stays if it already covers as many positions."""
        self.replace(entries)
        self._held = None
        self.placed = []
        self._laid_out.clear()
        last = self.entries[-1].message.position + 1 if self.entries else 0
        count = max(last, total) if self.has_newer else last
        if len(self.scale) < count or (len(self.scale) > count and not self.has_newer):
            lengths = {entry.message.position: length_of(entry.message.text) for entry in self.entries}
            self.scale.reset(count, lengths, is_whole=self.is_whole)

    def add_newer(self, entries: list[MessageEntry]) -> None:
        super().add_newer(entries)
        for entry in entries:
            self.scale.extend(entry.message.position, length_of(entry.text))

    def cut_from(self, place: int) -> list[MessageEntry]:
        """Remove the loaded messages from ``place`` on, also from the scale, and return them."""
        gone = self.cut(place)
        seam = next(
            (each.y - each.entry.gaps[0] for each in self.placed if each.index == 0 and each.entry in gone), 0.0
        )
        self.scale.cut(self.entries[-1].message.position + 1 if self.entries else 0)
        if self._held is not None and self._held.entry in gone:
            self._held = None
        self.placed = [each for each in self.placed if each.entry not in gone]
        if self._held is None and self.entries:
            # Messages above the cut keep their place; if they were out of view, their end moves to the top.
            last = self.entries[-1]
            self._prepare(last)
            self._set_held(Placed(last, len(last.items) - 1, seam - last.places.tail - last.items[-1].height))
        return gone

    def drop_far(self, keep: int) -> list[MessageEntry]:
        """Unload messages far from the view, so that about ``keep`` stay, and return them."""
        if len(self.entries) <= keep + keep // 4 or not self.placed:
            return []
        return self.keep_around(self.order_of(self.placed[0].entry), keep)

    # The place of the reader

    def hold_at(self, entry: MessageEntry, offset: float) -> None:
        """Put the point ``offset`` px below the top of ``entry`` at the top of the view."""
        self._prepare(entry)
        self._wanted_line = None
        tops = entry.places.tops
        index = max(0, sum(1 for top in tops if top <= offset) - 1)
        self._set_held(Placed(entry, index, tops[index] - offset))

    def want_line(self, entry: MessageEntry, line: LineAnchor | None) -> None:
        """Put a line of a message back where its anchor says, as soon as the message has its blocks.

        The place that is held until then is only approximately right.
        """
        self._wanted_line = (entry, line) if line is not None else None

    def hold_point(self, point: ScalePoint) -> bool:
        """Bring a place of the scale to the top of the view; return False when its message is not loaded."""
        entry = self.nearest(point.position)
        if entry is None:
            return False
        self._prepare(entry)
        share = point.share if entry.message.position == point.position else 1.0
        self.hold_at(entry, share * entry.places.height)
        return True

    def scroll_by(self, delta: float) -> None:
        self._wanted_line = None
        if self._held is not None:
            self._held.y -= delta

    def line_anchor(self, entry: MessageEntry) -> LineAnchor | None:
        """Return the line at the top of the view, or None if it is not in ``entry`` or the entry has no blocks."""
        held = self._held
        if held is None or held.entry is not entry or not entry.has_blocks:
            return None
        index = entry.places.index_of(held.item)
        if index is None:
            return None
        offset, line_y = line_at_top(held)
        # Counted from the content: lines and marks above it come and go.
        return LineAnchor(index - entry.body[0], offset, line_y)

    @property
    def top_entry(self) -> tuple[MessageEntry, float] | None:
        """The message at the top of the view, and how many px of it are above the view."""
        for placed in self.placed:
            if placed.bottom > 0:
                return placed.entry, placed.entry.places.tops[placed.index] - placed.y
        return None

    @property
    def is_at_end(self) -> bool:
        """True while the end of the thread is in view."""
        if self.has_newer:
            return False
        if not self.placed:
            return True
        last = self.placed[-1]
        is_last = last.entry is self.entries[-1] and last.index == len(last.entry.items) - 1
        return is_last and last.bottom + last.entry.places.tail + PAD_BOTTOM <= self._view_height + 2

    @property
    def follows_end(self) -> bool:
        """True if the end of the thread is in view, or will be with the next layout."""
        return self.is_at_end or (self.sticks_to_end and not self.has_newer)

    @property
    def whole_height(self) -> float | None:
        """The height in px of all messages with the space around them; None while some are out of view."""
        if not self.placed or not (self.is_at_start and self.is_at_end):
            return None
        last = self.placed[-1]
        return last.bottom + last.entry.places.tail + PAD_BOTTOM

    @property
    def is_at_start(self) -> bool:
        if self.has_older:
            return False
        first = self.placed[0] if self.placed else None
        return first is None or (first.entry is self.entries[0] and first.index == 0 and first.y >= 0)

    # Laying out

    def set_style(self, style: TranscriptStyle) -> None:
        self._mark_line()
        self._style = style
        self._laid_out.clear()

    def set_width(self, width: float) -> None:
        """Set the width of the column in px."""
        if width != self._width:
            self._mark_line()
            self._width = width

    def arrange(self, width: float, height: float) -> None:
        """Lay out the items that a view of this size shows, from the reader's place on, into ``placed``."""
        assert self._style is not None
        if not self.entries:
            self.placed = []
            return
        self.set_width(width)
        self._view_height = height
        self._hold_wanted_line()
        placed = self._walk(self._starting_point(height), height)
        self.placed = self._pull_to_edges(placed, height)
        chosen = item_to_hold(self.placed)
        if chosen is not None:
            self._set_held(chosen)
        self._release_far()

    def measure(self, entry: MessageEntry, index: int) -> None:
        """Lay out one item, in view or not."""
        self._prepare(entry)
        entry.places.measure(index)
        item = entry.items[index]
        self._laid_out.pop(item, None)
        self._laid_out[item] = None

    def ahead(self, reach: float) -> Iterator[None]:
        """Lay out the items within ``reach`` px below and above the view, one item a step."""
        below = above = self.placed[-1] if self.placed else None
        if below is None:
            return
        above = self.placed[0]
        low, high = self._view_height + reach, -reach
        while below is not None or above is not None:
            if below is not None:
                below = self._after(below) if below.bottom < low else None
                yield
            if above is not None:
                above = self._before(above) if above.y > high else None
                yield

    def _hold_wanted_line(self) -> None:
        if self._wanted_line is None or not self._wanted_line[0].has_blocks:
            return
        (entry, line), self._wanted_line = self._wanted_line, None
        index = max(0, min(line.index + entry.body[0], len(entry.items) - 1))
        self.measure(entry, index)
        self._set_held(Placed(entry, index, line.y_px - line_top(entry.items[index], line.offset)))

    def _starting_point(self, height: float) -> Placed:
        if self.sticks_to_end and not self.has_newer:
            entry = self.entries[-1]
            self._prepare(entry)
            index = len(entry.items) - 1
            self.measure(entry, index)
            return Placed(entry, index, height - PAD_BOTTOM - entry.places.tail - entry.items[index].height)
        held = self._held
        if held is None or self.find(held.entry.message.id) is not held.entry:
            entry = self.entries[0]
            self._prepare(entry)
            return Placed(entry, 0, PAD_TOP + entry.gaps[0])
        index, y = y_after_change(held, self.measure)
        return Placed(held.entry, index, y)

    def _walk(self, start: Placed, height: float) -> list[Placed]:
        self.measure(start.entry, start.index)
        above: list[Placed] = []
        current: Placed | None = start
        while current is not None and current.y > 0:
            current = self._before(current)
            if current is not None:
                above.append(current)
        below = [start]
        while below[-1].bottom < height:
            following = self._after(below[-1])
            if following is None:
                break
            below.append(following)
        return above[::-1] + below

    def _pull_to_edges(self, placed: list[Placed], height: float) -> list[Placed]:
        """Leave no empty space below the last message, unless the thread is short, and none above the first."""
        last = placed[-1]
        if not self.has_newer and last.entry is self.entries[-1] and last.index == len(last.entry.items) - 1:
            spare = height - (last.bottom + last.entry.places.tail + PAD_BOTTOM)
            if spare > 0.5:
                placed = self._walk(Placed(last.entry, last.index, last.y + spare), height)
        first = placed[0]
        if first.entry is self.entries[0] and first.index == 0:
            excess = first.y - (PAD_TOP + first.entry.gaps[0])
            if excess > 0.5:
                placed = self._walk(Placed(first.entry, 0, first.y - excess), height)
        return placed

    def _before(self, placed: Placed) -> Placed | None:
        entry, index = placed.entry, placed.index
        if index > 0:
            self.measure(entry, index - 1)
            return Placed(entry, index - 1, placed.y - entry.gaps[index] - entry.items[index - 1].height)
        place = self.order_of(entry)
        if place <= 0:
            return None
        previous = self.entries[place - 1]
        self._prepare(previous)
        last = len(previous.items) - 1
        self.measure(previous, last)
        return Placed(previous, last, placed.y - entry.gaps[0] - previous.places.tail - previous.items[last].height)

    def _after(self, placed: Placed) -> Placed | None:
        entry, index = placed.entry, placed.index
        if index + 1 < len(entry.items):
            self.measure(entry, index + 1)
            return Placed(entry, index + 1, placed.bottom + entry.gaps[index + 1])
        place = self.order_of(entry) + 1
        if place >= len(self.entries):
            return None
        following = self.entries[place]
        self._prepare(following)
        self.measure(following, 0)
        return Placed(following, 0, placed.bottom + entry.places.tail + following.gaps[0])

    def _prepare(self, entry: MessageEntry) -> None:
        if self._style is not None and self._width:
            entry.places.prepare(self._style, self._width)

    def _set_held(self, placed: Placed) -> None:
        self._held = HeldPlace(placed.entry, placed.item, placed.index, placed.y)

    def _mark_line(self) -> None:
        """Remember the line at the top of the view, before all is laid out again."""
        if self._held is not None:
            self._held.mark()

    def _release_far(self) -> None:
        if len(self._laid_out) <= _MAX_LAID_OUT:
            return
        shown = {placed.item for placed in self.placed}
        for item in list(self._laid_out)[: len(self._laid_out) - _MAX_LAID_OUT]:
            if item not in shown:
                del self._laid_out[item]
                item.release()
