"""What a message is on its way to others: made from rows, read from anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.message import PartType, Status
from chatdesk.core.domain.turn import StreamChunk, TurnOutcome
from chatdesk.core.domain.usage import Usage
from chatdesk.core.ids import new_id
from chatdesk.core.storage.sync.wire import bodies
from chatdesk.core.storage.sync.wire.bodies import MessageBody, read_message, read_parts, write_message, write_parts
from chatdesk.core.storage.sync.wire.rows import PART_COLUMNS
from chatdesk.core.storage.sync.wire.rows import read_message as read_rows
from tests.helpers.store import PLAN, Store

SUM = "ab" * 32


def body(**values: Any) -> dict[str, Any]:
    return {"thread_id": new_id(), "role": "user", "status": "complete", "created_at": 7, "parts": []} | values


def part(**values: Any) -> dict[str, Any]:
    return {"id": new_id(), "type": "text", "content": {"text": "hello"}} | values


def read(value: Any) -> MessageBody | None:
    return read_message(json.dumps(value))


async def made(store: Store, message_id: str) -> MessageBody | None:
    found = await store.db.read(lambda conn: bodies.make_messages(conn, [message_id]))
    return found.get(message_id)


async def quick(store: Store, message_id: str) -> MessageBody | None:
    found = await store.db.read(lambda conn: bodies.message_texts(conn, [message_id]))
    if message_id not in found:
        return None
    text, files = found[message_id]
    read_back = read_message(text)
    assert read_back is not None
    assert read_back.files == files
    return read_back


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
            error_details={"a": [1], "payment": {"host": "pay.example", "link": "https://pay.example/mine"}},
        ),
    )
    sent = await made(store, answer.id)
    assert sent is not None
    assert await quick(store, answer.id) == sent
    assert (sent.thread_id, sent.parent_id, sent.role, sent.status) == (thread, question.id, "assistant", "error")
    assert [(each.type, each.content) for each in sent.parts] == [
        ("reasoning", {"text": "let me see"}),
        ("tool_call", {"name": "look", "arguments": '{"a": 1}'}),
        ("text", {"text": "because"}),
    ]
    assert sent.parts[1].values["tool_name"] == "look"
    assert sent.values["prompt_tokens"] == 3
    assert sent.values["error_details"] == {"a": [1]}
    assert read_message(write_message(sent)) == sent


async def test_plain_messages_are_put_together_as_carefully_made_ones_are(store: Store) -> None:
    thread = await store.thread()
    words = 'quotes " and \\ and \u2028 and \x7f and 漢字 🎈 \n\t'
    question, answer = await store.ask(thread, words)
    for each in (question, answer):
        assert await quick(store, each) == await made(store, each)
    store.db.write_now(
        lambda conn: conn.exec_driver_sql(
            "UPDATE messages SET model = ?, provider = ?, finish_reason = 'a\"b', latency_ms = 0 WHERE id = ?",
            ("m" * 900, words, answer),
        )
    )
    assert await quick(store, answer) == await made(store, answer)
    store.db.write_now(
        lambda conn: conn.exec_driver_sql(
            "UPDATE message_parts SET content = 'damaged', step_index = 2 WHERE message_id = ?", (question,)
        )
    )
    assert await quick(store, question) == await made(store, question)
    assert await quick(store, new_id()) is None


async def test_attachments_are_named_by_their_sums_and_never_by_a_path(store: Store) -> None:
    thread = await store.thread()
    file = Attachment("notes.txt", "text/plain", SUM, 12)
    question, _, _ = await store.messages.add_question(thread, "look", with_answer=None, attachments=[file])
    sent = await made(store, question.id)
    assert sent is not None
    assert await quick(store, question.id) == sent
    assert [(each.sha256, each.size_bytes, each.mime, each.kind) for each in sent.files] == [
        (SUM, 12, "text/plain", "file")
    ]
    assert "path" not in write_message(sent)
    assert read_message(write_message(sent)) == sent


@pytest.mark.parametrize("more", [{}, {"sha256": SUM, "size_bytes": 3}])
def test_a_file_s_part_says_nothing_of_where_it_was(more: dict[str, Any]) -> None:
    content = {"name": "/home/ana/secret/notes.txt", "path": "/home/ana/secret", "source": "C:\\ana", **more}
    found = read_message(json.dumps(body(parts=[{"id": new_id(), "type": "file", "content": content}])))
    assert found is not None
    assert found.parts[0].content["name"] == "notes.txt"
    assert "ana" not in write_message(found)


async def test_what_is_still_written_or_gone_has_no_body(store: Store) -> None:
    thread = await store.thread()
    _, answer, _ = await store.messages.add_question(thread, "why?", with_answer=PLAN)
    assert answer is not None
    assert await made(store, answer.id) is None
    assert await made(store, new_id()) is None


async def test_what_was_removed_for_good_keeps_its_place_only(store: Store) -> None:
    thread = await store.thread()
    question, _answer = await store.ask(thread)
    await store.messages.delete(question, with_later=False)
    await store.trash.purge_expired(store.clock.now_ms() + 1)
    sent = await made(store, question)
    assert sent is not None
    assert await quick(store, question) == sent
    assert sent.is_purged
    assert json.loads(write_message(sent)).keys() == {"thread_id", "role", "status", "created_at", "is_purged"}
    assert read_message(write_message(sent)) == sent


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
        json.dumps(body(created_at=-1)),
        json.dumps(body(created_at=2**60)),
        json.dumps(body(created_at=True)),
        json.dumps(body(parts={})),
        json.dumps(body(parts_file={"sha256": "x", "size_bytes": 1})),
        json.dumps(body(parts_file={"sha256": SUM, "size_bytes": 2**40})),
        '{"created_at": ' + "9" * 5000 + "}",
        json.dumps(body(error="x" * 1_100_000)),
    ],
)
def test_what_describes_no_message_is_none(text: str) -> None:
    assert read_message(text) is None


def test_nothing_is_none() -> None:
    assert read_message(None) is None


def test_an_unknown_status_is_a_final_one() -> None:
    for status in ("streaming", "pending", "winning", 5, None):
        found = read(body(status=status))
        assert found is not None
        assert found.status == "interrupted"


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
    assert found.values.keys() == {"latency_ms", "model", "error"}
    assert len(found.values["model"]) == 500
    assert len(found.values["error"]) == 20_000
    assert "\0" not in found.values["error"]


def test_parts_that_cannot_be_shown_are_left_out() -> None:
    deep: Any = "x"
    for _ in range(60):
        deep = {"a": deep}
    parts = [
        part(id="no id"),
        part(type=5),
        part(content="text"),
        part(content={"text": deep}),
        part(type="hologram", content={"data": "x"}),
        part(type="hologram", content={"text": "still words", "data": 1}),
        "not a part",
        part(content={"text": "a\ud800b", "n": 2**80, "list": [1, {"x": "\0"}], "f": 0.5}),
    ]
    found = read(body(parts=parts))
    assert found is not None
    assert [(each.type, each.content) for each in found.parts] == [
        ("text", {"text": "still words"}),
        ("text", {"text": "a\ufffdb", "n": 0, "list": [1, {"x": "\ufffd"}], "f": 0.5}),
    ]


def test_numbers_that_json_does_not_have_are_nothing() -> None:
    found = read_message(json.dumps(body(parts=[part(content={"a": [1]})])).replace("[1]", "[1e999, -1e999]"))
    assert found is not None
    assert found.parts[0].content == {"a": [None, None]}


def test_names_of_files_lose_their_folders() -> None:
    content = {"name": "../../.ssh/id_rsa", "mime": "text/plain", "sha256": SUM, "size_bytes": 5}
    artifact = {"id": new_id(), "kind": "exe", "mime": "no mime", "size_bytes": 5, "sha256": SUM, "path": "/etc/passwd"}
    found = read(body(parts=[part(type="file", content=content, artifacts=[artifact, 5, artifact | {"sha256": "x"}])]))
    assert found is not None
    assert found.parts[0].content["name"] == "id_rsa"
    assert [(each.kind, each.mime) for each in found.files] == [("file", "application/octet-stream")]


def test_a_list_of_artifacts_that_is_none_is_empty() -> None:
    found = read(body(parts=[part(type="image", content={}, artifacts={"a": 1})]))
    assert found is not None
    assert found.files == []


def test_parts_of_their_own_file_come_back() -> None:
    found = read(body(parts=[part(), part(type="reasoning")]))
    assert found is not None
    assert read_parts(write_parts(found.parts)) == found.parts
    assert read_parts(b"\xff\xfe") is None
    assert read_parts(b'{"a": 1}') is None
    assert read_parts(b" " * (bodies.MAX_PARTS_BYTES + 1)) is None


_NAMES = st.sampled_from(
    ["id", "type", "content", "text", "thread_id", "role", "parts", "sha256", "artifacts", "error"]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(_NAMES, inner),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text(max_size=5), _VALUES), _VALUES, _VALUES)
def test_reading_what_was_written_changes_nothing(extra: dict[str, Any], parts: Any, details: Any) -> None:
    value = {**extra, **body(error_details=details, model="m", parts=[part(), part(content=extra), parts])}
    found = read_message(json.dumps(value))
    assert found is not None
    text = write_message(found)
    again = read_message(text)
    assert again == found
    assert write_message(again) == text


@settings(max_examples=150, deadline=None)
@given(_VALUES)
def test_reading_anything_never_raises(value: Any) -> None:
    read(value)
    read_parts(json.dumps(value).encode())


def test_whoever_receives_takes_all_that_is_sent() -> None:
    deep: Any = "here"
    for _ in range(bodies.DEEPEST - 2):
        deep = [deep]
    files = [{"id": new_id(), "sha256": SUM, "size_bytes": 1} for _ in range(bodies.MOST_FILES)]
    sent = read(
        body(
            model="m" * bodies.LONGEST_WORD,
            parts=[
                part(type="tool_result", content={"text": "found", "data": deep}),
                part(type="file", content={"name": "a.txt"}, artifacts=files),
                part(type="of a newer ChatDesk", content={"text": "still readable"}),
            ],
        )
    )
    assert sent is not None
    taken = read_rows(write_message(sent), message_id=new_id(), hlc=1, device=new_id())
    assert taken is not None
    assert sent.values["model"] in taken.message
    contents = [json.loads(row[PART_COLUMNS.index("content")]) for row in taken.own.parts]
    assert contents[0] == sent.parts[0].content
    assert len(taken.own.artifacts) == len(sent.files) == bodies.MOST_FILES
    assert contents[2] == {"text": "still readable"}
    unknown = json.dumps(body(parts=[part(type="of a newer ChatDesk"), part(type="other", content={"x": 1})]))
    found = read_rows(unknown, message_id=new_id(), hlc=1, device=new_id())
    assert found is not None
    assert [(row[PART_COLUMNS.index("type")], json.loads(row[5])) for row in found.own.parts] == [
        ("text", {"text": "hello"})
    ]
