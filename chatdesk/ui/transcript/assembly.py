"""Blocks as items, keeping the items of blocks that did not change."""

from __future__ import annotations

from collections.abc import Sequence

from chatdesk.core.rendering.blocks import (
    Block,
    CodeBlock,
    Heading,
    ImagePlaceholder,
    MathBlock,
    Paragraph,
    Rule,
    Table,
)
from chatdesk.ui.transcript.code_item import CodeItem
from chatdesk.ui.transcript.diagram_item import DiagramItem
from chatdesk.ui.transcript.image_item import ImageItem
from chatdesk.ui.transcript.item import Item
from chatdesk.ui.transcript.math_item import MathItem
from chatdesk.ui.transcript.rule_item import RuleItem
from chatdesk.ui.transcript.spans import cut_plain, cut_spans
from chatdesk.ui.transcript.table_item import TableItem, grow_table, table_items
from chatdesk.ui.transcript.text_item import TextItem, plain_item

Group = list[Item]


def plain_items(text: str) -> list[Item]:
    """The text as it stands, until its blocks are known."""
    return list(map(plain_item, cut_plain(text)))


def items_for(block: Block) -> Group:
    if isinstance(block, Paragraph):
        return _pieces(block, level=0)
    if isinstance(block, Heading):
        return _pieces(block, level=block.level)
    if isinstance(block, CodeBlock):
        return [DiagramItem(block)] if block.pictures else [CodeItem(block)]
    if isinstance(block, Table):
        return list(table_items(block))
    if isinstance(block, MathBlock):
        return [MathItem(block)]
    if isinstance(block, ImagePlaceholder):
        return [ImageItem(block)]
    assert isinstance(block, Rule)
    return [RuleItem()]


def change_items(old: Block, group: Group, new: Block) -> Group:
    """Items for ``new``, which stands where ``old`` stood; what looks the same is kept."""
    if old == new:
        return group
    if isinstance(old, CodeBlock) and isinstance(new, CodeBlock) and old.at.list_depth == new.at.list_depth:
        code = group[0]
        if isinstance(code, CodeItem) and not new.pictures and new.text.startswith(old.text):
            if code.update(new):
                code.invalidate()
            return group
    if isinstance(old, Table) and isinstance(new, Table):
        tables = [each for each in group if isinstance(each, TableItem)]
        grown = grow_table(tables, new)
        if grown is not None:
            return list(grown)
    made = items_for(new)
    for place, (before, after) in enumerate(zip(group, made, strict=False)):
        if (
            isinstance(before, TextItem)
            and isinstance(after, TextItem)
            and before.spans == after.spans
            and before.at.marker == after.at.marker
            and (before.at.list_depth, before.at.quote_depth) == (after.at.list_depth, after.at.quote_depth)
            and (before.at.quoted_lists, before.at.note) == (after.at.quoted_lists, after.at.note)
            and before.level == after.level
        ):
            made[place] = before
    return made


def change_groups(
    old_blocks: Sequence[Block], old_groups: list[Group], new_blocks: Sequence[Block], *, first: int = 0
) -> list[Group]:
    """One group of items a block; blocks before ``first`` are known to be the same."""
    groups = old_groups[:first]
    for place in range(first, len(new_blocks)):
        block = new_blocks[place]
        if place < len(old_blocks):
            groups.append(change_items(old_blocks[place], old_groups[place], block))
        else:
            groups.append(items_for(block))
    return groups


def _pieces(block: Paragraph | Heading, *, level: int) -> Group:
    items: Group = []
    for place, piece in enumerate(cut_spans(block.spans)):
        item = TextItem(piece, block.at, level=level)
        if place:
            item.gap = 0.0
        items.append(item)
    return items or [TextItem((), block.at, level=level)]
