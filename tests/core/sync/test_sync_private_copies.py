"""What was deleted and emptied in a private copy is there again once the project is shared with the same team again:
whether it is shown is the team's to say."""

from __future__ import annotations

import json

from chatdesk.core.domain.sharing.team import TeamRole
from chatdesk.core.storage.engine import search_index
from tests.helpers.sync_sim.memory_profile import Profile, now
from tests.helpers.sync_sim.pair import Pair

LATER = 2**60
_UNSETTLED = "SELECT id, state FROM changes WHERE project_id = ? AND state IN (0, 3, 4)"


def in_the_middle(pair: Pair, profile: Profile, *, own: bool) -> str:
    """A shown message with others below it, by this person or by the other one."""
    author = "IS NULL" if own else "IS NOT NULL"
    found = profile.rows(
        f"SELECT m.id FROM messages m JOIN messages c ON c.parent_id = m.id AND c.deleted_at IS NULL"
        f" WHERE m.author_id {author} AND m.deleted_at IS NULL ORDER BY m.position DESC, m.id LIMIT 1"
    )
    return str(found[0][0])


def empty_trash(profile: Profile) -> None:
    now(profile.repositories.trash.purge_expired(LATER))


def delete(profile: Profile, message: str) -> None:
    now(profile.repositories.paths.delete(message, with_later=False))


def is_whole(pair: Pair) -> bool:
    """Both hold the same, nothing waits, and the search finds it."""
    seen = [pair.seen(profile) for profile in (pair.ann, pair.bob)]
    unsettled = [profile.rows(_UNSETTLED, pair.project) for profile in (pair.ann, pair.bob)]
    return seen[0] == seen[1] and unsettled == [[], []] and search_index.check(pair.bob.db.raw) == []


def test_anothers_message_that_was_emptied_in_a_private_copy_comes_again(pair: Pair) -> None:
    before = pair.seen(pair.ann)
    message = in_the_middle(pair, pair.bob, own=False)
    pair.leave()
    delete(pair.bob, message)
    empty_trash(pair.bob)
    assert pair.bob.rows("SELECT count(*) FROM message_parts WHERE message_id = ?", message) == [(0,)]
    pair.come_back()
    pair.settle()
    assert pair.seen(pair.ann) == before
    assert is_whole(pair)


def test_a_message_that_was_deleted_and_is_restored_by_others_comes_again(pair: Pair) -> None:
    message = in_the_middle(pair, pair.bob, own=True)
    delete(pair.ann, message)  # she is the owner
    pair.settle()
    pair.leave()
    empty_trash(pair.bob)
    now(pair.ann.repositories.paths.restore(message))
    pair.settle()
    pair.come_back()
    pair.settle()
    assert is_whole(pair)
    assert pair.bob.rows("SELECT deleted_at FROM messages WHERE id = ?", message) == [(None,)]


def test_a_message_that_stays_deleted_can_be_restored_later(pair: Pair) -> None:
    message = in_the_middle(pair, pair.bob, own=False)
    pair.leave()
    delete(pair.bob, message)
    empty_trash(pair.bob)
    pair.come_back(TeamRole.ADMIN)  # who may delete it for all
    pair.settle()
    assert pair.ann.rows("SELECT deleted_at IS NULL FROM messages WHERE id = ?", message) == [(0,)]
    assert is_whole(pair)
    now(pair.bob.repositories.paths.restore(message))
    pair.settle()
    assert is_whole(pair)
    assert pair.bob.rows("SELECT count(*) FROM message_parts WHERE message_id = ?", message) == [(1,)]


def test_parts_that_travel_as_a_file_are_asked_for_again(pair: Pair) -> None:
    message = in_the_middle(pair, pair.bob, own=False)
    log = pair.server.projects[pair.project].rows
    row = next(each for each in log if each.entity == message)
    body = json.loads(row.body or "")
    parts = json.dumps(body.pop("parts"))
    short = {**body, "parts_file": {"sha256": "ab" * 32, "size_bytes": len(parts)}}
    pair.leave()
    delete(pair.bob, message)
    empty_trash(pair.bob)
    pair.say_otherwise(row.seq, json.dumps(short))
    pair.come_back()
    pair.settle()
    assert pair.bob.rows("SELECT state FROM shared_files WHERE sha256 = ?", "ab" * 32) == [("to_fetch",)]
    pair.bob.store.fill_parts(pair.project, "ab" * 32, parts.encode())
    assert is_whole(pair)
