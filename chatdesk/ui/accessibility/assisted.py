"""Controls that an assistive program uses: it toggles without a click, and selects without moving the focus."""

from __future__ import annotations

from PySide6.QtCore import QItemSelection
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView


def show_checked(button: QAbstractButton, is_checked: bool) -> None:
    """Show a state that is in force already: whoever listens to ``toggled`` is not told."""
    was_blocked = button.blockSignals(True)
    button.setChecked(is_checked)
    button.blockSignals(was_blocked)


def open_selected(view: QAbstractItemView) -> None:
    """Make the row that is selected the current one, which the program follows. Call it once the view has its model."""

    def on_selected(selected: QItemSelection, _deselected: QItemSelection) -> None:
        rows = [index for index in selected.indexes() if index.row() != view.currentIndex().row()]
        if rows and view.selectionMode() is QAbstractItemView.SelectionMode.SingleSelection:
            view.setCurrentIndex(rows[0])

    view.selectionModel().selectionChanged.connect(on_selected)
