"""Builds what the summariser works with on its own thread, and closes it there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from chatdesk.core.clock import Clock
from chatdesk.core.context.catalogue import ModelCatalogue
from chatdesk.core.context.summariser import Allow, Keep, NoteFailed, Summariser
from chatdesk.core.context.summary_prompt import read_prompt
from chatdesk.core.context.summary_worker import OpenSummariser
from chatdesk.core.context.tokens import TokenCounter
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.chat.context_store import ContextRepository
from chatdesk.core.storage.profile_database import ProfileDatabase


def summariser_opener(
    database: Path,
    *,
    backup_dir: Path,
    build_providers: Callable[[], ProviderRegistry],
    catalogue: ModelCatalogue,
    counter: TokenCounter,
    clock: Clock,
    resources: Path,
) -> OpenSummariser:
    """Return a function that opens a summariser. Providers are built for the worker's loop, because their connections
    belong to one; the database is only read."""

    @asynccontextmanager
    async def opened(keep: Keep, note_failed: NoteFailed, allow: Allow) -> AsyncIterator[Summariser]:
        reading = ProfileDatabase(database, clock=clock, backup_dir=backup_dir, read_only=True)
        await reading.open()
        providers = build_providers()
        try:
            yield Summariser(
                ContextRepository(reading),
                find_provider=providers.get,
                catalogue=catalogue,
                counter=counter,
                clock=clock,
                prompt=read_prompt(resources),
                keep=keep,
                note_failed=note_failed,
                allow=allow,
            )
        finally:
            await providers.close()
            await reading.close()

    return opened
