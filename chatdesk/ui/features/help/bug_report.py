"""Shows *Report a problem…*: the content of the report, file by file, before it is saved."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QWidget,
)

from chatdesk.core.diagnostics.bundle import ReportFile
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.accessibility.assistance import announce, named, open_selected
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.focus_ring import frame_when_empty
from chatdesk.ui.widgets.words import size_text, with_commas

_SIZE_PX = (760, 520)
_LIST_PX, _ROW_PX = 220, 32
# Laid out in one go, so that the window stays awake.
_SHOWN_CHARACTERS = 24_000
_HINT = Text(
    "Save these files as a zip and send it with a description of what went wrong. They contain no messages, titles, "
    "file names or keys. Look through them first; nothing is sent automatically."
)


class BugReportDialog(FormPanel):
    """A dialog that lists the files of a bug report. ``saveRequested``: the person wants the zip. Without files it says
    that they are being collected."""

    saveRequested = Signal()

    def __init__(self, theme: Theme, *, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("Report a problem"), object_name="bugReportDialog", size_px=_SIZE_PX, parent=parent)
        self._files: tuple[ReportFile, ...] = ()
        self._list = named(QListWidget(), "bugReportFiles", tr("Files of the report"))
        self._list.setFrameShape(QFrame.Shape.NoFrame)
        self._list.setFixedWidth(round(_LIST_PX * max(1.0, theme.scale)))
        frame_when_empty(self.theme, self._list)
        self._text = named(QPlainTextEdit(), "bugReportText", tr("Text of the file"))
        self._text.setReadOnly(True)
        self._text.setFont(theme.font("code"))
        self._text.setTabChangesFocus(True)
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._state = plain_label(tr("Collecting…"), "muted", wraps=True, name="bugReportState")
        self.save_button = push_button(tr("Save as a zip…"), "bugReportSave", self.saveRequested.emit, is_primary=True)
        self.save_button.setEnabled(False)
        self._lay_out()
        open_selected(self._list)
        self._list.currentRowChanged.connect(self._show)
        self._list.setFocus()

    def _lay_out(self) -> None:
        self.buttons.insertWidget(0, self._state, 1000)  # all the room that the buttons leave
        self.add_button(push_button(tr("Close"), "bugReportClose", self.reject))
        self.add_button(self.save_button)
        middle = QHBoxLayout()
        middle.setSpacing(12)
        middle.addWidget(self._list)
        middle.addWidget(self._text, 1)
        self.add_text(_HINT)
        self.body.addLayout(middle, 1)
        tokens = self.theme.tokens
        self.setStyleSheet(
            "#bugReportFiles { background: transparent; border: none; outline: none; }"
            "#bugReportFiles::item { padding: 0 8px; border: 2px solid transparent; }"
            f"#bugReportFiles::item {{ border-radius: {tokens.radius.row}px; color: {tokens.text}; }}"
            f"#bugReportFiles::item:selected {{ background: {tokens.selected}; }}"
            f"#bugReportFiles::item:focus {{ border: 2px solid {tokens.accent}; }}"
        )

    @property
    def files(self) -> tuple[ReportFile, ...]:
        return self._files

    def show_files(self, files: Sequence[ReportFile]) -> None:
        """Show the files that would be saved."""
        self._files = tuple(files)
        for each in self._files:
            item = QListWidgetItem(each.name, self._list)
            item.setToolTip(each.name)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, with_commas((each.name, size_text(each.size_bytes))))
            item.setSizeHint(QSize(0, self.theme.target_px(_ROW_PX)))
        size, count = size_text(sum(each.size_bytes for each in self._files)), len(self._files)
        state = plural("{count} files, {size} before packing", "{count} file, {size} before packing", count, size=size)
        self.show_state(shown(state))
        self.save_button.setEnabled(bool(self._files))
        self._list.setCurrentRow(0)

    def show_state(self, text: str) -> None:
        """Show the progress or the result of saving the report."""
        self._state.setText(text)
        announce(self, text)

    def _show(self, row: int) -> None:
        text = self._files[row].text if 0 <= row < len(self._files) else ""
        if len(text) > _SHOWN_CHARACTERS:
            text = tr(
                "(The end of it; the zip has all {count} characters.)\n…{end}",
                count=len(text),
                end=text[-_SHOWN_CHARACTERS:],
            )
        self._text.setPlainText(text)
