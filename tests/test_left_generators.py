"""Whoever iterates an asynchronous generator holds it, so that leaving the loop closes it: read from the source."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import chatdesk

PACKAGE = Path(chatdesk.__file__).parent
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def unheld(source: str) -> list[int]:
    """The lines of ``async for`` over anything but a name that ``async with aclosing(…) as name`` holds, or that a
    caller handed in."""
    lines: list[int] = []
    _look(ast.parse(source), frozenset(), lines)
    return lines


def _look(node: ast.AST, held: frozenset[str], lines: list[int]) -> None:
    if isinstance(node, _FUNCTIONS):
        arguments = node.args
        held = frozenset(each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs))
    elif isinstance(node, ast.AsyncWith):
        held |= {name for item in node.items if (name := _held_by(item)) is not None}
    is_loop = isinstance(node, ast.AsyncFor) or (isinstance(node, ast.comprehension) and node.is_async)
    if is_loop and not (isinstance(node.iter, ast.Name) and node.iter.id in held):  # type: ignore[attr-defined]
        lines.append(node.iter.lineno)  # type: ignore[attr-defined]
    for child in ast.iter_child_nodes(node):
        _look(child, held, lines)


def _held_by(item: ast.withitem) -> str | None:
    call, name = item.context_expr, item.optional_vars
    is_closing = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "aclosing"
    return name.id if is_closing and isinstance(name, ast.Name) else None


def test_every_iterated_generator_is_closed() -> None:
    texts = {str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    # Parsing is most of what this costs.
    found = {path: unheld(text) for path, text in texts.items() if re.search(r"\basync\s+for\b", text)}
    assert len(found) > 20
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("body", "is_held"),
    [
        ("async for x in make(): pass", False),
        ("y = [x async for x in make()]", False),
        ("made = make()\n    async for x in made: pass", False),
        ("async with aclosing(make()) as made:\n        async for x in made: pass", True),
        ("async with aclosing(make()) as made:\n        y = [x async for x in made]", True),
        ("async with make() as made:\n        async for x in made: pass", False),
        ("async for x in given: pass", True),
    ],
)
def test_the_rule_tells_held_from_dropped(body: str, *, is_held: bool) -> None:
    assert (unheld(f"async def f(given):\n    {body}\n") == []) is is_held
