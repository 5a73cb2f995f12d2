"""Computes the places of a message's items: how tall and wide each is, and where it is in the message."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.drawing.transcript_style import BUBBLE_MAX_PX, BUBBLE_PAD_X, TranscriptStyle
from chatdesk.ui.transcript.messages.message_facts import MessageFacts

_MESSAGE_GAP = 22.0
_OUTSIDE_BUBBLE = ("footer", "unread", "mark", "line", "header", "notice")
_HUG_ITEMS = 12  # a bubble with more items than this is as wide as it may be


class EntryPlaces:
    """The positions and sizes of a message's items; ``MessageEntry.places`` exposes it. Heights are guesses before
    layout. ``style`` is the one the message is drawn in, None before ``prepare``; ``width`` is that of the column in
    px."""

    def __init__(self, facts: MessageFacts) -> None:
        self._facts = facts
        self._items: Sequence[Item] = ()
        self._gaps: Sequence[float] = ()
        self._body: tuple[int, int] = (0, 0)
        self._foot = 0
        self.style: TranscriptStyle | None = None
        self.width = 0.0
        self._tops: list[float] | None = None
        self._indexes: dict[int, int] | None = None

    def show(
        self, items: Sequence[Item], gaps: Sequence[float], *, body: tuple[int, int], foot: int, known: int
    ) -> None:
        """Place these items, with the space above each in ``gaps``. ``body``: the index of the first item of the
        content, and the index after its last one; ``foot``: that of the row of tools; the first ``known`` items have
        their heights."""
        self._items, self._gaps, self._body, self._foot = items, gaps, body, foot
        style = self.style
        if style is not None:
            for item in items[known:]:
                if item.height == 0.0 and not item.is_laid_out(style, self.width_of(item)):
                    item.height = item.guess(style, self.width_of(item))
        self.forget()

    @property
    def foot_top(self) -> float:
        """The top of the row of tools, in px below the top of the message."""
        return self.tops[self._foot]

    @property
    def foot_bottom(self) -> float:
        return self.foot_top + self._items[self._foot].height

    def prepare(self, style: TranscriptStyle, width: float) -> None:
        """Set the style and the column's width in px, and guess the heights of items that are not laid out."""
        style = self.style_in(style)
        if style is self.style and width == self.width:
            return
        self.style, self.width = style, width
        for item in self._items:
            # A bubble may keep its width in a wider column: laid-out items then keep their true height.
            if not item.is_laid_out(style, room := self.width_of(item)):
                item.height = item.guess(style, room)
        self._tops = None
        if self._facts.is_question and self._body[1] - self._body[0] <= _HUG_ITEMS:
            for item in self._items[slice(*self._body)]:
                item.ensure_layout(style, self.width_of(item))

    def style_in(self, style: TranscriptStyle) -> TranscriptStyle:
        """Return the style of this message, where the others have the style ``style``."""
        return style.quiet if self._facts.is_excluded else style

    def measure(self, index: int) -> bool:
        """Lay out item ``index`` and return whether its height changed."""
        item = self._items[index]
        assert self.style is not None
        if item.ensure_layout(self.style, self.width_of(item)):
            self._tops = None
            return True
        return False

    @property
    def tops(self) -> list[float]:
        """The top of each item in px below the top of the message."""
        if self._tops is None:
            heights = [item.height for item in self._items]
            steps = [gap + height for gap, height in zip(self._gaps, heights, strict=True)]
            bottoms = list(accumulate(steps))
            self._tops = [bottom - height for bottom, height in zip(bottoms, heights, strict=True)]
        return self._tops

    @property
    def height(self) -> float:
        return self.tops[-1] + self._items[-1].height + self.tail

    @property
    def tail(self) -> float:
        return 0.0 if self._facts.is_question or self._facts.is_bare else _MESSAGE_GAP

    def index_of(self, item: Item) -> int | None:
        if self._indexes is None:
            self._indexes = {id(each): place for place, each in enumerate(self._items)}
        return self._indexes.get(id(item))

    def forget(self) -> None:
        self._tops = None
        self._indexes = None

    def width_of(self, item: Item) -> float:
        return self.room_of(item) - self._indent_of(item)

    def x_of(self, item: Item) -> float:
        """Return the left edge of ``item`` from the left of the column, in px."""
        indent = 0.0 if item.at.is_right_to_left else self._indent_of(item)
        if self._facts.is_question and item.kind not in _OUTSIDE_BUBBLE:
            if item.is_right_to_left:
                return self.bubble_left + self.bubble_width - self.width_of(item) - BUBBLE_PAD_X
            return self.body_left + indent
        return indent

    def quotes_left(self, item: Item) -> float:
        """Return the left edge of the area in which quote bars are, from the left of the column."""
        if self._facts.is_question and item.at.is_right_to_left:
            return self.bubble_left + self.bubble_width - BUBBLE_PAD_X - self.room_of(item)
        return self.body_left

    @property
    def body_left(self) -> float:
        """The left edge of the content from the left of the column."""
        return self.bubble_left + BUBBLE_PAD_X if self._facts.is_question else 0.0

    def room_of(self, item: Item) -> float:
        """Return the width of an item that is in no list."""
        if self._facts.is_question and item.kind not in _OUTSIDE_BUBBLE:
            style = self.style
            most = style.px(BUBBLE_MAX_PX) if style is not None else BUBBLE_MAX_PX
            return min(most, self.width) - 2 * BUBBLE_PAD_X
        return self.width

    def _indent_of(self, item: Item) -> float:
        if self.style is None or not item.is_indented:
            return 0.0
        return self.style.indent(item.at, self.room_of(item))

    @property
    def bubble_left(self) -> float:
        """The left edge of the bubble from the left of the column."""
        is_mirrored = self.style is not None and self.style.is_mirrored
        return 0.0 if is_mirrored else self.width - self.bubble_width

    @property
    def bubble_width(self) -> float:
        body = self._items[slice(*self._body)]
        most = self.room_of(body[0]) + 2 * BUBBLE_PAD_X if body else 0.0
        if len(body) > _HUG_ITEMS:
            return most
        return min(
            most, max((item.natural_width + self._indent_of(item) for item in body), default=0.0) + 2 * BUBBLE_PAD_X + 1
        )
