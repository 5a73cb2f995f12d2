"""Stores an answer: pieces are appended while it streams, and merged once when it ends."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy.engine import Connection, Row

from chatdesk.core.domain.attachment import attachment_from
from chatdesk.core.domain.message import FILE_PARTS, PartType, Status
from chatdesk.core.domain.turn import StreamChunk, TurnOutcome
from chatdesk.core.domain.usage import Spent, Usage, UsageEvent, UsageKind
from chatdesk.core.errors import MessageNotFound, NotPossible
from chatdesk.core.ids import new_id
from chatdesk.core.storage.chat import thread_counters
from chatdesk.core.storage.chat.artifacts import artifact_row
from chatdesk.core.storage.chat.threads import touch
from chatdesk.core.storage.engine import change_log, tables
from chatdesk.core.storage.engine.change_log import Origin, log_change
from chatdesk.core.storage.engine.connection import insert_row
from chatdesk.core.storage.engine.content_digest import digest
from chatdesk.core.storage.engine.message_columns import BY_NAME, Form
from chatdesk.core.storage.engine.plain_text import clean, from_json, json_value, to_json
from chatdesk.core.storage.engine.rows import appended, streamed_text
from chatdesk.core.storage.usage import events
from chatdesk.core.texts import Text

_EMPTY: dict[PartType, Mapping[str, Any]] = {
    PartType.TOOL_CALL: {"name": "", "arguments": ""},
    PartType.IMAGE: {},
    PartType.FILE: {},
}
# Plain columns that the end of a turn has under their own names; all others are written one by one.
_OF_OUTCOME = tuple(
    each.name
    for each in fields(TurnOutcome)
    if each.name in BY_NAME and BY_NAME[each.name].form in (Form.COUNT, Form.WORD)
)


def start(conn: Connection, origin: Origin, message_id: str, started_at: int, *, model: str | None = None) -> None:
    """Change an answer from pending to streaming; ``model`` names the answering model if it was unknown before."""
    found = conn.exec_driver_sql(
        "UPDATE messages SET status = 'streaming', hlc = ?, model = coalesce(nullif(model, ''), ?)"
        " WHERE id = ? AND status = 'pending'",
        (origin.hybrid_clock.next(), model, message_id),
    ).rowcount
    if not found:
        _refuse(conn, message_id, Text("This answer is not waiting to be started."))
    conn.exec_driver_sql(
        "UPDATE message_parts SET started_at = coalesce(started_at, ?) WHERE message_id = ?", (started_at, message_id)
    )


def append_chunks(conn: Connection, origin: Origin, message_id: str, chunks: Iterable[StreamChunk]) -> None:
    """Store the chunks that were received since the last call. Stored text is not rewritten."""
    row = conn.exec_driver_sql("SELECT status FROM messages WHERE id = ?", (message_id,)).first()
    if row is None:
        raise MessageNotFound
    if Status(row[0]).is_final:
        raise NotPossible(Text("This answer has ended; nothing can be added to it."))
    known = {
        index
        for (index,) in conn.exec_driver_sql("SELECT part_index FROM message_parts WHERE message_id = ?", (message_id,))
    }
    for chunk in chunks:
        if chunk.part_index not in known:
            began_at = origin.now() if chunk.began_at is None else chunk.began_at
            _end_parts_before(conn, message_id, chunk.part_index, ended_at=began_at)
            _new_part(conn, origin, message_id, chunk, began_at=began_at)
            known.add(chunk.part_index)
        elif chunk.meta:
            _describe_part(conn, origin, message_id, chunk)
        if chunk.text:
            conn.exec_driver_sql(
                "INSERT INTO part_chunks (message_id, part_index, text) VALUES (?, ?, ?)",
                (message_id, chunk.part_index, clean(chunk.text)),
            )


def _end_parts_before(conn: Connection, message_id: str, index: int, *, ended_at: int) -> None:
    """End the earlier parts where the next one begins, not with the whole answer: this gives the time that a model
    thought."""
    conn.exec_driver_sql(
        "UPDATE message_parts SET completed_at = ? WHERE message_id = ? AND part_index < ? AND completed_at IS NULL",
        (ended_at, message_id, index),
    )


def _new_part(conn: Connection, origin: Origin, message_id: str, chunk: StreamChunk, *, began_at: int) -> None:
    kind = PartType(chunk.kind)
    content = {**_EMPTY.get(kind, {"text": ""}), **chunk.meta.get("content", {})}
    name = chunk.meta.get("name")
    if name and kind is PartType.TOOL_CALL:
        content["name"] = name
    part_id = new_id()
    insert_row(
        conn,
        tables.message_parts,
        id=part_id,
        message_id=message_id,
        part_index=chunk.part_index,
        type=kind.value,
        content=to_json(content),
        step_index=chunk.meta.get("step", 0),
        tool_duration_ms=chunk.meta.get("duration_ms"),
        started_at=began_at,
        tool_name=None if name is None else clean(str(name)),
        tool_call_id=_optional(chunk.meta.get("call_id")),
        **origin.stamp(),
    )
    if kind in FILE_PARTS:
        _name_file(conn, origin, part_id, content)


def _describe_part(conn: Connection, origin: Origin, message_id: str, chunk: StreamChunk) -> None:
    """Add the later fields of a call to its part: name, call id and state; to a text the sources that it refers to. The
    part of a picture gets the picture's present state."""
    if PartType(chunk.kind) is PartType.IMAGE:
        _replace_picture(conn, origin, message_id, chunk)
    if PartType(chunk.kind) not in (PartType.TOOL_CALL, PartType.TOOL_RESULT, PartType.TEXT):
        return
    name = _optional(chunk.meta.get("name"))
    content = dict(chunk.meta.get("content", {}))
    if name is not None and PartType(chunk.kind) is PartType.TOOL_CALL:
        content["name"] = name
    conn.exec_driver_sql(
        "UPDATE message_parts SET tool_name = coalesce(?, tool_name), tool_call_id = coalesce(?, tool_call_id),"
        " content = json_patch(content, ?) WHERE message_id = ? AND part_index = ?",
        (name, _optional(chunk.meta.get("call_id")), to_json(content), message_id, chunk.part_index),
    )


def _replace_picture(conn: Connection, origin: Origin, message_id: str, chunk: StreamChunk) -> None:
    content = dict(chunk.meta.get("content", {}))
    (part_id,) = conn.exec_driver_sql(
        "UPDATE message_parts SET content = ? WHERE message_id = ? AND part_index = ? RETURNING id",
        (to_json(content), message_id, chunk.part_index),
    ).one()
    conn.exec_driver_sql("DELETE FROM artifacts WHERE part_id = ?", (part_id,))
    _name_file(conn, origin, part_id, content)


def _name_file(conn: Connection, origin: Origin, part_id: str, content: Mapping[str, Any]) -> None:
    """Insert the row that names the bytes behind a part, where it has any."""
    file = attachment_from(content)
    if file is not None:
        insert_row(conn, tables.artifacts, **artifact_row(part_id, file, content), **origin.stamp())


def forget_running_calls(conn: Connection, message_id: str) -> None:
    """Set calls of an answer that ran when their process died to ``unknown``: nothing shows what they did, and nothing
    runs them again."""
    conn.exec_driver_sql(
        "UPDATE message_parts SET content = json_set(content, '$.status', 'unknown') WHERE message_id = ?"  # noqa: S608
        f" AND type = 'tool_call' AND {json_value('content', 'status')} = 'running'",
        (message_id,),
    )


def _optional(value: object) -> str | None:
    return None if value is None or value == "" else clean(str(value))


def finish(conn: Connection, origin: Origin, message_id: str, outcome: TurnOutcome) -> str:
    """Store the end of a turn, whatever the end, whole or not at all. Returns the thread's id."""
    if not outcome.status.is_final:
        raise NotPossible(Text("A turn cannot end in a state that is not final."))
    row = _unfinished(conn, message_id)
    if outcome.tail:
        append_chunks(conn, origin, message_id, outcome.tail)
    before = thread_counters.of_messages(conn, [message_id])
    sizes = merge(conn, message_id, outcome.finished_at)
    stamp = origin.stamp()
    usage = outcome.usage
    values: dict[str, Any] = {
        "status": outcome.status.value,
        "completed_at": outcome.finished_at,
        **{name: getattr(outcome, name) for name in _OF_OUTCOME},
        "error": _optional(outcome.error),
        "error_details": to_json(outcome.error_details) if outcome.error_details else None,
        "owner_pid_token": None,
        **sizes,
        **stamp,
    }
    if usage is not None:
        values |= _tokens_with(row, usage)
    conn.execute(tables.messages.update().where(tables.messages.c.id == message_id).values(**values))
    if outcome.is_asked:
        whole = Spent(usage, outcome.latency_ms, outcome.time_to_first_token_ms, outcome.cost_usd)
        spent = outcome.last or whole
        word = "refused" if outcome.is_refused else outcome.status.value
        event = UsageEvent(UsageKind.ANSWER, row.thread_id, row.provider, row.model, word, spent, message_id=message_id)
        events.enter(conn, origin, event, at=outcome.finished_at)
    record_final_answer(conn, origin, row, before, stamp["hlc"])
    touch(conn, row.thread_id, outcome.finished_at)
    return str(row.thread_id)


def record_step(conn: Connection, origin: Origin, message_id: str, spent: Spent) -> None:
    """Record a finished request of an answer that goes on with another request: its line of the ledger, and its
    tokens."""
    row = _unfinished(conn, message_id)
    before = thread_counters.of_messages(conn, [message_id])
    if spent.usage is not None:
        values = _tokens_with(row, spent.usage)
        conn.execute(tables.messages.update().where(tables.messages.c.id == message_id).values(**values))
    if row.deleted_at is None:
        after = thread_counters.of_messages(conn, [message_id])
        thread_counters.change_by_difference(conn, row.thread_id, before, after)
    complete = Status.COMPLETE.value
    event = UsageEvent(UsageKind.ANSWER, row.thread_id, row.provider, row.model, complete, spent, message_id)
    events.enter(conn, origin, event)


def _tokens_with(row: Row[Any], usage: Usage) -> dict[str, int]:
    """Return the tokens of an answer with those of one more request: it may make several, and be continued."""
    return {
        "prompt_tokens": (row.prompt_tokens or 0) + usage.input_tokens,
        "completion_tokens": (row.completion_tokens or 0) + usage.output_tokens,
        "total_tokens": (row.total_tokens or 0) + usage.total_tokens,
        "cached_tokens": (row.cached_tokens or 0) + usage.cached_tokens,
        "reasoning_tokens": (row.reasoning_tokens or 0) + usage.reasoning_tokens,
    }


def record_final_answer(
    conn: Connection, origin: Origin, row: Row[Any], before: thread_counters.Tally, hlc: int
) -> None:
    """Update the counters of the thread and the change log after an answer became final; its first entry in the log is
    written then."""
    if row.deleted_at is None:
        after = thread_counters.of_messages(conn, [row.id])
        thread_counters.change_by_difference(conn, row.thread_id, before, after)
    if not change_log.can_follow(conn, row.parent_id):
        return
    is_known = change_log.is_logged(conn, row.id)
    log_change(
        conn,
        origin,
        project_id=row.project_id,
        kind="message",
        op="edit" if is_known else "new",
        entity=row.id,
        hlc=hlc,
        knows=change_log.known_deletions(conn, row.parent_id),
        is_kept=True,  # it was allowed when the answer was requested
    )
    _log_below(conn, origin, row.project_id, row.id)


def _log_below(conn: Connection, origin: Origin, project_id: str, message_id: str) -> None:
    """Log the messages that were written below an answer while it had not ended: they must come after it."""
    waiting, seen = [message_id], {message_id}
    while waiting:
        parent_id = waiting.pop()
        rows = conn.exec_driver_sql(
            "SELECT id, deleted_at, deleted_with FROM messages m WHERE parent_id = ?"
            " AND status NOT IN ('pending', 'streaming') AND NOT EXISTS"
            " (SELECT 1 FROM changes c WHERE c.entity = m.id AND c.reg = 'content' AND c.state <> 5) ORDER BY id",
            (parent_id,),
        ).all()
        for row in rows:
            if row.id in seen:
                continue
            seen.add(row.id)
            change_log.log_message(conn, origin, project_id, row.id, parent_id=parent_id, is_kept=True)
            if row.deleted_at is not None:
                body = {"covers": change_log.seen(conn, origin, project_id), "with": row.deleted_with or row.id}
                log_change(
                    conn,
                    origin,
                    project_id=project_id,
                    kind="message",
                    op="del",
                    entity=row.id,
                    hlc=origin.hybrid_clock.next(),
                    body=body,
                    is_kept=True,
                )
            waiting.append(row.id)


def merge(conn: Connection, message_id: str, completed_at: int) -> dict[str, Any]:
    """Move streamed pieces into their parts. Returns the message's size and digest columns."""
    for (_, index), text in streamed_text(conn, [message_id]).items():
        kind, stored = conn.exec_driver_sql(
            "SELECT type, content FROM message_parts WHERE message_id = ? AND part_index = ?", (message_id, index)
        ).one()
        content = to_json(appended(PartType(kind), from_json(stored), text))
        conn.exec_driver_sql(
            "UPDATE message_parts SET content = ? WHERE message_id = ? AND part_index = ?", (content, message_id, index)
        )
    conn.exec_driver_sql("DELETE FROM part_chunks WHERE message_id = ?", (message_id,))
    conn.exec_driver_sql(
        "UPDATE message_parts SET completed_at = ? WHERE message_id = ? AND completed_at IS NULL",
        (completed_at, message_id),
    )
    return sizes(
        [
            (row[0], row[1], row[2])
            for row in conn.exec_driver_sql(
                "SELECT part_index, type, content FROM message_parts WHERE message_id = ? ORDER BY part_index",
                (message_id,),
            )
        ]
    )


def sizes(parts: list[tuple[int, str, str]]) -> dict[str, Any]:
    """Return the columns that describe stored parts: how much they show, and their digest."""
    shown = [_shown(content) for content in map(_content, parts)]
    return {
        "char_count": sum(len(text) for text in shown),
        "line_count": sum(1 + text.count("\n") for text in shown),
        "content_digest": digest(parts),
    }


def _shown(content: dict[str, Any]) -> str:
    """Return the text that a part shows; of a file that is its name."""
    return str(content.get("text", content.get("arguments", content.get("name", ""))))


def _content(part: tuple[int, str, str]) -> dict[str, Any]:
    value = json.loads(part[2])
    return value if isinstance(value, dict) else {}


def _unfinished(conn: Connection, message_id: str) -> Row[Any]:
    row = conn.exec_driver_sql(
        "SELECT m.id, m.thread_id, m.parent_id, t.project_id, m.status, m.provider, m.model, m.deleted_at,"
        " m.prompt_tokens, m.completion_tokens, m.total_tokens, m.cached_tokens, m.reasoning_tokens"
        " FROM messages m JOIN threads t ON t.id = m.thread_id WHERE m.id = ?",
        (message_id,),
    ).first()
    if row is None:
        raise MessageNotFound
    if Status(row.status).is_final:
        raise NotPossible(Text("This answer has ended already."))
    return row


def _refuse(conn: Connection, message_id: str, what: str) -> None:
    if conn.exec_driver_sql("SELECT 1 FROM messages WHERE id = ?", (message_id,)).first() is None:
        raise MessageNotFound
    raise NotPossible(what)
