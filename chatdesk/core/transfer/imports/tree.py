"""Makes a proper tree out of the nodes of an export: one parent each, no circles, parents before their children.

A node without a message (deleted, empty or hidden by the vendor) is removed, and the nodes below it move up. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from chatdesk.core.domain.imported import ImportedMessage
from chatdesk.core.transfer.imports.values import key_of, list_of


@dataclass(frozen=True, slots=True)
class Node:
    """A place in a vendor's tree. ``created_at`` is in milliseconds; None if it is not known."""

    key: str
    parent_key: str | None
    message: ImportedMessage | None
    created_at: int | None


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree of messages, parents first. ``chosen`` maps each message that has children to the shown one, and None
    to the shown first message."""

    messages: tuple[ImportedMessage, ...]
    chosen: Mapping[str | None, str]


def make_tree(nodes: Sequence[Node], *, current_key: str | None, fallback_ms: int) -> Tree:
    """Return the tree of ``nodes``. Their order, the vendor's, decides among versions of the same moment; of two
    with one key the first counts. The shown path leads through ``current_key`` (or its nearest message above),
    else through the newest versions. A message without a time gets its parent's, else ``fallback_ms``."""
    by_key: dict[str, Node] = {}
    for node in nodes:
        by_key.setdefault(node.key, node)
    parents = _parents(by_key)
    children: dict[str | None, list[str]] = {}
    for key, node in by_key.items():
        if node.message is not None:
            children.setdefault(parents[key], []).append(key)
    messages: list[ImportedMessage] = []
    times: dict[str | None, int] = {None: fallback_ms}
    for key in _parents_first(children, by_key, parents, times):
        message = by_key[key].message
        assert message is not None  # only such nodes are among the children
        if message.parent_key != parents[key] or message.created_at != times[key]:
            message = replace(message, parent_key=parents[key], created_at=times[key])
        messages.append(message)
    chosen = {parent: keys[-1] for parent, keys in children.items()}
    for key in _way_up(_nearest(by_key, current_key), parents):
        chosen[parents[key]] = key
    return Tree(tuple(messages), chosen)


def linear(messages: Iterable[ImportedMessage]) -> list[Node]:
    """Return nodes for messages that follow one another."""
    nodes: list[Node] = []
    for message in messages:
        nodes.append(Node(message.key, nodes[-1].key if nodes else None, message, message.created_at or None))
    return nodes


def above_by_children(nodes: Iterable[tuple[str, object]]) -> dict[str, str]:
    """Return the parent of each node by the lists of children, for nodes that do not name their parent."""
    above: dict[str, str] = {}
    for key, children in nodes:
        for child in list_of(children):
            above.setdefault(key_of(child), key)
    return above


def _parents(by_key: Mapping[str, Node]) -> dict[str, str | None]:
    """Return the nearest message above each node. A circle is cut where it is met first."""
    found: dict[str, str | None] = {}
    for start in by_key:
        way: list[str] = []
        on_way: set[str] = set()
        key: str | None = start
        while key is not None and key in by_key and key not in found and key not in on_way:
            way.append(key)
            on_way.add(key)
            key = by_key[key].parent_key
        above: str | None = None
        if key is not None and key in found:
            above = key if by_key[key].message is not None else found[key]
        for each in reversed(way):
            found[each] = above
            if by_key[each].message is not None:
                above = each
    return found


def _parents_first(
    children: dict[str | None, list[str]],
    by_key: Mapping[str, Node],
    parents: Mapping[str, str | None],
    times: dict[str | None, int],
) -> Iterable[str]:
    """Yield every message from the top, each version with all below it in turn; fill ``times`` and sort
    ``children``."""

    def sort_below(parent: str | None) -> list[str]:
        keys = children.get(parent, [])
        for key in keys:
            known = by_key[key].created_at
            times[key] = times[parent] if known is None else known
        keys.sort(key=lambda key: times[key])  # stable: the vendor's order where the moment is the same
        return keys

    waiting = list(reversed(sort_below(None)))
    while waiting:
        key = waiting.pop()
        yield key
        waiting.extend(reversed(sort_below(key)))


def _nearest(by_key: Mapping[str, Node], key: str | None) -> str | None:
    """Return the key of the node itself if it has a message, else of the first above it that has."""
    seen: set[str] = set()
    while key is not None and key in by_key and key not in seen:
        if by_key[key].message is not None:
            return key
        seen.add(key)
        key = by_key[key].parent_key
    return None


def _way_up(key: str | None, parents: Mapping[str, str | None]) -> Iterable[str]:
    while key is not None:
        yield key
        key = parents.get(key)
