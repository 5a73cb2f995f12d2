"""Heights of every message of a thread, known or guessed, with sums in logarithmic time.

A Fenwick tree over the positions of the shown path. Positions nobody has measured hold a common guess, which is not
stored message by message, so that opening a thread of 100,000 costs two flat lists.
"""

from __future__ import annotations

import math


class HeightTree:
    """``prefix(i)`` is the sum of the heights before position ``i``; ``find(y)`` its inverse."""

    def __init__(self, count: int = 0, *, guess: float = 120.0) -> None:
        self._guess = guess
        self._known: dict[int, float] = {}
        self._count = 0
        # Sums of (known - guess): an untouched position adds nothing, so a new tree is all zeros.
        self._sums: list[float] = [0.0]
        self.resize(count)

    def __len__(self) -> int:
        return self._count

    @property
    def total(self) -> float:
        return self.prefix(self._count)

    def height(self, position: int) -> float:
        return self._known.get(position, self._guess)

    def set(self, position: int, height: float) -> None:
        change = height - self._known.get(position, self._guess)
        self._known[position] = height
        if change:
            self._add(position, change)

    def prefix(self, position: int) -> float:
        index = min(position, self._count)
        result = index * self._guess
        sums = self._sums
        while index > 0:
            result += sums[index]
            index &= index - 1
        return result

    def find(self, y: float) -> int:
        """The position that covers ``y``; the first or last one when ``y`` is outside."""
        index, step = 0, 1 << max(0, self._count.bit_length())
        sums = self._sums
        while step:
            following = index + step
            if following <= self._count:
                part = sums[following] + step * self._guess
                if part <= y:
                    y -= part
                    index = following
            step >>= 1
        return max(0, min(index, self._count - 1))

    def resize(self, count: int) -> None:
        """Grow or shrink at the end; what is known of the rest stays."""
        if count == self._count:
            return
        if count < self._count:
            self._known = {place: height for place, height in self._known.items() if place < count}
        self._count = count
        self._rebuild()

    def append(self, height: float) -> None:
        """One more position at the end, without rebuilding the sums."""
        index = self._count + 1
        before = self.prefix(self._count) - self.prefix(index - (index & -index))
        covered = (index & -index) - 1
        self._sums.append(before - covered * self._guess + height - self._guess)
        self._count = index
        self._known[index - 1] = height

    def forget(self, first: int) -> None:
        """What is known from ``first`` on is a guess again."""
        self._known = {place: height for place, height in self._known.items() if place < first}
        self._rebuild()

    def learn_guess(self) -> None:
        """Use the mean of the known heights as the guess for the others."""
        values = [height for height in self._known.values() if height > 0]
        if values:
            self._guess = sum(values) / len(values)
            self._rebuild()

    def _add(self, position: int, change: float) -> None:
        index = position + 1
        while index <= self._count:
            self._sums[index] += change
            index += index & -index

    def _rebuild(self) -> None:
        sums = [0.0] * (self._count + 1)
        for position, height in self._known.items():
            sums[position + 1] = height - self._guess
        if self._known:
            for index in range(1, self._count + 1):
                parent = index + (index & -index)
                if parent <= self._count:
                    sums[parent] += sums[index]
        self._sums = sums


def guess_text_height(text: str, *, width: float, char_width: float, line_height: float) -> float:
    """Height of ``text`` before it is laid out: its lines plus the wraps that its length makes likely."""
    per_line = max(8, int(width / char_width))
    if len(text) > 4 * per_line * 200:  # far outside any window: one division is good enough
        return (text.count("\n") + math.ceil(len(text) / per_line)) * line_height
    lines = sum(max(1, math.ceil(len(line) / per_line)) for line in text.split("\n"))
    return lines * line_height
