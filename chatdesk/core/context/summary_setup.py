"""Builds the objects of the summariser on its own thread, and closes them there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from chatdesk.core.clock import Clock
from chatdesk.core.context.model_data import ModelData
from chatdesk.core.context.summariser import Summariser, SummaryOwner
from chatdesk.core.context.summary_prompt import read_prompt
from chatdesk.core.context.summary_worker import OpenSummariser
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.chat.context_store import ContextRepository
from chatdesk.core.storage.profile_database import ProfileDatabase


def summariser_opener(
    database: Path,
    *,
    backup_dir: Path,
    build_providers: Callable[[], ProviderRegistry],
    data: ModelData,
    clock: Clock,
    resources: Path,
) -> OpenSummariser:
    """Return a function that opens a summariser. Providers are built for the worker's loop, because their connections
    belong to one; the database is only read."""

    @asynccontextmanager
    async def opened(owner: SummaryOwner) -> AsyncIterator[Summariser]:
        reading = ProfileDatabase(database, clock=clock, backup_dir=backup_dir, read_only=True)
        await reading.open()
        providers = build_providers()
        try:
            yield Summariser(
                ContextRepository(reading),
                find_provider=providers.get,
                data=data,
                clock=clock,
                prompt=read_prompt(resources),
                owner=owner,
            )
        finally:
            await providers.close()
            await reading.close()

    return opened
