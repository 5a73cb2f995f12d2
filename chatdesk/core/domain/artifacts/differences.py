"""Compares two texts line by line, with bounded work: the texts come from models and files. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import Match, SequenceMatcher
from typing import Any, Final

_CONTEXT_LINES: Final = 3
# Lines, and pairs of equal lines, that a comparison may look at: half a second or so.
_MOST_LOOKED_AT: Final = 5_000_000

Change = tuple[str, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """The difference of two texts in unified form. ``is_rough``: they differ too much to be compared, and all between
    their equal beginning and their equal end is shown as replaced."""

    text: str
    added: int
    removed: int
    is_rough: bool = False


def difference(before: str, after: str) -> Difference:
    """Return the differences of two texts, without a head; the ends of lines are not compared."""
    old, new = ([f"{line}\n" for line in text.splitlines()] for text in (before, after))
    return line_difference(old, new)


def line_difference(old: Sequence[str], new: Sequence[str]) -> Difference:
    """Return the differences of two texts, given as lines with their ends, without a head."""
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    found, is_rough = _changes(old[start : len(old) - end], new[start : len(new) - end])
    changes = [(kind, a + start, b + start, c + start, d + start) for kind, a, b, c, d in found]
    added = sum(d - c for _, _, _, c, d in changes)
    removed = sum(b - a for _, a, b, _, _ in changes)
    return Difference("".join(_lines(old, new, changes)), added, removed, is_rough)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for first, second in zip(one, other, strict=False):
        if first != second:
            break
        count += 1
    return count


def _changes(old: Sequence[str], new: Sequence[str]) -> tuple[list[Change], bool]:
    if not old and not new:
        return [], False
    try:
        return [each for each in _BoundedMatcher(old, new).get_opcodes() if each[0] != "equal"], False
    except _TooMuchWorkError:
        return [("replace", 0, len(old), 0, len(new))], True


class _TooMuchWorkError(Exception):
    pass


class _BoundedMatcher(SequenceMatcher[str]):
    """Raises ``_TooMuchWorkError`` before a search that would pass the limit: on made-up texts the comparison takes
    quadratic time and more."""

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        self._old = old
        self._left = _MOST_LOOKED_AT
        super().__init__(None, old, new)

    def find_longest_match(self, *bounds: Any, **named: Any) -> Match:
        begin, end = bounds[:2]  # of the old lines
        places: Mapping[str, Sequence[int]] = self.b2j  # type: ignore[attr-defined]  # typeshed leaves it out
        self._left -= sum(1 + len(places.get(line, ())) for line in self._old[begin:end])
        if self._left < 0:
            raise _TooMuchWorkError
        return super().find_longest_match(*bounds, **named)


def _lines(old: Sequence[str], new: Sequence[str], changes: Sequence[Change]) -> Iterator[str]:
    """Yield the lines of a unified difference: changes that are near each other are in one hunk."""
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
    yield f"@@ -{_range(first, last)} +{_range(changes[0][3] - before, changes[-1][4] + after)} @@\n"
    place = first
    for _, a, b, c, d in changes:
        yield from (f" {line}" for line in old[place:a])
        yield from (f"-{line}" for line in old[a:b])
        yield from (f"+{line}" for line in new[c:d])
        place = b
    yield from (f" {line}" for line in old[place:last])


def _range(start: int, stop: int) -> str:
    count = stop - start
    if count == 1:
        return str(start + 1)
    return f"{start + 1 if count else start},{count}"
