"""Edits the models of one provider: which are offered, their names, abilities and prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QTableView,
    QWidget,
)

from chatdesk.core.domain.model_info import ModelOverrides
from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.features.providers.model_table import Column, ModelLine, ModelTable
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import FOCUS_RING_PX
from chatdesk.ui.widgets.search_field import SearchField

_WIDTH_PX, _HEIGHT_PX, _ROW_PX = 860, 620, 34
_WIDTHS_PX: Final[Mapping[Column, int]] = {
    Column.OFFERED: 58,
    Column.NAME: 170,
    Column.IMAGES: 96,
    Column.CONTEXT: 100,
    Column.INPUT: 84,
    Column.OUTPUT: 90,
}


class ProviderModels(FormPanel):
    """A dialog for the models of one provider. ``saved`` carries the person's settings of models (by id, only changed
    ones), their names, and the ids that they added. The dialog stays open until ``accept``."""

    saved = Signal(object, object, object)
    refreshRequested = Signal()
    addRequested = Signal(str)

    def __init__(self, theme: Theme, label: str, lines: Sequence[ModelLine], *, parent: QWidget | None = None) -> None:
        super().__init__(
            theme,
            tr("Models of {label}", label=label),
            object_name="providerModels",
            size_px=(_WIDTH_PX, _HEIGHT_PX),
            title_role="heading",
            parent=parent,
        )
        self._added: list[str] = []
        self.search = SearchField(theme, object_name="providerModelsSearch", placeholder=tr("Search models"))
        self.table = named(QTableView(), "providerModelsTable", self.windowTitle())
        self.table.setAccessibleDescription(tr("Arrows move, Space ticks, F2 or typing changes a cell."))
        self.new = named(QLineEdit(), "providerModelsNew", tr("Id of a model that is missing"))
        self.new.setPlaceholderText(tr("Id of a model that is missing"))
        self.rows = ModelTable(theme, lines, self)
        self._lay_out()
        self._dress()
        self._show(self.rows)
        self.search.textChanged.connect(self._on_search_changed)
        self.new.installEventFilter(self)
        self.table.installEventFilter(self)
        (self.table if lines else self.new).setFocus()

    def show_lines(self, lines: Sequence[ModelLine]) -> None:
        """Show the newly fetched list; changes typed in the meantime stay."""
        typed = {each.id: each for each in self.rows.lines}
        fresh = {each.id: each for each in lines}
        kept = [
            replace(each, alias=typed[each.id].alias, said=typed[each.id].said) if each.id in typed else each
            for each in lines
        ]
        missing = [each for each in self.rows.lines if each.id not in fresh]
        self._show(ModelTable(self.theme, [*kept, *missing], self))
        self.rows.find(self.search.text())
        self.show_problem("")

    def add_line(self, line: ModelLine) -> None:
        """Add a model that the person named."""
        if all(each.id != line.id for each in self.rows.lines):
            self._added.append(line.id)
        self.search.clear()
        index = self.rows.add(line)
        self.table.setCurrentIndex(self.rows.index(index.row(), index.column()))
        self.table.scrollTo(self.table.currentIndex())
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            if watched is self.new and is_enter and self.new.text().strip():
                self._on_add_clicked()
                return True
            # without the table's focus, Enter ended an edit in a cell
            if watched is self.table and is_enter and self.table.hasFocus():
                self._change_current()
                return True
        return super().eventFilter(watched, event)

    def _change_current(self) -> None:
        """Tick the current cell, or start editing it."""
        index = self.table.currentIndex()
        if index.flags() & Qt.ItemFlag.ItemIsUserCheckable:
            self.rows.setData(index, None, Qt.ItemDataRole.CheckStateRole)
        elif index.flags() & Qt.ItemFlag.ItemIsEditable:
            self.table.edit(index)

    def _show(self, rows: ModelTable) -> None:
        old, self.rows = self.rows, rows
        self.table.setModel(rows)
        if old is not rows:
            old.deleteLater()
        rows.refused.connect(self.show_problem)
        header = self.table.horizontalHeader()
        scale = max(1.0, self.theme.scale)
        for column in Column:
            if column is Column.MODEL:
                header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
            else:
                header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
                wide = max(round(_WIDTHS_PX[column] * scale), header.sectionSizeHint(column))
                header.resizeSection(column, wide)
        self.table.setCurrentIndex(rows.index(0, Column.NAME))

    def _on_search_changed(self, text: str) -> None:
        self.rows.find(text)
        count = self.rows.rowCount()
        announce(self.search, shown(plural("{count} models", "{count} model", count)))

    def _on_add_clicked(self) -> None:
        name = self.new.text().strip()
        if name:
            self.new.clear()
            self.addRequested.emit(name)

    def _on_save_clicked(self) -> None:
        # A cell that is still being changed counts.
        self.save_button.setFocus(Qt.FocusReason.OtherFocusReason)
        said = {each.id: each.said for each in self.rows.lines if each.said != ModelOverrides()}
        names = {each.id: each.alias for each in self.rows.lines if each.alias}
        self.saved.emit(said, names, tuple(self._added))

    def _lay_out(self) -> None:
        table = self.table
        table.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.AnyKeyPressed
            | QAbstractItemView.EditTrigger.SelectedClicked
        )
        table.setTabKeyNavigation(False)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(self.theme.target_px(_ROW_PX))
        table.horizontalHeader().setHighlightSections(False)
        top = QHBoxLayout()
        top.addWidget(self.search, 1)
        top.addWidget(push_button(tr("Fetch the list again"), "providerModelsRefresh", self.refreshRequested.emit))
        add = push_button(tr("Add"), "providerModelsAdd", self._on_add_clicked, name=tr("Add the model"))
        self.buttons.insertWidget(0, self.new, 1000)  # all the room that the buttons leave
        self.add_button(add)
        self.buttons.addSpacing(16)
        self.add_button(push_button(tr("Cancel"), "providerModelsCancel", self.reject))
        self.save_button = self.add_button(
            push_button(tr("Save"), "providerModelsSave", self._on_save_clicked, is_default=True)
        )
        hint = tr("What you type comes before what the server says. Prices are used for costs and limits.")
        self.add_text(hint)
        self.body.addLayout(top)
        self.body.addWidget(self.table, 1)

    def _dress(self) -> None:
        tokens = self.theme.tokens
        self.table.setStyleSheet(
            f"QTableView {{ background: {tokens.card}; color: {tokens.text}; border: 1px solid {tokens.line};"
            f" border-radius: {tokens.radius.row}px; outline: none; selection-background-color: {tokens.selected};"
            f" selection-color: {tokens.text}; }}"
            f"QTableView::item {{ padding: 0 6px; border-bottom: 1px solid {tokens.line}; }}"
            f"QTableView::item:selected {{ background: {tokens.selected}; color: {tokens.text}; }}"
            f"QTableView::item:focus {{ border: {FOCUS_RING_PX}px solid {tokens.accent}; }}"
            "QTableView QLineEdit { border-radius: 0; padding: 0 4px; }"
            f"QHeaderView::section {{ background: transparent; color: {tokens.muted}; border: none;"
            f" border-bottom: 1px solid {tokens.line}; padding: 6px; }}"
            "QHeaderView { background: transparent; }"
        )
