"""Paints the overlays of the items: the message that was jumped to, the matches of a search, the caret."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.input.caret import Caret
from chatdesk.ui.transcript.input.finding import Finding
from chatdesk.ui.transcript.layout.flash import Flash
from chatdesk.ui.transcript.layout.layout import ThreadLayout

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
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for placed in layout.placed:
        if placed.bottom < area.top() or placed.y > area.bottom():
            continue
        entry, item = placed.entry, placed.item
        here = finding.current_place(entry) if current and current.message_id == entry.message.id else None
        painter.translate(left + entry.places.x_of(item), placed.y)
        for start, end in finding.places.in_item(item):
            is_current = here is not None and (here.index, here.start) == (placed.index, start)
            painter.setPen(QPen(style.colour("accent"), 2) if is_current else Qt.PenStyle.NoPen)
            painter.setBrush(tint)
            for each in item.areas_of(start, end):
                painter.drawRoundedRect(each.adjusted(-1, 1, 1, -1), _RADIUS_PX, _RADIUS_PX)
        painter.translate(-left - entry.places.x_of(item), -placed.y)


def paint_caret(painter: QPainter, style: TranscriptStyle, layout: ThreadLayout, caret: Caret, *, left: float) -> None:
    place = caret.place
    placed = next((each for each in layout.placed if place is not None and each.item is place.item), None)
    if place is None or placed is None:
        return
    area = caret.area_of(place).translated(QPointF(left + placed.entry.places.x_of(placed.item), placed.y))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.fillRect(QRectF(area.left() - 1, area.top(), _CARET_PX, area.height()), style.colour("accent"))
