"""Paints the transcript: its items with the bars of quotes, the matches of a search, the flash of a jump, and the
caret."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from chatdesk.core.rendering.blocks import Placement
from chatdesk.ui.transcript.copying.selection import Selection
from chatdesk.ui.transcript.drawing.item import Item, PaintState
from chatdesk.ui.transcript.drawing.transcript_style import (
    BUBBLE_PAD_Y,
    LIST_INDENT_PX,
    QUOTE_INDENT_PX,
    TranscriptStyle,
)
from chatdesk.ui.transcript.input.caret import Caret
from chatdesk.ui.transcript.input.finding import Finding
from chatdesk.ui.transcript.input.message_focus import Attention, MessageFocus
from chatdesk.ui.transcript.layout.held_place import Placed
from chatdesk.ui.transcript.layout.layout import ThreadLayout
from chatdesk.ui.transcript.layout.timers import Flash
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout
from chatdesk.ui.transcript.messages.entry import MessageEntry

_MOST_PARTS = 4
_MANY_PLACES = 200
_EDITED_PX = 1.5  # around the message that a new version of is being written
_MAX_BARS = 8
_BAR_PX = 3


class Canvas:
    """The painter of the viewport; it paints each damaged part of it separately."""

    def __init__(
        self,
        viewport_layout: ViewportLayout,
        *,
        selection: Selection,
        message_focus: MessageFocus,
        finding: Finding,
        caret: Caret,
        flash: Flash,
    ) -> None:
        self._viewport_layout = viewport_layout
        self._selection = selection
        self._message_focus = message_focus
        self._finding = finding
        self._caret = caret
        self._flash = flash

    def paint(self, viewport: QWidget, event: QPaintEvent) -> None:
        self._viewport_layout.ensure_laid_out()
        painter = QPainter(viewport)
        # A scroll leaves strips at opposite ends; the area between them need not be drawn again.
        parts = [event.rect()] if event.region().rectCount() > _MOST_PARTS else [*event.region()]  # type: ignore[misc]
        for part in parts:
            if len(parts) > 1:
                painter.setClipRect(part)
            self._paint_part(painter, part)
        painter.end()

    def _paint_part(self, painter: QPainter, part: QRect) -> None:
        viewport_layout, area = self._viewport_layout, QRectF(part)
        style, layout, left = viewport_layout.style, viewport_layout.layout, viewport_layout.column_left
        paint_view(painter, style, layout, self._selection, self._message_focus.shown, area=area, left=left)
        paint_flash(painter, style, layout, self._flash, left=left)
        paint_found(painter, style, layout, self._finding, area=area, left=left)
        paint_caret(painter, style, layout, self._caret, left=left)


_CARET_PX = 2.0
_RADIUS_PX = 3.0
_TINT = 0.32
_FLASH_TINT = 0.22


def paint_flash(painter: QPainter, style: TranscriptStyle, layout: ThreadLayout, flash: Flash, *, left: float) -> None:
    shown = [placed for placed in layout.placed if flash.strength_of(placed.entry) > 0]
    if not shown:
        return
    entry = shown[0].entry
    tint = QColor(style.colour("accent"))
    tint.setAlphaF(_FLASH_TINT * flash.strength_of(entry))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(tint)
    area = QRectF(left, shown[0].y, entry.places.width, shown[-1].bottom - shown[0].y).adjusted(-12, -6, 12, 6)
    painter.drawRoundedRect(area, style.tokens.radius.card, style.tokens.radius.card)


def paint_found(
    painter: QPainter, style: TranscriptStyle, layout: ThreadLayout, finding: Finding, *, area: QRectF, left: float
) -> None:
    """Tint the places that were found, over the letters, which show through.

    The tint is above the letters because cards and tables have backgrounds of their own.
    """
    if not finding.places.needle:
        return
    tint = QColor(style.colour("warning"))
    tint.setAlphaF(_TINT)
    current = finding.current
    marked = layout.find(current.message_id) if current is not None else None
    here = finding.current_place(marked) if marked is not None else None
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for placed in layout.placed:
        if not _is_in(placed, area):
            continue
        entry, item = placed.entry, placed.item
        painter.translate(left + entry.places.x_of(item), placed.y)
        found = finding.places.in_item(item)
        for start, end in _in_sight(item, found, area.translated(-left - entry.places.x_of(item), -placed.y)):
            is_current = entry is marked and here is not None and (here.index, here.start) == (placed.index, start)
            painter.setPen(QPen(style.colour("accent"), 2) if is_current else Qt.PenStyle.NoPen)
            painter.setBrush(tint)
            for each in item.areas_of(start, end):
                painter.drawRoundedRect(each.adjusted(-1, 1, 1, -1), _RADIUS_PX, _RADIUS_PX)
        painter.translate(-left - entry.places.x_of(item), -placed.y)


def _is_in(placed: Placed, area: QRectF) -> bool:
    """Return whether an item is in an area. One without a height, as the folded rows of a table, is nowhere."""
    return placed.y < placed.bottom >= area.top() and placed.y <= area.bottom()


def _in_sight(item: Item, found: list[tuple[int, int]], area: QRectF) -> list[tuple[int, int]]:
    """Return the places that may be in ``area``; all unless there are very many, as in long code."""
    if len(found) <= _MANY_PLACES:
        return found
    corners = [
        item.offset_at(each) for each in (area.topLeft(), area.topRight(), area.bottomLeft(), area.bottomRight())
    ]
    first = bisect_left(found, min(corners), key=lambda place: place[1])
    return found[first : bisect_right(found, max(corners), key=lambda place: place[0])]


def paint_caret(painter: QPainter, style: TranscriptStyle, layout: ThreadLayout, caret: Caret, *, left: float) -> None:
    place = caret.place
    placed = next((each for each in layout.placed if place is not None and each.item is place.item), None)
    if place is None or placed is None:
        return
    area = caret.area_of(place).translated(QPointF(left + placed.entry.places.x_of(placed.item), placed.y))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.fillRect(QRectF(area.left() - 1, area.top(), _CARET_PX, area.height()), style.colour("accent"))


def paint_view(
    painter: QPainter,
    style: TranscriptStyle,
    layout: ThreadLayout,
    selection: Selection,
    attention: Attention,
    *,
    area: QRectF,
    left: float,
) -> None:
    """Paint the part of the viewport in ``area``; ``left`` is the left edge of the column."""
    painter.fillRect(area, style.colour("background"))
    selected = selection.range()
    last = layout.entries[-1] if layout.entries and not layout.has_newer else None
    bubbled: MessageEntry | None = None
    for placed in layout.placed:
        entry, item = placed.entry, placed.item
        if entry is not bubbled:
            bubbled = entry
            if entry.facts.is_question:
                _paint_bubble(painter, style, placed, left)
            elif entry.is_edited:
                _paint_edited(painter, style, placed, left)
            if entry is attention.ringed_entry:
                _paint_ring(painter, style, placed, left)
        if item.at.quote_depth:
            _paint_bars(painter, placed, left, area)
        if not _is_in(placed, area.adjusted(0, -2, 0, 2)):
            continue
        x = left + entry.places.x_of(item)
        is_hovered = item is attention.hovered_item or (
            entry is attention.hovered_entry and item.kind == "footer" and attention.hovered_item is None
        )
        is_attended = entry is attention.hovered_entry or entry is attention.current_entry
        is_focused = entry is attention.current_entry and placed.index == attention.focused_index
        state = PaintState(
            entry.places.style_in(style),
            area.translated(-x, -placed.y),
            selected=selected.of(entry, placed.index) if selected and item.is_selectable else None,
            hovered_action=attention.hovered_action if is_hovered else None,
            focused_action=attention.focused_action if is_focused else None,
            is_active=is_attended or entry is last,
            is_attended=is_attended,
            show_caret=item is entry.caret_item,
        )
        painter.translate(x, placed.y)
        item.paint(painter, state)
        if item.unread is not None:
            item.unread.start_once()
        painter.translate(-x, -placed.y)


def _paint_bars(painter: QPainter, placed: Placed, left: float, area: QRectF) -> None:
    """Continue the bars of quotes through the space between their blocks."""
    entry, index, item = placed.entry, placed.index, placed.item
    above = entry.gaps[index]
    if placed.bottom < area.top() or placed.y - above > area.bottom() or entry.places.style is None:
        return
    shared = shared_quotes(entry.items[index - 1].at, item.at) if index else 0
    body = QRectF(left + entry.places.quotes_left(item), placed.y, entry.places.room_of(item), item.height)
    paint_quote_bars(painter, entry.places.style, item.at, area=body, above=above, shared=shared)


def _paint_bubble(painter: QPainter, style: TranscriptStyle, placed: Placed, left: float) -> None:
    entry = placed.entry
    first, last = entry.body
    if last <= first or placed.index >= last:
        return
    tops = entry.places.tops
    origin = placed.y - tops[placed.index]
    top = origin + tops[first] - BUBBLE_PAD_Y
    bottom = origin + tops[last - 1] + entry.items[last - 1].height + BUBBLE_PAD_Y
    wide = entry.places.bubble_width
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(style.colour("accent"), _EDITED_PX) if entry.is_edited else Qt.PenStyle.NoPen)
    painter.setBrush(style.colour("question"))
    radius = style.tokens.radius.card
    painter.drawRoundedRect(QRectF(left + entry.places.bubble_left, top, wide, bottom - top), radius, radius)


def _paint_edited(painter: QPainter, style: TranscriptStyle, placed: Placed, left: float) -> None:
    """Paint the line around an answer that is being edited; a question has it around its bubble."""
    entry = placed.entry
    tops, last = entry.places.tops, entry.body[1] - 1
    first = next((place for place, item in enumerate(entry.items) if item.kind == "header"), 0)
    origin = placed.y - tops[placed.index]
    top, bottom = origin + tops[first], origin + tops[last] + entry.items[last].height
    pad = BUBBLE_PAD_Y
    area = QRectF(left - pad, top - pad, entry.places.width + 2 * pad, bottom - top + 2 * pad)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(style.colour("accent"), _EDITED_PX))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    radius = style.tokens.radius.code
    painter.drawRoundedRect(area, radius, radius)


def _paint_ring(painter: QPainter, style: TranscriptStyle, placed: Placed, left: float) -> None:
    entry = placed.entry
    top = placed.y - entry.places.tops[placed.index]
    pad = 8.0
    if entry.facts.is_question:
        area = QRectF(
            left + entry.places.bubble_left - 4, top - 4, entry.places.bubble_width + 8, entry.places.foot_top + 8
        )
        radius = style.tokens.radius.card + 3
    else:
        area = QRectF(left - pad - 4, top - pad + 2, entry.places.width + 2 * pad + 8, entry.places.foot_bottom + pad)
        radius = style.tokens.radius.code
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(style.colour("accent"), 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(area, radius, radius)


def paint_quote_bars(
    painter: QPainter, style: TranscriptStyle, at: Placement, *, area: QRectF, above: float = 0.0, shared: int = 0
) -> None:
    """Paint one bar for each quote, or callout, around a block that fills ``area``.

    A quote in a list is as far in as the words of its item. The first ``shared`` quotes go on from the block
    before, so their bars begin ``above`` px higher, where that block ends.
    """
    painter.setPen(Qt.PenStyle.NoPen)
    for depth in range(min(at.quote_depth, _MAX_BARS)):
        lists = at.quoted_lists[depth] if at.quoted_lists else 0
        inset = style.px(depth * QUOTE_INDENT_PX + min(lists, _MAX_BARS) * LIST_INDENT_PX)
        x = area.right() - inset - _BAR_PX if at.is_right_to_left else area.x() + inset
        kind = at.callouts[depth] if depth < len(at.callouts) else ""
        painter.setBrush(style.callout(kind) if kind else style.colour("line"))
        top = area.y() - (above if depth < shared else 0.0)
        painter.drawRect(QRectF(x, top, _BAR_PX, area.bottom() - top))


def shared_quotes(one: Placement, other: Placement) -> int:
    """Return how many quotes two blocks have in common."""
    same = (mine == yours for mine, yours in zip(one.quotes, other.quotes, strict=False))
    return next((depth for depth, is_same in enumerate(same) if not is_same), min(len(one.quotes), len(other.quotes)))
