"""Sharing what was there before, taking up what others shared, and the end of a share."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.message import PartType, Status
from chatdesk.core.domain.sharing.sync_wire import Hello, ProjectHead, PushResult, PushStatus, TeamView, WireChange
from chatdesk.core.domain.sharing.team import ChangeState, EndReason, ShareState, TeamRole
from chatdesk.core.domain.turn import StreamChunk, TurnOutcome
from chatdesk.core.errors import NotPossible, ProjectNotFound
from chatdesk.core.ids import new_id
from chatdesk.core.storage.library.library import LibraryRepository
from chatdesk.core.storage.sync import entering, outbox, sharing, team
from tests.helpers.store import PLAN, Store

T = TypeVar("T")
WORKSPACE = "0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e"


def now(store: Store, work: Callable[[Connection], T]) -> T:
    return store.db.write_now(work)


async def home(store: Store) -> str:
    return (await store.projects.default()).id


def begin(store: Store, project: str, workspace: str = WORKSPACE, role: TeamRole = TeamRole.OWNER) -> None:
    now(store, lambda conn: sharing.start(conn, store.db.origin, project, workspace, role, "channel"))


def step(store: Store, project: str, rows: int = 500) -> tuple[int, int] | None:
    return now(store, lambda conn: entering.log_batch(conn, store.db.origin, project, rows=rows))


def enter_all(store: Store, project: str, rows: int = 500) -> int:
    steps = 0
    while step(store, project, rows) is not None:
        steps += 1
    return steps


def waiting(store: Store, project: str) -> list[WireChange]:
    return now(store, lambda conn: outbox.pending(conn, project, max_rows=10_000, max_bytes=2**40))


def state(store: Store, project: str) -> Any:
    return now(store, lambda conn: team.shared_project(conn, project))


def words(changes: list[WireChange]) -> list[tuple[str, str, str]]:
    return [(change.kind, change.op, change.reg) for change in changes]


def parents_come_first(changes: list[WireChange]) -> bool:
    seen: set[str | None] = {None}
    for change in changes:
        body = json.loads(change.body or "{}")
        if change.kind == "message" and change.op == "new":
            if body.get("parent_id") not in seen or body["thread_id"] not in seen:
                return False
        elif change.op != "new" and change.entity not in seen:
            return False
        seen.add(change.entity)
    return True


async def test_a_thread_and_a_message_of_one_id_are_both_entered(store: Store) -> None:
    """Only hostile members make such: nothing is left out for it."""
    project, thread = await home(store), await store.thread("Plans")
    question, _ = await store.ask(thread, "one")
    await store.db.write(lambda conn: _same_id(conn, thread, question))
    begin(store, project)
    enter_all(store, project)
    made = [(change.kind, change.op) for change in waiting(store, project) if change.entity == thread]
    assert {("thread", "new"), ("message", "new")} <= set(made)


def _same_id(conn: Connection, thread: str, message: str) -> None:
    conn.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    for statement in (
        "UPDATE messages SET id = ? WHERE id = ?",
        "UPDATE messages SET parent_id = ? WHERE parent_id = ?",
        "UPDATE messages SET chosen_child_id = ? WHERE chosen_child_id = ?",
        "UPDATE message_parts SET message_id = ? WHERE message_id = ?",
        "UPDATE threads SET chosen_root_id = ? WHERE chosen_root_id = ?",
    ):
        conn.exec_driver_sql(statement, (thread, message))


async def test_everything_of_a_project_is_entered_once_and_in_order(store: Store) -> None:
    project, thread = await home(store), await store.thread("Plans")
    question, answer = await store.ask(thread, "one")
    await store.ask(thread, "two")
    _, version, _ = await store.messages.add_question_version(question, "one, better", PLAN)
    assert version is not None
    await store.answer(version.id, "better")
    await store.threads.rename(thread, "Better plans")
    await store.library.set_flag([thread], "pinned_at", 1_800_000_000_000, "pinned")
    library = LibraryRepository(store.db)
    await library.tag([thread], add=["Urgent"], remove=[])
    file = Attachment("notes.txt", "text/plain", "ab" * 32, 12)
    await store.messages.add_question(thread, "look", with_answer=None, attachments=[file])
    await store.paths.delete(answer, with_later=False)
    begin(store, project)
    assert waiting(store, project) == []  # nothing is sent before all is entered
    assert state(store, project).state is ShareState.SHARING
    assert enter_all(store, project, rows=2) > 2
    assert state(store, project).state is ShareState.SHARED
    assert step(store, project) is None
    first = waiting(store, project)
    assert not any("notes.txt" in (change.body or "") for change in first)  # it waits for its file
    store.db.write_now(lambda conn: conn.exec_driver_sql("UPDATE shared_files SET state = 'sent'"))
    changes = waiting(store, project)
    assert parents_come_first(changes)
    assert len({change.id for change in changes}) == len(changes)
    assert [change.dseq for change in changes] == sorted(change.dseq for change in changes)
    kinds = words(changes)
    assert kinds.count(("message", "new", "content")) == 7
    assert kinds.count(("message", "del", "content")) == 1
    assert kinds.count(("thread", "new", "content")) == 1
    assert ("thread", "edit", "lww.pinned") not in kinds
    tag = next(change for change in changes if change.reg.startswith("lww.tag."))
    assert json.loads(tag.body or "") == {"is_on": True, "name": "Urgent"}
    title = next(change for change in changes if change.reg == "title")
    assert json.loads(title.body or "") == {"title": "Better plans", "title_source": "person"}
    assert changes[0].kind == "project"
    assert changes[: len(first)] == first


async def test_what_is_sent_holds_no_old_register_and_no_path(store: Store) -> None:
    project, thread = await home(store), await store.thread()
    for name in ("first", "second", "third"):
        await store.threads.rename(thread, name)
    begin(store, project)
    enter_all(store, project)
    text = "".join(change.body or "" for change in waiting(store, project))
    assert "first" not in text
    assert "second" not in text
    assert str(store.path) not in text


async def test_a_share_that_is_broken_off_at_any_step_goes_on_to_the_same(store: Store) -> None:
    project = await home(store)
    for _ in range(3):
        thread = await store.thread()
        await store.ask(thread)
        await store.ask(thread)
    begin(store, project)
    while True:
        await store.reopen()  # as after kill -9: what was committed is there
        if step(store, project, 3) is None:
            break
    changes = waiting(store, project)
    assert parents_come_first(changes)
    assert words(changes).count(("message", "new", "content")) == 12
    assert words(changes).count(("thread", "new", "content")) == 3


async def test_what_is_written_meanwhile_is_entered_once_after_what_it_stands_below(store: Store) -> None:
    project = await home(store)
    threads = [await store.thread(f"t{n}") for n in range(4)]
    for thread in threads:
        await store.ask(thread)
    begin(store, project)
    n = 0
    while True:
        n += 1
        for thread in threads:
            await store.ask(thread, f"meanwhile {n}")
        await store.threads.rename(threads[n % 4], f"renamed {n}")
        fresh = await store.thread(f"made meanwhile {n}")
        await store.ask(fresh)
        if step(store, project, 5) is None or n > 30:
            break
    enter_all(store, project)
    changes = waiting(store, project)
    assert parents_come_first(changes)
    new = [change.entity for change in changes if change.op == "new"]
    assert len(new) == len(set(new))
    messages = await store.db.read(lambda conn: conn.exec_driver_sql("SELECT count(*) FROM messages").scalar())
    assert words(changes).count(("message", "new", "content")) == messages


async def test_an_answer_that_is_being_written_is_logged_when_it_ends(store: Store) -> None:
    project, thread = await home(store), await store.thread()
    question, answer, _ = await store.messages.add_question(thread, "q", with_answer=PLAN)
    assert answer is not None
    await store.messages.start_streaming(answer.id, 1)
    await store.messages.append_chunks(answer.id, [StreamChunk(0, PartType.TEXT, "so ")])
    below, _, _ = await store.messages.add_question(thread, "and?", parent_id=answer.id, with_answer=None)
    begin(store, project)
    enter_all(store, project)
    before = [change.entity for change in waiting(store, project) if change.kind == "message"]
    assert before == [question.id]
    await store.messages.finish(answer.id, TurnOutcome(Status.COMPLETE, store.clock.now_ms()))
    after = [change.entity for change in waiting(store, project) if change.kind == "message"]
    assert after == [question.id, answer.id, below.id]


async def test_two_copies_of_a_project_enter_equal_changes(store: Store) -> None:
    project, thread = await home(store), await store.thread("same")
    await store.ask(thread)
    begin(store, project)
    enter_all(store, project)
    first = {change.id for change in waiting(store, project)}

    def forget(conn: Connection) -> None:
        for table in ("shared_projects", "changes", "register_heads"):
            conn.exec_driver_sql(f"DELETE FROM {table}")

    now(store, forget)
    begin(store, project)
    enter_all(store, project)
    assert {change.id for change in waiting(store, project)} == first


async def test_a_copy_that_says_something_else_makes_another_version(store: Store) -> None:
    project, thread = await home(store), await store.thread("same")
    begin(store, project)
    enter_all(store, project)
    first = {change.id: change.reg for change in waiting(store, project)}

    def forget(conn: Connection) -> None:
        for table in ("shared_projects", "changes", "register_heads"):
            conn.exec_driver_sql(f"DELETE FROM {table}")

    now(store, forget)
    await store.threads.rename(thread, "different")
    begin(store, project)
    enter_all(store, project)
    second = {change.id: change.reg for change in waiting(store, project)}
    assert {second[each] for each in second.keys() - first.keys()} == {"title"}


async def test_trashed_threads_are_deleted_for_others_too_and_purged_ones_never_come(store: Store) -> None:
    project, kept, gone = await home(store), await store.thread("trashed"), await store.thread("purged")
    await store.ask(kept)
    await store.ask(gone)
    await store.library.delete([gone])
    await store.trash.purge_expired(store.clock.now_ms() + 1)
    await store.library.delete([kept])
    begin(store, project)
    enter_all(store, project)
    changes = waiting(store, project)
    assert gone not in {change.entity for change in changes}
    assert (changes[-1].op, changes[-1].entity) == ("del", kept)
    covers = json.loads(changes[-1].body or "")["covers"]
    assert covers[store.db.device_id] == changes[-2].dseq


async def test_what_goes_up_is_counted_equal_files_once(store: Store) -> None:
    project, thread = await home(store), await store.thread()
    file = Attachment("a.txt", "text/plain", "cd" * 32, 100)
    for _ in range(2):
        await store.messages.add_question(thread, "x", with_answer=None, attachments=[file])
    found = now(store, lambda conn: sharing.count(conn, project))
    assert (found.threads, found.messages, found.attachments, found.attachment_bytes) == (1, 2, 1, 100)


async def test_only_a_live_project_that_is_not_shared_can_be_shared(store: Store) -> None:
    project = await home(store)
    with pytest.raises(ProjectNotFound):
        begin(store, new_id())
    begin(store, project)
    with pytest.raises(NotPossible):
        begin(store, project)


async def test_a_project_of_others_appears_with_a_placeholder_and_logs_nothing(store: Store) -> None:
    head = ProjectHead(new_id(), "editor", "ch", 40)
    before = await store.db.read(lambda conn: conn.exec_driver_sql("SELECT count(*) FROM changes").scalar())
    now(store, lambda conn: sharing.adopt(conn, store.db.origin, head, WORKSPACE))
    found = state(store, head.project_id)
    assert (found.state, found.role, found.seq) == (ShareState.SHARED, TeamRole.EDITOR, 0)
    assert (await store.projects.get(head.project_id)).name == sharing.PLACEHOLDER
    after = await store.db.read(lambda conn: conn.exec_driver_sql("SELECT count(*) FROM changes").scalar())
    assert before == after
    progress = await store.db.read(
        lambda conn: conn.exec_driver_sql("SELECT progress FROM shared_projects").scalar_one()
    )
    assert json.loads(progress) == {"joined_seq": 40}


async def test_a_copy_of_a_project_that_another_computer_shared_is_entered(store: Store) -> None:
    project, thread = await home(store), await store.thread()
    await store.projects.create("Other")
    await LibraryRepository(store.db).delete_project(project)
    now(store, lambda conn: sharing.adopt(conn, store.db.origin, ProjectHead(project, "owner", "c", 9), WORKSPACE))
    assert state(store, project).state is ShareState.SHARING
    assert (await store.projects.get(project)).deleted_at is None
    enter_all(store, project)
    assert thread in {change.entity for change in waiting(store, project)}


async def test_a_project_that_was_removed_for_good_comes_again_whole(store: Store) -> None:
    await store.projects.create("Other")
    project, thread = await home(store), await store.thread()
    await store.ask(thread)
    begin(store, project)
    enter_all(store, project)
    now(store, lambda conn: sharing.end(conn, project, EndReason.REMOVED))
    await LibraryRepository(store.db).delete_project(project)
    await store.trash.purge_expired(store.clock.now_ms() + 10**12)
    with pytest.raises(ProjectNotFound):
        await store.projects.get(project)
    head = ProjectHead(project, "editor", "c", 9)
    now(store, lambda conn: sharing.adopt(conn, store.db.origin, head, WORKSPACE))
    assert (await store.projects.get(project)).name == sharing.PLACEHOLDER
    assert waiting(store, project) == []
    rows = await store.db.read(
        lambda conn: conn.exec_driver_sql(
            "SELECT count(*) FROM register_heads h LEFT JOIN changes c ON c.id = h.change_id WHERE c.id IS NULL"
        ).scalar()
    )
    assert rows == 0


async def test_a_copy_that_was_written_in_waits_for_share_once_its_project_is_open_again(store: Store) -> None:
    project, thread = await home(store), await store.thread()
    hello = Hello(WORKSPACE, "Team", 1, "rw", new_id(), "Me", False, store.clock.now_ms())
    is_open = TeamView((ProjectHead(project, "editor", "ch", 9),), (), (), ())

    def take(view: TeamView) -> frozenset[str]:
        def work(conn: Connection) -> frozenset[str]:
            return team.store_view(conn, store.db.origin, hello, view, before=team.shares(conn))

        return now(store, work)

    begin(store, project)
    enter_all(store, project)
    now(store, lambda conn: sharing.end(conn, project, EndReason.REMOVED))
    await store.ask(thread)
    assert not state(store, project).is_let_in
    assert take(is_open) == {project}
    assert (state(store, project).state, state(store, project).is_let_in) == (ShareState.ENDED, True)
    assert waiting(store, project) == [], "nothing goes up by itself"
    assert take(is_open) == frozenset(), "that is no news any more"
    assert take(TeamView((), (), (), ())) == {project}
    assert not state(store, project).is_let_in, "it was closed again"
    take(is_open)
    begin(store, project)
    assert (state(store, project).state, state(store, project).is_let_in) == (ShareState.SHARING, False)


# Two things under one id: only a hostile member makes them.


def bear(store: Store, thread: str, message: str) -> None:
    """Let an empty thread have the id of a message."""

    def work(conn: Connection) -> None:
        for table, column in (("threads", "id"), ("changes", "entity"), ("register_heads", "entity")):
            conn.exec_driver_sql(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (message, thread))

    now(store, work)


def heads(store: Store, entity: str) -> list[tuple[str, str]]:
    query = (
        "SELECT c.kind, c.op FROM register_heads h JOIN changes c ON c.id = h.change_id"
        " WHERE h.entity = ? AND h.reg = 'content' ORDER BY 1, 2"
    )
    return now(store, lambda conn: [(row[0], row[1]) for row in conn.exec_driver_sql(query, (entity,))])


@pytest.mark.parametrize("is_deleted", [False, True])
async def test_entering_a_thread_leaves_a_message_of_its_id_elsewhere_alone(store: Store, is_deleted: bool) -> None:
    project, thread = await home(store), await store.thread()
    begin(store, project)
    enter_all(store, project)
    message, _ = await store.ask(thread, "one")
    before = waiting(store, project)
    other = (await store.projects.create("Other")).id
    invented = (await store.threads.create(other, "Invented", provider=None, model=None)).id
    bear(store, invented, message)
    if is_deleted:
        await store.library.delete([message])
    begin(store, other, new_id())
    enter_all(store, other)
    assert waiting(store, project) == before
    assert heads(store, message) == [("message", "new"), ("thread", "del" if is_deleted else "new")]
    assert ("thread", "new", "content") in words(waiting(store, other))


async def test_a_thread_is_entered_although_a_message_of_its_id_is_in_the_log(store: Store) -> None:
    project, invented = await home(store), await store.thread("Invented")
    begin(store, project)
    message, _ = await store.ask(await store.thread("Made meanwhile"), "one")
    bear(store, invented, message)
    now(
        store, lambda conn: conn.exec_driver_sql("DELETE FROM changes WHERE entity = ? AND kind = 'thread'", (message,))
    )
    enter_all(store, project)
    assert {change.kind for change in waiting(store, project) if change.entity == message} == {"message", "thread"}


async def test_who_wished_the_end_is_known_until_the_server_names_the_project_after_it(store: Store) -> None:
    def names(project: str) -> None:
        now(store, lambda conn: sharing.update(conn, ProjectHead(project, "owner", "c", 9)))

    def ended_by(project: str) -> EndReason | None:
        now(store, lambda conn: sharing.end(conn, project, EndReason.DELETED))
        found: EndReason | None = state(store, project).ended
        return found

    heard, withdrawn = await store.projects.create("heard"), await store.projects.create("withdrawn")
    for project in (heard.id, withdrawn.id):
        begin(store, project)
        now(store, lambda conn, project=project: sharing.record_wish(conn, project, EndReason.UNSHARED))
        enter_all(store, project)  # what is entered in the meantime forgets nothing
        names(project)  # read before the server knew
    assert ended_by(heard.id) is EndReason.UNSHARED
    now(store, sharing.doubt_wishes)
    names(withdrawn.id)
    assert ended_by(withdrawn.id) is EndReason.DELETED


async def test_an_ended_share_leaves_a_private_copy_that_logs_for_itself(store: Store) -> None:
    project, thread = await home(store), await store.thread()
    begin(store, project)
    enter_all(store, project)
    now(store, lambda conn: sharing.end(conn, project, EndReason.REMOVED))
    found = state(store, project)
    assert (found.state, found.ended, found.waiting) == (ShareState.ENDED, EndReason.REMOVED, 0)
    await store.ask(thread)
    assert waiting(store, project) == []
    assert state(store, project).waiting == 0


async def test_sharing_with_the_same_team_again_goes_on_where_it_ended(store: Store) -> None:
    project, thread = await home(store), await store.thread()
    begin(store, project)
    enter_all(store, project)
    sent = waiting(store, project)
    results = [PushResult(each.id, PushStatus.OK, seq, each.hlc) for seq, each in enumerate(sent, 1)]
    now(store, lambda conn: outbox.record_push_results(conn, store.db.origin, project, results))
    await store.threads.rename(thread, "not sent")
    now(store, lambda conn: sharing.end(conn, project, EndReason.LEFT))
    await store.ask(thread, "while private")
    other = await store.projects.create("Other")
    moved = (await store.threads.create(other.id, "moved in", provider=None, model=None)).id
    await LibraryRepository(store.db).set_flag([moved], "project_id", project, "move")
    begin(store, project)
    enter_all(store, project)
    again = waiting(store, project)
    assert {each.id for each in sent} <= {each.id for each in again}
    assert parents_come_first(again)
    new = [each.entity for each in again if each.op == "new"]
    assert len(new) == len(set(new))
    assert moved in new
    assert any("not sent" in (each.body or "") for each in again)
    assert any("while private" in (each.body or "") for each in again)


@pytest.mark.parametrize("steps", [0, 1, 4])
async def test_a_share_ended_while_entering_keeps_its_earlier_log_private(store: Store, steps: int) -> None:
    project, thread = await home(store), await store.thread("what nobody is to know")
    await store.threads.rename(thread, "the title")
    await store.ask(thread, "asked")
    for _ in range(2):
        begin(store, project)
        for _ in range(steps):
            step(store, project, rows=1)
        now(store, lambda conn: sharing.end(conn, project, EndReason.UNSHARED))
    await store.ask(thread, "asked while private")
    begin(store, project)
    enter_all(store, project)
    sent = waiting(store, project)
    assert not any("nobody" in (each.body or "") for each in sent)
    assert [(each.kind, each.op) for each in sent[:1]] == [("project", "new")]
    assert parents_come_first(sent)
    assert len([each for each in sent if each.kind == "message"]) == 4
    now(store, lambda conn: sharing.end(conn, project, EndReason.UNSHARED))
    begin(store, project)
    enter_all(store, project)
    assert {each.id for each in waiting(store, project)} == {each.id for each in sent}


async def test_sharing_with_another_team_enters_all_anew(store: Store) -> None:
    project, thread = await home(store), await store.thread()
    await store.ask(thread)
    begin(store, project)
    enter_all(store, project)
    sent = waiting(store, project)
    results = [PushResult(each.id, PushStatus.OK, seq, each.hlc) for seq, each in enumerate(sent, 1)]
    now(store, lambda conn: outbox.record_push_results(conn, store.db.origin, project, results))
    now(store, lambda conn: sharing.end(conn, project, EndReason.UNSHARED))
    begin(store, project, new_id())
    enter_all(store, project)
    again = waiting(store, project)
    assert len(again) == len(sent)
    assert not {each.id for each in sent} & {each.id for each in again}


async def test_many_messages_are_entered_in_short_steps(store: Store) -> None:
    project, thread = await home(store), await store.thread()
    ids = [new_id() for _ in range(3_000)]
    rows = [(each, thread, ids[n - 1] if n else None, n, n) for n, each in enumerate(ids)]
    now(
        store,
        lambda conn: conn.exec_driver_sql(
            "INSERT INTO messages (id, thread_id, parent_id, role, status, position, created_at)"
            " VALUES (?, ?, ?, 'user', 'complete', ?, ?)",
            rows,
        ),
    )
    begin(store, project)
    started = time.perf_counter()
    assert enter_all(store, project) >= 6
    assert len(ids) / (time.perf_counter() - started) > 1_000  # 33,000 where nothing else runs
    assert state(store, project).waiting > len(ids)


async def test_states_of_the_old_log_are_private(store: Store) -> None:
    project, thread = await home(store), await store.thread()
    await store.ask(thread)
    begin(store, project)
    enter_all(store, project)
    rows = await store.db.read(
        lambda conn: conn.exec_driver_sql("SELECT state, count(*) FROM changes GROUP BY state ORDER BY state").all()
    )
    assert [row[0] for row in rows] == [ChangeState.PENDING, ChangeState.PRIVATE]
