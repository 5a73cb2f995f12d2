"""Importing: once, twice, newer, stopped, into what a person has changed in the meantime."""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack

import pytest

from chatdesk.core.domain.imported import ImportedProject, ImportOutcome, ImportProgress
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.errors import ImportRefused, NotPossible, StorageError
from chatdesk.core.storage.search.store import SearchStore
from chatdesk.core.storage.transfer.importing import ImportRepository
from chatdesk.core.system.thread_turns import SHORT_S, short_turns
from chatdesk.core.transfer.imports.import_service import ImportService
from tests.helpers.checks import search_faults
from tests.helpers.damage import damage
from tests.helpers.export_samples import (
    START_S,
    chatgpt,
    claude,
    claude_message,
    large_chatgpt,
    node,
    plain_chatgpt,
    write_json,
)
from tests.helpers.import_world import EXTENDED, NEW, UNCHANGED, ImportWorld, outcomes


def _branched(*more: object, current: str = "a2") -> dict[str, object]:
    nodes = [
        node("root", None),
        node("q", "root", "user", "How?", at=START_S),
        node("a1", "q", "assistant", "First answer", at=START_S + 10),
        node("a2", "q", "assistant", "Second answer", at=START_S + 20),
        *more,
    ]
    return chatgpt("c1", nodes, current=current)  # type: ignore[arg-type]


async def test_threads_come_with_their_order_times_versions_and_models(world: ImportWorld) -> None:
    report = await world.bring([plain_chatgpt("one", 3), _branched()])
    await world.check()
    assert outcomes(report) == {"Chat one": NEW, "A chat": NEW}
    assert report.source == "ChatGPT"
    assert report.messages == 9
    threads = await world.threads()
    shown = await world.shown(threads["Chat one"])
    assert [message.text.split()[0:2] for message in shown] == [
        [word, str(number)] for number in range(3) for word in ("question", "answer")
    ]
    assert [message.created_at for message in shown][:2] == [START_S * 1000, (START_S + 5) * 1000]
    assert [message.model for message in shown][:2] == [None, "gpt-4o"]
    branched = await world.shown(threads["A chat"])
    assert [message.text for message in branched] == ["How?", "Second answer"]
    assert (branched[1].version_index, branched[1].version_count) == (2, 2)


async def test_threads_go_into_a_project_named_by_the_program_or_by_the_person(world: ImportWorld) -> None:
    await world.bring([plain_chatgpt("one", 1)])
    await world.bring([plain_chatgpt("two", 1)], project="My old chats")
    await world.bring([plain_chatgpt("three", 1)])
    projects = {project.id: project.name for project in await world.store.projects.list()}
    assert sorted(projects.values()) == ["ChatGPT", "My old chats", "Personal"]
    page = await world.store.library.page(ThreadQuery(), limit=10)
    assert {thread.title: projects[thread.project_id] for thread in page.threads} == {
        "Chat one": "ChatGPT",
        "Chat two": "My old chats",
        "Chat three": "ChatGPT",
    }


async def test_a_second_import_adds_nothing(world: ImportWorld) -> None:
    value = [plain_chatgpt("one", 3), _branched(), claude("c", [claude_message("m", "human", "Hi")])]
    await world.bring(value)
    before = [await world.all_rows(table) for table in ("threads", "messages", "message_parts", "changes", "tags")]
    report = await world.bring(value)
    assert set(outcomes(report).values()) == {UNCHANGED}
    assert report.messages == 0
    assert before == [
        await world.all_rows(table) for table in ("threads", "messages", "message_parts", "changes", "tags")
    ]


async def test_a_newer_export_adds_what_is_new_and_the_path_goes_on(world: ImportWorld) -> None:
    await world.bring([plain_chatgpt("one", 2), plain_chatgpt("same", 1)])
    report = await world.bring([plain_chatgpt("one", 4), plain_chatgpt("same", 1)])
    await world.check()
    assert outcomes(report) == {"Chat one": EXTENDED, "Chat same": UNCHANGED}
    assert report.messages == 4
    shown = await world.shown((await world.threads())["Chat one"])
    assert [message.text for message in shown][-1] == "answer 3 words"
    assert len(shown) == 8


async def test_a_new_version_is_added_beside_and_does_not_take_the_readers_place(world: ImportWorld) -> None:
    await world.bring([_branched()])
    thread_id = (await world.threads())["A chat"]
    more = (
        node("a3", "q", "assistant", "Third answer", at=START_S + 30),
        node("q2", "a3", "user", "And then?", at=START_S + 40),
    )
    await world.bring([_branched(*more, current="q2")])
    await world.check()
    shown = await world.shown(thread_id)
    assert [message.text for message in shown] == ["How?", "Second answer"]
    assert (shown[1].version_index, shown[1].version_count) == (2, 3)


async def test_what_a_person_wrote_meanwhile_stays_the_path(world: ImportWorld) -> None:
    await world.bring([plain_chatgpt("one", 1)])
    thread_id = (await world.threads())["Chat one"]
    await world.store.ask(thread_id, "my own question")
    await world.bring([plain_chatgpt("one", 3)])
    await world.check()
    texts = [message.text for message in await world.shown(thread_id)]
    assert texts == ["question 0 words", "answer 0 words", "my own question", "answer to my own question"]
    assert (await world.store.threads.get(thread_id)).message_count == 8


async def test_a_turn_that_was_cut_short_goes_on_in_a_newer_export(world: ImportWorld) -> None:
    def turn(*steps: object) -> list[object]:
        nodes = [
            node("q", None, "user", "Count", at=START_S),
            node(
                "call",
                "q",
                "assistant",
                content={"content_type": "code", "text": "1+1"},
                recipient="python",
                at=START_S,
            ),
            *steps,
        ]
        return [chatgpt("c", nodes)]  # type: ignore[arg-type]

    await world.bring(turn())
    more = (
        node("out", "call", "tool", content={"content_type": "execution_output", "text": "2"}, name="python"),
        node("a", "out", "assistant", "It is two", at=START_S + 9),
        node("q2", "a", "user", "Thanks", at=START_S + 20),
    )
    await world.bring(turn(*more))
    await world.check()
    shown = await world.shown((await world.threads())["A chat"])
    assert [message.text for message in shown] == ["Count", "", "It is two", "Thanks"]
    report = await world.bring(turn(*more))
    assert set(outcomes(report).values()) == {UNCHANGED}


async def test_a_title_of_the_persons_stays_and_one_of_the_vendors_is_followed(world: ImportWorld) -> None:
    await world.bring([plain_chatgpt("one", 1), plain_chatgpt("two", 1)])
    mine = (await world.threads())["Chat one"]
    await world.store.threads.rename(mine, "Mine")
    report = await world.bring([plain_chatgpt("one", 1, title="New one"), plain_chatgpt("two", 1, title="New two")])
    assert sorted(await world.threads()) == ["Mine", "New two"]
    assert report.messages == 0
    await world.check()


async def test_what_is_in_the_trash_stays_there_and_is_told(world: ImportWorld) -> None:
    await world.bring([plain_chatgpt("one", 1)])
    thread_id = (await world.threads())["Chat one"]
    await world.store.library.delete([thread_id])
    report = await world.bring([plain_chatgpt("one", 2)])
    assert [line.outcome for line in report.lines] == [ImportOutcome.IN_TRASH]
    assert "trash" in report.lines[0].reason
    assert await world.threads() == {}
    await world.store.library.restore([thread_id])
    assert (await world.bring([plain_chatgpt("one", 2)])).messages == 2
    await world.check()


async def test_messages_deleted_for_good_are_not_imported_again(world: ImportWorld) -> None:
    await world.bring([plain_chatgpt("one", 1), plain_chatgpt("two", 2)])
    threads = await world.threads()
    await world.store.library.delete([threads["Chat one"]])
    last = (await world.shown(threads["Chat two"]))[-1]
    await world.store.paths.delete(last.id, with_later=False)
    await world.store.trash.purge_expired(world.store.clock.now_ms() + 1)
    report = await world.bring([plain_chatgpt("one", 1), plain_chatgpt("two", 3)])
    await world.check()
    assert [line.outcome for line in report.lines] == [ImportOutcome.DELETED, ImportOutcome.EXTENDED]
    assert sorted(await world.threads()) == ["Chat two"]
    texts = [message.text for message in await world.shown(threads["Chat two"])]
    assert "answer 1 words" not in texts
    assert texts[-1] == "answer 2 words"


async def test_a_thread_that_stands_in_the_file_twice_is_one_thread(world: ImportWorld) -> None:
    report = await world.bring([plain_chatgpt("one", 1), plain_chatgpt("one", 2), plain_chatgpt("one", 1)])
    await world.check()
    assert [line.outcome for line in report.lines] == [
        ImportOutcome.NEW,
        ImportOutcome.EXTENDED,
        ImportOutcome.EXTENDED if report.lines[2].messages else ImportOutcome.UNCHANGED,
    ]
    assert len(await world.shown((await world.threads())["Chat one"])) == 4


async def test_a_dry_run_tells_and_changes_nothing(world: ImportWorld) -> None:
    report = await world.bring([plain_chatgpt("one", 2)], is_dry_run=True)
    assert report.is_dry_run
    assert report.messages == 4
    assert report.summary.startswith("Would import 1 new thread")
    assert await world.threads() == {}
    assert len(await world.store.projects.list()) == 1


async def test_progress_is_told_and_grows(world: ImportWorld) -> None:
    told: list[ImportProgress] = []
    path = large_chatgpt(world.folder / "large.json", threads=40, messages=100)
    await world.service.run(path, on_progress=told.append)
    assert told[-1].threads == 40
    assert told[-1].messages == 4000
    assert told[-1].done_bytes == told[-1].total_bytes == path.stat().st_size
    assert [progress.done_bytes for progress in told] == sorted(progress.done_bytes for progress in told)


async def test_sync_that_begins_during_an_import_keeps_its_short_turns_after_it(world: ImportWorld) -> None:
    before_s, told_s = sys.getswitchinterval(), []
    path = write_json(world.folder / "one.json", [plain_chatgpt("one", 1)])
    with ExitStack() as sync:

        def begin(_progress: ImportProgress) -> None:
            told_s.append(sys.getswitchinterval())
            sync.enter_context(short_turns())

        await world.service.run(path, on_progress=begin)
        assert told_s
        assert [*told_s, sys.getswitchinterval()] == pytest.approx([SHORT_S] * (len(told_s) + 1))
    assert sys.getswitchinterval() == before_s


async def test_stopping_keeps_what_is_whole_and_a_second_run_goes_on(world: ImportWorld) -> None:
    path = large_chatgpt(world.folder / "large.json", threads=60, messages=100)
    report = await world.service.run(path, on_progress=lambda _progress: world.service.stop())
    assert not report.is_whole
    assert "stopped" in report.summary
    assert 0 < len(await world.threads()) < 60
    await world.check()
    assert (await world.service.run(path)).is_whole
    assert len(await world.threads()) == 60
    assert (await world.service.run(path)).counts[ImportOutcome.UNCHANGED] == 60
    await world.check()


async def test_an_import_that_is_cancelled_with_its_task_leaves_nothing_behind(world: ImportWorld) -> None:
    path = large_chatgpt(world.folder / "large.json", threads=60, messages=100)
    begun = asyncio.Event()
    task = asyncio.ensure_future(world.service.run(path, on_progress=lambda _progress: begun.set()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not world.service.is_running
    await world.check()
    await world.service.run(path)
    assert len(await world.threads()) == 60


async def test_one_import_at_a_time(world: ImportWorld) -> None:
    path = write_json(world.folder / "one.json", [plain_chatgpt("one", 1)])
    first = asyncio.ensure_future(world.service.run(path))
    await asyncio.sleep(0)
    with pytest.raises(NotPossible):
        await world.service.run(path)
    await first


async def test_a_long_thread_goes_over_several_steps(world: ImportWorld) -> None:
    report = await world.bring([plain_chatgpt("long", 300)])
    await world.check()
    assert report.messages == 600
    assert (await world.store.messages.page((await world.threads())["Chat long"], limit=10)).total == 600


async def test_a_thread_deleted_while_it_comes_is_left_in_the_trash(world: ImportWorld) -> None:
    await world.bring([plain_chatgpt("one", 1)])
    thread_id = (await world.threads())["Chat one"]
    repository = world.repository
    look_up = repository.look_up

    async def look_up_and_delete(threads: object) -> object:
        found = await look_up(threads)  # type: ignore[arg-type]
        await world.store.library.delete([thread_id])
        return found

    repository.look_up = look_up_and_delete  # type: ignore[method-assign, assignment]
    await world.bring([plain_chatgpt("one", 5)])
    assert (await world.store.threads.get(thread_id)).message_count == 2
    repository.look_up = look_up  # type: ignore[method-assign]
    await world.store.library.restore([thread_id])
    assert (await world.bring([plain_chatgpt("one", 5)])).messages == 8
    await world.check()


async def test_a_database_that_fails_says_so_and_the_next_run_goes_on(
    world: ImportWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = large_chatgpt(world.folder / "large.json", threads=40, messages=100)
    write = world.repository.write
    count = 0

    async def failing(steps: object) -> int:
        nonlocal count
        count += 1
        if count == 3:
            raise StorageError
        return await write(steps)  # type: ignore[arg-type]

    monkeypatch.setattr(world.repository, "write", failing)
    with pytest.raises(StorageError):
        await world.service.run(path)
    await world.check()
    monkeypatch.undo()
    await world.service.run(path)
    assert len(await world.threads()) == 40
    await world.check()


async def test_what_is_imported_is_found_in_every_script_and_of_every_length(world: ImportWorld) -> None:
    texts = ["", "Crème brûlée", "東京の天気", "word " * 300_000, "\0 and \ud83d"]
    await world.bring([plain_chatgpt(f"{place}", 2, text=text) for place, text in enumerate(texts)])
    await world.check()
    numbers = await world.store.db.read(
        lambda conn: [
            row[0]
            for row in conn.exec_driver_sql("SELECT search_n FROM messages WHERE search_n IS NOT NULL ORDER BY id")
        ]
    )
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert numbers


@pytest.mark.parametrize("is_met_by_import", [True, False])
async def test_a_damaged_index_does_not_stop_an_import_and_finds_it_later(
    world: ImportWorld, is_met_by_import: bool
) -> None:
    await world.bring([plain_chatgpt("one", 3)], "first.json")
    index = SearchStore(world.store.db)
    if is_met_by_import:
        damage(world.store.path, "UPDATE search_index_data SET block = x'00' WHERE id <= 10")
        await world.store.reopen()
        world.service = ImportService(ImportRepository(world.store.db), world.blobs, world.store.clock, world.bus)
        index = SearchStore(world.store.db)
    else:
        await index.mark_damaged()
    report = await world.bring([plain_chatgpt("two", 300)])
    assert report.messages == 600
    assert await search_faults(world.store.db) != []
    while await index.fill_batch() is not None:
        pass
    await world.check()


@pytest.mark.parametrize("value", [[], {}, [1, 2, 3], [{"a": 1}], {"conversations": []}, [[]], [None]])
async def test_a_file_with_nothing_known_in_it_is_refused(world: ImportWorld, value: object) -> None:
    with pytest.raises(ImportRefused):
        await world.bring(value)
    assert await world.threads() == {}


async def test_the_report_says_line_by_line_what_happened(world: ImportWorld) -> None:
    broken = chatgpt("empty", [node("root", None)], title="Nothing in it")
    report = await world.bring([plain_chatgpt("one", 1), broken, {"chat_messages": "no"}, plain_chatgpt("two", 1)])
    lines = report.texts()
    assert lines[0] == "Imported 2 new threads with 4 messages. 1 entry was skipped."
    assert "new: Chat one (2 messages)" in lines
    assert "skipped: Nothing in it (It contains no messages.)" in lines
    data = report.as_data()
    assert data["counts"]["new"] == 2
    assert data["lines"][0]["thread_id"] == (await world.threads())["Chat one"]


async def test_the_rows_of_an_import_are_like_those_of_a_conversation(world: ImportWorld) -> None:
    """Every column that chatting fills is filled alike, and each table gets as many rows."""
    own = await world.store.thread("By hand")
    await world.store.ask(own, "question 0 words")
    await world.bring([plain_chatgpt("one", 1)])
    imported = (await world.threads())["Chat one"]

    def columns(conn: object, thread_id: str) -> list[dict[str, object]]:
        rows = conn.exec_driver_sql(  # type: ignore[attr-defined]
            "SELECT * FROM messages WHERE thread_id = ? ORDER BY position", (thread_id,)
        ).mappings()
        return [{name: value is None or type(value).__name__ for name, value in row.items()} for row in rows]

    by_hand = await world.store.db.read(lambda conn: columns(conn, own))
    brought = await world.store.db.read(lambda conn: columns(conn, imported))
    free = {"provider", "model", "latency_ms", "time_to_first_token_ms", "error", "error_type", "error_details"}
    free |= {"prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens", "reasoning_tokens", "finish_reason"}
    for one, other in zip(by_hand, brought, strict=True):
        assert {name for name in one if one[name] != other[name]} <= free
    sizes = await world.store.db.read(
        lambda conn: conn.exec_driver_sql(
            "SELECT count(DISTINCT char_count || ',' || line_count) FROM messages WHERE role = 'user'"
        ).scalar()
    )
    assert sizes == 1


async def test_of_two_projects_of_one_name_the_chosen_one_is_meant(world: ImportWorld) -> None:
    first, second = [await world.store.projects.create("Garden") for _ in range(2)]
    for number, project in enumerate((second, first)):
        wanted = ImportedProject(project.id, project.name)
        report = await world.bring([plain_chatgpt(f"chat {number}", 1)], project=wanted)
        assert report.project_ids == {project.id}
    threads = await world.threads()
    found = [(await world.store.threads.get(each)).project_id for each in threads.values()]
    assert sorted(found) == sorted([first.id, second.id])


async def test_reading_pauses_for_waiting_writers_but_not_for_ever(
    world: ImportWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [True, True, True, False]  # somebody waits, and then is served
    asked = 0

    def is_waited_for(_repository: ImportRepository) -> bool:
        nonlocal asked
        asked += 1
        return answers.pop(0) if answers else False

    monkeypatch.setattr(ImportRepository, "is_waited_for", property(is_waited_for))
    await world.bring([plain_chatgpt("one", 1)])
    served_after = asked
    assert not answers
    await world.bring([plain_chatgpt("two", 1)])
    assert served_after > asked - served_after  # it looked again until nobody waited
    monkeypatch.setattr(ImportRepository, "is_waited_for", property(lambda _repository: True))
    assert (await world.bring([plain_chatgpt("three", 1)])).messages == 2
    await world.check()
