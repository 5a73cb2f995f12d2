"""Shows a line of plain text that ends in an ellipsis when it does not fit, and tooltips with the whole text.

Tooltips show foreign text, which Qt could interpret as HTML.
"""

from __future__ import annotations

from textwrap import wrap
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from chatdesk.core.texts import shown
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import FontRole
from chatdesk.ui.widgets.painting import draw_line

_LINE_LETTERS: Final = 60


def set_plain_tooltip(widget: QWidget, text: str) -> None:
    """Show ``text`` as it is. Screen readers get the words, too: Qt gives them the tooltip, marks and all, as the
    description of a widget that has none."""
    text = shown(text)
    described = widget.accessibleDescription()
    if not described or plain_tooltip(described) == widget.toolTip():
        widget.setAccessibleDescription(text)
    widget.setToolTip(plain_tooltip(text))


def plain_tooltip(text: str) -> str:
    """Return ``text`` for a tooltip, in lines of a readable length: Qt would make lines of two words each."""
    lines = [line for each in text.split("\n") for line in wrap(each, _LINE_LETTERS) or [""]]
    return f"<p style='white-space:pre'>{_escaped(chr(10).join(lines))}</p>" if text else ""


def _escaped(text: str) -> str:
    # Not ``html.escape``: with it comes a table of 2,000 names of characters, which the first paint would wait for.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


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
