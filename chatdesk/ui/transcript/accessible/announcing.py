"""Announces changes of the transcript to assistive programs. Before one of them has asked what there is to read,
nothing is announced and the tree of it is not loaded."""

from __future__ import annotations

from PySide6.QtGui import QAccessible, QAccessibleEvent, QAccessibleStateChangeEvent

from chatdesk.ui.accessibility.interfaces import interface_of
from chatdesk.ui.transcript.accessible.tree import TranscriptAccessible
from chatdesk.ui.transcript.accessible.view import ReadableView
from chatdesk.ui.transcript.messages.entry import MessageEntry


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
