"""Defines the accessible node of an item of a message: its place on the screen, and its text."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF
from PySide6.QtGui import QAccessible, QAccessibleInterface

from chatdesk.ui.accessibility.node import in_viewport, on_screen
from chatdesk.ui.transcript.accessible.text import plain
from chatdesk.ui.transcript.accessible.view import Node, ReadableView
from chatdesk.ui.transcript.copying.selection import TextPlace
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.messages.entry import MessageEntry


class ItemNode(Node):
    """The base of the nodes that stand for a whole item; the nodes of its parts ask it."""

    def __init__(
        self,
        view: ReadableView,
        parent: QAccessibleInterface,
        role: QAccessible.Role,
        entry: MessageEntry,
        item: Item,
    ) -> None:
        super().__init__(view, parent, role)
        self.entry = entry
        self.item = item

    def is_at(self, action: str) -> bool:
        """Return whether Tab has reached this button or link."""
        stop = self.view.accessible_actions.stop
        return stop is not None and stop == (self.entry, self.entry.places.index_of(self.item), action)

    def area_of(self, area: QRectF) -> QRect:
        """Return the rectangle on the screen of a rectangle in the item."""
        origin = self.view.accessible_actions.origin_of(self.item)
        return on_screen(self.view, area.translated(origin)) if origin is not None else QRect()

    # TextSource

    def plain_text(self) -> str:
        return plain(self.item.text)

    def character_rect(self, offset: int) -> QRect:
        areas = self.item.areas_of(offset, offset + 1)
        return self.area_of(areas[0]) if areas else QRect()

    def offset_at(self, point: QPoint) -> int:
        origin = self.view.accessible_actions.origin_of(self.item)
        return self.item.offset_at(QPointF(in_viewport(self.view, point)) - origin) if origin is not None else -1

    def select(self, start: int, end: int) -> None:
        self.view.accessible_actions.select(
            TextPlace(self.entry, self.item, start), TextPlace(self.entry, self.item, end)
        )

    def show(self, offset: int) -> None:
        self.view.accessible_actions.show(self.entry, self.item, offset)
