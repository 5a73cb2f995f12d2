"""A button that shows a combination of keys, and records another one when it is pressed."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QPushButton

from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.commands.command_keys import refusal

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
