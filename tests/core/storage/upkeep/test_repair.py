"""Check and Repair: what is found, what is repaired, what is said, and what is read out of a damaged file."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.thread import NEW_DRAFT
from chatdesk.core.errors import StorageCorrupt
from chatdesk.core.storage.chat.waiting import WaitingRepository
from chatdesk.core.storage.chat.waiting_questions import WaitingQuestionRepository
from chatdesk.core.storage.engine import pending_restore, search_schema
from chatdesk.core.storage.sync import setup, team
from chatdesk.core.storage.upkeep.db_check import Kind
from chatdesk.core.storage.upkeep.repair import COMES_AGAIN, RECOVERED_TITLE, RepairService
from chatdesk.core.storage.upkeep.salvage import salvage
from tests.helpers.checks import integrity_check
from tests.helpers.damage import damage
from tests.helpers.hostile_backups import Hostile, all_of_them
from tests.helpers.store import Store


def _service(store: Store) -> RepairService:
    return RepairService(store.db, store.path.parent / "blobs")


async def _run(store: Store, *statements: str) -> None:
    """Straight into the file, as nothing of ours would."""
    await store.db.close()
    with closing(sqlite3.connect(store.path, isolation_level=None)) as conn:
        for statement in statements:
            conn.execute(statement)
    store.reset()
    await store.db.open()


async def test_a_sound_database_has_nothing_to_mend(store: Store) -> None:
    await store.ask(await store.thread())
    assert await _service(store).check() == []
    report = await _service(store).repair()
    assert report.lines == ("Nothing was wrong.",)
    assert report.kept is None


async def test_counters_and_ends_are_counted_afresh(store: Store) -> None:
    thread, other = await store.thread(), await store.thread()
    await store.ask(thread)
    await store.ask(other)
    before = await store.threads.get(thread)
    await store.db.write(
        lambda conn: conn.exec_driver_sql(
            "UPDATE threads SET message_count = 99, total_input_tokens = 1, tool_counts = '{\"x\":3}',"
            " current_leaf_id = NULL WHERE id = ?",
            (thread,),
        )
    )
    found = await _service(store).check()
    assert {each.kind for each in found} == {Kind.COUNTERS, Kind.PATHS}
    report = await _service(store).repair()
    assert report.left == ()
    assert len(report.done) == 2
    assert report.kept is not None
    assert report.kept.exists()
    assert await store.threads.get(thread) == before
    assert await _service(store).check() == []


@pytest.mark.parametrize(
    ("gone", "is_placed"),
    [
        ("role = 'user'", True),
        ("position = 2", True),
        ("position IN (1, 2)", True),
        ("position = (SELECT max(position) FROM messages)", False),
        ("position > 1", False),
        ("1", False),
    ],
)
async def test_a_text_whose_message_is_gone_is_found_in_its_place_or_in_a_thread_of_its_own(
    store: Store, gone: str, is_placed: bool
) -> None:
    thread = await store.thread("kept")
    for question in ("wrens", "herons", "dippers"):
        await store.ask(thread, question)
    texts = "SELECT p.content FROM message_parts p JOIN messages m ON m.id = p.message_id ORDER BY p.id"
    before = await store.db.read(lambda conn: conn.exec_driver_sql(texts).scalars().all())
    await _run(store, f"DELETE FROM messages WHERE {gone}")
    report = await _service(store).repair()
    assert report.left == ()
    assert await store.db.read(lambda conn: conn.exec_driver_sql(texts).scalars().all()) == before
    assert any("whose message" in line or "in place" in line for line in report.done)
    titles = await store.db.read(lambda conn: conn.exec_driver_sql("SELECT title FROM threads").scalars().all())
    assert (RECOVERED_TITLE in titles) is not is_placed
    assert await _service(store).check() == []


async def test_messages_of_a_lost_thread_get_one_again_and_rows_of_nothing_go(store: Store) -> None:
    thread, kept = await store.thread("lost"), await store.thread("kept")
    await store.ask(thread, "precious")
    first, answer = await store.ask(kept, "one")
    await store.ask(kept, "two")

    await _run(
        store,
        "PRAGMA foreign_keys=OFF",
        *(f"DROP TRIGGER {name}" for name in await _triggers(store)),
        f"DELETE FROM threads WHERE id = '{thread}'",
        f"DELETE FROM messages WHERE id = '{first}'",
        "INSERT INTO tags (id, name, name_folded, created_at) VALUES ('t', 'n', 'n', 1)",
        "INSERT INTO thread_tags (thread_id, tag_id) VALUES ('nothing', 't')",
    )
    report = await _service(store).repair()
    assert report.left == ()
    assert any(RECOVERED_TITLE in line for line in report.done)
    assert any("thread_tags" in line for line in report.done)
    assert (await store.threads.get(thread)).title == RECOVERED_TITLE
    assert await store.shown(thread) == ["precious", "answer to precious"]
    assert (await store.messages.get(answer)).parent_id == first
    assert await store.shown(kept) == ["one", "answer to one", "two", "answer to two"]
    assert await integrity_check(store.db) == []


async def _triggers(store: Store) -> list[str]:
    rows = await store.db.read(
        lambda conn: conn.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all()
    )
    return [row[0] for row in rows]


async def test_a_flipped_bit_in_a_text_and_lost_files_are_found_and_left_alone(store: Store) -> None:
    thread = await store.thread()
    _, answer = await store.ask(thread)
    data = b"bytes"
    names = [hashlib.sha256(data).hexdigest(), "e" * 64, "d" * 64]

    def work(conn: Any) -> None:
        part = conn.exec_driver_sql("SELECT id FROM message_parts WHERE message_id = ?", (answer,)).scalar()
        for number, name in enumerate(names):
            conn.exec_driver_sql(
                "INSERT INTO artifacts (id, part_id, kind, path, mime, size_bytes, sha256)"
                " VALUES (?, ?, 'file', '', '', 5, ?)",
                (str(number), part, name),
            )
        conn.exec_driver_sql('UPDATE message_parts SET content = \'{"text":"answes"}\' WHERE id = ?', (part,))

    await store.db.write(work)
    for name in names[:2]:
        path = store.path.parent / "blobs" / name[:2] / name
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
    report = await _service(store).repair()
    assert report.done == ()
    assert report.kept is None
    text = "\n".join(report.left)
    assert f"The text of message {answer} is not what was saved" in text
    assert "eeeeeeeeeeee… is not what was saved" in text
    assert "dddddddddddd… is missing" in text
    assert len(report.left) == 3
    assert await store.shown(thread) == ["question", "answes"]


async def test_a_damaged_search_index_is_made_anew(store: Store) -> None:
    await store.ask(await store.thread())
    table = search_schema.VIRTUAL_TABLES[0]
    damage(store.path, f"UPDATE {table}_data SET block = x'00ff00' WHERE id > 10")
    found = await _service(store).check()
    assert [each.kind for each in found] in ([Kind.INDEX], [Kind.PAGES])
    if found[0].kind is Kind.INDEX:
        report = await _service(store).repair()
        assert any("search index" in line for line in report.done)
        assert await _service(store).check() == []


def _trash(path: Path, table: str, *, leaf: bool) -> None:
    """Overwrite a page of a table: its root, or some leaf in the middle."""
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        conn.execute("PRAGMA journal_mode=DELETE")
        size = conn.execute("PRAGMA page_size").fetchone()[0]
        root = conn.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    data = bytearray(path.read_bytes())
    page = root
    if leaf:
        begin = (root - 1) * size
        assert data[begin] == 5, "the table is too small to have leaves"
        cells = int.from_bytes(data[begin + 3 : begin + 5], "big")
        pointer = begin + int.from_bytes(data[begin + 12 + 2 * (cells // 2) : begin + 14 + 2 * (cells // 2)], "big")
        page = int.from_bytes(data[pointer : pointer + 4], "big")
    data[(page - 1) * size : page * size] = b"\xa5" * size
    path.write_bytes(data)


async def test_readable_rows_are_copied_out_of_a_damaged_file(store: Store) -> None:
    thread = await store.thread()
    for number in range(150):
        await store.ask(thread, f"{number} " + "x" * 300)
    await store.db.close()
    _trash(store.path, "message_parts", leaf=True)
    damaged = store.path.read_bytes()
    report = salvage(store.path, store.clock)
    assert store.path.read_bytes() == damaged
    assert any(line.startswith("message_parts:") and "could not be read" in line for line in report.lines)
    assert any(line.startswith("messages: all 300") for line in report.lines)
    pending_restore.commit(store.path)
    store.reset()
    await store.db.open()
    shown = await store.shown(thread)
    assert len(shown) == 300
    assert 270 < sum(1 for text in shown if text) < 300
    troubles = await _service(store).check()
    assert {each.kind for each in troubles} == {Kind.TEXT}  # the messages whose words are gone
    await store.ask(thread, "goes on")


async def test_texts_of_a_page_of_messages_that_is_gone_are_in_their_places_again(store: Store) -> None:
    thread = await store.thread()
    for number in range(150):
        await store.ask(thread, f"{number}")
    await store.db.close()
    _trash(store.path, "messages", leaf=True)
    report = salvage(store.path, store.clock)
    assert any(line.startswith("messages:") and "could not be read" in line for line in report.lines)
    pending_restore.commit(store.path)
    store.reset()
    await store.db.open()
    assert await store.shown(thread) == [text for n in range(150) for text in (f"{n}", f"answer to {n}")]
    roles = [each.role.value for each in (await store.messages.page(thread, limit=300)).messages]
    assert roles == ["user", "assistant"] * 150
    assert await integrity_check(store.db) == []


@pytest.mark.parametrize(("share", "least"), [(0.97, 240), (0.6, 60)])
async def test_a_file_that_was_cut_short_gives_what_it_has(store: Store, share: float, least: int) -> None:
    """Texts whose messages were behind the cut come back as well, in a thread of their own."""
    for _ in range(6):
        thread = await store.thread()
        for number in range(25):
            await store.ask(thread, f"{number} " + "x" * 300)
    await store.db.close()
    with store.path.open("r+b") as file:
        file.truncate(int(store.path.stat().st_size * share))
    report = salvage(store.path, store.clock)
    assert not report.is_whole
    pending_restore.commit(store.path)
    store.reset()
    await store.db.open()
    texts = "SELECT count(*) FROM message_parts p JOIN messages m ON m.id = p.message_id WHERE p.type = 'text'"
    assert await store.db.read(lambda conn: conn.exec_driver_sql(texts).scalar()) >= least
    assert [each for each in await integrity_check(store.db) if "text of message" not in each] == []


async def test_texts_of_the_last_messages_come_back_as_a_thread(store: Store) -> None:
    thread = await store.thread()
    for number in range(4):
        await store.ask(thread, f"{number}")
    await store.db.close()
    with closing(sqlite3.connect(store.path, isolation_level=None)) as conn:
        conn.execute("PRAGMA foreign_keys=OFF")
        conn.execute("DELETE FROM messages WHERE position >= 4")
    report = salvage(store.path, store.clock)
    assert not report.is_whole
    assert any(RECOVERED_TITLE in line for line in report.lines)
    pending_restore.commit(store.path)
    store.reset()
    await store.db.open()
    page = await store.library.page(ThreadQuery(), limit=10)
    (recovered,) = [each.id for each in page.threads if each.title == RECOVERED_TITLE]
    assert await store.shown(thread) == ["0", "answer to 0", "1", "answer to 1"]
    assert await store.shown(recovered) == ["2", "answer to 2", "3", "answer to 3"]
    messages = (await store.messages.page(recovered, limit=10)).messages
    assert [each.role.value for each in messages] == ["user", "assistant"] * 2
    assert await integrity_check(store.db) == []


async def test_a_sound_file_with_foreign_code_is_copied_whole(store: Store) -> None:
    thread = await store.thread()
    await store.ask(thread, "one")
    await store.db.close()
    with closing(sqlite3.connect(store.path, isolation_level=None)) as conn:
        conn.execute("CREATE TRIGGER zz AFTER INSERT ON messages BEGIN DELETE FROM message_parts; END")
        conn.execute("DROP TABLE drafts")
        conn.execute(
            "CREATE VIEW drafts AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x FROM c) SELECT * FROM c"
        )
    report = salvage(store.path, store.clock)
    assert [line for line in report.lines if line.startswith("drafts:")]
    pending_restore.commit(store.path)
    store.reset()
    await store.db.open()
    assert await store.shown(thread) == ["one", "answer to one"]


# What a file may hold that would be sent by itself.
_ACTING = (
    "waiting answers",
    "answers being written",
    "answers of nobody",
    "questions that wait for an answer",
    "questions that wait under no thread",
    "waits for the network",
    "a team that is being made",
)


@pytest.mark.parametrize(
    "hostile", [each for each in all_of_them() if each.name in _ACTING], ids=lambda each: each.name
)
async def test_nothing_of_a_damaged_file_is_sent_by_itself(store: Store, hostile: Hostile) -> None:
    await store.ask(await store.thread(), "one")
    await store.db.close()
    hostile.change(store.path)
    salvage(store.path, store.clock)
    pending_restore.commit(store.path)
    store.reset()
    await store.db.open()
    waiting = WaitingRepository(store.db)
    assert (await waiting.all(), await waiting.unreached()) == ((), ())
    assert await WaitingQuestionRepository(store.db).all() == ()
    left = (
        "SELECT (SELECT count(*) FROM messages WHERE status IN ('pending', 'streaming')),"
        f" (SELECT count(*) FROM meta WHERE key = '{setup.KEY}')"
    )
    assert await store.db.read(lambda conn: tuple(conn.exec_driver_sql(left).one())) == (0, 0)


async def test_no_team_of_a_damaged_file_is_connected_to(store: Store) -> None:
    """As in a restored one: its address may be anybody's."""
    await store.ask(await store.thread(), "one")
    await _run(
        store, "INSERT INTO workspaces (id, name, address, member_id, joined_at) VALUES ('w', 'W', '{}', 'me', 1)"
    )
    await store.db.close()
    salvage(store.path, store.clock)
    pending_restore.commit(store.path)
    store.reset()
    await store.db.open()
    assert await store.db.read(team.workspaces) == []
    assert [each.id for each in await store.db.read(team.parked)] == ["w"]


async def test_questions_that_wait_in_a_damaged_file_are_behind_the_draft_of_their_thread(store: Store) -> None:
    thread = await store.thread()
    await store.ask(thread, "one")
    await store.drafts.save(thread, "typed", 5)
    await WaitingQuestionRepository(store.db).add(thread, "asked")
    await store.db.close()
    with closing(sqlite3.connect(store.path, isolation_level=None)) as conn:
        conn.execute(
            "INSERT INTO drafts (slot, thread_id, text, cursor, updated_at, attachments)"
            " VALUES ('next:x', ?, CAST('bytes' AS BLOB), 'odd', 1, x'ff')",
            (thread,),
        )
        conn.execute(
            "INSERT INTO drafts (slot, thread_id, text, cursor, updated_at) VALUES ('next:y', 'lost', 'homeless', 1, 1)"
        )
    salvage(store.path, store.clock)
    pending_restore.commit(store.path)
    store.reset()
    await store.db.open()
    texts = [await store.drafts.get(slot) for slot in (thread, NEW_DRAFT)]
    assert [draft and draft.text for draft in texts] == ["typed\nbytes\nasked", "homeless"]
    assert await integrity_check(store.db) == []


async def test_a_draft_whose_thread_is_lost_goes_to_the_draft_of_a_new_thread(store: Store) -> None:
    await store.drafts.save(NEW_DRAFT, "new words", 0)
    lost = await store.thread("Lost")
    await store.drafts.save(lost, "old words", 0)
    await _run(store, f"DELETE FROM threads WHERE id = '{lost}'")
    report = await _service(store).repair()
    assert any(line.startswith("1 draft whose thread is missing") for line in report.lines), report.lines
    draft = await store.drafts.get(NEW_DRAFT)
    assert draft is not None
    assert draft.text == "new words\nold words"
    assert await integrity_check(store.db) == []


async def test_a_file_from_which_nothing_reads_says_so_and_is_left(store: Store) -> None:
    await store.ask(await store.thread())
    await store.db.close()
    store.path.write_bytes(b"not a database" * 999)
    with pytest.raises(StorageCorrupt):
        salvage(store.path, store.clock)
    assert not pending_restore.ready_path(store.path).exists()


async def test_damaged_pages_are_not_mended_in_place(store: Store) -> None:
    thread = await store.thread()
    for number in range(150):
        await store.ask(thread, f"{number} " + "x" * 300)
    await store.db.close()
    _trash(store.path, "message_parts", leaf=True)
    before = store.path.read_bytes()
    store.reset()
    await store.db.open()
    report = await _service(store).repair()
    assert report.done == ()
    assert "doctor --repair" in report.left[1]
    await store.db.close()
    assert len(store.path.read_bytes()) >= len(before)


async def test_counters_of_tools_are_counted_too(store: Store) -> None:
    thread = await store.thread()
    _, answer = await store.ask(thread)
    await store.db.write(
        lambda conn: conn.exec_driver_sql(
            "INSERT INTO message_parts (id, message_id, part_index, type, content, tool_name, tool_duration_ms)"
            " VALUES ('p', ?, 5, 'tool_result', '{\"text\":\"a cat\"}', 'look', 70)",
            (answer,),
        )
    )
    assert Kind.COUNTERS in {each.kind for each in await _service(store).check()}
    await _service(store).repair()
    kept = await store.threads.get(thread)
    assert dict(kept.tool_counts) == {"look": 1}
    assert kept.total_tool_time_ms == 70
    assert Kind.COUNTERS not in {each.kind for each in await _service(store).check()}


async def test_what_a_team_has_of_damaged_messages_is_pulled_again(store: Store) -> None:
    """Also where a text that is not what was saved is all that is wrong, because the team's server has it as it was."""
    project = (await store.projects.default()).id
    thread = await store.thread()
    question, _ = await store.ask(thread, "theirs")
    await _run(
        store,
        "INSERT INTO workspaces (id, name, address, member_id, joined_at) VALUES ('w', 'W', '{}', 'me', 1)",
        "INSERT INTO shared_projects (project_id, workspace_id, role, seq, chain, state, shared_at)"
        f" VALUES ('{project}', 'w', 'owner', 9, x'00', 'shared', 1)",
        f"UPDATE changes SET state = 1, seq = n WHERE project_id = '{project}'",
        f"UPDATE message_parts SET content = '{{\"text\":\"flipped\"}}' WHERE message_id = '{question}'",
    )
    report = await _service(store).repair()
    assert report.done == (COMES_AGAIN,)
    assert report.left == ()
    assert report.kept is not None
    assert report.kept.exists()
    assert [each.id for each in await store.db.read(team.parked)] == ["w"]
    assert await store.shown(thread) == ["", "answer to theirs"]
    assert (await _service(store).repair()).done == ()  # once is enough


async def test_a_thread_that_is_lost_is_found_again_in_its_own_project(store: Store) -> None:
    project = (await store.projects.create("Mine")).id
    made, _, _ = await store.messages.create_thread_with_question(
        project, "Mine", "precious", provider=None, model=None, with_answer=None
    )
    thread = made.id
    await _run(
        store,
        "PRAGMA foreign_keys=OFF",
        *(f"DROP TRIGGER {name}" for name in await _triggers(store)),
        f"DELETE FROM threads WHERE id = '{thread}'",
    )
    await _service(store).repair()
    assert (await store.threads.get(thread)).project_id == project


async def test_what_is_lost_never_comes_back_in_a_project_that_others_read(store: Store) -> None:
    """Also where every project in use is shared: whose the lost words were is not known."""
    shared = (await store.projects.default()).id
    thread = await store.thread("lost")
    await store.ask(thread, "precious")
    await _run(
        store,
        "PRAGMA foreign_keys=OFF",
        "INSERT INTO workspaces (id, name, address, member_id, joined_at) VALUES ('w', 'W', '{}', 'me', 1)",
        "INSERT INTO shared_projects (project_id, workspace_id, role, seq, chain, state, shared_at)"
        f" VALUES ('{shared}', 'w', 'owner', 9, x'00', 'shared', 1)",
        *(f"DROP TRIGGER {name}" for name in await _triggers(store)),
        f"DELETE FROM threads WHERE id = '{thread}'",
        f"DELETE FROM changes WHERE project_id = '{shared}'",
    )
    await _service(store).repair()
    recovered = await store.threads.get(thread)
    assert recovered.title == RECOVERED_TITLE
    assert recovered.project_id != shared
    assert await store.shown(thread) == ["precious", "answer to precious"]


@pytest.mark.parametrize("has_private", [True, False])
async def test_salvaged_texts_never_go_to_a_project_that_others_read(store: Store, has_private: bool) -> None:
    shared = (await store.projects.default()).id
    private = (await store.projects.create("Mine")).id if has_private else None
    thread = await store.thread()
    await store.ask(thread, "precious")
    await store.db.close()
    with closing(sqlite3.connect(store.path, isolation_level=None)) as conn:
        conn.execute("PRAGMA foreign_keys=OFF")
        conn.execute(
            "INSERT INTO workspaces (id, name, address, member_id, joined_at) VALUES ('w', 'W', '{}', 'me', 1)"
        )
        conn.execute(
            "INSERT INTO shared_projects (project_id, workspace_id, role, seq, chain, state, shared_at)"
            " VALUES (?, 'w', 'owner', 9, x'00', 'shared', 1)",
            (shared,),
        )
        conn.execute("DELETE FROM messages")
        conn.execute("DELETE FROM changes")
    assert not salvage(store.path, store.clock).is_whole
    pending_restore.commit(store.path)
    store.reset()
    await store.db.open()
    page = await store.library.page(ThreadQuery(), limit=10)
    (recovered,) = [each for each in page.threads if each.title == RECOVERED_TITLE]
    assert recovered.project_id == private if has_private else recovered.project_id != shared
    assert await store.shown(recovered.id) == ["precious", "answer to precious"]
