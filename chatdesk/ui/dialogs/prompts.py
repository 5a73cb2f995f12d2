"""The library of prompts: a list at the left, the chosen one at the right.

What is typed is stored by itself, a moment after the last key and before anything else is shown: there is no way to
lose it by going away. The dialog stores nothing: it asks, and is told how it went.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.domain.prompt import LONGEST_NAME, LONGEST_TEXT, Prompt, PromptHead, PromptKind, ranked
from chatdesk.ui.accessibility.announce import announce
from chatdesk.ui.dialogs.panel import Panel, plain_label
from chatdesk.ui.dialogs.text_field import TextField
from chatdesk.ui.theme.icons import icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.search_field import SearchField

_WIDTH_PX, _HEIGHT_PX, _SIDE_PX, _ROW_PX = 900, 620, 260, 34
_SAVE_AFTER_MS = 800
_CHECK_AFTER_MS = 200
_KINDS: Final = {PromptKind.TEMPLATE: "Template, for the composer", PromptKind.SYSTEM: "System prompt"}
_ICONS: Final = {PromptKind.TEMPLATE: "wand", PromptKind.SYSTEM: "message-square"}
_SHOWN: Final[dict[str, PromptKind | None]] = {
    "All prompts": None,
    "Templates": PromptKind.TEMPLATE,
    "System prompts": PromptKind.SYSTEM,
}
_HINTS: Final = {
    PromptKind.TEMPLATE: "{{date}} {{time}} {{clipboard}} {{selection}} {{project}} {{model}} {{thread}} are filled in."
    " Any other name, such as {{topic}}, {{topic:default}} or {{tone|formal|casual}}, is asked for.",
    PromptKind.SYSTEM: "{{date}} {{time}} {{project}} {{model}} are filled in each time it is sent.",
}
_ID_ROLE = int(Qt.ItemDataRole.UserRole)

_State = tuple[PromptKind, str, str]


class PromptsDialog(Panel):
    """``saveRequested`` has the id (None: a new one), kind, name and text; ``saved`` or ``show_failure`` answers it."""

    saveRequested = Signal(object, object, str, str)
    openRequested = Signal(str)
    duplicateRequested = Signal(str)
    deleteRequested = Signal(str)
    restoreRequested = Signal(str)
    insertRequested = Signal(str)
    importRequested = Signal()
    exportRequested = Signal()
    checkRequested = Signal(str, bool)

    def __init__(self, theme: Theme, *, parent: QWidget | None = None) -> None:
        super().__init__(theme, "Prompts", parent=parent)
        self.setObjectName("promptsDialog")
        self._heads: tuple[PromptHead, ...] = ()
        self._id: str | None = None
        self._clean: _State = (PromptKind.TEMPLATE, "", "")
        self._opened = self._clean
        self._sent: _State | None = None
        self._then: Callable[[], object] | None = None
        self._deleted_id = ""
        self._save_timer = self._timer(_SAVE_AFTER_MS, self._save_quietly)
        self._check_timer = self._timer(_CHECK_AFTER_MS, self._check)
        self._build()
        self.fit(_WIDTH_PX, _HEIGHT_PX)
        self._show_form(None)
        self.search.setFocus()

    # What the binding says

    @property
    def prompt_id(self) -> str | None:
        """Of what is in the form; None: one that is not stored yet."""
        return self._id

    def show_heads(self, heads: Sequence[PromptHead]) -> None:
        self._heads = tuple(heads)
        self._fill()

    def show_prompt(self, prompt: Prompt | None) -> None:
        """In the form; None: an empty one."""

        def show() -> None:
            self._show_form(prompt)
            self._mark_row()

        self._leave(show)  # keys may have been faster

    def begin(self, kind: PromptKind, text: str) -> None:
        """A new prompt of a text; it is stored like one that was typed."""
        self._show_form(None)
        self.kind_box.setCurrentIndex(self.kind_box.findData(kind.value))
        self.text_field.setPlainText(text)
        self._mark_row()
        self.name_field.setFocus()

    def saved(self, prompt: Prompt) -> None:
        """What was sent is stored; what was typed meanwhile follows."""
        if self._sent is None:
            return
        self._clean, self._sent, self._id = self._sent, None, prompt.id
        if not self.name_field.text().strip():
            self.name_field.setText(prompt.name)
            self._clean = (self._clean[0], prompt.name, self._clean[2])
        self._show_state()
        if self._then is not None:
            self._leave(self._then)

    def show_failure(self, sentence: str) -> None:
        """Nothing was stored; the text stays in the form, and the dialog open."""
        self._sent = self._then = None
        self._say(sentence, is_danger=True)
        self._mark_row()
        self._show_state()

    def show_problems(self, sentences: Sequence[str]) -> None:
        self._problems.setText("\n".join(sentences))
        self._problems.setVisible(bool(sentences))

    def show_notice(self, sentence: str) -> None:
        self._say(sentence, is_danger=False)

    def show_deleted(self, prompt_id: str, name: str) -> None:
        """The way back is one press away."""
        self._deleted_id = prompt_id
        self._say(f"Deleted: {name}", is_danger=False)
        self.restore_button.setVisible(True)
        self._show_form(None)
        self.restore_button.setFocus(Qt.FocusReason.OtherFocusReason)

    # Qt

    def reject(self) -> None:
        self._leave(super().reject)

    # Building

    def _build(self) -> None:
        theme = self.theme
        self.search = SearchField(theme, object_name="promptsSearch", placeholder="Find a prompt")
        self.shown_box = QComboBox()
        self.shown_box.setObjectName("promptsShown")
        self.shown_box.setAccessibleName("Show")
        self.shown_box.addItems(list(_SHOWN))
        self.list = QListWidget()
        self.list.setObjectName("promptsList")
        self.list.setAccessibleName("Prompts")
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setUniformItemSizes(True)
        self.new_button = self._button("New", "promptsNew", lambda: self._leave(self._begin_empty))
        self.import_button = self._button("Import…", "promptsImport", lambda: self._leave(self.importRequested.emit))
        self.export_button = self._button("Export…", "promptsExport", lambda: self._leave(self.exportRequested.emit))
        side = QVBoxLayout()
        side.setSpacing(8)
        for widget in (self.search, self.shown_box):
            side.addWidget(widget)
        side.addWidget(self.list, 1)
        side.addLayout(_row(self.new_button, None, self.import_button, self.export_button))
        self.name_field = QLineEdit()
        self.name_field.setObjectName("promptName")
        self.name_field.setAccessibleName("Name of the prompt")
        self.name_field.setPlaceholderText("Name")
        self.name_field.setMaxLength(LONGEST_NAME)
        self.kind_box = QComboBox()
        self.kind_box.setObjectName("promptKind")
        self.kind_box.setAccessibleName("Kind of prompt")
        for kind, text in _KINDS.items():
            self.kind_box.addItem(text, kind.value)
        self.text_field = TextField(theme, name="Text of the prompt", object_name="promptText", most=LONGEST_TEXT)
        self.text_field.setPlaceholderText("What the prompt says")
        self._hint = plain_label("", "muted", wraps=True)
        self._problems = plain_label("", "text", wraps=True)
        self._problems.setObjectName("promptProblems")
        self._problems.setProperty("isDanger", True)
        self._problems.hide()
        self._notice = plain_label("", "muted", wraps=True)
        self._notice.setObjectName("promptsNotice")
        self.restore_button = self._button("Undo", "promptsRestore", self._restore)
        self.restore_button.hide()
        self.copy_button = self._button("Duplicate", "promptsDuplicate", self._duplicate)
        self.delete_button = self._button("Delete", "promptsDelete", self._delete)
        self.delete_button.setProperty("isDanger", True)
        self.revert_button = self._button("Revert", "promptsRevert", self._revert)
        self.insert_button = self._button("Insert", "promptsInsert", self._insert)
        self.done_button = self._button("Done", "promptsDone", self.reject)
        self.done_button.setProperty("isPrimary", True)
        form = QVBoxLayout()
        form.setSpacing(8)
        head = QHBoxLayout()
        head.addWidget(self.name_field, 1)
        head.addWidget(self.kind_box)
        form.addLayout(head)
        form.addWidget(self.text_field, 1)
        for widget in (self._hint, self._problems):
            form.addWidget(widget)
        said = QHBoxLayout()
        said.addWidget(self._notice, 1)
        said.addWidget(self.restore_button)
        form.addLayout(said)
        form.addLayout(
            _row(self.copy_button, self.delete_button, None, self.revert_button, self.insert_button, self.done_button)
        )
        left = QWidget()
        left.setFixedWidth(round(_SIDE_PX * max(1.0, theme.scale)))
        left.setLayout(side)
        side.setContentsMargins(0, 0, 0, 0)
        columns = QHBoxLayout()
        columns.setSpacing(20)
        columns.addWidget(left)
        columns.addLayout(form, 1)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(24, 20, 24, 20)
        rows.setSpacing(12)
        rows.addWidget(plain_label("Prompts", "strong"))
        rows.addLayout(columns, 1)
        tokens = theme.tokens
        self.setStyleSheet(
            "#promptsList { background: transparent; border: none; outline: none; }"
            f"#promptsList::item {{ padding: 0 6px; border: 2px solid transparent; color: {tokens.text};"
            f" border-radius: {tokens.radius.row}px; }}"
            f"#promptsList::item:selected {{ background: {tokens.selected}; }}"
            f"#promptsList::item:selected:focus {{ border: 2px solid {tokens.accent}; }}"
        )
        self.search.textChanged.connect(self._fill)
        self.shown_box.currentIndexChanged.connect(lambda _index: self._fill())
        self.list.currentItemChanged.connect(self._on_list_current_changed)
        self.name_field.textChanged.connect(self._on_typed)
        self.text_field.textChanged.connect(self._on_typed)
        self.kind_box.currentIndexChanged.connect(self._on_typed)

    def _button(self, text: str, object_name: str, run: Callable[[], object]) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(object_name)
        button.setAutoDefault(False)
        button.clicked.connect(lambda _is_checked: run())
        return button

    def _timer(self, interval_ms: int, run: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval_ms)
        timer.timeout.connect(run)
        return timer

    # The list

    def _fill(self) -> None:
        kind = _SHOWN[self.shown_box.currentText()]
        shown = [head for head in self._heads if kind is None or head.kind is kind]
        self.list.blockSignals(True)
        self.list.clear()
        for head in ranked(shown, self.search.text()):
            item = QListWidgetItem(icon(_ICONS[head.kind], self.theme.tokens.muted), head.name, self.list)
            item.setData(_ID_ROLE, head.id)
            item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, _KINDS[head.kind])
            item.setSizeHint(QSize(0, round(_ROW_PX * max(1.0, self.theme.scale))))
        if not self.list.count():
            QListWidgetItem("No prompt has this in it.", self.list).setFlags(Qt.ItemFlag.NoItemFlags)
        self.list.blockSignals(False)
        self._mark_row()

    def _mark_row(self) -> None:
        """The row of what is in the form is the current one."""
        self.list.blockSignals(True)
        rows = range(self.list.count()) if self._id is not None else ()
        self.list.setCurrentRow(next((row for row in rows if self.list.item(row).data(_ID_ROLE) == self._id), -1))
        self.list.blockSignals(False)

    def _on_list_current_changed(self, item: QListWidgetItem | None) -> None:
        prompt_id = None if item is None else item.data(_ID_ROLE)
        if prompt_id and prompt_id != self._id:
            self._leave(lambda: self.openRequested.emit(prompt_id))

    # The form

    def _state(self) -> _State:
        return self._kind(), self.name_field.text(), self.text_field.toPlainText()

    def _kind(self) -> PromptKind:
        return PromptKind(self.kind_box.currentData())

    def _is_changed(self) -> bool:
        return self._state() != self._clean

    def _is_blank(self) -> bool:
        """A new prompt in which nothing was written."""
        return self._id is None and not self.name_field.text().strip() and not self.text_field.toPlainText().strip()

    def _show_form(self, prompt: Prompt | None) -> None:
        kind = self._kind() if prompt is None else prompt.kind
        self._id = None if prompt is None else prompt.id
        self._clean = (kind, "", "") if prompt is None else (prompt.kind, prompt.name, prompt.text)
        self._sent = None
        for field in (self.name_field, self.text_field, self.kind_box):
            field.blockSignals(True)
        self.kind_box.setCurrentIndex(self.kind_box.findData(kind.value))
        self.name_field.setText(self._clean[1])
        self.text_field.setPlainText(self._clean[2])
        for field in (self.name_field, self.text_field, self.kind_box):
            field.blockSignals(False)
        # What the field made of it is what is compared: it has its own ideas of line ends.
        self._clean = self._opened = self._state()
        self._save_timer.stop()
        self._check()
        self._show_state()

    def _begin_empty(self) -> None:
        self.show_prompt(None)
        self.name_field.setFocus()

    def _on_typed(self) -> None:
        self._save_timer.start()
        self._check_timer.start()
        self._show_state()

    def _show_state(self) -> None:
        is_stored, kind = self._id is not None, self._kind()
        self._hint.setText(_HINTS[kind])
        self.copy_button.setEnabled(is_stored)
        self.delete_button.setEnabled(is_stored)
        self.revert_button.setEnabled(self._state() != self._opened)
        self.insert_button.setVisible(kind is PromptKind.TEMPLATE)
        self.insert_button.setEnabled(bool(self.text_field.toPlainText().strip()))

    def _check(self) -> None:
        self._check_timer.stop()
        self.checkRequested.emit(self.text_field.toPlainText(), self._kind() is PromptKind.SYSTEM)

    def _say(self, text: str, *, is_danger: bool) -> None:
        self.restore_button.hide()
        self._notice.setProperty("isDanger", is_danger)
        self._notice.style().unpolish(self._notice)
        self._notice.style().polish(self._notice)
        self._notice.setText(text)
        announce(self, text)

    # Storing

    def _save_quietly(self) -> None:
        """A text that is empty for a moment is not worth words."""
        if self.text_field.toPlainText().strip():
            self._save()

    def _save(self) -> None:
        self._save_timer.stop()
        if self._sent is None and self._is_changed():
            self._sent = self._state()
            self.saveRequested.emit(self._id, *self._sent)

    def _leave(self, then: Callable[[], object]) -> None:
        """Do something for which the form must be stored; not at all where it cannot be."""
        if self._is_blank() or not self._is_changed():
            self._then = None
            self._save_timer.stop()
            then()
        else:
            self._then = then
            self._save()

    # What a person presses

    def _revert(self) -> None:
        kind, name, text = self._opened
        self.kind_box.setCurrentIndex(self.kind_box.findData(kind.value))
        self.name_field.setText(name)
        self.text_field.replace_text(text)

    def _duplicate(self) -> None:
        self._leave(lambda: self.duplicateRequested.emit(self._id))

    def _delete(self) -> None:
        if self.text_field.toPlainText().strip():
            self._leave(lambda: self.deleteRequested.emit(self._id))
        else:  # cannot be stored, nor need it be
            self._save_timer.stop()
            self.deleteRequested.emit(self._id)

    def _restore(self) -> None:
        self.restore_button.hide()
        self._notice.setText("")
        self.restoreRequested.emit(self._deleted_id)

    def _insert(self) -> None:
        def insert() -> None:
            prompt_id = self._id
            self.accept()
            self.insertRequested.emit(prompt_id)

        self._leave(insert)


def _row(*widgets: QWidget | None) -> QHBoxLayout:
    """None is what stretches."""
    row = QHBoxLayout()
    row.setSpacing(8)
    for widget in widgets:
        if widget is None:
            row.addStretch(1)
        else:
            row.addWidget(widget)
    return row
