"""Paints the transcript: its items, the matches of a search, the flash of a jump, and the caret."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from chatdesk.ui.transcript.copying.selection import Selection
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.input.caret import Caret
from chatdesk.ui.transcript.input.finding import Finding
from chatdesk.ui.transcript.input.message_focus import MessageFocus
from chatdesk.ui.transcript.layout.flash import Flash
from chatdesk.ui.transcript.layout.layout import ThreadLayout
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout
from chatdesk.ui.transcript.painting.painting import paint_view

_MOST_PARTS = 4
_MANY_PLACES = 200


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
        # A scroll leaves strips at opposite ends: what is between them need not be drawn again.
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
        if placed.bottom < area.top() or placed.y > area.bottom():
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
