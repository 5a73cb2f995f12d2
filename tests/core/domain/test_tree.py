"""Rows of a tree: what is where, and how deep a thread may be."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from chatdesk.core.domain.tree import TreeNode, tree_rows


def node(name: str, parent: str | None = None, role: str = "user", *, is_shown: bool = False) -> TreeNode:
    return TreeNode(name, parent, role, "complete", None, name, is_shown)


def lines(nodes: list[TreeNode]) -> list[str]:
    return [f"{'  ' * row.indent}{row.node.id} {row.version}/{row.version_count}" for row in tree_rows(nodes)]


def test_the_shown_version_goes_on_in_its_line_and_the_others_stand_before_it() -> None:
    tree = [
        node("q1", is_shown=True),
        node("r1", "q1", "assistant"),
        node("r2", "q1", "assistant", is_shown=True),
        node("r3", "q1", "assistant"),
        node("s1", "r1"),
        node("s2", "r2", is_shown=True),
    ]
    assert lines(tree) == ["q1 1/1", "  r1 1/3", "  s1 1/1", "  r3 3/3", "r2 2/3", "s2 1/1"]


def test_trashed_messages_are_listed_but_not_counted_as_versions() -> None:
    tree = [node("q1"), replace(node("q2"), is_in_trash=True), node("q3")]
    assert lines(tree) == ["  q1 1/2", "  q2 0/2", "q3 2/2"]


def test_an_empty_thread_has_no_rows() -> None:
    assert tree_rows([]) == ()


def test_a_thread_may_be_deeper_than_the_stack() -> None:
    chain = [node(f"{place:06}", f"{place - 1:06}" if place else None, is_shown=True) for place in range(20_000)]
    rows = tree_rows(chain)
    assert [row.node for row in rows] == chain
    assert {row.indent for row in rows} == {0}


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.booleans()), max_size=30))
def test_every_message_has_one_row_below_its_parent(picks: list[tuple[int, bool, bool]]) -> None:
    tree: list[TreeNode] = []
    for place, (pick, is_shown, is_in_trash) in enumerate(picks):
        parent = tree[pick % len(tree)].id if tree and pick < 28 else None
        tree.append(replace(node(f"{place:03}", parent, is_shown=is_shown), is_in_trash=is_in_trash))
    order = [row.node.id for row in tree_rows(tree)]
    assert sorted(order) == [each.id for each in tree]
    for each in tree:
        assert each.parent_id is None or order.index(each.parent_id) < order.index(each.id)
