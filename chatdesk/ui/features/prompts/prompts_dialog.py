"""Shows the library of prompts: a list at the left, the chosen one at the right.

Typed text is saved by itself, a moment after the last key and before another prompt is shown, so that leaving loses
nothing. The dialog stores nothing: it requests saving, and shows the result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.domain.prompt import Prompt, PromptFinder, PromptHead, PromptKind
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.accessibility.assistance import announce, named, open_selected
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import Panel, plain_label
from chatdesk.ui.features.prompts.prompt_form import KIND_WORDS, PromptForm, Written
from chatdesk.ui.theme.icons import icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from chatdesk.ui.widgets.focus_ring import frame_when_empty
from chatdesk.ui.widgets.layouts import bare_column
from chatdesk.ui.widgets.search_field import SearchField

_WIDTH_PX, _HEIGHT_PX, _SIDE_PX, _ROW_PX = 900, 620, 260, 34
_SAVE_AFTER_MS = 800
_MOST_LISTED = 200
_ICONS: Final = {
    PromptKind.TEMPLATE: "wand",
    PromptKind.SYSTEM: "message-square",
    PromptKind.QUICK: "sparkles",
    PromptKind.ASSISTANT: "user",
}
_SHOWN: Final[dict[str, PromptKind | None]] = {
    Text("All prompts"): None,
    Text("Templates"): PromptKind.TEMPLATE,
    Text("System prompts"): PromptKind.SYSTEM,
    Text("Quick actions"): PromptKind.QUICK,
    Text("Assistants"): PromptKind.ASSISTANT,
}
_ID_ROLE = int(Qt.ItemDataRole.UserRole)


class PromptsDialog(Panel):
    """The dialog of the prompt library. ``saveRequested`` has the id (None: a new one) and what is written; ``saved``
    or ``show_failure`` answers it. ``checkRequested`` has a text and whether it is a system prompt;
    ``form.show_problems`` answers it."""

    saveRequested = Signal(object, object)
    openRequested = Signal(str)
    duplicateRequested = Signal(str)
    deleteRequested = Signal(str)
    restoreRequested = Signal(str)
    insertRequested = Signal(str)
    importRequested = Signal()
    exportRequested = Signal()
    checkRequested = Signal(str, bool)

    def __init__(self, theme: Theme, *, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("Prompts"), parent=parent)
        self.setObjectName("promptsDialog")
        self._finder = PromptFinder(())
        self._id: str | None = None
        self._opened = self._clean = Written(PromptKind.TEMPLATE, "", "")
        self._sent: Written | None = None
        self._then: Callable[[], object] | None = None
        self._deleted_id = ""
        self._save_timer = QTimer(self, singleShot=True, interval=_SAVE_AFTER_MS)
        self._save_timer.timeout.connect(self._save_quietly)
        self._build()
        self.fit(_WIDTH_PX, _HEIGHT_PX)
        self._show_form(None)
        self.search.setFocus()

    # Updates from the binding

    @property
    def prompt_id(self) -> str | None:
        """The id of the prompt in the form; None for one that is not stored yet."""
        return self._id

    @property
    def is_changed(self) -> bool:
        """Return whether the form has text that was neither stored nor is being stored."""
        written = self.form.written()
        is_known = written == self._clean or written == self._sent
        return not is_known and bool(written.text.strip())

    def show_heads(self, heads: Sequence[PromptHead]) -> None:
        self._finder = PromptFinder(heads)
        self._fill()

    def show_prompt(self, prompt: Prompt | None) -> None:
        """Show a prompt in the form; None shows an empty one."""

        def show() -> None:
            self._show_form(prompt)
            self._mark_row()

        self._save_then(show)  # keys may have been faster

    def start_prompt(self, kind: PromptKind, text: str) -> None:
        """Start a new prompt with a text; it is stored like one that was typed."""

        def show() -> None:
            self._show_form(None)
            self._mark_row()
            self.form.type_written(Written(kind, "", text))
            self.form.name_field.setFocus()

        self._save_then(show)

    def saved(self, prompt: Prompt) -> None:
        """Record that the sent text is stored, and continue with text typed since."""
        if self._sent is None:
            return
        self._clean, self._sent, self._id = self._sent, None, prompt.id
        if not self.form.name_field.text().strip():
            self._clean = replace(self._clean, name=prompt.name)
            self.form.name_field.setText(prompt.name)
        self._show_state()
        if self._then is not None:
            self._save_then(self._then)

    def show_failure(self, sentence: str) -> None:
        """Show that nothing was stored; the text stays in the form, and the dialog open."""
        self._sent = self._then = None
        self._show_notice(sentence, is_danger=True)
        self._mark_row()
        self._show_state()

    def show_notice(self, sentence: str) -> None:
        self._show_notice(sentence, is_danger=False)

    def show_deleted(self, prompt_id: str, name: str) -> None:
        """Show that a prompt was deleted, with a button that restores it."""
        self._deleted_id = prompt_id
        self._show_notice(tr("Deleted: {name}", name=name), is_danger=False)
        self._show_form(None)
        self.restore_button.setVisible(True)
        self.restore_button.setFocus(Qt.FocusReason.OtherFocusReason)

    # Qt

    def reject(self) -> None:
        self._save_then(super().reject)

    # Building

    def _build(self) -> None:
        self.form = PromptForm(self.theme)
        self.form.typed.connect(self._on_form_typed)
        self.form.checkRequested.connect(self.checkRequested)
        columns = QHBoxLayout()
        columns.setSpacing(20)
        columns.addWidget(self._build_side())
        columns.addLayout(self._build_right(), 1)
        rows = self.form_column()
        rows.addWidget(plain_label(tr("Prompts"), "strong"))
        rows.addLayout(columns, 1)
        tokens = self.theme.tokens
        self.setStyleSheet(
            "#promptsList { background: transparent; border: none; outline: none; }"
            f"#promptsList::item {{ padding: 0 6px; border: 2px solid transparent; color: {tokens.text};"
            f" border-radius: {tokens.radius.row}px; }}"
            f"#promptsList::item:selected {{ background: {tokens.selected}; }}"
            f"#promptsList::item:selected:focus {{ border: 2px solid {tokens.accent}; }}"
            f"#promptsDelete:disabled {{ color: {tokens.muted}; }}"
        )

    def _build_side(self) -> QWidget:
        self.search = SearchField(self.theme, object_name="promptsSearch", placeholder=tr("Find a prompt"))
        self.shown_box = named(ChoiceBox(), "promptsShown", tr("Show"))
        for words, kind in _SHOWN.items():
            self.shown_box.addItem(shown(words), kind)
        self.list = named(QListWidget(), "promptsList", tr("Prompts"))
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        frame_when_empty(self.theme, self.list)
        self.list.setUniformItemSizes(True)
        icon_px = round(ICON_PX * max(1.0, self.theme.scale))
        self.list.setIconSize(QSize(icon_px, icon_px))
        self.search.textChanged.connect(self._fill)
        self.shown_box.currentIndexChanged.connect(lambda _index: self._fill())
        open_selected(self.list)
        self.list.currentItemChanged.connect(self._on_list_current_changed)
        self.new_button = push_button(tr("New"), "promptsNew", lambda: self._save_then(self._start_empty))
        self.import_button = push_button(
            tr("Import…"), "promptsImport", lambda: self._save_then(self.importRequested.emit)
        )
        self.export_button = push_button(
            tr("Export…"), "promptsExport", lambda: self._save_then(self.exportRequested.emit)
        )
        side = QWidget()
        column = bare_column(side, spacing_px=8)
        column.addWidget(self.search)
        column.addWidget(self.shown_box)
        column.addWidget(self.list, 1)
        buttons = _row(self.new_button, None, self.import_button, self.export_button)
        column.addLayout(buttons)
        side.setFixedWidth(max(round(_SIDE_PX * max(1.0, self.theme.scale)), buttons.sizeHint().width()))
        return side

    def _build_right(self) -> QVBoxLayout:
        self._notice = plain_label("", "muted", wraps=True, name="promptsNotice")
        self.restore_button = push_button(
            tr("Undo"), "promptsRestore", self._restore, name=tr("Undo deleting the prompt")
        )
        self.restore_button.hide()
        self.copy_button = push_button(
            tr("Duplicate"), "promptsDuplicate", lambda: self._save_then(lambda: self.duplicateRequested.emit(self._id))
        )
        self.delete_button = push_button(tr("Delete"), "promptsDelete", self._delete, is_danger=True, acts=True)
        self.revert_button = push_button(tr("Revert"), "promptsRevert", lambda: self.form.type_written(self._opened))
        self.insert_button = push_button(tr("Insert"), "promptsInsert", lambda: self._save_then(self._insert))
        self.done_button = push_button(tr("Done"), "promptsDone", self.reject, is_primary=True)
        said = QHBoxLayout()
        said.addWidget(self._notice, 1)
        said.addWidget(self.restore_button)
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addWidget(self.form, 1)
        column.addLayout(said)
        column.addLayout(
            _row(self.copy_button, self.delete_button, None, self.revert_button, self.insert_button, self.done_button)
        )
        return column

    # The list

    def _fill(self) -> None:
        kind = list(_SHOWN.values())[self.shown_box.currentIndex()]
        matching = [head for head in self._finder.find(self.search.text()) if kind is None or head.kind is kind]
        size = QSize(0, self.theme.target_px(_ROW_PX))
        self.list.blockSignals(True)
        self.list.clear()
        for head in matching[:_MOST_LISTED]:
            item = QListWidgetItem(icon(head.icon or _ICONS[head.kind], self.theme.tokens.muted), head.name)
            item.setData(_ID_ROLE, head.id)
            item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, shown(KIND_WORDS[head.kind]))
            item.setSizeHint(size)
            self.list.addItem(item)
        rest = len(matching) - _MOST_LISTED
        if rest > 0 or not matching:
            more = (
                shown(plural("{count} more: type part of a name.", "{count} more: type part of a name.", rest))
                if matching
                else tr("No prompt matches.")
            )
            QListWidgetItem(more, self.list).setFlags(Qt.ItemFlag.NoItemFlags)
        self.list.blockSignals(False)
        self._mark_row()

    def _mark_row(self) -> None:
        """Make the row of the prompt in the form the current one."""
        self.list.blockSignals(True)
        rows = range(self.list.count()) if self._id is not None else ()
        self.list.setCurrentRow(next((row for row in rows if self.list.item(row).data(_ID_ROLE) == self._id), -1))
        self.list.blockSignals(False)

    def _on_list_current_changed(self, item: QListWidgetItem | None) -> None:
        prompt_id = None if item is None else item.data(_ID_ROLE)
        if prompt_id and prompt_id != self._id:
            self._save_then(lambda: self.openRequested.emit(prompt_id))

    # The form

    def _show_form(self, prompt: Prompt | None) -> None:
        self._id = None if prompt is None else prompt.id
        self._sent = None
        self._save_timer.stop()
        kind = self.form.written().kind if prompt is None else prompt.kind
        self.form.show_written(
            Written(kind, "", "") if prompt is None else Written(kind, prompt.name, prompt.text, prompt.setup)
        )
        # Compares with the field's own text, because the field normalises line ends.
        self._clean = self._opened = self.form.written()
        self.restore_button.hide()
        self._show_state()

    def _start_empty(self) -> None:
        self._show_form(None)
        self._mark_row()
        self.form.name_field.setFocus()

    def _on_form_typed(self) -> None:
        self._save_timer.start()
        self._show_state()

    def _show_state(self) -> None:
        is_stored, written = self._id is not None, self.form.written()
        self.copy_button.setEnabled(is_stored)
        self.delete_button.setEnabled(is_stored)
        self.revert_button.setEnabled(written != self._opened)
        self.insert_button.setVisible(written.kind is PromptKind.TEMPLATE)
        self.insert_button.setEnabled(bool(written.text.strip()))

    def _show_notice(self, text: str, *, is_danger: bool) -> None:
        self._notice.setProperty("isDanger", is_danger)
        self._notice.style().unpolish(self._notice)
        self._notice.style().polish(self._notice)
        self._notice.setText(text)
        announce(self, text)

    # Storing

    def _save_quietly(self) -> None:
        """Save without a message: a text that is empty for a moment needs none."""
        if self.form.written().text.strip():
            self._save()

    def _save(self) -> None:
        self._save_timer.stop()
        written = self.form.written()
        if self._sent is None and written != self._clean:
            self._sent = written
            self.saveRequested.emit(self._id, written)

    def _save_then(self, then: Callable[[], object]) -> None:
        """Store the form, then call ``then``; if storing fails, it is not called."""
        written = self.form.written()
        if self._sent is None and (written == self._clean or (self._id is None and written.is_blank)):
            self._then = None
            self._save_timer.stop()
            then()
        else:
            self._then = then
            self._save()

    # Actions of the person

    def _delete(self) -> None:
        if self.form.written().text.strip():
            self._save_then(lambda: self.deleteRequested.emit(self._id))
        else:  # cannot be stored, nor need it be
            self._save_timer.stop()
            self.deleteRequested.emit(self._id)

    def _restore(self) -> None:
        self.restore_button.hide()
        self._notice.setText("")
        self.restoreRequested.emit(self._deleted_id)

    def _insert(self) -> None:
        prompt_id = self._id
        self.accept()
        self.insertRequested.emit(prompt_id)


def _row(*widgets: QWidget | None) -> QHBoxLayout:
    """Return a row of these widgets; None becomes a stretch."""
    row = QHBoxLayout()
    row.setSpacing(8)
    for widget in widgets:
        if widget is None:
            row.addStretch(1)
        else:
            row.addWidget(widget)
    return row
