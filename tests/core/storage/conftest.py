"""A real database in a temporary directory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.helpers.store import MovableClock, Store


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def store(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Store]:
    made = Store(tmp_path / "data" / "chatdesk.db", clock)
    await made.db.open()
    yield made
    await made.db.close()
