"""How late the loop of the window is, at rest and while a long thread is summarised: prints both as JSON."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from pathlib import Path

from chatdesk.core.chat.context.context_service import ContextService
from chatdesk.core.chat.context.summary_service import SummaryMaking
from chatdesk.core.clock import Clock
from chatdesk.core.context.catalogue import ModelCatalogue
from chatdesk.core.context.model_data import ModelData
from chatdesk.core.context.summary_setup import summariser_opener
from chatdesk.core.context.tokens import TokenCounter
from chatdesk.core.events import EventBus
from chatdesk.core.paths import encodings_dir, resources_dir
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.profile_database import ProfileDatabase
from chatdesk.core.storage.repositories import Repositories
from tests.helpers.bulk_data import load_many
from tests.helpers.registries import build_registry

_TICK_S = 0.001


async def main(path: Path, messages: int, seconds: float) -> None:
    database = ProfileDatabase(path, clock=Clock(), backup_dir=path.parent / "backups")
    await database.open()
    (thread,) = await load_many(database, threads=1, messages_per_thread=messages)
    repositories, providers = Repositories.of(database), _paced()
    await repositories.threads.set_model(thread, "offline", "offline-demo")
    catalogue = ModelCatalogue.of_files(resources_dir() / "models.json")
    counter = TokenCounter(encodings_dir())
    context = ContextService(
        repositories=repositories,
        providers=providers,
        bus=EventBus(),
        data=ModelData(catalogue, counter),
        clock=Clock(),
        making=SummaryMaking(
            summariser_opener(
                path,
                backup_dir=path.parent / "backups",
                build_providers=_paced,
                data=ModelData(catalogue, counter),
                clock=Clock(),
                resources=resources_dir(),
            )
        ),
    )
    at_rest = await _lateness(seconds)
    await context.redo_summary(thread)
    busy = await _lateness(seconds)
    await context.close()
    await providers.close()
    await database.close()
    print(json.dumps({"rest_ms": at_rest, "busy_ms": busy}))


async def _lateness(seconds: float) -> float:
    """The 99th of a hundred ticks, in milliseconds late."""
    late: list[float] = []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        await asyncio.sleep(_TICK_S)
        late.append(time.perf_counter() - began - _TICK_S)
    return sorted(late)[int(len(late) * 0.99)] * 1000


def _paced() -> ProviderRegistry:
    """As fast as a good server writes."""
    return build_registry(openai_api_key=None, openai_base_url=None, model=None, offline_speed=60.0)


if __name__ == "__main__":
    gc.disable()  # as in the window
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
