"""Shows the models of one provider as a table that a person can edit: whether each is offered, its name, whether it
sees images, its context and its prices. Known values without a person's change are shown in a quieter colour."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from chatdesk.core.domain.model_info import ModelInfo, ModelOverrides
from chatdesk.core.domain.typed_values import NotAFigure, price_text, read_price, read_window, window_text
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.theme.theme import Theme

Index = QModelIndex | QPersistentModelIndex
_LONGEST_NAME: Final = 80


_NOTHING: Final = ModelOverrides()


class Column(IntEnum):
    OFFERED = 0
    MODEL = 1
    NAME = 2
    IMAGES = 3
    CONTEXT = 4
    INPUT = 5
    OUTPUT = 6


_HEADINGS: Final[Mapping[Column, str]] = {
    Column.OFFERED: Text("Show"),
    Column.MODEL: Text("Model"),
    Column.NAME: Text("Your name for it"),
    Column.IMAGES: Text("Sees images"),
    Column.CONTEXT: Text("Context"),
    Column.INPUT: Text("$ in / 1M"),
    Column.OUTPUT: Text("$ out / 1M"),
}
_SAID: Final[Mapping[Column, str]] = {
    Column.OFFERED: Text("Offered when a model is chosen."),
    Column.MODEL: Text("The id of the model at its server."),
    Column.NAME: Text("The name under which it is offered."),
    Column.IMAGES: Text("Whether images are sent to it. A dash means unknown."),
    Column.CONTEXT: Text("How many tokens it reads at once, such as 128k."),
    Column.INPUT: Text("US dollars for a million tokens that it reads."),
    Column.OUTPUT: Text("US dollars for a million tokens that it writes."),
}
_TICKED: Final = {Column.OFFERED, Column.IMAGES}
# The figures: where the person's own is kept, and how it is read and written.
_FIGURES: Final[Mapping[Column, tuple[str, Callable[[str], Any], Callable[[Any], str]]]] = {
    Column.CONTEXT: ("context_window", read_window, window_text),
    Column.INPUT: ("input_price", read_price, price_text),
    Column.OUTPUT: ("output_price", read_price, price_text),
}
_TYPED: Final = {Column.NAME, *_FIGURES}


@dataclass(frozen=True, slots=True)
class ModelLine:
    """A model with its ``known`` values and those that the person set."""

    id: str
    label: str
    known: ModelInfo
    alias: str = ""
    said: ModelOverrides = _NOTHING

    @property
    def sees_images(self) -> bool | None:
        return self.said.sees_images if self.said.sees_images is not None else self.known.sees_images


class ModelTable(QAbstractTableModel):
    """The table model of a provider's models. ``refused`` says why something that was typed was not taken."""

    refused = Signal(str)

    def __init__(self, theme: Theme, lines: Sequence[ModelLine], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._lines = list(lines)
        self._shown = list(range(len(lines)))
        self._words: list[str] = []

    @property
    def lines(self) -> tuple[ModelLine, ...]:
        """The lines of all models, also those that the search leaves out."""
        return tuple(self._lines)

    def find(self, text: str) -> None:
        """Show the models that have all these words in their id or a name."""
        self.beginResetModel()
        self._words = text.casefold().split()
        self._shown = [place for place, line in enumerate(self._lines) if self._has_words(line)]
        self.endResetModel()

    def add(self, line: ModelLine) -> Index:
        """Add a model, or find it when it is there already, and return its index."""
        place = next((number for number, each in enumerate(self._lines) if each.id == line.id), None)
        if place is None:
            place = len(self._lines)
            self._lines.append(line)
        self.find("")
        return self.index(place, Column.NAME)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(Column)

    def flags(self, index: Index) -> Qt.ItemFlag:
        found = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() in _TICKED:
            return found | Qt.ItemFlag.ItemIsUserCheckable
        return found | Qt.ItemFlag.ItemIsEditable if index.column() in _TYPED else found

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return shown(_HEADINGS[Column(section)])
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole):
            return shown(_SAID[Column(section)])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(Column(section))
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        line, column = self._lines[self._shown[index.row()]], Column(index.column())
        if role == Qt.ItemDataRole.CheckStateRole and column in _TICKED:
            return _tick(line, column)
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(line, column)
        if role == Qt.ItemDataRole.EditRole:
            return _typed(line, column)
        if role == Qt.ItemDataRole.ForegroundRole:
            is_quiet = column in _TYPED and not _typed(line, column)
            return self._theme.colour("muted" if is_quiet or line.said.is_hidden else "text")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{shown(_HEADINGS[column])}: {_spoken(line, column)}"
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        place, column = self._shown[index.row()], Column(index.column())
        line = self._lines[place]
        if role == Qt.ItemDataRole.CheckStateRole:
            changed = _ticked(line, column)
        elif role == Qt.ItemDataRole.EditRole:
            try:
                changed = _with_text(line, column, str(value).strip())
            except NotAFigure as error:
                self.refused.emit(f"{line.id}: {error}")
                return False
        else:
            return False
        self._lines[place] = changed
        self.refused.emit("")
        self.dataChanged.emit(self.index(index.row(), 0), self.index(index.row(), len(Column) - 1))
        return True

    def _has_words(self, line: ModelLine) -> bool:
        text = f"{line.id} {line.label} {line.alias}".casefold()
        return all(word in text for word in self._words)


def _ticked(line: ModelLine, column: Column) -> ModelLine:
    """Return a line with a check box set or cleared. A value that is already known from elsewhere is not stored."""
    if column is Column.OFFERED:
        return replace(line, said=replace(line.said, is_hidden=not line.said.is_hidden))
    sees = not line.sees_images
    is_known = sees is line.known.sees_images
    return replace(line, said=replace(line.said, sees_images=None if is_known else sees))


def _with_text(line: ModelLine, column: Column, text: str) -> ModelLine:
    """Return a line with an entered value; an empty text clears it. Raises ``NotAFigure``."""
    if column is Column.NAME:
        return replace(line, alias=" ".join(text.split())[:_LONGEST_NAME])
    name, read, _write = _FIGURES[column]
    changed: dict[str, Any] = {name: read(text) if text else None}
    return replace(line, said=replace(line.said, **changed))


def _typed(line: ModelLine, column: Column) -> str:
    """Return the person's value as they would type it; empty where they set none."""
    if column is Column.NAME:
        return line.alias
    name, _read, write = _FIGURES.get(column, ("is_hidden", str, lambda _value: ""))
    value = getattr(line.said, name)
    return "" if value is None else write(value)


def _text(line: ModelLine, column: Column) -> str:
    """Return the text of a cell: the person's value, else the known one."""
    if column in _TICKED:
        return ""
    if column is Column.MODEL:
        return line.id
    if typed := _typed(line, column):
        return typed
    known = line.known
    if column is Column.NAME:
        return line.label if line.label != line.id else ""
    if column is Column.CONTEXT:
        return window_text(known.context_window)
    if known.price is None:
        return ""
    return price_text(known.price.input if column is Column.INPUT else known.price.output)


def _tick(line: ModelLine, column: Column) -> Qt.CheckState:
    if column is Column.OFFERED:
        return Qt.CheckState.Unchecked if line.said.is_hidden else Qt.CheckState.Checked
    if line.sees_images is None:
        return Qt.CheckState.PartiallyChecked
    return Qt.CheckState.Checked if line.sees_images else Qt.CheckState.Unchecked


def _spoken(line: ModelLine, column: Column) -> str:
    if column not in _TICKED:
        return _text(line, column) or tr("not known")
    words = {Qt.CheckState.Checked: tr("yes"), Qt.CheckState.Unchecked: tr("no")}
    return words.get(_tick(line, column), tr("not known"))


def _alignment(column: Column) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignTrailing if column in _FIGURES else Qt.AlignmentFlag.AlignLeading
    return side | Qt.AlignmentFlag.AlignVCenter
