"""Arranges the tree of a thread, every message with its versions, in rows that can be read from top to bottom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A message, with as much of its text as a row shows. ``is_gone``: removed for good, its place is kept;
    ``is_edited``: an answer that a person wrote instead of the model."""

    id: str
    parent_id: str | None
    role: str
    status: str
    model: str | None
    preview: str
    is_shown: bool
    is_in_trash: bool = False
    is_gone: bool = False
    is_edited: bool = False


@dataclass(frozen=True, slots=True)
class TreeRow:
    """A node with its place in the list. ``indent`` grows where a branch leaves the line above it; ``version`` of
    ``version_count`` counts live ones and is 0 for a message in the trash."""

    node: TreeNode
    indent: int
    version: int
    version_count: int


def tree_rows(nodes: Iterable[TreeNode]) -> tuple[TreeRow, ...]:
    """Return all nodes as rows, a parent before its children. The shown version continues in its parent's line, after
    the others, which are indented; where none is shown, the newest does. Not recursive: a thread is deeper than
    Python's stack."""
    children: dict[str | None, list[TreeNode]] = {}
    for node in sorted(nodes, key=lambda each: each.id):
        children.setdefault(node.parent_id, []).append(node)
    rows: list[TreeRow] = []
    waiting = _family(children.get(None, []), 0)
    while waiting:
        row = waiting.pop()
        rows.append(row)
        below = children.get(row.node.id, ())
        while len(below) == 1:  # most of any thread
            only = below[0]
            live = 0 if only.is_in_trash else 1
            rows.append(TreeRow(only, row.indent, live, live))
            below = children.get(only.id, ())
        waiting += _family(below, row.indent)
    return tuple(rows)


def _family(nodes: Sequence[TreeNode], indent: int) -> list[TreeRow]:
    """Return siblings as rows, the one to be read first at the end."""
    if not nodes:
        return []
    live = [node for node in nodes if not node.is_in_trash]
    main = next((node for node in nodes if node.is_shown), (live or nodes)[-1])
    places: dict[tuple[str, str], int] = {}
    counts: dict[str, int] = {}
    for node in live:
        counts[node.role] = counts.get(node.role, 0) + 1
        places[node.role, node.id] = counts[node.role]
    others = [node for node in nodes if node is not main]
    return [
        TreeRow(
            node,
            indent if node is main else indent + 1,
            places.get((node.role, node.id), 0),
            counts.get(node.role, 0),
        )
        for node in (main, *reversed(others))
    ]
