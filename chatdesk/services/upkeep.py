"""Runs the maintenance work of an idle window."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from functools import partial

from chatdesk.core.errors import ChatDeskError, StorageError, StorageFull, StorageReadOnly
from chatdesk.core.events import StorageRecovered, ThreadsChanged
from chatdesk.core.storage.sync.files import still_needed
from chatdesk.services.services import Services

# Upkeep reads the whole database: not while a window fills, and then as often as a missed day should be noticed.
_SETTLE_S, _UPKEEP_EVERY_S = 20.0, 3600.0
_TRY_AGAIN_S, _LONGEST_TRY_AGAIN_S = 2.0, 30.0


async def run_upkeep(services: Services, *, settle_s: float = _SETTLE_S) -> AsyncGenerator[ChatDeskError, None]:
    """Do the upkeep of a window: at once the rest of the start; later the missing entries of the search index, and then
    once a day the check and the backup. Yields errors that a person must see; ends if the database cannot be
    written."""
    if services.read_only_reason is not None and not await _write_again(services):
        return
    services.titles.follow()
    if await services.team_is_joined():
        await (await services.load_team()).start()
    if services.service_switch is not None and (problem := (await services.service_switch.obey()).problem) is not None:
        yield problem
    await services.questions.load()
    await services.chat.queue.resume()
    await services.providers.prepare()
    await purge_trash(services)
    await services.database.reserve_ballast()
    await services.knowledge.start()
    await asyncio.sleep(settle_s)
    while True:
        await services.chat.context.models.fetch_lists()
        await purge_trash(services)
        try:
            await services.search.fill()
        except StorageError as error:
            yield error
        await services.attachments.remove_unnamed(named_elsewhere=partial(_named_elsewhere, services))
        report = await services.maintenance.run_due()
        if report.problem is not None:
            yield report.problem
        services.attachments.read_soon()
        await services.search.wait_for_work(_UPKEEP_EVERY_S)


async def _write_again(services: Services) -> bool:
    """Retry until a database that could only be read can be written, as when a full disk has room again. Returns False
    where that will not happen: another process writes here, or the cause does not pass."""
    wait_s = _TRY_AGAIN_S
    while not services.has_other_owner and isinstance(services.read_only_reason, StorageFull | StorageReadOnly):
        await asyncio.sleep(wait_s)
        if services.lock.acquire() and await services.database.write_again():
            await services.search.read_afresh()
            if services.listen is not None:
                await services.listen()
            services.events.publish(ThreadsChanged(None))
            services.events.publish(StorageRecovered())
            return True
        wait_s = min(_LONGEST_TRY_AGAIN_S, 2 * wait_s)
    return False


async def _named_elsewhere(services: Services) -> set[str]:
    """Return attached files that backups refer to, or that wait to be sent to a team."""
    return await services.backups.named_files() | await services.database.read(still_needed)


async def purge_trash(services: Services) -> int:
    """Delete for good the trash that is older than the setting; before that, if a setting says so, move old archived
    threads there."""
    if services.database.is_read_only:
        return 0
    return await services.library.trash.sweep(
        trash_days=services.settings.trash_days, archive_days=services.settings.archive_days
    )
