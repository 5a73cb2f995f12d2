"""What the server said of a project before its share ended or began here is not held against that."""

from __future__ import annotations

import pytest

from chatdesk.core.domain.sharing.team import EndReason, SharedProject, ShareState
from chatdesk.core.storage.sync import erased_project, sharing, team
from tests.helpers.sync_sim.memory_profile import Profile
from tests.helpers.sync_sim.model_server import ModelTeam
from tests.helpers.sync_sim.pair import Pair


def share(pair: Pair, profile: Profile) -> SharedProject:
    found = profile.db.read_now(lambda conn: team.shared_project(conn, pair.project))
    assert found is not None
    return found


def end(pair: Pair, profile: Profile, reason: EndReason) -> None:
    profile.db.write_now(lambda conn: sharing.end(conn, pair.project, reason))


def let_in(pair: Pair, profile: Profile, role: str | None = "editor") -> None:
    pair.server.set_role(pair.project, profile.member_id, role)


def test_who_leaves_while_a_view_is_on_its_way_has_left(pair: Pair) -> None:
    pair.round(pair.bob, meanwhile=pair.leave)
    assert share(pair, pair.bob).ended is EndReason.LEFT
    pair.round(pair.bob)
    assert share(pair, pair.bob).ended is EndReason.LEFT


@pytest.mark.parametrize("wish", ["project", "workspace"])
def test_who_leaves_and_is_killed_before_that_is_written_here_has_left(pair: Pair, wish: str) -> None:
    """Unless the server did not hear of it, and they are removed another day."""
    db = pair.bob.db
    if wish == "project":
        db.write_now(lambda conn: sharing.record_wish(conn, pair.project, EndReason.LEFT))
    else:
        db.write_now(lambda conn: sharing.record_leaving(conn, pair.bob.workspace_id))
    let_in(pair, pair.bob, None)
    pair.round(pair.bob)
    assert share(pair, pair.bob).ended is EndReason.LEFT


def test_a_wish_that_the_server_did_not_hear_of_is_forgotten(pair: Pair) -> None:
    pair.bob.db.write_now(lambda conn: sharing.record_wish(conn, pair.project, EndReason.LEFT))
    pair.bob.db.write_now(sharing.doubt_wishes)  # the request failed
    pair.round(pair.bob)
    let_in(pair, pair.bob, None)
    pair.round(pair.bob)
    assert share(pair, pair.bob).ended is EndReason.REMOVED


def test_a_copy_that_was_written_in_does_not_wait_for_share_because_of_a_late_view(pair: Pair) -> None:
    store = pair.bob.store
    before = store.shares()
    hello, view = ModelTeam(pair.server, pair.bob.member_id).view(store.device())
    pair.leave()
    pair.ask(pair.bob, pair.threads[0])
    assert store.store_view(hello, view, before) == frozenset()
    assert not share(pair, pair.bob).is_let_in
    assert store.store_view(hello, view, store.shares()) == {pair.project}
    assert share(pair, pair.bob).is_let_in


def test_who_ends_a_share_while_a_view_is_on_its_way_has_ended_it(pair: Pair) -> None:
    def unshare() -> None:
        pair.server.end_project(pair.project)
        end(pair, pair.ann, EndReason.UNSHARED)

    pair.round(pair.ann, meanwhile=unshare)
    pair.round(pair.ann)
    assert share(pair, pair.ann).ended is EndReason.UNSHARED


def test_who_erases_a_project_while_a_view_is_on_its_way_does_not_have_it_back(pair: Pair) -> None:
    def erase() -> None:
        pair.server.end_project(pair.project)
        origin = pair.ann.db.origin
        pair.ann.db.write_now(lambda conn: erased_project.erase(conn, origin, pair.project))

    pair.round(pair.ann, meanwhile=erase)
    assert share(pair, pair.ann).ended is EndReason.ERASED
    assert pair.ann.rows("SELECT 1 FROM projects WHERE id = ? AND deleted_at IS NULL", pair.project) == []


@pytest.mark.parametrize("is_at_once", [True, False])
def test_who_leaves_and_is_let_in_again_has_the_project_again(pair: Pair, is_at_once: bool) -> None:
    def leave() -> None:
        let_in(pair, pair.bob, None)
        if is_at_once:
            let_in(pair, pair.bob)
        end(pair, pair.bob, EndReason.LEFT)

    pair.round(pair.bob, meanwhile=leave)
    let_in(pair, pair.bob)
    pair.settle()
    assert share(pair, pair.bob).state is ShareState.SHARED
    assert pair.seen(pair.ann)[0] == pair.seen(pair.bob)[0]


def test_a_project_that_is_shared_again_is_not_ended_by_a_late_view(pair: Pair) -> None:
    pair.server.end_project(pair.project)
    end(pair, pair.ann, EndReason.UNSHARED)

    def share_again() -> None:
        pair.server.create_project(pair.ann.member_id, pair.project)
        pair.ann.share(pair.project, joined_seq=pair.server.projects[pair.project].head)

    pair.round(pair.ann, meanwhile=share_again)
    assert share(pair, pair.ann).ended is None
    pair.settle()
    assert share(pair, pair.ann).state is ShareState.SHARED


def test_a_kill_between_the_server_and_the_profile_leaves_a_private_copy(pair: Pair) -> None:
    let_in(pair, pair.bob, None)
    pair.round(pair.bob)
    assert share(pair, pair.bob).ended is EndReason.REMOVED


def test_another_computer_of_who_left_ends_the_share_too_and_has_it_again(pair: Pair) -> None:
    other = Profile(
        pair.bob.db.clock, workspace_id=pair.bob.workspace_id, member_id=pair.bob.member_id, image=pair.bob.db.image()
    )
    try:
        pair.round(other, meanwhile=pair.leave)
        pair.round(other)
        assert share(pair, other).state is ShareState.ENDED
        let_in(pair, pair.bob)
        for profile in (pair.bob, other):
            pair.round(profile)
            assert share(pair, profile).ended is None
    finally:
        other.db.close()
