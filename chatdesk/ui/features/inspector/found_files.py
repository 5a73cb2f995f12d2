"""Shows the passages that a question finds in the files of its project: place, rank and reason, and whether each is
sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk.core.domain.knowledge import EnclosedPassages, FilesOutcome, ListedPassage, PassageChoice, PassageFate
from chatdesk.core.rendering.sources import FILES_SENTENCES
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.features.inspector.rows import ItemListModel, RowList, RowRole, button_row, plain_label
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import PillButton
from chatdesk.ui.widgets.words import with_commas

_AnyIndex = QModelIndex | QPersistentModelIndex
_FATES: Final[Mapping[PassageFate, Text]] = {
    PassageFate.SENT: Text("sent"),
    PassageFate.NO_ROOM: Text("not sent: no room"),
    PassageFate.FAR: Text("not sent: does not fit the question"),
    PassageFate.LEFT_OUT: Text("not sent: left out"),
    PassageFate.HELD_BACK: Text("not sent: this provider never gets it"),
    PassageFate.GONE: Text("not sent: no longer in the files"),
}
_ICONS: Final[Mapping[PassageFate, str]] = {
    PassageFate.SENT: "check",
    PassageFate.NO_ROOM: "history",
    PassageFate.FAR: "info",
    PassageFate.LEFT_OUT: "x",
    PassageFate.HELD_BACK: "circle-stop",
    PassageFate.GONE: "info",
}
_MOST_SHOWN: Final = 4
_ROW_PX: Final = 30


class FoundFiles(QWidget):
    """A list of passages with buttons for the current one. ``openRequested`` has the link of one,
    ``choiceRequested(place, choice)`` what the person decided about it."""

    openRequested = Signal(str)
    choiceRequested = Signal(object, object)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._model = _Model(self)
        self._title = plain_label(tr("From the files of the project"), "strong")
        self._note = plain_label("", "muted")
        self.list = RowList(theme, name=tr("What was found in the files"), object_name="foundFilesList")
        self.list.setModel(self._model)
        self.list.activated.connect(lambda _index: self._open())
        self.list.selectionModel().currentChanged.connect(lambda _now, _before: self._show_state())
        self._about = plain_label("", "muted")
        self.pin_button = PillButton(theme, tr("Pin"), object_name="passagePinButton")
        self.pin_button.clicked.connect(lambda: self._choose(PassageChoice.PINNED))
        self.leave_button = PillButton(theme, tr("Leave out"), object_name="passageLeaveButton")
        self.leave_button.clicked.connect(lambda: self._choose(PassageChoice.LEFT_OUT))
        self.open_button = PillButton(theme, tr("Show the passage"), object_name="passageOpenButton")
        self.open_button.clicked.connect(self._open)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self._title, self._note, self.list, self._about):
            column.addWidget(widget)
        column.addLayout(button_row(self.pin_button, self.leave_button, self.open_button))
        theme.changed.connect(self._fit)
        self.hide()

    def show_found(self, found: EnclosedPassages | None) -> None:
        """Show the passages that were found; None in a project without files. The current row stays current
        where it is still there."""
        self.setVisible(found is not None)
        current = self._current()
        rows = () if found is None else found.rows
        self._model.show_items(rows)
        outcome = FilesOutcome.FOUND if found is None else found.outcome
        self._note.setText(shown(FILES_SENTENCES.get(outcome, "")))
        self._note.setVisible(bool(self._note.text()))
        self.list.setVisible(bool(rows))
        place = next((at for at, each in enumerate(rows) if current is not None and each.place == current.place), 0)
        if rows:
            self.list.setCurrentIndex(self._model.index(place))
        self._fit()
        self._show_state()

    def _fit(self) -> None:
        shown_count = min(self._model.rowCount(), _MOST_SHOWN)
        self.list.setFixedHeight(round(shown_count * _ROW_PX * max(1.0, self._theme.scale)) + 2)

    def _current(self) -> ListedPassage | None:
        return self._model.item(self.list.currentIndex().row())

    def _open(self) -> None:
        row = self._current()
        if row is not None and row.link:
            self.openRequested.emit(row.link)

    def _choose(self, choice: PassageChoice) -> None:
        row = self._current()
        if row is not None:
            self.choiceRequested.emit(row.place, PassageChoice.NONE if row.choice is choice else choice)

    def _show_state(self) -> None:
        row = self._current()
        for widget in (self._about, self.pin_button, self.leave_button, self.open_button):
            widget.setVisible(row is not None)
        if row is not None:
            self._about.setText(about_row(row))
            self.pin_button.setText(tr("Unpin") if row.choice is PassageChoice.PINNED else tr("Pin"))
            is_left_out = row.choice is PassageChoice.LEFT_OUT
            self.leave_button.setText(tr("Use again") if is_left_out else tr("Leave out"))
            self.open_button.setVisible(bool(row.link))
            for button in (self.pin_button, self.leave_button):
                button.set_name(button.text())


class _Model(ItemListModel[ListedPassage]):
    def data(self, index: _AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.item(index.row())
        if row is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return shown(row.title)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return tr("{about}: {text}", about=about_row(row), text=row.title)
        if role == Qt.ItemDataRole.ToolTipRole:
            return shown(row.title)
        return {
            RowRole.INDENT: 0,
            RowRole.ICON: "pin" if row.choice is PassageChoice.PINNED else _ICONS[row.fate],
            RowRole.NOTE: "" if row.number is None else f"[{row.number}]",
            RowRole.IS_QUIET: row.fate is not PassageFate.SENT,
            RowRole.IS_STRUCK: row.choice is PassageChoice.LEFT_OUT,
        }.get(role)  # type: ignore[call-overload]


def about_row(row: ListedPassage) -> str:
    """Return the fate of a passage, its rank and the reasons for it, on one line."""
    parts = [shown(_FATES[row.fate])]
    if row.choice is PassageChoice.PINNED:
        parts.append(tr("pinned"))
    if row.rank is not None:
        parts.append(tr("place {rank}", rank=row.rank))
    if row.is_named:
        parts.append(tr("named in the question"))
    if row.by_words is not None:
        parts.append(tr("by words: {place}", place=row.by_words))
    if row.by_meaning is not None and row.fate is not PassageFate.FAR:
        parts.append(tr("by meaning: {place}", place=row.by_meaning))
    if row.place.is_whole_file:
        parts.append(tr("the whole file"))
    return with_commas(parts)
