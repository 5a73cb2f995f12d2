"""Sends keys to the window on top while the system hands the keyboard over.

The system takes some milliseconds to give the keyboard to a palette or a dialog that is shown, and to take it back from
one that is closed. Until then keys come to the window that had it before, so that typing at once would go wrong: a word
after Ctrl+K would be in the message, and one after Esc nowhere. Only these moments are watched. Keys that are typed
before a dialog is shown belong to the window that they are typed in.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from weakref import WeakKeyDictionary, WeakMethod, ref

from PySide6.QtCore import QCoreApplication, QEvent, QKeyCombination, QObject, Qt, QTimer
from PySide6.QtGui import QInputMethodEvent, QKeyEvent, QKeySequence, QWindow
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import Shiboken

_LONGEST_MS = 1_000
_KEYS = (QEvent.Type.KeyPress, QEvent.Type.KeyRelease, QEvent.Type.ShortcutOverride, QEvent.Type.InputMethod)

RunKeys = Callable[[str], bool]


class HandingOver(QObject):
    """Knows which window is on top, and watches those that may get its keys until it has the keyboard."""

    def __init__(self) -> None:
        super().__init__()
        # Weak: this lives as long as the program, and windows do not.
        self._bases: WeakKeyDictionary[QWidget, Callable[[], RunKeys | None]] = WeakKeyDictionary()
        self._last_base: Callable[[], QWidget | None] = lambda: None
        self._open: list[QWidget] = []
        self._closed: list[QWidget] = []
        self._watched: list[QObject] = []
        self._is_sending = False
        self._patience = QTimer(self, singleShot=True, interval=_LONGEST_MS)
        self._patience.timeout.connect(self._unwatch)

    def set_base(self, window: QWidget, run_keys: RunKeys) -> None:
        """Set a window that is behind its dialogs; ``run_keys`` runs the command that has these keys, if there is
        one."""
        self._bases[window] = WeakMethod(run_keys) if isinstance(run_keys, MethodType) else lambda: run_keys
        self._last_base = ref(window)
        self._open = []
        self._unwatch()

    def opened(self, dialog: QWidget) -> None:
        """Handle that ``dialog`` is shown: keys are for it from now on."""
        parent = dialog.parentWidget()
        if parent is not None and parent.window() in self._bases:
            self._last_base = ref(parent.window())
        self._open.append(dialog)
        self._patience.stop()
        self._watch()

    def activated(self, dialog: QWidget) -> None:
        """Handle that the system gave ``dialog`` the keyboard."""
        if dialog is self._top():
            self._unwatch()

    def went_behind(self, dialog: QWidget) -> bool:
        """Return whether the keyboard, which the window behind ``dialog`` just got, belongs to ``dialog``."""
        is_on_top = dialog is self._top()
        if is_on_top:
            self._watch()
        return is_on_top

    def closed(self, dialog: QWidget) -> None:
        """Handle that ``dialog`` is hidden; keys may still come to it until another window has the keyboard."""
        if dialog in self._open:
            self._open.remove(dialog)
            self._closed.append(dialog)
            self._watch()
            self._patience.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if self._is_sending:
            return False
        if kind == QEvent.Type.WindowActivate and watched is self._top():
            self._unwatch()
        top = self._top() if kind in _KEYS else None
        if top is None or not self._is_early(watched, top):
            return False
        event.accept()
        if isinstance(event, QKeyEvent) and kind == QEvent.Type.KeyPress:
            self._send(_copy_of_key(event), top)
        elif isinstance(event, QInputMethodEvent) and event.commitString():
            self._send(_copy_of_text(event), top)
        return True

    def _is_early(self, watched: QObject, top: QWidget) -> bool:
        """Return whether a key at ``watched`` was meant for ``top``, which does not have the keyboard yet."""
        if _is_in(watched, top):
            return top is self._base and not top.isActiveWindow()
        others = (self._base, *self._open, *self._closed)
        return any(other is not None and Shiboken.isValid(other) and _is_in(watched, other) for other in others)

    @property
    def _base(self) -> QWidget | None:
        """The window behind all dialogs: the one that had the keyboard last."""
        active = QApplication.activeWindow()
        if active is not None and active in self._bases:
            self._last_base = ref(active)
        base = self._last_base()
        return base if base is not None and Shiboken.isValid(base) else None

    def _top(self) -> QWidget | None:
        """Return the window that keys belong to."""
        self._open = [each for each in self._open if Shiboken.isValid(each) and each.isVisible()]
        return self._open[-1] if self._open else self._base

    def _send(self, event: QKeyEvent | QInputMethodEvent, top: QWidget) -> None:
        top = QApplication.activePopupWidget() or top
        widget = top.focusWidget() or top
        run_keys = self._bases.get(top, lambda: None)()
        self._is_sending = True
        try:
            if isinstance(event, QKeyEvent) and run_keys is not None:
                override = _copy_of_key(event, QEvent.Type.ShortcutOverride)
                override.ignore()
                QCoreApplication.sendEvent(widget, override)
                keys = QKeySequence(QKeyCombination(event.modifiers(), Qt.Key(event.key()))).toString()
                if not override.isAccepted() and run_keys(keys):
                    return
            QCoreApplication.sendEvent(widget, event)
        finally:
            self._is_sending = False

    def _watch(self) -> None:
        """Watch each window, the widgets that get the system's keys, and the questions whether a key is a shortcut."""
        for window in (self._base, *self._open, *self._closed):
            if window is None or not Shiboken.isValid(window):
                continue
            for each in (window, window.windowHandle(), window.focusWidget()):
                if each is not None and each not in self._watched:
                    self._watched.append(each)
                    each.installEventFilter(self)

    def _unwatch(self) -> None:
        self._patience.stop()
        self._closed = []
        for each in self._watched:
            if Shiboken.isValid(each):
                each.removeEventFilter(self)
        self._watched = []


def _is_in(watched: QObject, window: QWidget) -> bool:
    if isinstance(watched, QWidget):
        return watched.window() is window
    return isinstance(watched, QWindow) and watched == window.windowHandle()


def _copy_of_key(event: QKeyEvent, kind: QEvent.Type = QEvent.Type.KeyPress) -> QKeyEvent:
    return QKeyEvent(kind, event.key(), event.modifiers(), event.text(), event.isAutoRepeat(), event.count())


def _copy_of_text(event: QInputMethodEvent) -> QInputMethodEvent:
    copy = QInputMethodEvent()
    copy.setCommitString(event.commitString(), event.replacementStart(), event.replacementLength())
    return copy


_handing_over: list[HandingOver] = []


def handing_over() -> HandingOver:
    """Return the ``HandingOver`` of this application."""
    if not _handing_over:
        _handing_over.append(HandingOver())
    return _handing_over[0]
