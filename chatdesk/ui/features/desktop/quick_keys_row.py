"""Shows the row of the settings for the keys of the quick window: a button that records them, the result, and the next
step."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.commands.command_keys import refusal
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.features.desktop.quick_keys import KeysReport, KeysState
from chatdesk.ui.features.settings.settings_row import SettingsRow

_GAP_PX: Final = 6
_BELOW_PX: Final = 8
_TRY_AGAIN: Final = (KeysState.DENIED, KeysState.NO_WAY)
_MODIFIERS: Final = frozenset(
    (
        Qt.Key.Key_Control,
        Qt.Key.Key_Shift,
        Qt.Key.Key_Alt,
        Qt.Key.Key_Meta,
        Qt.Key.Key_AltGr,
        Qt.Key.Key_Super_L,
        Qt.Key.Key_Super_R,
        Qt.Key.Key_CapsLock,
        Qt.Key.Key_NumLock,
        Qt.Key.Key_unknown,
    )
)
_REMOVE: Final = (Qt.Key.Key_Delete, Qt.Key.Key_Backspace)


class QuickKeysRow(QWidget):
    """The settings row for the quick window's keys. ``keysChosen`` carries other keys, or nothing for none. ``command``
    does the same as the keys, for a desktop that gives none; ``fixed_by`` names the variable of the environment that
    decides instead of the person."""

    keysChosen = Signal(str)
    tryAgainRequested = Signal()

    def __init__(self, keys: str, command: str, *, fixed_by: str = "") -> None:
        super().__init__()
        self._command = command
        self.button = KeysButton(keys)
        self.button.setObjectName("quickKeys")
        self.button.setEnabled(not fixed_by)
        self.button.keysChosen.connect(self.keysChosen)
        self.button.refused.connect(self._show_state)
        hint = tr("They show the quick window in whatever program you are.")
        if fixed_by:
            hint = tr("The environment variable {name} decides this.", name=fixed_by)
        row = SettingsRow(tr("Keys for a quick question"), hint, self.button)
        self.state = plain_label("", "muted", wraps=True, name="quickKeysState")
        self._command_label = plain_label(command, "code", wraps=True, name="quickKeysCommand")
        self._command_label.setAccessibleName(tr("Command: {command}", command=command))
        self._command_label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.copy_button = push_button(tr("Copy the command"), "quickKeysCopy", self._copy)
        self.copy_button.hide()
        self.again_button = push_button(tr("Try again"), "quickKeysAgain", self.tryAgainRequested.emit)
        self.again_button.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, _BELOW_PX)
        column.setSpacing(_GAP_PX)
        column.addWidget(row)
        column.addWidget(self.state)
        column.addWidget(self._command_label)
        buttons = QHBoxLayout()
        buttons.setSpacing(_GAP_PX)
        buttons.addWidget(self.copy_button)
        buttons.addWidget(self.again_button)
        buttons.addStretch(1)
        column.addLayout(buttons)

    def show_report(self, report: KeysReport) -> None:
        """Show whether the desktop has bound the keys."""
        has_failed = report.state not in (KeysState.OFF, KeysState.ASKING, KeysState.WORKING)
        self.again_button.setVisible(report.state in _TRY_AGAIN)
        self.copy_button.setVisible(has_failed)
        self._command_label.setVisible(has_failed)
        self.state.setProperty("isDanger", report.state is KeysState.UNKNOWN)
        self.state.style().polish(self.state)
        self._show_state(self._words(report))

    def _words(self, report: KeysReport) -> str:
        keys = QKeySequence(self.button.keys).toString(QKeySequence.SequenceFormat.NativeText)
        match report.state:
            case KeysState.OFF:
                return ""
            case KeysState.ASKING:
                return tr("Asking the desktop for the keys. It may show you a question.")
            case KeysState.WORKING if report.name:
                return tr("The desktop shows it at: {keys}.", keys=report.name)
            case KeysState.WORKING:
                return tr("The keys work.")
            case KeysState.DENIED:
                return tr(
                    "The desktop did not give ChatDesk these keys. Try again, or bind this command to keys in your "
                    "desktop's settings:"
                )
            case KeysState.UNKNOWN:
                return tr(
                    "The desktop has no name for {keys}. Choose other keys, or bind this command in your desktop's "
                    "settings:",
                    keys=keys,
                )
            case KeysState.NO_WAY:
                return tr(
                    "This desktop gives no keys to programs. Bind this command to keys in your desktop's settings:"
                )

    def _show_state(self, text: str) -> None:
        if text and text != self.state.text():
            announce(self.button, text)
        self.state.setText(text)
        self.state.setVisible(bool(text))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._command)
        announce(self.copy_button, tr("Copied"))


class KeysButton(QPushButton):
    """A button that shows a key combination and records a new one. ``keysChosen`` carries the keys that a person
    pressed, as portable text, or nothing for none; ``refused`` the sentence on why others cannot be used. Esc keeps the
    keys, Delete removes them."""

    keysChosen = Signal(str)
    refused = Signal(str)

    def __init__(self, keys: str) -> None:
        super().__init__()
        self._keys = keys
        self._is_recording = False
        self.setAutoDefault(False)
        self.setProperty("isField", True)
        self.clicked.connect(self._start_recording)
        self._show()

    @property
    def keys(self) -> str:
        """The keys as portable text; empty for none."""
        return self._keys

    def set_keys(self, keys: str) -> None:
        """Show other keys."""
        self._keys = keys
        self._end()

    def event(self, event: QEvent) -> bool:
        if self._is_recording and event.type() == QEvent.Type.ShortcutOverride:
            event.accept()  # the keys are for this button, whatever they do in the window
            return True
        if self._is_recording and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            self._on_key(event)
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _REMOVE and self._keys:
            self._choose("")
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._end()

    def _start_recording(self) -> None:
        self._is_recording = True
        self._show()
        announce(self, self.text())

    def _end(self) -> None:
        self._is_recording = False
        self._show()

    def _on_key(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in _MODIFIERS or event.isAutoRepeat():
            return
        if key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab) and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._end()
            self.focusNextPrevChild(key == Qt.Key.Key_Tab)
            return
        bare = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if key == Qt.Key.Key_Escape and bare:
            self._end()
        elif key in _REMOVE and bare:
            self._choose("")
        else:
            keys = QKeySequence(event.keyCombination()).toString()
            problem = refusal(keys)
            if problem:
                self._end()
                self.refused.emit(problem)
            else:
                self._choose(keys)

    def _choose(self, keys: str) -> None:
        is_other = keys != self._keys
        self.set_keys(keys)
        if is_other:
            self.keysChosen.emit(keys)

    def _show(self) -> None:
        shown = QKeySequence(self._keys).toString(QKeySequence.SequenceFormat.NativeText) or tr("None")
        self.setText(tr("Press the keys…") if self._is_recording else shown)
        self.setAccessibleDescription(
            tr("{keys}. Press Enter to choose others, Delete to remove them, Esc to keep them.", keys=shown)
        )
