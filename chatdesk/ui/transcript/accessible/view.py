"""Defines the transcript as its accessible tree sees it, and the base of the nodes of that tree."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtWidgets import QAbstractScrollArea

from chatdesk.ui.accessibility.node import AccessibleNode
from chatdesk.ui.transcript.accessible.accessible_actions import AccessibleActions
from chatdesk.ui.transcript.messages.entry import MessageEntry


class ReadableView(QAbstractScrollArea):
    """The base of the view, with the questions that the nodes of the tree ask it."""

    accessible_actions: AccessibleActions

    @property
    def entries(self) -> tuple[MessageEntry, ...]:
        """The messages that are loaded."""
        raise NotImplementedError

    @property
    def total(self) -> int:
        """The number of messages of the thread, as far as it is known."""
        raise NotImplementedError

    def message_rect(self, entry: MessageEntry) -> QRect:
        """Return the visible part of a message on the screen, empty when none of it is in view."""
        raise NotImplementedError

    def current_message_id(self) -> str | None:
        """Return the id of the message that has the focus."""
        raise NotImplementedError

    def jump_to(self, message_id: str) -> None:
        """Bring a message into view and make it the current one."""
        raise NotImplementedError


class Node(AccessibleNode):
    """The base of all nodes but the list itself."""

    view: ReadableView
