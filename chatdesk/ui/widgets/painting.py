"""Shapes that several widgets paint: rounded boxes with a border or a focus ring."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import FOCUS_RING_PX


def paint_box(
    painter: QPainter,
    area: QRectF,
    radius: float,
    *,
    fill: QColor | None = None,
    border: QColor | None = None,
    border_px: float = 1.0,
) -> None:
    """Paint a rounded box whose border is wholly inside ``area``."""
    half = border_px / 2 if border is not None else 0.0
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(border, border_px) if border is not None else Qt.PenStyle.NoPen)
    painter.setBrush(fill if fill is not None else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(area.adjusted(half, half, -half, -half), radius, radius)
    painter.restore()


def paint_floating(painter: QPainter, area: QRectF, radius: float, theme: Theme) -> None:
    """Paint the background and border of a widget that floats above the window."""
    paint_box(painter, area, radius, fill=theme.colour("floating"), border=theme.colour("field_line"))


def mirrored(area: QRectF, within: QRectF, direction: Qt.LayoutDirection) -> QRectF:
    """Return ``area`` as it is from left to right; on the other side of ``within`` where windows run from right to
    left."""
    if direction is Qt.LayoutDirection.LeftToRight:
        return area
    return QRectF(within.left() + within.right() - area.right(), area.top(), area.width(), area.height())


def line_start(direction: Qt.LayoutDirection) -> int:
    """Return flags to draw one line of text from the side where lines begin. Not asked of ``QStyle``, which the first
    paint does without: building its enumerations takes 4 ms."""
    side = Qt.AlignmentFlag.AlignRight if direction is Qt.LayoutDirection.RightToLeft else Qt.AlignmentFlag.AlignLeft
    upright = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignAbsolute  # or the painter mirrors again
    return int(side | upright | Qt.TextFlag.TextSingleLine)


def read_by_letters(painter: QPainter) -> None:
    """Draw each text in the direction of its own letters from now on: the ellipsis and the question mark of an English
    title are behind it where the window runs from right to left, too."""
    painter.setLayoutDirection(Qt.LayoutDirection.LayoutDirectionAuto)


def draw_line(painter: QPainter, area: QRectF, text: str, direction: Qt.LayoutDirection) -> None:
    """Draw one line of text from the side where the lines of a window of this ``direction`` begin."""
    read_by_letters(painter)
    painter.drawText(area, line_start(direction), text)


def fill_area(painter: QPainter, area: QRect, colour: QColor) -> None:
    """Fill ``area`` without a border. ``fillRect`` would have PySide build the 169 gradients that it could take."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawRect(area)


def paint_focus_ring(painter: QPainter, area: QRectF, radius: float, colour: QColor) -> None:
    paint_box(painter, area, radius, border=colour, border_px=FOCUS_RING_PX)
