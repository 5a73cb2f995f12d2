"""Every column of a message has its place in the specification, and goes wherever that says."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.domain.imported import ImportOutcome
from chatdesk.core.domain.message import Message
from chatdesk.core.storage.engine import tables
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.message_columns import BY_NAME, EXPORTED, MESSAGE_COLUMNS, TRAVELLING, Form
from chatdesk.core.storage.engine.plain_text import to_json
from chatdesk.core.storage.engine.rows import get_message
from chatdesk.core.storage.sync.wire import bodies, rows
from chatdesk.core.storage.transfer import import_rows
from chatdesk.core.storage.transfer.export_reader import open_reader
from chatdesk.core.transfer.imports.chatdesk import ChatDeskReader
from tests.helpers import shown_digest
from tests.helpers.store import Store

_PLAIN = tuple(
    column for column in MESSAGE_COLUMNS if column.form in (Form.MOMENT, Form.COUNT, Form.WORD, Form.TEXT, Form.DETAILS)
)
# The message of ``filled`` as it is sent, with an error and without.
CAREFUL = (
    '{"assistant_name":"assistant_name 36",'
    '"cached_tokens":1016,"completed_at":1700000000006,"completion_tokens":1014,"created_at":999,"error":"error 19",'
    '"error_details":{"a":[21]},"error_type":"error_type 20","finish_reason":"finish_reason 18","latency_ms":1011,'
    '"model":"model 8","parent_id":"QUESTION","parts":[{"completed_at":2,"content":{"text":"answer to question"},'
    '"id":"PART","started_at":1,"type":"text"}],"prompt_tokens":1013,"provider":"provider 7","reasoning_tokens":1017,'
    '"role":"assistant","status":"error","thread_id":"THREAD","time_to_first_token_ms":1012,"total_tokens":1015}'
)
PLAIN = (
    '{"thread_id":"THREAD","parent_id":"QUESTION","role":"assistant","status":"error","created_at":999,'
    '"completed_at":1700000000006,"latency_ms":1011,"time_to_first_token_ms":1012,"prompt_tokens":1013,'
    '"completion_tokens":1014,"total_tokens":1015,"cached_tokens":1016,"reasoning_tokens":1017,'
    '"provider":"provider 7","model":"model 8","finish_reason":"finish_reason 18",'
    '"parts":[{"content":{"text":"answer to question"},"type":"text","id":"PART","started_at":1,"completed_at":2}]}'
)
_NOT_COLUMNS = {
    "parts",
    "version_index",
    "version_count",
    "cost_usd",
    "written_tokens",
    "accepted_at",
}  # of ``Message``


def value_of(name: str) -> Any:
    """Return a value that no other column has, as far as the form lets it differ."""
    column = BY_NAME[name]
    place = MESSAGE_COLUMNS.index(column)
    if column.form is Form.MOMENT:
        return 1_700_000_000_000 + place
    if column.form is Form.COUNT:
        return 1_000 + place
    return {"a": [place]} if column.form is Form.DETAILS else f"{name} {place}"


async def filled(store: Store) -> tuple[str, str, str]:
    """Store a question with an answer that has a value in every plain column. Returns the ids: thread, question,
    answer."""
    thread = await store.thread()
    question, answer = await store.ask(thread)

    def fill(conn: Connection) -> None:
        stored = {each.name: value_of(each.name) for each in _PLAIN}
        texts = {name: to_json(value) if isinstance(value, dict) else value for name, value in stored.items()}
        conn.execute(
            tables.messages.update()
            .where(tables.messages.c.id == answer)
            .values(**texts, created_at=999, status="error", context_mark="pinned")
        )

    await store.db.write(fill)
    return thread, question, answer


def test_every_column_of_the_table_is_in_the_specification() -> None:
    assert set(BY_NAME) == {column.name for column in tables.messages.columns}
    assert len(BY_NAME) == len(MESSAGE_COLUMNS)


def test_every_field_of_a_message_is_a_column_or_is_computed() -> None:
    named = {each.name for each in fields(Message)}
    assert named - BY_NAME.keys() == _NOT_COLUMNS
    assert {each.name for each in _PLAIN} <= named  # what is stored and sent can be read


async def test_a_message_is_read_with_every_value(store: Store) -> None:
    _, _, answer = await filled(store)
    message = await store.db.read(lambda conn: get_message(conn, answer))
    assert {each.name: getattr(message, each.name) for each in _PLAIN} == {
        each.name: value_of(each.name) for each in _PLAIN
    }


async def test_every_travelling_column_arrives(store: Store) -> None:
    thread, question, answer = await filled(store)
    sent = await store.db.read(lambda conn: bodies.message_texts(conn, [answer]))
    read = rows.read_message(sent[answer][0], message_id=answer, hlc=1, device="d")
    assert read is not None
    assert read.is_exact
    arrived = dict(zip(rows.MESSAGE_COLUMNS, read.message, strict=True))
    frame = {"id": answer, "thread_id": thread, "parent_id": question, "role": "assistant", "status": "error"}
    wanted = {**frame, "created_at": 999} | {
        name: to_json(value) if isinstance(value := value_of(name), dict) else value
        for name in TRAVELLING
        if BY_NAME[name] in _PLAIN
    }
    assert {name: arrived[name] for name in TRAVELLING} == wanted


async def test_every_exported_column_comes_back(store: Store) -> None:
    thread, _, answer = await filled(store)
    with open_reader(store.path) as reader:
        (row,) = [each for batch in reader.messages(thread, has_trash=True) for each in batch if each["id"] == answer]
    imported = ChatDeskReader().thread({"id": thread, "messages": [json.loads(json.dumps(row))]}, 999)
    known = import_rows.KnownThread(ImportOutcome.NEW)
    made = import_rows.make_rows(imported, known, store.db.origin, lambda file, content: None)
    (message,) = made.messages
    back = dict(zip(import_rows.MESSAGE_COLUMNS, message.message, strict=True))
    wanted = {each.name: value_of(each.name) for each in _PLAIN if each.is_exported}
    assert {name: json.loads(back[name]) if name == "error_details" else back[name] for name in wanted} == wanted
    assert wanted.keys() <= row.keys()


def test_an_import_writes_every_column_that_it_does_not_leave_out() -> None:
    assert BY_NAME.keys() - import_rows.MESSAGE_COLUMNS == {"search_n", "author_id", "assistant_id", "owner_pid_token"}


async def test_what_is_written_is_as_it_always_was(store: Store) -> None:
    """Other versions of ChatDesk read these forms: what this test expects may only grow."""
    thread, question, answer = await filled(store)

    def forms(conn: Connection) -> tuple[str, str, list[Any]]:
        raw = driver(conn)
        raw.execute("UPDATE message_parts SET started_at = 1, completed_at = 2 WHERE message_id = ?", (answer,))
        (project,) = raw.execute("SELECT project_id FROM threads WHERE id = ?", (thread,)).fetchone()
        careful = bodies.message_texts(conn, [answer])[answer][0]
        line = [each for each in shown_digest.lines(raw, project, project) if each[:2] == ("message", answer)]
        rare = ", ".join(f"{each.name} = NULL" for each in MESSAGE_COLUMNS if each.is_rare)
        raw.execute(f"UPDATE messages SET {rare}")
        return careful, bodies.message_texts(conn, [answer])[answer][0], line

    careful, plain, (line,) = await store.db.write(forms)
    (part,) = json.loads(plain)["parts"]
    ids = {thread: "THREAD", question: "QUESTION", answer: "ANSWER", part["id"]: "PART"}
    for written, frozen in ((careful, CAREFUL), (plain, PLAIN)):
        for id_, word in ids.items():
            written = written.replace(id_, word)
        assert written == frozen
    assert list(line)[1:] == [
        answer, question, "assistant", "error", 999, 1700000000006, "provider 7", "model 8", 1013, 1014, "error 19",
        "finish_reason 18", None, [("text", "answer to question", None, 0, None, None)],
    ]  # fmt: skip
    assert EXPORTED == (
        "id", "parent_id", "role", "status", "created_at", "completed_at", "provider", "model", "chosen_child_id",
        "context_mark", "latency_ms", "time_to_first_token_ms", "prompt_tokens", "completion_tokens", "total_tokens",
        "cached_tokens", "reasoning_tokens", "finish_reason", "error", "error_type", "error_details", "deleted_at",
        "deleted_with", "purged_at", "assistant_name",
    )  # fmt: skip
