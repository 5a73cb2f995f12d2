"""What waits to be sent, and what becomes of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.sharing.sync_wire import MAX_BODY_BYTES, PushResult, PushStatus, WireChange
from chatdesk.core.domain.sharing.team import ChangeState, ServerAddress, TeamRole, Workspace
from chatdesk.core.errors import NotPossible
from chatdesk.core.ids import new_id
from chatdesk.core.storage.chat.artifacts import ArtifactRepository
from chatdesk.core.storage.chat.context_store import ContextRepository
from chatdesk.core.storage.engine import change_log
from chatdesk.core.storage.engine.own_device import own_device
from chatdesk.core.storage.sync import entering, joining_again, outbox, refused, sharing, team
from chatdesk.core.storage.sync.store import SyncStore
from tests.helpers.store import PLAN, MovableClock, Store

T = TypeVar("T")
WORKSPACE = "0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e"


@dataclass
class Shared:
    """A store whose first project is shared, all of it confirmed."""

    store: Store
    project: str
    thread: str

    def do(self, work: Callable[[Connection], T]) -> T:
        return self.store.db.write_now(work)

    def pending(self, *, max_rows: int = 1000, max_bytes: int = 2**40) -> list[WireChange]:
        return self.do(
            lambda conn: outbox.pending(conn, self.project, max_rows=max_rows, max_bytes=max_bytes, put_blob=self.put)
        )

    def put(self, data: bytes) -> str:
        return hashlib.sha256(data).hexdigest()

    def settle(self, changes: list[WireChange], status: PushStatus = PushStatus.OK) -> Any:
        results = [PushResult(each.id, status, n, each.hlc - 1) for n, each in enumerate(changes, 1)]
        return self.do(lambda conn: outbox.record_push_results(conn, self.store.db.origin, self.project, results))

    def sql(self, query: str, *values: Any) -> list[Any]:
        return [tuple(row) for row in self.do(lambda conn: conn.exec_driver_sql(query, values).all())]

    def run(self, query: str, *values: Any) -> None:
        self.do(lambda conn: conn.exec_driver_sql(query, values))

    def become_another_device(self) -> None:
        self.do(lambda conn: joining_again.become_another_device(conn, 5))
        self.store.db.become(self.do(own_device))

    def join(self) -> None:
        """Also again."""
        address = ServerAddress("team.example", 5432, "team", "x")
        self.do(lambda conn: team.add_workspace(conn, Workspace(WORKSPACE, "Team", address, "m", False, 1)))
        self.store.db.become(self.do(own_device))

    def counts(self) -> tuple[int, int]:
        """(changes that wait, changes that were refused)"""
        said = self.do(lambda conn: team.shared_project(conn, self.project))
        assert said is not None
        return said.waiting, said.refused

    def confirm(self) -> None:
        self.run("UPDATE changes SET state = 1 WHERE state IN (0, 4)")

    def states(self) -> dict[int, int]:
        return dict(self.sql("SELECT state, count(*) FROM changes WHERE project_id = ? GROUP BY 1", self.project))


@pytest.fixture
async def shared(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Shared]:
    store = Store(tmp_path / "data" / "chatdesk.db", clock)
    await store.db.open()
    project, thread = (await store.projects.default()).id, await store.thread("Shared")
    made = Shared(store, project, thread)

    def share(conn: Connection) -> None:
        sharing.start(conn, store.db.origin, project, WORKSPACE, TeamRole.OWNER, "c")
        while entering.log_batch(conn, store.db.origin, project) is not None:
            continue
        conn.exec_driver_sql("UPDATE changes SET state = 1 WHERE state = 0")

    made.do(share)
    yield made
    await store.db.close()


# What is sent


async def test_changes_go_in_their_order_with_their_bodies(shared: Shared) -> None:
    question, answer = await shared.store.ask(shared.thread, "why?")
    await shared.store.threads.rename(shared.thread, "Reasons")
    found = shared.pending()
    assert [(each.kind, each.op, each.reg, each.entity) for each in found] == [
        ("message", "new", "content", question),
        ("message", "new", "content", answer),
        ("thread", "edit", "title", shared.thread),
    ]
    body = json.loads(found[1].body or "")
    assert (body["parent_id"], body["parts"][0]["content"]) == (question, {"text": "answer to why?"})
    assert found[2].parents == tuple(
        row[0] for row in shared.sql("SELECT id FROM changes WHERE reg = 'title' AND state = 1")
    )


async def test_batches_are_bounded_but_never_empty(shared: Shared) -> None:
    for _ in range(3):
        await shared.store.ask(shared.thread, "x" * 2_000)
    assert len(shared.pending(max_rows=2)) == 2
    assert len(shared.pending(max_bytes=1)) == 1
    assert 1 < len(shared.pending(max_bytes=8_000)) < 6
    assert len(shared.pending()) == 6


async def test_more_than_one_look_is_taken_together(shared: Shared) -> None:
    for n in range(230):
        await shared.store.threads.rename(shared.thread, f"title {n}")
    assert len(shared.pending()) == 230


async def test_personal_registers_are_never_sent(shared: Shared) -> None:
    question, _answer = await shared.store.ask(shared.thread)
    sent = len(shared.pending())
    await shared.store.library.set_flag([shared.thread], "pinned_at", 1_800_000_000_000, "pinned")
    await shared.store.library.set_flag([shared.thread], "archived_at", 1_800_000_000_000, "archived")
    await shared.store.library.set_flag([shared.thread], "archived_at", None, "archived")
    contexts = ContextRepository(shared.store.db)
    await contexts.start_at(shared.thread, question)
    assert len(shared.pending()) == sent
    # From before there were teams: logged as pending.
    shared.run("UPDATE changes SET state = 0 WHERE reg = 'lww.pinned'")
    assert len(shared.pending()) == sent
    assert shared.sql("SELECT DISTINCT state FROM changes WHERE reg = 'lww.pinned'") == [(ChangeState.PRIVATE,)]


async def test_a_private_project_sends_nothing(shared: Shared) -> None:
    other = await shared.store.projects.create("Private")
    thread = (await shared.store.threads.create(other.id, "secret", provider=None, model=None)).id
    await shared.store.ask(thread, "secret")
    assert shared.do(lambda conn: outbox.pending(conn, other.id, max_rows=9, max_bytes=999)) == []
    assert shared.pending() == []


async def purge(shared: Shared) -> None:
    """As while it was a private copy: nothing is removed for good from what is shared."""
    shared.run("UPDATE shared_projects SET state = 'ended'")
    await shared.store.trash.purge_expired(shared.store.clock.now_ms() + 1)
    shared.run("UPDATE shared_projects SET state = 'shared'")


async def test_what_was_removed_for_good_before_it_was_sent_stays_here(shared: Shared) -> None:
    question, _ = await shared.store.ask(shared.thread)
    await shared.store.paths.delete(question, with_later=True)
    await purge(shared)
    assert shared.sql("SELECT count(*) FROM messages") == [(0,)]
    assert shared.pending() == []
    assert ChangeState.PENDING not in shared.states()


async def test_an_emptied_message_keeps_its_place_for_what_is_below(shared: Shared) -> None:
    question, _ = await shared.store.ask(shared.thread)
    await shared.store.paths.delete(question, with_later=False)
    await purge(shared)
    first = shared.pending()[0]
    assert first.entity == question
    assert json.loads(first.body or "")["is_purged"] is True


# Files


async def test_a_change_waits_for_its_file_and_keeps_the_order(shared: Shared) -> None:
    await shared.store.ask(shared.thread, "before")
    file = Attachment("a.txt", "text/plain", "ab" * 32, 70)
    await shared.store.messages.add_question(shared.thread, "with file", with_answer=None, attachments=[file])
    await shared.store.ask(shared.thread, "after")
    assert len(shared.pending()) == 2
    assert shared.sql("SELECT sha256, size_bytes, state FROM shared_files") == [("ab" * 32, 70, "to_send")]
    assert len(shared.pending()) == 2
    shared.run("UPDATE shared_files SET state = 'sent'")
    assert len(shared.pending()) == 5
    shared.run("UPDATE shared_files SET state = 'missing'")
    assert len(shared.pending()) == 5  # nobody has it; the words go all the same


async def test_a_message_that_is_too_large_travels_as_a_file(shared: Shared) -> None:
    blobs: dict[str, bytes] = {}

    def put(data: bytes) -> str:
        blobs[shared.put(data)] = data
        return shared.put(data)

    question, _, _ = await shared.store.messages.add_question(
        shared.thread, "large " * (MAX_BODY_BYTES // 5), with_answer=None
    )

    def pending() -> list[WireChange]:
        return shared.do(lambda conn: outbox.pending(conn, shared.project, max_rows=9, max_bytes=10, put_blob=put))

    assert pending() == []
    (name,) = blobs
    assert shared.sql("SELECT sha256, state, size_bytes FROM shared_files") == [(name, "to_send", len(blobs[name]))]
    unnamed = ArtifactRepository(shared.store.db)
    assert await unnamed.unnamed([name]) == []  # it is not cleared away
    shared.run("UPDATE shared_files SET state = 'sent'")
    (sent,) = pending()
    body = json.loads(sent.body or "")
    assert (sent.entity, body.get("parts")) == (question.id, None)
    assert body["parts_file"] == {"sha256": name, "size_bytes": len(blobs[name])}
    assert json.loads(blobs[name])[0]["content"]["text"].startswith("large large")


async def test_without_a_place_for_files_a_large_message_waits(shared: Shared) -> None:
    await shared.store.messages.add_question(shared.thread, "x" * MAX_BODY_BYTES, with_answer=None)
    assert shared.do(lambda conn: outbox.pending(conn, shared.project, max_rows=9, max_bytes=9)) == []


# What becomes of it


async def test_taken_changes_adopt_the_servers_number_and_stamp(shared: Shared) -> None:
    await shared.store.ask(shared.thread)
    changes = shared.pending()
    settled = shared.settle(changes)
    assert (settled.acknowledged, settled.refused, settled.is_forked) == (2, (), False)
    assert shared.pending() == []
    rows = shared.sql("SELECT id, seq, hlc, state FROM changes WHERE state = 4 ORDER BY n")
    assert rows == [(each.id, n, each.hlc - 1, ChangeState.ACKNOWLEDGED) for n, each in enumerate(changes, 1)]
    assert shared.settle(changes, PushStatus.DUP).acknowledged == 0


async def test_accepted_changes_that_were_never_pulled_are_sent_again(shared: Shared) -> None:
    await shared.store.ask(shared.thread)
    changes = shared.pending()
    shared.settle(changes)
    assert shared.do(lambda conn: outbox.has_lost(conn, shared.project))
    assert shared.do(lambda conn: outbox.requeue_lost(conn, shared.project)) == 2
    assert [each.id for each in shared.pending()] == [each.id for each in changes]
    assert not shared.do(lambda conn: outbox.has_lost(conn, shared.project))


async def test_a_forked_change_waits_for_its_new_number(shared: Shared) -> None:
    await shared.store.ask(shared.thread)
    changes = shared.pending()
    settled = shared.settle(changes, PushStatus.FORKED)
    assert settled.is_forked
    assert [each.id for each in shared.pending()] == [each.id for each in changes]


async def test_a_refused_title_falls_back_and_can_be_seen_tried_again_and_forgotten(shared: Shared) -> None:
    await shared.store.threads.rename(shared.thread, "Not allowed")
    changes = shared.pending()
    assert shared.settle(changes, PushStatus.DENIED).refused == (changes[0].id,)
    assert (await shared.store.threads.get(shared.thread)).title == "Shared"
    (said,) = shared.do(refused.refused)
    assert (said.id, said.thread_id, said.kind, said.status, said.text) == (
        changes[0].id,
        shared.thread,
        "thread",
        "denied",
        "Not allowed",
    )
    assert "does not permit" in said.sentence
    assert shared.counts() == (0, 1)
    origin = shared.store.db.origin
    assert shared.do(lambda conn: refused.retry_refused(conn, origin, [said.id])) == 1
    again = shared.pending()
    assert [each.id for each in again] == [said.id]
    assert again[0].dseq > changes[0].dseq
    assert (await shared.store.threads.get(shared.thread)).title == "Not allowed"
    shared.settle(again, PushStatus.DENIED)
    assert shared.do(lambda conn: refused.forget_refused(conn, origin, [said.id])) == 1
    assert shared.do(refused.refused) == []
    assert shared.pending() == []


async def test_a_refused_message_stays_is_copied_out_and_forgotten(shared: Shared) -> None:
    store = shared.store
    question, answer = await store.ask(shared.thread, "my words")
    await store.threads.rename(shared.thread, "My title")
    shared.settle(shared.pending(), PushStatus.DENIED)
    assert await store.shown(shared.thread) == ["my words", "answer to my words"]
    said = shared.do(refused.refused)
    assert [each.text for each in said] == ["My title", "answer to my words", "my words"]
    assert [each.thread_id for each in said] == [shared.thread] * 3
    ids = [each.id for each in said]
    copy = shared.do(lambda conn: refused.copy_refused(conn, store.db.origin, ids))
    assert await store.shown(copy) == ["my words", "answer to my words", "My title"]
    home = (await store.threads.get(copy)).project_id
    assert home != shared.project
    assert len(shared.do(refused.refused)) == 3
    shared.do(lambda conn: refused.forget_refused(conn, store.db.origin, ids))
    assert await store.shown(shared.thread) == []
    assert {row[0] for row in shared.sql("SELECT id FROM messages WHERE deleted_at IS NOT NULL")} == {question, answer}
    assert shared.pending() == []
    with pytest.raises(NotPossible):
        shared.do(lambda conn: refused.copy_refused(conn, store.db.origin, ids))


async def test_a_refused_thread_lies_in_the_trash_once_it_is_forgotten(shared: Shared) -> None:
    made = (await shared.store.threads.create(shared.project, "Mine", provider=None, model=None)).id
    shared.settle(shared.pending(), PushStatus.ID_TAKEN)
    (said,) = shared.do(refused.refused)
    assert said.thread_id == made
    shared.do(lambda conn: refused.forget_refused(conn, shared.store.db.origin, [said.id]))
    assert (await shared.store.threads.get(made)).deleted_at is not None


async def test_heads_are_those_that_others_know(shared: Shared) -> None:
    query = "SELECT change_id FROM register_heads WHERE entity = ? AND reg = 'title'"
    (first,) = shared.sql(query, shared.thread)
    await shared.store.threads.rename(shared.thread, "one")
    await shared.store.threads.rename(shared.thread, "two")
    one, two = shared.pending()
    shared.settle([one], PushStatus.DENIED)
    assert set(shared.sql(query, shared.thread)) == {first, (two.id,)}
    shared.settle([two], PushStatus.DENIED)
    assert shared.sql(query, shared.thread) == [first]
    shared.do(lambda conn: refused.retry_refused(conn, shared.store.db.origin, [one.id, two.id]))
    assert shared.sql(query, shared.thread) == [(two.id,)]


# A server that was restored


async def test_beginning_again_makes_own_changes_pending_and_others_orphaned(shared: Shared) -> None:
    """Own are those of this person's other computers, too."""
    me = new_id()
    shared.run(
        "INSERT INTO workspaces (id, name, address, member_id, joined_at) VALUES (?, 'Desk', '{}', ?, 0)", WORKSPACE, me
    )
    foreign, own, other = new_id(), new_id(), new_id()
    for place, (change_id, author) in enumerate(((foreign, new_id()), (own, me)), 1):
        shared.run(
            "INSERT INTO changes (id, project_id, seq, device, dseq, kind, op, entity, reg, parents, hlc, body, state,"
            " mine, at, author) VALUES (?, ?, 9, ?, ?, 'thread', 'new', ?, 'content', '[]', 5, '{}', 1, 0, 1, ?)",
            *(change_id, shared.project, other, place, new_id(), author),
        )
    shared.run("UPDATE shared_projects SET seq = 9, chain = x'00'")
    shared.run(
        "INSERT INTO shared_files (project_id, sha256, state, size_bytes) VALUES (?, 'x', 'sent', 1)", shared.project
    )
    for _ in range(2):
        shared.do(lambda conn: outbox.start_over(conn, shared.project))
    states = shared.states()
    assert states[ChangeState.ORPHANED] == 1
    assert ChangeState.CONFIRMED not in states
    assert shared.sql("SELECT seq, chain FROM shared_projects") == [(0, None)]
    assert shared.sql("SELECT state FROM shared_files") == [("to_send",)]
    sent = {each.id: each.device for each in shared.pending()}
    assert sent[own] == other
    assert foreign not in sent
    assert set(sent.values()) == {None, other}


async def test_what_hangs_below_something_lost_says_so_and_what_changes_it_waits(shared: Shared) -> None:
    question, _answer = await shared.store.ask(shared.thread, "theirs")
    shared.confirm()
    shared.run("UPDATE changes SET state = 3, mine = 0, author = 'a', seq = NULL WHERE entity = ?", question)
    await shared.store.messages.add_question(shared.thread, "mine", with_answer=None)
    await shared.store.paths.delete(question, with_later=False)
    sent = {(each.kind, each.op): each for each in shared.pending()}
    below, deletion = sent["message", "new"], sent["message", "del"]
    assert deletion.entity == question
    shared.settle([deletion], PushStatus.ORPHAN)
    assert shared.do(refused.refused) == []
    assert shared.counts() == (1, 0)
    shared.do(lambda conn: outbox.offer_again(conn, WORKSPACE))
    assert {each.id for each in shared.pending()} == {below.id, deletion.id}
    shared.run("UPDATE changes SET seq = 1, state = 1 WHERE entity = ? AND op = 'new'", question)
    shared.settle([deletion], PushStatus.ORPHAN)
    assert [each.id for each in shared.do(refused.refused)] == [deletion.id]


async def test_a_placeholder_goes_with_the_digest_of_what_it_stands_for_and_is_never_shown_as_refused(
    shared: Shared,
) -> None:
    question, _ = await shared.store.ask(shared.thread, "mine")
    shared.confirm()
    stub = json.dumps({"thread_id": shared.thread, "is_purged": True})
    shared.run(
        "UPDATE changes SET erased = 1, digest = x'01', body = ? WHERE entity = ? AND op = 'new'", stub, question
    )
    shared.do(lambda conn: outbox.start_over(conn, shared.project))
    (sent,) = (each for each in shared.pending() if each.entity == question)
    assert (sent.erased, sent.body) == (b"\x01", stub)
    shared.settle([sent], PushStatus.ORPHAN)
    assert shared.do(refused.refused) == []


# A copied profile


async def test_becoming_another_device_numbers_what_waits_anew_in_order(shared: Shared) -> None:
    store, old = shared.store, shared.store.db.device_id
    question, _ = await store.ask(shared.thread, "confirmed")
    shared.confirm()
    reached = shared.sql("SELECT max(dseq) FROM changes WHERE state = 1 AND device = ?", old)[0][0]
    await store.ask(shared.thread, "waits")
    await store.paths.delete(question, with_later=False)
    before = shared.pending()
    sync = made_store(store)
    shared.become_another_device()
    new = sync.device()
    assert new != old
    assert store.db.device_id == new
    after = shared.pending()
    assert [each.id for each in after] == [each.id for each in before]
    assert [each.dseq for each in after] == list(range(1, len(after) + 1))
    covers = json.loads(after[-1].body or "")["covers"]
    assert covers[new] == len(after) - 1
    assert covers[old] == reached  # what came later under the old id may be the copy's
    await store.ask(shared.thread, "goes on")
    assert [each.dseq for each in shared.pending()] == list(range(1, len(after) + 3))
    assert await store.reopen() is not None
    assert store.db.device_id == new
    assert shared.do(lambda conn: change_log.seen(conn, store.db.origin, shared.project))[old] == reached


def made_store(store: Store) -> SyncStore:
    return SyncStore(WORKSPACE, store.db)


async def test_another_device_without_anything_waiting(shared: Shared) -> None:
    shared.run("UPDATE changes SET state = 5")
    shared.become_another_device()
    assert shared.sql("SELECT next_dseq FROM devices WHERE is_mine = 1") == [(1,)]


async def test_a_damaged_deletion_is_covered_all_the_same(shared: Shared) -> None:
    await shared.store.library.delete([shared.thread])
    shared.run("UPDATE changes SET body = 'nonsense' WHERE op = 'del'")
    shared.become_another_device()
    new = shared.store.db.device_id
    assert json.loads(shared.pending()[-1].body or "")["covers"] == {new: len(shared.pending()) - 1}


async def test_a_workspace_is_joined_again_once_no_answer_is_under_way(shared: Shared) -> None:
    """The log may have another end of that answer, by a copy of this profile."""
    _, answer = await shared.store.ask(shared.thread)
    shared.run("UPDATE messages SET status = 'streaming' WHERE id = ?", answer)
    shared.join()
    sync = made_store(shared.store)
    old = sync.device()
    sync.park()
    assert sync.device() == ""
    with pytest.raises(NotPossible):
        shared.join()
    assert sync.device() == ""
    shared.run("UPDATE messages SET status = 'complete' WHERE id = ?", answer)
    shared.join()
    assert sync.device() not in ("", old)
    assert [cursor.seq for cursor in sync.cursors()] == [0]


async def test_workspaces_that_were_parked_together_are_joined_as_one_new_device(shared: Shared) -> None:
    shared.join()
    shared.run("INSERT INTO workspaces (id, name, address, member_id, is_owner, joined_at)"
               " VALUES ('other', 'Other', '{}', 'm', 0, 1)")  # fmt: skip
    made_store(shared.store).park()
    devices = []
    for _ in range(2):
        shared.do(lambda conn: team.add_workspace(conn, team.parked(conn)[0]))
        devices += shared.sql("SELECT id FROM devices WHERE is_mine = 1")
    assert len(set(devices)) == 1
    assert devices[0][0] != shared.store.db.device_id


async def test_a_store_made_of_all_this_answers_as_its_port_says(shared: Shared) -> None:
    store = shared.store
    sync = made_store(store)
    (cursor,) = sync.cursors()
    assert (cursor.project_id, cursor.seq, cursor.chain) == (shared.project, 0, None)
    assert not sync.share_step(shared.project)
    await store.ask(shared.thread)
    changes = sync.pending(shared.project, max_rows=9, max_bytes=10**6)
    assert len(changes) == 2
    assert sync.record_push_results(shared.project, [PushResult(changes[0].id, PushStatus.OK, 1, 5)]).acknowledged == 1
    assert sync.requeue_lost(shared.project) == 1
    assert sync.requeue_lost(shared.project) == 0
    sync.start_over(shared.project)
    taking = sync.start_apply(shared.project, sync.read_page([]), after=cursor)
    assert sync.finish_apply(taking).rows == 0
    assert sync.fill_parts(shared.project, "ab" * 32, b"[]").threads == frozenset()
    file = Attachment("a.txt", "text/plain", "ab" * 32, 70)
    await store.messages.add_question(shared.thread, "file", with_answer=None, attachments=[file])
    assert sync.pending(shared.project, max_rows=500, max_bytes=10**6)
    assert shared.sql("SELECT state FROM shared_files") == [("to_send",)]
    assert shared.do(lambda conn: team.read_only_projects(conn)) == frozenset()
    assert PLAN.model == "demo"


def test_an_own_change_without_a_number_gets_one_before_it_is_sent_again(shared: Shared) -> None:
    """Its number in the sequence of a device that this one was before went to another change."""
    former = new_id()
    shared.run("INSERT INTO devices (id, is_mine, next_dseq, created_at) VALUES (?, 0, 9, 0)", former)
    displaced = shared.sql("SELECT n FROM changes WHERE project_id = ? AND mine = 1 ORDER BY n LIMIT 2", shared.project)
    for (n,) in displaced:
        shared.run("UPDATE changes SET device = ?, dseq = ? WHERE n = ?", former, -n, n)
    shared.do(lambda conn: outbox.start_over(conn, shared.project))
    sent = shared.pending()
    assert len({each.dseq for each in sent}) == len(sent) > 2
    assert all(each.dseq > 0 for each in sent)
