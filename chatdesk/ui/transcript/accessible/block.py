"""Describes the blocks of a message to assistive programs: paragraphs, code, tables, formulas, images, folds,
buttons."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QAccessible, QAccessibleInterface

from chatdesk.core.texts import shown, tr
from chatdesk.ui.accessibility.node import ActionInterface, Level
from chatdesk.ui.transcript.accessible.item import ItemNode
from chatdesk.ui.transcript.accessible.parts import PartKey, make_part, parts_of
from chatdesk.ui.transcript.accessible.text import ReadableText, plain
from chatdesk.ui.transcript.accessible.view import Node, ReadableView
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.items.change_item import ChangeItem
from chatdesk.ui.transcript.items.code_item import CodeItem
from chatdesk.ui.transcript.items.diagram_item import DiagramItem
from chatdesk.ui.transcript.items.file_item import FileItem
from chatdesk.ui.transcript.items.fold_item import FoldItem
from chatdesk.ui.transcript.items.footer_item import FooterItem
from chatdesk.ui.transcript.items.image_item import ImageItem
from chatdesk.ui.transcript.items.line_item import LineItem
from chatdesk.ui.transcript.items.mark_item import MarkItem
from chatdesk.ui.transcript.items.picture_item import PictureItem
from chatdesk.ui.transcript.items.table_item import TableItem
from chatdesk.ui.transcript.items.text_item import TextItem
from chatdesk.ui.transcript.messages.entry import MessageEntry
from chatdesk.ui.transcript.speech.names import code_name, table_name, text_name

_MAX_NAME = 1_000
_R = QAccessible.Role
_ROLES = {
    "code": _R.Section,
    "table": _R.Table,
    "math": _R.Equation,
    "image": _R.Graphic,
    "diagram": _R.Graphic,
    "fold": _R.Button,
    "notice": _R.Notification,
    "rule": _R.Separator,
    "unread": _R.Separator,
    "line": _R.Separator,
    "mark": _R.StaticText,
    "footer": _R.ToolBar,
}


class BlockNode(ItemNode):
    """The node of one item of a message; it stays when its item is replaced by a newer state of the same thing."""

    def __init__(self, view: ReadableView, parent: QAccessibleInterface, entry: MessageEntry, item: Item) -> None:
        super().__init__(view, parent, role_of(item), entry, item)
        self.reading: ReadableText | None = None
        self._parts: dict[PartKey, Node] = {}
        if item.is_selectable:
            self.reading = ReadableText(self, self)
            self.offer(QAccessible.InterfaceType.TextInterface, self.reading)
        if isinstance(item, FoldItem) and item.can_open:
            press = ActionInterface({ActionInterface.pressAction(): self._press_first})
            self.offer(QAccessible.InterfaceType.ActionInterface, press)
        if _level(item):
            self.offer(QAccessible.InterfaceType.AttributesInterface, Level(partial(_level, item)))

    def can_become(self, item: Item) -> bool:
        """Return whether ``item`` may replace this node's item with nothing but its text having changed."""
        return type(item) is type(self.item) and role_of(item) is self._role and _level(item) == _level(self.item)

    # Node

    def known_children(self) -> Sequence[Node]:
        return list(self._parts.values())

    def children_now(self) -> Sequence[Node]:
        if isinstance(self.item, FoldItem):
            return ()
        return [self._part(key) for key in parts_of(self.entry, self.item)]

    def prune(self) -> None:
        """Close the nodes of parts that are gone.

        Never call this while Qt is asking, because Qt may hold a pointer to them.
        """
        now = set(parts_of(self.entry, self.item))
        for key in [each for each in self._parts if each not in now]:
            self._parts.pop(key).close()

    def name(self) -> str:
        item = self.item
        if isinstance(item, CodeItem):
            name = code_name(item.block.language, item.block.text)
            return tr("{name}. {remark}", name=name, remark=shown(item.block.remark)) if item.block.remark else name
        if isinstance(item, TableItem):
            block = item.columns.block
            return table_name(len(block.header), len(item.rows), first=item.first, total=len(block.rows))
        if isinstance(item, ImageItem):
            return item.block.alt[:200] or tr("Image")
        if isinstance(item, PictureItem):
            return item.spoken
        if isinstance(item, DiagramItem):
            return code_name(item.block.language, item.block.text, what=tr("Diagram"))
        if isinstance(item, FileItem):
            return tr("Attached: {file}", file=item.spoken)
        if isinstance(item, FoldItem):
            return item.spoken if item.can_open else tr("Attached: {file}", file=item.spoken)
        if item.kind == "unread":
            return tr("New messages begin here")
        if isinstance(item, ChangeItem | MarkItem | LineItem):
            return item.words
        if isinstance(item, FooterItem):
            return tr("Message tools")
        if item.kind == "math":
            return tr("Formula {text}", text=plain(item.text)[:_MAX_NAME])
        return text_name(plain(item.text)[:_MAX_NAME], item.at.marker if isinstance(item, TextItem) else None)

    def description(self) -> str:
        item = self.item
        if isinstance(item, TextItem):
            if item.level:
                return tr("Heading level {level}", level=item.level)
            if item.at.marker and item.at.list_depth > 1:
                return tr("List level {level}", level=item.at.list_depth)
            return tr("Quote") if item.at.quote_depth else ""
        if isinstance(item, PictureItem) and item.failure:
            return item.failure
        if isinstance(item, ImageItem):
            return (
                tr("Not fetched, from {host}", host=item.block.host[:100])
                if item.block.host and not item.is_picture
                else ""
            )
        return ""

    def value(self) -> str:
        return plain(self.item.text)

    def rect(self) -> QRect:
        return self.area_of(QRectF(0, 0, self.entry.places.width_of(self.item), self.item.height))

    def change_state(self, state: QAccessible.State) -> None:
        item = self.item
        state.selectableText = item.is_selectable
        state.multiLine = isinstance(item, CodeItem)
        if isinstance(item, FoldItem):
            state.focusable = state.expandable = item.can_open
            state.expanded, state.collapsed = item.is_open, not item.is_open
            state.focused = any(self.is_at(button.action) for button in item.buttons())
        elif item.is_selectable:
            caret = self.view.accessible_actions.caret
            state.focused = caret is not None and caret.item is item

    # Parts

    def _part(self, key: PartKey) -> Node:
        part = self._parts.get(key)
        if part is None:
            part = self._parts[key] = make_part(self, key)
        return part

    def _press_first(self) -> None:
        for button in self.item.buttons()[:1]:
            self.view.accessible_actions.press(self.entry, self.item, button.action)


def role_of(item: Item) -> QAccessible.Role:
    if isinstance(item, FoldItem) and not item.can_open:
        return QAccessible.Role.StaticText  # a file that came with the message
    if isinstance(item, TextItem):
        if item.level:
            return QAccessible.Role.Heading
        return QAccessible.Role.ListItem if item.at.marker else QAccessible.Role.Paragraph
    return _ROLES.get(item.kind, QAccessible.Role.Grouping)


def _level(item: Item) -> int:
    """Return the level of a heading, or how deep a list item is nested."""
    if not isinstance(item, TextItem):
        return 0
    return item.level or (item.at.list_depth if item.at.marker else 0)
