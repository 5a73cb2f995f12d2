"""Implements a field for a local folder, which is typed, pasted or chosen, with a button to clear it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QStandardPaths, QUrl, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.texts import shown, tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.file_dialogs import ask_for_folder
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.widgets.elided_label import set_plain_tooltip
from chatdesk.ui.widgets.layouts import bare_row

_GAP_PX = 8


class FolderField(QWidget):
    """A field for a folder. ``name`` is what a screen reader says; the parts are named after ``object_name``. It asks
    no disk, which may be far away: ``entered`` comes when a folder was chosen, or typed and left, to be checked."""

    entered = Signal(object)

    def __init__(self, folder: Path | None, *, name: str, object_name: str) -> None:
        super().__init__()
        self._before = folder
        self.folder = folder
        self._name = name
        self.line = named(QLineEdit(), object_name, shown(name))
        self.line.setPlaceholderText(tr("None"))
        self.line.textEdited.connect(self._on_line_edited)
        self.line.editingFinished.connect(lambda: self.entered.emit(self.folder))
        self.choose_button = push_button(
            tr("Choose…"), f"{object_name}Choose", self._choose, name=tr("Choose: {name}", name=name)
        )
        self.remove_button = push_button(
            tr("Remove"), f"{object_name}Remove", self._remove, name=tr("Remove: {name}", name=name)
        )
        row = bare_row(self, spacing_px=_GAP_PX)
        row.addWidget(self.line, 1)
        row.addWidget(self.choose_button)
        row.addWidget(self.remove_button)
        self._show()

    @property
    def is_changed(self) -> bool:
        return self.folder != self._before

    def _on_line_edited(self, text: str) -> None:
        self.folder = _typed_folder(text)
        set_plain_tooltip(self.line, text)
        self.remove_button.setEnabled(self.folder is not None)

    def _choose(self) -> None:
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        start = documents if self.folder is None else str(self.folder)
        ask_for_folder(self, shown(self._name), self._set_folder, start=start, object_name="folderDialog")

    def _set_folder(self, path: Path) -> None:
        self.folder = path
        self._show()
        self.entered.emit(self.folder)

    def _remove(self) -> None:
        self.folder = None
        self._show()
        self.entered.emit(None)
        self.choose_button.setFocus()

    def _show(self) -> None:
        text = "" if self.folder is None else visible_controls(str(self.folder))
        self.line.setText(text)
        self.line.setCursorPosition(len(text))
        set_plain_tooltip(self.line, text)
        self.remove_button.setEnabled(self.folder is not None)


def _typed_folder(text: str) -> Path | None:
    """Return the folder that was typed or pasted: a path, in quotation marks too, or the address of a folder here."""
    written = text.strip().strip('"')
    if not written:
        return None
    if written.startswith("file:"):
        written = QUrl(written).toLocalFile()
    try:
        return Path(written).expanduser()
    except RuntimeError:  # the home of a user unknown to this computer
        return Path(written)
