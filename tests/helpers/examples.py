"""Says how many examples a test draws or plays: fewer in `make test`, which plays the same ones each time, than in
`make test-long`."""

from __future__ import annotations

from math import ceil

from hypothesis import settings

_ALL = 100  # what the profile of `make test-long` draws where a test names no number


def examples(count: int) -> int:
    """Return how many of ``count`` examples are drawn with the profile of this run."""
    return ceil(count * settings.default.max_examples / _ALL)
