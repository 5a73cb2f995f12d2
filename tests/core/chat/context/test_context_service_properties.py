"""For any sequence of questions, edits, deletions, switches, marks and summaries, on a real database: what is kept in
memory says the same as what is read again, and every message of the path is explained.
"""

from __future__ import annotations

import asyncio
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatdesk.core.chat.context.context_service import ContextService
from chatdesk.core.clock import Clock
from chatdesk.core.context.catalogue import Figures, ModelCatalogue
from chatdesk.core.context.model_data import ModelData
from chatdesk.core.context.tokens import TokenCounter
from chatdesk.core.domain.context import Reason
from chatdesk.core.domain.message import ContextMark
from chatdesk.core.domain.summary import NewSummary, SummaryAuthor
from chatdesk.core.errors import ChatDeskError, DoesNotFit
from chatdesk.core.events import EventBus, PromptsChanged
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.repositories import Repositories
from tests.helpers.chat_world import ChatWorld, chat_world
from tests.helpers.examples import examples

_STEPS = (
    "ask",
    "ask",
    "ask",
    "edit",
    "regenerate",
    "delete",
    "delete later",
    "restore",
    "switch",
    "pin",
    "exclude",
    "free",
    "start",
    "start over",
    "summarise",
    "look",
)


def _context(repositories: Repositories, providers: ProviderRegistry, bus: EventBus, window: int) -> ContextService:
    catalogue = ModelCatalogue({})
    catalogue.add_listed("scripted", "small", Figures(window, 20))
    return ContextService(
        repositories=repositories,
        providers=providers,
        bus=bus,
        data=ModelData(catalogue, TokenCounter(Path("/nowhere"))),
        clock=Clock(),
    )


class Player:
    """Carries out steps in one thread; ``pick`` chooses among the messages that ever were."""

    def __init__(self, world: ChatWorld, thread: str) -> None:
        self.world = world
        self.thread = thread
        self.known: list[str] = []

    async def step(self, name: str, pick: int) -> None:
        chat, context = self.world.chat, self.world.chat.context
        some = self.known[pick % len(self.known)] if self.known else None
        if name == "ask" or some is None:
            await self._asked(await chat.send_message(self.thread, f"question {len(self.known)}"))
        elif name == "edit":
            await self._asked(await chat.edit_message(some, f"edited {pick}"))
        elif name == "regenerate":
            answer = await chat.regenerate_response(some)
            await self.world.finished(answer.id)
            self.known.append(answer.id)
        elif name in ("delete", "delete later"):
            await chat.paths.delete_message(some, with_later=name == "delete later")
        elif name == "restore":
            await chat.paths.restore_message(some)
        elif name == "switch":
            await chat.paths.select_version(some)
        elif name in ("pin", "exclude", "free"):
            mark = {"pin": ContextMark.PINNED, "exclude": ContextMark.EXCLUDED}.get(name, ContextMark.NONE)
            await context.steering.mark_message(some, mark)
        elif name in ("start", "start over"):
            await context.steering.start_at(self.thread, some if name == "start" else None)
        elif name == "summarise":
            shown = (await chat.reader.get_thread_messages(self.thread, at=0)).messages
            if not shown:
                return
            summary = NewSummary(self.thread, shown[0].id, some, "short", 2, SummaryAuthor.PERSON)
            await self.world.repositories.summaries.add(summary)
        else:
            await context.totals(self.thread)

    async def _asked(self, sent: Any) -> None:
        await self.world.answer_of(sent)
        self.known += [sent.question.id, sent.answer.id]


async def _play(directory: Path, steps: list[tuple[str, int]], window: int) -> None:
    async with chat_world(directory, make_context=partial(_context, window=window)) as world:
        player = Player(world, (await world.chat.create_thread(None, "Any")).thread.id)
        for name, pick in steps:
            try:
                await player.step(name, pick)
            except ChatDeskError:
                continue  # what is not possible changes nothing
        kept, anew = (
            world.chat.context,
            _context(world.repositories, ProviderRegistry([world.provider], "scripted", "small"), EventBus(), window),
        )
        # Summaries are stored beside the service here, so it has not heard of them.
        world.bus.publish(PromptsChanged())
        try:
            await _compare(player, kept, anew)
        finally:
            await anew.close()


async def _compare(player: Player, kept: ContextService, anew: ContextService) -> None:
    try:
        entries = (await kept.entries(player.thread, 0, 500)).entries
    except DoesNotFit:
        assert (await anew.report(player.thread)).problem
        return
    report = await kept.report(player.thread)
    assert report == await anew.report(player.thread)
    assert entries == (await anew.entries(player.thread, 0, 500)).entries
    shown = (await player.world.chat.reader.get_thread_messages(player.thread, 500)).messages
    assert [entry.message_id for entry in entries] == [message.id for message in shown]
    reasons = [entry.reason for entry in entries]
    assert {reason: reasons.count(reason) for reason in Reason} == dict(report.counts)
    assert report.totals.used <= report.totals.window - report.totals.reserved + 1


@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.sampled_from(_STEPS), st.integers(0, 1_000)), min_size=3, max_size=16),
    st.sampled_from([80, 200, 4_000]),
)
def test_what_is_kept_in_memory_says_what_the_database_says(steps: list[tuple[str, int]], window: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_play(Path(folder), steps, window))
