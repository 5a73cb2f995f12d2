"""Somebody removes or rewrites rows of the server's tables by hand: who comes new gets all that is left and is told the
truth, who was there keeps what they have, and *Check against the server* names it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from chatdesk.core.domain.sharing.sync_wire import PulledChange
from chatdesk.core.domain.sharing.team import SharedProject
from chatdesk.core.storage.sync import check as sync_check
from chatdesk.core.storage.sync import team as sync_team
from chatdesk.core.sync.errors import TeamLogBroken
from chatdesk.core.sync.requests import Link, RoundResult
from chatdesk.core.sync.round import sync_round
from chatdesk.core.sync.server_comparison import compare_log
from tests.helpers.driven_round import drive
from tests.helpers.sync_sim.memory_profile import Profile, now
from tests.helpers.sync_sim.model_server import ModelTeam
from tests.helpers.sync_sim.pair import Pair


class DamagedTeam(ModelTeam):
    """``gone``: numbers of rows that were removed; ``rewritten``: bodies that were put in place of others."""

    gone: frozenset[int] = frozenset()
    rewritten: dict[int, str] = {}  # noqa: RUF012 - replaced, never changed

    def pull(self, project_id: str, after_seq: int, *, limit: int) -> list[PulledChange]:
        rows = super().pull(project_id, after_seq, limit=10_000)
        left = [replace(row, body=self.rewritten.get(row.seq, row.body)) for row in rows if row.seq not in self.gone]
        return left[:limit]

    def chain_at(self, project_id: str, seq: int) -> bytes | None:
        return None if seq in self.gone else super().chain_at(project_id, seq)


class Renumbered(ModelTeam):
    """``page``: how many rows of the log come before one that is left out; the next page begins behind it. 0: none."""

    page = 0

    def pull(self, project_id: str, after_seq: int, *, limit: int) -> list[PulledChange]:
        rows = super().pull(project_id, 0, limit=10_000)
        if self.page:
            left, rows = [row for at, row in enumerate(rows) if at != self.page], []
            for row in left:
                row = replace(row, seq=len(rows) + 1)
                rows.append(replace(row, chain=row.chain_after(rows[-1].chain if rows else None)))
        return [row for row in rows if row.seq > after_seq][: self.page or limit]


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    for profile in (made.ann, made.bob):
        profile.db.close()


def newcomer(pair: Pair) -> Profile:
    made = pair.profile("Cyd")
    pair.server.set_role(pair.project, made.member_id, "editor")
    return made


def meet(pair: Pair, profile: Profile, team: DamagedTeam) -> RoundResult:
    steps = sync_round(Link(), name="a desk", version="1", workspace_id=pair.server.workspace_id, pull_rows=7)
    return drive(steps, profile.store, team)


def row_of(pair: Pair, entity: str) -> PulledChange:
    return next(row for row in pair.server.projects[pair.project].rows if row.entity == entity and row.op == "new")


def shared(profile: Profile, project: str) -> SharedProject:
    found = profile.db.read_now(lambda conn: sync_team.shared_project(conn, project))
    assert found is not None
    return found


def check(pair: Pair, profile: Profile, team: DamagedTeam) -> Sequence[str]:
    [log] = profile.db.read_now(lambda conn: sync_check.held(conn, pair.server.workspace_id))
    return tuple(compare_log(profile.db.read_now, team, log)[1])


def middle(pair: Pair) -> tuple[str, str]:
    """A message that has another one above and below it, and the one below."""
    row = pair.ann.rows(
        "SELECT m.id, c.id FROM messages m JOIN messages c ON c.parent_id = m.id AND c.deleted_at IS NULL"
        " WHERE m.parent_id IS NOT NULL AND m.deleted_at IS NULL ORDER BY m.id LIMIT 1"
    )[0]
    return row[0], row[1]


def test_a_newcomer_gets_all_up_to_what_is_gone_and_is_told_since_when(pair: Pair) -> None:
    cyd, team = newcomer(pair), DamagedTeam(pair.server, "")
    team.member_id = cyd.member_id
    gone, _ = middle(pair)
    first = row_of(pair, gone).seq
    team.gone = frozenset((first, first + 1))
    for _ in range(2):  # each round asks again
        result = meet(pair, cyd, team)
        assert [type(error) for _, error in result.problems] == [TeamLogBroken]
        said = shared(cyd, pair.project)
        assert said.seq == first - 1
        assert "changes of “Plans” are missing on the team's server" in said.misfit
        assert said.misfit == result.problems[0][1].what
        [named] = check(pair, cyd, team)
        assert "2 changes are missing on the server" in named
    team.gone = frozenset()
    assert meet(pair, cyd, team).problems == ()
    said = shared(cyd, pair.project)
    assert (said.seq, said.misfit) == (pair.server.projects[pair.project].head, "")


def test_the_end_of_a_log_that_is_missing_is_told_by_the_check(pair: Pair) -> None:
    team = DamagedTeam(pair.server, pair.ann.member_id)
    head = pair.server.projects[pair.project].head
    team.gone = frozenset((head - 1, head))
    assert check(pair, pair.ann, team) == (
        "“Plans”: 2 changes are missing on the server; somebody removed rows from its tables.",
    )


def test_a_tail_that_is_withheld_is_told_by_the_check_until_it_comes(pair: Pair) -> None:
    cyd, team = newcomer(pair), DamagedTeam(pair.server, "")
    team.member_id = cyd.member_id
    head = pair.server.projects[pair.project].head
    team.gone = frozenset((head - 1, head))
    assert [type(error) for _, error in meet(pair, cyd, team).problems] == [TeamLogBroken]
    assert "does not send all changes" in shared(cyd, pair.project).misfit
    assert check(pair, cyd, team) == ("“Plans”: the server says that it has newer changes, and does not send them.",)
    team.gone = frozenset()
    assert check(pair, cyd, team) == ()
    assert meet(pair, cyd, team).problems == ()
    assert (shared(cyd, pair.project).misfit, check(pair, cyd, team)) == ("", ())


def test_changes_of_a_device_that_are_missing_between_pages_are_told(pair: Pair) -> None:
    """The server chains what is left anew, and forgets to count it."""
    cyd, team = newcomer(pair), Renumbered(pair.server, "")
    team.member_id = cyd.member_id
    rows = pair.server.projects[pair.project].rows
    team.page = next(at for at, row in enumerate(rows) if at and row.device in {each.device for each in rows[:at]})
    assert [type(error) for _, error in meet(pair, cyd, team).problems] == [TeamLogBroken]
    said = shared(cyd, pair.project)
    assert said.seq == team.page
    assert "are missing" in said.misfit
    team.page = 0
    assert meet(pair, cyd, team).problems == ()
    assert shared(cyd, pair.project).misfit == ""


def test_words_that_were_rewritten_on_the_server_are_told_and_replace_nothing(pair: Pair) -> None:
    message, _ = middle(pair)
    row = row_of(pair, message)
    body = json.loads(row.body or "")
    body["parts"][0]["content"]["text"] = "I never said this"
    bob, cyd = DamagedTeam(pair.server, pair.bob.member_id), newcomer(pair)
    bob.rewritten = {row.seq: json.dumps(body)}
    before = pair.bob.rows("SELECT content FROM message_parts WHERE message_id = ?", message)
    assert check(pair, pair.bob, bob) == ("“Plans”: 1 change is rewritten on the server, outside of ChatDesk.",)
    assert meet(pair, pair.bob, bob).received == 0
    pair.bob.store.start_over(pair.project)  # the server was restored, too
    assert [type(error) for _, error in meet(pair, pair.bob, bob).problems] == [TeamLogBroken]
    assert pair.bob.rows("SELECT content FROM message_parts WHERE message_id = ?", message) == before
    new = DamagedTeam(pair.server, cyd.member_id)
    new.rewritten = bob.rewritten
    meet(pair, cyd, new)
    assert cyd.rows("SELECT content FROM message_parts WHERE message_id = ?", message) == []
    assert "has other changes of “Plans” than it took" in shared(cyd, pair.project).misfit


def test_words_that_nobody_asked_to_erase_are_told(pair: Pair) -> None:
    message, _ = middle(pair)
    row = row_of(pair, message)
    team = DamagedTeam(pair.server, pair.ann.member_id)
    assert check(pair, pair.ann, team) == ()
    project = pair.server.projects[pair.project]
    project.rows[row.seq - 1] = replace(row, body='{"is_purged": true}', is_erased=True)
    [said] = check(pair, pair.ann, team)
    assert "1 change is emptied on the server, and nobody asked for that" in said


def test_words_that_were_erased_as_they_should_be_are_no_difference(pair: Pair) -> None:
    own = pair.ann.rows("SELECT id FROM messages WHERE author_id IS NULL AND deleted_at IS NULL ORDER BY id")[0][0]
    now(pair.ann.repositories.erasures.erase_message(own))
    pair.settle()
    for profile in (pair.ann, pair.bob):
        assert check(pair, profile, DamagedTeam(pair.server, profile.member_id)) == ()
