"""Records that a person asks the server to end shares, for as long as its answer is open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.sync import sharing


@asynccontextmanager
async def recorded_wish(database: Database, record: Callable[[Any], None]) -> AsyncIterator[None]:
    """Record the wish before the server is asked inside the block. If that fails, perhaps only the server's answer was
    lost: the wish counts until the server names the project again."""
    await database.write(record)
    try:
        yield
    except BaseException:
        await database.write(sharing.doubt_wishes)
        raise
