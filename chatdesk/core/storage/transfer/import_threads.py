"""Writes the rows of imported threads, with their tags, summaries, title, trash mark and origin."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.imported import ImportedThread, ImportOutcome
from chatdesk.core.ids import id_of_moment
from chatdesk.core.storage.chat import shown_path, tags, thread_counters
from chatdesk.core.storage.chat.projects import bring_back
from chatdesk.core.storage.chat.threads import checked_title
from chatdesk.core.storage.engine import change_log, tables
from chatdesk.core.storage.engine.bulk import insert_rows
from chatdesk.core.storage.engine.change_log import Origin, log_change, log_threads
from chatdesk.core.storage.engine.connection import driver, insert_row
from chatdesk.core.storage.engine.plain_text import clean, title_columns, to_json
from chatdesk.core.storage.engine.rows import batches, get_thread, marks
from chatdesk.core.storage.transfer.import_rows import (
    KnownMessage,
    KnownThread,
    Step,
    ThreadRows,
    live_count,
    tally_of,
    thread_digest,
    title_mark,
)

ORIGINS: Final = "INSERT OR IGNORE INTO import_origins (source, source_key, entity, digest)"
INSERT_ORIGIN: Final = f"{ORIGINS} VALUES (?, ?, ?, ?)"


def insert_threads(conn: Connection, origin: Origin, steps: Sequence[Step]) -> None:
    """Insert the threads of these steps with the counters of their first messages, and log them."""
    rows, entries = [], []
    for step in steps:
        row = _thread_row(origin, step)
        rows.append(row)
        names = ("title", "title_source", "system_prompt", "provider", "model", "created_at")
        body = {name: row[name] for name in (*names, "parameters", "is_without_summaries") if name in row}
        entries.append((row["id"], step.project_id, row["hlc"], body))
    if not rows:
        return
    for project_id in {row["project_id"] for row in rows}:  # which may have gone to the trash since the import began
        bring_back(conn, origin, project_id)
    conn.execute(tables.threads.insert(), rows)
    log_threads(conn, origin, op="new", reg=change_log.CONTENT, entries=entries)
    for row in rows:
        for column, reg in (("pinned_at", change_log.PINNED), ("archived_at", change_log.ARCHIVED)):
            if row[column] is not None:
                log_change(
                    conn,
                    origin,
                    project_id=row["project_id"],
                    kind="thread",
                    op="edit",
                    entity=row["id"],
                    hlc=row["hlc"],
                    reg=reg,
                    body={column: row[column]},
                )
    driver(conn).executemany(
        "UPDATE projects SET last_chat_at = max(coalesce(last_chat_at, 0), ?) WHERE id = ?",
        [(row["last_activity_at"], row["project_id"]) for row in rows],
    )
    new = [(step.rows.imported.source, step.rows.imported.key, step.rows.thread_id, _digest_of(step)) for step in steps]
    insert_rows(driver(conn), ORIGINS, new)


def _thread_row(origin: Origin, step: Step) -> dict[str, Any]:
    imported = step.rows.imported
    values = imported.values
    title = checked_title(imported.title)
    shown = [row for row in step.messages if row.is_shown and row.is_live]
    tally = tally_of(step.messages)
    return {
        "id": step.rows.thread_id,
        "project_id": step.project_id,
        **title_columns(title),
        "title_source": values.get("title_source", "person"),
        "system_prompt": clean(str(values.get("system_prompt", ""))),
        "provider": values.get("provider"),
        "model": values.get("model"),
        "created_at": imported.created_at,
        "last_activity_at": imported.last_activity_at,
        "archived_at": values.get("archived_at"),
        "pinned_at": values.get("pinned_at"),
        "deleted_at": None,
        "parameters": to_json(values.get("parameters", {})),
        "is_without_summaries": values.get("is_without_summaries", 0),
        "context_from_id": step.rows.ids.get(str(values.get("context_from_id", ""))),
        "chosen_root_id": step.rows.ids.get(imported.chosen.get(None, "")),
        "current_leaf_id": shown[-1].id if shown else None,
        "shown_count": len(shown),
        "message_count": tally.message_count,
        "total_input_tokens": tally.input_tokens,
        "total_output_tokens": tally.output_tokens,
        "total_cached_tokens": tally.cached_tokens,
        "total_reasoning_tokens": tally.reasoning_tokens,
        "total_tool_time_ms": tally.tool_time_ms,
        "tool_counts": to_json(dict(tally.tool_counts)),
        **origin.stamp(),
    }


def grow_thread(conn: Connection, origin: Origin, step: Step) -> None:
    """Count new messages of an existing thread, and extend the shown path from its end."""
    thread_id = step.rows.thread_id
    if step.messages:
        thread_counters.change(conn, thread_id, tally_of(step.messages))
        shown = live_count(step.messages)
        last = max(row.created_at for row in step.messages)
        conn.exec_driver_sql(
            "UPDATE threads SET shown_count = shown_count + ?, last_activity_at = max(last_activity_at, ?)"
            " WHERE id = ?",
            (shown, last, thread_id),
        )
        conn.exec_driver_sql(
            "UPDATE projects SET last_chat_at = max(coalesce(last_chat_at, 0), ?)"
            " WHERE id = (SELECT project_id FROM threads WHERE id = ?)",
            (last, thread_id),
        )
        if shown:
            shown_path.refresh_end(conn, thread_id)


def finish_thread(conn: Connection, origin: Origin, step: Step) -> None:
    """Complete a thread after its last step: shown path, title, tags, summaries, and the mark that it is whole."""
    rows, imported = step.rows, step.rows.imported
    if not rows.is_new:
        if rows.choices:
            conn.exec_driver_sql(
                "UPDATE messages SET chosen_child_id = ? WHERE id = ? AND chosen_child_id IS NULL", rows.choices
            )
        show_as_there(conn, rows)
        _retitle(conn, origin, rows)
    else:
        _attach(conn, origin, step)
    if step.is_whole:
        return
    digest = "" if imported.source == OWN and not rows.is_new else rows.digest
    conn.exec_driver_sql(INSERT_ORIGIN, (imported.source, imported.key, rows.thread_id, digest))
    conn.exec_driver_sql(
        "UPDATE import_origins SET digest = ? WHERE source = ? AND source_key = ?",
        (digest, imported.source, imported.key),
    )


def _digest_of(step: Step) -> str:
    """Return the digest to store; empty for a thread that is not whole yet, so that the next import reads all of it."""
    return step.rows.digest if step.is_whole else ""


def _retitle(conn: Connection, origin: Origin, rows: ThreadRows) -> None:
    """Follow a title that was changed there, unless it was changed here."""
    thread = get_thread(conn, rows.thread_id)
    stored = conn.exec_driver_sql(
        "SELECT digest FROM import_origins WHERE source = ? AND source_key = ?",
        (rows.imported.source, rows.imported.key),
    ).scalar()
    before = str(stored or "").partition(":")[2]
    title = checked_title(rows.imported.title)
    if title == thread.title or not before or before != title_mark(thread.title):
        return
    change_log.write_register(
        conn,
        origin,
        tables.threads,
        rows.thread_id,
        project_id=thread.project_id,
        reg=change_log.TITLE,
        values=title_columns(title),
        body={"title": title},
    )


def _attach(conn: Connection, origin: Origin, step: Step) -> None:
    """Add the tags and summaries of a thread that was made now, and move it to the trash where it lay there."""
    imported, thread_id = step.rows.imported, step.rows.thread_id
    if imported.tags:
        ids, new = tags.find_or_plan(conn, [name[: tags.LONGEST_NAME] for name in imported.tags if name.strip(" #")])
        for tag_id, name in new.items():
            tags.insert(conn, origin, tag_id, name)
        tags.set_pairs(conn, [(thread_id, tag_id) for tag_id in ids], [])
        for tag_id in ids:
            name = tags.get_tag(conn, tag_id).name
            log_change(
                conn,
                origin,
                project_id=step.project_id,
                kind="thread",
                op="edit",
                entity=thread_id,
                hlc=origin.hybrid_clock.next(),
                reg=f"{change_log.TAG}{tag_id}",
                body={"is_on": True, "name": name},
            )
    for summary in imported.summaries:
        _insert_summary(conn, origin, step, summary)
    deleted_at = imported.values.get("deleted_at")
    if deleted_at is not None:
        stamp = origin.stamp()
        conn.execute(
            tables.threads.update().where(tables.threads.c.id == thread_id).values(deleted_at=deleted_at, **stamp)
        )
        log_change(
            conn,
            origin,
            project_id=step.project_id,
            kind="thread",
            op="del",
            entity=thread_id,
            hlc=stamp["hlc"],
            body={"covers": change_log.seen(conn, origin, step.project_id)},
        )


def _insert_summary(conn: Connection, origin: Origin, step: Step, summary: Any) -> None:
    ids = step.rows.ids
    first, last = ids.get(summary.get("from_message_id", "")), ids.get(summary.get("up_to_message_id", ""))
    if first is None or last is None or not summary.get("text"):
        return
    created_at = summary.get("created_at", step.rows.imported.last_activity_at)
    values = {
        **summary,
        "id": id_of_moment(created_at << 12),
        "thread_id": step.rows.thread_id,
        "from_message_id": first,
        "up_to_message_id": last,
        "text": clean(summary["text"]),
        "created_at": created_at,
        "pinned_facts": _facts(summary.get("pinned_facts", [])),
        **origin.stamp(),
    }
    insert_row(conn, tables.summaries, **values)
    names = (
        "thread_id",
        "from_message_id",
        "up_to_message_id",
        "text",
        "provider",
        "model",
        "prompt_version",
        "author",
    )
    counts = ("token_count", "message_count", "input_tokens", "output_tokens")
    log_change(
        conn,
        origin,
        project_id=step.project_id,
        kind="summary",
        op="new",
        entity=values["id"],
        hlc=values["hlc"],
        body={name: values.get(name) for name in (*names, *counts, "author", "pinned_facts", "created_at")},
    )


def _facts(facts: Sequence[str]) -> str:
    return json.dumps([clean(fact) for fact in facts], ensure_ascii=False)


# Leads the shown path of a thread through messages that an import adds.


def clear_path(conn: Connection, step: Step) -> None:
    """Remove messages from the path of a new thread where the shown messages of this step belong: versions that ended
    the path until now, and messages that a person wrote there in the meantime, which become versions beside them."""
    first = next((row for row in step.messages if row.is_shown), None)
    node = None if first is None else shown_path.find_place(conn, step.rows.thread_id, first.position)
    if first is not None and node is not None:
        shown_path.cut(conn, node, first.id)


def lead_on(conn: Connection, rows: ThreadRows) -> None:
    """Let the path go on below its end: as the vendor shows it, else as was chosen there, else through the newest
    message, which could not be reached otherwise. Where the person went another way, the new messages are versions
    beside it."""
    tip = shown_path.tip(conn, rows.thread_id)
    tip_id = None if tip is None else tip.id
    node = None
    if rows.path_start is not None and rows.path_start[1] == tip_id:
        node = shown_path.find_node(conn, rows.path_start[0])
    node = node or shown_path.next_below(conn, rows.thread_id, tip_id)
    if node is not None:
        shown_path.show(conn, node, is_choice=False)


def show_as_there(conn: Connection, rows: ThreadRows) -> None:
    """Let the path go the vendor's way, else the newest, where it goes on with messages of this import: an earlier step
    may have led it another way, because that came first."""
    new = {row.id for row in rows.messages}
    tops = [row for row in rows.messages if row.parent_id not in new]
    shown = next((row for row in tops if (node := shown_path.find_node(conn, row.id)) and node.is_on_path), None)
    if shown is None:
        return
    if rows.path_start is not None and rows.path_start[1] == shown.parent_id:
        wanted = rows.path_start[0]
    else:
        choices = {parent_id: child for child, parent_id in rows.choices}
        beside = [row.id for row in tops if row.parent_id == shown.parent_id and row.is_live]
        wanted = choices.get(shown.parent_id or "") or max(beside, default=shown.id)
    shown_path.cut(conn, _node(conn, shown.id), wanted)
    shown_path.show(conn, _node(conn, wanted))


def _node(conn: Connection, message_id: str) -> shown_path.Node:
    node = shown_path.find_node(conn, message_id)
    assert node is not None, message_id
    return node


# Finds the parts of an imported thread that exist already, by the origins of earlier imports and by ChatDesk's own ids.

# ChatDesk's own exports, whose keys are ChatDesk's ids.
OWN: Final = "chatdesk"


def known(conn: Connection, thread: ImportedThread) -> KnownThread:
    """Return whether the thread is new, here, in the trash or gone, and which of its messages came before."""
    row = conn.exec_driver_sql(
        "SELECT o.digest, t.id, t.deleted_at FROM import_origins o LEFT JOIN threads t ON t.id = o.entity"
        " WHERE o.source = ? AND o.source_key = ?",
        (thread.source, thread.key),
    ).first()
    digest, thread_id, deleted_at = row if row is not None else ("", *_own_thread(conn, thread))
    if thread_id is None:
        return (
            KnownThread(ImportOutcome.NEW, taken=_taken(conn, thread))
            if row is None
            else KnownThread(ImportOutcome.DELETED)
        )
    if deleted_at is not None:
        return KnownThread(ImportOutcome.IN_TRASH, thread_id)
    if digest and digest == thread_digest(thread):
        return KnownThread(ImportOutcome.UNCHANGED, thread_id)
    return KnownThread(
        ImportOutcome.EXTENDED, thread_id, _known_messages(conn, thread, thread_id), _taken(conn, thread)
    )


def _own_thread(conn: Connection, thread: ImportedThread) -> tuple[str | None, int | None]:
    """Return a thread of our own that is here, with the moment of its deletion."""
    if thread.source != OWN or thread.wanted_id is None:
        return None, None
    row = conn.exec_driver_sql("SELECT id, deleted_at FROM threads WHERE id = ?", (thread.wanted_id,)).first()
    return (None, None) if row is None else (row[0], row[1])


def _known_messages(conn: Connection, thread: ImportedThread, thread_id: str) -> dict[str, KnownMessage]:
    found: dict[str, KnownMessage] = {}
    if thread.source == OWN:
        for message_id, position in conn.exec_driver_sql(
            "SELECT id, position FROM messages WHERE thread_id = ?", (thread_id,)
        ):
            found[message_id] = KnownMessage(message_id, position)
    prefix = f"{thread.key}/"
    for key, entity, position in conn.exec_driver_sql(
        "SELECT o.source_key, o.entity, m.position FROM import_origins o"
        " LEFT JOIN messages m ON m.id = o.entity AND m.thread_id = ?"
        " WHERE o.source = ? AND o.source_key > ? AND o.source_key < ?",
        (thread_id, thread.source, prefix, f"{thread.key}0"),
    ):
        found.setdefault(key[len(prefix) :], KnownMessage(entity, position))
    return found


def _taken(conn: Connection, thread: ImportedThread) -> frozenset[str]:
    """Return the wanted ids that are in use."""
    if thread.source != OWN:
        return frozenset()
    wanted = [message.wanted_id for message in thread.messages if message.wanted_id is not None]
    taken: set[str] = set()
    for batch in batches(wanted):
        found = conn.exec_driver_sql(f"SELECT id FROM messages WHERE id IN ({marks(batch)})", tuple(batch))  # noqa: S608 - only marks are put in
        taken |= {row[0] for row in found}
    if thread.wanted_id is not None:
        taken |= {row[0] for row in conn.exec_driver_sql("SELECT id FROM threads WHERE id = ?", (thread.wanted_id,))}
    return frozenset(taken)
