"""A line of plain text that ends in an ellipsis when it does not fit; the tooltip then has all of it."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import FontRole
from chatdesk.ui.widgets.painting import draw_line
from chatdesk.ui.widgets.plain_tooltip import set_plain_tooltip


class ElidedLabel(QLabel):
    """A label that cuts its text with an ellipsis. ``text()`` is always the whole text."""

    def __init__(self, theme: Theme, text: str = "", *, role: FontRole = "text", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._role: FontRole = role
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setProperty("textRole", role)
        self.setText(text)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def setText(self, text: str) -> None:
        super().setText(" ".join(text.split()))
        self._update_tooltip()

    def is_elided(self) -> bool:
        return self.fontMetrics().horizontalAdvance(self.text()) > self.contentsRect().width()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self.text()) + 2, metrics.height() + 4)

    def minimumSizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance("…") * 2, self.fontMetrics().height() + 4)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        area = self.contentsRect()
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, area.width())
        draw_line(painter, QRectF(area), shown, self.layoutDirection())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._update_tooltip()

    def _update_tooltip(self) -> None:
        set_plain_tooltip(self, self.text() if self.is_elided() else "")

    def _on_theme_changed(self) -> None:
        self.setFont(self._theme.font(self._role))
        self.updateGeometry()
