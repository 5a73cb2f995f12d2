"""However a request ends, the ledger has one line for it, and its day has the same sums."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.clock import Clock
from chatdesk.core.domain.limits import LimitPeriod, LimitScope, LimitUnit, UsageLimit
from chatdesk.core.domain.message import PartType
from chatdesk.core.domain.turn import AnswerPlan, StreamChunk
from chatdesk.core.domain.usage import Usage
from chatdesk.core.errors import ProviderError, ProviderErrorKind
from chatdesk.core.local_days import day_number
from chatdesk.core.providers.base import FinishReason, StreamFinished, TextDelta, UsageReported
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.profile_database import ProfileDatabase
from tests.helpers.chat_world import ChatWorld, chat_world
from tests.helpers.store import MovableClock, Store
from tests.helpers.waiting import until

_COLUMNS = "kind, status, provider, model, input_tokens, cached_tokens, output_tokens, reasoning_tokens, is_estimated"


async def _lines(database: Database) -> list[Any]:
    """Newest last; and each line is in the sums of its day."""

    def work(conn: Any) -> list[Any]:
        rows = conn.exec_driver_sql(
            f"SELECT {_COLUMNS}, latency_ms, time_to_first_token_ms, message_id FROM usage_events ORDER BY rowid"
        ).all()
        days = conn.exec_driver_sql(
            "SELECT sum(requests), sum(input_tokens), sum(output_tokens), min(day) FROM usage_days"
        ).one()
        assert days[0] == len(rows)
        assert days[1] == sum(row.input_tokens for row in rows)
        assert days[2] == sum(row.output_tokens for row in rows)
        return list(rows)

    return await database.read(work)


async def test_an_answer_that_was_counted_by_the_server(world: ChatWorld) -> None:
    usage = UsageReported(Usage(10, 5, 2, 1))
    world.provider.will(TextDelta("ok"), usage, StreamFinished(FinishReason.STOP))
    created = await world.chat.create_thread(None, "", "one")
    await world.answer_of(created)
    (line,) = await _lines(world.database)
    assert tuple(line[:9]) == ("answer", "complete", "scripted", "small", 10, 2, 5, 1, 0)
    assert line.message_id == created.answer.id  # type: ignore[union-attr]
    assert line.latency_ms >= line.time_to_first_token_ms >= 0


async def test_its_times_are_those_of_the_message_however_slow_the_machine(
    world: ChatWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = itertools.count(100.0, 0.25)  # it takes so long from one look at the clock to the next
    monkeypatch.setattr(Clock, "monotonic_s", lambda _clock: next(seconds))
    message: Any = await world.answer_of(await world.chat.create_thread(None, "", "one"))
    (line,) = await _lines(world.database)
    assert (line.latency_ms, line.time_to_first_token_ms) == (message.latency_ms, message.time_to_first_token_ms)


async def test_one_that_was_not_counted_is_estimated(world: ChatWorld) -> None:
    await world.answer_of(await world.chat.create_thread(None, "", "one two three four"))
    (line,) = await _lines(world.database)
    assert line.is_estimated == 1
    assert line.input_tokens > 0
    assert line.output_tokens == 1


async def test_one_that_failed_before_a_word(world: ChatWorld) -> None:
    world.provider.will(ProviderError(ProviderErrorKind.SERVER, "Broken.", next_step="Wait."))
    await world.answer_of(await world.chat.create_thread(None, "", "one"))
    (line,) = await _lines(world.database)
    assert tuple(line[:5]) == ("answer", "error", "scripted", "small", 0)
    assert line.time_to_first_token_ms is None


async def test_one_that_failed_in_the_middle(world: ChatWorld) -> None:
    world.provider.will(
        TextDelta("half an answer"), ProviderError(ProviderErrorKind.RESET, "Lost.", next_step="Again.")
    )
    await world.answer_of(await world.chat.create_thread(None, "", "one"))
    (line,) = await _lines(world.database)
    assert (line.status, line.is_estimated) == ("error", 1)
    assert line.output_tokens > 0


async def test_one_that_was_stopped(world: ChatWorld) -> None:
    world.provider.will(TextDelta("half"), asyncio.Event())
    created = await world.chat.create_thread(None, "", "one")

    async def is_there() -> bool:
        return bool((await world.chat.reader.get_message(created.answer.id)).text)  # type: ignore[union-attr]

    await until(is_there)
    await world.chat.stop(created.thread.id)
    (line,) = await _lines(world.database)
    assert line.status == "stopped"
    assert line.output_tokens == 1


async def test_one_that_a_limit_refused(world: ChatWorld) -> None:
    await world.chat.limits.replace([UsageLimit(LimitScope.ALL, LimitPeriod.DAY, LimitUnit.TOKENS, hard=1)])
    await world.answer_of(await world.chat.create_thread(None, "", "one"))
    (line,) = await _lines(world.database)
    assert tuple(line[:5]) == ("answer", "refused", "scripted", "small", 0)


async def test_one_that_does_not_fit_is_refused(world: ChatWorld) -> None:
    await world.answer_of(await world.chat.create_thread(None, "", "word " * 200_000))
    (line,) = await _lines(world.database)
    assert (line.status, line.input_tokens) == ("refused", 0)


async def test_one_that_is_continued_is_two(world: ChatWorld) -> None:
    world.provider.will(TextDelta("half"), UsageReported(Usage(4, 1)), StreamFinished(FinishReason.LENGTH))
    created = await world.chat.create_thread(None, "", "one")
    answer = await world.answer_of(created)
    world.events.clear()
    world.provider.will(TextDelta(" more"), UsageReported(Usage(5, 2)), StreamFinished(FinishReason.STOP))
    await world.chat.continue_message(answer.id)  # type: ignore[attr-defined]
    await world.answer_of(created)
    assert [line.input_tokens for line in await _lines(world.database)] == [4, 5]


async def test_one_that_the_end_of_the_program_interrupted(tmp_path: Path) -> None:
    async with chat_world(tmp_path) as world:
        world.provider.will(TextDelta("half"), asyncio.Event())
        created = await world.chat.create_thread(None, "", "one")

        async def is_there() -> bool:
            return bool((await world.chat.reader.get_message(created.answer.id)).text)  # type: ignore[union-attr]

        await until(is_there)
    database = ProfileDatabase(tmp_path / "chatdesk.db", clock=Clock(), backup_dir=tmp_path / "backups")
    await database.open()
    try:
        (line,) = await _lines(database)
        assert line.status == "interrupted"
    finally:
        await database.close()


async def test_one_whose_process_died(tmp_path: Path) -> None:
    store = Store(tmp_path / "chatdesk.db", MovableClock())
    await store.db.open()
    thread = await store.thread()
    _question, answer, _thread = await store.messages.add_question(thread, "one", with_answer=AnswerPlan("p", "m"))
    assert answer is not None
    await store.messages.start_streaming(answer.id, store.clock.now_ms())
    await store.messages.append_chunks(answer.id, [StreamChunk(0, PartType.TEXT, "twelve chars")])
    await store.reopen()
    try:
        (line,) = await _lines(store.db)
        assert tuple(line[:9]) == ("answer", "interrupted", "p", "m", 0, 0, 3, 0, 1)
        assert line.message_id == answer.id
        assert day_number(store.clock.now_ms()) > 0
        await store.reopen()
        assert len(await _lines(store.db)) == 1
    finally:
        await store.db.close()
