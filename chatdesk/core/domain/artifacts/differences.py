"""Compares two texts line by line, within a time limit: the texts come from models and files."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import Match, SequenceMatcher
from typing import Any, Final

_CONTEXT_LINES: Final = 3
_BUDGET_S: Final = 0.5

Change = tuple[str, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference of two texts in unified form, without a head. ``is_rough``: they differ too much to be compared in
    time, and what differs is shown as replaced."""

    text: str
    added: int
    removed: int
    is_rough: bool = False


def difference(before: str, after: str, *, budget_s: float = _BUDGET_S) -> Difference:
    """Return what changed between two texts."""
    old, new = before.splitlines(), after.splitlines()
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    middle_old, middle_new = old[start : len(old) - end], new[start : len(new) - end]
    changes, is_rough = _changes(middle_old, middle_new, budget_s)
    shifted = [(kind, a + start, b + start, c + start, d + start) for kind, a, b, c, d in changes]
    added = sum(d - c for _, _, _, c, d in shifted)
    removed = sum(b - a for _, a, b, _, _ in shifted)
    return Difference("".join(_lines(old, new, shifted)), added, removed, is_rough)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for first, second in zip(one, other, strict=False):
        if first != second:
            break
        count += 1
    return count


def _changes(old: list[str], new: list[str], budget_s: float) -> tuple[list[Change], bool]:
    if not old and not new:
        return [], False
    try:
        matcher = _TimedMatcher(old, new, until=time.monotonic() + budget_s)
        return [each for each in matcher.get_opcodes() if each[0] != "equal"], False
    except TimeoutError:
        return [("replace", 0, len(old), 0, len(new))], True


class _TimedMatcher(SequenceMatcher[str]):
    """Raises ``TimeoutError`` when its time is over: on made-up texts the comparison takes quadratic time and more."""

    def __init__(self, old: list[str], new: list[str], *, until: float) -> None:
        self._until = until
        super().__init__(None, old, new)

    def find_longest_match(self, *bounds: Any, **named: Any) -> Match:
        if time.monotonic() > self._until:
            raise TimeoutError
        return super().find_longest_match(*bounds, **named)


def _lines(old: Sequence[str], new: Sequence[str], changes: Sequence[Change]) -> Iterator[str]:
    """Yield the lines of a unified difference: changes that are near each other stand in one hunk."""
    hunk: list[Change] = []
    for change in changes:
        if hunk and change[1] - hunk[-1][2] > 2 * _CONTEXT_LINES:
            yield from _hunk(old, new, hunk)
            hunk = []
        hunk.append(change)
    if hunk:
        yield from _hunk(old, new, hunk)


def _hunk(old: Sequence[str], new: Sequence[str], changes: Sequence[Change]) -> Iterator[str]:
    before = min(_CONTEXT_LINES, changes[0][1])
    after = min(_CONTEXT_LINES, len(old) - changes[-1][2])
    first, last = changes[0][1] - before, changes[-1][2] + after
    first_new, last_new = changes[0][3] - before, changes[-1][4] + after
    yield f"@@ -{first + 1},{last - first} +{first_new + 1},{last_new - first_new} @@\n"
    place = first
    for _, a, b, c, d in changes:
        yield from (f" {line}\n" for line in old[place:a])
        yield from (f"-{line}\n" for line in old[a:b])
        yield from (f"+{line}\n" for line in new[c:d])
        place = b
    yield from (f" {line}\n" for line in old[place:last])
