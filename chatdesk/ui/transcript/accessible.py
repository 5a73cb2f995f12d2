"""The transcript for assistive programs: one child for each loaded message, with its author, place and text.

Interfaces made in Python must be kept alive by Python: Qt holds bare pointers to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, QRect
from PySide6.QtGui import QAccessible, QAccessibleEvent, QAccessibleInterface, QWindow
from PySide6.QtWidgets import QAccessibleWidget

from chatdesk.ui.transcript.entry import MessageEntry

if TYPE_CHECKING:
    from chatdesk.ui.transcript.view import TranscriptView

_VIEW_CLASS = "TranscriptView"
_MAX_TEXT = 100_000


class TranscriptAccessible(QAccessibleWidget):
    """The list of messages."""

    def __init__(self, view: TranscriptView) -> None:
        super().__init__(view, QAccessible.Role.List, "Transcript")
        self._view = view
        self._children: WeakKeyDictionary[MessageEntry, MessageAccessible] = WeakKeyDictionary()

    def childCount(self) -> int:
        return len(self._view.entries)

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]
        entries = self._view.entries
        return self.child_of(entries[index]) if 0 <= index < len(entries) else None

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        entry = getattr(child, "entry", None)
        return next((at for at, each in enumerate(self._view.entries) if each is entry), -1)

    def focusChild(self) -> QAccessibleInterface | None:  # type: ignore[override]
        current = self._view.current_message_id()
        entry = next((each for each in self._view.entries if each.message.id == current), None)
        return self.child_of(entry) if entry is not None else None

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]
        for entry in self._view.entries:
            child = self.child_of(entry)
            if child.rect().contains(x, y):
                return child
        return None

    def child_of(self, entry: MessageEntry) -> MessageAccessible:
        child = self._children.get(entry)
        if child is None:
            child = self._children[entry] = MessageAccessible(self, self._view, entry)
            QAccessible.registerAccessibleInterface(child)
        return child


class MessageAccessible(QAccessibleInterface):
    """One message. Its text is its value and its description."""

    def __init__(self, parent: TranscriptAccessible, view: TranscriptView, entry: MessageEntry) -> None:
        super().__init__()
        self._parent = parent
        self._view = view
        self.entry = entry

    def isValid(self) -> bool:
        return True

    def object(self) -> QObject | None:  # type: ignore[override]
        return None

    def window(self) -> QWindow | None:  # type: ignore[override]
        return self._view.window().windowHandle()

    def parent(self) -> QAccessibleInterface:
        return self._parent

    def childCount(self) -> int:
        return 0

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]
        return None

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]
        return None

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return -1

    def role(self) -> QAccessible.Role:
        return QAccessible.Role.ListItem

    def state(self) -> QAccessible.State:
        state = QAccessible.State()
        state.focusable = True
        state.readOnly = True
        state.focused = self._view.current_message_id() == self.entry.message.id
        state.offscreen = self.rect().isEmpty()
        return state

    def rect(self) -> QRect:
        return self._view.message_rect(self.entry)

    def text(self, kind: QAccessible.Text) -> str:
        if kind is QAccessible.Text.Name:
            return name_of(self.entry, self._view.total)
        if kind in (QAccessible.Text.Value, QAccessible.Text.Description):
            return self.entry.text[:_MAX_TEXT]
        return ""

    def setText(self, kind: QAccessible.Text, text: str) -> None:
        """Messages are not edited here."""


def name_of(entry: MessageEntry, total: int) -> str:
    message = entry.message
    name = f"{entry.author}, message {message.position + 1} of {max(total, message.position + 1)}"
    return f"{name}, {message.status.value}" if message.status.value not in ("complete",) else name


class _Factory:
    """Gives each view its interface and keeps it as long as the view lives."""

    def __init__(self) -> None:
        self.is_installed = False
        self._made: WeakKeyDictionary[QObject, TranscriptAccessible] = WeakKeyDictionary()

    def __call__(self, class_name: str, target: QObject) -> QAccessibleInterface | None:
        if class_name != _VIEW_CLASS or target is None:
            return None
        found = self._made.get(target)
        if found is None:
            view: Any = target
            found = self._made[target] = TranscriptAccessible(view)
        return found

    def of(self, view: TranscriptView) -> TranscriptAccessible | None:
        return self._made.get(view)


# Qt keeps one list of factories for the process and cannot take one out: this is its place on our side.
_factory = _Factory()


def install() -> None:
    if not _factory.is_installed:
        _factory.is_installed = True
        QAccessible.installFactory(_factory)


def announce(view: TranscriptView, sentence: str) -> None:
    """Say ``sentence``, where this Qt can."""
    if not QAccessible.isActive():
        return
    try:
        from PySide6.QtGui import QAccessibleAnnouncementEvent
    except ImportError:  # Qt before 6.8
        return
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(view, sentence))


def children_changed(view: TranscriptView) -> None:
    if QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleEvent(view, QAccessible.Event.ObjectReorder))


def focus_changed(view: TranscriptView, entry: MessageEntry) -> None:
    if not QAccessible.isActive():
        return
    interface = _factory.of(view)
    if interface is not None:
        child = interface.child_of(entry)
        QAccessible.updateAccessibility(QAccessibleEvent(child, QAccessible.Event.Focus))
