"""A profile to import into."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.helpers.import_world import ImportWorld, import_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[ImportWorld]:
    async with import_world(tmp_path) as made:
        yield made
