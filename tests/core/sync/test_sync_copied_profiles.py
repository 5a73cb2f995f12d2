"""Things that are sent a second time, by a copy of the profile or after they were shared elsewhere."""

from __future__ import annotations

import pytest

from chatdesk.core.domain.message import PartType, Status
from chatdesk.core.domain.sharing.team import EndReason, TeamRole
from chatdesk.core.domain.turn import AnswerPlan, StreamChunk, TurnOutcome
from chatdesk.core.errors import NotPossible
from chatdesk.core.ids import new_id
from chatdesk.core.storage.engine import search_index
from chatdesk.core.storage.sync import sharing
from chatdesk.core.sync.errors import TeamParked
from chatdesk.core.sync.requests import Link
from chatdesk.core.sync.round import sync_round
from tests.helpers import shown_digest
from tests.helpers.driven_round import drive
from tests.helpers.sync_sim.memory_profile import Profile, now
from tests.helpers.sync_sim.model_server import ModelServer, ModelTeam
from tests.helpers.sync_sim.seeded import SkewedClock, WorldTime


class Copies:
    """One profile with an unfinished answer in a project that is about to be shared, and copies of it."""

    def __init__(self) -> None:
        self.time = WorldTime()
        self.server = ModelServer(new_id(), self.time.now_ms)
        self.member = new_id()
        self.server.add_member(self.member, "Ann", is_owner=True)
        self.first = self.profile()
        self.project = now(self.first.repositories.projects.create("Plans")).id
        _, self.question, answer = now(
            self.first.repositories.messages.create_thread_with_question(
                self.project, "Hello", "Hello", provider=None, model=None, with_answer=AnswerPlan("offline", "demo")
            )
        )
        assert answer is not None
        self.answer = answer.id
        now(self.first.repositories.messages.start_streaming(self.answer, self.time.now_ms()))
        self.write(self.first, "begun")
        self.server.create_project(self.member, self.project)
        self.first.share(self.project)

    def profile(self, image: bytes | None = None) -> Profile:
        clock = SkewedClock(self.time, 0)
        return Profile(clock, workspace_id=self.server.workspace_id, member_id=self.member, image=image)

    def write(self, profile: Profile, text: str) -> None:
        now(profile.repositories.messages.append_chunks(self.answer, [StreamChunk(0, PartType.TEXT, text)]))

    def finish(self, profile: Profile) -> None:
        outcome = TurnOutcome(Status.COMPLETE, self.time.now_ms(), finish_reason="stop")
        now(profile.repositories.messages.finish(self.answer, outcome))

    def round(self, profile: Profile, *, proto: int = 1) -> int:
        """How many changes were sent."""
        self.time.ms += 1000
        steps = sync_round(Link(), name="a desk", version="1", workspace_id=self.server.workspace_id)
        return drive(steps, profile.store, ModelTeam(self.server, profile.member_id, proto=proto)).sent

    def settle(self, *profiles: Profile) -> set[Profile]:
        """Rounds of each until nothing is sent any more. Returns those that were told that they are copies, and joined
        again."""
        told = set()
        is_moving = True
        while is_moving:
            is_moving = False
            for profile in profiles:
                try:
                    is_moving |= self.round(profile) > 0
                except TeamParked:
                    told.add(profile)
                    is_moving = profile.join_again()
        return told

    def answers(self, profile: Profile) -> dict[str, str]:
        return {
            row[0]: now(profile.repositories.messages.get(row[0])).text
            for row in profile.rows("SELECT id FROM messages WHERE role = 'assistant'")
        }

    def digest(self, profile: Profile) -> str:
        return profile.db.read_now(lambda conn: shown_digest.digest(conn, self.project))


@pytest.mark.parametrize("is_told", [True, False])
def test_an_answer_that_two_copies_end_at_one_place_of_their_sequence_keeps_the_words_of_both(is_told: bool) -> None:
    """``is_told``: the second copy sends its own, too, and hears that the server has it; else it may not send."""
    copies = Copies()
    first, second = copies.first, copies.profile(copies.first.db.image())  # where it was interrupted
    copies.write(first, " and ended")
    copies.finish(first)
    assert second.rows("SELECT status FROM messages WHERE id = ?", copies.answer) == [("interrupted",)]
    while second.store.share_step(copies.project):
        pass
    copies.round(first)
    made = "SELECT id, device, dseq FROM changes WHERE entity = ? AND state <> 5"
    assert first.rows(made, copies.answer) == second.rows(made, copies.answer)
    copies.server.min_write = 1 if is_told else 2
    copies.round(second)
    copies.server.min_write = 1
    copies.settle(first, second)
    ended = copies.answers(second).pop(copies.answer)
    beside = [text for each, text in copies.answers(second).items() if each != copies.answer]
    assert (ended, beside) == ("begun and ended", ["begun"])
    assert copies.answers(first) == copies.answers(second)
    assert copies.digest(first) == copies.digest(second)


@pytest.mark.parametrize("has_written", [False, True])
def test_the_copy_that_is_told_sends_nothing_and_loses_nothing(has_written: bool) -> None:
    copies = Copies()
    copies.finish(copies.first)
    copies.settle(copies.first)
    second = copies.profile(copies.first.db.image())
    [thread] = copies.first.rows("SELECT id FROM threads WHERE project_id = ?", copies.project)[0]
    now(copies.first.repositories.messages.add_question(thread, "by the first", with_answer=None))
    if has_written:
        now(second.repositories.messages.add_question(thread, "by the copy", with_answer=None))
    copies.settle(copies.first)
    before = len(copies.server.projects[copies.project].rows)
    for _ in range(2):
        with pytest.raises(TeamParked):
            copies.round(second)
        now(second.repositories.messages.add_question(thread, "written while it waited", with_answer=None))
    assert len(copies.server.projects[copies.project].rows) == before
    assert second.join_again()
    assert copies.settle(copies.first, second) == set()
    texts = {row[0] for row in copies.first.rows("SELECT content FROM message_parts")}
    assert texts == {row[0] for row in second.rows("SELECT content FROM message_parts")}
    wanted = ["by the first", "written while it waited", *["by the copy"] * has_written]
    assert all(any(each in text for text in texts) for each in wanted)
    assert copies.digest(copies.first) == copies.digest(second)


def test_an_answer_that_ended_here_after_its_end_by_a_copy_was_erased_stands_beside_it() -> None:
    copies = Copies()
    first, second = copies.first, copies.profile(copies.first.db.image())  # where it was interrupted
    copies.settle(second)
    with pytest.raises(TeamParked):
        copies.round(first)
    with pytest.raises(NotPossible):  # while it is being written
        first.join_again()
    now(second.repositories.erasures.erase_message(copies.answer))
    copies.settle(second)
    copies.write(first, " and ended")
    copies.finish(first)
    assert first.join_again()
    copies.settle(first, second)
    ended = copies.answers(first)
    assert ended.pop(copies.answer) == ""
    assert list(ended.values()) == ["begun and ended"]
    assert copies.answers(second) == copies.answers(first)
    assert copies.digest(first) == copies.digest(second)


def test_a_question_that_waits_here_for_an_answer_above_it_is_erased_with_the_copys() -> None:
    copies = Copies()
    first = copies.first
    thread = first.rows("SELECT thread_id FROM messages LIMIT 1")[0][0]
    below, _, _ = now(first.repositories.messages.add_question(thread, "below", with_answer=None))
    second = copies.profile(first.db.image())  # where the answer above was interrupted
    copies.settle(second)
    now(second.repositories.erasures.erase_message(below.id))
    copies.settle(second)
    copies.finish(first)
    assert copies.settle(first, second) == {first}
    for profile in (first, second):
        assert profile.rows("SELECT 1 FROM message_parts WHERE message_id = ?", below.id) == []


@pytest.mark.parametrize("is_stored_otherwise", [False, True])
def test_what_was_sent_from_here_and_comes_back_after_all_has_no_version_beside_it(is_stored_otherwise: bool) -> None:
    copies = Copies()
    copies.finish(copies.first)
    copies.round(copies.first)
    if is_stored_otherwise:  # in a form that does not travel
        copies.first.db.raw.execute("UPDATE messages SET content_digest = 'of another form'")
    # The history of the server became another one, so that everything is asked for and taken over again.
    copies.first.store.start_over(copies.project)
    copies.settle(copies.first)
    assert copies.answers(copies.first) == {copies.answer: "begun"}


def test_what_comes_back_from_another_team_is_the_same_for_all() -> None:
    copies = Copies()
    ann, project, server = copies.first, copies.project, copies.server
    bobs = new_id()
    server.add_member(bobs, "Bob")
    server.set_role(project, bobs, "editor")
    bob = Profile(SkewedClock(copies.time, 0), workspace_id=server.workspace_id, member_id=bobs)
    copies.finish(ann)
    copies.settle(ann, bob)
    [thread] = ann.rows("SELECT id FROM threads WHERE project_id = ?", project)[0]
    now(bob.repositories.messages.add_question(thread, "by Bob", with_answer=None))
    now(ann.repositories.messages.add_question(thread, "by Ann", with_answer=None))
    now(ann.repositories.threads.create(project, "another", provider=None, model=None))
    copies.settle(ann, bob)
    server.end_project(project)
    for workspace in (new_id(), server.workspace_id):
        ann.db.write_now(lambda conn: sharing.end(conn, project, EndReason.UNSHARED))
        ann.db.write_now(lambda conn, to=workspace: sharing.start(conn, ann.db.origin, project, to, TeamRole.OWNER, ""))
        ann.store.share_step(project)
    server.create_project(copies.member, project)
    server.set_role(project, bobs, "editor")
    copies.settle(ann, bob)
    left = "SELECT kind, problem FROM changes WHERE state IN (0, 2, 4) AND project_id = ?"
    assert ann.rows(left, project) == bob.rows(left, project) == []
    heads = (
        "SELECT h.entity, h.reg, h.change_id FROM register_heads h JOIN changes c ON c.id = h.change_id"
        " WHERE c.project_id = ? AND h.reg IN ('content', 'title') ORDER BY 1, 2, 3"
    )
    assert ann.rows(heads, project) == bob.rows(heads, project)
    assert copies.digest(ann) == copies.digest(bob)


def test_what_was_removed_for_good_while_private_comes_again_with_the_share() -> None:
    copies = Copies()
    ann, project, server = copies.first, copies.project, copies.server
    bobs = new_id()
    server.add_member(bobs, "Bob")
    server.set_role(project, bobs, "admin")
    bob = Profile(SkewedClock(copies.time, 0), workspace_id=server.workspace_id, member_id=bobs)
    copies.finish(ann)
    copies.settle(ann, bob)
    [thread] = ann.rows("SELECT id FROM threads WHERE project_id = ?", project)[0]
    now(ann.repositories.library.delete([thread]))
    copies.settle(ann, bob)
    server.end_project(project)
    ann.db.write_now(lambda conn: sharing.end(conn, project, EndReason.UNSHARED))
    assert now(ann.repositories.trash.purge_expired(2**60)) == 1
    server.create_project(copies.member, project)
    server.set_role(project, bobs, "admin")
    ann.share(project, joined_seq=server.projects[project].head)
    copies.settle(ann, bob)
    assert ann.rows("SELECT deleted_at IS NOT NULL FROM threads WHERE id = ?", thread) == [(1,)]
    now(bob.repositories.library.restore([thread]))
    copies.settle(ann, bob)
    assert copies.answers(ann) == copies.answers(bob) == {copies.answer: "begun"}
    assert copies.digest(ann) == copies.digest(bob)
    assert search_index.check(ann.db.raw) == []
