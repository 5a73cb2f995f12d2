"""Draws the context meter: a ring and a percentage that show how much of the model's context the thread fills."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy

from chatdesk.core.texts import shown, tr
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.elided_label import set_plain_tooltip
from chatdesk.ui.widgets.painting import paint_box, paint_focus_ring
from chatdesk.ui.widgets.words import with_commas

_WARN_FROM = 0.80
_DANGER_FROM = 0.95
_PADDING_PX = 10
_RING_PX = 15
_RING_PEN_PX = 2.5
_DOT_PX = 5


class ContextMeter(QAbstractButton):
    """Hidden until a fraction is known; a click asks for an explanation."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._fraction = 0.0
        self._note = ""
        self._is_short = False
        self.setObjectName("contextMeter")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setVisible(False)
        theme.changed.connect(self._on_theme_changed)

    @property
    def percentage(self) -> str:
        return tr("{percent}%", percent=round(self._fraction * 100))

    @property
    def colour_name(self) -> str:
        """The token that the ring is drawn in."""
        if self._fraction >= _DANGER_FROM:
            return "danger"
        return "warning" if self._fraction >= _WARN_FROM else "accent"

    def set_fraction(self, fraction: float | None, words: str = "", *, note: str = "") -> None:
        """Show a fraction. ``words`` say it in full, such as "1,204 of 8,192 tokens"; ``None`` hides the meter. A
        ``note`` is what else has to be known, in a few words; it puts a dot into the ring."""
        self.setVisible(fraction is not None)
        if fraction is None:
            return
        self._fraction, self._note = max(0.0, fraction), note
        note, words = shown(note), shown(words)
        state = {"danger": tr("nearly full"), "warning": tr("filling up")}.get(self.colour_name, "")
        used = tr("Context used: {percentage}", percentage=self.percentage)
        self.setAccessibleName(with_commas((used, state, note)))
        self.setAccessibleDescription(words)
        set_plain_tooltip(self, words or self.accessibleName())
        self._on_theme_changed()

    def set_short(self, is_short: bool) -> None:
        """Show the ring alone if the figure does not fit. The name and the tooltip still contain it."""
        if is_short is not self._is_short:
            self._is_short = is_short
            self._on_theme_changed()

    def full_width(self) -> int:
        """Return the width in pixels with the figure."""
        scale = max(1.0, self._theme.scale)
        text_px = QFontMetrics(self._theme.font("muted")).horizontalAdvance(self.percentage)
        return round(2 * _PADDING_PX + _RING_PX * scale + 7 + text_px + 1)

    def sizeHint(self) -> QSize:
        side = self._theme.target_px()
        return QSize(side if self._is_short else self.full_width(), side)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        area = QRectF(self.rect())
        paint_box(painter, area, area.height() / 2, fill=theme.colour("card"), border=theme.colour("line"))
        side = _RING_PX * max(1.0, theme.scale)
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        if self._is_short:
            left = area.center().x() - side / 2
        else:
            left = area.right() - _PADDING_PX - side if is_mirrored else area.left() + _PADDING_PX
        self._paint_ring(painter, QRectF(left, area.center().y() - side / 2, side, side))
        if not self._is_short:
            self._paint_figure(painter, area, _PADDING_PX + side + 7, is_mirrored=is_mirrored)
        if self.hasFocus():
            paint_focus_ring(painter, area, area.height() / 2, theme.colour("accent"))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down):
            self.click()
        else:
            super().keyPressEvent(event)

    def _paint_figure(self, painter: QPainter, area: QRectF, taken: float, *, is_mirrored: bool) -> None:
        painter.setFont(self._theme.font("muted"))
        painter.setPen(self._theme.colour("text"))
        words = area.adjusted(_PADDING_PX, 0, -taken, 0) if is_mirrored else area.adjusted(taken, 0, -_PADDING_PX, 0)
        painter.drawText(words, int(Qt.AlignmentFlag.AlignCenter), self.percentage)

    def _paint_ring(self, painter: QPainter, area: QRectF) -> None:
        half = _RING_PEN_PX / 2
        ring = area.adjusted(half, half, -half, -half)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.colour("line"), _RING_PEN_PX))
        painter.drawEllipse(ring)
        pen = QPen(self._theme.colour(self.colour_name), _RING_PEN_PX, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        # Qt counts angles in 1/16 degree, anticlockwise from three o'clock.
        painter.drawArc(ring, 90 * 16, -round(min(1.0, self._fraction) * 360 * 16))
        if self._note:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("warning"))
            side = _DOT_PX * max(1.0, self._theme.scale) / 2
            painter.drawEllipse(area.center(), side, side)
            painter.setBrush(Qt.BrushStyle.NoBrush)

    def _on_theme_changed(self) -> None:
        self.updateGeometry()
        self.update()
