"""A number is worded with what it counts: one, none, many, and plurals that are not made with an *s*."""

from __future__ import annotations

import ast
from pathlib import Path

import chatdesk
from chatdesk.core.plurals import counted


def test_a_number_is_worded_with_what_it_counts():
    assert counted(0, "thread") == "0 threads"
    assert counted(1, "thread") == "1 thread"
    assert counted(12_345, "thread") == "12,345 threads"
    assert counted(1, "change waits", "changes wait") == "1 change waits"
    assert counted(2, "change waits", "changes wait") == "2 changes wait"


def test_no_other_place_makes_plurals_by_hand():
    found = []
    for path in Path(chatdesk.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "1 else" in text else ():
            if isinstance(node, ast.IfExp) and _is_one(node.test) and _is_counted(node):
                found.append(f"{path.name}:{node.lineno}")
    assert not found


def _is_one(test: ast.expr) -> bool:
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.comparators[0], ast.Constant)
        and test.comparators[0].value == 1
    )


def _is_counted(node: ast.IfExp) -> bool:
    """Return whether one branch is "1 thing", or one branch is a lone "s"."""
    texts = [each.value for each in (node.body, node.orelse) if isinstance(each, ast.Constant)]
    return "s" in texts or any(isinstance(text, str) and text.startswith("1 ") for text in texts)
