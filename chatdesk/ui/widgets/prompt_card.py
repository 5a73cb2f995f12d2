"""A card that offers one thing to begin with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy

from chatdesk.core.texts import shown, tr
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX
from chatdesk.ui.widgets.buttons import ThemedButton
from chatdesk.ui.widgets.painting import draw_line, paint_box, paint_focus_ring

_PADDING_PX = 14


class StartKind(StrEnum):
    """The effect of choosing a card on its text: write it into the composer, write it and ask for a file, or send it at
    once; or the text is a command's id."""

    WRITE = "write"
    ATTACH = "attach"
    ASK = "ask"
    COMMAND = "command"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Start:
    """The title and the detail are on the card; all three texts are shown in the language of the program."""

    icon_name: str
    title: str
    detail: str
    kind: StartKind
    text: str


class PromptCard(ThemedButton):
    def __init__(self, theme: Theme, start: Start, *, object_name: str) -> None:
        title, detail = shown(start.title), shown(start.detail)
        name = tr("{title}: {detail}", title=title, detail=detail)
        super().__init__(theme, name=name, object_name=object_name)
        self.start = start
        self._detail = detail
        self.setText(title)
        tooltip = "" if start.kind is StartKind.COMMAND else shown(start.text).strip()
        self.set_name(name, tooltip=tooltip)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        line = QFontMetrics(self._theme.font("strong")).height()
        detail = QFontMetrics(self._theme.font("note")).height()
        return QSize(200, 2 * _PADDING_PX + line + 4 + detail)

    def minimumSizeHint(self) -> QSize:
        return QSize(140, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        area = QRectF(self.rect())
        radius = theme.tokens.radius.card - 2
        fill = theme.colour("hover" if self._is_hot() else "card")
        paint_box(painter, area, radius, fill=fill, border=theme.colour("line"))
        inner = area.adjusted(_PADDING_PX, _PADDING_PX, -_PADDING_PX, -_PADDING_PX)
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        side = ICON_PX * max(1.0, theme.scale)
        line = QFontMetrics(theme.font("strong")).height()
        left = inner.right() - side if is_mirrored else inner.left()
        ink = theme.colour("text")
        paint_icon(painter, QRectF(left, inner.top() + (line - side) / 2, side, side), self.start.icon_name, ink)
        taken = side + 5
        title = inner.adjusted(0, 0, -taken, 0) if is_mirrored else inner.adjusted(taken, 0, 0, 0)
        title.setHeight(line)
        self._paint_line(painter, title, self.text(), "strong", "text")
        detail = QRectF(inner.left(), inner.top() + line + 4, inner.width(), inner.height() - line - 4)
        self._paint_line(painter, detail, self._detail, "note", "muted")
        if self.shows_ring:
            paint_focus_ring(painter, area, radius, theme.colour("accent"))

    def _paint_line(self, painter: QPainter, area: QRectF, text: str, role: str, colour: str) -> None:
        painter.setFont(self._theme.font("strong" if role == "strong" else "note"))
        painter.setPen(self._theme.colour(colour))
        elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(area.width()))
        draw_line(painter, area, elided, self.layoutDirection())
