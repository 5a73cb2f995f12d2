"""Shows *Restore…*: choose a backup and see its contents before anything is replaced."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QListWidget, QListWidgetItem, QWidget

from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import announce, named, open_selected
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.theme.theme import Theme

_SIZE_PX = (620, 460)
_ROW_PX = 32
_WARNING = Text(
    "ChatDesk first backs up what is there now. Then it closes, restores the backup you chose, and opens again."
)


class RestoreDialog(FormPanel):
    """A dialog that chooses a backup to restore. ``inspectRequested`` asks what is inside a backup, ``otherRequested``
    for a file from elsewhere, ``chosen`` restores."""

    inspectRequested = Signal(str)
    otherRequested = Signal()
    chosen = Signal(str)

    def __init__(self, theme: Theme, backups: Sequence[tuple[str, str]], *, parent: QWidget | None = None) -> None:
        """Make the dialog. ``backups`` are (path, words), the newest first."""
        super().__init__(theme, tr("Restore a backup"), object_name="restoreDialog", size_px=_SIZE_PX, parent=parent)
        self._list = named(QListWidget(), "restoreList", tr("Backups, the newest first"))
        self._list.setFrameShape(QFrame.Shape.NoFrame)
        self._contents = plain_label("", "text", wraps=True, name="restoreContents")
        self._contents.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        other = push_button(tr("Other file…"), "restoreOther", self.otherRequested.emit)
        self.add_button(other, is_first=True)
        self.add_button(push_button(tr("Cancel"), "restoreCancel", self.reject))
        self.restore_button = self.add_button(
            push_button(tr("Restore"), "restoreGo", self._on_restore_clicked, is_danger=True)
        )
        self.restore_button.setEnabled(False)
        middle = QHBoxLayout()
        middle.setSpacing(16)
        middle.addWidget(self._list, 1)
        middle.addWidget(self._contents, 1)
        self.body.addLayout(middle, 1)
        self.add_text(shown(_WARNING))
        tokens = theme.tokens
        self.setStyleSheet(
            "#restoreList { background: transparent; border: none; outline: none; }"
            "#restoreList::item { padding: 0 8px; border: 2px solid transparent; }"
            f"#restoreList::item {{ border-radius: {tokens.radius.row}px; color: {tokens.text}; }}"
            f"#restoreList::item:selected {{ background: {tokens.selected}; }}"
            f"#restoreList::item:focus {{ border: 2px solid {tokens.accent}; }}"
        )
        for path, words in backups:
            self._add(path, words)
        open_selected(self._list)
        self._list.currentItemChanged.connect(lambda _item, _old: self._inspect())
        if backups:
            self._list.setCurrentRow(0)
            self._list.setFocus()
        else:
            self._contents.setText(tr("There is no backup yet."))
            self._list.hide()
            other.setFocus()

    @property
    def path(self) -> str:
        """The chosen backup, empty when none is."""
        item = self._list.currentItem()
        return str(item.data(Qt.ItemDataRole.UserRole)) if item is not None else ""

    def add_file(self, path: Path) -> None:
        """Add a backup file from elsewhere, which is inspected at once."""
        self._add(str(path), path.name)
        self._list.show()
        self._list.setCurrentRow(self._list.count() - 1)

    def show_contents(self, path: str, lines: Sequence[str], *, can_restore: bool) -> None:
        """Show the contents of the backup ``path``, or why it cannot be restored. Ignored when another backup was
        chosen in the meantime."""
        if path == self.path:
            text = "\n".join(lines)
            self._contents.setText(text)
            self.restore_button.setEnabled(can_restore)
            announce(self, text)

    def show_busy(self, text: str) -> None:
        """Show that the backup is being restored."""
        self._contents.setText(text)
        for widget in (self._list, self.restore_button):
            widget.setEnabled(False)
        announce(self, text)

    def show_failure(self, text: str) -> None:
        """Show why the backup was not restored."""
        self._contents.setText(text)
        self._list.setEnabled(True)
        announce(self, text)

    def _add(self, path: str, words: str) -> None:
        item = QListWidgetItem(words, self._list)
        item.setData(Qt.ItemDataRole.UserRole, path)
        item.setSizeHint(QSize(0, self.theme.target_px(_ROW_PX)))

    def _inspect(self) -> None:
        self.restore_button.setEnabled(False)
        if self.path:
            self._contents.setText(tr("Looking into it…"))
            self.inspectRequested.emit(self.path)

    def _on_restore_clicked(self) -> None:
        if self.path:
            self.chosen.emit(self.path)
