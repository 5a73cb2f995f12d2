"""What a message is on its way to others: made from rows, read from anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.message import PartType, Status
from chatdesk.core.domain.tools import KEPT
from chatdesk.core.domain.turn import StreamChunk, TurnOutcome
from chatdesk.core.domain.usage import Usage
from chatdesk.core.ids import new_id
from chatdesk.core.providers.base import Kept, kept_from
from chatdesk.core.storage.sync.wire import bodies, rows
from chatdesk.core.storage.sync.wire.bodies import MessageBody
from chatdesk.core.storage.sync.wire.rows import PART_COLUMNS, MessageRows
from tests.helpers.examples import examples
from tests.helpers.kept_samples import KEPT_SAMPLES, call_content
from tests.helpers.store import PLAN, Store

SUM = "ab" * 32


def body(**values: Any) -> dict[str, Any]:
    return {"thread_id": new_id(), "role": "user", "status": "complete", "created_at": 7, "parts": []} | values


def part(**values: Any) -> dict[str, Any]:
    return {"id": new_id(), "type": "text", "content": {"text": "hello"}} | values


def read_text(text: str | None) -> MessageRows | None:
    return rows.read_message(text, message_id=new_id(), hlc=1, device=new_id())


def read(value: Any) -> MessageRows | None:
    return read_text(json.dumps(value))


def columns(found: MessageRows) -> dict[str, Any]:
    return dict(zip(rows.MESSAGE_COLUMNS, found.message, strict=True))


def contents(found: MessageRows) -> list[tuple[str, Any]]:
    parts = [dict(zip(PART_COLUMNS, part, strict=True)) for part in found.own.parts]
    return [(part["type"], json.loads(part["content"])) for part in parts]


async def made(store: Store, message_id: str) -> MessageBody | None:
    found = await store.db.read(lambda conn: bodies.make_messages(conn, [message_id]))
    return found.get(message_id)


async def is_quick_the_same(store: Store, message_id: str) -> bool:
    """Return whether the quick way and the careful one write the same of a message."""
    careful = await made(store, message_id)
    found = await store.db.read(lambda conn: bodies.message_texts(conn, [message_id]))
    if message_id not in found or careful is None:
        return message_id not in found and careful is None
    text, files = found[message_id]
    return json.loads(text) == json.loads(careful.text()) and files == careful.files


def test_the_sources_of_a_result_travel_as_they_are() -> None:
    content = {"text": "[1] A", "status": "done", "sources": [{"number": 1, "title": "A", "url": "https://a.test/"}]}
    found = read(body(role="assistant", parts=[part(type="tool_result", content=content)]))
    assert found is not None and contents(found) == [("tool_result", content)]


@pytest.mark.parametrize("kept", KEPT_SAMPLES.values(), ids=KEPT_SAMPLES)
async def test_what_a_vendor_wants_back_travels_as_it_came(store: Store, kept: Kept) -> None:
    thread = await store.thread()
    _, answer = await store.ask(thread, "why?")
    stored = json.dumps(call_content(kept))
    store.db.write_now(
        lambda conn: conn.exec_driver_sql(
            "UPDATE message_parts SET type = 'tool_call', content = ? WHERE message_id = ?", (stored, answer)
        )
    )
    sent = await made(store, answer)
    assert sent is not None
    assert await is_quick_the_same(store, answer)
    arrived = read_text(sent.text())
    assert arrived is not None
    ((kind, content),) = contents(arrived)
    assert kind == "tool_call"
    assert kept_from(content[KEPT]) == kept


async def test_a_finished_answer_travels_with_its_parts_and_what_it_took(store: Store) -> None:
    thread = await store.thread()
    question, answer, _ = await store.messages.add_question(thread, "why?", with_answer=PLAN)
    assert answer is not None
    await store.messages.start_streaming(answer.id, 5)
    await store.messages.append_chunks(
        answer.id,
        [
            StreamChunk(0, PartType.REASONING, "let me see"),
            StreamChunk(1, PartType.TOOL_CALL, '{"a": 1}', {"name": "look", "call_id": "c1"}),
            StreamChunk(2, PartType.TEXT, "because"),
        ],
    )
    await store.messages.finish(
        answer.id,
        TurnOutcome(
            Status.ERROR,
            9,
            usage=Usage(3, 4),
            error="broken",
            error_type="reset",
            error_details={"a": [1]},
        ),
    )
    sent = await made(store, answer.id)
    assert sent is not None
    assert await is_quick_the_same(store, answer.id)
    arrived = read_text(sent.text())
    assert arrived is not None
    assert arrived.is_exact
    stored = columns(arrived)
    assert (stored["thread_id"], stored["parent_id"], stored["role"]) == (thread, question.id, "assistant")
    assert (stored["status"], stored["prompt_tokens"]) == ("error", 3)
    assert json.loads(stored["error_details"]) == {"a": [1]}
    assert contents(arrived) == [
        ("reasoning", {"text": "let me see"}),
        ("tool_call", {"name": "look", "arguments": '{"a": 1}'}),
        ("text", {"text": "because"}),
    ]
    assert arrived.own.parts[1][PART_COLUMNS.index("tool_name")] == "look"


async def test_plain_messages_are_put_together_as_carefully_made_ones_are(store: Store) -> None:
    thread = await store.thread()
    words = 'quotes " and \\ and \u2028 and \x7f and 漢字 🎈 \n\t'
    question, answer = await store.ask(thread, words)
    for each in (question, answer):
        assert await is_quick_the_same(store, each)
    store.db.write_now(
        lambda conn: conn.exec_driver_sql(
            "UPDATE messages SET model = ?, provider = ?, finish_reason = 'a\"b', latency_ms = 0 WHERE id = ?",
            ("m" * 900, words, answer),
        )
    )
    assert await is_quick_the_same(store, answer)
    store.db.write_now(
        lambda conn: conn.exec_driver_sql(
            "UPDATE message_parts SET content = 'damaged', step_index = 2 WHERE message_id = ?", (question,)
        )
    )
    assert await is_quick_the_same(store, question)
    assert await is_quick_the_same(store, new_id())


async def test_attachments_are_named_by_their_sums_and_never_by_a_path(store: Store) -> None:
    thread = await store.thread()
    file = Attachment("notes.txt", "text/plain", SUM, 12)
    question, _, _ = await store.messages.add_question(thread, "look", with_answer=None, attachments=[file])
    sent = await made(store, question.id)
    assert sent is not None
    assert await is_quick_the_same(store, question.id)
    assert [(each.sha256, each.size_bytes, each.mime, each.kind) for each in sent.files] == [
        (SUM, 12, "text/plain", "file")
    ]
    assert "path" not in sent.text()
    arrived = read_text(sent.text())
    assert arrived is not None
    assert arrived.own.files == [(SUM, 12)]


@pytest.mark.parametrize("more", [{}, {"sha256": SUM, "size_bytes": 3}])
def test_a_file_s_part_says_nothing_of_where_it_was(more: dict[str, Any]) -> None:
    content = {"name": "/home/ana/secret/notes.txt", "path": "/home/ana/secret", "source": "C:\\ana", **more}
    found = read(body(parts=[{"id": new_id(), "type": "file", "content": content}]))
    assert found is not None
    ((_, stored),) = contents(found)
    assert stored["name"] == "notes.txt"
    assert "ana" not in json.dumps(stored)
    assert rows.kept_content("file", content) == stored  # nor is it sent


def test_a_proposed_change_of_a_file_travels_as_its_text_alone() -> None:
    change = {"id": "0" * 32, "path": "src/a.py", "kind": "edit", "added": 1, "removed": 1, "text": "+2"}
    content = {"name": "a.py.diff", "mime": "text/x-diff", "sha256": SUM, "size_bytes": 3, "file_diff": change}
    found = read(body(parts=[{"id": new_id(), "type": "file", "content": content}]))
    assert found is not None
    ((_, stored),) = contents(found)
    assert stored["name"] == "a.py.diff" and "file_diff" not in stored, "nothing of a member can be applied"
    assert "file_diff" not in rows.kept_content("file", content)


def test_why_an_answer_lacks_a_picture_travels() -> None:
    content = {"name": "A bird", "problem": "Not kept: The picture is damaged.", "path": "/home/ana"}
    found = read(body(parts=[{"id": new_id(), "type": "image", "content": content}]))
    assert found is not None
    ((_, stored),) = contents(found)
    assert stored == {"name": "A bird", "problem": "Not kept: The picture is damaged."}
    assert rows.kept_content("image", content) == stored


async def test_what_is_still_written_or_gone_has_no_body(store: Store) -> None:
    thread = await store.thread()
    _, answer, _ = await store.messages.add_question(thread, "why?", with_answer=PLAN)
    assert answer is not None
    assert await made(store, answer.id) is None
    assert await made(store, new_id()) is None


async def test_what_was_removed_for_good_keeps_its_place_only(store: Store) -> None:
    thread = await store.thread()
    question, _answer = await store.ask(thread)
    await store.paths.delete(question, with_later=False)
    await store.trash.purge_expired(store.clock.now_ms() + 1)
    sent = await made(store, question)
    assert sent is not None
    assert await is_quick_the_same(store, question)
    assert sent.is_purged
    assert json.loads(sent.text()).keys() == {"thread_id", "role", "status", "created_at", "is_purged"}
    arrived = read_text(sent.text())
    assert arrived is not None
    assert arrived.is_purged


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "nonsense",
        "NaN",
        '{"thread_id": 1}',
        "[" * 100_000,
        '{"a":' * 5_000 + "1" + "}" * 5_000,
        json.dumps(body(thread_id="../../etc/passwd")),
        json.dumps(body(parent_id=5)),
        json.dumps(body(role="root")),
        json.dumps(body(role=["user"])),
        '{"created_at": ' + "9" * 5000 + "}",
        json.dumps(body(error="x" * rows.LONGEST_BODY)),
    ],
)
def test_a_body_that_is_not_a_messages_is_none(text: str) -> None:
    assert read_text(text) is None


def test_nothing_is_none() -> None:
    assert read_text(None) is None


@pytest.mark.parametrize("created_at", [-1, 2**60, True, "now", None])
def test_a_time_that_is_none_is_the_earliest(created_at: object) -> None:
    found = read(body(created_at=created_at))
    assert found is not None
    assert columns(found)["created_at"] == 0


def test_parts_and_files_that_are_none_are_left_out() -> None:
    for value in (body(parts={}), body(parts=None, parts_file={"sha256": "x", "size_bytes": 1})):
        found = read(value)
        assert found is not None
        assert (found.own.parts, found.parts_file) == ([], None)


def test_an_unknown_status_is_a_final_one() -> None:
    for status in ("streaming", "pending", "winning", 5, None):
        found = read(body(status=status))
        assert found is not None
        assert columns(found)["status"] == "interrupted"


def test_only_what_is_known_and_of_a_sensible_size_is_taken() -> None:
    found = read(
        body(
            prompt_tokens=10**30,
            completion_tokens="5",
            total_tokens=-4,
            latency_ms=12,
            model="m" * 9_000,
            provider=7,
            error="e\0" + "e" * 90_000,
            owner_pid_token="mine",
            on_path=1,
        )
    )
    assert found is not None
    assert not found.is_exact
    stored = columns(found)
    assert {name for name in rows.VALUE_READERS if stored[name] is not None} == {"latency_ms", "model", "error"}
    assert len(stored["model"]) == rows.LONGEST_WORD
    assert len(stored["error"]) == rows.LONGEST_TEXT
    assert "\0" not in stored["error"]


def test_what_cannot_be_shown_is_left_out() -> None:
    deep: Any = "x"
    for _ in range(60):
        deep = {"a": deep}
    parts = [
        part(id="no id"),
        part(type=5),
        part(content="text"),
        part(content={"text": "kept", "deep": deep}),
        part(type="hologram", content={"data": "x"}),
        part(type="hologram", content={"text": "still words", "data": 1}),
        "not a part",
        part(content={"text": "a\ud800b", "n": 2**80, "list": [1, {"x": "\0"}], "f": 0.5}),
    ]
    found = read(body(parts=parts))
    assert found is not None
    (first, kept), *rest = contents(found)
    assert (first, kept["text"]) == ("text", "kept")
    assert json.dumps(kept).count("a") == rows.DEEPEST - 1
    assert rest == [
        ("text", {"text": "still words"}),
        ("text", {"text": "a\ufffdb", "n": None, "list": [1, {"x": "\ufffd"}], "f": 0.5}),
    ]


def test_numbers_that_json_does_not_have_are_nothing() -> None:
    found = read_text(json.dumps(body(parts=[part(content={"a": [1]})])).replace("[1]", "[1e999, -1e999]"))
    assert found is not None
    assert contents(found) == [("text", {"a": [None, None]})]


def test_names_of_files_lose_their_folders() -> None:
    content = {"name": "../../.ssh/id_rsa", "mime": "text/plain", "sha256": SUM, "size_bytes": 5}
    artifact = {"id": new_id(), "kind": "exe", "mime": "no mime", "size_bytes": 5, "sha256": SUM, "path": "/etc/passwd"}
    found = read(body(parts=[part(type="file", content=content, artifacts=[artifact, 5, artifact | {"sha256": "x"}])]))
    assert found is not None
    assert contents(found)[0][1]["name"] == "id_rsa"
    (stored,) = [dict(zip(rows.ARTIFACT_COLUMNS, row, strict=True)) for row in found.own.artifacts]
    assert (stored["kind"], stored["mime"]) == ("file", "application/octet-stream")
    assert stored["path"] == f"{SUM[:2]}/{SUM}"


def test_a_list_of_artifacts_that_is_none_is_empty() -> None:
    found = read(body(parts=[part(type="image", content={}, artifacts={"a": 1})]))
    assert found is not None
    assert found.own.files == []


async def test_parts_of_their_own_file_say_what_those_in_a_body_say(store: Store) -> None:
    _, answer = await store.ask(await store.thread(), "why é?")
    sent = await made(store, answer)
    assert sent is not None
    assert json.loads(sent.parts_file()) == json.loads(sent.text())["parts"]
    beside = read_text(sent.text_beside(bodies.FileBody("", "", "", 7, SUM)))
    assert beside is not None
    assert (beside.parts_file, beside.own.parts) == ((SUM, 7), [])


_NAMES = st.sampled_from(
    ["id", "type", "content", "text", "thread_id", "role", "parts", "sha256", "artifacts", "error"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(_NAMES, inner),
    max_leaves=12,
)


@settings(max_examples=examples(150), deadline=None)
@given(st.dictionaries(st.text(max_size=5), _VALUES), _VALUES)
def test_what_is_kept_once_is_kept_whole_again(content: dict[str, Any], details: Any) -> None:
    for kind in PartType:
        kept = rows.kept_content(kind.value, content)
        assert rows.kept_content(kind.value, kept) == kept
    found = rows.kept_details(details)
    assert found is None or rows.kept_details(found) == found


@settings(max_examples=examples(150), deadline=None)
@given(st.dictionaries(st.text(max_size=5), _VALUES), _VALUES, _VALUES)
def test_reading_anything_never_raises(extra: dict[str, Any], parts: Any, role: Any) -> None:
    read(extra)
    read(parts)
    read(body(role=role))
    assert read({**extra, **body(parts=[part(), part(content=extra), parts])}) is not None


def test_a_part_of_a_newer_chatdesk_is_shown_as_its_text() -> None:
    found = read(body(parts=[part(type="of a newer ChatDesk"), part(type="other", content={"x": 1})]))
    assert found is not None
    assert contents(found) == [("text", {"text": "hello"})]
