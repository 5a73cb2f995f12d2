"""Says how many examples a test draws or plays: fewer in `make test`, which plays the same ones each time, than in
`make test-long`."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import ceil
from typing import Final, TypeVar

from hypothesis import settings

T = TypeVar("T")
_ALL = 100  # what the profile of `make test-long` draws where a test names no number
IS_LONG: Final = settings.default.max_examples >= _ALL


def examples(count: int) -> int:
    """Return how many of ``count`` examples are drawn with the profile of this run."""
    return ceil(count * settings.default.max_examples / _ALL)


def sample(cases: Sequence[T], count: int) -> Sequence[T]:
    """Return all ``cases`` in `make test-long`; else ``count`` of them, one from each part of the sequence."""
    if IS_LONG or count >= len(cases):
        return cases
    chance, ends = random.Random(len(cases)), [number * len(cases) // count for number in range(count + 1)]
    return [cases[chance.randrange(ends[number], ends[number + 1])] for number in range(count)]
