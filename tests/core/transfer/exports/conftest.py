"""A database to export, and its service, which prints nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatdesk.core.transfer.exports.export_service import ExportService
from tests.helpers.store import MovableClock, Store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    made = Store(tmp_path / "data" / "chatdesk.db", MovableClock())
    await made.db.open()
    yield made
    await made.db.close()


@pytest.fixture
def service(store: Store) -> ExportService:
    return ExportService(store.path, store.path.parent / "blobs", store.clock, printing=["false"])
