"""Implements a switch: on or off, with an immediate effect."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QCheckBox, QSizePolicy

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import FOCUS_RING_PX, HIT_TARGET_PX, SWITCH_PX
from chatdesk.ui.widgets.buttons import DISABLED_OPACITY
from chatdesk.ui.widgets.focus_ring import shows_ring
from chatdesk.ui.widgets.painting import mirrored, paint_box

_KNOB_GAP_PX = 4


class Switch(QCheckBox):
    """A switch without words: the row that it is in has them, and gives it its accessible name. Listen to ``toggled``:
    an assistive program toggles without a click."""

    def __init__(self, theme: Theme, *, object_name: str = "") -> None:
        super().__init__()
        self._theme = theme
        self._is_ringed = True
        self.setObjectName(object_name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._on_theme_changed)

    def sizeHint(self) -> QSize:
        high = self._theme.target_px(HIT_TARGET_PX)
        is_for_fingers = high > round(HIT_TARGET_PX * max(1.0, self._theme.scale))
        wide = round(SWITCH_PX[0] * max(1.0, self._theme.scale))
        return QSize(max(wide, high) if is_for_fingers else wide, high)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hitButton(self, pos: QPoint) -> bool:
        return self.rect().contains(pos)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._is_ringed = shows_ring(event.reason(), before=self._is_ringed)
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._is_ringed = True
        self.update()
        super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, is_on = self._theme, self.isChecked()
        scale = max(1.0, theme.scale)
        wide, high = SWITCH_PX[0] * scale, SWITCH_PX[1] * scale
        area = QRectF(self.rect())
        track = QRectF(area.right() - wide, area.center().y() - high / 2, wide, high)
        painter = QPainter(self)
        if not self.isEnabled():
            painter.setOpacity(DISABLED_OPACITY)
        has_ring = self.hasFocus() and self._is_ringed
        inset = FOCUS_RING_PX + 1 if has_ring else 0
        ground = track.adjusted(inset, inset, -inset, -inset)
        at = mirrored(ground, area, self.layoutDirection())
        if is_on:
            is_hot = self.isEnabled() and self.underMouse()
            paint_box(painter, at, at.height() / 2, fill=theme.colour("accent_hover" if is_hot else "accent"))
        else:
            paint_box(painter, at, at.height() / 2, fill=theme.colour("card"), border=theme.colour("muted"))
        side = high - 2 * _KNOB_GAP_PX * scale
        left = track.right() - _KNOB_GAP_PX * scale - side if is_on else track.left() + _KNOB_GAP_PX * scale
        knob = mirrored(QRectF(left, track.center().y() - side / 2, side, side), area, self.layoutDirection())
        paint_box(painter, knob, side / 2, fill=theme.colour("on_accent" if is_on else "muted"))
        if has_ring:
            ring = mirrored(track, area, self.layoutDirection())
            ink = theme.colour("text" if is_on else "accent")
            paint_box(painter, ring, high / 2, border=ink, border_px=FOCUS_RING_PX)
        painter.end()

    def _on_theme_changed(self) -> None:
        self.updateGeometry()
        self.update()
