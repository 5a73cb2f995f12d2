"""What is erased for everybody: asked for here, taken by the server, gone from rows and log of everybody."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from chatdesk.core.domain.sharing.sync_wire import ProjectHead
from chatdesk.core.domain.sharing.team import EndReason, Erasure, ShareState
from chatdesk.core.domain.summary import NewSummary, SummaryAuthor
from chatdesk.core.errors import NotPossible, SharedReadOnly
from chatdesk.core.ids import new_id
from chatdesk.core.storage.sync import team
from chatdesk.core.storage.sync.erasing import MOST_IN_ONE, named, stub
from tests.helpers import shown_digest
from tests.helpers.sync_sim.memory_profile import Profile, now
from tests.helpers.sync_sim.model_server import ModelTeam
from tests.helpers.sync_sim.pair import Pair

LATER = 2**60
_WORDS = "SELECT content FROM message_parts WHERE message_id = ?"


def own(profile: Profile, *, author: str = "IS NULL") -> str:
    """A shown question by this person (or, ``IS NOT NULL``, by the other one) that has something below it."""
    return str(
        profile.rows(
            f"SELECT m.id FROM messages m WHERE m.author_id {author} AND m.deleted_at IS NULL AND m.role = 'user'"
            " AND EXISTS (SELECT 1 FROM messages c WHERE c.parent_id = m.id AND c.deleted_at IS NULL) ORDER BY m.id"
        )[0][0]
    )


def begin_private(profile: Profile, project: str, title: str) -> str:
    messages = profile.repositories.messages
    return now(messages.create_thread_with_question(project, title, "a question", provider=None, model=None))[0].id


def digests(pair: Pair) -> set[str]:
    return {each.db.read_now(lambda conn: shown_digest.digest(conn, pair.project)) for each in (pair.ann, pair.bob)}


def bodies(pair: Pair, *entities: str) -> str:
    """All that the server holds of the project, or of these things in it."""
    rows = pair.server.projects[pair.project].rows
    return "\n".join(row.body or "" for row in rows if not entities or row.entity in entities)


def test_an_erased_message_leaves_the_server_and_both_computers(pair: Pair) -> None:
    message = own(pair.bob)
    text = json.loads(pair.bob.rows(_WORDS, message)[0][0])["text"]
    assert text in bodies(pair, message)
    assert now(pair.bob.repositories.erasures.of_message(message)) == Erasure(messages=1, others=0)
    now(pair.bob.repositories.erasures.erase_message(message))
    assert pair.bob.rows(_WORDS, message), "nothing goes before the server took it"
    pair.settle()
    assert text not in bodies(pair, message)
    for profile in (pair.ann, pair.bob):
        assert profile.rows(_WORDS, message) == []
        assert profile.rows(
            "SELECT purged_at IS NOT NULL, deleted_at IS NOT NULL FROM messages WHERE id = ?", message
        ) == [(1, 1)]
        assert profile.rows("SELECT 1 FROM changes WHERE entity = ? AND body LIKE ?", message, f"%{text}%") == []
        assert profile.rows("SELECT count(*) FROM messages WHERE parent_id = ? AND deleted_at IS NULL", message) != [
            (0,)
        ]
    assert len(digests(pair)) == 1


def test_a_message_of_another_has_the_server_s_time_besides(pair: Pair) -> None:
    for author, is_others in (("IS NULL", False), ("IS NOT NULL", True)):
        message = own(pair.bob, author=author)
        taken = [row.at for row in pair.server.projects[pair.project].rows if row.entity == message and row.op == "new"]
        assert now(pair.bob.repositories.messages.get(message)).accepted_at == (taken[0] if is_others else None)


def test_summaries_that_tell_of_an_erased_message_go_with_it(pair: Pair) -> None:
    message = own(pair.bob)
    thread, last = pair.bob.rows(
        "SELECT m.thread_id, t.current_leaf_id FROM messages m JOIN threads t ON t.id = m.thread_id WHERE m.id = ?",
        message,
    )[0]
    first = pair.bob.rows("SELECT id FROM messages WHERE thread_id = ? AND on_path = 1 AND position = 0", thread)[0][0]
    made = NewSummary(thread, first, last, "what Bob said", 5, SummaryAuthor.MODEL, "o", "m")
    now(pair.ann.repositories.summaries.add(made))
    pair.settle()
    assert pair.bob.rows("SELECT text FROM summaries") == [("what Bob said",)]
    now(pair.bob.repositories.erasures.erase_message(message))
    pair.settle()
    assert [each.rows("SELECT text FROM summaries") for each in (pair.ann, pair.bob)] == [[], []]
    assert "what Bob said" not in bodies(pair)


def test_an_erased_thread_leaves_titles_too(pair: Pair) -> None:
    thread = pair.threads[0]
    now(pair.ann.repositories.threads.rename(thread, "A secret title"))
    pair.settle()
    now(pair.ann.repositories.erasures.erase_thread(thread))
    pair.settle()
    assert "A secret title" not in bodies(pair)
    for profile in (pair.ann, pair.bob):
        assert profile.rows("SELECT 1 FROM changes WHERE body LIKE '%A secret title%'") == []
        assert profile.rows("SELECT 1 FROM threads WHERE title = 'A secret title'") == []
        assert (
            profile.rows(
                "SELECT 1 FROM message_parts p JOIN messages m ON m.id = p.message_id WHERE m.thread_id = ?", thread
            )
            == []
        )
    assert len(digests(pair)) == 1


def test_an_erased_thread_leaves_no_title_of_before_the_share(pair: Pair) -> None:
    thread = pair.threads[0]
    pair.ann.db.raw.execute(
        "INSERT INTO changes (id, project_id, device, dseq, kind, op, entity, reg, parents, hlc, body, state,"
        " problem, at)"
        " VALUES (?, ?, ?, 100000, 'thread', 'edit', ?, 'title', '[]', 1, 'an older title', 5, 'entered', 1)",
        (new_id(), pair.project, pair.ann.db.device_id, thread),
    )
    pair.ann.db.raw.commit()
    now(pair.ann.repositories.erasures.erase_thread(thread))
    pair.settle()
    assert pair.ann.rows("SELECT count(*) FROM changes WHERE body LIKE '%an older title%'") == [(0,)]


def test_an_editor_erases_only_what_is_theirs(pair: Pair) -> None:
    """Of a thread of their own, in which the other one wrote, too."""
    thread = pair.begin(pair.bob, "Both")
    pair.settle()
    pair.ask(pair.ann, thread)
    pair.settle()
    found = now(pair.bob.repositories.erasures.erase_thread(thread))
    assert found.messages > 0
    assert found.others > 0
    pair.settle()
    left = (
        "SELECT m.author_id IS NULL FROM message_parts p JOIN messages m ON m.id = p.message_id WHERE m.thread_id = ?"
    )
    assert set(pair.bob.rows(left, thread)) == {(0,)}, "Ann's words stay in the trash"
    assert pair.bob.rows("SELECT 1 FROM changes WHERE state = 2") == []
    with pytest.raises(NotPossible, match="You wrote none of this"):
        now(pair.bob.repositories.erasures.erase_message(own(pair.bob, author="IS NOT NULL")))


def test_a_viewer_erases_nothing(pair: Pair) -> None:
    pair.server.set_role(pair.project, pair.bob.member_id, "viewer")
    pair.settle()
    with pytest.raises(SharedReadOnly):
        now(pair.bob.repositories.erasures.erase_message(own(pair.bob)))


def test_private_messages_are_not_erased_for_all_members(pair: Pair) -> None:
    project = now(pair.bob.repositories.projects.create("Private")).id
    thread = begin_private(pair.bob, project, "Mine")
    with pytest.raises(NotPossible, match="not shared"):
        now(pair.bob.repositories.erasures.erase_thread(thread))


def test_the_emptied_trash_of_a_shared_project_is_erased_for_everybody(pair: Pair) -> None:
    thread = pair.threads[0]
    now(pair.ann.repositories.library.delete([thread]))
    pair.settle()
    messages = [row[0] for row in pair.ann.rows("SELECT id FROM messages WHERE thread_id = ?", thread)]
    assert '"text"' in bodies(pair, *messages)
    now(pair.ann.repositories.library.mark_gone(None))
    now(pair.ann.repositories.trash.purge_expired(0))
    pair.settle()
    assert '"text"' not in bodies(pair, *messages)
    assert pair.bob.rows("SELECT 1 FROM message_parts p JOIN messages m ON m.id = p.message_id WHERE m.thread_id = ?",
                         thread) == []  # fmt: skip
    asked = "SELECT count(*) FROM changes WHERE reg = 'erased'"
    once = pair.ann.rows(asked)
    now(pair.ann.repositories.trash.purge_expired(0))
    assert pair.ann.rows(asked) == once, "asked for once"


def test_a_purge_without_the_right_stays_on_this_computer(pair: Pair) -> None:
    """Bob, an editor, empties his trash with Ann's thread in it: others may bring it back, whole."""
    thread = pair.begin(pair.ann, "Ann's own")
    pair.settle()
    now(pair.ann.repositories.library.delete([thread]))
    pair.settle()
    now(pair.bob.repositories.library.mark_gone([thread]))
    now(pair.bob.repositories.trash.purge_expired(0))
    assert pair.bob.rows("SELECT count(*) FROM changes WHERE reg = 'erased'") == [(0,)]
    pair.settle()
    now(pair.ann.repositories.library.restore([thread]))
    pair.settle()
    assert pair.bob.rows("SELECT deleted_at FROM threads WHERE id = ?", thread) == [(None,)]
    assert len(digests(pair)) == 1


def test_words_that_an_older_backup_of_the_server_has_do_not_come_back(pair: Pair) -> None:
    """Nor those that somebody brings back who did not hear of the erasure."""
    message = own(pair.bob)
    text = json.loads(pair.bob.rows(_WORDS, message)[0][0])["text"]
    before = pair.server.snapshot()
    now(pair.bob.repositories.erasures.erase_message(message))
    pair.settle()
    pair.server.become(before)
    assert text in bodies(pair, message)
    pair.settle()
    assert text not in bodies(pair, message)
    for profile in (pair.ann, pair.bob):
        assert profile.rows(_WORDS, message) == []
    assert len(digests(pair)) == 1


@pytest.mark.parametrize("has_heard", [True, False])
def test_an_erasure_that_a_restored_server_lost_is_asked_for_again_by_whoever_may(pair: Pair, has_heard: bool) -> None:
    """By who asked for it, where they still may, and by the author of what was erased, where they heard of it."""
    pair.server.set_role(pair.project, pair.bob.member_id, "admin")
    pair.settle()
    mine, anns = own(pair.bob), own(pair.ann)
    backup = pair.server.snapshot()
    for each in (mine, anns):
        now(pair.bob.repositories.erasures.erase_message(each))
    while pair.round(pair.bob) or (has_heard and pair.round(pair.ann)):
        pass
    pair.server.become(backup)
    pair.server.set_role(pair.project, pair.bob.member_id, "editor")
    pair.settle()
    pair.settle()
    erased = {row.entity for row in pair.server.projects[pair.project].rows if row.is_erased}
    assert erased == ({mine, anns} if has_heard else {mine})
    chosen = "SELECT count(*) FROM message_parts WHERE message_id IN (?, ?)"
    assert pair.bob.rows(chosen, mine, anns) == [(0 if has_heard else 1,)], "here it is as it is in the log"
    assert len(digests(pair)) == 1


def test_the_log_of_a_purged_private_thread_keeps_no_words(pair: Pair) -> None:
    project = now(pair.bob.repositories.projects.create("Private")).id
    thread = begin_private(pair.bob, project, "A private title")
    now(pair.bob.repositories.library.delete([thread]))
    now(pair.bob.repositories.library.mark_gone([thread]))
    now(pair.bob.repositories.trash.purge_expired(0))
    assert pair.bob.rows("SELECT 1 FROM changes WHERE body LIKE '%A private title%'") == []


def test_a_project_that_its_owner_erased_is_gone_but_for_what_was_never_sent(pair: Pair) -> None:
    pair.ask(pair.bob, pair.threads[0])  # and does not sync before the end
    unsent = pair.bob.rows("SELECT entity FROM changes WHERE state = 0 AND kind = 'message' ORDER BY n")
    texts = {row[0] for row in pair.bob.rows(_WORDS, unsent[0][0])}
    head = ProjectHead(pair.project, "viewer", "", 0, is_deleted=True, is_erased=True)
    hello, said = ModelTeam(pair.server, pair.bob.member_id).view(pair.bob.store.device())
    view = replace(said, projects=(head,))
    assert pair.bob.store.store_view(hello, view, pair.bob.store.shares()) == {pair.project}
    assert pair.bob.rows("SELECT 1 FROM threads WHERE project_id = ?", pair.project) == []
    assert pair.bob.rows("SELECT 1 FROM changes WHERE project_id = ?", pair.project) == []
    left = {row[0] for row in pair.bob.rows("SELECT content FROM message_parts")}
    assert texts <= left
    shared = pair.bob.db.read_now(lambda conn: team.shared_project(conn, pair.project))
    assert shared is not None
    assert (shared.state, shared.ended) == (ShareState.ENDED, EndReason.ERASED)
    assert pair.bob.store.store_view(hello, view, pair.bob.store.shares()) == frozenset(), "told once"


@pytest.mark.parametrize("body", [None, "{", "[]", '{"changes": 7}', '{"changes": {"a": 1}}', '{"changes": [7, "x"]}'])
def test_an_erasure_that_names_nothing_erases_nothing(body: str | None) -> None:
    assert named(body) == []


def test_an_erasure_of_more_than_it_may_name_is_read_as_far_as_that() -> None:
    ids = [f"00000000-0000-7000-8000-{number:012x}" for number in range(MOST_IN_ONE + 1)]
    assert named(json.dumps({"changes": ids})) == ids[:-1]


def test_a_stub_keeps_nothing_that_could_be_words() -> None:
    thread = "00000000-0000-7000-8000-000000000001"
    body = {
        "thread_id": thread, "parent_id": "a secret", "role": "user", "status": "my secret words",
        "created_at": "secret",
        "prompt_tokens": 7, "completion_tokens": "secret", "model": "secret", "parts": [{"text": "secret"}],
    }  # fmt: skip
    left = json.loads(stub("message", "new", json.dumps(body)) or "")
    assert left == {"thread_id": thread, "role": "user", "prompt_tokens": 7, "is_purged": True}
    assert stub("thread", "edit", '{"title": "secret"}') is None
    assert json.loads(stub("thread", "new", '{"title": "secret", "created_at": 5}') or "") == {"created_at": 5}
