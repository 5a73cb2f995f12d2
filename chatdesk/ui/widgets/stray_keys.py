"""Keys that no widget wanted: letters are for the composer, Enter presses the button that has the focus, and Alt alone
shows the menu bar."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QRadioButton, QWidget

_MODIFIERS = Qt.KeyboardModifier
_WRITING = (
    _MODIFIERS.NoModifier,
    _MODIFIERS.ShiftModifier,
    # AltGr, as X11 and Windows report it.
    _MODIFIERS.GroupSwitchModifier,
    _MODIFIERS.GroupSwitchModifier | _MODIFIERS.ShiftModifier,
    _MODIFIERS.ControlModifier | _MODIFIERS.AltModifier,
    _MODIFIERS.ControlModifier | _MODIFIERS.AltModifier | _MODIFIERS.ShiftModifier,
)
_OTHER_INPUT = (
    QEvent.Type.KeyPress,
    QEvent.Type.ShortcutOverride,
    QEvent.Type.MouseButtonPress,
    QEvent.Type.Wheel,
    QEvent.Type.WindowDeactivate,
)


def begins_writing(event: QKeyEvent) -> bool:
    """Return whether a key press types something. The space bar alone does not: it presses buttons and turns pages."""
    text = event.text()
    modifiers = event.modifiers() & ~_MODIFIERS.KeypadModifier
    return bool(text.strip()) and text.isprintable() and modifiers in _WRITING


def press_focused(window: QWidget, event: QKeyEvent) -> bool:
    """Press the button in ``window`` that has the focus when the key is Enter. Qt does so only for some kinds of push
    buttons, and in a dialog presses the default button instead. Boxes that are ticked keep to the space bar."""
    is_bare = event.modifiers() & ~_MODIFIERS.KeypadModifier == _MODIFIERS.NoModifier
    focus = window.focusWidget()
    is_button = isinstance(focus, QAbstractButton) and not isinstance(focus, QCheckBox | QRadioButton)
    if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter) or not is_bare or not is_button:
        return False
    assert isinstance(focus, QAbstractButton)
    if focus.isEnabled() and not event.isAutoRepeat():
        focus.click()
    return True


class LoneAlt(QObject):
    """Emits ``released`` when Alt was pressed and let go with no other key or button in between. It watches the whole
    application only while Alt is down."""

    released = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._is_watching = False

    def watch(self) -> None:
        """Watch the keys until Alt, which was pressed just now, is released."""
        app = QCoreApplication.instance()
        if not self._is_watching and app is not None:
            self._is_watching = True
            app.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.KeyRelease and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Alt:
            self._end()
            self.released.emit()
        elif kind in _OTHER_INPUT and not (isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Alt):
            self._end()
        return False

    def _end(self) -> None:
        app = QCoreApplication.instance()
        if self._is_watching and app is not None:
            self._is_watching = False
            app.removeEventFilter(self)
