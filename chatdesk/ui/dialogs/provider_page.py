"""The page *Providers* of the settings: who is set up, what was found on this computer, and what a test said.

It shows and asks; ``ui/application/provider_binding.py`` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from chatdesk.core.domain.provider_check import FoundServer
from chatdesk.core.settings.presets import PRESETS
from chatdesk.ui.accessibility.announce import announce
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.provider_words import fetched_text, field_text, models_text, where_the_key_lies
from chatdesk.ui.theme.icons import icon, paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX
from chatdesk.ui.widgets.beside_or_below import BesideOrBelow

if TYPE_CHECKING:
    from chatdesk.core.chat.provider_service import ShownProvider

_WORDS_PX: Final = 180
_STATUS_PX: Final = 150
_GAP_PX, _BELOW_PX, _FIELDS_PX = 10, 6, 320


class ProviderPage(QWidget):
    """``addRequested`` has the name of a preset, ``foundRequested`` a server that was found, the others the id of a
    provider."""

    addRequested = Signal(str)
    foundRequested = Signal(object)  # FoundServer
    editRequested = Signal(str)
    testRequested = Signal(str)
    findingToggled = Signal(bool)
    unlockRequested = Signal()
    passphraseRequested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows: dict[str, _Row] = {}
        self.setObjectName("providerPage")
        self._notice = plain_label("", "muted", wraps=True)
        self._notice.setObjectName("providerNotice")
        self._notice.hide()
        self._unlock = QPushButton("Enter the Passphrase…")
        self._unlock.setObjectName("providerUnlock")
        self._unlock.setAutoDefault(False)
        self._unlock.clicked.connect(self.unlockRequested)
        self._unlock.hide()
        self._change = QPushButton("Change the Passphrase…")
        self._change.setObjectName("providerPassphraseChange")
        self._change.setAutoDefault(False)
        self._change.clicked.connect(self.passphraseRequested)
        self._change.hide()
        self._list = _column()
        self._found = _column()
        self.add_button = QPushButton("Add provider")
        self.add_button.setObjectName("providerAdd")
        self.add_button.setAutoDefault(False)
        self.add_button.setIcon(icon("plus", theme.colour("text")))
        self._menu = QMenu(self.add_button)
        self._menu.setObjectName("providerPresets")
        for preset in PRESETS.values():
            action = self._menu.addAction(preset.label)
            action.setObjectName(f"preset_{preset.id}")
            action.triggered.connect(lambda _checked=False, name=preset.id: self.addRequested.emit(name))
        self.add_button.clicked.connect(self._open_menu)
        self.finding = QCheckBox("Look for servers on this computer")
        self.finding.setObjectName("providerFinding")
        self.finding.setAccessibleDescription("Only this computer is asked, at the usual ports, and no key is sent.")
        self.finding.toggled.connect(self.findingToggled)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 10)
        column.setSpacing(0)
        column.addWidget(self._notice)
        column.addWidget(self._unlock, 0, Qt.AlignmentFlag.AlignLeft)
        column.addLayout(self._list)
        column.addLayout(self._found)
        column.addSpacing(8)
        column.addWidget(self.add_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addSpacing(8)
        column.addWidget(self.finding, 0, Qt.AlignmentFlag.AlignLeft)
        column.addSpacing(8)
        column.addWidget(self._change, 0, Qt.AlignmentFlag.AlignLeft)
        theme.changed.connect(self._on_theme_changed)

    @property
    def menu(self) -> QMenu:
        return self._menu

    def row_field(self, provider: str) -> QPushButton:
        """The field of a row, which opens its form."""
        return self._rows[provider].field

    def row_status(self, provider: str) -> str:
        return self._rows[provider].status.text()

    def show_providers(self, providers: Sequence[ShownProvider], *, offline_models: int = 0) -> None:
        """All rows anew; what a test said of one that is still there stays, and so does the focus."""
        focused = next((name for name, row in self._rows.items() if row.isAncestorOf(self.focusWidget() or self)), None)
        old = {name: row.said for name, row in self._rows.items()}
        _clear(self._list)
        self._rows = {}
        for shown in providers:
            row = _Row(self._theme, shown)
            name = shown.profile.id
            row.field.clicked.connect(lambda _checked=False, name=name: self.editRequested.emit(name))
            row.test.clicked.connect(lambda _checked=False, name=name: self.testRequested.emit(name))
            self._rows[name] = row
            self._list.addWidget(row)
            self._list.addWidget(_line())
            if old.get(name):
                row.say(*old[name])  # type: ignore[misc]
        self._list.addWidget(_offline_row(self._theme))
        self._list.addWidget(_line())
        if focused in self._rows:
            self._rows[focused].field.setFocus()

    def show_found(self, servers: Sequence[FoundServer]) -> None:
        """Servers on this computer that can be added."""
        _clear(self._found)
        for server in servers:
            add = QPushButton("Add")
            add.setObjectName(f"foundAdd_{server.preset}")
            add.setAccessibleName(f"Add {server.label}, found on this computer")
            add.setAutoDefault(False)
            add.clicked.connect(lambda _checked=False, server=server: self.foundRequested.emit(server))
            address = server.base_url.removeprefix("http://").removesuffix("/v1")
            place = plain_label(f"{address}, {models_text(len(server.models))}", "text", wraps=True)
            self._found.addWidget(_plain_row(self._theme, server.label, "found on this computer", place, add))
            self._found.addWidget(_line())
        if servers:
            names = " and ".join(each.label for each in servers)
            announce(self, f"Found on this computer: {names}.")

    def show_status(self, provider: str, text: str, is_well: bool | None) -> None:
        """What a test says: None while it runs."""
        row = self._rows.get(provider)
        if row is not None:
            row.say(text, is_well)
            if is_well is not None:
                announce(self, f"{row.label}: {text}")

    def show_notice(self, text: str) -> None:
        """A sentence above the list; an empty one takes it away."""
        self._notice.setText(text)
        self._notice.setVisible(bool(text))
        announce(self, text)

    def show_locked(self, is_locked: bool, *, is_open: bool = False) -> None:
        """Whether keys lie in a file that nobody has opened in this run, or in one that is open."""
        self._unlock.setVisible(is_locked)
        self._change.setVisible(is_open)
        if is_locked and not self._notice.text():
            self.show_notice("Keys are in a file that is locked. They are used once its passphrase was entered.")

    def show_finding(self, is_on: bool) -> None:
        self.finding.blockSignals(True)
        self.finding.setChecked(is_on)
        self.finding.blockSignals(False)

    def _open_menu(self) -> None:
        self._menu.popup(self.add_button.mapToGlobal(self.add_button.rect().bottomLeft()))

    def _on_theme_changed(self) -> None:
        self.add_button.setIcon(icon("plus", self._theme.colour("text")))


class _Row(QWidget):
    """One provider. ``said`` is what the last test said."""

    def __init__(self, theme: Theme, shown: ShownProvider) -> None:
        super().__init__()
        profile = shown.profile
        self._theme = theme
        self.label = profile.label
        self.said: tuple[str, bool | None] | None = None
        self.setObjectName(f"provider_{profile.id}")
        self.field = QPushButton(field_text(shown).replace("&", "&&"))
        self.field.setObjectName(f"providerField_{profile.id}")
        self.field.setProperty("isField", True)
        self.field.setAutoDefault(False)
        self.field.setAccessibleName(f"Edit {profile.label}")
        hint = where_the_key_lies(shown) if profile.is_enabled else "switched off"
        self.field.setAccessibleDescription(f"{hint}. {field_text(shown)}")
        self.field.setMinimumWidth(100)
        self.status = plain_label("", "muted", wraps=True)
        self.status.setObjectName(f"providerStatus_{profile.id}")
        self._mark = _Mark(theme)
        self._mark.hide()
        self.test = QPushButton("Test")
        self.test.setObjectName(f"providerTest_{profile.id}")
        self.test.setAccessibleName(f"Test {profile.label}")
        self.test.setAutoDefault(False)
        fields = _fields(self.field, self._mark, self.status, self.test)
        _row(self, _words(profile.label, hint), fields, theme)
        self.status.hide()
        if shown.models is not None:
            self.say(models_text(len(shown.models.models)), None)
            self.status.setToolTip(f"Fetched {fetched_text(shown.models.fetched_at_ms)}")
            self.said = None

    def say(self, text: str, is_well: bool | None) -> None:
        self.said = (text, is_well)
        colour = "muted" if is_well is None else "accent" if is_well else "danger"
        self.status.setText(text)
        self.status.setStyleSheet(f"color: {self._theme.colour(colour).name()};")
        self.status.setVisible(bool(text))
        needed = self.status.fontMetrics().horizontalAdvance(text) + 2
        self.status.setMinimumWidth(min(needed, _STATUS_PX))
        self.status.setMaximumWidth(min(needed, round(_STATUS_PX * max(1.0, self._theme.scale))))
        self._mark.show_result(is_well)


class _Mark(QWidget):
    """A tick or a cross; nothing where nobody knows."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._is_well = True
        self.setFixedSize(QSize(ICON_PX, ICON_PX))

    def show_result(self, is_well: bool | None) -> None:
        self._is_well = bool(is_well)
        self.setVisible(is_well is not None)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        name, colour = ("circle-check", "accent") if self._is_well else ("circle-x", "danger")
        paint_icon(painter, QRectF(self.rect()), name, self._theme.colour(colour))
        painter.end()


def _words(title: str, hint: str) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(plain_label(title, "text", wraps=True))
    column.addWidget(plain_label(hint, "muted", wraps=True))
    column.addStretch(1)
    return column


def _fields(*fields: QWidget) -> QHBoxLayout:
    """The first takes what the others leave."""
    row = QHBoxLayout()
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(_GAP_PX)
    for place, field in enumerate(fields):
        row.addWidget(field, 1 if place == 0 else 0)
    return row


def _row(box: QWidget, words: QLayout, fields: QLayout, theme: Theme) -> None:
    scale = max(1.0, theme.scale)
    row = BesideOrBelow(
        box,
        gap_px=_GAP_PX,
        below_px=_BELOW_PX,
        wanted_px=round(_FIELDS_PX * scale),
        words_px=round(_WORDS_PX * scale),
    )
    row.setContentsMargins(0, 12, 0, 12)
    row.add_layout(words)
    row.add_layout(fields)


def _plain_row(theme: Theme, title: str, hint: str, *fields: QWidget) -> QWidget:
    box = QWidget()
    _row(box, _words(title, hint), _fields(*fields), theme)
    return box


def _offline_row(theme: Theme) -> QWidget:
    always = plain_label("always available", "text")
    always.setProperty("isQuiet", True)
    return _plain_row(theme, "Offline demo", "no network, for trying things out", always)


def _line() -> QFrame:
    line = QFrame()
    line.setObjectName("settingsLine")
    line.setFixedHeight(1)
    return line


def _column() -> QVBoxLayout:
    column = QVBoxLayout()
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    return column


def _clear(column: QVBoxLayout) -> None:
    while (item := column.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()
