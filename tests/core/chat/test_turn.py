"""A turn writes down which model answered, also where nobody chose one, and hands shown text to the storage in time,
whatever the pace of the model and of the disk; that is played in simulated time."""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from chatdesk.core.chat.turn import CHECKPOINT_S, Turn
from chatdesk.core.chat.turn_context import TurnContext
from chatdesk.core.domain.message import Message, Role, Status
from chatdesk.core.domain.thread import Thread
from chatdesk.core.domain.turn import StreamChunk, TurnOutcome
from chatdesk.core.errors import StorageFull
from chatdesk.core.events import EventBus, MessageAdded, StorageRecovered, TextStreamed
from chatdesk.core.providers.base import (
    ChatRequest,
    FinishReason,
    ListedModel,
    Provider,
    StreamEvent,
    StreamFinished,
    TextDelta,
)
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.registry import ProviderRegistry
from tests.helpers.chat_world import chat_world
from tests.helpers.fault_server import Exchange, FaultServer, answer, models

_MODEL = "swift-small"
_PIECES = 120
# Rounding of the simulated clock.
_ROUNDING_S = 1e-6


class _JumpingSelector(selectors.SelectSelector):
    """Waits for nothing: the clock of its loop jumps to the next timer."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "the turn waits for something that never comes"
        self.now_s += max(timeout, 0.0)
        return []


class _SimulatedTime(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._selector_of_time = _JumpingSelector()
        super().__init__(self._selector_of_time)

    def time(self) -> float:
        return self._selector_of_time.now_s


class _LoopClock:
    def now_ms(self) -> int:
        return round(self.monotonic_s() * 1000)

    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time()


@dataclass
class _Model:
    """Answers in pieces, ``gaps_s`` apart."""

    gaps_s: Sequence[float]

    async def stream(self, _request: ChatRequest) -> AsyncGenerator[StreamEvent]:
        for number, gap_s in enumerate(self.gaps_s):
            await asyncio.sleep(gap_s)
            yield TextDelta(f"{number} ")
        yield StreamFinished(FinishReason.STOP)


@dataclass
class _SlowStore:
    """Takes ``delay_s`` for each write and refuses some of them."""

    answer: Message
    chance: random.Random
    delay_s: float
    failures: float
    handed_over: list[tuple[float, str]] = field(default_factory=list)
    free_since_s: list[float] = field(default_factory=list)
    tail: str = ""

    async def start_streaming(self, _message_id: str, _started_at: int, *, model: str | None = None) -> Message:
        return replace(self.answer, status=Status.STREAMING, model=model)

    async def append_chunks(self, _message_id: str, chunks: Sequence[StreamChunk]) -> None:
        loop = asyncio.get_running_loop()
        self.handed_over.append((loop.time(), "".join(chunk.text for chunk in chunks)))
        await asyncio.sleep(self.chance.uniform(0, self.delay_s))
        self.free_since_s.append(loop.time())
        if self.chance.random() < self.failures:
            raise StorageFull

    async def finish(self, _message_id: str, outcome: TurnOutcome) -> tuple[Message, Thread]:
        self.tail = "".join(chunk.text for chunk in outcome.tail)
        return replace(self.answer, status=outcome.status), cast("Thread", None)


async def _stream(gaps_s: Sequence[float], store: _SlowStore) -> list[tuple[float, str]]:
    """Run a turn. Returns what was shown, with the times."""
    shown: list[tuple[float, str]] = []
    bus = EventBus()
    bus.subscribe(TextStreamed, lambda event: shown.append((asyncio.get_running_loop().time(), event.delta)))

    async def set_up() -> tuple[Provider, ChatRequest]:
        return cast("Provider", _Model(gaps_s)), ChatRequest("model", ())

    turn = Turn(TurnContext(store, bus, _LoopClock()), answer=store.answer, set_up=set_up)
    await turn.run()
    return shown


def _gaps(pace: str, chance: random.Random) -> list[float]:
    if pace == "steady":
        return [chance.uniform(0.001, 0.02)] * _PIECES
    if pace == "halting":
        return [chance.uniform(0.04, 0.4) for _ in range(_PIECES)]
    return [chance.choice((0.0, 0.0, 0.0, chance.uniform(0, 0.3))) for _ in range(_PIECES)]


@pytest.mark.parametrize("failures", [0.0, 0.2])
@pytest.mark.parametrize("delay_s", [0.0, 0.03, 0.4])
@pytest.mark.parametrize("pace", ["steady", "halting", "bursts"])
def test_shown_text_is_handed_over_in_time(pace: str, delay_s: float, failures: float) -> None:
    for seed in range(5):
        chance = random.Random(f"{pace} {delay_s} {failures} {seed}")
        pending = Message("answer", "thread", None, Role.ASSISTANT, Status.PENDING, 0, 1)
        store = _SlowStore(pending, chance, delay_s, failures)
        gaps_s = _gaps(pace, chance)
        with asyncio.Runner(loop_factory=_SimulatedTime) as runner:
            shown = runner.run(_stream(gaps_s, store))
        assert "".join(text for _, text in shown) == "".join(f"{number} " for number in range(_PIECES))
        for shown_at_s, text in shown:
            handed_at_s = next((at_s for at_s, stored in store.handed_over if text in stored), None)
            if handed_at_s is None:
                assert text in store.tail
            else:
                # What is shown while the storage is busy waits for it, and not for longer than otherwise.
                free_s = max([at_s for at_s in store.free_since_s if at_s <= handed_at_s], default=0.0)
                assert handed_at_s - max(shown_at_s, free_s) <= CHECKPOINT_S + _ROUNDING_S


def test_text_is_not_written_with_every_frame() -> None:
    pending = Message("answer", "thread", None, Role.ASSISTANT, Status.PENDING, 0, 1)
    store = _SlowStore(pending, random.Random(1), 0.0, 0.0)
    with asyncio.Runner(loop_factory=_SimulatedTime) as runner:
        shown = runner.run(_stream([0.01] * _PIECES, store))
    assert 2 * len(store.handed_over) < len(shown)


@dataclass
class _FullStore(_SlowStore):
    """Takes the end of an answer after as many seconds as its id says."""

    async def finish(self, message_id: str, outcome: TurnOutcome) -> tuple[Message, Thread]:
        if asyncio.get_running_loop().time() < float(message_id):
            raise StorageFull
        return replace(self.answer, status=outcome.status), cast("Thread", None)


def test_storing_has_recovered_once_every_answer_is_stored() -> None:
    pending = Message("0", "thread", None, Role.ASSISTANT, Status.PENDING, 0, 1)
    bus = EventBus()
    recovered: list[float] = []
    bus.subscribe(StorageRecovered, lambda _event: recovered.append(asyncio.get_running_loop().time()))

    async def set_up() -> tuple[Provider, ChatRequest]:
        return cast("Provider", _Model([0.1])), ChatRequest("model", ())

    async def run() -> None:
        context = TurnContext(_FullStore(pending, random.Random(1), 0.0, 0.0), bus, _LoopClock())
        turns = [Turn(context, answer=replace(pending, id=str(end_s)), set_up=set_up) for end_s in (1, 60)]
        await asyncio.gather(*(turn.run() for turn in turns))

    with asyncio.Runner(loop_factory=_SimulatedTime) as runner:
        runner.run(run())
    assert len(recovered) == 1
    assert recovered[0] >= 60


async def _chat(exchange: Exchange) -> None:
    await (models(_MODEL) if exchange.request.path.endswith("/models") else answer("Hi"))(exchange)


@pytest.mark.parametrize("comes_meanwhile", [False, True])
async def test_the_first_model_of_the_list_is_named(tmp_path: Path, *, comes_meanwhile: bool) -> None:
    """``comes_meanwhile``: the window reads the list between the question and its request."""
    async with chat_world(tmp_path) as world, FaultServer(_chat) as server:
        provider = OpenAICompatibleProvider("scripted", "Scripted", Endpoint.of(server.base_url, "sk-0123456789"))
        world.chat.use_providers(ProviderRegistry([provider], "scripted", ""))
        if comes_meanwhile:
            world.bus.subscribe(MessageAdded, lambda _: provider.remember_models([ListedModel(_MODEL, _MODEL)]))
        created = await world.chat.create_thread(None, "", "Hello")
        assert created.answer is not None
        assert not created.answer.model
        message: Any = await world.answer_of(created)
        assert (message.status, message.model) == (Status.COMPLETE, _MODEL)
        assert server.requests[-1].json["model"] == _MODEL
        await provider.close()
