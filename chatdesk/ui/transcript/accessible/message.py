"""Defines the accessible node of a message: its name, its whole text, and the blocks in it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QAccessible, QAccessibleInterface

from chatdesk.ui.accessibility.node import ActionInterface
from chatdesk.ui.transcript.accessible.block import BlockNode
from chatdesk.ui.transcript.accessible.text import ReadableText, plain
from chatdesk.ui.transcript.accessible.view import Node, ReadableView
from chatdesk.ui.transcript.copying.selection import TextPlace
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.messages.entry import MessageEntry
from chatdesk.ui.transcript.speech.names import message_name, message_summary, piece_name

_MAX_VALUE = 100_000


class MessageNode(Node):
    """The node of a message; its text is that of its blocks, one after the other."""

    def __init__(self, view: ReadableView, parent: QAccessibleInterface, entry: MessageEntry) -> None:
        super().__init__(view, parent, QAccessible.Role.ListItem)
        self.entry = entry
        # By the identity of the item; made when they are asked for, since a message may have thousands.
        self._blocks: dict[int, BlockNode] = {}
        self._text: tuple[list[Item], str] | None = None
        self.offer(QAccessible.InterfaceType.TextInterface, ReadableText(self, self))
        go_there = ActionInterface({ActionInterface.setFocusAction(): self._focus})
        self.offer(QAccessible.InterfaceType.ActionInterface, go_there)

    def prune(self) -> None:
        """Close the nodes of items that are no longer in the message; never call this while Qt is asking."""
        self._hand_on()
        shown = {id(item) for item in self._items()}
        for key in [key for key in self._blocks if key not in shown]:
            self._blocks.pop(key).close()
        for block in self._blocks.values():
            block.prune()

    def block_of(self, item: Item) -> BlockNode:
        """Return the node of an item that is in the message."""
        if id(item) not in self._blocks:
            self._hand_on()
        block = self._blocks.get(id(item))
        if block is None:
            block = self._blocks[id(item)] = BlockNode(self.view, self, self.entry, item)
        return block

    # Node

    def known_children(self) -> Sequence[Node]:
        return list(self._blocks.values())

    def children_now(self) -> Sequence[BlockNode]:
        return [self.block_of(item) for item in self._items()]

    def childCount(self) -> int:
        return len(self._items())

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]
        items = self._items()
        return self.block_of(items[index]) if 0 <= index < len(items) else None

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]
        blocks = (
            self.block_of(item) for item in self.view.accessible_actions.seen_of(self.entry) if item.kind != "header"
        )
        return next((block for block in blocks if block.rect().contains(x, y)), None)

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        item = child.item if isinstance(child, BlockNode) else None
        return next((at for at, each in enumerate(self._items()) if each is item), -1)

    def name(self) -> str:
        if self.entry.facts.is_bare:
            return piece_name(self.view.accessibleName(), self.entry.message.position, self.view.total)
        return message_name(self.entry, self.view.total)

    def description(self) -> str:
        return message_summary(self.entry.items)

    def value(self) -> str:
        return self.entry.text[:_MAX_VALUE]

    def identifier(self) -> str:
        return self.entry.message.id

    def rect(self) -> QRect:
        return self.view.message_rect(self.entry)

    def change_state(self, state: QAccessible.State) -> None:
        is_current = self.view.hasFocus() and self.view.current_message_id() == self.entry.message.id
        state.focusable = state.selectable = state.selectableText = state.multiLine = True
        state.selected = is_current
        state.focused = is_current and self.view.accessible_actions.stop is None
        state.busy = self.entry.facts.is_live

    # TextSource

    def plain_text(self) -> str:
        # A message's list of items is another one whenever anything in it has changed.
        if self._text is None or self._text[0] is not self.entry.items:
            self._text = self.entry.items, plain("\n".join(item.text for item in self._readable()))
        return self._text[1]

    def character_rect(self, offset: int) -> QRect:
        item, inside = self._at(offset)
        return self.block_of(item).character_rect(inside) if item is not None else QRect()

    def offset_at(self, point: QPoint) -> int:
        block = self.childAt(point.x(), point.y())
        if not isinstance(block, BlockNode) or not block.item.is_selectable:
            return -1
        readable = self._readable()
        before = readable[: next(at for at, item in enumerate(readable) if item is block.item)]
        return sum(len(item.text) + 1 for item in before) + block.offset_at(point)

    def select(self, start: int, end: int) -> None:
        first, low = self._at(start)
        last, high = self._at(end)
        if first is not None and last is not None:
            self.view.accessible_actions.select(TextPlace(self.entry, first, low), TextPlace(self.entry, last, high))

    def show(self, offset: int) -> None:
        item, inside = self._at(offset)
        if item is not None:
            self.view.accessible_actions.show(self.entry, item, inside)

    def _items(self) -> list[Item]:
        return [item for item in self.entry.items if item.kind != "header"]

    def _readable(self) -> list[Item]:
        return [item for item in self._items() if item.is_selectable]

    def _at(self, offset: int) -> tuple[Item | None, int]:
        """Return the item that holds the character at ``offset``, and the offset in that item."""
        found: tuple[Item | None, int] = (None, 0)
        for item in self._readable():
            length = len(item.text)
            found = (item, min(offset, length))
            if offset <= length:
                break
            offset -= length + 1
        return found

    def _focus(self) -> None:
        self.view.setFocus()
        self.view.jump_to(self.entry.message.id)

    def _hand_on(self) -> None:
        """Hand the nodes of replaced items to the items that came in their place."""
        items = self._items()
        shown = {id(item) for item in items}
        free = [block for key, block in self._blocks.items() if key not in shown]
        for item in items if free else ():
            if id(item) in self._blocks:
                continue
            block = next((each for each in free if each.can_become(item)), None)
            if block is not None:
                free.remove(block)
                del self._blocks[id(block.item)]
                block.item = item
                self._blocks[id(item)] = block
