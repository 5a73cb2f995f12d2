"""Regular expressions that Python 3.11.0 to 3.11.4 gets wrong are not used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from re import _parser  # type: ignore[attr-defined]  # what ``re`` itself makes of a pattern

import pytest

ROOT = Path(__file__).parent.parent
_FUNCTIONS = {"compile", "match", "fullmatch", "search", "findall", "finditer", "sub", "subn", "split"}


def _patterns(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each pattern that is given to ``re``."""
    if not re.search(r"\bre\s*\.", source):  # parsing is most of what this costs
        return
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "re" and node.func.attr in _FUNCTIONS:
            yield node.lineno, _text(node.args[0])


def _text(pattern: ast.expr) -> str:
    """Return the pattern as written; what an f-string fills in counts as a letter."""
    if isinstance(pattern, ast.JoinedStr):
        return "".join(_text(part) for part in pattern.values)
    if isinstance(pattern, ast.BinOp):
        return _text(pattern.left) + _text(pattern.right)
    return str(pattern.value) if isinstance(pattern, ast.Constant) else "x"


def _has_possessive(pattern: str) -> bool:
    """Whether a pattern has a possessive quantifier (``*+``) or an atomic group (``(?>``)."""
    try:
        parsed = _parser.parse(pattern)
    except re.error:  # a piece of a pattern that is assembled
        return re.search(r"(?<!\\)[*+?}]\+|\(\?>", pattern) is not None
    return any(mark in repr(parsed.data) for mark in ("POSSESSIVE_REPEAT", "ATOMIC_GROUP"))


@pytest.mark.parametrize("pattern", [r"a*+", r"(?:\w++|x)", r"(?>a)b", r"[^,]{2,3}+"])
def test_the_lint_finds_them(pattern: str) -> None:
    assert _has_possessive(pattern)
    assert [found for _, found in _patterns(f"import re\nre.compile(r'{pattern}')")] == [pattern]


@pytest.mark.parametrize("pattern", [r"[*+]", r"\*+", r"a+b*", r"[*+?]+"])
def test_the_lint_leaves_others_alone(pattern: str) -> None:
    assert not _has_possessive(pattern)


def test_no_pattern_uses_possessive_quantifiers() -> None:
    """They match too much before Python 3.11.5 (python/cpython#106052), which Debian 12 has."""
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for folder in ("chatdesk", "packaging", "migrations")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line, pattern in _patterns(path.read_text(encoding="utf-8"))
        if _has_possessive(pattern)
    ]
    assert found == []
