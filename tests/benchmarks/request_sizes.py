"""Writes the table of request sizes in ``docs/summaries.md``: ``python -m tests.benchmarks.request_sizes``.

The offline model both answers and summarises, so the figures are the same on every machine.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from chatdesk.core.chat.context.context_service import ContextService
from chatdesk.core.chat.context.summary_service import SummaryMaking
from chatdesk.core.clock import Clock
from chatdesk.core.context.catalogue import ModelCatalogue
from chatdesk.core.context.model_data import ModelData
from chatdesk.core.context.options import ContextOptions
from chatdesk.core.context.summary_setup import summariser_opener
from chatdesk.core.context.tokens import TokenCounter
from chatdesk.core.domain.context import ContextReport, Reason
from chatdesk.core.domain.summary import ConsentLimits, SummaryStage
from chatdesk.core.events import EventBus, SummaryWorkChanged
from chatdesk.core.paths import encodings_dir, resources_dir
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.profile_database import ProfileDatabase
from chatdesk.core.storage.repositories import Repositories
from tests.benchmarks.processes import ROOT
from tests.helpers.bulk_data import load_many
from tests.helpers.registries import build_registry

_BEGIN, _END = "<!-- request sizes -->\n", "<!-- end of request sizes -->"
_LONGEST_CHAIN_S = 300
_NO_LIMIT = ConsentLimits(cost_usd=0, tokens=0)  # nobody is here to be asked
_COUNTS = (100, 1_000, 10_000)
_HEAD = (
    "| messages | tokens of all | without: tokens sent | messages sent | left out"
    " | with: tokens sent | messages sent | summarised | left out |\n" + "|--:" * 9 + "|\n"
)


def _text(position: int) -> str:
    who = ("Alice", "Bob", "Carol")[position % 3]
    return (
        f"{position}: {who} says the export of part {position % 41} took {position * 7 % 113} s. "
        + "The rest of the message is ordinary prose that nobody has to remember later on. " * 4
    )


async def _measure(folder: Path) -> list[str]:
    database = ProfileDatabase(folder / "chatdesk.db", clock=Clock(), backup_dir=folder / "backups")
    await database.open()
    bus, repositories, providers = EventBus(), Repositories.of(database), _offline()
    catalogue = ModelCatalogue.of_files(resources_dir() / "models.json")
    counter = TokenCounter(encodings_dir())
    context = ContextService(
        repositories=repositories,
        providers=providers,
        bus=bus,
        data=ModelData(catalogue, counter),
        clock=Clock(),
        making=SummaryMaking(
            summariser_opener(
                database.path,
                backup_dir=folder / "backups",
                build_providers=_offline,
                data=ModelData(catalogue, counter),
                clock=Clock(),
                resources=resources_dir(),
            )
        ),
    )
    try:
        return [await _row(database, context, bus, count) for count in _COUNTS]
    finally:
        await context.close()
        await providers.close()
        await database.close()


async def _row(database: Database, context: ContextService, bus: EventBus, count: int) -> str:
    (thread,) = await load_many(database, threads=1, messages_per_thread=count, text_of=_text)
    await Repositories.of(database).threads.set_model(thread, "offline", "offline-demo")
    context.use_options(ContextOptions(has_summaries=False))
    without = await context.report(thread)
    context.use_options(ContextOptions(summary_consent=_NO_LIMIT))
    if without.totals.share >= ContextOptions().summary_share:
        await _summarise(context, bus, thread)
    return _written(count, without, await context.report(thread))


async def _summarise(context: ContextService, bus: EventBus, thread: str) -> None:
    """Have the whole chain of summaries made. A chain that ends otherwise has no figures."""
    ended: asyncio.Future[SummaryStage] = asyncio.get_running_loop().create_future()

    def on_work(event: SummaryWorkChanged) -> None:
        if event.work.stage is not SummaryStage.WORKING and not ended.done():
            ended.set_result(event.work.stage)

    subscription = bus.subscribe(SummaryWorkChanged, on_work)
    try:
        await context.redo_summary(thread)
        stage = await asyncio.wait_for(ended, _LONGEST_CHAIN_S)
    finally:
        subscription.cancel()
    if stage is not SummaryStage.MADE:
        raise RuntimeError(f"the summaries of {thread} are {stage}, not made")


def _written(count: int, without: ContextReport, with_it: ContextReport) -> str:
    every = sum(len(_text(position)) for position in range(count)) // 4
    cells = [
        count,
        every,
        without.totals.used,
        without.counts[Reason.SENT],
        without.counts[Reason.DID_NOT_FIT],
        with_it.totals.used,
        with_it.counts[Reason.SENT],
        with_it.counts[Reason.SUMMARISED],
        with_it.counts[Reason.DID_NOT_FIT],
    ]
    return "| " + " | ".join(f"{cell:,}" for cell in cells) + " |\n"


def _offline() -> ProviderRegistry:
    return build_registry(openai_api_key=None, openai_base_url=None, model=None, offline_speed=None)


def main() -> None:
    document = ROOT / "docs" / "summaries.md"
    with tempfile.TemporaryDirectory(prefix="chatdesk-sizes-") as folder:
        rows = asyncio.run(_measure(Path(folder)))
    text = document.read_text("utf-8")
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    document.write_text(f"{before}{_BEGIN}{_HEAD}{''.join(rows)}{_END}{after}", "utf-8")


if __name__ == "__main__":
    main()
