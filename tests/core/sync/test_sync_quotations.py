"""What another member wrote stays theirs: wherever it is copied, others get it as a quotation with its source."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import pytest

from chatdesk.core.domain.message import Status
from chatdesk.core.domain.sharing.sync_wire import WireChange
from chatdesk.core.domain.sharing.team import ServerAddress, TeamRole, Workspace
from chatdesk.core.domain.turn import AnswerPlan, TurnOutcome
from chatdesk.core.ids import new_id
from chatdesk.core.storage.engine.pending_restore import ready_path
from chatdesk.core.storage.sync import entering, outbox, refused, sharing, team
from chatdesk.core.storage.upkeep import restore, salvage
from tests.helpers.examples import sample
from tests.helpers.sync_sim.memory_profile import Profile, now
from tests.helpers.sync_sim.pair import Pair
from tests.helpers.sync_sim.seeded import SkewedClock

_SOURCE: Final = re.compile(r"> (.+) \(chatdesk://thread/([0-9a-f-]{36})(?:\?message=([0-9a-f-]{36}))?\):")
Sent = list[tuple[str, str]]  # project and body of what Bob sent


@pytest.fixture(scope="module")
def made() -> Iterator[Pair]:
    pair = Pair()
    thread = pair.threads[0]
    question = pair.ann.rows("SELECT id FROM messages WHERE thread_id = ? ORDER BY position", thread)[0][0]
    repositories = pair.ann.repositories
    answer = now(repositories.messages.add_answer(question, AnswerPlan("p", "m")))[0]
    now(repositories.messages.finish(answer.id, TurnOutcome(Status.STOPPED, finished_at=pair.time.ms)))
    now(repositories.system_prompts.change(threads={thread: "Ann's wish"}, projects={pair.project: "Ann's rule"}))
    now(repositories.projects.change(pair.project, {"name": "Ann's plans"}))
    now(repositories.threads.rename(thread, "Ann's title"))
    now(repositories.library.tag([thread], add=["Ann's tag"], remove=[]))
    pair.settle()
    yield pair
    for profile in (pair.ann, pair.bob):
        profile.db.close()


@pytest.fixture
def pair(made: Pair) -> Iterator[Pair]:
    copied = made.copy()
    yield copied
    for profile in (copied.ann, copied.bob):
        profile.db.close()


def _anns_end(pair: Pair) -> str:
    """The lowest message of Ann's that Bob sees."""
    return str(
        pair.bob.rows(
            "SELECT id FROM messages WHERE author_id = ? AND deleted_at IS NULL ORDER BY position DESC, id LIMIT 1",
            pair.ann.member_id,
        )[0][0]
    )


def _branch(pair: Pair) -> None:
    branch = now(pair.bob.repositories.paths.branch(_anns_end(pair), "Branch")).id
    pair.ask(pair.bob, branch)


def _branch_in_the_project(pair: Pair) -> Sent:
    _branch(pair)
    return _settled(pair)


def _branch_a_private_copy(pair: Pair) -> Sent:
    pair.leave()
    pair.settle()
    _branch(pair)
    pair.come_back()
    return _settled(pair)


def _branch_of_a_branch(pair: Pair) -> Sent:
    pair.leave()
    _branch(pair)
    leaf = pair.bob.rows("SELECT id FROM messages WHERE author_id IS NOT NULL ORDER BY id DESC LIMIT 1")[0][0]
    now(pair.bob.repositories.paths.branch(leaf, "Again"))
    pair.come_back()
    return _settled(pair)


def _continue(pair: Pair) -> Sent:
    answer = pair.bob.rows("SELECT id FROM messages WHERE status = 'stopped'")[0][0]
    made = now(pair.bob.repositories.messages.resume(answer, AnswerPlan("p", "m")))
    now(pair.bob.repositories.messages.finish(made.id, TurnOutcome(Status.COMPLETE, finished_at=pair.time.ms)))
    return _settled(pair)


def _share_with_another_team(pair: Pair) -> Sent:
    pair.leave()
    other = Workspace(new_id(), "Other", ServerAddress("other.example", 5432, "x", "y"), new_id(), True, 1)
    pair.bob.db.write_now(lambda conn: team.add_workspace(conn, other))
    pair.bob.db.write_now(
        lambda conn: sharing.start(conn, pair.bob.db.origin, pair.project, other.id, TeamRole.OWNER, "channel")
    )
    return _entered(pair.bob, pair.project)


def _move_to_another_project(pair: Pair) -> Sent:
    pair.leave()
    project = now(pair.bob.repositories.projects.create("Mine")).id
    pair.server.create_project(pair.bob.member_id, project)
    pair.bob.db.write_now(
        lambda conn: sharing.start(
            conn, pair.bob.db.origin, project, pair.bob.workspace_id, TeamRole.OWNER, f"ch_{project}"
        )
    )
    _entered(pair.bob, project)
    threads = [row[0] for row in pair.bob.rows("SELECT id FROM threads WHERE project_id = ?", pair.project)]
    pair.bob.db.raw.execute("UPDATE threads SET project_id = ? WHERE project_id = ?", (project, pair.project))
    pair.bob.db.raw.commit()
    pair.bob.db.write_now(lambda conn: entering.log_threads(conn, pair.bob.db.origin, project, threads))
    return _pending(pair.bob, project)


def _copy_what_was_refused(pair: Pair) -> Sent:
    _branch(pair)
    bob, message = pair.bob, _anns_end(pair)
    now(bob.repositories.projects.create("Elsewhere"))
    bob.db.raw.execute("UPDATE changes SET state = 2, problem = 'denied' WHERE state = 0 AND mine = 1")
    bob.db.raw.execute(
        "INSERT INTO changes (id, project_id, device, dseq, kind, op, entity, reg, parents, hlc, state, at)"
        " VALUES (?, ?, ?, 100000, 'message', 'del', ?, 'content', '[]', 1, 2, 1)",
        (new_id(), pair.project, bob.db.device_id, message),
    )
    bob.db.raw.commit()
    ids = [row[0] for row in bob.rows("SELECT id FROM changes WHERE state = 2 AND kind = 'message'")]
    bob.db.write_now(lambda conn: refused.copy_refused(conn, bob.db.origin, ids))
    (copied,) = bob.rows("SELECT project_id FROM threads WHERE title = 'Not taken by the team'")
    bob.db.write_now(
        lambda conn: sharing.start(conn, bob.db.origin, copied[0], bob.workspace_id, TeamRole.OWNER, "channel")
    )
    return _entered(bob, copied[0])


def _settled(pair: Pair) -> Sent:
    before = len(pair.server.projects[pair.project].rows)
    pair.settle()
    assert pair.seen(pair.ann) == pair.seen(pair.bob)
    authors = [
        {row[0]: row[1] or profile.member_id for row in profile.rows("SELECT id, author_id FROM messages")}
        for profile in (pair.ann, pair.bob)
    ]
    assert authors[0] == authors[1]
    return [
        (pair.project, row.body or "")
        for row in pair.server.projects[pair.project].rows[before:]
        if row.author == pair.bob.member_id
    ]


def _entered(profile: Profile, project: str) -> Sent:
    while profile.db.write_now(lambda conn: entering.log_batch(conn, profile.db.origin, project)) is not None:
        pass
    return _pending(profile, project)


def _pending(profile: Profile, project: str) -> Sent:
    def read(conn: Any) -> list[WireChange]:
        return outbox.pending(conn, project, max_rows=10_000, max_bytes=10**9)

    return [(project, each.body or "") for each in profile.db.write_now(read)]


_WAYS: Final[dict[str, Callable[[Pair], Sent]]] = {
    each.__name__.strip("_"): each
    for each in (
        *(_branch_in_the_project, _branch_a_private_copy, _branch_of_a_branch, _continue, _share_with_another_team),
        *(_move_to_another_project, _copy_what_was_refused),
    )
}


def _as_it_is(_pair: Pair, _folder: Path) -> None:
    pass


def _restored(pair: Pair, folder: Path) -> None:
    backup = folder / "backup.db"
    backup.write_bytes(pair.bob.db.image())
    restore.prepare(backup, folder / "chatdesk.db", blobs=folder / "blobs")
    _replace_bob(pair, ready_path(folder / "chatdesk.db"))


def _salvaged(pair: Pair, folder: Path) -> None:
    damaged = folder / "chatdesk.db"
    damaged.write_bytes(pair.bob.db.image())
    salvage.salvage(damaged, SkewedClock(pair.time, 0))
    _replace_bob(pair, ready_path(damaged))


def _salvaged_without_messages(pair: Pair, folder: Path) -> None:
    """The words of the messages are left, and who wrote them is only in the log."""
    raw = pair.bob.db.raw
    raw.execute("PRAGMA foreign_keys = OFF")
    raw.execute("DELETE FROM messages WHERE author_id IS NOT NULL")
    raw.commit()
    _salvaged(pair, folder)


def _salvaged_without(pair: Pair, folder: Path, tables: Sequence[str]) -> None:
    """The first pages of these tables are lost."""
    damaged, image = folder / "chatdesk.db", bytearray(pair.bob.db.image())
    ((size,),) = pair.bob.rows("PRAGMA page_size")
    for name in tables:
        ((root,),) = pair.bob.rows("SELECT rootpage FROM sqlite_master WHERE name = ?", name)
        image[(root - 1) * size : root * size] = bytes(size)
    damaged.write_bytes(image)
    salvage.salvage(damaged, SkewedClock(pair.time, 0))
    _replace_bob(pair, ready_path(damaged))


# What may be lost of what says whose words are whose.
_LOSSES: Final = [
    lost
    for count in (1, 2, 3, 4)
    for lost in combinations(("messages", "changes", "team_members", "workspaces"), count)
]


def _replace_bob(pair: Pair, path: Path) -> None:
    before, clock = pair.bob, SkewedClock(pair.time, 0)
    pair.bob = Profile(clock, workspace_id=before.workspace_id, member_id=before.member_id, image=path.read_bytes())
    before.db.close()


_STATES: Final[dict[str, Callable[[Pair, Path], None]]] = {
    each.__name__.strip("_"): each for each in (_as_it_is, _restored, _salvaged, _salvaged_without_messages)
}
_STATES |= {" ".join(lost): partial(_salvaged_without, tables=lost) for lost in _LOSSES}
_LINE = re.compile(r"Ann's (?:title|plans|tag|fact) \((?:Ann|Another member)\)")
_OF_THREADS = {"title", "tag", "fact", "wish", "thoughts"}
_FOUND = {"share_with_another_team": _OF_THREADS | {"plans", "rule"}, "move_to_another_project": _OF_THREADS}
_CASES = [(way, "as_it_is") for way in _WAYS]
_CASES += [
    (way, state)
    for way in _FOUND
    for state in _STATES
    if state != "as_it_is" and ("workspaces" not in state or way == "share_with_another_team")
]


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for each in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
        yield from _texts_in(each)


@pytest.mark.parametrize(("way", "state"), sample(_CASES, 14))
def test_titles_prompts_and_tags_of_others_are_sent_as_quotations_only(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, state: str
) -> None:
    leave = pair.leave

    def leave_and_change() -> None:
        leave()
        _STATES[state](pair, tmp_path)

    monkeypatch.setattr(pair, "leave", leave_and_change)
    ends = [row[0] for row in pair.bob.rows("SELECT id FROM messages WHERE thread_id = ?", pair.threads[0])]
    pair.bob.db.raw.execute(
        "INSERT INTO summaries (id, thread_id, from_message_id, up_to_message_id, text, pinned_facts, created_at,"
        " author_id) VALUES (?, ?, ?, ?, 'Ann''s thoughts', ?, 1, ?)",
        (new_id(), pair.threads[0], ends[0], ends[-1], json.dumps(["Ann's fact"]), pair.ann.member_id),
    )
    pair.bob.db.raw.commit()
    found = set()
    for _, text in _WAYS[way](pair):
        for words in _texts_in(json.loads(text) if text else {}):
            if "Ann's" in words:
                is_quoted = words.startswith(("> Ann (", "> Another member ("))
                assert is_quoted or _LINE.fullmatch(words.strip('[]"')), words
                found |= set(re.findall(r"Ann's (\w+)", words))
    assert found >= _FOUND.get(way, set())


@pytest.mark.parametrize("lost", _LOSSES)
def test_what_may_be_of_others_is_never_this_persons_after_a_loss(
    pair: Pair, tmp_path: Path, lost: Sequence[str]
) -> None:
    pair.leave()
    theirs = {row[0] for row in pair.bob.rows("SELECT id FROM messages WHERE author_id IS NOT NULL")}
    _salvaged_without(pair, tmp_path, lost)
    found = dict(pair.bob.rows("SELECT id, author_id FROM messages"))
    assert theirs & found.keys()
    assert [each for each in theirs & found.keys() if found[each] is None] == []


def test_a_text_whose_message_was_lost_keeps_its_author(pair: Pair, tmp_path: Path) -> None:
    pair.leave()
    theirs = {row[0] for row in pair.bob.rows("SELECT id FROM messages WHERE author_id IS NOT NULL")}
    _salvaged_without_messages(pair, tmp_path)
    found = pair.bob.rows("SELECT id, author_id FROM messages WHERE deleted_at IS NULL")
    assert {row[0] for row in found if row[1] == pair.ann.member_id} == {row[0] for row in found} & theirs != set()


@pytest.mark.parametrize("way", _WAYS)
def test_words_of_others_are_sent_as_quotations_only(pair: Pair, way: str) -> None:
    ann = pair.ann.member_id
    theirs = {row[0] for row in pair.bob.rows("SELECT id FROM messages WHERE author_id = ?", ann)}
    found = 0
    for _, text in _WAYS[way](pair):
        body = json.loads(text) if text else {}
        words = [part["content"].get("text", "") for part in body.get("parts", ())] or [str(body.get("text", ""))]
        for word in words:
            lines = word.split("\n")
            if (source := _SOURCE.fullmatch(lines[0])) is not None:
                assert source[1] == "Ann"
                assert source[3] in theirs
                found += 1
            foreign = [line for line in lines if ann in line or "first of One" in line or "first of Two" in line]
            assert not foreign or source is not None
            assert all(line.startswith("> ") for line in foreign)
    assert found


def test_a_private_copy_keeps_the_authors_of_what_is_no_copy(pair: Pair) -> None:
    before = pair.bob.rows("SELECT id, author_id, content_digest FROM messages ORDER BY id")
    pair.leave()
    _branch(pair)
    assert pair.bob.rows("SELECT id, author_id, content_digest FROM messages ORDER BY id")[: len(before)] == before


def test_what_an_earlier_version_branched_is_quoted_before_it_is_sent(pair: Pair) -> None:
    pair.leave()
    _branch(pair)
    ann = pair.ann.member_id
    made = pair.bob.rows("SELECT message_id FROM message_parts WHERE content LIKE '%> Ann (%'")
    for (message,) in made:
        content = json.dumps({"text": f"words of {ann}"})
        pair.bob.db.raw.execute("UPDATE message_parts SET content = ? WHERE message_id = ?", (content, message))
        pair.bob.db.raw.execute("UPDATE messages SET author_id = ? WHERE id = ?", (ann, message))
    pair.bob.db.raw.commit()
    pair.come_back()
    bodies = [json.loads(body) for _, body in _settled(pair) if "words of" in body]
    assert len(bodies) == len(made)
    assert all(body["parts"][0]["content"]["text"].startswith("> Ann (") for body in bodies)


def test_a_summary_of_another_is_quoted(pair: Pair) -> None:
    thread = pair.threads[0]
    ends = [row[0] for row in pair.bob.rows("SELECT id FROM messages WHERE thread_id = ? ORDER BY position", thread)]
    pair.bob.db.raw.execute(
        "INSERT INTO summaries (id, thread_id, from_message_id, up_to_message_id, text, created_at, author_id)"
        " VALUES (?, ?, ?, ?, ?, 1, ?)",
        (new_id(), thread, ends[0], ends[-1], "what Ann thinks", pair.ann.member_id),
    )
    pair.bob.db.raw.commit()
    sent = [json.loads(body)["text"] for _, body in _share_with_another_team(pair) if "what Ann thinks" in body]
    assert sent == [f"> Ann (chatdesk://thread/{thread}):\n>\n> what Ann thinks"]


def test_what_the_team_has_already_is_not_entered_as_ones_own(pair: Pair) -> None:
    """A profile that was restored from before it knew of the share, on a computer that has the project."""
    before = pair.seen(pair.bob)
    pair.bob.db.raw.execute("DELETE FROM shared_projects")
    pair.bob.db.raw.commit()
    pair.settle()
    pair.settle()
    rows = pair.server.projects[pair.project].rows
    assert not [row for row in rows if row.author == pair.bob.member_id and pair.ann.member_id in (row.body or "")]
    assert pair.seen(pair.bob)[1] == before[1]
