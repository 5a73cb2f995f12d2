"""Draws the card of a fold, such as reasoning or a tool's call, that the reader may open; its content follows as
items."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from chatdesk.core.texts import tr
from chatdesk.ui.transcript.drawing.card import AT_LEFT, paint_card
from chatdesk.ui.transcript.drawing.item import Button, Item, PaintState
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.widgets.words import with_commas

_HEIGHT_PX = 28
_MAX_LABEL = 200


class FoldItem(Item):
    """A line that opens and closes the items after it.

    ``icon`` is at the left ("" for the chevron that shows the state), ``aside`` at the right. ``is_structure`` says
    that the fold is part of the text.
    """

    kind = "fold"

    def __init__(
        self,
        key: str,
        label: str,
        *,
        icon: str = "",
        is_structure: bool = False,
    ) -> None:
        super().__init__()
        self.key = key
        self.label = label
        self.aside = ""
        self.is_done = False
        self.is_open = False
        self.can_open = True
        self._icon = icon
        self.is_structure = is_structure

    def rename(self, label: str) -> None:
        if label != self.label:
            self.label = label
            self.revision += 1

    def set_progress(self, aside: str, *, is_done: bool) -> None:
        """Show ``aside`` at the right, such as a duration, and mark the step as done or under way."""
        if (aside, is_done) != (self.aside, self.is_done):
            self.aside, self.is_done = aside, is_done
            self.revision += 1

    def guess(self, style: TranscriptStyle, width: float) -> float:
        return style.px(_HEIGHT_PX)

    def layout(self, style: TranscriptStyle, width: float) -> None:
        self.height = style.px(_HEIGHT_PX)
        self.natural_width = width

    def buttons(self) -> tuple[Button, ...]:
        if not self.can_open:
            return ()
        name = self.label[:_MAX_LABEL]
        label = tr("Hide {name}", name=name) if self.is_open else tr("Show {name}", name=name)
        area = QRectF(0, 0, self.natural_width, self.height)
        return (Button("toggle-fold", label, area),)

    @property
    def spoken(self) -> str:
        return with_commas((self.label, self.aside))

    def paint(self, painter: QPainter, state: PaintState) -> None:
        style = state.style
        area = QRectF(0, 0, self.natural_width, self.height)
        is_hovered = state.hovered_action == "toggle-fold"
        paint_card(painter, style, area, ground="hover" if is_hovered else None)
        colour = "text" if is_hovered else "muted"
        name = self._icon or ("chevron-down" if self.is_open else "chevron-right")
        self._paint_icon(painter, style, name, colour, style.px(13))
        painter.setFont(style.font("note"))
        painter.setPen(style.colour(colour))
        right = self._paint_aside(painter, style, colour)
        x = style.px(37)
        label = style.metrics("note").elidedText(
            self.label[:_MAX_LABEL], Qt.TextElideMode.ElideRight, max(0.0, right - x - 12)
        )
        painter.drawText(QRectF(x, 0, right - x, self.height), int(AT_LEFT), label)
        if state.focused_action == "toggle-fold":
            painter.setPen(QPen(style.colour("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            radius = style.tokens.radius.code
            painter.drawRoundedRect(area.adjusted(1, 1, -1, -1), radius, radius)

    def _paint_aside(self, painter: QPainter, style: TranscriptStyle, colour: str) -> float:
        right = self.natural_width - style.px(12)
        if self.is_done:
            right -= style.px(16)
            self._paint_icon(painter, style, "check", colour, right)
            right -= style.px(4)
        if self.aside:
            wide = style.metrics("note").horizontalAdvance(self.aside)
            area = QRectF(right - wide, 0, wide + 1, self.height)
            painter.drawText(area, int(AT_LEFT), self.aside)
            right -= wide
        return right

    def _paint_icon(self, painter: QPainter, style: TranscriptStyle, name: str, colour: str, x: float) -> None:
        pixmap = style.icon(name, colour)
        side = pixmap.deviceIndependentSize().height()
        painter.drawPixmap(QPointF(round(x), round((self.height - side) / 2)), pixmap)
