"""One message, for assistive programs: its name, its whole text, and the blocks in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QAccessible, QAccessibleInterface

from chatdesk.ui.transcript.accessible_block import BlockNode
from chatdesk.ui.transcript.accessible_names import message_name, message_summary
from chatdesk.ui.transcript.accessible_node import Actions, Node
from chatdesk.ui.transcript.accessible_text import ReadableText
from chatdesk.ui.transcript.entry import MessageEntry
from chatdesk.ui.transcript.item import Item
from chatdesk.ui.transcript.selection import TextPlace

if TYPE_CHECKING:
    from chatdesk.ui.transcript.view import TranscriptView

_MAX_VALUE = 100_000


class MessageNode(Node):
    """Its text is that of its blocks, one after the other."""

    def __init__(self, view: TranscriptView, parent: QAccessibleInterface, entry: MessageEntry) -> None:
        super().__init__(view, parent, QAccessible.Role.ListItem)
        self.entry = entry
        self._blocks: list[BlockNode] = []
        self._stale: list[BlockNode] = []
        self.offer(QAccessible.InterfaceType.TextInterface, ReadableText(self, self))
        go_there = Actions({Actions.setFocusAction(): self._focus})
        self.offer(QAccessible.InterfaceType.ActionInterface, go_there)

    def prune(self) -> None:
        """Close what is no longer in the message. Not while Qt asks."""
        self.children_now()
        stale, self._stale = self._stale, []
        for block in stale:
            block.close()
        for block in self._blocks:
            block.prune()

    # Node

    def known_children(self) -> Sequence[Node]:
        return [*self._blocks, *self._stale]

    def children_now(self) -> Sequence[BlockNode]:
        items = [item for item in self.entry.items if item.kind != "header"]
        if [block.item for block in self._blocks] != items:
            self._match(items)
        return self._blocks

    def name(self) -> str:
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
        state.focused = is_current and self.view.reach.stop is None
        state.busy = self.entry.is_live

    # TextSource

    def plain_text(self) -> str:
        return "\n".join(block.plain_text() for block in self._readable())

    def character_rect(self, offset: int) -> QRect:
        block, inside = self._at(offset)
        return block.character_rect(inside) if block is not None else QRect()

    def offset_at(self, point: QPoint) -> int:
        offset = 0
        for block in self._readable():
            if block.rect().contains(point):
                return offset + block.offset_at(point)
            offset += len(block.plain_text()) + 1
        return -1

    def select(self, start: int, end: int) -> None:
        first, low = self._at(start)
        last, high = self._at(end)
        if first is not None and last is not None:
            self.view.reach.select(TextPlace(self.entry, first.item, low), TextPlace(self.entry, last.item, high))

    def show(self, offset: int) -> None:
        block, inside = self._at(offset)
        if block is not None:
            block.show(inside)

    def _readable(self) -> list[BlockNode]:
        return [block for block in self.children_now() if block.item.is_selectable]

    def _at(self, offset: int) -> tuple[BlockNode | None, int]:
        """The block that holds the character at ``offset``, and where in it."""
        found: tuple[BlockNode | None, int] = (None, 0)
        for block in self._readable():
            length = len(block.plain_text())
            found = (block, min(offset, length))
            if offset <= length:
                break
            offset -= length + 1
        return found

    def _focus(self) -> None:
        self.view.setFocus()
        self.view.jump_to(self.entry.message.id)

    def _match(self, items: list[Item]) -> None:
        """A node for each item: its own, else one of a former item of the same kind, else a new one."""
        own = {id(block.item): block for block in self._blocks}
        free = [block for block in self._blocks if not any(block.item is item for item in items)]
        blocks = []
        for item in items:
            block = own.get(id(item))
            if block is None:
                block = next((each for each in free if each.can_become(item)), None)
                if block is not None:
                    free.remove(block)
                    block.item = item
                else:
                    block = BlockNode(self.view, self, self.entry, item)
            blocks.append(block)
        self._blocks = blocks
        self._stale += free
