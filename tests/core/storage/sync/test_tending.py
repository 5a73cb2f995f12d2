"""How long a shared project keeps its messages: set by who manages it, carried out in their rounds, for everybody."""

from __future__ import annotations

import pytest

from chatdesk.core.errors import InvalidInput, SharedNotOwn
from chatdesk.core.storage.sync import tending
from tests.helpers import shown_digest
from tests.helpers.sync_sim.memory_profile import Profile
from tests.helpers.sync_sim.pair import Pair

DAY_MS = 86_400_000


def keep(profile: Profile, project: str, days: int | None) -> None:
    profile.db.write_now(lambda conn: tending.set_retention(conn, profile.db.origin, project, days))


def kept(profile: Profile, project: str) -> int | None:
    return profile.db.read_now(lambda conn: tending.retention(conn, project))


def words(profile: Profile) -> int:
    return int(profile.rows("SELECT count(*) FROM message_parts")[0][0])


def test_messages_go_for_everybody_when_their_time_is_over(pair: Pair) -> None:
    pair.time.ms += 40 * DAY_MS
    thread = pair.begin(pair.bob, "New")
    pair.settle()
    keep(pair.ann, pair.project, 30)
    pair.settle()
    assert [kept(each, pair.project) for each in (pair.ann, pair.bob)] == [30, 30]
    for profile in (pair.ann, pair.bob):
        left = profile.rows("SELECT DISTINCT m.thread_id FROM message_parts p JOIN messages m ON m.id = p.message_id")
        assert left == [(thread,)]
    digests = {each.db.read_now(lambda conn: shown_digest.digest(conn, pair.project)) for each in (pair.ann, pair.bob)}
    assert len(digests) == 1


def test_nothing_is_erased_without_a_retention_time(pair: Pair) -> None:
    before = words(pair.ann)
    pair.time.ms += 4000 * DAY_MS
    pair.settle()
    keep(pair.ann, pair.project, 30)
    keep(pair.ann, pair.project, None)
    pair.settle()
    assert words(pair.ann) == before


def test_an_editor_neither_sets_it_nor_carries_it_out(pair: Pair) -> None:
    with pytest.raises(SharedNotOwn):
        keep(pair.bob, pair.project, 1)
    keep(pair.ann, pair.project, 30)
    pair.round(pair.ann)
    pair.time.ms += 40 * DAY_MS
    before = words(pair.bob)
    pair.round(pair.bob)
    pair.round(pair.bob)
    assert words(pair.bob) == before


@pytest.mark.parametrize("days", [0, -1, 36_501])
def test_an_invalid_retention_time_is_refused(pair: Pair, days: int) -> None:
    with pytest.raises(InvalidInput):
        keep(pair.ann, pair.project, days)


def test_it_is_done_once_a_day(pair: Pair) -> None:
    pair.settle()
    due = tending.due
    assert pair.ann.db.read_now(lambda conn: due(conn, pair.ann.db.origin, pair.project)) is None
    pair.time.ms += DAY_MS
    assert pair.ann.db.read_now(lambda conn: due(conn, pair.ann.db.origin, pair.project)) is not None
    assert pair.bob.db.read_now(lambda conn: due(conn, pair.bob.db.origin, pair.project)) is None
