"""The palette, one box for everything: its text is searched while one types, and the list below is walked by keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListView, QVBoxLayout, QWidget

from chatdesk.core.domain.search import FilterName, SearchGroup, SearchHit, SearchKind
from chatdesk.core.domain.thread import Thread
from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.announce import announce
from chatdesk.ui.accessibility.names import named
from chatdesk.ui.commands.command import Command
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.dialogs.panel import Panel
from chatdesk.ui.palette.listing import Listed, rows_of, wants_commands_only
from chatdesk.ui.palette.row_list import RowDelegate, RowModel
from chatdesk.ui.palette.rows import (
    ORDER,
    NextPage,
    PaletteRow,
    RowKind,
    summary_of,
)
from chatdesk.ui.theme.theme import Theme

_TOP_PX = 96
_WIDTH_PX, _HEIGHT_PX = 620, 440
_EDGE_PX = 8
_TYPING_MS = 20
_QUIET_MS = 600
_LONGEST_QUERY = 1_000


class Palette(Panel):
    """The palette: a field over a list of commands and search results. ``searchWanted`` asks for results of a text
    (empty: none), which come back through ``show_group`` and ``finish``; ``moreWanted`` for the next page of one kind.
    ``hitChosen`` carries the hit and the text it was found by. A chosen command runs after the palette has closed, so
    that it finds the window as it was."""

    searchWanted = Signal(str)
    moreWanted = Signal(object, str)
    hitChosen = Signal(object, str)

    def __init__(
        self, theme: Theme, commands: CommandRegistry, *, text: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, tr("Search everything"), parent=parent, top_px=_TOP_PX)
        self.setObjectName("commandPalette")
        self._commands = commands
        self._groups: dict[SearchKind, SearchGroup] = {}
        self._fresh: set[SearchKind] = set()
        self._recent: Sequence[Thread] = ()
        self._names: Mapping[FilterName, Sequence[str]] = {}
        self._keys: dict[str, str] = {}
        self._note = ""
        self._searched = ""
        self.is_over = True
        self._is_choice_kept = False
        self._build(theme)
        self._typing = self._timer(_TYPING_MS, self._search)
        self._quiet = self._timer(_QUIET_MS, self._announce_summary)
        self.field.textChanged.connect(self._on_field_text_changed)
        self.field.installEventFilter(self)
        self.list.clicked.connect(self._on_list_clicked)
        commands.refresh()
        self.fit(_WIDTH_PX, _HEIGHT_PX)
        self._tallest = self.height()
        self._refill(is_over=True)
        if text:
            self.field.setText(text)
        self.field.setFocus()

    # What the controller says

    def set_recent(self, threads: Sequence[Thread]) -> None:
        self._recent = threads
        self._refill()

    def set_names(self, names: Mapping[FilterName, Sequence[str]]) -> None:
        """Set the projects, tags and models that a filter may name."""
        self._names = names
        self._refill()

    def show_group(self, text: str, group: SearchGroup, *, is_next_page: bool = False) -> None:
        """Show the results for ``text``; those for an older text are ignored."""
        if text != self._searched:
            return
        before = self._groups.get(group.kind)
        if is_next_page and before is not None:
            group = SearchGroup(
                group.kind,
                (*before.hits, *group.hits),
                max(before.count, group.count),
                is_more=before.is_more,
                elapsed_ms=before.elapsed_ms,
                note=before.note,
                next_cursor=group.next_cursor,
            )
        self._groups[group.kind] = group
        self._fresh.add(group.kind)
        self._refill()

    def finish(self, text: str, note: str = "") -> None:
        """End the search for ``text``; ``note`` is what else is to be said."""
        if text != self._searched:
            return
        self._groups = {kind: group for kind, group in self._groups.items() if kind in self._fresh}
        self._note = note
        self.is_over = True
        self._refill(is_over=True)
        self._quiet.start()

    @property
    def searched(self) -> str:
        """The text whose results are shown or awaited."""
        return self._searched

    @property
    def rows(self) -> tuple[PaletteRow, ...]:
        return self._model.rows

    @property
    def current(self) -> PaletteRow | None:
        return self._model.row(self.list.currentIndex().row())

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
        if visible:
            self.field.end(False)  # the first focus has selected all of it

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.list.scheduleDelayedItemsLayout()

    # Building

    def _build(self, theme: Theme) -> None:
        self.field = named(QLineEdit(), "paletteField", tr("Search everything"))
        self.field.setAccessibleDescription(tr("Results are below: up and down choose, Tab goes to the next group"))
        self.field.setPlaceholderText(tr("Search messages, threads, files and commands"))
        self.field.setMaxLength(_LONGEST_QUERY)
        self.field.setFrame(False)
        self._model = RowModel(self)
        self.list = named(QListView(), "paletteList", tr("Results"))
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setModel(self._model)
        self.list.setItemDelegate(RowDelegate(theme, self.list))
        line = QFrame()
        line.setFixedHeight(1)
        line.setStyleSheet(f"background: {theme.tokens.line};")
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

    def _timer(self, interval_ms: int, run: object) -> QTimer:
        timer = QTimer(self, singleShot=True, interval=interval_ms)
        timer.timeout.connect(run)
        return timer

    # Keys

    def _on_key(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self.current)
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self._step(1 if key == Qt.Key.Key_Down else -1)
        elif key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
            for _ in range(7):
                self._step(1 if key == Qt.Key.Key_PageDown else -1, is_round=False)
        elif key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            self._step_group(1 if key == Qt.Key.Key_Tab else -1)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End) and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            choosable = self._choosable()
            if choosable:
                self._set_current(choosable[0] if key == Qt.Key.Key_Home else choosable[-1])
        else:
            return False
        if key not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._announce_current()
        return True

    def _step(self, step: int, *, is_round: bool = True) -> None:
        choosable = self._choosable()
        if not choosable:
            return
        here = self.list.currentIndex().row()
        place = choosable.index(here) + step if here in choosable else (0 if step > 0 else len(choosable) - 1)
        last = len(choosable) - 1
        self._set_current(choosable[place % (last + 1) if is_round else max(0, min(last, place))])

    def _step_group(self, step: int) -> None:
        """Move to the first row below the next heading, wrapping at the ends."""
        firsts = [
            number
            for number in self._choosable()
            if number == 0 or not (before := self._model.row(number - 1)) or before.kind is RowKind.HEADING
        ]
        if not firsts:
            return
        here = self.list.currentIndex().row()
        own = max((place for place, first in enumerate(firsts) if first <= here), default=-1)
        self._set_current(firsts[(own + step) % len(firsts)])

    def _choosable(self) -> list[int]:
        return [number for number, row in enumerate(self._model.rows) if row.is_choosable]

    def _set_current(self, number: int) -> None:
        self._is_choice_kept = True
        self.list.setCurrentIndex(self._model.index(number, 0))
        above = self._model.row(number - 1)
        if above is not None and above.kind is RowKind.HEADING:
            self.list.scrollTo(self._model.index(number - 1, 0))
        self.list.scrollTo(self._model.index(number, 0))

    # Choosing

    def _on_list_clicked(self, index: QModelIndex) -> None:
        self._choose(self._model.row(index.row()))

    def _choose(self, row: PaletteRow | None) -> None:
        if row is None or not row.is_choosable:
            return
        if row.kind is RowKind.COMPLETION:
            self.field.setText(str(row.value))
        elif row.kind is RowKind.MORE:
            assert isinstance(row.value, NextPage)
            self.moreWanted.emit(row.value.kind, row.value.cursor)
        elif row.kind is RowKind.COMMAND:
            self.accept()
            self._commands.trigger(str(row.value))
        elif isinstance(row.value, SearchHit):
            hit, text = row.value, self._searched
            self.accept()
            self.hitChosen.emit(hit, text)

    # Filling

    def _on_field_text_changed(self) -> None:
        self._is_choice_kept = False
        # The first key is searched at once; while a search is running the next ones wait for a moment.
        self._typing.start(0 if self.is_over else _TYPING_MS)
        self._refill()

    def _search(self) -> None:
        text = self.field.text()
        wanted = "" if wants_commands_only(text) else text.strip()
        if wanted and text[-1].isspace():
            wanted += " "  # the last word is whole, and no beginning of others
        self._fresh = set()
        self._note = ""
        self._searched = wanted
        self.is_over = not wanted
        if not wanted:
            self._groups = {}
            self._refill(is_over=True)
            self._quiet.start()
        self.searchWanted.emit(wanted)

    def _refill(self, *, is_over: bool = False) -> None:
        """Build the rows again. A row that was chosen with a key stays chosen; otherwise the first one is."""
        kept = self.current.key if self._is_choice_kept and self.current is not None else None
        listed = Listed(
            self.field.text(),
            self._groups,
            self._recent,
            self._names,
            self._commands_now(),
            self._note,
            is_over,
        )
        self._model.show(rows_of(listed, now=datetime.now().astimezone()))
        choosable = self._choosable()
        number = next((each for each in choosable if self._model.rows[each].key == kept), None)
        if number is None:
            number = choosable[0] if choosable else -1
            self._is_choice_kept = False
        index = self._model.index(number, 0)
        if index != self.list.currentIndex():
            self.list.setCurrentIndex(index)
        if not self._is_choice_kept:
            self.list.scrollToTop()
        self._fit_height(is_over=is_over)

    def _fit_height(self, *, is_over: bool) -> None:
        """Make the palette as tall as its rows, up to a bound; smaller again only when a search is over, so that
        nothing flickers."""
        above = self.list.geometry().top() + _EDGE_PX
        wanted = above + 2
        for number in range(len(self._model.rows)):
            wanted += self.list.sizeHintForRow(number)
            if wanted >= self._tallest:
                wanted = self._tallest
                break
        if wanted > self.height() or is_over:
            self.resize(self.width(), wanted)

    def _commands_now(self) -> list[tuple[Command, str]]:
        commands = self._commands
        return [(command, self._keys_of(command)) for command in commands.offered() if command.is_in_palette]

    def _keys_of(self, command: Command) -> str:
        # They stay what they are while this is open, and are asked for with every letter.
        known = self._keys.get(command.id)
        if known is None:
            known = self._keys[command.id] = self._commands.keys.first_text(command)
        return known

    # Speaking

    def _announce_current(self) -> None:
        row = self.current
        if row is not None:
            announce(self.field, row.spoken or row.text)

    def _announce_summary(self) -> None:
        commands = sum(row.kind is RowKind.COMMAND for row in self._model.rows)
        groups = [self._groups[kind] for kind in ORDER if kind in self._groups]
        if self.field.text().strip():
            announce(self.field, summary_of(groups, commands))
