"""Lists the accessible parts of a block: buttons, links, cells, and words beside the tools."""

from __future__ import annotations

from collections.abc import Hashable

from PySide6.QtCore import QPoint, QRect, QRectF
from PySide6.QtGui import QAccessible

from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.node import ActionInterface
from chatdesk.ui.transcript.accessible.item import ItemNode
from chatdesk.ui.transcript.accessible.text import ReadableText, plain
from chatdesk.ui.transcript.accessible.view import Node
from chatdesk.ui.transcript.drawing.item import LINK_ACTION, Button, Item
from chatdesk.ui.transcript.drawing.spans import flow_of
from chatdesk.ui.transcript.items.footer_item import FooterItem
from chatdesk.ui.transcript.items.table_item import TableItem
from chatdesk.ui.transcript.items.text_item import TextItem
from chatdesk.ui.transcript.messages.entry import MessageEntry
from chatdesk.ui.transcript.speech.names import link_name

# Identifies a part: ("button", action), ("cell", row, column), ("note", words), or a link with its number, the range of
# its text, and its target.
PartKey = tuple[Hashable, ...]


def parts_of(entry: MessageEntry, item: Item) -> list[PartKey]:
    """Return the keys of all parts of ``item``, in reading order."""
    parts: list[PartKey] = []
    if isinstance(item, TableItem):
        parts += [("cell", row, column) for row, cells in enumerate(item.cells) for column in range(len(cells))]
    elif isinstance(item, FooterItem):
        parts += [("note", note) for note in _notes_of(item)]
    parts += [("link", *link) for link in _links_of(item)]
    return parts + [("button", button.action) for button in buttons_of(entry, item)]


def make_part(block: ItemNode, key: PartKey) -> Node:
    kind, *rest = key
    made = {"link": LinkNode, "cell": CellNode, "note": NoteNode, "button": ButtonNode}[str(kind)]
    return made(block, *rest)


class PartNode(Node):
    """The node of a part of an item."""

    def __init__(self, block: ItemNode, role: QAccessible.Role) -> None:
        super().__init__(block.view, block, role)
        self.block = block


class ButtonNode(PartNode):
    """The node of a button."""

    def __init__(self, block: ItemNode, action: str) -> None:
        super().__init__(block, QAccessible.Role.Button)
        self._action = action
        self.offer(
            QAccessible.InterfaceType.ActionInterface, ActionInterface({ActionInterface.pressAction(): self._press})
        )

    def name(self) -> str:
        button = self._button()
        return button.label if button is not None else ""

    def identifier(self) -> str:
        return self._action

    def rect(self) -> QRect:
        button = self._button()
        return self.block.area_of(button.area) if button is not None else QRect()

    def change_state(self, state: QAccessible.State) -> None:
        button = self._button()
        state.disabled = button is None or not button.is_enabled
        state.focusable = not state.disabled
        state.focused = self.block.is_at(self._action)

    def _button(self) -> Button | None:
        return next(
            (each for each in buttons_of(self.block.entry, self.block.item) if each.action == self._action), None
        )

    def _press(self) -> None:
        button = self._button()
        if button is not None and button.is_enabled:
            self.view.accessible_actions.press(self.block.entry, self.block.item, self._action)


class LinkNode(PartNode):
    """The node of a link in a text, from ``start`` to ``end``."""

    def __init__(self, block: ItemNode, number: int, start: int, end: int, target: str) -> None:
        super().__init__(block, QAccessible.Role.Link)
        self._action = f"{LINK_ACTION}{number}"
        self._start, self._end, self._target = start, end, target
        self.offer(
            QAccessible.InterfaceType.ActionInterface, ActionInterface({ActionInterface.pressAction(): self._follow})
        )

    def name(self) -> str:
        words = plain(self.block.item.text[self._start : self._end]).strip()
        return link_name(words, self._target)

    def description(self) -> str:
        return self._target

    def identifier(self) -> str:
        return self._action

    def rect(self) -> QRect:
        area = next((each.area for each in self.block.item.links() if each.action == self._action), QRectF())
        return self.block.area_of(area)

    def change_state(self, state: QAccessible.State) -> None:
        state.linked = state.focusable = True
        state.focused = self.block.is_at(self._action)

    def _follow(self) -> None:
        self.view.accessible_actions.press(self.block.entry, self.block.item, self._action)


class NoteNode(PartNode):
    """The node of words beside the tools: the shown version, the cost of the answer."""

    def __init__(self, block: ItemNode, words: str) -> None:
        super().__init__(block, QAccessible.Role.StaticText)
        self._words = words

    def name(self) -> str:
        return self._words

    def rect(self) -> QRect:
        return self.block.rect()


class CellNode(PartNode):
    """The node of a table cell.

    Its name begins with that of its column, because PySide has no table interface that could tell it.
    """

    def __init__(self, block: ItemNode, row: int, column: int) -> None:
        assert isinstance(block.item, TableItem)
        is_header = block.item.first == 0 and row == 0
        super().__init__(block, QAccessible.Role.ColumnHeader if is_header else QAccessible.Role.Cell)
        self._row, self._column, self._is_header = row, column, is_header
        self.offer(QAccessible.InterfaceType.TextInterface, ReadableText(self, self))

    def name(self) -> str:
        words = self.plain_text()
        header = self._item.columns.block.header[self._column : self._column + 1]
        return (
            words
            if self._is_header or not header
            else tr("{column}: {words}", column=plain(flow_of(header[0]).text).strip(), words=words)
        )

    def description(self) -> str:
        if self._is_header:
            return tr("Column {column}", column=self._column + 1)
        number = self._item.first + self._row + (0 if self._item.first == 0 else 1)
        return tr("Row {number}, column {column}", number=number, column=self._column + 1)

    def value(self) -> str:
        return self.plain_text()

    def rect(self) -> QRect:
        return _union_of(self.block, *self._range())

    def plain_text(self) -> str:
        start, end = self._range()
        return plain(self._item.text[start:end])

    def character_rect(self, offset: int) -> QRect:
        return self.block.character_rect(self._range()[0] + offset)

    def offset_at(self, point: QPoint) -> int:
        start, end = self._range()
        return max(0, min(self.block.offset_at(point), end) - start)

    def select(self, start: int, end: int) -> None:
        first = self._range()[0]
        self.block.select(first + start, first + end)

    def show(self, offset: int) -> None:
        self.block.show(offset)

    @property
    def _item(self) -> TableItem:
        assert isinstance(self.block.item, TableItem)
        return self.block.item

    def _range(self) -> tuple[int, int]:
        cells = self._item.cells
        is_there = self._row < len(cells) and self._column < len(cells[self._row])
        return cells[self._row][self._column] if is_there else (0, 0)


def buttons_of(entry: MessageEntry, item: Item) -> tuple[Button, ...]:
    """Return the buttons of an item, laying it out first if it has none without a layout."""
    index = entry.places.index_of(item)
    if index is not None and entry.places.width and not item.buttons():
        entry.places.measure(index)
    return item.buttons()


def _links_of(item: Item) -> list[PartKey]:
    """Return the number, start, end and target of each link; start and end are 0 if only the target is known."""
    if isinstance(item, TextItem):
        return [(at, link.start, link.end, link.href) for at, link in enumerate(flow_of(item.spans).links)]
    return [(at, 0, 0, link.label) for at, link in enumerate(item.links())]


def _notes_of(item: FooterItem) -> list[str]:
    number, count = item.versions
    return ([tr("Version {number} of {count}", number=number, count=count)] if count > 1 else []) + (
        [item.note] if item.note else []
    )


def _union_of(block: ItemNode, start: int, end: int) -> QRect:
    """Return the rectangle on the screen that encloses the characters from ``start`` to ``end``."""
    whole = QRectF()
    for area in block.item.areas_of(start, end):
        whole = whole.united(area)
    return block.area_of(whole) if not whole.isEmpty() else QRect()
