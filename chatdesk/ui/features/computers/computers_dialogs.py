"""Shows the dialogs of own computers: *Start*, *Join* and *Remove this computer*."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QWidget

from chatdesk.core.domain.sharing.team_setup import CheckState, SetupCheck
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.dialogs.file_dialogs import ask_for_folder, ask_where_to_save
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.marks import CheckSteps
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.features.team.pages.team_keep import KeepInFile
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.layouts import FlowRow, bare_column

_WIDTH_PX: Final = 580
_LONGEST: Final = 4096
_KEEP: Final = Text(
    "This computer has no keyring that could keep the key. Keep it in ChatDesk's encrypted file of keys instead; you"
    " enter its passphrase once after each start."
)


class FolderField(QWidget):
    """A folder, typed or chosen, and the steps of its test."""

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        words = tr("Folder that something carries between your computers")
        self.field = named(QLineEdit(), "computersPlace", words)
        self.field.setMaxLength(_LONGEST)
        self.steps = CheckSteps(theme, "computersSteps")
        label = plain_label(words, "text", wraps=True)
        label.setBuddy(self.field)
        row = QHBoxLayout()
        row.addWidget(self.field, 1)
        row.addWidget(push_button(tr("Browse…"), "computersBrowse", self._browse))
        column = bare_column(self, spacing_px=theme.tokens.space.s)
        column.addWidget(label)
        column.addLayout(row)
        column.addWidget(self.steps)
        self.field.textChanged.connect(self._on_changed)

    @property
    def folder(self) -> Path | None:
        """The folder; None while there is none to speak of."""
        text = self.field.text().strip()
        return Path(text).expanduser() if text and Path(text).expanduser().is_absolute() else None

    def show_checks(self, checks: Sequence[SetupCheck]) -> None:
        self.steps.reset()
        for each in checks:
            self.steps.add(f"{shown(each.name)}: {shown(each.sentence)}", each.state is not CheckState.FAILED)
        announce(self, " ".join(shown(each.sentence) for each in checks))

    def _browse(self) -> None:
        ask_for_folder(
            self,
            tr("Choose the folder"),
            lambda path: self.field.setText(str(path)),
            start=self.field.text(),
            object_name="computersFolderDialog",
        )

    def _on_changed(self) -> None:
        self.steps.reset()
        self.changed.emit()


class PhraseBox(QWidget):
    """A recovery phrase, shown once: copied, saved as a file that can be printed, and confirmed. ``saveRequested`` has
    the file and its text."""

    saveRequested = Signal(str, str)
    confirmed = Signal(bool)

    def __init__(self, theme: Theme, phrase: str) -> None:
        super().__init__()
        self._phrase = phrase
        self.field = named(QLineEdit(phrase), "computersPhraseShown", tr("Recovery phrase"))
        self.field.setReadOnly(True)
        self.field.setFont(theme.font("code"))
        self.field.setCursorPosition(0)
        self.said = plain_label("", "muted", wraps=True, name="computersPhraseSaid")
        self.said.hide()
        self.box = QCheckBox(tr("I have written it down, or saved it"))
        self.box.setObjectName("computersPhraseKept")
        self.box.toggled.connect(self.confirmed)
        row = FlowRow(theme.tokens.space.s)
        row.addWidget(push_button(tr("Copy"), "computersPhraseCopy", self._copy, name=tr("Copy the phrase")))
        row.addWidget(push_button(tr("Save to print…"), "computersPhraseSave", self._save))
        words = tr(
            "Your other computers need this recovery phrase, and with it alone you get your chats back. Whoever has it"
            " and the folder can read everything. It is not shown again."
        )
        column = bare_column(self, spacing_px=theme.tokens.space.s)
        column.addWidget(plain_label(words, "text", wraps=True))
        column.addWidget(self.field)
        column.addLayout(row)
        column.addWidget(self.said)
        column.addWidget(self.box)

    def show_result(self, text: str) -> None:
        self.said.setText(text)
        self.said.show()
        announce(self, text)

    def save(self, path: str) -> None:
        text = tr("Recovery phrase of ChatDesk for my computers: {phrase}", phrase=self._phrase)
        self.saveRequested.emit(path, f"{text}\n")

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._phrase)
        self.show_result(tr("The phrase is in the clipboard."))

    def _save(self) -> None:
        ask_where_to_save(
            self,
            tr("Save the recovery phrase"),
            tr("ChatDesk recovery phrase.txt"),
            lambda path: self.save(str(path)),
            suffix="txt",
        )


class _ComputersPanel(TaskPanel):
    """The base of the dialogs: the offer to keep the key in a file, a way out, and one button that goes on."""

    def __init__(self, theme: Theme, title: str, *, object_name: str, parent: QWidget | None) -> None:
        super().__init__(theme, title, object_name=object_name, width_px=_WIDTH_PX, parent=parent)
        self.keep = KeepInFile(_KEEP)

    def _finish(self, button_text: str, name: str, run: Callable[[], None], *, is_danger: bool = False) -> None:
        self.body.addWidget(self.keep)
        self.add_button(push_button(tr("Cancel"), "computersCancel", self.reject, is_way_out=True))
        made = push_button(button_text, name, run, is_primary=not is_danger, is_danger=is_danger)
        self.go_button = self.add_button(made)

    def show_problem(self, sentence: str) -> None:
        super().show_problem(sentence)
        if sentence:
            self.refresh()

    def refresh(self) -> None:
        """Enable the button where all is filled in."""

    def go_on(self) -> None:
        """Try again with the present fields."""
        self.end_busy()
        self.keep.hide()
        self.go_button.click()


class StartComputersDialog(_ComputersPanel):
    """Begins with a folder. ``checkRequested`` has the folder, ``startRequested`` the folder and the phrase, which was
    confirmed. Nothing is made before."""

    checkRequested = Signal(object)
    startRequested = Signal(object, str)

    def __init__(self, theme: Theme, phrase: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("Start with this computer"), object_name="computersStartDialog", parent=parent)
        self._phrase = phrase
        self._is_checked = False
        self.place = FolderField(theme)
        self.phrase = PhraseBox(theme, phrase)
        self.phrase.hide()
        self.body.addWidget(self.place)
        self.body.addWidget(self.phrase)
        self._finish(tr("Check the folder"), "computersGo", self._go)
        self.place.changed.connect(self._on_changed)
        self.place.field.returnPressed.connect(self._go)
        self.phrase.confirmed.connect(self.refresh)
        self.refresh()
        self.place.field.setFocus()

    def show_checks(self, checks: Sequence[SetupCheck]) -> None:
        """Show the test of the folder; where it passes, the phrase is shown."""
        self.end_busy()
        self._is_checked = all(each.state is not CheckState.FAILED for each in checks)
        self.place.show_checks(checks)
        self.phrase.setVisible(self._is_checked)
        self.refresh()
        self.refit()
        (self.phrase.field if self._is_checked else self.place.field).setFocus()

    def refresh(self) -> None:
        self.go_button.setText(tr("Start") if self._is_checked else tr("Check the folder"))
        self.go_button.setAccessibleName(self.go_button.text())
        if not self.is_busy:
            is_ready = self.phrase.box.isChecked() if self._is_checked else self.place.folder is not None
            self.go_button.setEnabled(is_ready)

    def _on_changed(self) -> None:
        self._is_checked = False
        self.phrase.hide()
        self.phrase.box.setChecked(False)
        self.refresh()

    def _go(self) -> None:
        folder = self.place.folder
        if folder is None or not self.go_button.isEnabled() or self.is_busy:
            return
        if self._is_checked:
            self.show_busy(tr("Writing into the folder…"))
            self.startRequested.emit(folder, self._phrase)
        else:
            self.show_busy(tr("Looking at the folder…"))
            self.checkRequested.emit(folder)


class JoinComputersDialog(_ComputersPanel):
    """Joins a folder. Both signals have the folder and the phrase; nothing is merged before the second."""

    lookRequested = Signal(object, str)
    joinRequested = Signal(object, str)

    def __init__(self, theme: Theme, *, folder: str = "", parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("Join your computers"), object_name="computersJoinDialog", parent=parent)
        self._is_found = False
        self.place = FolderField(theme)
        self.place.field.setText(folder)
        words = tr("Recovery phrase, as it was shown on the other computer")
        self.phrase = named(QLineEdit(), "computersPhrase", words)
        self.phrase.setMaxLength(_LONGEST)
        self.phrase.setFont(theme.font("code"))
        label = plain_label(words, "text", wraps=True)
        label.setBuddy(self.phrase)
        self.found = plain_label("", "text", wraps=True, name="computersFound")
        self.found.hide()
        for widget in (self.place, label, self.phrase, self.found):
            self.body.addWidget(widget)
        self._finish(tr("Look inside"), "computersGo", self._go)
        self.place.changed.connect(self._on_changed)
        self.phrase.textChanged.connect(self._on_changed)
        for field in (self.place.field, self.phrase):
            field.returnPressed.connect(self._go)
        self.refresh()
        (self.phrase if folder else self.place.field).setFocus()

    def show_found(self, words: str) -> None:
        """Show whose the folder is, and what happens on *Join*."""
        self.end_busy()
        self._is_found = True
        self.found.setText(words)
        self.found.show()
        self.refresh()
        self.refit()
        announce(self, words)
        self.go_button.setFocus()

    def refresh(self) -> None:
        self.go_button.setText(tr("Join") if self._is_found else tr("Look inside"))
        self.go_button.setAccessibleName(self.go_button.text())
        if not self.is_busy:
            self.go_button.setEnabled(self.place.folder is not None and bool(self.phrase.text().strip()))

    def _on_changed(self) -> None:
        self._is_found = False
        self.found.hide()
        self.refresh()

    def _go(self) -> None:
        folder = self.place.folder
        if folder is None or not self.go_button.isEnabled() or self.is_busy:
            return
        is_found = self._is_found
        self.show_busy(tr("Joining…") if is_found else tr("Looking into the folder…"))
        (self.joinRequested if is_found else self.lookRequested).emit(folder, self.phrase.text().strip())


class RemoveComputerDialog(_ComputersPanel):
    """Removes a computer. ``removeRequested`` has the new phrase, which was confirmed."""

    removeRequested = Signal(str)

    def __init__(self, theme: Theme, name: str, phrase: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("Remove {name}", name=name), object_name="computersRemoveDialog", parent=parent)
        self._phrase = phrase
        self.add_text(
            tr(
                "{name} keeps, and can read, everything that it had. It gets nothing new, and what it writes from now"
                " on reaches none of your other computers. These need the new phrase below: choose Join again on each.",
                name=name,
            ),
            "text",
        )
        self.phrase = PhraseBox(theme, phrase)
        self.body.addWidget(self.phrase)
        self._finish(tr("Remove"), "computersGo", self._go, is_danger=True)
        self.phrase.confirmed.connect(self.refresh)
        self.refresh()
        self.phrase.field.setFocus()

    def refresh(self) -> None:
        if not self.is_busy:
            self.go_button.setEnabled(self.phrase.box.isChecked())

    def _go(self) -> None:
        if self.go_button.isEnabled() and not self.is_busy:
            self.show_busy(tr("Removing the computer…"))
            self.removeRequested.emit(self._phrase)
