"""Changes that the server refused: they are kept and shown, and can be copied out, sent again or removed from the
list."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy.engine import Connection, Row

from chatdesk.core.domain.sharing.quotation import link_to, quotation
from chatdesk.core.domain.sharing.sync_wire import MAX_BODY_BYTES, PushStatus
from chatdesk.core.domain.sharing.team import ChangeState, RefusedChange
from chatdesk.core.domain.thread import DEFAULT_COLOUR, NOT_TAKEN_TITLE
from chatdesk.core.errors import NotPossible
from chatdesk.core.storage.chat import branching, message_writes, projects, quoting, trash
from chatdesk.core.storage.chat.threads import insert_thread
from chatdesk.core.storage.engine import change_log
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.plain_text import from_json
from chatdesk.core.storage.engine.rows import batches, get_message, marks
from chatdesk.core.storage.sync.projection import projection
from chatdesk.core.storage.sync.registers import OVERRULED
from chatdesk.core.texts import Text, shown

_PENDING, _REFUSED = int(ChangeState.PENDING), int(ChangeState.REFUSED)
_ACKNOWLEDGED, _PRIVATE = int(ChangeState.ACKNOWLEDGED), int(ChangeState.PRIVATE)
_ORPHANED = int(ChangeState.ORPHANED)

Register = tuple[str, str, str]  # kind, entity, reg

_WORDS: Final = {
    PushStatus.DENIED.value: Text(
        "Your role in this project does not permit it. Ask one of its owners for another role, then try again."
    ),
    PushStatus.ORPHAN.value: Text(
        "The thread or message that this belongs to is not on the team's server. Copy the text out to keep "
        "it elsewhere."
    ),
    PushStatus.ID_TAKEN.value: Text(
        "The team's server has something else in this place. Copy it out to keep it elsewhere."
    ),
    PushStatus.TOO_BIG.value: Text(
        "This is larger than the {max_body_bytes} MB that the team's server takes in one change. Copy it"
        " out, or write it in parts.",
        max_body_bytes=str(MAX_BODY_BYTES // 1000000),
    ),
    OVERRULED: Text(
        "Another member wrote something else here at the same time, which everybody sees. Try again to put this in its"
        " place, or copy it out."
    ),
}
_OTHERWISE: Final = Text("The team's server did not take this. Try again, or copy it out.")


def refuse(conn: Connection, origin: Origin, project_id: str, changes: Sequence[tuple[str, str]]) -> list[str]:
    """Mark changes, given as (change, the server's status), as refused, and reset their registers. Returns the ids of
    those that were waiting."""
    said: list[str] = []
    registers: dict[Register, None] = {}
    for change_id, word in changes:
        row = conn.exec_driver_sql(
            f"UPDATE changes SET state = {_REFUSED}, problem = ? WHERE id = ? AND project_id = ?"
            f" AND state IN ({_PENDING}, {_ACKNOWLEDGED}, {_ORPHANED}) RETURNING kind, entity, reg",
            (word, change_id, project_id),
        ).first()
        if row is not None:
            said.append(change_id)
            registers[row[0], row[1], row[2]] = None
    fall_back(conn, origin, registers)
    return said


def fall_back(conn: Connection, origin: Origin, registers: Iterable[Register]) -> None:
    """Update the rows of registers after changes of them were refused."""
    for kind, entity, reg in registers:
        projection.project_register(conn, origin, kind, entity, reg)


def parent_ids(stored: str) -> list[str]:
    """Return the parents of a change, from their stored JSON."""
    try:
        value = json.loads(stored)
    except ValueError:
        return []
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def refused(conn: Connection) -> list[RefusedChange]:
    """Return the changes that the server refused, the newest first."""
    return [
        RefusedChange(
            id=row.id,
            project_id=row.project_id,
            thread_id=_thread_of(conn, row),
            kind=row.kind,
            at=row.at,
            status=row.problem or "",
            sentence=_WORDS.get(row.problem or "", _OTHERWISE),
            text=_text_of(conn, row),
        )
        for row in _refused_rows(conn, None)[::-1]
    ]


def copy_refused(conn: Connection, origin: Origin, change_ids: Sequence[str], *, not_into: str = "") -> str:
    """Copy the content of these changes into a new thread of a private project other than ``not_into``. Returns the
    thread's id; the changes stay."""
    rows = _refused_rows(conn, change_ids)
    messages = [row.entity for row in rows if row.kind == "message" and row.op == "new"]
    copied = branching.message_rows(conn, messages)
    texts = [text for row in rows if row.entity not in messages and (text := _copied_text(conn, row))]
    if not copied and not texts:
        raise NotPossible(Text("There is no text in these changes that could be copied."))
    thread = insert_thread(
        conn,
        origin,
        _private_project(conn, origin, not_into),
        NOT_TAKEN_TITLE,
        provider=None,
        model=None,
        system_prompt="",
    )
    if copied:
        branching.copy_path(conn, origin, thread, [row | {"deleted_at": None} for row in copied])
    for text in texts:
        message_writes.add_question(conn, origin, "", thread.id, text, message_writes.LEAF, None)
    return thread.id


def retry_refused(conn: Connection, origin: Origin, change_ids: Sequence[str]) -> int:
    """Send changes again, as the newest ones. Returns how many."""
    rows = _refused_rows(conn, change_ids)
    for row in rows:
        if row.problem == OVERRULED:
            _write_again(conn, origin, row)
            continue
        dseq = conn.exec_driver_sql(
            "UPDATE devices SET next_dseq = next_dseq + 1 WHERE id = ? RETURNING next_dseq - 1", (origin.device_id,)
        ).scalar_one()
        conn.exec_driver_sql(
            f"UPDATE changes SET state = {_PENDING}, problem = NULL, device = ?, dseq = ?,"
            " n = (SELECT max(n) + 1 FROM changes) WHERE id = ?",
            (origin.device_id, dseq, row.id),
        )
        origin.watch.record(row.project_id)
    fall_back(conn, origin, dict.fromkeys((row.kind, row.entity, row.reg) for row in rows))
    return len(rows)


def _write_again(conn: Connection, origin: Origin, row: Row[Any]) -> None:
    """Write a text again that another member's took the place of, as the successor of both."""
    conn.exec_driver_sql("DELETE FROM changes WHERE id = ?", (row.id,))
    change_log.log_change(
        conn,
        origin,
        project_id=row.project_id,
        kind=row.kind,
        op=row.op,
        entity=row.entity,
        reg=row.reg,
        hlc=origin.hybrid_clock.next(),
        body=from_json(row.body),
    )


def forget_refused(conn: Connection, origin: Origin, change_ids: Sequence[str]) -> int:
    """Remove changes from the list; their threads and messages move to this profile's trash. Returns their number."""
    rows = _refused_rows(conn, change_ids)
    for row in rows:
        conn.exec_driver_sql(f"UPDATE changes SET state = {_PRIVATE} WHERE id = ?", (row.id,))
        if row.op == "new" and row.kind == "message":
            trash.trash_unlogged(conn, origin, row.entity)
        elif row.op == "new" and row.kind == "thread":
            conn.exec_driver_sql(
                "UPDATE threads SET deleted_at = ? WHERE id = ? AND deleted_at IS NULL", (origin.now(), row.entity)
            )
            projects.refresh_last_chat(conn, row.project_id)
    return len(rows)


def _refused_rows(conn: Connection, change_ids: Sequence[str] | None) -> list[Row[Any]]:
    query = (
        "SELECT n, id, project_id, kind, op, entity, reg, body, at, problem FROM changes"
        f" WHERE state = {_REFUSED} AND mine = 1"
    )
    if change_ids is None:
        shared = " AND project_id IN (SELECT project_id FROM shared_projects)"
        return list(conn.exec_driver_sql(f"{query}{shared} ORDER BY n"))
    rows = [
        row
        for batch in batches(list(dict.fromkeys(change_ids)))
        for row in conn.exec_driver_sql(f"{query} AND id IN ({marks(batch)})", tuple(batch))
    ]
    return sorted(rows, key=lambda row: row.n)


def _thread_of(conn: Connection, row: Row[Any]) -> str | None:
    if row.kind == "thread":
        return str(row.entity)
    table = {"message": "messages", "summary": "summaries"}.get(row.kind)
    if table is None:
        return None
    found = conn.exec_driver_sql(f"SELECT thread_id FROM {table} WHERE id = ?", (row.entity,)).scalar()
    return None if found is None else str(found)


def _text_of(conn: Connection, row: Row[Any]) -> str:
    """Return the text that a person wrote in a change, or the name in it."""
    if row.kind == "message":
        found = conn.exec_driver_sql("SELECT 1 FROM messages WHERE id = ?", (row.entity,)).first()
        return "" if found is None else get_message(conn, row.entity).text
    body = from_json(row.body)
    words = [body.get(name) for name in ("title", "name", "system_prompt", "text", "parameters", "model", "colour")]
    return "\n\n".join(word for word in words if isinstance(word, str) and word)


def _copied_text(conn: Connection, row: Row[Any]) -> str:
    """Return ``_text_of`` for a copy, with another member's text as a quotation."""
    text = _text_of(conn, row)
    source = quoting.of_others(conn, [row.entity]).get(row.entity) if text and row.kind == "message" else None
    if source is None:
        return text
    name = quoting.names_of(conn, [source.author_id]).get(source.author_id, "")
    return quotation(text, author=name, source=link_to(source.thread_id, source.message_id))


def _private_project(conn: Connection, origin: Origin, not_into: str) -> str:
    """Return the oldest project in use that is not shared; one is created if there is none."""
    found = conn.exec_driver_sql(
        "SELECT id FROM projects WHERE deleted_at IS NULL AND id NOT IN"
        " (SELECT project_id FROM shared_projects WHERE state <> 'ended') AND id <> ?"
        " ORDER BY archived_at IS NOT NULL, id LIMIT 1",
        (not_into,),
    ).scalar()
    if found is not None:
        return str(found)
    return projects.insert_project(conn, origin, shown(projects.DEFAULT_NAME), DEFAULT_COLOUR).id
