"""A profile that lost rows has what its team shares again once it was mended and has synchronized."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.ids import new_id
from chatdesk.core.storage import repair, sync_digest, sync_salvage
from chatdesk.core.sync.requests import Link
from chatdesk.core.sync.round import drive, sync_round
from tests.helpers.sync_sim.memory_profile import Profile, now
from tests.helpers.sync_sim.model_server import ModelServer, ModelTeam
from tests.helpers.sync_sim.seeded import SkewedClock, WorldTime

_TREE = (
    "SELECT m.id, m.thread_id, m.parent_id, m.position, m.role, m.status, m.deleted_at IS NULL,"
    " (SELECT group_concat(p.content) FROM message_parts p WHERE p.message_id = m.id) FROM messages m"
    " JOIN threads t ON t.id = m.thread_id WHERE t.project_id = ? ORDER BY m.id"
)
_THREADS = (
    "SELECT id, title, system_prompt, message_count, deleted_at IS NULL FROM threads WHERE project_id = ? ORDER BY id"
)

_UNSETTLED = "SELECT id, state FROM changes WHERE project_id = ? AND state IN (0, 3, 4)"


class Pair:
    """Ann and Bob, who both write in one project of Ann's."""

    def __init__(self) -> None:
        self.time = WorldTime()
        self.server = ModelServer(new_id(), self.time.now_ms)
        self.ann, self.bob = self.profile("Ann"), self.profile("Bob")
        self.project = now(self.ann.repositories.projects.create("Plans")).id
        self.server.create_project(self.ann.member_id, self.project)
        self.server.set_role(self.project, self.bob.member_id, "editor")
        self.ann.share(self.project)
        self.threads: list[str] = []
        for name in ("One", "Two"):
            self.begin(self.ann, name)
            self.settle()
        for profile in (self.bob, self.ann, self.bob):
            for thread in self.threads:
                self.ask(profile, thread)
            self.settle()
        self.begin(self.bob, "Bob's")
        now(self.ann.repositories.threads.rename(self.threads[0], "Better"))
        leaf = self.ann.rows("SELECT id FROM messages WHERE author_id IS NULL ORDER BY id DESC LIMIT 1")[0][0]
        now(self.ann.repositories.messages.delete(leaf, with_later=False))
        self.settle()

    def copy(self) -> Pair:
        """The same once more; making it takes a tenth of the time."""
        made = Pair.__new__(Pair)
        made.time, made.server = WorldTime(), self.server.snapshot()
        made.time.ms = self.time.ms
        made.server.now_ms = made.time.now_ms
        made.project, made.threads = self.project, list(self.threads)
        made.ann, made.bob = (
            Profile(
                SkewedClock(made.time, 0),
                workspace_id=each.workspace_id,
                member_id=each.member_id,
                image=each.db.image(),
            )
            for each in (self.ann, self.bob)
        )
        return made

    def profile(self, name: str) -> Profile:
        member = new_id()
        self.server.add_member(member, name, is_owner=name == "Ann")
        clock = SkewedClock(self.time, 0)
        return Profile(clock, workspace_id=self.server.workspace_id, member_id=member)

    def begin(self, profile: Profile, name: str) -> None:
        thread, _, _ = now(
            profile.repositories.messages.create_thread_with_question(
                self.project, name, f"first of {name}", provider=None, model=None
            )
        )
        self.threads.append(thread.id)

    def ask(self, profile: Profile, thread: str) -> None:
        now(profile.repositories.messages.add_question(thread, f"{profile.member_id} {self.time.ms}", with_answer=None))

    def round(self, profile: Profile) -> int:
        self.time.ms += 1000
        steps = sync_round(Link(), name="a desk", version="1", workspace_id=self.server.workspace_id)
        return drive(steps, profile.store, ModelTeam(self.server, profile.member_id)).sent

    def settle(self) -> None:
        while sum(self.round(profile) for profile in (self.ann, self.bob)):
            pass

    def seen(self, profile: Profile) -> tuple[object, ...]:
        digest = profile.db.read_now(lambda conn: sync_digest.digest(conn, self.project))
        return digest, profile.rows(_TREE, self.project), profile.rows(_THREADS, self.project)

    def lose(self, profile: Profile, *statements: str) -> None:
        """As after a damaged file was read out: some rows are not there, and what can be is mended."""
        profile.db.raw.execute("PRAGMA foreign_keys=OFF")
        for statement in statements:
            profile.db.raw.execute(statement)
        self.salvage(profile)
        profile.db.raw.execute("PRAGMA foreign_keys=ON")

    def salvage(self, profile: Profile) -> None:
        def work(conn: Connection) -> None:
            assert sync_salvage.pull_again(conn, self.time.now_ms())
            repair.mend(conn, profile.db.origin)

        profile.db.write_now(work)
        profile.db.device_id = profile.rows("SELECT id FROM devices WHERE is_mine = 1")[0][0]


@pytest.fixture(scope="module")
def first() -> Iterator[Pair]:
    made = Pair()
    yield made
    for profile in (made.ann, made.bob):
        profile.db.close()


@pytest.fixture
def pair(first: Pair) -> Iterator[Pair]:
    made = first.copy()
    yield made
    for profile in (made.ann, made.bob):
        profile.db.close()


_MIDDLE = "(SELECT id FROM messages WHERE position = 1)"
_PARENTS = "(SELECT parent_id FROM messages WHERE parent_id NOT NULL)"
LOSSES = {
    "nothing": (),
    "all words": ("DELETE FROM message_parts",),
    "some words": ("DELETE FROM message_parts WHERE rowid % 3 = 0",),
    "messages in between": (
        f"DELETE FROM message_parts WHERE message_id IN {_MIDDLE}",
        f"DELETE FROM messages WHERE id IN {_MIDDLE}",
    ),
    "first messages, not their words": ("DELETE FROM messages WHERE parent_id IS NULL",),
    "last messages": (f"DELETE FROM messages WHERE id NOT IN {_PARENTS}",),
    "all messages": ("DELETE FROM messages", "DELETE FROM message_parts"),
    "threads": ("DELETE FROM threads",),
    "threads and messages": ("DELETE FROM threads", "DELETE FROM messages", "DELETE FROM message_parts"),
    "half of the log": ("DELETE FROM changes WHERE n % 2 = 0",),
    "the log": ("DELETE FROM changes", "DELETE FROM register_heads", "DELETE FROM seen_changes"),
    "the heads": ("DELETE FROM register_heads",),
    "the project": ("DELETE FROM projects",),
    "the project and more": ("DELETE FROM projects", "DELETE FROM threads WHERE rowid % 2", "DELETE FROM seen_changes"),
}


@pytest.mark.parametrize(("loss", "who"), list(zip(LOSSES, itertools.cycle(("ann", "bob")))))
def test_what_was_lost_here_comes_again(pair: Pair, loss: str, who: str) -> None:
    profile = pair.ann if who == "ann" else pair.bob
    before = pair.seen(pair.ann)
    unread = set(profile.rows("SELECT * FROM unread_threads"))
    assert before == pair.seen(pair.bob)
    pair.lose(profile, *LOSSES[loss])
    pair.settle()
    assert pair.seen(profile) == before
    assert pair.seen(pair.ann) == pair.seen(pair.bob) == before
    assert profile.rows(_UNSETTLED, pair.project) == []
    assert unread.issuperset(profile.rows("SELECT * FROM unread_threads"))  # nothing is news
    assert profile.rows("PRAGMA foreign_key_check") == []
    for each in pair.threads:
        pair.ask(profile, each)
    pair.settle()
    assert pair.seen(pair.ann) == pair.seen(pair.bob) != before


def test_what_was_not_sent_yet_is_sent_all_the_same(pair: Pair) -> None:
    pair.ask(pair.bob, pair.threads[0])
    words = f"{pair.bob.member_id} {pair.time.ms}"
    pair.lose(pair.bob, "DELETE FROM register_heads", f"DELETE FROM messages WHERE id IN {_MIDDLE}")
    pair.settle()
    found = pair.seen(pair.ann)
    assert found == pair.seen(pair.bob)
    assert words in str(found)
    assert pair.bob.rows(_UNSETTLED, pair.project) == []


def test_parts_that_travel_as_a_file_are_asked_for_again(pair: Pair) -> None:
    large = pair.ann.rows("SELECT id FROM messages WHERE author_id IS NOT NULL LIMIT 1")[0][0]
    row = next(each for each in pair.server.projects[pair.project].rows if each.entity == large)
    body = json.loads(row.body or "")
    parts = json.dumps(body.pop("parts"))
    short = replace(row, body=json.dumps({**body, "parts_file": {"sha256": "ab" * 32, "size_bytes": len(parts)}}))
    pair.server.projects[pair.project].rows[row.seq - 1] = short
    before = pair.seen(pair.ann)
    pair.lose(pair.ann, f"DELETE FROM message_parts WHERE message_id = '{large}'")
    pair.settle()
    assert pair.ann.rows("SELECT state FROM shared_files WHERE sha256 = ?", "ab" * 32) == [("to_fetch",)]
    pair.ann.store.begin_again(pair.project)  # once more before they came
    pair.settle()
    pair.ann.store.take_file(pair.project, "ab" * 32, parts.encode())
    assert pair.seen(pair.ann) == before


def test_a_profile_that_shares_nothing_is_left_as_it_is(pair: Pair) -> None:
    alone = pair.profile("Cyd")
    device = alone.db.device_id
    assert alone.db.write_now(lambda conn: sync_salvage.pull_again(conn, 1)) is False
    assert alone.rows("SELECT id FROM devices") == [(device,)]
    alone.db.close()
