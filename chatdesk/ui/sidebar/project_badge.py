"""The project's colour square and name at the top of the sidebar."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QStyle, QWidget

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.painting import mirrored
from chatdesk.ui.widgets.plain_tooltip import set_plain_tooltip

_SQUARE_PX = 20


class ProjectBadge(QWidget):
    """Shows, and does nothing else, as long as there is one project."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._name = ""
        self._colour = ""
        self.setObjectName("projectBadge")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        theme.changed.connect(self.update)

    def set_project(self, name: str, colour: str) -> None:
        """``colour`` is ``#RRGGBB``; anything else means the accent."""
        self._name = name
        self._colour = colour
        self.setAccessibleName(f"Project {name}")
        set_plain_tooltip(self, name)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, round(_SQUARE_PX * max(1.0, self._theme.scale)))

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self._name:
            return
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        own = QColor.fromString(self._colour) if self._colour.startswith("#") else QColor()
        fill = own if own.isValid() else self._theme.colour("accent")
        side = round(_SQUARE_PX * max(1.0, self._theme.scale))
        whole, direction = QRectF(self.rect()), self.layoutDirection()
        square = mirrored(QRectF(0, (self.height() - side) / 2, side, side), whole, direction)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(square, tokens.radius.inline_code, tokens.radius.inline_code)
        letter = self._theme.font("group")
        letter.setWeight(QFont.Weight.DemiBold)
        painter.setFont(letter)
        painter.setPen(QColor("white" if fill.lightnessF() < 0.45 else "black") if own.isValid() else tokens.on_accent)
        painter.drawText(square, Qt.AlignmentFlag.AlignCenter, self._name.strip()[:1].upper())
        font = self._theme.font("strong")
        painter.setFont(font)
        painter.setPen(self._theme.colour("text"))
        area = mirrored(whole.adjusted(side + tokens.space.s, 0, 0, 0), whole, direction)
        metrics = painter.fontMetrics()
        name = metrics.elidedText(self._name, Qt.TextElideMode.ElideRight, round(area.width()))
        start = QStyle.visualAlignment(direction, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(area, int(start | Qt.TextFlag.TextSingleLine), name)
        painter.end()
