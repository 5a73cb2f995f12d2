"""Pages of a team's log become rows: once, whole, in any cut, and without moving anybody's reading place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from chatdesk.core.clock import stamp_ms
from chatdesk.core.domain.message import PartType, Status
from chatdesk.core.domain.sharing.sync_wire import PulledChange, WireChange
from chatdesk.core.domain.sharing.team import ChangeState
from chatdesk.core.domain.summary import NewSummary, SummaryAuthor
from chatdesk.core.domain.turn import AnswerPlan, StreamChunk, TurnOutcome
from chatdesk.core.domain.usage import Usage
from chatdesk.core.errors import HistoryChanged
from chatdesk.core.ids import new_id
from chatdesk.core.storage.engine import search_index
from chatdesk.core.storage.sync import erasing
from chatdesk.core.storage.sync.inbox import inbox
from chatdesk.core.storage.sync.inbox.prepare import prepare
from tests.helpers.counters import recounted
from tests.helpers.pulled_log import ANN, ANNS, BEN, BENS, ME, START_MS, PulledLog, Reader, message_body
from tests.helpers.sync_sim.memory_profile import Profile, now

SHA = "ab" * 32


@pytest.fixture
def log() -> PulledLog:
    return PulledLog()


@pytest.fixture
def reader(log: PulledLog) -> Iterator[Reader]:
    reader = Reader(log)
    yield reader
    assert not reader.rows("PRAGMA foreign_key_check")
    assert search_index.check(reader.profile.db.raw) == []
    for (thread_id,) in reader.rows("SELECT id FROM threads"):
        threads = reader.profile.repositories.threads
        assert now(threads.get(thread_id)) == now(recounted(reader.profile.db, thread_id))
        shown = reader.one(
            "SELECT count(*) FROM messages WHERE thread_id = ? AND on_path = 1 AND deleted_at IS NULL", thread_id
        )
        assert reader.one("SELECT shown_count FROM threads WHERE id = ?", thread_id) == shown
    reader.close()


def chat(log: PulledLog, count: int = 4, **more: object) -> tuple[str, list[str]]:
    thread_id = log.thread()
    ids: list[str] = []
    for place in range(count):
        role = "user" if place % 2 == 0 else "assistant"
        ids.append(log.message(thread_id, ids[-1] if ids else None, f"text {place}", role=role, **more))  # type: ignore[arg-type]
    return thread_id, ids


def test_a_page_becomes_a_thread_that_can_be_read(log: PulledLog, reader: Reader) -> None:
    log.add("project", "new", log.project_id, {"name": "Ours", "colour": "#112233"})
    thread_id, ids = chat(log)

    [applied] = reader.pull()

    assert reader.shown(thread_id) == ["text 0", "text 1", "text 2", "text 3"]
    assert reader.title(thread_id) == "A thread"
    assert reader.one("SELECT name FROM projects WHERE id = ?", log.project_id) == "Ours"
    assert applied.new_threads == {thread_id}
    assert applied.projects == {log.project_id}
    assert applied.new_messages == tuple((thread_id, each) for each in ids)
    assert applied.rows == len(log.rows)
    assert reader.rows("SELECT DISTINCT author_id FROM messages") == [(ANN,)]
    assert reader.rows("SELECT DISTINCT state FROM changes WHERE mine = 0") == [(int(ChangeState.CONFIRMED),)]


@pytest.mark.parametrize("page", [1, 2, 3, 7])
def test_it_does_not_matter_where_pages_are_cut(log: PulledLog, reader: Reader, page: int) -> None:
    thread_id, ids = chat(log, 6)
    log.message(thread_id, ids[1], "another", device=BENS)
    log.edit("thread", thread_id, "title", {"title": "Better", "title_source": "person"})
    log.delete("message", ids[5])
    whole = Reader(log)
    whole.pull()

    reader.pull(page=page)

    assert reader.digest() == whole.digest()
    assert reader.shown(thread_id) == whole.shown(thread_id)
    whole.close()


def test_a_page_that_comes_again_changes_nothing(log: PulledLog, reader: Reader) -> None:
    chat(log)
    reader.pull()
    before = reader.profile.db.raw.total_changes

    again = reader.pull(log.rows)

    assert again[0].rows == 0
    assert reader.profile.db.raw.total_changes == before


def test_the_rest_of_a_page_that_was_taken_over_in_part_is_taken_over(log: PulledLog, reader: Reader) -> None:
    thread_id, _ = chat(log)
    reader.pull(log.rows[:3])

    applied = reader.pull(log.rows)

    assert applied[0].rows == 2
    assert len(reader.shown(thread_id)) == 4


def test_what_is_killed_before_the_commit_is_taken_over_later(log: PulledLog, reader: Reader) -> None:
    thread_id, _ = chat(log)
    prepared = prepare(log.rows)
    db, cursor = reader.profile.db, reader.cursor

    def die(conn: object) -> None:
        inbox.apply(conn, db.origin, log.project_id, prepared, after=cursor)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        db.write_now(die)
    assert reader.cursor.seq == 0
    assert reader.one("SELECT count(*) FROM threads") == 0

    reader.pull()
    assert len(reader.shown(thread_id)) == 4


def test_numbers_and_chain_must_fit(log: PulledLog, reader: Reader) -> None:
    chat(log)
    rows = log.rows
    bad = [
        rows[1:],
        [replace(rows[0], chain=b"x" * 32), *rows[1:]],
        [replace(rows[0], id="nothing"), *rows[1:]],
        [replace(rows[0], seq=2**70)],
        [replace(rows[0], seq="1")],  # type: ignore[arg-type]
    ]
    for page in bad:
        with pytest.raises(HistoryChanged):
            reader.pull(page)
    assert reader.cursor.seq == 0
    assert reader.one("SELECT count(*) FROM changes WHERE project_id = ?", log.project_id) == 0


def test_a_page_is_cut_before_the_first_row_that_does_not_fit(log: PulledLog, reader: Reader) -> None:
    chat(log)
    first, second, *others = log.rows
    for other in (
        [],
        [replace(second, chain=b"x" * 32)],
        [replace(second, id="nothing")],
        [replace(second, body="{}")],
        [replace(second, number=7)],
    ):
        with suppress(HistoryChanged):  # after the first page already its first row does not fit
            [applied] = reader.pull([first, *other, *others])
            assert (applied.is_cut, applied.rows) == (True, 1)
        assert reader.cursor.seq == first.seq
    reader.pull()
    assert reader.cursor.seq == log.rows[-1].seq


@pytest.mark.parametrize(
    "values",
    [
        {"author": "nobody"},
        {"author": [ANN]},
        {"device": "nothing"},
        {"kind": "k" * 41},
        {"op": "other"},
        {"reg": "r" * 201},
        {"entity": "nothing"},
        {"parents": "nothing"},
        {"dseq": -1},
    ],
)
def test_a_row_is_looked_at_also_where_it_is_nearly_like_the_one_before_it(
    log: PulledLog, values: dict[str, Any]
) -> None:
    chat(log)
    rows = [*log.rows[:3], replace(log.rows[3], **values), *log.rows[4:]]
    assert prepare(rows).flaws.keys() == {rows[3].id}


@pytest.mark.parametrize("status", [None, [], {}, 3, "streaming", "nothing"])
def test_a_message_whose_state_is_none_was_interrupted(log: PulledLog, reader: Reader, status: Any) -> None:
    thread_id = log.thread()
    body = message_body(thread_id, None, "words", more={"status": status})
    log.add("message", "new", new_id(), body)
    reader.pull()
    assert reader.shown(thread_id) == ["words"]
    assert reader.rows("SELECT status FROM messages") == [(Status.INTERRUPTED.value,)]


def test_a_project_that_is_not_shared_any_more_takes_nothing(log: PulledLog, reader: Reader) -> None:
    chat(log)
    cursor = reader.cursor
    reader.profile.db.raw.execute("UPDATE shared_projects SET state = 'ended'")
    prepared = prepare(log.rows)
    db = reader.profile.db
    applied = db.write_now(lambda conn: inbox.apply(conn, db.origin, log.project_id, prepared, after=cursor))
    assert applied.rows == 0
    assert reader.one("SELECT count(*) FROM threads") == 0


# Reading places


def test_the_path_goes_on_below_its_end(log: PulledLog, reader: Reader) -> None:
    thread_id, ids = chat(log, 2)
    reader.pull()
    following = log.message(thread_id, ids[-1], "and then", device=BENS)

    [applied] = reader.pull()

    assert applied.new_messages == ((thread_id, following),)
    assert reader.shown(thread_id) == ["text 0", "text 1", "and then"]
    assert reader.one("SELECT current_leaf_id FROM threads WHERE id = ?", thread_id) == following
    assert reader.one("SELECT author_id FROM messages WHERE id = ?", following) == BEN


def test_another_version_moves_no_reader(log: PulledLog, reader: Reader) -> None:
    thread_id, ids = chat(log, 4)
    reader.pull()
    other = log.message(thread_id, ids[0], "otherwise", role="assistant", device=BENS)
    below = log.message(thread_id, other, "and below", device=BENS)
    root = log.message(thread_id, None, "from the start", device=BENS)

    [applied] = reader.pull()

    assert applied.versions == ((thread_id, other), (thread_id, below), (thread_id, root))
    assert applied.new_messages == ()
    assert reader.shown(thread_id) == ["text 0", "text 1", "text 2", "text 3"]
    assert now(reader.profile.repositories.messages.get(ids[1])).version_count == 2


@pytest.mark.parametrize("page", [1, 2, 3, 50])
def test_of_what_was_there_before_one_joined_the_newest_is_shown(log: PulledLog, page: int) -> None:
    thread_id, ids = chat(log, 4)
    other = log.message(thread_id, ids[0], "newer", role="assistant", device=BENS)
    log.message(thread_id, other, "below", device=BENS)
    reader = Reader(log, joined_seq=len(log.rows))

    applied = reader.pull(page=page)

    assert reader.shown(thread_id) == ["text 0", "newer", "below"]
    assert all(not each.new_messages and not each.versions for each in applied)
    assert reader.rows("SELECT * FROM unread_threads") == []
    reader.close()


def test_a_newer_beginning_is_shown_to_who_joins(log: PulledLog) -> None:
    thread_id, _ = chat(log, 2)
    log.message(thread_id, None, "begun anew", device=BENS)
    reader = Reader(log, joined_seq=len(log.rows))
    reader.pull(page=2)
    assert reader.shown(thread_id) == ["begun anew"]
    reader.close()


def test_messages_of_others_are_unread(log: PulledLog, reader: Reader) -> None:
    thread_id, ids = chat(log, 2)
    reader.pull()
    log.message(thread_id, ids[-1], "mine, from my other computer", author=ME)
    reader.pull()
    assert reader.rows("SELECT * FROM unread_threads") == [(thread_id, 2)]
    assert reader.one("SELECT count(*) FROM messages WHERE author_id IS NULL") == 1


# What is one's own


def written(profile: Profile, project_id: str) -> str:
    """A thread with a question and its answer, as a person makes them."""
    thread, _, answer = now(
        profile.repositories.messages.create_thread_with_question(
            project_id, "Mine", "a question 世界", provider="p", model="m", with_answer=AnswerPlan("p", "m")
        )
    )
    assert answer is not None
    now(profile.repositories.messages.start_streaming(answer.id, START_MS))
    chunks = [
        StreamChunk(0, PartType.REASONING, "thinking"),
        StreamChunk(1, PartType.TEXT, "an answer\nof two lines"),
        StreamChunk(2, PartType.TOOL_CALL, '{"a":1}', {"name": "look", "call_id": "c1"}),
    ]
    now(profile.repositories.messages.append_chunks(answer.id, chunks))
    usage = Usage(10, 5, 2, 1)
    now(profile.repositories.messages.finish(answer.id, TurnOutcome(Status.COMPLETE, START_MS + 5, usage=usage)))
    return thread.id


def pushed(reader: Reader) -> None:
    """What waits here is in the log."""
    store = reader.profile.store
    for change in store.pending(reader.log.project_id, max_rows=500, max_bytes=10_000_000):
        reader.log.add(
            change.kind,
            change.op,
            change.entity,
            change.body,
            reg=change.reg,
            device=store.device(),
            dseq=change.dseq,
            parents=change.parents,
            hlc=change.hlc,
            id=change.id,
            author=ME,
            at=reader.clock.now,
        )


_LOCAL = {"last_activity_at", "search_n", "owner_pid_token", "author_id", "hlc", "origin_device", "version"}


def described(reader: Reader, table: str, order: str) -> list[dict[str, object]]:
    names = [row[1] for row in reader.rows(f"PRAGMA table_info({table})")]
    return [
        {name: value for name, value in zip(names, row, strict=True) if name not in _LOCAL}
        for row in reader.rows(f"SELECT * FROM {table} ORDER BY {order}")
    ]


def test_rows_are_those_that_their_author_has(log: PulledLog, reader: Reader) -> None:
    written(reader.profile, log.project_id)
    pushed(reader)
    other = Reader(log)
    other.pull()
    for table, order in (("messages", "id"), ("message_parts", "id"), ("threads", "id"), ("artifacts", "id")):
        assert described(other, table, order) == described(reader, table, order)
    reader.pull()
    assert other.digest() == reader.digest()
    assert search_index.check(other.profile.db.raw) == []
    other.close()


def test_own_changes_that_come_back_are_confirmed(log: PulledLog, reader: Reader) -> None:
    thread_id = written(reader.profile, log.project_id)
    pushed(reader)
    before = reader.shown(thread_id)

    [applied] = reader.pull()

    assert applied.confirmed == len(log.rows)
    assert applied.new_messages == () == applied.versions
    states = reader.rows("SELECT state, count(*) FROM changes WHERE project_id = ? GROUP BY state", log.project_id)
    assert states == [(int(ChangeState.CONFIRMED), len(log.rows))]
    assert reader.shown(thread_id) == before


def test_the_server_may_know_an_own_change_from_elsewhere(log: PulledLog, reader: Reader) -> None:
    """Two computers with copies of one project enter the same changes; the server keeps one of each."""
    thread_id = written(reader.profile, log.project_id)
    pushed(reader)
    log.say_otherwise(device=ANNS, author=ANN)

    reader.pull()

    assert reader.rows("SELECT DISTINCT device, author FROM changes WHERE seq IS NOT NULL") == [(ANNS, ANN)]
    assert reader.rows("SELECT DISTINCT author_id FROM messages") == [(ANN,)]
    assert reader.one("SELECT author_id FROM threads WHERE id = ?", thread_id) == ANN


def test_a_change_of_this_device_that_it_does_not_know_changes_nothing(log: PulledLog, reader: Reader) -> None:
    chat(log)
    log.thread(device=reader.profile.store.device())

    [applied] = reader.pull(log.rows)

    assert applied.is_foreign_mine
    assert reader.cursor.seq == 0
    assert reader.one("SELECT count(*) FROM threads") == 0
    reader.profile.store.park()
    reader.profile.join_again()
    reader.pull()
    assert reader.one("SELECT count(*) FROM threads") == 2


def test_an_own_change_that_was_removed_here_comes_again(log: PulledLog, reader: Reader) -> None:
    """As where a project was removed for good, and is shared with this profile again."""
    thread = log.thread(device=reader.profile.store.device(), dseq=80)
    reader.profile.db.raw.execute("UPDATE devices SET next_dseq = 90")

    [applied] = reader.pull(log.rows)

    assert not applied.is_foreign_mine
    assert reader.one("SELECT count(*) FROM threads WHERE id = ?", thread) == 1


def test_a_sequence_goes_on_after_what_a_copy_of_the_profile_used(log: PulledLog, reader: Reader) -> None:
    """A computer that was restored from before it shared enters the same changes, at other places."""
    written(reader.profile, log.project_id)
    pushed(reader)
    rows, log.rows = log.rows, []
    for row in rows:
        log.add(
            row.kind,
            row.op,
            row.entity,
            row.body,
            reg=row.reg,
            device=row.device,
            dseq=row.dseq + 3,
            parents=row.parents,
            hlc=row.hlc,
            id=row.id,
            author=ME,
        )
    reader.pull(page=1)
    for _ in range(6):
        written(reader.profile, log.project_id)
    assert reader.one("SELECT count(*) = count(DISTINCT dseq) FROM changes WHERE dseq > 0") == 1


def test_after_the_history_changed_everything_is_taken_over_again(log: PulledLog, reader: Reader) -> None:
    thread_id, ids = chat(log)
    log.edit("thread", thread_id, "title", {"title": "Better"})
    log.delete("message", ids[3])
    reader.pull()
    before = reader.digest()
    reader.profile.store.start_over(log.project_id)

    reader.pull(page=2)

    assert reader.digest() == before
    assert reader.one("SELECT count(*) FROM changes WHERE state = ?", int(ChangeState.ORPHANED)) == 0


def test_a_place_that_the_server_gave_to_another_change_is_left(log: PulledLog, reader: Reader) -> None:
    thread_id, _ = chat(log)
    reader.pull()
    reader.profile.store.start_over(log.project_id)
    lost = log.rows.pop()
    log.edit("thread", thread_id, "title", {"title": "In its place"}, dseq=lost.dseq)

    reader.pull()

    assert reader.title(thread_id) == "In its place"
    assert reader.one("SELECT dseq < 0 FROM changes WHERE id = ?", lost.id) == 1


def test_what_a_copy_of_the_profile_ended_otherwise_stands_beside_it(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    question = log.message(thread_id, None, "q")
    reader.pull()
    messages = reader.profile.repositories.messages
    plan = AnswerPlan("p", "m")
    ids = [now(messages.add_answer(question, plan))[0].id for _ in range(3)]
    for place, answer_id in enumerate(ids):
        log.message(thread_id, question, f"elsewhere {place}", role="assistant", message_id=answer_id, device=BENS)
    for answer_id, text in zip(ids[:2], ("here 0", "elsewhere 1"), strict=True):
        end_answer(reader, answer_id, text)

    [applied] = reader.pull()

    texts = dict(reader.rows("SELECT message_id, json_extract(content, '$.text') FROM message_parts"))
    assert texts[ids[0]] == "elsewhere 0"
    assert texts[ids[1]] == "elsewhere 1"
    assert sorted(texts.values()) == ["elsewhere 0", "elsewhere 1", "here 0", "q"]
    assert len(applied.versions) == 1
    assert now(messages.get(ids[2])).status == "pending"  # no copy's: those join only when nothing is being written
    end_answer(reader, ids[2], "here 2")
    assert now(messages.get(ids[2])).text == "here 2"


@pytest.mark.parametrize("has_words", [False, True])
@pytest.mark.parametrize("author", [BEN, ME])
def test_erasing_what_has_the_id_of_a_private_question_erases_no_word_of_it(
    log: PulledLog, reader: Reader, author: str, has_words: bool
) -> None:
    repositories = reader.profile.repositories
    private = now(repositories.projects.default()).id
    _, secret, *_ = now(
        repositories.messages.create_thread_with_question(private, "Mine", "secret", provider=None, model=None)
    )
    # As in the private copy of a project whose sharing ended: others know its ids.
    reader.profile.db.write_now(
        lambda conn: conn.exec_driver_sql(
            "UPDATE changes SET state = ? WHERE entity = ?", (ChangeState.PRIVATE.value, secret.id)
        )
    )
    thread_id = log.thread()
    log.message(thread_id, None, "bait", message_id=secret.id, device=BENS, author=author)
    bait = log.rows[-1]
    if has_words:
        reader.pull()
    log.add("thread", "del", thread_id, {"changes": [bait.id]}, reg="erased")
    if not has_words:
        log.rows[-2] = replace(bait, body=erasing.stub("message", "new", bait.body), is_erased=True)
    reader.pull()

    assert reader.one("SELECT json_extract(content, '$.text') FROM message_parts WHERE message_id = ?", secret.id) == (
        "secret"
    )
    assert reader.one("SELECT purged_at FROM messages WHERE id = ?", secret.id) is None


def test_erasing_what_has_the_id_of_a_private_summary_drops_no_summary(log: PulledLog, reader: Reader) -> None:
    repositories = reader.profile.repositories
    private = now(repositories.projects.default()).id
    thread, question, *_ = now(
        repositories.messages.create_thread_with_question(private, "Mine", "secret", provider=None, model=None)
    )
    kept = now(
        repositories.summaries.add(
            NewSummary(thread.id, question.id, question.id, "what was said", 5, SummaryAuthor.PERSON)
        )
    )
    thread_id = log.thread()
    message_id = log.message(thread_id)
    log.add("summary", "new", kept.id, summary(thread_id, message_id, message_id), device=BENS, author=BEN)
    log.add("thread", "del", thread_id, {"changes": [log.rows[-1].id]}, reg="erased")
    reader.pull()

    assert reader.one("SELECT text FROM summaries WHERE id = ?", kept.id) == "what was said"


@pytest.mark.parametrize("names_its_thread", [False, True])
@pytest.mark.parametrize("is_emptied", [False, True])
def test_what_has_the_id_of_a_private_message_touches_it_neither_at_first_nor_again(
    log: PulledLog, reader: Reader, is_emptied: bool, names_its_thread: bool
) -> None:
    repositories = reader.profile.repositories
    private = now(repositories.projects.default()).id
    thread, question, *_ = now(
        repositories.messages.create_thread_with_question(private, "Mine", "secret", provider=None, model=None)
    )
    if is_emptied:
        reader.profile.db.raw.execute("UPDATE messages SET deleted_at = 1, purged_at = 1 WHERE id = ?", (question.id,))
        reader.profile.db.raw.execute("UPDATE threads SET message_count = 0, shown_count = 0")
    before = reader.rows("SELECT * FROM messages"), reader.rows("SELECT * FROM message_parts")
    log.message(thread.id if names_its_thread else log.thread(), None, "bait", message_id=question.id, device=BENS)

    for _ in range(2):
        reader.pull()
        reader.profile.store.start_over(log.project_id)
        log.say_otherwise(author=ANN)
    reader.pull()

    assert (reader.rows("SELECT * FROM messages"), reader.rows("SELECT * FROM message_parts")) == before


def test_what_has_the_id_of_a_message_of_another_thread_replaces_no_word_when_it_comes_again(
    log: PulledLog, reader: Reader
) -> None:
    thread_id, ids = chat(log)
    log.message(log.thread("Bait"), None, "bait", message_id=ids[0], device=BENS)
    reader.pull()
    reader.profile.store.start_over(log.project_id)

    reader.pull()

    assert reader.shown(thread_id) == ["text 0", "text 1", "text 2", "text 3"]


def test_what_has_the_id_of_a_private_thread_says_nobody_else_made_it(log: PulledLog, reader: Reader) -> None:
    repositories = reader.profile.repositories
    private = now(repositories.projects.default()).id
    thread, *_ = now(
        repositories.messages.create_thread_with_question(private, "Mine", "secret", provider=None, model=None)
    )
    log.add("thread", "new", thread.id, {"title": "Bait"})
    reader.pull()
    reader.profile.store.start_over(log.project_id)
    log.say_otherwise(author=BEN)

    reader.pull()

    assert reader.rows("SELECT title, author_id FROM threads") == [("Mine", None)]


def end_answer(reader: Reader, answer_id: str, text: str) -> None:
    messages = reader.profile.repositories.messages
    now(messages.start_streaming(answer_id, START_MS))
    now(messages.append_chunks(answer_id, [StreamChunk(0, PartType.TEXT, text)]))
    now(messages.finish(answer_id, TurnOutcome(Status.COMPLETE, START_MS + 5)))


# What waits


def test_a_message_below_one_that_is_not_in_the_log_is_shown_and_joined_when_that_comes(
    log: PulledLog, reader: Reader
) -> None:
    thread_id, parent, child = log.thread(), new_id(), new_id()
    log.message(thread_id, child, "grandchild")
    log.message(thread_id, parent, "child", message_id=child)
    reader.pull()
    assert reader.shown(thread_id) == ["child", "grandchild"]
    assert reader.one("SELECT purged_at FROM messages WHERE id = ?", parent) is not None
    log.message(thread_id, None, "root", message_id=parent)

    [applied] = reader.pull()

    assert reader.shown(thread_id) == ["root", "child", "grandchild"]
    assert thread_id in applied.threads
    assert reader.rows("SELECT DISTINCT state FROM changes WHERE kind = 'message'") == [(int(ChangeState.CONFIRMED),)]
    joins = Reader(log)
    log.rows.insert(1, log.rows.pop())
    log.rows = [replace(row, seq=place) for place, row in enumerate(log.rows, 1)]
    log.say_otherwise()
    joins.pull()
    assert joins.digest() == reader.digest()
    joins.close()


def test_a_thread_that_is_not_in_the_log_has_a_place_until_it_comes(log: PulledLog, reader: Reader) -> None:
    thread_id, message_id = new_id(), new_id()
    log.edit("thread", thread_id, "title", {"title": "Said before"})
    log.message(thread_id, None, "first", message_id=message_id)
    log.add("summary", "new", new_id(), summary(thread_id, message_id, message_id))
    reader.pull(page=1)
    assert reader.shown(thread_id) == ["first"]
    log.add("thread", "new", thread_id, {"title": "Made later", "created_at": START_MS})

    reader.pull()

    assert reader.title(thread_id) == "Said before"
    assert reader.shown(thread_id) == ["first"]
    assert reader.one("SELECT text FROM summaries") == "in short"
    assert reader.one("SELECT count(*) FROM changes WHERE state = ?", int(ChangeState.ORPHANED)) == 0


@pytest.mark.parametrize("is_message_back", [True, False])
def test_a_summary_that_waited_when_the_history_changed_waits_or_comes(
    log: PulledLog, reader: Reader, is_message_back: bool
) -> None:
    thread_id, message_id = log.thread(), new_id()
    log.add("summary", "new", new_id(), summary(thread_id, message_id, message_id))
    reader.pull()
    reader.profile.store.start_over(log.project_id)
    if is_message_back:
        log.message(thread_id, None, "first", message_id=message_id)
        log.rows.insert(1, log.rows.pop())  # the server says it before the summary now
    log.rows = [replace(row, seq=place) for place, row in enumerate(log.rows, 1)]
    log.say_otherwise()

    reader.pull()

    assert reader.one("SELECT text FROM summaries") == ("in short" if is_message_back else None)
    states = reader.rows("SELECT state FROM changes WHERE kind = 'summary'")
    assert states == [(int(ChangeState.CONFIRMED if is_message_back else ChangeState.ORPHANED),)]
    if not is_message_back:
        log.message(thread_id, None, "first", message_id=message_id)
        reader.pull()
        assert reader.one("SELECT text FROM summaries") == "in short"


def summary(thread_id: str, first: str, last: str) -> dict[str, object]:
    return {"thread_id": thread_id, "from_message_id": first, "up_to_message_id": last, "text": "in short"}


def test_a_deletion_may_come_before_what_it_deletes(log: PulledLog, reader: Reader) -> None:
    thread_id, message_id = log.thread(), new_id()
    log.delete("message", message_id, covers={BENS: 9})
    log.message(thread_id, None, "gone", message_id=message_id, device=BENS, dseq=5)
    reader.pull()
    assert reader.is_hidden(message_id, "messages")
    assert reader.shown(thread_id) == []


def test_the_parts_of_a_large_message_come_later(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    body = message_body(thread_id, None, "")
    parts = [
        {"id": new_id(), "type": "text", "content": {"text": "very long"}},
        {
            "id": new_id(),
            "type": "file",
            "content": {"name": "a.txt", "mime": "text/plain", "sha256": "cd" * 32, "size_bytes": 3},
            "artifacts": [{"id": new_id(), "kind": "file", "mime": "text/plain", "size_bytes": 3, "sha256": "cd" * 32}],
        },
        {"id": new_id(), "type": "tool_call", "content": {"name": "t", "arguments": "{}"}, "tool_name": "t"},
    ]
    del body["parts"]
    message_id = new_id()
    log.add("message", "new", message_id, body | {"parts_file": {"sha256": SHA, "size_bytes": 9}})
    child = log.message(thread_id, message_id, "below")
    [applied] = reader.pull()
    assert applied.wanted_files == {SHA}
    assert applied.new_messages == ((thread_id, message_id), (thread_id, child))

    filled = reader.profile.store.fill_parts(log.project_id, SHA, json.dumps(parts).encode())

    assert filled.threads == {thread_id}
    assert reader.one("SELECT group_concat(type) FROM message_parts WHERE message_id = ?", message_id) == (
        "text,file,tool_call"
    )
    assert reader.one("SELECT state FROM shared_files WHERE sha256 = ?", "cd" * 32) == "to_fetch"
    assert reader.one("SELECT path FROM artifacts") == f"cd/{'cd' * 32}"
    assert reader.one("SELECT count(*) FROM changes WHERE state = ?", int(ChangeState.ORPHANED)) == 0
    whole = Reader(log)
    whole.pull()
    whole.profile.store.fill_parts(log.project_id, SHA, json.dumps(parts).encode())
    assert whole.digest() == reader.digest()
    whole.close()


@pytest.mark.parametrize("data", [b"", b"{}", b"[" * 100_000, b"\xff\xfe", b"[1, null, {}]"])
def test_a_parts_file_may_be_anything(log: PulledLog, reader: Reader, data: bytes) -> None:
    thread_id = log.thread()
    body = message_body(thread_id, None, "") | {"parts": None, "parts_file": {"sha256": SHA, "size_bytes": 9}}
    log.add("message", "new", new_id(), body)
    reader.pull()
    reader.profile.store.fill_parts(log.project_id, SHA, data)
    assert reader.one("SELECT count(*) FROM message_parts") == 0


def purge(reader: Reader) -> None:
    """As while it was a private copy: nothing is removed for good from what is shared."""
    write = reader.profile.db.write_now
    write(lambda conn: conn.exec_driver_sql("UPDATE shared_projects SET state = 'ended'"))
    now(reader.profile.repositories.trash.purge_expired(reader.clock.now + 10**9))
    write(lambda conn: conn.exec_driver_sql("UPDATE shared_projects SET state = 'shared'"))


def test_what_comes_below_something_that_was_removed_for_good_has_a_place(log: PulledLog, reader: Reader) -> None:
    thread_id, ids = chat(log, 2)
    alone = log.message(thread_id, None, "alone")
    reader.pull()
    log.delete("message", alone)
    reader.pull()
    purge(reader)
    assert reader.one("SELECT count(*) FROM messages WHERE id = ?", alone) == 0
    log.message(thread_id, alone, "below what is gone", device=BENS)

    [applied] = reader.pull()

    assert len(applied.versions) == 1
    assert reader.shown(thread_id) == ["text 0", "text 1"]
    assert reader.one("SELECT purged_at IS NOT NULL FROM messages WHERE id = ?", alone) == 1

    log.delete("thread", thread_id)
    reader.pull()
    purge(reader)
    assert reader.one("SELECT count(*) FROM threads WHERE id = ?", thread_id) == 0
    last = log.message(thread_id, ids[1], "after the end", device=BENS)
    log.message(thread_id, last, "and on", device=BENS)

    [applied] = reader.pull()

    assert reader.shown(thread_id) == ["after the end", "and on"]
    assert reader.title(thread_id) == "A thread"
    assert not reader.is_hidden(thread_id)
    assert applied.new_threads == {thread_id}


# The rest


def test_the_clock_follows_others_but_not_far(log: PulledLog, reader: Reader) -> None:
    clock = reader.profile.db.hybrid_clock
    near, far = (reader.clock.now + 30_000) << 16, (reader.clock.now + 10**9) << 16
    log.edit("project", log.project_id, "name", {"name": "From the far future"}, hlc=far)
    reader.pull()
    assert stamp_ms(clock.next()) < reader.clock.now + 10_000
    log.edit("project", log.project_id, "lww.colour", {"colour": "#112233"}, hlc=near)
    reader.pull()
    assert clock.next() > near
    assert reader.one("SELECT last_hlc FROM devices WHERE is_mine = 1") == near


def test_what_was_seen_of_each_device_is_kept(log: PulledLog, reader: Reader) -> None:
    thread_id, _ = chat(log)
    log.message(thread_id, None, "x", device=BENS)
    reader.pull(page=2)
    seen = dict(reader.rows("SELECT device, dseq FROM seen_changes WHERE project_id = ?", log.project_id))
    assert seen == {ANNS: 5, BENS: 1}


def test_ids_of_parts_that_are_taken_are_replaced(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    part = {"id": new_id(), "type": "text", "content": {"text": "once"}}
    first = log.message(thread_id, None, more_body={"parts": [part]})
    reader.pull()
    second = log.message(thread_id, first, more_body={"parts": [part, part]})
    reader.pull()
    assert reader.one("SELECT count(DISTINCT id) FROM message_parts") == 3
    assert reader.shown(thread_id) == ["once", "onceonce"]
    assert second in dict(reader.rows("SELECT id, on_path FROM messages"))


def test_a_message_without_text_keeps_its_place(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    gone = log.message(thread_id, None, more_body={"is_purged": True})
    log.message(thread_id, gone, "below")
    [applied] = reader.pull()
    assert reader.shown(thread_id) == ["below"]
    assert reader.one("SELECT position FROM messages WHERE parent_id = ?", gone) == 1
    assert reader.one("SELECT purged_at FROM messages WHERE id = ?", gone) is not None
    assert len(applied.new_messages) == 1


def _as_pulled(change: WireChange | PulledChange) -> tuple[Any, ...]:
    body = json.loads(change.body or "null")
    return change.id, change.dseq, change.entity, change.reg, change.parents, change.hlc, change.v, body


def test_statuses_that_are_not_final_are_made_so(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    for status in ("pending", "streaming", "new one", 7):
        log.message(thread_id, None, more_body={"status": status})
    reader.pull()
    assert reader.rows("SELECT DISTINCT status FROM messages") == [("interrupted",)]


def test_words_of_others_are_found(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread("Zebras")
    log.message(thread_id, None, "quagga 世界")
    reader.pull()
    found = reader.rows("SELECT count(*) FROM search_index WHERE search_index MATCH 'quagga'")
    assert found == [(1,)]
    assert reader.rows("SELECT count(*) FROM search_names WHERE search_names MATCH 'zebras'") == [(1,)]


def test_a_damaged_index_stops_nothing(log: PulledLog, reader: Reader) -> None:
    reader.profile.db.raw.execute("INSERT INTO meta (key, value) VALUES (?, '1')", (search_index.DAMAGED,))
    thread_id, _ = chat(log)
    reader.pull()
    assert len(reader.shown(thread_id)) == 4
    assert reader.one("SELECT count(*) FROM search_queue WHERE kind = 'message'") == 4
    reader.profile.db.raw.execute("DELETE FROM search_queue")
    while search_index.fill_batch(reader.profile.db.raw) is not None:
        pass


# Times


def test_nothing_is_shown_as_later_than_the_server_took_it(log: PulledLog, reader: Reader) -> None:
    late = START_MS + 10**11
    thread_id = log.thread()
    part = {"id": new_id(), "type": "text", "content": {"text": "from 2030"}, "started_at": late, "completed_at": late}
    times = {"created_at": late, "completed_at": late, "parts": [part]}
    message = log.message(thread_id, more_body=times)
    later = new_id()
    log.add("thread", "new", later, {"title": "T", "title_source": "person", "created_at": late})
    log.add("summary", "new", new_id(), {**summary(thread_id, message, message), "created_at": late})

    reader.pull()

    limits = [row.at + 60_000 for row in log.rows]
    shown = "SELECT created_at, completed_at FROM messages"
    assert reader.rows(shown) == [(limits[1], limits[1])]
    assert reader.rows("SELECT started_at, completed_at FROM message_parts") == [(limits[1], limits[1])]
    assert reader.rows("SELECT created_at, last_activity_at FROM threads WHERE id = ?", later) == [(limits[2],) * 2]
    assert reader.rows("SELECT created_at FROM summaries") == [(limits[3],)]


@pytest.mark.parametrize("later", [10**8, -(10**8), 10**12])
def test_times_are_bounded_by_when_a_restored_server_took_it_again(log: PulledLog, later: int) -> None:
    late = START_MS + 10**11
    part = {"id": new_id(), "type": "text", "content": {"text": "hi"}, "started_at": late - 1, "completed_at": late}
    thread_id = new_id()
    log.add("thread", "new", thread_id, {"title": "T", "title_source": "person", "created_at": late})
    times = {"created_at": START_MS + 10_000, "completed_at": late, "parts": [part]}
    message = log.message(thread_id, more_body=times)
    log.add("summary", "new", new_id(), {**summary(thread_id, message, message), "created_at": late})
    known, joins = Reader(log), Reader(log)
    known.pull()
    known.profile.store.start_over(log.project_id)
    rows, log.rows = log.rows, []
    for row in rows:
        again = replace(row, at=row.at + later)
        log.rows.append(replace(again, chain=again.chain_after(log.rows[-1].chain if log.rows else None)))
    known.pull()
    joins.pull()

    for times_of in (
        "SELECT created_at FROM threads",
        "SELECT created_at, completed_at FROM messages",
        "SELECT started_at, completed_at FROM message_parts",
        "SELECT created_at FROM summaries",
    ):
        assert known.rows(times_of) == joins.rows(times_of)
    known.close()
    joins.close()


def test_the_same_holds_where_it_waited(log: PulledLog, reader: Reader) -> None:
    late = START_MS + 10**11
    thread_id, missing = log.thread(), new_id()
    log.message(thread_id, missing, more_body={"created_at": late})
    log.message(thread_id, None, message_id=missing)
    reader.pull(page=1)
    assert reader.one("SELECT max(created_at) FROM messages") == log.rows[1].at + 60_000
    assert reader.one("SELECT count(*) FROM changes WHERE kind = 'message' AND body IS NOT NULL") == 1


def test_who_writes_with_a_clock_that_is_ahead_holds_the_same_as_others(log: PulledLog, reader: Reader) -> None:
    """By the digest, which compares what is the same for all of them."""
    thread_id = log.thread()
    message = log.message(thread_id, more_body={"created_at": START_MS + 10**11})
    reader.pull()
    others = reader.digest()
    reader.profile.db.raw.execute("UPDATE messages SET created_at = ? WHERE id = ?", (START_MS + 10**11, message))
    assert reader.digest() == others


def test_what_is_old_stays_so(log: PulledLog, reader: Reader) -> None:
    """Chats are imported, and branches copy what is older than they are."""
    log.message(log.thread(), more_body={"created_at": 1_000_000_000_000})
    reader.pull()
    assert reader.one("SELECT created_at FROM messages") == 1_000_000_000_000
