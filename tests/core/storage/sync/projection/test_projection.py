"""What a project's log says is what its rows hold, whoever wrote it and in whatever order it came."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatdesk.core.domain.sharing.sync_wire import PulledChange, PushResult, PushStatus
from chatdesk.core.domain.sharing.team import ChangeState
from chatdesk.core.ids import new_id
from chatdesk.core.storage.sync import team_notes
from chatdesk.core.storage.sync.projection import projection
from tests.helpers.examples import examples
from tests.helpers.pulled_log import ANN, ANNS, BEN, BENS, PulledLog, Reader
from tests.helpers.sync_sim.memory_profile import now

CLEOS = "00000000-0000-7000-8000-0000000000d3"


@pytest.fixture
def log() -> PulledLog:
    return PulledLog()


@pytest.fixture
def reader(log: PulledLog) -> Iterator[Reader]:
    reader = Reader(log)
    yield reader
    before = reader.digest()
    reader.project_again()
    assert reader.digest() == before
    reader.close()


# Registers


def test_of_two_titles_the_newer_is_shown_and_both_are_kept(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    log.edit("thread", thread_id, "title", {"title": "Newer", "title_source": "model"}, hlc=9 << 40)
    log.edit("thread", thread_id, "title", {"title": "Older"}, device=BENS, hlc=1 << 40)
    [applied] = reader.pull()
    assert reader.title(thread_id) == "Newer"
    assert reader.rows("SELECT title_folded, title_source FROM threads WHERE id = ?", thread_id) == [("newer", "model")]
    assert applied.threads == {thread_id}
    assert len(reader.rows("SELECT 1 FROM register_heads WHERE reg = 'title'")) == 2


def test_who_has_seen_the_other_title_replaces_it(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    first = log.edit("thread", thread_id, "title", {"title": "First"}, hlc=9 << 40)
    log.edit("thread", thread_id, "title", {"title": "Second"}, device=BENS, hlc=1, parents=[first.id])
    reader.pull()
    assert reader.title(thread_id) == "Second"


@pytest.mark.parametrize(
    ("reg", "body", "columns", "values"),
    [
        ("lww.model", {"provider": "p", "model": "m2"}, "provider, model", ("p", "m2")),
        ("lww.model", {"provider": 5}, "provider, model", (None, None)),
        ("system_prompt", {"system_prompt": "Short."}, "system_prompt", ("Short.",)),
        ("system_prompt", {"system_prompt": ["x"]}, "system_prompt", ("",)),
        ("lww.parameters", {"parameters": '{"temperature":0.5}'}, "parameters", ('{"temperature":0.5}',)),
        ("lww.parameters", {"parameters": {"temperature": 99}}, "parameters", ("{}",)),
        ("lww.summaries", {"is_without_summaries": 1}, "is_without_summaries", (1,)),
        ("title", {"title": "  two\nlines "}, "title", ("two lines",)),
        ("title", {"title": "   "}, "title", ("Untitled",)),
        ("title", {"title": 7}, "title", ("Untitled",)),
        ("lww.pinned", {"pinned_at": 5}, "pinned_at", (None,)),
        ("lww.archived", {"archived_at": 5}, "archived_at", (None,)),
        ("lww.project", {"project_id": "elsewhere"}, "archived_at", (None,)),
        ("of a newer ChatDesk", {"x": 1}, "title", ("A thread",)),
    ],
)
def test_registers_of_threads(
    log: PulledLog, reader: Reader, reg: str, body: object, columns: str, values: tuple[object, ...]
) -> None:
    thread_id = log.thread()
    log.edit("thread", thread_id, reg, body)
    reader.pull()
    assert reader.rows(f"SELECT {columns} FROM threads WHERE id = ?", thread_id) == [values]


@pytest.mark.parametrize(
    ("reg", "body", "columns", "values"),
    [
        ("name", {"name": " Our  work "}, "name", ("Our work",)),
        ("name", {"name": ""}, "name", ("Shared project",)),
        ("lww.colour", {"colour": "#aabbcc"}, "colour", ("#AABBCC",)),
        ("lww.colour", {"colour": "red; DROP"}, "colour", ("#5B7DB1",)),
        ("system_prompt", {"system_prompt": "For all."}, "system_prompt", ("For all.",)),
        ("lww.archived", {"archived_at": 5}, "archived_at", (None,)),
    ],
)
def test_registers_of_projects(
    log: PulledLog, reader: Reader, reg: str, body: object, columns: str, values: tuple[object, ...]
) -> None:
    log.add("project", "new", log.project_id, {"name": "N", "colour": "#5B7DB1"})
    log.edit("project", log.project_id, reg, body)
    [applied] = reader.pull()
    assert reader.rows(f"SELECT {columns} FROM projects WHERE id = ?", log.project_id) == [values]
    assert applied.projects == {log.project_id}


def test_a_project_is_not_deleted_by_its_log(log: PulledLog, reader: Reader) -> None:
    log.add("project", "new", log.project_id, {"name": "N", "colour": "#5B7DB1"})
    log.add("project", "del", log.project_id, {"deleted_at": 1})
    reader.pull()
    assert reader.one("SELECT deleted_at FROM projects WHERE id = ?", log.project_id) is None


def test_a_refused_edit_gives_way_to_what_was_before(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    reader.pull()
    now(reader.profile.repositories.threads.rename(thread_id, "Mine alone"))
    [change] = reader.profile.store.pending(log.project_id, max_rows=9, max_bytes=9999)

    reader.profile.store.record_push_results(log.project_id, [PushResult(change.id, PushStatus.DENIED)])

    assert reader.title(thread_id) == "A thread"
    assert reader.rows("SELECT * FROM register_heads WHERE entity = ? AND reg = 'title'", thread_id) == []
    log.edit("thread", thread_id, "title", {"title": "Mine alone"}, id=change.id, device=reader.profile.store.device())
    reader.pull()
    assert reader.title(thread_id) == "Mine alone"


def test_a_refused_deletion_is_undone(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    message_id = log.message(thread_id)
    reader.pull()
    now(reader.profile.repositories.paths.delete(message_id, with_later=False))
    assert reader.shown(thread_id) == []
    [change] = reader.profile.store.pending(log.project_id, max_rows=9, max_bytes=9999)
    reader.profile.store.record_push_results(log.project_id, [PushResult(change.id, PushStatus.DENIED)])
    assert reader.shown(thread_id) == ["hello"]


@pytest.mark.parametrize("kind", ["project", "thread", "message", "summary", "spaceship"])
def test_registers_of_what_is_not_here_are_left(reader: Reader, kind: str) -> None:
    db = reader.profile.db
    db.write_now(lambda conn: projection.project_register(conn, db.origin, kind, new_id(), "title"))


# Two things under one id: only a hostile member makes them.


def two_under_one_id(log: PulledLog, reader: Reader) -> tuple[str, str]:
    """A thread with a message, and a second thread that bears the id of the message. Thread and message."""
    thread_id = log.thread()
    message_id = log.message(thread_id)
    reader.pull()
    log.add("thread", "new", message_id, {"title": "Invented"}, device=BENS)
    reader.pull()
    assert reader.one("SELECT title FROM threads WHERE id = ?", message_id) == "Invented"
    return thread_id, message_id


def refuse_all(log: PulledLog, reader: Reader) -> None:
    pending = reader.profile.store.pending(log.project_id, max_rows=9, max_bytes=9999)
    assert len(pending) == 1
    reader.profile.store.record_push_results(
        log.project_id, [PushResult(each.id, PushStatus.DENIED) for each in pending]
    )


def test_a_refused_deletion_of_a_thread_under_the_id_of_a_message_is_undone(log: PulledLog, reader: Reader) -> None:
    thread_id, both = two_under_one_id(log, reader)
    before = reader.digest()
    now(reader.profile.repositories.library.delete([both]))
    refuse_all(log, reader)
    assert reader.one("SELECT deleted_at FROM threads WHERE id = ?", both) is None
    assert reader.shown(thread_id) == ["hello"]
    assert reader.digest() == before


def test_a_refused_deletion_of_a_message_under_the_id_of_a_thread_is_undone(log: PulledLog, reader: Reader) -> None:
    thread_id, both = two_under_one_id(log, reader)
    before = reader.digest()
    now(reader.profile.repositories.paths.delete(both, with_later=False))
    assert reader.shown(thread_id) == []
    refuse_all(log, reader)
    assert reader.shown(thread_id) == ["hello"]
    assert reader.digest() == before


def test_a_refused_switch_of_a_summary_under_the_id_of_a_message_is_undone(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    both = log.message(thread_id)
    body = {"thread_id": thread_id, "from_message_id": both, "up_to_message_id": both, "text": "a", "author": "model"}
    log.add("summary", "new", both, body, device=BENS)
    reader.pull()
    before = reader.digest()
    now(reader.profile.repositories.summaries.switch(both, is_on=False))
    assert reader.digest() != before
    refuse_all(log, reader)
    assert reader.digest() == before


def test_a_refused_title_of_a_thread_under_the_id_of_a_message_gives_way(log: PulledLog, reader: Reader) -> None:
    _, both = two_under_one_id(log, reader)
    now(reader.profile.repositories.threads.rename(both, "Mine alone"))
    refuse_all(log, reader)
    assert reader.title(both) == "Invented"


@pytest.mark.parametrize("kind", ["thread", "message"])
def test_deleting_one_of_two_under_one_id_leaves_the_other(log: PulledLog, reader: Reader, kind: str) -> None:
    thread_id, both = two_under_one_id(log, reader)
    log.delete(kind, both)
    reader.pull()
    assert (reader.one("SELECT deleted_at FROM threads WHERE id = ?", both) is None) is (kind == "message")
    assert reader.shown(thread_id) == (["hello"] if kind == "thread" else [])


def test_a_change_names_only_heads_of_its_own_kind(log: PulledLog, reader: Reader) -> None:
    _, both = two_under_one_id(log, reader)
    now(reader.profile.repositories.paths.delete(both, with_later=False))
    [deletion] = reader.profile.store.pending(log.project_id, max_rows=9, max_bytes=9999)
    [made] = reader.rows("SELECT id FROM changes WHERE entity = ? AND kind = 'message' AND op = 'new'", both)
    assert deletion.parents == made
    heads = reader.rows("SELECT c.kind FROM register_heads h JOIN changes c ON c.id = h.change_id WHERE h.entity = ?"
                        " ORDER BY c.kind", both)  # fmt: skip
    assert heads == [("message",), ("thread",)]


# Tags


def tag(log: PulledLog, thread_id: str, tag_id: str, name: str | None, *, is_on: bool, device: str = ANNS) -> None:
    body = {"is_on": is_on} if name is None else {"is_on": is_on, "name": name}
    log.edit("thread", thread_id, f"lww.tag.{tag_id}", body, device=device)


def names(reader: Reader, thread_id: str) -> list[str]:
    return list(now(reader.profile.repositories.threads.get(thread_id)).tags)


def test_tags_of_one_name_are_one(log: PulledLog, reader: Reader) -> None:
    default = now(reader.profile.repositories.projects.default()).id
    mine = now(reader.profile.repositories.threads.create(default, "Mine", provider=None, model=None)).id
    now(reader.profile.repositories.library.tag([mine], add=["Todo"], remove=[]))
    thread_id = log.thread()
    anns, bens = new_id(), new_id()
    tag(log, thread_id, anns, "TODO", is_on=True)
    tag(log, thread_id, bens, "todo", is_on=True, device=BENS)
    tag(log, thread_id, new_id(), "other", is_on=True)
    [applied] = reader.pull()
    assert applied.has_tags
    assert names(reader, thread_id) == ["other", "Todo"]
    assert reader.one("SELECT count(*) FROM tags") == 2

    tag(log, thread_id, bens, None, is_on=False, device=BENS)
    reader.pull()
    assert names(reader, thread_id) == ["other"]

    tag(log, thread_id, anns, "Todo", is_on=True)
    reader.pull()
    assert names(reader, thread_id) == ["other", "Todo"]


def test_a_tag_that_was_renamed_here_stays_that_tag(log: PulledLog, reader: Reader) -> None:
    thread_id, tag_id = log.thread(), new_id()
    tag(log, thread_id, tag_id, "work", is_on=True)
    reader.pull()
    now(reader.profile.repositories.tags.rename(tag_id, "my work"))
    tag(log, thread_id, tag_id, "work", is_on=False)
    tag(log, thread_id, tag_id, "work", is_on=True)
    reader.pull()
    assert names(reader, thread_id) == ["my work"]


@pytest.mark.parametrize("name", [None, "", " # ", 7, "\x1f"])
def test_a_tag_without_a_name_is_none(log: PulledLog, reader: Reader, name: object) -> None:
    thread_id = log.thread()
    log.edit("thread", thread_id, f"lww.tag.{new_id()}", {"is_on": True, "name": name})
    log.edit("thread", thread_id, "lww.tag.no id", {"is_on": True, "name": "x"})
    reader.pull()
    assert names(reader, thread_id) == []


# Deletions


def test_a_deleted_thread_is_hidden(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    log.message(thread_id, None, device=BENS)
    reader.pull()
    log.delete("thread", thread_id)
    [applied] = reader.pull()
    assert reader.is_hidden(thread_id)
    assert applied.threads == {thread_id}
    assert applied.notes == ()


@pytest.mark.parametrize("what", ["message", "title", "summary", "tag"])
@pytest.mark.parametrize("is_before", [True, False])
def test_what_its_deletion_did_not_cover_brings_a_thread_back(
    log: PulledLog, reader: Reader, what: str, is_before: bool
) -> None:
    thread_id = log.thread()
    first = log.message(thread_id)
    covers = log.seen()
    if not is_before:
        log.delete("thread", thread_id, covers=covers)
        reader.pull()
        assert reader.is_hidden(thread_id)
    if what == "message":
        log.message(thread_id, first, device=BENS)
    elif what == "summary":
        body = {"thread_id": thread_id, "from_message_id": first, "up_to_message_id": first, "text": "short"}
        log.add("summary", "new", new_id(), body, device=BENS)
    elif what == "tag":
        tag(log, thread_id, new_id(), "x", is_on=True, device=BENS)
    else:
        log.edit("thread", thread_id, "title", {"title": "New"}, device=BENS)
    if is_before:
        log.delete("thread", thread_id, covers=covers)
    applied = reader.pull()[-1]
    assert not reader.is_hidden(thread_id)
    assert applied.notes == (thread_id,)
    [(code, details)] = reader.rows("SELECT code, details FROM team_notes")
    assert code == "thread_back"
    assert json.loads(details)["deleted_by"] == ANN
    assert json.loads(details)["by"] == BEN

    log.message(thread_id, first, device=BENS)
    reader.pull()
    assert reader.one("SELECT count(*) FROM team_notes") == 1
    log.delete("thread", thread_id)
    reader.pull()
    assert reader.is_hidden(thread_id)


def test_a_thread_that_two_deleted_is_covered_by_both(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    covers = log.seen()
    first = log.message(thread_id, None, device=BENS)
    log.message(thread_id, first, device=CLEOS)
    parents = [log.rows[0].id]
    log.delete("thread", thread_id, covers={**covers, BENS: 9}, parents=parents)
    reader.pull()
    assert not reader.is_hidden(thread_id)
    log.delete("thread", thread_id, covers={**covers, CLEOS: 9}, parents=parents, device=BENS)
    reader.pull()
    assert reader.is_hidden(thread_id)


def test_a_restored_thread_is_shown(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    deletion = log.delete("thread", thread_id)
    log.edit("thread", thread_id, "content", None, parents=[deletion.id], device=BENS)
    log.delete("thread", thread_id, parents=[log.rows[0].id])
    reader.pull()
    assert not reader.is_hidden(thread_id)
    assert reader.rows("SELECT * FROM team_notes") == []


def test_emptied_trash_stays_empty_until_a_member_restores_its_threads(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    log.delete("thread", thread_id)
    reader.pull()
    now(reader.profile.repositories.library.mark_gone([thread_id]))
    log.delete("thread", thread_id)
    reader.pull()
    assert reader.one("SELECT deleted_at FROM threads WHERE id = ?", thread_id) == 0
    log.edit("thread", thread_id, "title", {"title": "x"}, device=BENS)
    reader.pull()
    assert reader.one("SELECT deleted_at FROM threads WHERE id = ?", thread_id) is None
    assert reader.one("SELECT count(*) FROM team_notes WHERE thread_id = ?", thread_id) == 1


@pytest.mark.parametrize("is_one_page", [True, False])
@pytest.mark.parametrize("kind", ["spaceship", "message", "project"])
def test_a_change_of_another_kind_than_its_thing_says_nothing(
    log: PulledLog, reader: Reader, kind: str, is_one_page: bool
) -> None:
    thread_id = log.thread("Plan")
    log.edit("thread", thread_id, "title", {"title": "Budget"})
    if not is_one_page:
        reader.pull()
    log.add(kind, "edit", thread_id, {"title": "nonsense"}, reg="title", device=BENS)
    reader.pull()
    assert reader.title(thread_id) == "Budget"


def test_a_deleted_message_leaves_the_path(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    first = log.message(thread_id, None, "a")
    second = log.message(thread_id, first, "b")
    log.message(thread_id, second, "c")
    reader.pull()
    log.delete("message", second)
    [applied] = reader.pull()
    assert reader.shown(thread_id) == ["a", "c"]
    assert applied.paths == {thread_id}
    assert reader.one("SELECT message_count FROM threads WHERE id = ?", thread_id) == 2
    assert reader.rows("SELECT * FROM team_notes") == []


def test_another_version_takes_the_place_of_a_deleted_message(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    first = log.message(thread_id, None, "a")
    shown = log.message(thread_id, first, "shown")
    reader.pull()
    log.message(thread_id, first, "other")
    log.delete("message", shown)
    reader.pull()
    assert reader.shown(thread_id) == ["a", "other"]


def test_an_answer_to_a_deleted_message_brings_it_back(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    first = log.message(thread_id, None, "a")
    covers = log.seen()
    log.delete("message", first, covers=covers)
    log.message(thread_id, first, "answer", device=BENS)
    [applied] = reader.pull()
    assert reader.shown(thread_id) == ["a", "answer"]
    assert applied.notes == (thread_id,)
    [(code, details)] = reader.rows("SELECT code, details FROM team_notes")
    assert (code, json.loads(details)["message_id"]) == ("message_back", first)


def test_who_knew_of_the_deletion_brings_nothing_back(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    first = log.message(thread_id, None, "a")
    deletion = log.delete("message", first)
    log.message(thread_id, first, "by the same computer")
    log.message(thread_id, first, "by one who says so", device=BENS, parents=[deletion.id])
    reader.pull()
    assert reader.is_hidden(first, "messages")
    assert reader.rows("SELECT * FROM team_notes") == []


def test_when_the_answer_goes_again_the_message_does_too(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    first = log.message(thread_id, None, "a")
    log.delete("message", first)
    answer = log.message(thread_id, first, "answer", device=BENS)
    reader.pull()
    deletion = log.delete("message", answer, device=BENS)
    reader.pull()
    assert reader.shown(thread_id) == []
    log.edit("message", answer, "content", None, parents=[deletion.id], device=BENS)
    reader.pull()
    assert reader.shown(thread_id) == ["a", "answer"]


def test_messages_that_were_deleted_together_come_back_together(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    first = log.message(thread_id, None, "a")
    second = log.message(thread_id, first, "b")
    for each in (first, second):
        log.add("message", "del", each, {"covers": log.seen(), "with": first})
    reader.pull()
    assert reader.shown(thread_id) == []
    now(reader.profile.repositories.paths.restore(first))
    assert reader.shown(thread_id) == ["a", "b"]


@pytest.mark.parametrize("covers", [None, [], "x", {"d": "9"}, {ANNS: 10**30}, {ANNS: True}])
def test_strange_covers_are_read_as_far_as_they_go(log: PulledLog, reader: Reader, covers: object) -> None:
    thread_id = log.thread()
    log.message(thread_id, None, device=BENS)
    log.add("thread", "del", thread_id, {"covers": covers})
    reader.pull()
    assert not reader.is_hidden(thread_id)


# Summaries


def test_a_summary_serves_all(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    ids = [log.message(thread_id, None, "a")]
    ids.append(log.message(thread_id, ids[0], "b"))
    summary_id = new_id()
    body = {
        "thread_id": thread_id,
        "from_message_id": ids[0],
        "up_to_message_id": ids[1],
        "text": "a and b",
        "model": "m",
        "author": "model",
        "pinned_facts": '["x"]',
        "token_count": 7,
    }
    log.add("summary", "new", summary_id, body)
    [applied] = reader.pull()
    [found] = now(reader.profile.repositories.summaries.list(thread_id))
    assert (found.text, found.model, found.tokens, found.pinned_facts, found.state) == (
        "a and b",
        "m",
        7,
        ("x",),
        "valid",
    )
    assert applied.contexts == {thread_id}
    assert reader.one("SELECT author_id FROM summaries") == ANN

    log.edit("summary", summary_id, "lww.switch", {"is_off": True})
    reader.pull()
    assert now(reader.profile.repositories.summaries.get(summary_id)).state == "off"
    deletion = log.add("summary", "del", summary_id)
    reader.pull()
    assert now(reader.profile.repositories.summaries.list(thread_id)) == ()
    log.edit("summary", summary_id, "content", None, parents=[deletion.id])
    reader.pull()
    assert len(now(reader.profile.repositories.summaries.list(thread_id))) == 1


def test_a_summary_of_another_path_is_stale(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    first = log.message(thread_id, None, "a")
    log.message(thread_id, first, "b")
    reader.pull()
    other = log.message(thread_id, first, "c")
    body = {"thread_id": thread_id, "from_message_id": first, "up_to_message_id": other, "text": "a and c"}
    log.add("summary", "new", new_id(), body | {"author": "nobody", "pinned_facts": [1, "y"]})
    reader.pull()
    [found] = now(reader.profile.repositories.summaries.list(thread_id))
    assert (found.state, found.stale_reason, found.pinned_facts) == ("stale", "switched", ("y",))
    now(reader.profile.repositories.paths.select_version(other))
    [found] = now(reader.profile.repositories.summaries.list(thread_id))
    assert found.state == "valid"


def test_a_deleted_message_makes_its_summaries_stale(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    first = log.message(thread_id, None, "a")
    body = {"thread_id": thread_id, "from_message_id": first, "up_to_message_id": first, "text": "a"}
    log.add("summary", "new", new_id(), body)
    reader.pull()
    log.delete("message", first)
    reader.pull()
    [found] = now(reader.profile.repositories.summaries.list(thread_id))
    assert found.stale_reason == "deleted"


# Any history, in any order


class History:
    """Three devices that write at once; each knows what it wrote and what it took over from others."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.log = PulledLog()
        self.made: list[PulledChange] = []
        self.known: dict[str, set[str]] = {ANNS: set(), BENS: set(), CLEOS: set()}
        self.after: dict[str, set[str]] = {}
        self.threads: list[str] = []
        self.messages: dict[str, str] = {}
        for _ in range(self.random.randint(5, 25)):
            self._step()

    def _step(self) -> None:
        device = self.random.choice([ANNS, BENS, CLEOS])
        if self.random.random() < 0.3:
            other = self.random.choice([ANNS, BENS, CLEOS])
            self.known[device] |= self.known[other]
            return
        known = self.known[device]
        threads = [each for each in self.threads if self._is_known(each, known)]
        messages = [each for each in self.messages if self._is_known(each, known)]
        entity, kind = (self.random.choice(threads), "thread") if threads else ("", "")
        if messages and self.random.random() < 0.6:
            entity, kind = self.random.choice(messages), "message"
        action = self.random.random()
        if not threads or action < 0.1:
            self.threads.append(self._add(device, "thread", "new", new_id(), {"title": "T", "created_at": 1}))
        elif action < 0.5:
            thread_id = self.random.choice(threads)
            parents = [None, *(each for each in messages if self.messages[each] == thread_id)]
            parent = self.random.choice(parents[-3:])
            body = {"thread_id": thread_id, "role": "user", "created_at": 1, "parts": []}
            message_id = self._add(
                device, "message", "new", new_id(), body | ({} if parent is None else {"parent_id": parent})
            )
            self.messages[message_id] = thread_id
        elif action < 0.7:
            covers: dict[str, int] = {}
            for row in self.made:
                if row.id in known:
                    covers[row.device] = max(covers.get(row.device, 0), row.dseq)
            self._add(device, kind, "del", entity, {"covers": covers})
        elif action < 0.8:
            self._add(device, kind, "edit", entity, None)
        else:
            thread_id = self.random.choice(threads)
            reg = self.random.choice(["title", "lww.model", "system_prompt"])
            value = str(self.random.randint(0, 99))
            self._add(
                device, "thread", "edit", thread_id, {"title": value, "model": value, "system_prompt": value}, reg
            )

    def _is_known(self, entity: str, known: set[str]) -> bool:
        return any(row.entity == entity and row.op == "new" and row.id in known for row in self.made)

    def _add(self, device: str, kind: str, op: str, entity: str, body: object, reg: str = "content") -> str:
        known = self.known[device]
        register = [row for row in self.made if (row.entity, row.reg) == (entity, reg) and row.id in known]
        named = {parent for row in register for parent in row.parents}
        heads = [row.id for row in register if row.id not in named]
        hlc = self.random.randint(1, 9) << 40
        row = self.log.add(kind, op, entity, body, reg=reg, device=device, parents=heads, hlc=hlc)
        self.made.append(row)
        self.after[row.id] = set(known)
        known.add(row.id)
        return entity

    def in_some_order(self, seed: int) -> PulledLog:
        """The same changes, each after those that its author had seen."""
        chance = random.Random(seed)
        log = PulledLog(self.log.project_id)
        waiting, done = list(self.made), set()
        while waiting:
            ready = [row for row in waiting if self.after[row.id] <= done]
            row = chance.choice(ready)
            waiting.remove(row)
            done.add(row.id)
            log.rows.append(row)
        rows, log.rows = log.rows, []
        for row in rows:
            log.add(
                row.kind, row.op, row.entity, row.body, reg=row.reg, device=row.device, dseq=row.dseq,
                parents=row.parents, hlc=row.hlc, id=row.id,
            )  # fmt: skip
        return log


@given(seed=st.integers(0, 2**32))
@settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
def test_any_order_that_can_be_gives_one_result(seed: int) -> None:
    history = History(seed)
    digests = set()
    for order in range(3):
        reader = Reader(history.in_some_order(seed + order))
        reader.pull(page=(1, 4, 500)[order])
        digests.add(reader.digest())
        reader.project_again()
        digests.add(reader.digest())
        assert not reader.rows("SELECT id FROM changes WHERE state = ?", int(ChangeState.ORPHANED))
        reader.close()
    assert len(digests) == 1


@given(seed=st.integers(0, 2**32))
@settings(max_examples=examples(30), deadline=None, suppress_health_check=list(HealthCheck))
def test_even_an_order_that_cannot_be_gives_that_result(seed: int) -> None:
    """After a loss, changes come back in whatever order somebody had them."""
    history = History(seed)
    digests = set()
    for order in range(2):
        log = PulledLog(history.log.project_id)
        rows = list(history.made)
        if order:
            random.Random(seed).shuffle(rows)
        for row in rows:
            log.add(
                row.kind, row.op, row.entity, row.body, reg=row.reg, device=row.device, dseq=row.dseq,
                parents=row.parents, hlc=row.hlc, id=row.id,
            )  # fmt: skip
        reader = Reader(log)
        reader.pull(page=3)
        digests.add(reader.digest())
        reader.close()
    assert len(digests) == 1


def test_the_digest_knows_nothing_of_what_is_only_here(log: PulledLog, reader: Reader) -> None:
    thread_id = log.thread()
    log.message(thread_id, None, "a")
    other = log.message(thread_id, None, "b")
    reader.pull()
    before = reader.digest()
    repositories = reader.profile.repositories
    now(repositories.library.set_flag([thread_id], "pinned_at", 1_800_000_000_000, "pinned"))
    now(repositories.paths.select_version(other))
    reader.profile.db.write_now(lambda conn: team_notes.mark_read(conn, thread_id))
    assert reader.digest() == before
    now(repositories.threads.rename(thread_id, "Otherwise"))
    assert reader.digest() != before
