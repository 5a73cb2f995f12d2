"""Trees of foreign exports become proper ones, whatever their links say."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from chatdesk.core.domain.imported import ImportedMessage
from chatdesk.core.domain.message import Role
from chatdesk.core.transfer.imports.tree import Node, linear, make_tree
from tests.helpers.examples import examples


def _node(key: str, parent: str | None, *, is_empty: bool = False, at: int | None = None) -> Node:
    message = None if is_empty else ImportedMessage(key, None, Role.USER, at or 0, (), keys=(key,))
    return Node(key, parent, message, at)


def _shape(nodes: list[Node], current: str | None = None) -> tuple[dict[str, str | None], list[str]]:
    tree = make_tree(nodes, current_key=current, fallback_ms=5)
    way, key = [], tree.chosen.get(None)
    while key is not None:
        way.append(key)
        key = tree.chosen.get(key)
    return {message.key: message.parent_key for message in tree.messages}, way


def test_children_of_an_empty_node_move_up() -> None:
    nodes = [
        _node("root", None, is_empty=True),
        _node("a", "root"),
        _node("gap", "a", is_empty=True),
        _node("b", "gap"),
    ]
    assert _shape(nodes) == ({"a": None, "b": "a"}, ["a", "b"])


def test_a_circle_is_cut_and_nothing_in_it_is_lost() -> None:
    parents, _ = _shape([_node("a", "c"), _node("b", "a"), _node("c", "b"), _node("d", "c"), _node("e", "e")])
    assert set(parents) == {"a", "b", "c", "d", "e"}
    assert parents["e"] is None


def test_a_node_whose_parent_is_not_there_begins_anew() -> None:
    assert _shape([_node("a", "nowhere"), _node("b", "a")]) == ({"a": None, "b": "a"}, ["a", "b"])


def test_of_two_nodes_with_one_key_the_first_counts() -> None:
    assert _shape([_node("a", None), _node("a", "a"), _node("b", "a")])[0] == {"a": None, "b": "a"}


def test_the_current_node_decides_which_version_is_shown() -> None:
    nodes = [_node("q", None), _node("one", "q"), _node("two", "q"), _node("after one", "one"), _node("x", "after one")]
    assert _shape(nodes, "one")[1] == ["q", "one", "after one", "x"]
    assert _shape(nodes, "two")[1] == ["q", "two"]
    assert _shape(nodes, None)[1] == ["q", "two"]
    assert _shape(nodes, "not there")[1] == ["q", "two"]


def test_a_current_node_without_a_message_stands_for_the_one_above_it() -> None:
    nodes = [_node("q", None), _node("one", "q"), _node("gone", "one", is_empty=True), _node("two", "q")]
    assert _shape(nodes, "gone")[1] == ["q", "one"]


def test_versions_stand_in_the_order_of_their_moments() -> None:
    tree = make_tree(
        [_node("q", None, at=1), _node("late", "q", at=9), _node("early", "q", at=3)], current_key=None, fallback_ms=0
    )
    assert [message.key for message in tree.messages] == ["q", "early", "late"]


def test_a_message_without_a_moment_has_its_parents() -> None:
    tree = make_tree([_node("q", None), _node("a", "q", at=9), _node("b", "a")], current_key=None, fallback_ms=5)
    assert [message.created_at for message in tree.messages] == [5, 9, 9]


def test_a_thread_of_the_greatest_length_is_accepted() -> None:
    nodes = [_node("0", None), *(_node(str(n), str(n - 1)) for n in range(1, 20_000))]
    random.Random(3).shuffle(nodes)
    tree = make_tree(nodes, current_key="19999", fallback_ms=0)
    assert [message.key for message in tree.messages] == [str(n) for n in range(20_000)]


def test_messages_in_a_row_become_a_line() -> None:
    messages = [ImportedMessage(str(n), None, Role.USER, 0, ()) for n in range(3)]
    assert _shape(linear(messages)) == ({"0": None, "1": "0", "2": "1"}, ["0", "1", "2"])


@given(
    links=st.lists(st.tuples(st.integers(0, 12), st.one_of(st.none(), st.integers(0, 14)), st.booleans()), max_size=25),
    current=st.one_of(st.none(), st.integers(0, 14)),
)
@settings(max_examples=examples(300), deadline=None)
def test_any_links_become_a_tree_with_every_message_once(
    links: list[tuple[int, int | None, bool]], current: int | None
) -> None:
    nodes = [_node(str(key), None if above is None else str(above), is_empty=empty) for key, above, empty in links]
    first: dict[str, Node] = {}
    for node in nodes:
        first.setdefault(node.key, node)
    tree = make_tree(nodes, current_key=None if current is None else str(current), fallback_ms=0)
    keys = [message.key for message in tree.messages]
    assert sorted(keys) == sorted(node.key for node in first.values() if node.message is not None)
    seen: set[str | None] = {None}
    for message in tree.messages:
        assert message.parent_key in seen  # parents come first, so there is no circle
        seen.add(message.key)
    parents = {message.key: message.parent_key for message in tree.messages}
    for parent, child in tree.chosen.items():
        assert parents[child] == parent
