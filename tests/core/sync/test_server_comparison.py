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


def test_a_newcomer_gets_all_that_is_left(pair: Pair) -> None:
    cyd, team = newcomer(pair), DamagedTeam(pair.server, "")
    team.member_id = cyd.member_id
    gone, below = middle(pair)
    thread = pair.threads[1]
    team.gone = frozenset((row_of(pair, gone).seq, row_of(pair, thread).seq))
    result = meet(pair, cyd, team)
    assert result.problems == ()
    texts = {row[0] for row in cyd.rows("SELECT content FROM message_parts")}
    wanted = {
        row[0]
        for row in pair.ann.rows(
            "SELECT p.content FROM message_parts p JOIN messages m ON m.id = p.message_id JOIN threads t"
            " ON t.id = m.thread_id WHERE t.project_id = ? AND m.id <> ? AND m.deleted_at IS NULL",
            pair.project,
            gone,
        )
    }
    assert {json.loads(text)["text"] for text in wanted} <= {json.loads(text)["text"] for text in texts}
    assert cyd.rows("SELECT parent_id, deleted_at FROM messages WHERE id = ?", below) == [(gone, None)]
    assert cyd.rows("SELECT deleted_at FROM threads WHERE id = ?", thread) == [(None,)]
    said = shared(cyd, pair.project)
    assert (said.missing, said.altered) == (2, 0)
    assert said.seq == pair.server.projects[pair.project].head
    assert meet(pair, cyd, team).received == 0, "and it comes to rest"
    assert shared(cyd, pair.project).missing == 2


def test_the_end_of_a_log_that_is_missing_is_told_by_the_check(pair: Pair) -> None:
    team = DamagedTeam(pair.server, pair.ann.member_id)
    head = pair.server.projects[pair.project].head
    team.gone = frozenset((head - 1, head))
    assert check(pair, pair.ann, team) == (
        "“Plans”: 2 changes are missing on the server; somebody removed rows from its tables.",
    )


def test_words_that_were_rewritten_on_the_server_are_told_and_replace_nothing(pair: Pair) -> None:
    message, _ = middle(pair)
    row = row_of(pair, message)
    body = json.loads(row.body or "")
    body["parts"][0]["content"]["text"] = "I never said this"
    bob, cyd = DamagedTeam(pair.server, pair.bob.member_id), newcomer(pair)
    bob.rewritten = {row.seq: json.dumps(body)}
    before = pair.bob.rows("SELECT content FROM message_parts WHERE message_id = ?", message)
    assert meet(pair, pair.bob, bob).received == 0
    pair.bob.store.start_over(pair.project)  # the server was restored, too
    assert meet(pair, pair.bob, bob).problems == ()
    assert pair.bob.rows("SELECT content FROM message_parts WHERE message_id = ?", message) == before
    assert check(pair, pair.bob, bob) == ("“Plans”: 1 change is rewritten on the server, outside of ChatDesk.",)
    new = DamagedTeam(pair.server, cyd.member_id)
    new.rewritten = bob.rewritten
    meet(pair, cyd, new)
    assert "I never said this" in cyd.rows("SELECT content FROM message_parts WHERE message_id = ?", message)[0][0]
    assert (shared(cyd, pair.project).missing, shared(cyd, pair.project).altered) == (0, 1)


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
