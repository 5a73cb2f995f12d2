"""Keys that are typed while a dialog opens or closes. The system hands the keyboard over when it likes, and until then
keys come to the window behind: they are sent on to the window on top, in their order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import MethodType
from weakref import WeakKeyDictionary, WeakMethod, ref

from PySide6.QtCore import QCoreApplication, QEvent, QKeyCombination, QObject, Qt, QTimer
from PySide6.QtGui import QInputMethodEvent, QKeyEvent, QKeySequence, QWindow
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import Shiboken

_LONGEST_MS = 1_000
_KEYS = (QEvent.Type.KeyPress, QEvent.Type.KeyRelease, QEvent.Type.ShortcutOverride, QEvent.Type.InputMethod)

RunKeys = Callable[[str], bool]


class _Opening:
    """The work that a command started and that may open a dialog."""

    def __init__(self) -> None:
        self.tasks: set[asyncio.Task[object]] = set()
        self.is_over = False


_opening_now: ContextVar[_Opening | None] = ContextVar("opening", default=None)


class EarlyKeys(QObject):
    """Watches the whole application only while a dialog is being made, shown and not active yet, or just closed."""

    def __init__(self) -> None:
        super().__init__()
        # Weak: this lives as long as the program, and windows do not.
        self._bases: WeakKeyDictionary[QWidget, Callable[[], RunKeys | None]] = WeakKeyDictionary()
        self._last_base: Callable[[], QWidget | None] = lambda: None
        self._open: list[QWidget] = []
        self._closed: list[QWidget] = []
        self._opening: _Opening | None = None
        self._held: list[QKeyEvent | QInputMethodEvent] = []
        self._is_watching = False
        self._is_sending = False
        self._patience = QTimer(self, singleShot=True, interval=_LONGEST_MS)
        self._patience.timeout.connect(self._stop_waiting)

    # What others say

    def set_base(self, window: QWidget, run_keys: RunKeys) -> None:
        """Set the main window, which is behind its dialogs; ``run_keys`` runs the command that has these keys, if there
        is one."""
        self._bases[window] = WeakMethod(run_keys) if isinstance(run_keys, MethodType) else lambda: run_keys
        self._last_base = ref(window)
        self._open, self._closed = [], []
        self._end_opening()
        self._unwatch()

    def run(self, command: Callable[[], object]) -> None:
        """Run a function that opens a dialog. When it goes on in tasks, keys wait for the dialog until they are
        done."""
        opening = _Opening()
        token = _opening_now.set(opening)
        before = len(self._open)
        try:
            command()
        finally:
            _opening_now.reset(token)
        if opening.tasks and len(self._open) == before and QApplication.activePopupWidget() is None:
            self._opening = opening
            self._watch()
            self._patience.start()

    def follow(self, task: asyncio.Task[object]) -> None:
        """Record a task, to wait for it if a command that opens a dialog started it."""
        opening = _opening_now.get()
        if opening is not None and not opening.is_over:
            opening.tasks.add(task)
            task.add_done_callback(lambda done: self._on_done(opening, done))

    def opened(self, dialog: QWidget) -> None:
        """Deliver to ``dialog``, which is shown and has the focus, the keys that were typed for it."""
        parent = dialog.parentWidget()
        if parent is not None and parent.window() in self._bases:
            self._last_base = ref(parent.window())
        self._open.append(dialog)
        self._watch()
        self._patience.stop()
        self._end_opening()
        self._deliver()

    def opened_in_window(self) -> None:
        """Deliver the keys that were typed for a list in the main window, which has the focus now."""
        if self._opening is not None:
            self._end_opening()
            self._deliver()
            self._unwatch()

    def activated(self, dialog: QWidget) -> None:
        """Handle that the system gave ``dialog`` the keyboard."""
        if self._opening is None and dialog is self._top():
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

    @contextmanager
    def looking_away(self) -> Iterator[None]:
        """Do not watch during work that turns no loop: no key can come in the meantime, and making a dialog takes
        hundreds of events, each of which the watch would be shown."""
        app = QCoreApplication.instance()
        if app is not None:
            app.removeEventFilter(self)
        try:
            yield
        finally:
            if self._is_watching and app is not None:
                app.installEventFilter(self)

    # Qt's questions

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if self._is_sending:
            return False
        if kind == QEvent.Type.WindowActivate and watched is self._top() and self._opening is None:
            self._unwatch()
        if kind not in _KEYS or not self._is_early(watched):
            return False
        event.accept()
        if isinstance(event, QKeyEvent) and kind == QEvent.Type.KeyPress:
            self._held.append(_copy_of_key(event))
        elif isinstance(event, QInputMethodEvent) and event.commitString():
            self._held.append(_copy_of_text(event))
        self._deliver()
        return True

    def _is_early(self, watched: QObject) -> bool:
        """Return whether a key at ``watched`` came before the window it is meant for."""
        top = self._top()
        if top is None:
            return False
        if self._opening is not None:
            return True
        if _is_in(watched, top):
            return top is self._base and not top.isActiveWindow()
        others = (self._base, *self._open, *self._closed)
        return any(other is not None and Shiboken.isValid(other) and _is_in(watched, other) for other in others)

    # Delivering

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

    def _deliver(self) -> None:
        """Deliver the held keys one by one: each may open the window that the next one belongs to, or begin to."""
        interval = QApplication.keyboardInputInterval()
        # A list searches for a word whose letters follow each other: the page that the first one leads to may be slow.
        QApplication.setKeyboardInputInterval(_LONGEST_MS)
        try:
            while self._held and self._opening is None:
                self._deliver_next()
        finally:
            QApplication.setKeyboardInputInterval(interval)

    def _deliver_next(self) -> None:
        top = QApplication.activePopupWidget() or self._top()
        event = self._held.pop(0)
        if top is not None:
            before, self._is_sending = self._is_sending, True
            try:
                self._send(event, top)
            finally:
                self._is_sending = before

    def _send(self, event: QKeyEvent | QInputMethodEvent, top: QWidget) -> None:
        widget = top.focusWidget() or top
        run_keys = self._bases.get(top, lambda: None)()
        if isinstance(event, QKeyEvent) and run_keys is not None:
            override = _copy_of_key(event, QEvent.Type.ShortcutOverride)
            override.ignore()
            QCoreApplication.sendEvent(widget, override)
            keys = QKeySequence(QKeyCombination(event.modifiers(), Qt.Key(event.key()))).toString()
            if not override.isAccepted() and run_keys(keys):
                return
        QCoreApplication.sendEvent(widget, event)

    # Waiting

    def _on_done(self, opening: _Opening, task: asyncio.Task[object]) -> None:
        opening.tasks.discard(task)
        if opening is self._opening and not opening.tasks:
            self._stop_waiting()

    def _stop_waiting(self) -> None:
        """Stop waiting: no window opened, or a popup, which gets the keys; or the system gave the keyboard to nobody.
        Keys meant for a dialog that never came are dropped; those after its Esc are for the window behind."""
        was_opening = self._opening is not None
        self._end_opening()
        if was_opening and QApplication.activePopupWidget() is None:
            escapes = (isinstance(each, QKeyEvent) and each.key() == Qt.Key.Key_Escape for each in self._held)
            closed_at = next((index for index, is_escape in enumerate(escapes) if is_escape), len(self._held))
            del self._held[: closed_at + 1]
        self._deliver()
        self._unwatch()

    def _end_opening(self) -> None:
        if self._opening is not None:
            self._opening.is_over = True
            self._opening = None

    def _watch(self) -> None:
        app = QCoreApplication.instance()
        if not self._is_watching and app is not None:
            self._is_watching = True
            app.installEventFilter(self)

    def _unwatch(self) -> None:
        app = QCoreApplication.instance()
        self._patience.stop()
        self._closed = []
        if self._is_watching and app is not None:
            app.removeEventFilter(self)
        self._is_watching = False


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


_early_keys: list[EarlyKeys] = []


def early_keys() -> EarlyKeys:
    """Return the ``EarlyKeys`` of this application."""
    if not _early_keys:
        _early_keys.append(EarlyKeys())
    return _early_keys[0]
