"""Heights of many things with their sums in logarithmic time (a Fenwick tree), and a guess of a text's height."""

from __future__ import annotations

import math
from collections.abc import Iterable


class HeightTree:
    """A list of heights: ``prefix(i)`` is their sum before place ``i``, and ``find(y)`` is its inverse."""

    def __init__(self, heights: Iterable[float] = ()) -> None:
        self._heights = list(heights)
        self._sums = [0.0, *self._heights]
        count = len(self._heights)
        for index in range(1, count + 1):
            parent = index + (index & -index)
            if parent <= count:
                self._sums[parent] += self._sums[index]

    def __len__(self) -> int:
        return len(self._heights)

    @property
    def total(self) -> float:
        return self.prefix(len(self._heights))

    def height(self, place: int) -> float:
        return self._heights[place]

    def set(self, place: int, height: float) -> None:
        change = height - self._heights[place]
        self._heights[place] = height
        index = place + 1
        while change and index <= len(self._heights):
            self._sums[index] += change
            index += index & -index

    def append(self, height: float) -> None:
        """Add one place at the end, without rebuilding the sums."""
        index = len(self._heights) + 1
        covered = self.prefix(index - 1) - self.prefix(index - (index & -index))
        self._heights.append(height)
        self._sums.append(covered + height)

    def prefix(self, place: int) -> float:
        index = min(place, len(self._heights))
        result = 0.0
        while index > 0:
            result += self._sums[index]
            index &= index - 1
        return result

    def find(self, y: float) -> int:
        """Return the place that covers ``y``; the first or last one when ``y`` is outside."""
        count = len(self._heights)
        index, step = 0, 1 << max(0, count.bit_length())
        while step:
            following = index + step
            if following <= count and self._sums[following] <= y:
                y -= self._sums[following]
                index = following
            step >>= 1
        return max(0, min(index, count - 1))


def guess_text_height(text: str, *, width: float, char_width: float, line_height: float) -> float:
    """Guess the height of ``text`` before its layout, from its line breaks and the wraps its length makes likely."""
    per_line = max(8, int(width / char_width))
    if len(text) > 4 * per_line * 200:  # far outside any window: one division is good enough
        return (text.count("\n") + math.ceil(len(text) / per_line)) * line_height
    lines = sum(max(1, math.ceil(len(line) / per_line)) for line in text.split("\n"))
    return lines * line_height
