"""Shows the palette, one box for everything: its text is searched while a person types, and keys walk through the list
below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QVBoxLayout, QWidget

from chatdesk.core.domain.search import FilterName, SearchHit
from chatdesk.core.domain.thread import Thread
from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.dialogs.panel import Panel
from chatdesk.ui.features.search.listing import ONLY_COMMANDS, Listed, offered_commands, rows_of, wants_commands_only
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.found.found_list import FoundList
from chatdesk.ui.widgets.found.results import Results
from chatdesk.ui.widgets.found.rows import FoundRow, NextPage, RowKind

_TOP_PX = 96
_WIDTH_PX, _HEIGHT_PX = 620, 440
_EDGE_PX, _SIDE_PX = 8, 18
_TYPING_MS = 20
_LONGEST_QUERY = 1_000


class Palette(Panel):
    """The palette: a field over a list of commands and search results. ``results`` asks for those of a text,
    ``moreWanted`` for the next page of one kind. ``hitChosen`` carries the hit and the text it was found by. A chosen
    command runs after the palette has closed, so that it finds the window as it was."""

    moreWanted = Signal(object, str)
    hitChosen = Signal(object, str)
    ground = "floating"

    def __init__(
        self, theme: Theme, commands: CommandRegistry, *, text: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, tr("Search everything"), parent=parent, top_px=_TOP_PX)
        self.setObjectName("commandPalette")
        self._commands = commands
        self._recent: Sequence[Thread] = ()
        self._names: Mapping[FilterName, Sequence[str]] = {}
        self._has_all_threads = False
        self._is_list_over = False
        self._build(theme)
        self.results = Results(self.field)
        self.results.changed.connect(self._refill)
        self.results.counted.connect(self.list.announce_found)
        self._typing = QTimer(self, singleShot=True, interval=_TYPING_MS)
        self._typing.timeout.connect(self._search)
        self.field.textChanged.connect(self._on_field_text_changed)
        self.field.installEventFilter(self)
        self.list.chosen.connect(self._on_list_chosen)
        commands.refresh()
        self.fit(_WIDTH_PX, _HEIGHT_PX)
        self._tallest = self.height()
        self._refill()
        if text:
            self.field.setText(text)
        self.field.setFocus()

    # Updates from the controller

    def set_recent(self, threads: Sequence[Thread]) -> None:
        self._recent = threads
        self._refill()

    def set_names(self, names: Mapping[FilterName, Sequence[str]]) -> None:
        """Set the projects, tags and models that a filter may name."""
        self._names = names
        self._refill()

    def show_words(self, text: str) -> None:
        """Show ``text``, or if it is empty select the typed text, so that typing replaces it."""
        self.field.setFocus()
        if text:
            self.field.setText(text)
        else:
            self.field.selectAll()

    @property
    def rows(self) -> tuple[FoundRow, ...]:
        return self.list.rows

    @property
    def current(self) -> FoundRow | None:
        return self.list.current

    # Qt's questions

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._on_key(event) or super().eventFilter(watched, event)
        return super().eventFilter(watched, event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit_height(is_over=True)

    def setVisible(self, visible: bool) -> None:
        super().setVisible(visible)
        if visible and wants_commands_only(self.field.text()):
            self.field.end(False)  # the first focus selected the whole text

    # Building

    def _build(self, theme: Theme) -> None:
        self.field = named(QLineEdit(), "paletteField", tr("Search everything"))
        self.field.setAccessibleDescription(tr("Results are below: up and down choose, Tab goes to the next group"))
        self.field.setPlaceholderText(tr("Search messages, threads, files and commands"))
        self.field.setMaxLength(_LONGEST_QUERY)
        self.field.setFrame(False)
        self.list = FoundList(theme, self.field, object_name="paletteList", side_px=_SIDE_PX)
        line = QFrame()
        line.setFixedHeight(1)
        line.setStyleSheet(f"background: {theme.tokens.field_line};")
        column = QVBoxLayout(self)
        column.setContentsMargins(1, _EDGE_PX, 1, _EDGE_PX)
        column.setSpacing(6)
        column.addWidget(self.field)
        column.addWidget(line)
        column.addWidget(self.list, 1)
        self.setStyleSheet(
            "#paletteField { border: none; background: transparent; padding: 8px 18px; }"
            "#paletteList { background: transparent; border: none; }"
        )

    # Keys

    def _on_key(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            self.list.step_group(1 if key == Qt.Key.Key_Tab else -1)
        elif (command := self._command_of(event)) == "go.search":
            self.show_words("")
        elif command == "app.palette":
            self.show_words(ONLY_COMMANDS)
        else:
            return self.list.use_key(event) or key in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        return True

    def _command_of(self, event: QKeyEvent) -> str:
        owner = self._commands.keys.owner_of(QKeySequence(event.keyCombination()).toString())
        return "" if owner is None else owner.id

    # Choosing

    def _on_list_chosen(self, row: FoundRow) -> None:
        if row.kind is RowKind.COMPLETION:
            self.field.setText(str(row.value))
        elif isinstance(row.value, NextPage):
            if row.value.cursor:
                self.moreWanted.emit(row.value.kind, row.value.cursor)
            else:
                self._has_all_threads = True
                self._refill()
        elif row.kind is RowKind.COMMAND:
            self.accept()
            self._commands.trigger(str(row.value))
        elif isinstance(row.value, SearchHit):
            hit, text = row.value, self.results.searched
            self.accept()
            self.hitChosen.emit(hit, text)

    # Filling

    def _on_field_text_changed(self) -> None:
        self.list.forget_choice()
        self._has_all_threads = False
        # The first key is searched at once; while a search is running the next ones wait for a moment.
        self._typing.start(0 if self.results.is_over else _TYPING_MS)
        self._is_list_over = False
        self._refill()

    def _search(self) -> None:
        text = self.field.text()
        wanted = "" if wants_commands_only(text) else text.strip()
        if wanted and text[-1].isspace():
            wanted += " "  # the last word is whole, and no beginning of others
        self._is_list_over = True
        self.results.search(wanted)

    def _refill(self) -> None:
        """Build the rows again."""
        is_over = self._is_list_over and self.results.is_over
        listed = Listed(
            self.field.text(),
            self.results.groups,
            self._recent,
            self._names,
            offered_commands(self._commands),
            self._has_all_threads,
            self.results.note,
            is_over,
        )
        rows = rows_of(listed, now=datetime.now().astimezone())
        self.list.show_rows(rows)
        is_asked = bool(self.field.text().strip())
        self.results.commands = sum(row.kind is RowKind.COMMAND for row in rows) if is_asked else 0
        self._fit_height(is_over=is_over)

    def _fit_height(self, *, is_over: bool) -> None:
        """Make the palette as tall as its rows, up to a bound; smaller again only when a search is over, so that
        nothing flickers."""
        above = self.list.geometry().top() + _EDGE_PX
        wanted = min(above + 2 + self.list.rows_height_px, self._tallest)
        if wanted > self.height() or is_over:
            self.resize(self.width(), wanted)
