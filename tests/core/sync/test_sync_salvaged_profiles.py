"""A profile that lost rows has what its team shares again once it was repaired and has synchronized."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterator

import pytest
from sqlalchemy.engine import Connection

from chatdesk.core.storage.sync import damaged_shares
from chatdesk.core.storage.upkeep import repair
from chatdesk.core.storage.upkeep.quieting import stop_automatic_actions
from tests.helpers.erased_words import places_with
from tests.helpers.sync_sim.memory_profile import Profile, now
from tests.helpers.sync_sim.pair import Pair

WORD = "Zwetschgen"
_UNSETTLED = "SELECT id, state FROM changes WHERE project_id = ? AND state IN (0, 3, 4)"


def lose(pair: Pair, profile: Profile, *statements: str) -> None:
    """As after a damaged file was read out: some rows are not there, what can be is repaired, and the person joins
    again."""

    def work(conn: Connection) -> None:
        assert damaged_shares.prepare(conn, pair.time.now_ms())
        repair.repair(conn, profile.db.origin)

    profile.db.raw.execute("PRAGMA foreign_keys=OFF")
    for statement in statements:
        profile.db.raw.execute(statement)
    profile.db.write_now(work)
    profile.db.raw.execute("PRAGMA foreign_keys=ON")
    assert profile.join_again()


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
def test_rows_lost_here_are_pulled_again(pair: Pair, loss: str, who: str) -> None:
    profile = pair.ann if who == "ann" else pair.bob
    before = pair.seen(pair.ann)
    unread = set(profile.rows("SELECT * FROM unread_threads"))
    assert before == pair.seen(pair.bob)
    lose(pair, profile, *LOSSES[loss])
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
    lose(pair, pair.bob, "DELETE FROM register_heads", f"DELETE FROM messages WHERE id IN {_MIDDLE}")
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
    pair.say_otherwise(row.seq, json.dumps({**body, "parts_file": {"sha256": "ab" * 32, "size_bytes": len(parts)}}))
    before = pair.seen(pair.ann)
    lose(pair, pair.ann, f"DELETE FROM message_parts WHERE message_id = '{large}'")
    pair.settle()
    assert pair.ann.rows("SELECT state FROM shared_files WHERE sha256 = ?", "ab" * 32) == [("to_fetch",)]
    pair.ann.store.start_over(pair.project)  # again before they came
    pair.settle()
    pair.ann.store.fill_parts(pair.project, "ab" * 32, parts.encode())
    assert pair.seen(pair.ann) == before


def test_a_profile_that_shares_nothing_is_left_as_it_is(pair: Pair) -> None:
    alone = pair.profile("Cyd")
    device = alone.db.device_id
    assert alone.db.write_now(lambda conn: damaged_shares.prepare(conn, 1)) is False
    assert alone.rows("SELECT id FROM devices") == [(device,)]
    alone.db.close()


@pytest.mark.parametrize("is_lost_first", [False, True], ids=["erased first", "lost first"])
@pytest.mark.parametrize(("loss", "who"), list(zip(LOSSES, itertools.cycle(("bob", "ann")))))
def test_words_that_were_erased_are_gone_from_what_was_salvaged(
    pair: Pair, loss: str, is_lost_first: bool, who: str
) -> None:
    """Titles that two people gave at once among them."""
    salvaged, other = (pair.ann, pair.bob) if who == "ann" else (pair.bob, pair.ann)
    for profile in (salvaged, other):
        pair.server.set_role(pair.project, profile.member_id, "owner")
    pair.settle()
    thread = pair.threads[0]
    for profile in (salvaged, other):
        now(profile.repositories.threads.rename(thread, f"{WORD} of {profile.member_id}"))
    pair.settle()
    if is_lost_first:
        lose(pair, salvaged, *LOSSES[loss])
    now(other.repositories.erasures.erase_thread(thread))
    if not is_lost_first:
        lose(pair, salvaged, *LOSSES[loss])
    pair.settle()
    pair.settle()
    parts = "SELECT p.content FROM messages m JOIN message_parts p ON p.message_id = m.id WHERE m.thread_id = ?"
    for profile in (salvaged, other):
        assert profile.rows(parts, thread) == []
        # The words of the index are removed when it is filled.
        places = profile.db.read_now(lambda conn: places_with(conn, WORD))
        assert [place for place in places if not place[0].endswith("_data")] == []


@pytest.mark.parametrize(("who", "is_parked_first"), [("ann", False), ("bob", True)])
def test_words_that_were_erased_are_gone_from_a_restored_profile_that_joins_again(
    pair: Pair, is_parked_first: bool, who: str
) -> None:
    """What a person wrote and nobody was sent yet is kept, though it is in the same thread."""
    restored, other = (pair.ann, pair.bob) if who == "ann" else (pair.bob, pair.ann)
    for profile in (restored, other):
        pair.server.set_role(pair.project, profile.member_id, "owner")
    pair.settle()
    thread = pair.threads[0]
    for profile in (restored, other):
        now(profile.repositories.threads.rename(thread, f"{WORD} of {profile.member_id}"))
        pair.ask(profile, thread)
    pair.settle()
    now(restored.repositories.messages.add_question(pair.threads[1], "of mine alone", with_answer=None))
    image = restored.db.image()
    if is_parked_first:
        image = _parked(pair, image)
    pair.settle()
    now(other.repositories.erasures.erase_thread(thread))
    pair.settle()
    if not is_parked_first:
        image = _parked(pair, image)
    again = Profile(restored.db.clock, workspace_id=restored.workspace_id, member_id=restored.member_id, image=image)
    assert again.db.read_now(lambda conn: places_with(conn, WORD))
    assert again.join_again()
    setattr(pair, who, again)
    restored.db.close()
    pair.settle()
    pair.settle()
    assert pair.seen(pair.ann) == pair.seen(pair.bob)
    assert "of mine alone" in str(pair.seen(other))
    places = again.db.read_now(lambda conn: places_with(conn, WORD))
    assert [place for place in places if not place[0].endswith("_data")] == []


def _parked(pair: Pair, image: bytes) -> bytes:
    """As a restore leaves a backup of a profile."""
    raw = sqlite3.connect(":memory:")
    raw.deserialize(image)
    stop_automatic_actions(raw, pair.time.now_ms())
    raw.commit()
    return raw.serialize()
