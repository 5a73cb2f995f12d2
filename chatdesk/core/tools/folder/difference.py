"""Writes the difference between two texts as a unified diff. Pure, and bounded in time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

#: Lines of both sides between what they have in common at their beginning and end, multiplied: more are not compared
#: line by line, because that could take minutes.
_MOST_COMPARED: Final = 1_500_000
_CONTEXT: Final = 3
_NO_END: Final = "\\ No newline at end of file"

_Code = tuple[str, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """``text`` is the diff; ``added`` and ``removed`` count lines; ``longest`` is the length of its longest line."""

    text: str
    added: int
    removed: int
    longest: int


def difference(path: str, before: str | None, after: str | None) -> Difference:
    """Return the difference between the texts of a file; None stands for a file that is not there."""
    old, new = _lines(before), _lines(after)
    lines = [
        f"--- {'/dev/null' if before is None else f'a/{path}'}",
        f"+++ {'/dev/null' if after is None else f'b/{path}'}",
    ]
    added = removed = 0
    for group in _groups(old, new):
        first, last = group[0], group[-1]
        lines.append(f"@@ -{_range(first[1], last[2])} +{_range(first[3], last[4])} @@")
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                lines += _signed(" ", old[old_from:old_to])
                continue
            removed += old_to - old_from
            added += new_to - new_from
            lines += _signed("-", old[old_from:old_to])
            lines += _signed("+", new[new_from:new_to])
    return Difference("\n".join(lines) + "\n", added, removed, max(map(len, lines)))


def _lines(text: str | None) -> list[str]:
    """Return the lines of a text, each with its end; a last one without an end has none."""
    if not text:
        return []
    lines = [f"{line}\n" for line in text.split("\n")]
    last = lines.pop()
    return lines if last == "\n" else [*lines, last[:-1]]


def _signed(sign: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if line.endswith("\n"):
            yield sign + line[:-1]
        else:
            yield sign + line
            yield _NO_END


def _range(start: int, stop: int) -> str:
    count = stop - start
    if count == 1:
        return str(start + 1)
    return f"{start + 1 if count else start},{count}"


def _groups(old: Sequence[str], new: Sequence[str]) -> list[list[_Code]]:
    """Return what differs, with some lines around it."""
    begin = 0
    while begin < min(len(old), len(new)) and old[begin] == new[begin]:
        begin += 1
    end = 0
    while end < min(len(old), len(new)) - begin and old[-1 - end] == new[-1 - end]:
        end += 1
    old_to, new_to = len(old) - end, len(new) - end
    codes: list[_Code] = [("equal", 0, begin, 0, begin)]
    if (old_to - begin) * (new_to - begin) > _MOST_COMPARED:
        codes.append(("replace", begin, old_to, begin, new_to))
    else:
        found = SequenceMatcher(None, old[begin:old_to], new[begin:new_to]).get_opcodes()
        codes += [(tag, a + begin, b + begin, c + begin, d + begin) for tag, a, b, c, d in found]
    codes.append(("equal", old_to, len(old), new_to, len(new)))
    return list(_near_changes([each for each in codes if each[1] < each[2] or each[3] < each[4]]))


def _near_changes(codes: Sequence[_Code]) -> Iterator[list[_Code]]:
    group: list[_Code] = []
    for place, (tag, a, b, c, d) in enumerate(codes):
        if tag != "equal":
            group.append((tag, a, b, c, d))
            continue
        is_first, is_last = place == 0, place == len(codes) - 1
        if not is_first and not is_last and b - a <= 2 * _CONTEXT:
            group.append((tag, a, b, c, d))
            continue
        if not is_first:
            group.append((tag, a, min(b, a + _CONTEXT), c, min(d, c + _CONTEXT)))
            yield group
        group = [] if is_last else [(tag, max(a, b - _CONTEXT), b, max(c, d - _CONTEXT), d)]
    if group:
        yield group
