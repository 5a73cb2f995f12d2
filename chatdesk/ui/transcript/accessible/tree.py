"""Describes the transcript to assistive programs: a list of its loaded messages, and announcements of changes. Nothing
is announced before such a program has read the list."""

from __future__ import annotations

from collections.abc import Callable
from weakref import ref

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleEvent, QAccessibleInterface, QAccessibleStateChangeEvent
from PySide6.QtWidgets import QAccessibleWidget, QWidget

from chatdesk.ui.accessibility.interfaces import interface_of
from chatdesk.ui.transcript.accessible.block import BlockNode
from chatdesk.ui.transcript.accessible.message import MessageNode
from chatdesk.ui.transcript.accessible.view import ReadableView
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.messages.entry import MessageEntry

_DIRECT = Qt.FindChildOption.FindDirectChildrenOnly


class TranscriptAccessible(QAccessibleWidget):
    """The list of messages, oldest first, followed by the widgets that float over the transcript."""

    def __init__(self, view: ReadableView) -> None:
        super().__init__(view, QAccessible.Role.List)
        self.owes_focus = False  # the focus arrived before any message was loaded
        self._view: Callable[[], ReadableView | None] = ref(view)
        self._nodes: dict[MessageEntry, MessageNode] = {}
        self._caret_item: Item | None = None
        self._sweep_timer = _at_once(view, self._sweep)
        self._focus_timer = _at_once(view, self.announce_focus)

    def childCount(self) -> int:
        view = self._view()
        return len(view.entries) + len(_floating(view)) if view is not None else 0

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]
        view = self._view()
        if view is None or index < 0:
            return None
        entries = view.entries
        if index < len(entries):
            return self.node_of(entries[index])
        floating = _floating(view)[index - len(entries) :]
        return QAccessible.queryAccessibleInterface(floating[0]) if floating else None

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        view = self._view()
        entries = view.entries if view is not None else ()
        if isinstance(child, MessageNode):
            return next((at for at, each in enumerate(entries) if each is child.entry), -1)
        floating = _floating(view) if view is not None else []
        widget = child.object()
        return next((len(entries) + at for at, each in enumerate(floating) if each is widget), -1)

    def focusChild(self) -> QAccessibleInterface | None:  # type: ignore[override]
        view = self._view()
        if view is None or not view.hasFocus():
            return None
        stop, caret = view.accessible_actions.stop, view.accessible_actions.caret
        if stop is not None:
            return self._part_node(*stop)
        if caret is not None:
            return self.block_of(caret.entry, caret.item)
        current = view.current_message_id()
        entry = next((each for each in view.entries if each.message.id == current), None)
        return self.node_of(entry) if entry is not None else None

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]
        view = self._view()
        if view is None:
            return None
        nodes = (self.node_of(entry) for entry in view.entries if not view.message_rect(entry).isEmpty())
        return next((node for node in nodes if node.rect().contains(x, y)), None)

    def node_of(self, entry: MessageEntry) -> MessageNode:
        view = self._view()
        assert view is not None
        node = self._nodes.get(entry)
        if node is None:
            node = self._nodes[entry] = MessageNode(view, self, entry)
        return node

    def sweep_soon(self) -> None:
        """Close the nodes of messages that are gone, once Qt is not asking any more."""
        if self._nodes and not self._sweep_timer.isActive():
            self._sweep_timer.start()

    def announce_focus_soon(self) -> None:
        """Announce the focused part of the view, after Qt has announced that the view has the focus."""
        self._focus_timer.start()

    def announce_focus(self) -> None:
        view = self._view()
        child = self.focusChild()
        self.owes_focus = child is None and view is not None and view.hasFocus()
        if child is not None and QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleEvent(child, QAccessible.Event.Focus))

    def close(self) -> None:
        """Close all nodes, because the view is gone, or has another interface."""
        self._view = lambda: None
        nodes, self._nodes = self._nodes, {}
        for node in nodes.values():
            node.close()

    def block_of(self, entry: MessageEntry, item: Item) -> BlockNode | None:
        return self.node_of(entry).block_of(item) if entry.places.index_of(item) is not None else None

    def announce_caret(self) -> None:
        """Announce that the keyboard's caret moved."""
        view = self._view()
        caret = view.accessible_actions.caret if view is not None else None
        block = self.block_of(caret.entry, caret.item) if caret is not None else None
        if caret is None or block is None or block.reading is None:
            return
        if caret.item is not self._caret_item:
            self._caret_item = caret.item
            self.announce_focus()
        block.reading.caret_came(caret.offset)

    def _part_node(self, entry: MessageEntry, index: int, action: str) -> QAccessibleInterface | None:
        block = self.block_of(entry, entry.items[index]) if index < len(entry.items) else None
        parts = block.children_now() if block is not None else ()
        return next((part for part in parts if part.identifier() == action), block)

    def _sweep(self) -> None:
        view = self._view()
        shown = set(view.entries) if view is not None else set()
        for entry in [each for each in self._nodes if each not in shown]:
            self._nodes.pop(entry).close()
        for node in self._nodes.values():
            node.prune()


def _at_once(view: ReadableView, run: Callable[[], None]) -> QTimer:
    """Return a timer that runs ``run`` once the present event has been handled."""
    timer = QTimer(view, singleShot=True, interval=0)
    timer.timeout.connect(run)
    return timer


def _floating(view: ReadableView) -> list[QWidget]:
    """Return the view's own widgets over the text that say or do something, such as the bar for finding words."""
    widgets = view.findChildren(QWidget, options=_DIRECT)
    return [each for each in widgets if each.isVisible() and each is not view.viewport() and _is_of_use(each)]


def _is_of_use(widget: QWidget) -> bool:
    takes_keys = (each.focusPolicy() is not Qt.FocusPolicy.NoFocus for each in widget.findChildren(QWidget))
    return bool(widget.accessibleName()) or any(takes_keys)


def make_interface(view: ReadableView) -> TranscriptAccessible:
    """Return the transcript as assistive programs read it; Qt asks for it once."""
    return TranscriptAccessible(view)


def _of(view: ReadableView) -> TranscriptAccessible | None:
    interface: TranscriptAccessible | None = interface_of(view)
    return interface


def children_changed(view: ReadableView) -> None:
    """Announce that messages came or went."""
    interface = _of(view)
    if interface is not None:
        interface.sweep_soon()
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleEvent(view, QAccessible.Event.ObjectReorder))
        if interface.owes_focus:
            interface.announce_focus_soon()


def focus_changed(view: ReadableView) -> None:
    """Announce that another message, or another button in it, has the focus."""
    interface = _of(view)
    if interface is not None:
        interface.announce_focus()


def caret_moved(view: ReadableView) -> None:
    """Announce that the keyboard's caret moved."""
    interface = _of(view)
    if interface is not None:
        interface.announce_caret()


def focus_arrived(view: ReadableView) -> None:
    """Announce that the view itself got the focus."""
    interface = _of(view)
    if interface is not None:
        interface.announce_focus_soon()


def busy_changed(view: ReadableView, entry: MessageEntry) -> None:
    """Announce that an answer began or ended."""
    interface = _of(view)
    if interface is None or not QAccessible.isActive():
        return
    node = interface.node_of(entry)
    changed = QAccessible.State()
    changed.busy = True
    QAccessible.updateAccessibility(QAccessibleStateChangeEvent(node, changed))
    QAccessible.updateAccessibility(QAccessibleEvent(node, QAccessible.Event.NameChanged))
    interface.sweep_soon()
