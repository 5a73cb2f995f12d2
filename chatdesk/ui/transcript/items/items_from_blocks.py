"""Turns blocks into items, and keeps the items of blocks that did not change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Protocol

from chatdesk.core.rendering.blocks import (
    Block,
    CodeBlock,
    Fold,
    Heading,
    ImagePlaceholder,
    MathBlock,
    Paragraph,
    Placement,
    Rule,
    Table,
)
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.drawing.spans import split_plain, split_spans
from chatdesk.ui.transcript.drawing.table_columns import TableColumns
from chatdesk.ui.transcript.items.code_item import CodeItem
from chatdesk.ui.transcript.items.diagram_item import DiagramItem
from chatdesk.ui.transcript.items.fold_item import FoldItem
from chatdesk.ui.transcript.items.image_item import ImageItem
from chatdesk.ui.transcript.items.line_item import RuleItem
from chatdesk.ui.transcript.items.math_item import MathItem
from chatdesk.ui.transcript.items.table_item import ROWS_AN_ITEM, TableItem
from chatdesk.ui.transcript.items.text_item import TextItem, plain_item

Group = list[Item]


class HasPlace(Protocol):
    """A protocol of blocks that stand in lists and quotes."""

    @property
    def at(self) -> Placement: ...


def plain_items(text: str) -> list[Item]:
    """Return the text as plain paragraphs, which are shown until its blocks are known."""
    return list(map(plain_item, split_plain(text)))


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
    if isinstance(block, Fold):
        return [FoldItem("thought", block.label, is_structure=True)]
    assert isinstance(block, Rule)
    return [RuleItem(block)]


def change_items(old: Block, group: Group, new: Block) -> Group:
    """Return the items of ``new``, which replaces ``old``; items that look the same are kept."""
    if old == new:
        return group
    if isinstance(old, CodeBlock) and isinstance(new, CodeBlock) and _stands_alike(old, new):
        code = group[0]
        if isinstance(code, CodeItem) and not new.pictures and new.text.startswith(old.text):
            if code.update(new):
                code.invalidate()
            return group
    if isinstance(old, Table) and isinstance(new, Table):
        tables = [each for each in group if isinstance(each, TableItem)]
        grown = grow_table(tables, new)
        return list(grown if grown is not None else table_items(new, tables[0].columns))
    if isinstance(old, Fold) and isinstance(new, Fold) and isinstance(group[0], FoldItem):
        group[0].rename(new.label)
        return group
    made = items_for(new)
    for place, (before, after) in enumerate(zip(group, made, strict=False)):
        if (
            isinstance(before, TextItem)
            and isinstance(after, TextItem)
            and before.spans == after.spans
            and _stands_alike(before, after)
            and before.level == after.level
        ):
            made[place] = before
    return made


def _stands_alike(one: HasPlace, other: HasPlace) -> bool:
    """Return whether two blocks or items are alike, apart from their lines of the source."""
    return replace(one.at, first_line=0, end_line=0) == replace(other.at, first_line=0, end_line=0)


def change_groups(
    old_blocks: Sequence[Block], old_groups: list[Group], new_blocks: Sequence[Block], *, first: int = 0
) -> list[Group]:
    """Return one group of items for each block; blocks before ``first`` are known to be unchanged."""
    groups = old_groups[:first]
    for place in range(first, len(new_blocks)):
        block = new_blocks[place]
        if place < len(old_blocks):
            groups.append(change_items(old_blocks[place], old_groups[place], block))
        else:
            groups.append(items_for(block))
    return groups


def shown_items(blocks: Sequence[Block], groups: Sequence[Group]) -> list[Item]:
    """Return the items of all blocks that are not folded away."""
    if Fold not in map(type, blocks):  # nearly all texts, and each frame of an answer asks
        return [*chain.from_iterable(groups)]
    items: list[Item] = []
    is_hidden = False
    for block, group in zip(blocks, groups, strict=True):
        if isinstance(block, Fold):
            is_hidden = isinstance(group[0], FoldItem) and not group[0].is_open
        if not (block.at.is_folded and is_hidden):
            items += group
    return items


def _pieces(block: Paragraph | Heading, *, level: int) -> Group:
    items: Group = []
    for place, piece in enumerate(split_spans(block.spans)):
        item = TextItem(piece, block.at, level=level)
        if place:
            item.gap = 0.0
        items.append(item)
    return items or [TextItem((), block.at, level=level)]


def table_items(block: Table, like: TableColumns | None = None) -> list[TableItem]:
    """Return the items of a table; ``like`` are the columns of its older state, whose look is kept."""
    columns = TableColumns(block, like)
    return [TableItem(columns, first) for first in range(0, max(1, len(block.rows)), ROWS_AN_ITEM)]


def grow_table(items: list[TableItem], block: Table) -> list[TableItem] | None:
    """Return the items of a table that got more rows, keeping the full ones; None when it is another table."""
    columns = items[0].columns
    old = columns.block
    kept = max(0, (len(old.rows) - 1) // ROWS_AN_ITEM)
    if old.header != block.header or old.alignments != block.alignments or len(block.rows) < len(old.rows):
        return None
    if old.at.is_right_to_left != block.at.is_right_to_left:
        return None
    if old.rows[: kept * ROWS_AN_ITEM] != block.rows[: kept * ROWS_AN_ITEM]:
        return None
    # A table that the reader watches being written stays open: folding it would make the page jump.
    if 0 < len(old.rows) <= ROWS_AN_ITEM < len(block.rows):
        columns.is_unfolded = True
    columns.block = block
    first = kept * ROWS_AN_ITEM
    return items[:kept] + [TableItem(columns, at) for at in range(first, max(1, len(block.rows)), ROWS_AN_ITEM)]
