"""Shows *Export…*: the content and its format. The target is chosen next, in the system's own dialog. A dialog shows
the progress."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QHBoxLayout,
    QProgressBar,
    QRadioButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox

_WIDTH_PX = 460
_MARK_PX, _MARK_GAP_PX = 16, 8  # of a radio button; aligns the description with the name above it
_FORMATS: Final = (
    ("md", "Markdown", Text("For editors and notes. One file a thread, attachments in a folder beside it.")),
    ("html", Text("Web page"), Text("One file with everything in it, to read and to print.")),
    ("pdf", "PDF", Text("For paper and for sending on.")),
    (
        "json",
        Text("JSON with attachments (zip)"),
        Text("Everything, other versions too. ChatDesk can import it again."),
    ),
)
_PROGRESS_WIDTH_PX = 440
_STEPS = 1000


class ExportDialog(FormPanel):
    """A dialog that chooses the scope and the format of an export. ``scopes`` are (id, words), the first is chosen.
    ``chosen`` has scope, format and whether the trash comes too."""

    chosen = Signal(str, str, bool)

    def __init__(self, theme: Theme, scopes: Sequence[tuple[str, str]], *, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("Export"), object_name="exportDialog", width_px=_WIDTH_PX, parent=parent)
        column = self.body
        self.scope = named(ChoiceBox(), "exportScope", tr("What to export"))
        for name, words in scopes:
            self.scope.addItem(words, name)
        column.addWidget(self.scope)
        column.addSpacing(6)
        self._formats = QButtonGroup(self)
        for number, (name, format_name, about) in enumerate(_FORMATS):
            words, hint = shown(format_name), shown(about)
            button = named(QRadioButton(words), f"exportFormat_{name}", words)
            button.setAccessibleDescription(hint)
            button.setChecked(number == 0)
            self._formats.addButton(button, number)
            line = plain_label(hint, "muted", wraps=True)
            as_high_as_its_words = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
            as_high_as_its_words.setHeightForWidth(True)
            line.setSizePolicy(as_high_as_its_words)
            words_of_format = QVBoxLayout()
            words_of_format.setSpacing(1)
            words_of_format.addWidget(button)
            below = QHBoxLayout()
            below.addSpacing(round(_MARK_PX * max(1.0, theme.scale)) + _MARK_GAP_PX)
            below.addWidget(line)
            words_of_format.addLayout(below)
            column.addLayout(words_of_format)
        self.trash = named(QCheckBox(tr("Include the trash")), "exportTrash", tr("Include the trash"))
        column.addSpacing(4)
        column.addWidget(self.trash)
        column.addSpacing(8)
        column.addStretch(1)
        self.add_button(push_button(tr("Cancel"), "exportCancel", self.reject))
        self.add_button(
            push_button(tr("Choose where…"), "exportGo", self._on_go_clicked, is_primary=True, is_default=True)
        )
        self.scope.currentIndexChanged.connect(lambda _index: self._show_trash())
        self._show_trash()
        self._formats.buttons()[0].setFocus()

    def _show_trash(self) -> None:
        self.trash.setEnabled(self.scope.currentData() in ("project", "everything"))
        if not self.trash.isEnabled():
            self.trash.setChecked(False)

    def _on_go_clicked(self) -> None:
        kind = _FORMATS[self._formats.checkedId()][0]
        self.accept()
        self.chosen.emit(self.scope.currentData(), kind, self.trash.isChecked())


class ProgressDialog(FormPanel):
    """A dialog that shows the progress of long work. ``stopped`` comes once when the person gives it up, by button or
    Esc; ``end`` closes it without."""

    stopped = Signal()

    def __init__(self, theme: Theme, title: str, text: str, *, parent: QWidget | None = None) -> None:
        super().__init__(theme, title, object_name="progressDialog", width_px=_PROGRESS_WIDTH_PX, parent=parent)
        self._is_over = False
        self._text = plain_label(text, "text", wraps=True, name="progressText")
        self.bar = named(QProgressBar(), "progressBar", shown(title))
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.body.addWidget(self._text)
        self.body.addWidget(self.bar)
        self.add_button(push_button(tr("Cancel"), "progressStop", self.reject))
        announce(self, text)

    def show_text(self, text: str) -> None:
        self._text.setText(shown(text))
        self.fit_height(_PROGRESS_WIDTH_PX)

    def show_share(self, done: int, of: int) -> None:
        """Show progress; ``of`` 0 means that the total is not known."""
        self.bar.setRange(0, _STEPS if of else 0)
        if of:
            self.bar.setValue(min(_STEPS, done * _STEPS // of))

    def end(self) -> None:
        """Close the dialog because the work has ended, with or without success."""
        if not self._is_over:
            self._is_over = True
            self.accept()

    def reject(self) -> None:
        if self._is_over:
            super().reject()
        else:
            self._is_over = True
            super().reject()
            self.stopped.emit()
