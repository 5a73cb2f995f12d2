"""Says how many examples a test draws or plays: fewer in `make test`, which plays the same ones each time, than in
`make test-long`."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TypeVar

from hypothesis import settings

T = TypeVar("T")
_ALL = 100  # what the profile of `make test-long` draws where a test names no number


def examples(count: int) -> int:
    """Return how many of ``count`` examples are drawn with the profile of this run."""
    return ceil(count * settings.default.max_examples / _ALL)


def sample(cases: Sequence[T], count: int) -> Sequence[T]:
    """Return all ``cases`` in `make test-long`; else ``count`` of them, from all parts of the sequence."""
    return cases if settings.default.max_examples >= _ALL else cases[:: max(1, len(cases) // count)]
