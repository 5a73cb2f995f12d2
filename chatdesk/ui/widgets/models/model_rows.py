"""Lists the rows of the model chooser: matches of the search, liked ones first, then provider by provider. Only the
visible rows of the list are drawn."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.widgets.words import with_commas

ModelChoice = tuple[str, str]
ProviderChoices = tuple[str, str, Sequence[ModelChoice]]
Index = QModelIndex | QPersistentModelIndex

HEADING_ROLE: Final = Qt.ItemDataRole.UserRole + 1
LIKED_ROLE: Final = Qt.ItemDataRole.UserRole + 2
CURRENT_ROLE: Final = Qt.ItemDataRole.UserRole + 3
_LIKED = Text("Favourites")


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One row of the list of models. ``more`` is behind the label: the provider, or the id where a person renamed
    it. ``is_heading``: it cannot be chosen. The row for no model has neither provider nor model."""

    label: str
    provider: str = ""
    model: str = ""
    more: str = ""
    is_heading: bool = False


def rows_of(
    models: Sequence[ProviderChoices], words: str, liked: Collection[tuple[str, str]], *, blank: str = ""
) -> tuple[ModelRow, ...]:
    """Return the rows that match the typed words; each of its words must be in the label, the id or the provider's
    name. ``blank`` is the first row, which stands for no model."""
    wanted = words.casefold().split()
    favourites: list[ModelRow] = []
    rows: list[ModelRow] = []
    for provider, provider_label, choices in models:
        own = []
        for model, label in choices:
            text = f"{label} {model} {provider_label}".casefold()
            if not model or not all(word in text for word in wanted):
                continue
            own.append(ModelRow(label, provider, model, "" if label == model else model))
            if (provider, model) in liked:
                favourites.append(ModelRow(label, provider, model, provider_label))
        if own:
            rows += [ModelRow(provider_label, is_heading=True), *own]
    if favourites:
        rows = [ModelRow(shown(_LIKED), is_heading=True), *favourites, *rows]
    return (ModelRow(shown(blank)), *rows) if blank and not wanted else tuple(rows)


class ModelRows(QAbstractListModel):
    """The rows of the list of models. Headings cannot be chosen."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[ModelRow, ...] = ()
        self._liked: frozenset[tuple[str, str]] = frozenset()
        self._current: frozenset[tuple[str, str]] = frozenset()

    def show_rows(
        self,
        rows: tuple[ModelRow, ...],
        liked: Collection[tuple[str, str]],
        *,
        current: Collection[tuple[str, str]] = (),
    ) -> None:
        """Show the rows; those in ``current`` are ticked."""
        self.beginResetModel()
        self._rows, self._liked, self._current = rows, frozenset(liked), frozenset(current)
        self.endResetModel()

    def row(self, index: Index) -> ModelRow | None:
        return self._rows[index.row()] if index.isValid() and index.row() < len(self._rows) else None

    def place_of(self, provider: str, model: str) -> int:
        """Return the first row of a model; -1 when it is not there."""
        return next((at for at, row in enumerate(self._rows) if (row.provider, row.model) == (provider, model)), -1)

    def first(self) -> int:
        return next((at for at, row in enumerate(self._rows) if not row.is_heading), -1)

    def count(self) -> int:
        """Return the number of models that are shown, each counted once."""
        return len({(row.provider, row.model) for row in self._rows if not row.is_heading})

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        row = self.row(index)
        if row is None or row.is_heading:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.row(index)
        if row is None:
            return None
        is_liked = (row.provider, row.model) in self._liked
        is_current = not row.is_heading and (row.provider, row.model) in self._current
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{row.label}  ·  {row.more}" if row.more else row.label
        if role == Qt.ItemDataRole.AccessibleTextRole:
            said = [
                row.label,
                row.more or row.provider,
                tr("favourite") if is_liked else "",
                tr("chosen") if is_current else "",
            ]
            return with_commas(said)
        if role == HEADING_ROLE:
            return row.is_heading
        if role == CURRENT_ROLE:
            return is_current
        return is_liked if role == LIKED_ROLE else None
