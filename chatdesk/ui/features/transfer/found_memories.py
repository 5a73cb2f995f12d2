"""Shows the memories that an imported export contains. None is ticked, and only ticked ones are taken."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QWidget

from chatdesk.core.domain.imported import ImportedMemory
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.texts import plural, tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.widgets.elided_label import plain_tooltip
from chatdesk.ui.widgets.layouts import bare_column

_HEIGHT_PX = 132


class FoundMemories(QWidget):
    """A list of memories with a box each, and a button that takes the ticked ones."""

    takeRequested = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = bare_column(self, spacing_px=8)
        self.about = plain_label("", "text", wraps=True, name="foundMemoriesAbout")
        self.list = named(QListWidget(), "foundMemories", tr("Memories in the export"))
        self.list.setUniformItemSizes(True)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setFixedHeight(_HEIGHT_PX)
        self.all_button = push_button(tr("Tick all"), "foundMemoriesAll", self._tick_all)
        self.take_button = push_button(tr("Remember the ticked ones"), "foundMemoriesTake", self._choose)
        row = QHBoxLayout()
        row.addWidget(self.all_button)
        row.addStretch(1)
        row.addWidget(self.take_button)
        for widget in (self.about, self.list):
            column.addWidget(widget)
        column.addLayout(row)
        self._memories: Sequence[ImportedMemory] = ()
        self.list.itemChanged.connect(lambda _item: self._follow())
        self.setVisible(False)

    def show_memories(self, memories: Sequence[ImportedMemory], *, is_on: bool) -> None:
        """Show memories that are not here yet; with memory off they can be read, not taken."""
        self._memories = memories
        self.list.clear()
        for each in memories:
            item = QListWidgetItem(visible_controls(each.text), self.list)
            item.setToolTip(plain_tooltip(each.text))
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
            if is_on:
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(Qt.CheckState.Unchecked)
        hint = (
            tr("Tick those that ChatDesk shall remember. They are sent to the providers that you allow.")
            if is_on
            else tr(
                "Memory is off, so none can be taken. If you turn it on in Settings, Context, Memory and import the"
                " file again, ChatDesk keeps those that you tick, and sends them to the providers that you allow."
            )
        )
        count = plural("{count} memories in the export", "{count} memory in the export", len(memories))
        self.about.setText(tr("{count}. {hint}", count=count, hint=hint))
        self.all_button.setVisible(is_on)
        self.take_button.setVisible(is_on)
        self.setVisible(bool(memories))
        self._follow()

    def _ticked(self) -> list[ImportedMemory]:
        items = zip(self._memories, map(self.list.item, range(self.list.count())), strict=False)
        return [memory for memory, item in items if item.checkState() is Qt.CheckState.Checked]

    def _tick_all(self) -> None:
        for row in range(self.list.count()):
            self.list.item(row).setCheckState(Qt.CheckState.Checked)

    def _choose(self) -> None:
        self.takeRequested.emit(self._ticked())

    def _follow(self) -> None:
        self.take_button.setEnabled(bool(self._ticked()))
