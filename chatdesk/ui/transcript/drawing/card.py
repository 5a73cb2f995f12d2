"""Paints the frame shared by code cards, folds and notices."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle


def paint_card(
    painter: QPainter, style: TranscriptStyle, area: QRectF, *, ground: str | None, border: str = "line"
) -> None:
    """Paint a rounded rectangle with a hairline border, filled with the colour ``ground`` if there is one."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(style.colour(border), 1))
    painter.setBrush(style.colour(ground) if ground else Qt.BrushStyle.NoBrush)
    radius = style.tokens.radius.code
    painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)


def paint_hairline(painter: QPainter, style: TranscriptStyle, start: QPointF, length: float) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.fillRect(QRectF(round(start.x()), round(start.y()), length, 1), style.colour("line"))
