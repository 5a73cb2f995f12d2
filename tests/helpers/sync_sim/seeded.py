"""Chance and time of one history, all from its seed, so that a seed tells the same story again."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from chatdesk.core import ids

START_MS = 1_800_000_000_000


class WorldTime:
    """The true time of a history, which only its steps move."""

    def __init__(self) -> None:
        self.ms = START_MS

    def now_ms(self) -> int:
        return self.ms


class SkewedClock:
    """A computer's clock: ``skew_ms`` from the true one, and never twice the same moment."""

    def __init__(self, time: WorldTime, skew_ms: int = 0) -> None:
        self.time = time
        self.skew_ms = skew_ms

    def now_ms(self) -> int:
        return self.time.ms + self.skew_ms

    def monotonic_s(self) -> float:
        return self.time.ms / 1000


class _Uuids:
    """Stands in for the library that makes ids: version 7, in the order of making, from the seed."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._count = 0

    def uuid7(self) -> uuid.UUID:
        self._count += 1
        return uuid.UUID(
            int=(START_MS + self._count) << 80
            | 7 << 76
            | self._rng.getrandbits(12) << 64
            | 2 << 62
            | self._rng.getrandbits(62)
        )

    def uuid4(self) -> uuid.UUID:
        return uuid.UUID(int=self._rng.getrandbits(128), version=4)


@contextmanager
def seeded_ids(seed: int) -> Iterator[None]:
    """Ids made in the meantime are those of ``seed``."""
    with mock.patch.object(ids, "uuid_utils", _Uuids(random.Random(f"ids {seed}"))):
        yield
