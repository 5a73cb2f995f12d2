"""Texts of made-up words that are as unevenly common as words are (Zipf's law), made fast enough for a million."""

from __future__ import annotations

import random

_SYLLABLES = [one + two + three for one in "bcdfglmnprst" for two in "aeiou" for three in ("", "n", "r", "s", "l")]
_POOL = 2_000_000


class ZipfTexts:
    """``words`` from the most common on. The same seed gives the same texts in the same order."""

    def __init__(self, *, seed: int = 1, vocabulary: int = 50_000, characters: int = 600) -> None:
        self._random = random.Random(seed)
        self._characters = characters
        self.words = self._make_words(vocabulary)
        weights = [1 / (rank + 5) for rank in range(vocabulary)]
        self._pool = " ".join(self._random.choices(self.words, weights, k=_POOL // 6))

    def text(self, _position: int = 0) -> str:
        """A stretch of about ``characters`` characters, whole words."""
        length = int(self._characters * self._random.uniform(0.5, 1.5))
        start = self._random.randrange(len(self._pool) - length - 40)
        start = self._pool.index(" ", start) + 1
        return self._pool[start : self._pool.index(" ", start + length)]

    def _make_words(self, count: int) -> list[str]:
        words: dict[str, None] = {}
        while len(words) < count:
            words["".join(self._random.choices(_SYLLABLES, k=self._random.choice((1, 2, 2, 3, 3, 4))))] = None
        return list(words)
