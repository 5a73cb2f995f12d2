"""Says which examples a test draws or plays: fewer in `make test`, which draws the same ones each time and plays the
same samples of tables for a day, than in `make test-long`. ``CHATDESK_SAMPLE_DAY=all`` plays tables whole."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from math import ceil
from typing import Any, Final, TypeVar

from hypothesis import settings

T = TypeVar("T")
_ALL = 100  # what the profile of `make test-long` draws where a test names no number
IS_LONG: Final = settings.default.max_examples >= _ALL
DAY: Final = os.environ["CHATDESK_SAMPLE_DAY"]
_WHOLE: Final = IS_LONG or DAY == "all"


def examples(count: int) -> int:
    """Return how many of ``count`` examples are drawn with the profile of this run."""
    return ceil(count * settings.default.max_examples / _ALL)


def sample(cases: Sequence[T], count: int) -> Sequence[T]:
    """Return all ``cases`` where they are wanted whole; else ``count`` of them, which are others the next day: one from
    each part of the sequence, or, of the cells of a table, such that each row and each column is played."""
    if _WHOLE or count >= len(cases):
        return cases
    chance = random.Random(f"{DAY} {len(cases)}")
    if isinstance(cases[0], tuple):
        return _cells(cases, count, chance)
    ends = [number * len(cases) // count for number in range(count + 1)]
    return [cases[chance.randrange(ends[number], ends[number + 1])] for number in range(count)]


def _cells(cases: Sequence[Any], count: int, chance: random.Random) -> Sequence[Any]:
    """Return those first that bring the most values which no other has brought yet."""
    left = {place: {*enumerate(map(repr, case))} for place, case in enumerate(cases)}
    order, unseen, taken = chance.sample(range(len(cases)), len(cases)), set().union(*left.values()), []
    while len(taken) < count:
        best = max((place for place in order if place in left), key=lambda place: len(left[place] & unseen))
        unseen -= left.pop(best)
        taken.append(best)
    return [cases[place] for place in sorted(taken)]
