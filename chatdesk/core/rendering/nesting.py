"""Turns the flat list of blocks into a tree: items and quotes around blocks. For writers; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from chatdesk.core.rendering.blocks import Block, Placement


@dataclass(slots=True)
class Item:
    """A list item. ``marker`` is None where the item began before the first block; ``note`` is set for footnotes."""

    marker: str | None
    note: str | None = None
    children: list[Node] = field(default_factory=list)

    @property
    def number(self) -> int | None:
        """The number of the item; None for bullets and tasks."""
        digits = (self.marker or "").rstrip(".)")
        is_number = digits.isdecimal() and digits.isascii() and len(digits) <= 9
        return int(digits) if is_number and self.note is None else None


@dataclass(slots=True)
class Quote:
    """A quote. ``callout`` is its kind, "" for a plain quote."""

    callout: str
    line: int
    children: list[Node] = field(default_factory=list)


Node = Block | Item | Quote
_Step = tuple[str, int]  # a list, or a quote with its callout, and the line where the quote begins


def tree_of(blocks: Sequence[Block]) -> list[Node]:
    """Return the tree of ``blocks``. An item that began earlier and holds all of them is left out."""
    top: list[Node] = []
    around: list[Item | Quote] = []
    for block in blocks:
        path = _path(block.at)
        common = 0
        while common < min(len(path), len(around)) and _is_same(path[common], around[common]):
            common += 1
        begins_item = block.at.marker is not None and bool(path) and path[-1][0] == "list"
        del around[min(common, len(path) - 1) if begins_item else common :]
        while len(around) < len(path):
            kind, line = path[len(around)]
            is_last = begins_item and len(around) == len(path) - 1
            made: Item | Quote
            if kind == "list":
                made = Item(block.at.marker, block.at.note) if is_last else Item(None)
            else:
                made = Quote(kind.removeprefix("quote "), line)
            (around[-1].children if around else top).append(made)
            around.append(made)
        (around[-1].children if around else top).append(block)
    while len(top) == 1 and isinstance(top[0], Item) and top[0].marker is None:
        top = top[0].children
    return top


def lists_of(nodes: Sequence[Node]) -> list[tuple[bool, list[Node]]]:
    """Return neighbours in groups: (True, the items of one list) or (False, nodes that are in none)."""
    groups: list[tuple[bool, list[Node]]] = []
    for is_list, members in groupby(nodes, key=lambda node: isinstance(node, Item)):
        if not is_list:
            groups.append((False, list(members)))
            continue
        before: Item | None = None
        for item in members:
            assert isinstance(item, Item)
            if before is not None and _goes_on(before, item):
                groups[-1][1].append(item)
            else:
                groups.append((True, [item]))
            before = item
    return groups


def _goes_on(before: Item, item: Item) -> bool:
    if before.note is not None or item.note is not None:
        return before.note is not None and item.note is not None
    if before.number is None or item.number is None:
        return before.number is item.number
    return item.number == before.number + 1


def _is_same(step: _Step, container: Item | Quote) -> bool:
    if isinstance(container, Item):
        return step[0] == "list"
    return step == (f"quote {container.callout}", container.line)


def _path(at: Placement) -> list[_Step]:
    """Return the lists and quotes around a block, outermost first."""
    path: list[_Step] = []
    lists = 0
    for number in range(at.quote_depth):
        outside = at.quoted_lists[number] if number < len(at.quoted_lists) else 0
        path += [("list", 0)] * max(0, outside - lists)
        lists = max(lists, outside)
        callout = at.callouts[number] if number < len(at.callouts) else ""
        path.append((f"quote {callout}", at.quotes[number] if number < len(at.quotes) else 0))
    return path + [("list", 0)] * max(0, at.list_depth - lists)
