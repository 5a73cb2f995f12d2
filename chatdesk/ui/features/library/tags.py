"""Shows the dialogs for tags: those of some threads, and all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QWidget,
)

from chatdesk.core.domain.thread import Tag
from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.focus_ring import frame_when_empty
from chatdesk.ui.widgets.layouts import bare_column

_SIZE_PX = (400, 440)
_EMPTY_PX, _TAG_PX = 170, 28
_LONGEST_NAME = 60
_ID_ROLE = int(Qt.ItemDataRole.UserRole)


class ThreadTagsDialog(FormPanel):
    """A dialog for the tags of threads. ``decided(names to add, ids to take off)`` comes once, when anything was
    decided. ``counts`` says how many of the ``total`` threads have a tag; a box of which only some have it is half
    checked and stays so unless touched."""

    decided = Signal(object, object)

    def __init__(
        self,
        theme: Theme,
        what: str,
        tags: Sequence[Tag],
        *,
        counts: Mapping[str, int],
        total: int,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, tr("Tags"), object_name="threadTagsDialog", parent=parent)
        self.head.setText(tr("Tags: {what}", what=what[:120]))
        self.setAccessibleDescription(what)
        self._boxes: list[tuple[str | None, str, QCheckBox, Qt.CheckState]] = []
        self._rows = bare_column()
        holder = QWidget()
        holder.setObjectName("tagRows")
        outer = bare_column(holder)
        outer.addLayout(self._rows)
        outer.addStretch(1)
        for tag in tags:
            found = counts.get(tag.id, 0)
            state = Qt.CheckState.PartiallyChecked if found else Qt.CheckState.Unchecked
            self._add_box(tag.id, tag.name, Qt.CheckState.Checked if found == total else state)
        scroll = QScrollArea()
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the boxes in it take the focus, and scroll into view
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(holder)
        scroll.viewport().setAutoFillBackground(False)
        holder.setAutoFillBackground(False)
        self.field = named(_NewTagField(), "newTag", tr("New tag"))
        self.field.setPlaceholderText(tr("New tag"))
        self.field.setMaxLength(_LONGEST_NAME)
        self.field.entered.connect(self._on_field_entered)
        self.body.addWidget(self.field)
        self.body.addWidget(scroll, 1)
        self.add_button(push_button(tr("Cancel"), "tagsCancel", self.reject))
        self.add_button(push_button(tr("Save"), "tagsSave", self._save, is_primary=True))
        self.fit(_SIZE_PX[0], min(_SIZE_PX[1], _EMPTY_PX + _TAG_PX * max(2, len(self._boxes))))
        self.field.setFocus()

    def _add_box(self, tag_id: str | None, name: str, state: Qt.CheckState) -> QCheckBox:
        box = QCheckBox(name.replace("&", "&&"))
        box.setAccessibleName(name)
        box.setTristate(state is Qt.CheckState.PartiallyChecked)
        box.setCheckState(state)
        self._rows.addWidget(box)
        self._boxes.append((tag_id, name, box, state))
        return box

    def _on_field_entered(self) -> None:
        """Check a known tag or add a box for a new one; with an empty field, accept the dialog."""
        name = " ".join(self.field.text().split()).lstrip("#").strip()
        if not name:
            self._save()
            return
        for _tag_id, known, box, _state in self._boxes:
            if known.casefold() == name.casefold():
                box.setCheckState(Qt.CheckState.Checked)
                break
        else:
            self._add_box(None, name, Qt.CheckState.Unchecked).setCheckState(Qt.CheckState.Checked)
        self.field.clear()

    def _save(self) -> None:
        if self.field.text().strip():
            self._on_field_entered()
        changed = [
            (tag_id, name, box.checkState()) for tag_id, name, box, state in self._boxes if box.checkState() != state
        ]
        add = [name for _, name, state in changed if state is Qt.CheckState.Checked]
        remove = [tag_id for tag_id, _, state in changed if state is Qt.CheckState.Unchecked and tag_id is not None]
        self.accept()
        if add or remove:
            self.decided.emit(add, remove)


class TagListDialog(FormPanel):
    """A list of all tags, to show the threads of a tag, rename it or delete it. Each signal is emitted after the dialog
    has closed; renaming is done in place and leaves it open."""

    chosen = Signal(str)
    renamed = Signal(str, str)
    deleted = Signal(str)

    def __init__(self, theme: Theme, tags: Sequence[Tag], parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("Tags"), object_name="tagListDialog", size_px=_SIZE_PX, parent=parent)
        self._names = {tag.id: tag.name for tag in tags}
        self.list = named(QListWidget(), "tagList", tr("Tags"))
        self.list.setFrameShape(QListWidget.Shape.NoFrame)
        frame_when_empty(theme, self.list)
        self.list.setEditTriggers(QListWidget.EditTrigger.EditKeyPressed | QListWidget.EditTrigger.DoubleClicked)
        for tag in tags:
            item = QListWidgetItem(tag.name, self.list)
            item.setData(_ID_ROLE, tag.id)
            item.setToolTip(shown(plural("{count} threads", "{count} thread", tag.thread_count)))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{tag.name}, {item.toolTip()}")
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        self.list.setCurrentRow(0)
        tokens = theme.tokens
        self.list.setStyleSheet(
            "#tagList { background: transparent; border: none; outline: none; }"
            "#tagList::item { border: 2px solid transparent; }"
            f"#tagList::item {{ padding: {tokens.space.s - 2}px; border-radius: {tokens.radius.row}px; }}"
            f"#tagList::item:selected {{ background: {tokens.selected}; color: {tokens.text}; }}"
            f"#tagList::item:selected:focus {{ border: 2px solid {tokens.accent}; }}"
        )
        self.show_button = push_button(tr("Show threads"), "tagShow", lambda: self._close_with(self.chosen))
        self.rename_button = push_button(tr("Rename"), "tagRename", self._rename)
        self.delete_button = push_button(
            tr("Delete"), "tagDelete", lambda: self._close_with(self.deleted), is_danger=bool(tags)
        )
        for button in (self.show_button, self.rename_button, self.delete_button):
            button.setEnabled(bool(tags))
            self.add_button(button, is_first=True)
        close = self.add_button(push_button(tr("Close"), "tagsClose", self.reject))
        if not tags:
            self.add_text(tr("There are no tags yet. Put one on a thread with “Tags…” in its menu."))
        self.body.addWidget(self.list, 1)
        self.list.itemChanged.connect(self._on_list_item_changed)
        (self.list if tags else close).setFocus()

    def _rename(self) -> None:
        self.list.editItem(self.list.currentItem())

    def _on_list_item_changed(self, item: QListWidgetItem) -> None:
        tag_id, name = str(item.data(_ID_ROLE)), " ".join(item.text().split())[:_LONGEST_NAME]
        before = self._names[tag_id]
        if not name or name == before:
            if item.text() != before:
                item.setText(before)
            return
        self._names[tag_id] = name
        self.renamed.emit(tag_id, name)

    def _close_with(self, signal: object) -> None:
        item = self.list.currentItem()
        self.accept()
        if item is not None:
            signal.emit(str(item.data(_ID_ROLE)))  # type: ignore[attr-defined]


class _NewTagField(QLineEdit):
    """Enter belongs to the field, not to the dialog's button."""

    entered = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
        else:
            super().keyPressEvent(event)
