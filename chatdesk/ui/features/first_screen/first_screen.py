"""Shows the first screen: connect a provider, import chats, or take the tour offline."""

from __future__ import annotations

from functools import partial
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.marks import Mark
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.features.providers.provider_form import ProviderForm
from chatdesk.ui.features.transfer.export_sources import EXPORT_SOURCES
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import FontRole
from chatdesk.ui.widgets.buttons import PillButton
from chatdesk.ui.widgets.layouts import bare_column
from chatdesk.ui.widgets.painting import paint_box

_FEW_COLUMNS_BELOW_PX: Final = 520
_COLUMNS, _FEW_COLUMNS = 3, 2
# The programs that most people come from; the others are below *More…*.
_NAMED: Final = ("ChatGPT", "Claude", "Open WebUI", "LibreChat", "LM Studio")
_TILE_PX, _TILE_GAP_PX = 56, 8
_PADDING_PX, _GAP_PX = 16, 12


class FirstScreen(QWidget):
    """The first screen of a profile without a provider. ``provider`` is served by ``ProviderEditing``.
    ``importRequested`` names the program, empty for any; ``tourRequested``: the offline model shows what there is."""

    importRequested = Signal(str)
    tourRequested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._columns = 0
        self.setObjectName("wayIn")
        self.setAccessibleName(tr("First steps"))
        self.provider = ProviderForm(theme)
        self.tour_button = push_button(tr("Take the tour"), "wayInTour", self.tourRequested.emit)
        self._tiles = self._make_tiles()
        self._grid = QGridLayout()
        self._grid.setSpacing(_TILE_GAP_PX)
        self._place_tiles(_COLUMNS)
        title = plain_label(tr("Welcome to ChatDesk"), "title", wraps=True, name="wayInTitle")
        text = plain_label(tr("Connect a model to begin. Your chats stay on this computer."), "text", wraps=True)
        text.setProperty("isQuiet", True)
        column = bare_column(self, spacing_px=0)
        column.addWidget(title)
        column.addSpacing(8)
        column.addWidget(text)
        column.addSpacing(20)
        column.addWidget(self._connect_card())
        column.addSpacing(_GAP_PX)
        column.addWidget(self._import_card())
        column.addSpacing(_GAP_PX)
        column.addLayout(self._tour_line())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        is_narrow = self.width() < _FEW_COLUMNS_BELOW_PX * max(1.0, self._theme.scale)
        self._place_tiles(_FEW_COLUMNS if is_narrow else _COLUMNS)

    def _make_tiles(self) -> tuple[_Tile, ...]:
        """Return a tile for each program that many come from, and one for the others."""
        tiles = []
        for source in (each for each in EXPORT_SOURCES if each.program in _NAMED):
            tile = _Tile(
                self._theme,
                source.program,
                object_name=f"wayInImport_{source.program.replace(' ', '')}",
                name=tr("Import from {program}", program=source.program),
                icon_name="messages-square",
            )
            tile.clicked.connect(partial(self.importRequested.emit, source.program))
            tiles.append(tile)
        more = _Tile(self._theme, tr("More…"), object_name="wayInImportMore", name=tr("Import…"), icon_name="download")
        more.clicked.connect(partial(self.importRequested.emit, ""))
        return (*tiles, more)

    def _place_tiles(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for place, tile in enumerate(self._tiles):
            self._grid.addWidget(tile, place // columns, place % columns)
        for column in range(_COLUMNS):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)

    def _connect_card(self) -> QWidget:
        card = _Card(self._theme, "plug", tr("Connect a provider"))
        hint = tr("Paste the key of a provider, or choose a server of your own. It is tested before it is kept.")
        card.rows.addWidget(plain_label(hint, "muted", wraps=True))
        card.rows.addSpacing(4)
        card.rows.addWidget(self.provider)
        return card

    def _import_card(self) -> QWidget:
        card = _Card(self._theme, "download", tr("Import your chats"))
        card.rows.addWidget(
            plain_label(tr("Choose where they are now: the next page says how to get them out."), "muted", wraps=True)
        )
        card.rows.addSpacing(4)
        card.rows.addLayout(self._grid)
        return card

    def _tour_line(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(_GAP_PX)
        hint = tr("No account and no network: the demo model shows what ChatDesk can do.")
        row.addWidget(plain_label(hint, "muted", wraps=True), 1)
        row.addWidget(self.tour_button)
        return row


class _Tile(PillButton):
    """A program to import from: its name beside an icon, as wide as its column."""

    _RADIUS_PX = 8.0
    _ROLE: FontRole = "text"
    _ALIGNMENT = Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter

    def __init__(self, theme: Theme, text: str, *, object_name: str, name: str, icon_name: str) -> None:
        super().__init__(theme, text, object_name=object_name, name=name, icon_name=icon_name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), self._theme.target_px(_TILE_PX))


class _Card(QWidget):
    """A rounded box with an icon and a title. Add the content to ``rows``."""

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
