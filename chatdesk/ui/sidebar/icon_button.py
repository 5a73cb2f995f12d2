"""A flat button that is only an icon, with a spoken name and a tooltip that says the same."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget

from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import FOCUS_RING_PX, HIT_TARGET_PX, ICON_PX


class IconButton(QAbstractButton):
    def __init__(self, name: str, label: str, theme: Theme, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon_name = name
        self._theme = theme
        self.set_label(label)
        self.setFixedSize(HIT_TARGET_PX, HIT_TARGET_PX)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        theme.changed.connect(self.update)

    def set_label(self, label: str, *, shortcut: str = "") -> None:
        self.setAccessibleName(label)
        self.setToolTip(f"{label} ({shortcut})" if shortcut else label)

    def set_icon_name(self, name: str) -> None:
        self._icon_name = name
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        if self.underMouse() or self.isDown():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("selected" if self.isDown() else "hover"))
            painter.drawRoundedRect(area, tokens.radius.row, tokens.radius.row)
        if self.hasFocus():
            inset = FOCUS_RING_PX / 2
            painter.setPen(QPen(self._theme.colour("accent"), FOCUS_RING_PX))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(inset, inset, -inset, -inset), tokens.radius.row, tokens.radius.row)
        corner = (self.width() - ICON_PX) / 2, (self.height() - ICON_PX) / 2
        paint_icon(painter, QRectF(*corner, ICON_PX, ICON_PX), self._icon_name, self._theme.colour("muted"))
        painter.end()
