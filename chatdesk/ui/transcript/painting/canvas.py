"""Paints the transcript: its items, the matches of a search, the flash of a jump, and the caret."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from chatdesk.ui.transcript.copying.selection import Selection
from chatdesk.ui.transcript.input.caret import Caret
from chatdesk.ui.transcript.input.finding import Finding
from chatdesk.ui.transcript.input.message_focus import MessageFocus
from chatdesk.ui.transcript.layout.flash import Flash
from chatdesk.ui.transcript.layout.viewport_layout import ViewportLayout
from chatdesk.ui.transcript.painting.overlays import paint_caret, paint_flash, paint_found
from chatdesk.ui.transcript.painting.painting import paint_view

_MOST_PARTS = 4


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
