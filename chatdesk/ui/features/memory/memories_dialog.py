"""Shows the page of memories, to search, change, delete and export them, and to choose who may be sent them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from PySide6.QtCore import QItemSelectionModel, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QListView, QListWidget, QListWidgetItem, QWidget

from chatdesk.core.domain.memory import Memory
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.name_order import name_key
from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.accessibility.assistance import announce, named, show_checked
from chatdesk.ui.dialogs.file_dialogs import ask_where_to_save
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.features.memory.memory_rows import MemoryRows, matches
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.banner import Banner
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from chatdesk.ui.widgets.fields.switch import Switch
from chatdesk.ui.widgets.focus_ring import frame_when_empty
from chatdesk.ui.widgets.search_field import SearchField

_SIZE_PX = (660, 680)
_GAP_PX = 8
_PROVIDERS_PX = 112
_ROOM_PX = 28  # of a row, around its words
_ID_ROLE: Final = int(Qt.ItemDataRole.UserRole)
_ALL, _EVERYWHERE = "", "everywhere"  # no project has such an id
V = TypeVar("V", bound=QAbstractItemView)


@dataclass(frozen=True, slots=True)
class MemoryProvider:
    """A provider that may be sent memories. ``asks_again``: it was allowed at another address."""

    id: str
    label: str
    address: str
    is_allowed: bool
    asks_again: bool = False


class MemoriesDialog(FormPanel):
    """A dialog for all memories. ``editRequested`` and ``messageRequested`` have an id of a memory, ``deleteRequested``
    a tuple of ids, ``providerChosen`` the id of a provider and whether it is allowed, ``exportRequested`` a path."""

    switched = Signal(bool)
    addRequested = Signal()
    editRequested = Signal(str)
    deleteRequested = Signal(tuple)
    undoRequested = Signal()
    messageRequested = Signal(str)
    exportRequested = Signal(object)
    providerChosen = Signal(str, bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("Memory"), object_name="memoriesDialog", size_px=_SIZE_PX, parent=parent)
        self._memories: tuple[Memory, ...] = ()
        self._is_on = False
        self._add_switch()
        self._add_search()
        self.rows = MemoryRows(self)
        self.list = self._dressed(QListView(), "memories", tr("Memories"))
        self.list.setModel(self.rows)
        self.list.setUniformItemSizes(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.selectionModel().selectionChanged.connect(self._on_chosen)
        self.list.activated.connect(self._edit)
        self.body.addWidget(self.list, 1)
        self.none = plain_label("", "muted", wraps=True, name="noMemories")
        self.whole = plain_label("", "text", wraps=True, name="wholeMemory")
        self.notice = Banner(theme)
        self.notice.actionTriggered.connect(self.undoRequested)
        for widget in (self.none, self.whole):
            widget.hide()
            self.body.addWidget(widget)
        self._add_actions()
        self.body.addWidget(self.notice)
        self._add_providers()
        self.add_button(push_button(tr("Export…"), "memoriesExport", self._export), is_first=True)
        self.add_button(push_button(tr("Close"), "memoriesClose", self.reject, is_primary=True))
        self.guard.watch([self.delete_button])
        self.show_state(is_on=False)
        self.show_memories((), {})
        self.search.setFocus()

    def _add_switch(self) -> None:
        self.switch = named(Switch(self.theme), "memorySwitch", tr("Remember facts that you confirm"))
        self.switch.toggled.connect(self.switched)
        label = plain_label(tr("Remember facts that you confirm"), "strong", wraps=True)
        label.setBuddy(self.switch)
        row = QHBoxLayout()
        row.addWidget(label, 1)
        row.addWidget(self.switch)
        self.body.addLayout(row)
        self.state = plain_label("", "muted", wraps=True, name="memoryState")
        self.body.addWidget(self.state)

    def _add_search(self) -> None:
        self.search = SearchField(self.theme, object_name="memorySearch", placeholder=tr("Search the memories"))
        self.search.textChanged.connect(self._show_rows)
        self.place = named(ChoiceBox(), "memoryPlace", tr("Memories to show"))
        self.place.activated.connect(self._show_rows)
        row = QHBoxLayout()
        row.setSpacing(_GAP_PX)
        row.addWidget(self.search, 1)
        row.addWidget(self.place)
        self.body.addLayout(row)

    def _add_actions(self) -> None:
        self.add_memory_button = push_button(tr("Add…"), "memoryAdd", self.addRequested.emit, name=tr("Add a memory"))
        self.edit_button = push_button(tr("Edit…"), "memoryEdit", self._edit, name=tr("Edit the memory"))
        self.message_button = push_button(tr("Show its message"), "memoryMessage", self._show_message)
        self.delete_button = push_button(
            tr("Delete"), "memoryDelete", self._delete, name=tr("Delete what is chosen"), is_danger=True
        )
        row = QHBoxLayout()
        row.setSpacing(_GAP_PX)
        for button in (self.add_memory_button, self.edit_button, self.message_button, self.delete_button):
            row.addWidget(button)
        row.addStretch(1)
        self.body.addLayout(row)

    def _add_providers(self) -> None:
        label = plain_label(tr("Providers that get memories. None gets them unless you tick it."), "muted", wraps=True)
        self.providers = self._dressed(QListWidget(), "memoryProviders", tr("Providers that get memories"))
        self.providers.setFixedHeight(round(_PROVIDERS_PX * max(1.0, self.theme.scale)))
        self.providers.itemChanged.connect(self._on_provider_changed)
        label.setBuddy(self.providers)
        self.body.addWidget(label)
        self.body.addWidget(self.providers)

    def _dressed(self, made: V, object_name: str, name: str) -> V:
        named(made, object_name, name)
        made.setFrameShape(QAbstractItemView.Shape.NoFrame)
        made.setTextElideMode(Qt.TextElideMode.ElideRight)
        made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        frame_when_empty(self.theme, made)
        tokens = self.theme.tokens
        made.setStyleSheet(
            f"#{object_name} {{ background: transparent; border: 1px solid {tokens.line};"
            f" border-radius: {tokens.radius.row}px; outline: none; padding: 2px; }}"
            f"#{object_name}::item {{ border: 2px solid transparent; padding: {tokens.space.s - 2}px;"
            f" border-radius: {tokens.radius.row}px; }}"
            f"#{object_name}::item:selected {{ background: {tokens.selected}; color: {tokens.text}; }}"
            f"#{object_name}::item:selected:focus {{ border: 2px solid {tokens.accent}; }}"
        )
        return made

    # What is shown

    def show_state(self, *, is_on: bool, is_fixed: bool = False) -> None:
        """Show whether memory is on; ``is_fixed``: an environment variable decides."""
        self._is_on = is_on
        show_checked(self.switch, is_on)
        self.switch.setEnabled(not is_fixed)
        on = tr("What you confirm is kept, and sent with your questions to the providers that you tick below.")
        off = tr("Memory is off: nothing is kept or sent. What is here stays until you delete it.")
        offer = tr("Memory is off: nothing is kept or sent until you turn it on. What is here can be deleted.")
        words = on if is_on else off if is_fixed else offer
        if self.state.text() != words:
            self.state.setText(words)
            announce(self, words)
        self._show_buttons()

    def show_memories(
        self, memories: Sequence[Memory], projects: Mapping[str, str], shared: Collection[str] = ()
    ) -> None:
        """Show the memories as they are now. ``projects`` has names by id, ``shared`` the ids of shared projects."""
        self._memories = tuple(memories)
        self.rows.use_projects(projects, shared)
        wanted = self.place.currentData()
        used = {each.project_id for each in memories if each.project_id is not None}
        self.place.clear()
        self.place.addItem(tr("All memories"), _ALL)
        self.place.addItem(tr("Everywhere"), _EVERYWHERE)
        for project_id in sorted(used, key=lambda each: name_key(self.rows.project_name(each))):
            self.place.addItem(self.rows.project_name(project_id), project_id)
        self.place.setCurrentIndex(max(0, self.place.findData(wanted)))
        self._show_rows()

    def show_providers(self, providers: Sequence[MemoryProvider]) -> None:
        """Show who may be sent memories; the current row stays."""
        row = max(0, self.providers.currentRow())
        with QSignalBlocker(self.providers):
            self.providers.clear()
            for each in providers:
                words = visible_controls(shown(each.label))
                if each.asks_again:
                    words = tr("{name} (at a new address: tick it again)", name=words)
                if each.address:
                    words = tr("{name} — {address}", name=words, address=visible_controls(each.address))
                item = QListWidgetItem(words, self.providers)
                item.setData(_ID_ROLE, each.id)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(Qt.CheckState.Checked if each.is_allowed else Qt.CheckState.Unchecked)
            self.providers.setCurrentRow(min(row, self.providers.count() - 1))

    def choose(self, memory_id: str) -> None:
        """Choose a memory, whatever was searched for before."""
        self.search.clear()
        self.place.setCurrentIndex(0)
        self._show_rows()
        self._make_current(self.rows.row_of(memory_id))
        self.list.setFocus()

    def show_notice(self, words: str, *, can_undo: bool) -> None:
        """Show words for what was done, and offer to undo the last deletion; empty words hide the notice."""
        self.show_problem("")
        if not words:
            if self.notice.isAncestorOf(self.focusWidget() or self):
                self.list.setFocus()
            self.notice.hide()
            return
        self.notice.show_message(words, kind="info", action_text=tr("Undo the deletion") if can_undo else None)

    # Inside

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Undo):
            self.undoRequested.emit()
        elif event.key() == Qt.Key.Key_Delete and self.focusWidget() is self.list:
            self._delete()
        else:
            super().keyPressEvent(event)

    def _chosen(self) -> tuple[Memory, ...]:
        rows = sorted(index.row() for index in self.list.selectionModel().selectedIndexes())
        return tuple(self.rows.shown[row] for row in rows)

    def _show_rows(self) -> None:
        current, before = self.list.currentIndex().row(), {each.id for each in self._chosen()}
        current_id = self.rows.shown[current].id if current >= 0 else ""
        place, words = self.place.currentData(), self.search.text()
        self.rows.show(
            each
            for each in self._memories
            if matches(each, words) and place in (_ALL, each.project_id or _EVERYWHERE, None)
        )
        row = self.rows.row_of(current_id)
        self._make_current(row if row >= 0 else min(max(0, current), len(self.rows.shown) - 1))
        for at, each in enumerate(self.rows.shown if len(before) > 1 else ()):
            if each.id in before:
                self.list.selectionModel().select(self.rows.index(at), QItemSelectionModel.SelectionFlag.Select)
        found = len(self.rows.shown)
        is_narrowed = bool(words.strip()) or place != _ALL
        self.list.setAccessibleDescription(shown(plural("{count} memories", "{count} memory", found)))
        self.none.setText(tr("No memory matches.") if is_narrowed else tr("Nothing is remembered yet."))
        self.none.setVisible(not found)
        self._on_chosen()

    def _make_current(self, row: int) -> None:
        if row >= 0:
            self.list.setCurrentIndex(self.rows.index(row))
            self.list.scrollTo(self.rows.index(row))

    def _on_chosen(self) -> None:
        chosen = self._chosen()
        words = visible_controls(chosen[0].text) if len(chosen) == 1 else ""
        room = self.list.viewport().width() - _ROOM_PX
        self.whole.setText(words)
        self.whole.setVisible(self.list.fontMetrics().horizontalAdvance(words) > room)
        self._show_buttons()

    def _show_buttons(self) -> None:
        chosen = self._chosen()
        self.add_memory_button.setEnabled(self._is_on)
        self.edit_button.setEnabled(self._is_on and len(chosen) == 1)
        self.message_button.setEnabled(len(chosen) == 1 and chosen[0].thread_id is not None)
        self.delete_button.setEnabled(bool(chosen))

    def _edit(self) -> None:
        if self.edit_button.isEnabled():
            self.editRequested.emit(self._chosen()[0].id)

    def _show_message(self) -> None:
        self.messageRequested.emit(self._chosen()[0].id)

    def _delete(self) -> None:
        chosen = tuple(each.id for each in self._chosen())
        if chosen:
            self.list.setFocus()  # the button may be disabled afterwards
            self.deleteRequested.emit(chosen)

    def _export(self) -> None:
        ask_where_to_save(
            self,
            tr("Export the memories"),
            "memories.json",
            self._on_target_chosen,
            kinds=tr("JSON files (*.json)"),
            suffix="json",
            object_name="memoriesExportDialog",
        )

    def _on_target_chosen(self, target: Path) -> None:
        self.exportRequested.emit(target)

    def _on_provider_changed(self, item: QListWidgetItem) -> None:
        self.providerChosen.emit(str(item.data(_ID_ROLE)), item.checkState() is Qt.CheckState.Checked)
