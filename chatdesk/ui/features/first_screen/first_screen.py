"""The first screen: connect a provider, import chats, or try ChatDesk offline."""

from __future__ import annotations

from functools import partial
from typing import Final

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QVBoxLayout, QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.mark import Mark
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.features.first_screen.connect_provider import ConnectProvider
from chatdesk.ui.features.transfer.export_sources import EXPORT_SOURCES
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.flow_row import FlowRow
from chatdesk.ui.widgets.painting import paint_box

_ONE_COLUMN_BELOW_PX: Final = 520
_PADDING_PX, _GAP_PX = 16, 12


class FirstScreen(QWidget):
    """The first screen of a profile without a provider. ``connection`` is obeyed by whoever obeys the dialog too.
    ``importRequested`` names the program, empty for any; ``tourRequested``: the offline model shows what there is."""

    importRequested = Signal(str)
    tourRequested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("wayIn")
        self.setAccessibleName(tr("First steps"))
        self.connection = ConnectProvider(theme)
        self.tour_button = push_button(tr("Take the tour"), "wayInTour", self.tourRequested.emit)
        self._pair = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._pair.setSpacing(_GAP_PX)
        self._pair.addWidget(self._import_card(), 1)
        self._pair.addWidget(self._tour_card(), 1)
        title = plain_label(tr("Welcome to ChatDesk"), "title", wraps=True, name="wayInTitle")
        text = plain_label(tr("Connect a model to begin. Your chats stay on this computer."), "text", wraps=True)
        text.setProperty("isQuiet", True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(title)
        column.addSpacing(8)
        column.addWidget(text)
        column.addSpacing(20)
        column.addWidget(self._connect_card())
        column.addSpacing(_GAP_PX)
        column.addLayout(self._pair)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_narrow = self.width() < _ONE_COLUMN_BELOW_PX * max(1.0, self._theme.scale)
        directions = QBoxLayout.Direction
        self._pair.setDirection(directions.TopToBottom if is_narrow else directions.LeftToRight)

    def _connect_card(self) -> QWidget:
        card = _Card(self._theme, "plug", tr("Connect a provider"))
        hint = tr("Paste the key of a provider, or choose a server of your own. It is tested before it is kept.")
        card.rows.addWidget(plain_label(hint, "muted", wraps=True))
        card.rows.addSpacing(4)
        card.rows.addWidget(self.connection)
        return card

    def _import_card(self) -> QWidget:
        card = _Card(self._theme, "download", tr("Import your chats"))
        card.rows.addWidget(
            plain_label(tr("Choose where they are now: the next page says how to get them out."), "muted", wraps=True)
        )
        card.rows.addSpacing(4)
        row = FlowRow(6)
        for source in EXPORT_SOURCES:
            button = push_button(
                source.program,
                f"wayInImport_{source.program.replace(' ', '')}",
                partial(self.importRequested.emit, source.program),
                name=tr("Import from {program}", program=source.program),
            )
            row.addWidget(button)
        card.rows.addLayout(row)
        card.rows.addStretch(1)
        return card

    def _tour_card(self) -> QWidget:
        card = _Card(self._theme, "sparkles", tr("Try it offline"))
        hint = tr("No account and no network: the demo model shows what ChatDesk can do.")
        card.rows.addWidget(plain_label(hint, "muted", wraps=True))
        card.rows.addSpacing(4)
        card.rows.addWidget(self.tour_button, 0, Qt.AlignmentFlag.AlignLeft)
        card.rows.addStretch(1)
        return card


class _Card(QWidget):
    """A rounded box with an icon and a title; ``rows`` takes what is in it."""

    def __init__(self, theme: Theme, icon_name: str, title: str) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName(title)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(Mark(theme, icon_name, "text"))
        head.addWidget(plain_label(title, "strong"), 1)
        self.rows = QVBoxLayout(self)
        self.rows.setContentsMargins(_PADDING_PX, _PADDING_PX, _PADDING_PX, _PADDING_PX)
        self.rows.setSpacing(6)
        self.rows.addLayout(head)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        radius = self._theme.tokens.radius.card
        fill, line = self._theme.colour("card"), self._theme.colour("line")
        paint_box(painter, QRectF(self.rect()), radius, fill=fill, border=line)
        painter.end()
