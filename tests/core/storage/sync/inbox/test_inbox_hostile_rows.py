"""A pulled row may hold anything: it never raises, never touches what it may not, and stops nothing that follows it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatdesk.core.domain.turn import AnswerPlan
from chatdesk.core.errors import HistoryChanged
from chatdesk.core.ids import new_id
from chatdesk.core.storage.chat.message_pages import page as read_page
from chatdesk.core.storage.engine import search_index
from chatdesk.core.storage.sync.wire.rows import LAST_MOMENT, LONGEST_BODY
from tests.helpers.counters import recounted
from tests.helpers.examples import examples, sample
from tests.helpers.pulled_log import ANNS, BENS, PulledLog, Reader, message_body
from tests.helpers.sync_sim.memory_profile import now

PRIVATE_TABLES = ("projects", "threads", "messages", "message_parts", "artifacts", "summaries", "tags", "thread_tags")


class Scene:
    """A member with a project of their own beside the shared one, in which there is a thread with a message."""

    def __init__(self) -> None:
        self.log = PulledLog()
        self.reader = Reader(self.log)
        repositories = self.reader.profile.repositories
        self.private_project = now(repositories.projects.create("Private")).id
        thread, question, _ = now(
            repositories.messages.create_thread_with_question(
                self.private_project, "Mine", "secret", provider="p", model="m"
            )
        )
        now(repositories.library.tag([thread.id], add=["secret tag"], remove=[]))
        self.private_thread, self.private_message = thread.id, question.id
        self.private_part = question.parts[0].id
        self.private_tag = self.reader.one("SELECT id FROM tags")
        self.thread = self.log.thread()
        self.message = self.log.message(self.thread, None, "there")
        self.reader.pull()

    def private_rows(self) -> list[Any]:
        """Everything of the private project, and its log."""
        raw = self.reader.rows
        return [
            raw("SELECT * FROM projects WHERE id = ?", self.private_project),
            raw("SELECT * FROM threads WHERE project_id = ?", self.private_project),
            raw("SELECT * FROM messages WHERE thread_id = ?", self.private_thread),
            raw("SELECT * FROM message_parts WHERE message_id = ?", self.private_message),
            raw("SELECT * FROM summaries WHERE thread_id = ?", self.private_thread),
            raw("SELECT * FROM thread_tags WHERE thread_id = ?", self.private_thread),
            raw("SELECT * FROM tags WHERE id = ?", self.private_tag),
            raw("SELECT * FROM changes WHERE project_id = ?", self.private_project),
            raw(
                "SELECT * FROM register_heads WHERE entity IN (?, ?, ?) ORDER BY 1, 2, 3",
                self.private_project,
                self.private_thread,
                self.private_message,
            ),
        ]

    def is_usable(self) -> None:
        """What comes afterwards is taken over, and what is there can be read."""
        after = self.log.message(self.thread, self.message, "afterwards", device=BENS)
        self.reader.pull()
        assert self.reader.one("SELECT count(*) FROM messages WHERE id = ?", after) == 1
        assert self.reader.cursor.seq == len(self.log.rows)
        assert not self.reader.rows("PRAGMA foreign_key_check")
        assert search_index.check(self.reader.profile.db.raw) == []
        for (thread_id,) in self.reader.rows("SELECT id FROM threads WHERE deleted_at IS NULL"):
            self.reader.profile.db.read_now(
                lambda conn, each=thread_id: read_page(conn, each, 50, None, None, None, None)
            )
            now(self.reader.profile.repositories.threads.get(thread_id))
        self.reader.digest()


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.reader.close()


DEEP = "[" * 100_000 + "]" * 100_000
DEEP_OBJECT = '{"a":' * 50_000 + "1" + "}" * 50_000

BODIES = [
    None,
    "",
    "nonsense",
    "null",
    "[]",
    "7",
    DEEP,
    DEEP_OBJECT,
    '{"parts":' + DEEP + "}",
    '{"created_at":' + "9" * 5000 + "}",
    '{"created_at":NaN}',
    "x" * (LONGEST_BODY + 1),
    '"\\ud800"',
    "\ud800",
    "\0",
]


_KINDS = ("message", "thread", "summary", "project", "tag", "", "\ud800", "x" * 10_000)


@pytest.mark.parametrize(("kind", "op"), sample(list(product(_KINDS, ("new", "edit", "del"))), len(_KINDS)))
def test_bodies_may_hold_anything(kind: str, op: str) -> None:
    for body in BODIES:
        scene = _shared_scene()
        before = scene.private_rows()
        scene.log.add(kind, op, new_id(), body)
        if op != "new":
            scene.log.add(kind, op, scene.thread, body, reg="title")
        scene.reader.pull()
        scene.is_usable()
        assert scene.private_rows() == before


_scenes: list[Scene] = []


def _shared_scene() -> Scene:
    """One for many rows: each has to leave it as usable as it was."""
    if not _scenes:
        _scenes.append(Scene())
    return _scenes[0]


@pytest.fixture(scope="module", autouse=True)
def _close() -> Iterator[None]:
    yield
    while _scenes:
        _scenes.pop().reader.close()


@pytest.mark.parametrize(
    "more",
    [
        {"kind": None},
        {"kind": 7},
        {"op": "drop"},
        {"op": None},
        {"reg": "x" * 1000},
        {"reg": None},
        {"parents": ("x",)},
        {"parents": ("a" * 36,) * 2000},
        {"at": -5},
        {"v": 2**70},
        {"v": "1"},
        {"dseq": -1},
        {"hlc": -1},
    ],
    ids=str,
)
def test_fields_may_be_anything(scene: Scene, more: dict[str, Any]) -> None:
    before = scene.private_rows()
    scene.log.add("thread", "new", new_id(), {"title": "T"})
    scene.log.say_of_the_last(**more)
    scene.reader.pull()
    scene.is_usable()
    assert scene.private_rows() == before
    assert scene.reader.one("SELECT count(*) FROM threads WHERE project_id = ?", scene.log.project_id) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"body": 7},
        {"body": b"bytes"},
        {"body": {"title": "parsed"}},
        {"entity": "../../etc/passwd"},
        {"entity": None},
        {"entity": "A" * 36},
        {"parents": None},
        {"at": 2**70},
        {"author": "nobody"},
        {"author": None},
    ],
    ids=str,
)
def test_a_row_that_no_server_took_is_left_out(scene: Scene, more: dict[str, Any]) -> None:
    before = scene.private_rows()
    scene.log.add("thread", "new", new_id(), {"title": "T"})
    scene.log.say_of_the_last(**more)
    with pytest.raises(HistoryChanged):
        scene.reader.pull()
    assert scene.private_rows() == before


HOSTILE: dict[str, Callable[[Scene], object]] = {
    "a thread of a private project is made anew": lambda s: s.log.add(
        "thread", "new", s.private_thread, {"title": "Taken"}
    ),
    "a private thread is renamed": lambda s: s.log.edit("thread", s.private_thread, "title", {"title": "Taken"}),
    "a private thread is deleted": lambda s: s.log.delete("thread", s.private_thread),
    "a private thread is tagged": lambda s: s.log.edit(
        "thread", s.private_thread, f"lww.tag.{new_id()}", {"is_on": True, "name": "x"}
    ),
    "a private message is deleted": lambda s: s.log.delete("message", s.private_message),
    "a private message is made anew": lambda s: s.log.message(
        s.private_thread, None, "forged", message_id=s.private_message
    ),
    "a private message is made in the shared thread": lambda s: s.log.message(
        s.thread, None, "forged", message_id=s.private_message
    ),
    "a message goes into a private thread": lambda s: s.log.message(s.private_thread, None, "forged"),
    "a message goes below a private one": lambda s: s.log.message(s.thread, s.private_message, "forged"),
    "a message goes below a private one in its thread": lambda s: s.log.message(
        s.private_thread, s.private_message, "forged"
    ),
    "a private project is renamed": lambda s: s.log.edit("project", s.private_project, "name", {"name": "Taken"}),
    "a private project is made anew": lambda s: s.log.add("project", "new", s.private_project, {"name": "Taken"}),
    "a private project is deleted": lambda s: s.log.add("project", "del", s.private_project),
    "a summary of a private thread": lambda s: s.log.add(
        "summary",
        "new",
        new_id(),
        {
            "thread_id": s.private_thread,
            "from_message_id": s.private_message,
            "up_to_message_id": s.private_message,
            "text": "forged",
        },
    ),
    "a summary that ends with a private message": lambda s: s.log.add(
        "summary",
        "new",
        new_id(),
        {
            "thread_id": s.thread,
            "from_message_id": s.message,
            "up_to_message_id": s.private_message,
            "text": "forged",
        },
    ),
    "a part with the id of a private one": lambda s: s.log.message(
        s.thread,
        None,
        more_body={"parts": [{"id": s.private_part, "type": "text", "content": {"text": "forged"}}]},
    ),
    "a tag with the id of a private one": lambda s: s.log.edit(
        "thread", s.thread, f"lww.tag.{s.private_tag}", {"is_on": True, "name": "forged"}
    ),
    "the id of a private change": lambda s: s.log.add(
        "thread",
        "new",
        new_id(),
        {"title": "T"},
        id=s.reader.rows("SELECT id FROM changes WHERE project_id = ? LIMIT 1", s.private_project)[0][0],
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_no_row_touches_another_project(scene: Scene, what: str) -> None:
    before = scene.private_rows()
    HOSTILE[what](scene)
    scene.reader.pull()
    assert scene.private_rows() == before
    scene.is_usable()
    assert scene.private_rows() == before


def test_a_message_is_its_own_parent_or_its_parents_child(scene: Scene) -> None:
    one, two, three = new_id(), new_id(), new_id()
    scene.log.message(scene.thread, one, "own parent", message_id=one)
    scene.log.message(scene.thread, three, "a ring", message_id=two)
    scene.log.message(scene.thread, two, "a ring", message_id=three)
    scene.reader.pull()
    assert scene.reader.one("SELECT count(*) FROM messages WHERE id IN (?, ?, ?)", one, two, three) == 0
    scene.is_usable()


def test_parents_of_changes_may_form_a_ring(scene: Scene) -> None:
    one, two = new_id(), new_id()
    scene.log.edit("thread", scene.thread, "title", {"title": "One"}, id=one, parents=[two, one], hlc=5)
    scene.log.edit("thread", scene.thread, "title", {"title": "Two"}, id=two, parents=[one], hlc=9)
    scene.reader.pull()
    assert scene.reader.title(scene.thread) == "Two"
    scene.is_usable()


def test_a_thread_is_no_project_and_is_made_in_its_own_register(scene: Scene) -> None:
    scene.log.add("thread", "new", scene.log.project_id, {"title": "T"})
    for kind in ("thread", "message", "summary"):
        scene.log.add(kind, "new", new_id(), message_body(scene.thread, None, "x"), reg="odd")
    before = scene.reader.digest()
    scene.reader.pull()
    assert scene.reader.digest() == before
    assert scene.reader.one("SELECT count(*) FROM threads WHERE project_id = ?", scene.log.project_id) == 1
    scene.is_usable()


def test_what_is_there_is_not_written_anew(scene: Scene) -> None:
    scene.log.message(scene.thread, None, "forged", message_id=scene.message, device=BENS)
    scene.log.add("thread", "new", scene.thread, {"title": "Forged"}, device=BENS)
    scene.reader.pull()
    assert scene.reader.shown(scene.thread) == ["there"]
    assert scene.reader.title(scene.thread) == "A thread"
    scene.is_usable()


def test_one_message_made_twice_in_a_page_is_there_once(scene: Scene) -> None:
    twice = new_id()
    scene.log.message(scene.thread, scene.message, "first", message_id=twice)
    scene.log.message(scene.thread, scene.message, "second", message_id=twice, device=BENS)
    scene.reader.pull()
    assert scene.reader.shown(scene.thread) == ["there", "first"]
    scene.is_usable()


def test_a_place_in_a_sequence_that_is_used_twice(scene: Scene) -> None:
    scene.log.message(scene.thread, scene.message, "one", device=BENS, dseq=1)
    scene.log.message(scene.thread, scene.message, "two", device=BENS, dseq=1)
    scene.reader.pull()
    assert scene.reader.one("SELECT count(*) FROM messages WHERE thread_id = ?", scene.thread) == 3
    assert scene.reader.one("SELECT count(*) FROM changes WHERE seq IS NOT NULL") == len(scene.log.rows)
    scene.is_usable()


STRANGE_MESSAGES = [
    {"role": "owner"},
    {"role": None},
    {"role": ["user"]},
    {"status": {"a": 1}},
    {"created_at": -1},
    {"created_at": 2**62},
    {"created_at": 1e300},
    {"created_at": LAST_MOMENT + 1},
    {"prompt_tokens": -5},
    {"prompt_tokens": 2**62},
    {"prompt_tokens": True},
    {"error_details": {"a": {"b": [1, {"c": [[[[[[[[[1]]]]]]]]]}]}}},
    {"error_details": "text"},
    {"error": "e" * 1_000_000},
    {"provider": "\ud800\0"},
    {"parts": "text"},
    {"parts": [None, 7, {}, [], {"id": "x"}]},
    {"parts": [{"id": new_id(), "type": "script", "content": {"text": "x"}}]},
    {"parts": [{"id": new_id(), "type": "text", "content": "text"}]},
    {"parts": [{"id": new_id(), "type": "text", "content": {"text": 7}}]},
    {"parts": [{"id": new_id(), "type": "text", "content": {"text": {"deep": [1]}}}]},
    {"parts": [{"id": new_id(), "type": "text", "content": {"text": "a\0b\ud800"}}]},
    {"parts": [{"id": new_id(), "type": "tool_call", "content": {"arguments": 5}, "tool_name": 7}]},
    {"parts": [{"id": new_id(), "type": "file", "content": {"name": "../../x", "sha256": "../../etc"}}]},
    {
        "parts": [
            {
                "id": new_id(),
                "type": "image",
                "content": {"name": "/root/a\0.png", "mime": "text/html", "sha256": "ab" * 32, "size_bytes": 3},
                "artifacts": [
                    {"id": new_id(), "path": "/etc/passwd", "sha256": "ab" * 32, "size_bytes": 3, "kind": "script"},
                    {"id": new_id(), "sha256": "../../../x", "size_bytes": 3},
                    {"id": "no id", "sha256": "ab" * 32, "size_bytes": 3},
                    {"id": new_id(), "sha256": "ab" * 32, "size_bytes": -3},
                    None,
                ],
            }
        ]
    },
    {"parts": [{"id": new_id(), "type": "text", "content": {"text": "x"}}] * 50},
    {"parts_file": {"sha256": "nothing", "size_bytes": 1}},
    {"parts_file": {"sha256": "ab" * 32, "size_bytes": -1}},
    {"parts_file": "ab" * 32},
    {"is_purged": 1},
    {"deleted_at": 5, "on_path": 7, "position": -9, "search_n": 1, "owner_pid_token": "x"},
]


@pytest.mark.parametrize("more", STRANGE_MESSAGES, ids=range(len(STRANGE_MESSAGES)))
def test_messages_may_be_strange(scene: Scene, more: dict[str, Any]) -> None:
    message_id = scene.log.message(scene.thread, scene.message, more_body=more)
    scene.reader.pull()
    scene.is_usable()
    if scene.reader.one("SELECT count(*) FROM messages WHERE id = ?", message_id):
        now(scene.reader.profile.repositories.messages.get(message_id))
    for (path,) in scene.reader.rows("SELECT path FROM artifacts"):
        assert path == f"ab/{'ab' * 32}"
    threads = scene.reader.profile.repositories.threads
    assert now(threads.get(scene.thread)) == now(recounted(scene.reader.profile.db, scene.thread))


def test_a_thread_from_the_far_future_is_not_at_the_top_for_ever(scene: Scene) -> None:
    thread_id = new_id()
    scene.log.add("thread", "new", thread_id, {"title": "T", "created_at": LAST_MOMENT})
    scene.log.message(thread_id, None, more_body={"created_at": LAST_MOMENT})
    scene.reader.pull()
    assert scene.reader.one("SELECT last_activity_at FROM threads WHERE id = ?", thread_id) < LAST_MOMENT // 2


def test_many_that_hang_below_nothing_stop_nothing(scene: Scene) -> None:
    for _ in range(300):
        scene.log.message(scene.thread, new_id(), "hangs below nothing")
    scene.reader.pull(page=50)
    scene.is_usable()
    assert scene.reader.one("SELECT count(*) FROM messages WHERE purged_at IS NOT NULL") == 300


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4),
    max_leaves=12,
)
_KEYS = ["thread_id", "parent_id", "role", "status", "created_at", "parts", "error_details", "title", "covers", "text"]


@given(
    kind=st.sampled_from(["message", "thread", "summary", "project"]),
    op=st.sampled_from(["new", "edit", "del"]),
    reg=st.sampled_from(["content", "title", "lww.model", "lww.tag.x", "system_prompt", "lww.switch"]),
    body=st.dictionaries(st.sampled_from(_KEYS), JSON, max_size=6),
    is_known=st.booleans(),
)
@settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
def test_random_rows_stop_nothing(kind: str, op: str, reg: str, body: dict[str, Any], is_known: bool) -> None:
    scene = _shared_scene()
    before = scene.private_rows()
    frame = message_body(scene.thread, scene.message, "x") if is_known and kind == "message" else {}
    entity = {"thread": scene.thread, "message": scene.message, "project": scene.log.project_id}.get(kind, new_id())
    scene.log.add(kind, op, entity if is_known and op == "edit" else new_id(), json.dumps(frame | body), reg=reg)
    scene.reader.pull()
    assert scene.private_rows() == before
    assert scene.reader.cursor.seq == len(scene.log.rows)


def test_an_answer_that_is_being_written_is_left_alone(scene: Scene) -> None:
    answer, _ = now(scene.reader.profile.repositories.messages.add_answer(scene.message, AnswerPlan("p", "m")))
    scene.log.message(scene.thread, scene.message, "of another", role="assistant", device=ANNS)
    scene.log.message(scene.thread, None, "forged", message_id=answer.id)
    scene.reader.pull()
    assert now(scene.reader.profile.repositories.messages.get(answer.id)).status == "pending"
    assert scene.reader.one("SELECT on_path FROM messages WHERE id = ?", answer.id) == 1
