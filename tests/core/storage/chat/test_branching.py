"""Branching: what the new thread has, what it shares, and that neither thread feels what happens to the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.message import PartType, Status
from chatdesk.core.domain.turn import StreamChunk
from chatdesk.core.errors import MessageInTrash, MessageNotFound, ThreadInTrash, TurnInProgress
from chatdesk.core.ids import new_id
from tests.helpers.bulk_data import load_many
from tests.helpers.checks import integrity_check
from tests.helpers.counters import recounted
from tests.helpers.store import PLAN, Store


async def _only_path(store: Store, thread_id: str) -> list[str]:
    page = await store.messages.page(thread_id, limit=1000)
    parents = [message.parent_id for message in page.messages]
    assert parents == [None, *(message.id for message in page.messages[:-1])]
    assert [message.position for message in page.messages] == list(range(len(page.messages)))
    return [message.text for message in page.messages]


async def test_a_branch_has_the_path_up_to_the_message(store: Store) -> None:
    thread = await store.thread()
    _, first = await store.ask(thread, "one")
    await store.ask(thread, "two")
    before = await store.threads.get(thread)
    branched = await store.paths.branch(first, "Branch")
    assert await _only_path(store, branched.id) == ["one", "answer to one"]
    assert (branched.title, branched.project_id, branched.model) == ("Branch", before.project_id, before.model)
    assert await store.threads.get(thread) == before
    assert await recounted(store.db, branched.id) == branched
    assert await integrity_check(store.db) == []


async def test_other_versions_and_what_is_in_the_trash_stay_behind(store: Store) -> None:
    thread = await store.thread()
    question, answer = await store.ask(thread, "one")
    other, _ = await store.messages.add_answer(question, PLAN)
    await store.answer(other.id, "another answer")
    later, last = await store.ask(thread, "two")
    await store.paths.delete(later, with_later=False)
    branched = await store.paths.branch(last, "Branch")
    assert await _only_path(store, branched.id) == ["one", "another answer", "answer to two"]
    assert (await store.messages.versions(answer))[0].id == answer


async def test_a_branch_outlives_the_thread_it_came_from(store: Store) -> None:
    thread = await store.thread()
    _, answer = await store.ask(thread, "one")
    branched = await store.paths.branch(answer, "Branch")
    await store.library.delete([thread])
    await store.trash.purge_expired(store.clock.now_ms() + 1)
    assert await store.shown(branched.id) == ["one", "answer to one"]
    assert await integrity_check(store.db) == []


async def test_going_on_in_a_branch_leaves_the_old_thread_alone(store: Store) -> None:
    thread = await store.thread()
    question, _, _ = await store.messages.add_question(thread, "one", with_answer=None)
    answer, _ = await store.messages.add_answer(question.id, PLAN)
    await store.answer(answer.id, "half", Status.STOPPED)
    branched = await store.paths.branch(answer.id, "Branch")
    copied = (await store.messages.page(branched.id, limit=10)).messages[-1]
    await store.messages.resume(copied.id, PLAN)
    await store.answer(copied.id, " and whole")
    assert await store.shown(branched.id) == ["one", "half and whole"]
    assert await store.shown(thread) == ["one", "half"]
    assert await integrity_check(store.db) == []


async def test_attachments_are_named_again_and_not_copied(store: Store) -> None:
    thread = await store.thread()
    _, answer = await store.ask(thread, "one")

    def attach(conn: Connection) -> None:
        (part,) = conn.exec_driver_sql("SELECT id FROM message_parts WHERE message_id = ?", (answer,)).one()
        conn.exec_driver_sql(
            "INSERT INTO artifacts (id, part_id, kind, path, mime, size_bytes, sha256)"
            " VALUES (?, ?, 'image', 'ab/cd', 'image/png', 9, 'abcd')",
            (new_id(), part),
        )
        conn.exec_driver_sql("INSERT INTO part_token_counts VALUES (?, 'o200k', 3)", (part,))

    await store.db.write(attach)
    await store.paths.branch(answer, "Branch")

    def rows(conn: Connection) -> list[tuple[object, ...]]:
        found = conn.exec_driver_sql(
            "SELECT m.thread_id = ?, a.path, a.sha256, c.tokens FROM artifacts a"
            " JOIN message_parts p ON p.id = a.part_id JOIN messages m ON m.id = p.message_id"
            " JOIN part_token_counts c ON c.part_id = p.id ORDER BY 1",
            (thread,),
        )
        return [tuple(row) for row in found]

    assert await store.db.read(rows) == [(0, "ab/cd", "abcd", 3), (1, "ab/cd", "abcd", 3)]


async def test_a_start_of_the_context_comes_along_when_its_message_does(store: Store) -> None:
    thread = await store.thread()
    _, first = await store.ask(thread, "one")
    second, last = await store.ask(thread, "two")
    await store.db.write(
        lambda conn: conn.exec_driver_sql("UPDATE threads SET context_from_id = ? WHERE id = ?", (second, thread))
    )
    with_start, without = await store.paths.branch(last, "A"), await store.paths.branch(first, "B")
    starts = await store.db.read(
        lambda conn: [
            conn.exec_driver_sql(
                "SELECT m.position FROM threads t LEFT JOIN messages m ON m.id = t.context_from_id WHERE t.id = ?",
                (branched.id,),
            ).scalar()
            for branched in (with_start, without)
        ]
    )
    assert starts == [2, None]


async def test_the_change_log_hears_of_every_copied_message_once(store: Store) -> None:
    thread = await store.thread()
    _, answer = await store.ask(thread, "one")
    branched = await store.paths.branch(answer, "Branch")
    ids = [message.id for message in (await store.messages.page(branched.id, limit=10)).messages]
    await store.paths.delete(ids[1], with_later=False)
    changes = await store.db.read(
        lambda conn: conn.exec_driver_sql(
            "SELECT entity, op, dseq FROM changes WHERE entity IN (?, ?) ORDER BY dseq", tuple(ids)
        ).all()
    )
    assert [(row[0], row[1]) for row in changes] == [(ids[0], "new"), (ids[1], "new"), (ids[1], "del")]
    assert len({row[2] for row in changes}) == 3


async def test_ten_thousand_messages_branch_whole(store: Store, tmp_path: Path) -> None:
    (thread,) = await load_many(store.db, threads=1, messages_per_thread=10_000)
    last = (await store.messages.page(thread, limit=1)).messages[0]
    branched = await store.paths.branch(last.id, "Branch")
    assert branched.message_count == 10_000
    page = await store.messages.page(branched.id, limit=3, at=5_000)
    assert page.total == 10_000
    assert [message.position for message in page.messages] == [4_999, 5_000, 5_001]


async def test_an_invalid_branch_is_refused_without_a_trace(store: Store) -> None:
    thread = await store.thread()
    question, answer = await store.ask(thread, "one")
    streaming, _ = await store.messages.add_answer(question, PLAN)
    await store.messages.append_chunks(streaming.id, [StreamChunk(0, PartType.TEXT, "x")])
    with pytest.raises(TurnInProgress):
        await store.paths.branch(streaming.id, "Branch")
    with pytest.raises(MessageNotFound):
        await store.paths.branch(new_id(), "Branch")
    await store.paths.delete(answer, with_later=False)
    with pytest.raises(MessageInTrash):
        await store.paths.branch(answer, "Branch")
    await store.library.delete([thread])
    with pytest.raises(ThreadInTrash):
        await store.paths.branch(question, "Branch")
    project = await store.projects.default()
    assert (await store.library.page(ThreadQuery(project_id=project.id), limit=10)).threads == ()
