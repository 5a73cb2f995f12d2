"""Cuts code into lines that can be painted one by one, so that of a long card only the visible lines are painted.

Very long lines are cut too: Qt lays a line out as a whole, and a line of a megabyte is a real thing in model output.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import Any

from chatdesk.core.rendering.blocks import CodeRun

LINE_LIMIT = 2_000


class CodeLines:
    """The text of a code card, the start of each shown line, and the colour runs in each line.

    Lines longer than ``limit`` characters are shown as several.
    """

    def __init__(self, text: str = "", runs: tuple[CodeRun, ...] = (), *, limit: int = LINE_LIMIT) -> None:
        self.text = ""
        self.limit = limit
        self._starts: list[int] = [0]
        self._ends: list[int] = [0]
        self._run_kinds: list[str] = []
        self._run_starts: list[int] = []
        self.longest = 0
        self.replace(text, runs)

    def __len__(self) -> int:
        return len(self._starts)

    def line(self, index: int) -> str:
        return self.text[self._starts[index] : self._ends[index]]

    def start(self, index: int) -> int:
        return self._starts[index]

    def end(self, index: int) -> int:
        return self._ends[index]

    def line_of(self, offset: int) -> int:
        return max(0, bisect_right(self._starts, offset) - 1)

    @property
    def source_count(self) -> int:
        """The number of lines of the text, before long ones are cut."""
        return self.text.count("\n") + 1

    def tone(self, index: int) -> str:
        """Return ``inserted`` or ``deleted`` for such a line of a diff, and an empty string for any other line."""
        runs = self.runs_in(index)
        return runs[0][2] if runs and runs[0][0] == 0 and runs[0][2] in ("inserted", "deleted") else ""

    def replace(self, text: str, runs: tuple[CodeRun, ...]) -> int:
        """Set the text and its colours, and return the first line that changed; appending costs only the new text."""
        first = 0
        if self.text and text.startswith(self.text):
            first = len(self._starts) - 1
            # The last line may have been cut for its length: begin again where its own line begins.
            while first and self._ends[first - 1] == self._starts[first]:
                first -= 1
        self._cut(text, first)
        # Without new runs the old ones stay: colours arrive after the text, and must not go out in between.
        if runs or not text.startswith(self.text):
            kinds, starts = [run.kind for run in runs], list(accumulate((run.length for run in runs), initial=0))
            first = min(first, self.line_of(self._first_other_colour(kinds, starts)))
            self._run_kinds, self._run_starts = kinds, starts
        self.text = text
        return first

    def runs_in(self, index: int) -> list[tuple[int, int, str]]:
        """Return the colour runs of a line as (start, length, kind), with offsets in the line."""
        if not self._run_starts:
            return []
        begin, end = self._starts[index], self._ends[index]
        found = []
        place = max(0, bisect_right(self._run_starts, begin) - 1)
        while place < len(self._run_kinds) and self._run_starts[place] < end:
            low, high = max(begin, self._run_starts[place]), min(end, self._run_starts[place + 1])
            if high > low and self._run_kinds[place] != "plain":
                found.append((low - begin, high - low, self._run_kinds[place]))
            place += 1
        return found

    def _first_other_colour(self, kinds: list[str], starts: list[int]) -> int:
        """Return the first character that these runs may colour otherwise than the runs before."""
        alike = min(_common_length(self._run_kinds, kinds), _common_length(self._run_starts, starts))
        ends = (each[alike] if alike < len(each) else 0 for each in (self._run_starts, starts))
        return min(ends)

    def _cut(self, text: str, first: int) -> None:
        begin = self._starts[first] if first else 0
        del self._starts[first:], self._ends[first:]
        if not first:
            self.longest = 0
        for line in text[begin:].split("\n"):
            length = len(line)
            place = begin
            while place + self.limit < begin + length:
                self._add(place, place + self.limit)
                place += self.limit
            self._add(place, begin + length)
            begin += length + 1

    def _add(self, start: int, end: int) -> None:
        self._starts.append(start)
        self._ends.append(end)
        self.longest = max(self.longest, end - start)


def _common_length(one: list[Any], other: list[Any]) -> int:
    """Return how many leading items are equal.

    Slices are compared, because a card has thousands of runs and changes every frame.
    """
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
