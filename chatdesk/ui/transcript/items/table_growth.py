"""Makes the items of a table, and of the longer table that it grows into."""

from __future__ import annotations

from chatdesk.core.rendering.blocks import Table
from chatdesk.ui.transcript.drawing.table_columns import TableColumns
from chatdesk.ui.transcript.items.table_item import ROWS_AN_ITEM, TableItem


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
