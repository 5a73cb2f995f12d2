"""The index holds what the texts say: after any change, a kill, damage, and while it is being filled."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.message import PartType, Status
from chatdesk.core.domain.search import IndexState, SearchKind
from chatdesk.core.domain.turn import StreamChunk, TurnOutcome
from chatdesk.core.storage.engine import search_index, search_schema
from chatdesk.core.storage.engine.connection import driver, open_to_write
from tests.core.search.conftest import SearchWorld
from tests.helpers.damage import damage as damage_file
from tests.helpers.examples import examples
from tests.helpers.make_old_database import MIGRATIONS, make
from tests.helpers.store import PLAN, MovableClock


def _driver(conn: Connection) -> sqlite3.Connection:
    raw = conn.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


async def _numbers(world: SearchWorld) -> list[tuple[str, int | None]]:
    return await world.db.read(
        lambda conn: [(row[0], row[1]) for row in conn.exec_driver_sql("SELECT id, search_n FROM messages ORDER BY id")]
    )


async def _meta(world: SearchWorld) -> list[str]:
    return await world.db.read(
        lambda conn: [
            row[0] for row in conn.exec_driver_sql("SELECT key FROM meta WHERE key LIKE 'search.%' ORDER BY key")
        ]
    )


async def _waiting(world: SearchWorld) -> int:
    return await world.db.read(
        lambda conn: sum(
            int(conn.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one())
            for name in ("search_queue", "search_removed", "search_backlog")
        )
    )


async def test_a_streamed_answer_is_indexed_once_at_its_end(world: SearchWorld) -> None:
    thread = await world.thread()
    _, answer, _ = await world.messages.add_question(thread, "why", with_answer=PLAN)
    assert answer is not None
    await world.messages.start_streaming(answer.id, 1)
    for piece in ("heron ", "and ", "stork"):
        await world.messages.append_chunks(answer.id, [StreamChunk(0, PartType.TEXT, piece)])
        assert await world.found("heron") == []
    assert await _waiting(world) == 0
    await world.messages.finish(answer.id, TurnOutcome(Status.COMPLETE, 2))
    assert await world.found("heron stork") == ["heron and stork"]
    assert await world.faults() == []


async def test_a_continued_answer_has_its_new_words_and_the_old(world: SearchWorld) -> None:
    thread = await world.thread()
    _, answer, _ = await world.messages.add_question(thread, "why", with_answer=PLAN)
    assert answer is not None
    await world.answer(answer.id, "heron", Status.STOPPED)
    await world.messages.resume(answer.id, PLAN)
    assert await world.found("heron") == ["heron"]
    await world.messages.start_streaming(answer.id, 1)
    await world.messages.append_chunks(
        answer.id, [StreamChunk(0, PartType.TEXT, " gull"), StreamChunk(1, PartType.TEXT, "stork")]
    )
    assert await world.faults() == []
    await world.messages.finish(answer.id, TurnOutcome(Status.COMPLETE, 2))
    assert await world.found("heron gull stork") == ["heron gull stork"]
    assert await world.faults() == []


async def test_an_interrupted_turn_is_found_after_the_start_that_recovers_it(world: SearchWorld) -> None:
    thread = await world.thread()
    _, answer, _ = await world.messages.add_question(thread, "why", with_answer=PLAN)
    assert answer is not None
    await world.messages.start_streaming(answer.id, 1)
    await world.messages.append_chunks(answer.id, [StreamChunk(0, PartType.TEXT, "heron at dawn")])
    await world.db.write(lambda conn: conn.exec_driver_sql("UPDATE messages SET owner_pid_token = '1:1:gone'"))
    await world.search.close()
    await world.reopen()
    assert await world.found("heron") == ["heron at dawn"]
    assert await world.faults() == []


async def test_a_branch_is_found_beside_its_source(world: SearchWorld) -> None:
    thread = await world.thread()
    _, answer = await world.ask(thread, "heron")
    await world.paths.branch(answer, "Branched")
    assert len(await world.found("heron")) == 4
    numbers = [n for _, n in await _numbers(world)]
    assert len(set(numbers)) == 4
    assert await world.faults() == []


async def test_reasoning_and_tools_are_not_indexed(world: SearchWorld) -> None:
    thread = await world.thread()
    _, answer, _ = await world.messages.add_question(thread, "why", with_answer=PLAN)
    assert answer is not None
    await world.messages.start_streaming(answer.id, 1)
    await world.messages.append_chunks(
        answer.id, [StreamChunk(0, PartType.REASONING, "pondering"), StreamChunk(1, PartType.TEXT, "heron")]
    )
    await world.messages.finish(answer.id, TurnOutcome(Status.COMPLETE, 2))
    assert await world.found("pondering") == []
    assert await world.found("heron") == ["heron"]


async def test_damaged_json_costs_its_words_and_nothing_else(world: SearchWorld) -> None:
    thread = await world.thread()
    question, _ = await world.ask(thread, "heron")
    await world.db.write(
        lambda conn: conn.exec_driver_sql("UPDATE message_parts SET content = '{' WHERE message_id = ?", (question,))
    )
    assert await world.found("heron") == ["answer to heron"]
    await world.ask(thread, "stork")
    assert await world.faults() == []


async def test_a_foreign_writer_is_caught_up_with_at_the_next_write(world: SearchWorld) -> None:
    """Triggers note what any program changes; the words come with the next change of ours."""
    thread = await world.thread()
    question, _ = await world.ask(thread, "heron")
    with closing(sqlite3.connect(world.path, isolation_level=None)) as conn:
        conn.execute('UPDATE message_parts SET content = \'{"text":"stork"}\' WHERE message_id = ?', (question,))
        conn.execute("INSERT OR REPLACE INTO artifact_texts (sha256, text, extracted_at) VALUES ('a', 'one', 1)")
        conn.execute("INSERT OR REPLACE INTO artifact_texts (sha256, text, extracted_at) VALUES ('a', 'two', 1)")
    assert await _waiting(world) > 0
    await world.thread("Another")
    assert await world.found("stork") == ["stork"]
    assert await world.found("heron") == ["answer to heron"]
    assert await world.faults() == []


async def test_compacting_the_database_changes_nothing(world: SearchWorld) -> None:
    thread = await world.thread("Heron")
    await world.ask(thread, "heron one")
    await world.ask(thread, "heron two")
    with closing(sqlite3.connect(world.path, isolation_level=None)) as conn:
        conn.execute("VACUUM")
    assert len(await world.found("heron")) == 4
    assert await world.titles("heron") == ["Heron"]
    assert await world.faults() == []


def _make_unindexed(path: Path) -> None:
    """A database of the first version with this index, which is empty."""
    make(path, "0015")
    with open_to_write(path) as conn, conn.begin():
        search_index.rebuild(driver(conn))


@pytest.fixture
async def old_world(tmp_path: Path, clock: MovableClock) -> AsyncIterator[SearchWorld]:
    """A database that was just upgraded."""
    path = tmp_path / "data" / "chatdesk.db"
    path.parent.mkdir()
    _make_unindexed(path)
    made = SearchWorld(path, clock)
    await made.db.open()
    yield made
    await made.close()


async def test_an_upgraded_database_is_filled_in_the_background(
    old_world: SearchWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "BATCH", 7)
    monkeypatch.setattr(search_index.fill_batch, "__defaults__", (7,))
    state = await old_world.search.state()
    assert state.percent < 100
    assert not state.is_whole
    await old_world.ask(await old_world.thread(), "message heron")  # writing goes on in the meantime
    group = (await old_world.groups("heron"))[SearchKind.MESSAGE]
    assert group.count == 2
    assert group.note is not None
    assert "still being indexed" in group.note
    told: list[int] = []
    await old_world.search.fill(told.append, pause=0)
    assert told == sorted(told)
    assert len(told) > 4
    assert await old_world.search.state() == IndexState(100)
    group = (await old_world.groups("message"))[SearchKind.MESSAGE]
    assert (group.count, group.note) == (32, None)
    assert sorted(await old_world.titles("thread")) == ["A thread", "Thread 0", "Thread 1", "Thread 2"]
    assert await old_world.faults() == []
    assert await _meta(old_world) == []
    # Newer messages have higher numbers, also among those that were there before.
    numbers = await _numbers(old_world)
    assert [n for _, n in numbers if n is not None] == sorted(n for _, n in numbers if n is not None)
    told.clear()
    await old_world.search.fill(told.append)
    assert told == []


async def test_filling_that_was_cut_off_goes_on(old_world: SearchWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_index.fill_batch, "__defaults__", (7,))
    for _ in range(3):
        await old_world.store.fill_batch()
    await old_world.search.close()
    await old_world.reopen()
    # What changes before its turn comes is indexed once.
    page = await old_world.library.page(ThreadQuery(), limit=10)
    await old_world.threads.rename(page.threads[0].id, "Renamed heron")
    await old_world.search.fill(pause=0)
    assert (await old_world.groups("message"))[SearchKind.MESSAGE].count == 30
    assert await old_world.titles("heron") == ["Renamed heron"]
    assert await old_world.faults() == []


async def test_a_rebuild_finds_everything_again_whatever_happens_meanwhile(
    world: SearchWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index.fill_batch, "__defaults__", (5,))
    thread, doomed = await world.thread("Heron"), await world.thread("Doomed")
    pairs = [await world.ask(thread, f"heron {number}") for number in range(10)]
    await world.ask(doomed, "heron doomed")
    await world.rebuild()
    assert (await world.search.state()).percent < 100
    for _ in range(2):
        await world.store.fill_batch()
    await world.ask(thread, "heron later")
    await world.db.write(
        lambda conn: conn.exec_driver_sql(
            'UPDATE message_parts SET content = \'{"text":"stork"}\' WHERE message_id IN (?, ?)',
            (pairs[0][0], pairs[9][0]),
        )
    )
    await world.library.delete([doomed])
    await world.trash.purge_expired(world.clock.now + 1)
    await world.search.fill(pause=0)
    assert (await world.groups("heron", limit=99))[SearchKind.MESSAGE].count == 20
    assert (await world.groups("stork"))[SearchKind.MESSAGE].count == 2
    assert await world.titles("heron") == ["Heron"]
    assert await world.faults() == []
    assert await _waiting(world) == 0


async def test_what_is_written_while_the_index_is_made_anew_is_indexed_once(world: SearchWorld) -> None:
    """Even where the message with the highest number has gone since, whose number is free again."""
    doomed, thread = await world.thread("Doomed"), await world.thread("Heron")
    await world.ask(thread, "heron one")
    await world.ask(doomed, "stork")
    await world.rebuild()
    await world.library.delete([doomed])
    await world.trash.purge_expired(world.clock.now + 1)
    await world.ask(thread, "heron two")
    await world.search.fill(pause=0)
    assert (await world.groups("heron"))[SearchKind.MESSAGE].count == 4
    assert await world.faults() == []


@pytest.mark.parametrize(
    "damage",
    [
        ("SET block = x'00' WHERE id > 1", "SET block = x'ffffffffff' WHERE id = 10"),
        # What is written only when the words in memory go to the disk is met then.
        ("SET block = x'00' WHERE id <= 10",),
    ],
)
async def test_a_damaged_index_never_blocks_writing_and_is_made_anew(
    world: SearchWorld, damage: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    thread = await world.thread("Heron")
    await world.ask(thread, "heron one")
    for change in damage:
        damage_file(world.db.path, f"UPDATE search_index_data {change}")
    # A fresh connection, which has nothing of the index in memory.
    await world.search.close()
    await world.reopen()
    for number in range(3):
        await world.ask(thread, f"heron {number + 2}")
    assert len(await world.shown(thread)) == 8
    assert "search.damaged" in await _meta(world)
    group = (await world.groups("heron"))[SearchKind.MESSAGE]
    assert group.hits == ()
    assert group.note is not None
    assert "being rebuilt" in group.note
    assert (await world.search.state()).problem is not None
    assert await world.faults() != []
    await world.search.wait_for_work(5)
    await world.search.fill(pause=0)
    assert (await world.groups("heron"))[SearchKind.MESSAGE].count == 8
    assert await world.titles("heron") == ["Heron"]
    assert await world.faults() == []


async def test_damage_that_a_search_meets_is_told_and_mended(
    world: SearchWorld, caplog: pytest.LogCaptureFixture
) -> None:
    thread = await world.thread()
    await world.ask(thread, "heron one")
    with closing(sqlite3.connect(world.path, isolation_level=None)) as conn:
        conn.execute("DROP TABLE search_index_idx")
    group = (await world.groups("heron"))[SearchKind.MESSAGE]
    assert group.note is not None
    assert "damaged" in group.note
    await world.search.fill(pause=0)
    assert len(await world.found("heron")) == 2
    assert await world.faults() == []


async def test_waiting_for_work_ends_with_the_time(world: SearchWorld) -> None:
    await world.search.wait_for_work(0.01)


async def test_check_finds_words_that_are_not_in_the_texts(world: SearchWorld) -> None:
    await world.ask(await world.thread(), "heron")
    await world.db.write(
        lambda conn: conn.exec_driver_sql("INSERT INTO search_index (rowid, text) VALUES (1, 'stray')")
    )
    assert await world.faults() == ["the words in search_index are not those of the texts"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("work", ["fill", "rebuild"])
async def test_a_kill_at_any_statement_loses_and_doubles_nothing(
    tmp_path: Path, clock: MovableClock, work: str
) -> None:
    """Killed before every seventh statement in `make test`, before every third in `make test-long`."""
    original = tmp_path / "original.db"
    _make_unindexed(original)
    first = SearchWorld(original, clock)
    await first.db.open()
    if work == "rebuild":
        await first.search.fill(pause=0)
    await first.close()
    for number in range(0, 60, 60 // examples(20)):
        path = tmp_path / f"{work}-{number}.db"
        path.write_bytes(original.read_bytes())
        _kill_at(path, number, work)
        world = SearchWorld(path, clock)
        await world.db.open()
        try:
            await world.search.fill(pause=0)
            assert (await world.groups("message"))[SearchKind.MESSAGE].count == 30, number
            assert len(await world.titles("thread")) == 3
            assert await world.faults() == []
        finally:
            await world.close()


def _kill_at(path: Path, number: int, work: str) -> None:
    """Fill in a child process that is gone before its ``number``-th statement."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:
        from chatdesk.core.storage.engine import search_text

        left = number

        def count(_statement: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                os._exit(9)

        conn = sqlite3.connect(path, isolation_level=None)
        search_text.register(conn)
        conn.set_trace_callback(count)
        if work == "rebuild":
            conn.execute("BEGIN IMMEDIATE")
            search_index.rebuild(conn)
            conn.execute("COMMIT")
        percent: int | None = 0
        while percent is not None:
            conn.execute("BEGIN IMMEDIATE")
            percent = search_index.fill_batch(conn, 4)
            conn.execute("COMMIT")
    finally:
        os._exit(0)


def test_the_migration_makes_the_schema_of_the_code(tmp_path: Path) -> None:
    from chatdesk.core.storage.engine import schema_upgrade

    schema_upgrade.migrate(tmp_path / "migrated.db", MIGRATIONS)
    with closing(sqlite3.connect(tmp_path / "migrated.db")) as conn:
        made = {
            row[0]
            for row in conn.execute(
                "SELECT sql FROM sqlite_master WHERE type IN ('view', 'trigger') OR sql LIKE 'CREATE VIRTUAL%'"
            )
        }
    assert made == set(search_schema.STATEMENTS)
