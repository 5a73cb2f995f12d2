"""Paints the items in view with their bubbles, quote bars and the ring around the current message."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from chatdesk.ui.transcript.copying.selection import Selection
from chatdesk.ui.transcript.drawing.item import PaintState
from chatdesk.ui.transcript.drawing.quote_bars import paint_quote_bars, shared_quotes
from chatdesk.ui.transcript.drawing.transcript_style import BUBBLE_PAD_Y, TranscriptStyle
from chatdesk.ui.transcript.input.message_focus import Attention
from chatdesk.ui.transcript.layout.held_place import Placed
from chatdesk.ui.transcript.layout.layout import ThreadLayout
from chatdesk.ui.transcript.messages.entry import MessageEntry

_EDITED_PX = 1.5  # around the message that a new version of is being written


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
        if placed.bottom < area.top() - 2 or placed.y > area.bottom() + 2:
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
