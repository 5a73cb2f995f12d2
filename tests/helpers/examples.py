"""Says how many examples a test draws or plays: fewer in `make test`, which plays the same ones all day, than in
`make test-long`."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from math import ceil
from typing import Final, TypeVar

from hypothesis import settings

T = TypeVar("T")
_ALL = 100  # what the profile of `make test-long` draws where a test names no number
IS_LONG: Final = settings.default.max_examples >= _ALL
#: The day whose samples are played; ``tests/conftest.py`` names it in the head of each run.
DAY: Final = int(os.environ.get("CHATDESK_TEST_DAY", "0"))


def examples(count: int) -> int:
    """Return how many of ``count`` examples are drawn with the profile of this run."""
    return ceil(count * settings.default.max_examples / _ALL)


def sample(cases: Sequence[T], count: int) -> Sequence[T]:
    """Return all ``cases`` in `make test-long`; else ``count`` of them, one from each part of the sequence and another
    each day."""
    if IS_LONG or count >= len(cases):
        return cases
    chance, ends = random.Random(f"{DAY} {len(cases)}"), [number * len(cases) // count for number in range(count + 1)]
    return [cases[chance.randrange(ends[number], ends[number + 1])] for number in range(count)]
