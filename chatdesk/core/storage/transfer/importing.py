"""Writes imported threads in bounded steps, and remembers where every thread and message came from.

A transaction has one or more steps, each of which leaves a proper tree, whatever comes after it: parents before
children, counters, the shown path, the change log and the origins together. The next import continues one that was
killed, because what has an origin is there. Origins outlive what they name: what a person deleted for good does
not come back.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.imported import ImportedProject, ImportedThread
from chatdesk.core.domain.project import Project
from chatdesk.core.ids import id_of_moment
from chatdesk.core.storage.chat import shown_path, tags, thread_counters
from chatdesk.core.storage.chat.projects import DEFAULT_COLOUR, bring_back, get_project, insert_project
from chatdesk.core.storage.chat.threads import checked_title
from chatdesk.core.storage.engine import change_log, search_index, tables
from chatdesk.core.storage.engine.bulk import insert_rows, tune
from chatdesk.core.storage.engine.change_log import Origin, log_change, log_many, log_new
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.plain_text import clean, folded, to_json
from chatdesk.core.storage.engine.rows import get_thread
from chatdesk.core.storage.transfer import import_extras, import_lookup
from chatdesk.core.storage.transfer.import_lookup import OWN
from chatdesk.core.storage.transfer.import_rows import (
    MESSAGE_COLUMNS,
    PART_COLUMNS,
    KnownThread,
    MessageRows,
    ThreadRows,
    live_count,
    title_mark,
)

if TYPE_CHECKING:
    from chatdesk.core.storage.engine.database import Database

_MESSAGES = f"INSERT INTO messages ({', '.join(MESSAGE_COLUMNS)}, search_n)"
_PARTS = f"INSERT INTO message_parts ({', '.join(PART_COLUMNS)})"
_ORIGINS = "INSERT OR IGNORE INTO import_origins (source, source_key, entity, digest)"
_INSERT_ORIGIN = f"{_ORIGINS} VALUES (?, ?, ?, ?)"
_PROJECT_ORIGIN = "project"  # whatever program it came from: what counts is that a file made it
# Usual messages that are written between two looks at whether somebody waits, and how long one transaction may take:
# many small ones would write the same pages of indexes again and again.
_GROUP, _LONGEST_S = 200, 0.05
# For so long after somebody had to wait, each group is a transaction of its own: who writes once writes again.
_CONSIDERATE_S = 2.0
# Kilobytes of pages in memory. The log is copied as often as usual: two thousand pages of it take 50 ms, for which a
# question would wait.


@dataclass(frozen=True, slots=True)
class Step:
    """A run of messages of one thread, in their order; ``is_last``: the thread is whole after it."""

    rows: ThreadRows
    project_id: str
    messages: Sequence[MessageRows]
    is_first: bool
    is_last: bool

    @property
    def is_whole(self) -> bool:
        """True when the step is all of a new thread, which then needs no second look."""
        return self.rows.is_new and self.is_first and self.is_last


class ImportRepository:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._considerate_until = 0.0

    @property
    def origin(self) -> Origin:
        return self._db.origin

    @property
    def is_waited_for(self) -> bool:
        """True while a write waits for a transaction that is running. Can be asked on any thread."""
        return self._db.is_write_waiting

    async def look_up(self, threads: Sequence[ImportedThread]) -> list[KnownThread]:
        """Return what is there already of each of these threads."""
        return await self._db.read(lambda conn: [import_lookup.known(conn, thread) for thread in threads])

    async def project(self, wanted: ImportedProject | str) -> tuple[Project, bool]:
        """Return the live project that is meant, made if need be, and whether it was: by a ChatDesk id and else by its
        name, or by a name alone."""
        return await self._db.write(lambda conn: _project(conn, self._db.origin, wanted))

    async def write(self, steps: Sequence[Step]) -> int:
        """Store the first of these, in one transaction that does not wait for the disk. Returns how many: it ends early
        when somebody else wants to write, who then waits for some dozens of messages and the commit."""
        done = 0

        def work(conn: Connection) -> None:
            nonlocal done
            done = 0
            began = time.monotonic()
            ends_at = began + (_LONGEST_S if began > self._considerate_until else 0.0)
            found: list[tuple[int, str]] = []
            # Until this transaction ends, and once in it, because SQLite prepares all statements anew after it.
            driver(conn).execute("PRAGMA defer_foreign_keys=ON")
            for group in _groups(steps):
                found += write_steps(conn, self._db.origin, group)
                done += len(group)
                now = time.monotonic()
                if self._db.is_write_waiting:
                    self._considerate_until, ends_at = now + _CONSIDERATE_S, now
                if now >= ends_at:
                    break
            if found:  # at once, because FTS5 writes a segment for each time
                search_index.put_new(driver(conn), found)

        # The index is brought up to date after ``work``, in the same transaction.
        await self._db.write(work, is_durable=False)
        return done

    async def add_extras(
        self,
        prompts: Sequence[tuple[Mapping[str, Any], Sequence[Attachment]]],
        drafts: Sequence[tuple[Mapping[str, Any], Sequence[Attachment]]],
    ) -> tuple[int, int]:
        """Add prompts and drafts that are not there yet. Returns how many of each."""

        def work(conn: Connection) -> tuple[int, int]:
            return import_extras.add_prompts(conn, self._db.origin, prompts), import_extras.add_drafts(conn, drafts)

        return await self._db.write(work)

    async def finish(self) -> None:
        """Bring everything that was written to the disk, and go back to the usual settings."""
        await self._db.write(lambda conn: tune(driver(conn), is_loading=False))

    async def prepare(self) -> None:
        """Hold more pages in memory, because rows of years ago lie everywhere, and copy them to the file less often."""
        await self._db.write(lambda conn: tune(driver(conn), is_loading=True), is_durable=False)


def _project(conn: Connection, origin: Origin, wanted: ImportedProject | str) -> tuple[Project, bool]:
    name = wanted if isinstance(wanted, str) else wanted.name
    if isinstance(wanted, ImportedProject):
        row = conn.exec_driver_sql("SELECT id FROM projects WHERE id = ? AND deleted_at IS NULL", (wanted.key,)).first()
        if row is not None:
            return get_project(conn, row[0]), False
    name = clean(" ".join(name.split())) or "Imported"
    row = conn.exec_driver_sql(
        "SELECT id FROM projects WHERE deleted_at IS NULL AND name = ? ORDER BY id LIMIT 1", (name,)
    ).first()
    if row is not None:
        return get_project(conn, row[0]), False
    values = {} if isinstance(wanted, str) else dict(wanted.values)
    made = insert_project(conn, origin, name, str(values.pop("colour", DEFAULT_COLOUR)))
    kept = {column: values[column] for column in ("system_prompt", "provider", "model") if column in values}
    if kept:
        conn.execute(tables.projects.update().where(tables.projects.c.id == made.id).values(**kept))
    if isinstance(wanted, ImportedProject):
        conn.exec_driver_sql(_INSERT_ORIGIN, (_PROJECT_ORIGIN, wanted.key, made.id, ""))
    return get_project(conn, made.id), True


def _groups(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Steps that are written together, none of which builds on another."""
    group: list[Step] = []
    size = 0
    for step in steps:
        if group and (size >= _GROUP or step.rows is group[-1].rows):
            yield group
            group, size = [], 0
        group.append(step)
        size += 1 + sum(row.weight for row in step.messages)
    if group:
        yield group


def write_steps(conn: Connection, origin: Origin, steps: Sequence[Step]) -> list[tuple[int, str]]:
    """Insert all rows of these steps, a statement a table. A thread that went to the trash meanwhile is left alone.
    Returns numbers and words of messages that the search index is to have before the commit. Foreign keys must be
    deferred."""
    steps = [step for step in steps if step.rows.is_new or _is_live(conn, step.rows.thread_id)]
    _insert_threads(conn, origin, [step for step in steps if step.is_first and step.rows.is_new])
    rows = [row for step in steps for row in step.messages]
    words: list[tuple[int, str]] = []
    if rows:
        for step in steps:
            if step.rows.is_new and not step.is_first:
                _clear_path(conn, step)
        words = _insert_messages(conn, rows)
        artifacts = [artifact for row in rows for artifact in row.artifacts]
        if artifacts:
            conn.execute(tables.artifacts.insert(), artifacts)
        driver(conn).execute(
            "UPDATE devices SET message_count = message_count + ? WHERE id = ?", (len(rows), origin.device_id)
        )
    _log_messages(conn, origin, steps)
    origins: list[tuple[str, str, str, str]] = []
    for step in steps:
        imported = step.rows.imported
        origins.extend(
            (imported.source, f"{imported.key}/{key}", row.id, "") for row in step.messages for key in row.keys
        )
        if not step.rows.is_new or not step.is_first:
            _grow_thread(conn, origin, step)
        if not step.is_whole:
            _go_on(conn, step.rows)  # after every step, because the program may be killed before the next one
        if step.is_last:
            _finish_thread(conn, origin, step)
    insert_rows(driver(conn), _ORIGINS, origins)
    return words


def _insert_messages(conn: Connection, rows: Sequence[MessageRows]) -> list[tuple[int, str]]:
    """Insert messages and their parts. Returns numbers and words for the index. Parts come first, because the index's
    triggers note nothing for a message that is not there yet, and what would be looked up again is at hand."""
    raw = driver(conn)
    first = search_index.first_free(raw)
    found = sorted((row for row in rows if row.words is not None), key=lambda row: row.id) if first is not None else []
    numbers = {row.id: n for n, row in enumerate(found, start=first or 0)}
    insert_rows(raw, _PARTS, [part for row in rows for part in row.parts])
    insert_rows(raw, _MESSAGES, [(*row.message, numbers.get(row.id)) for row in rows])
    waiting = [(row.id,) for row in rows if row.is_searched and row.id not in numbers]
    if waiting:
        raw.executemany("INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('message', ?)", waiting)
    return [(numbers[row.id], row.words or "") for row in found]


def _is_live(conn: Connection, thread_id: str) -> bool:
    row = conn.exec_driver_sql("SELECT deleted_at FROM threads WHERE id = ?", (thread_id,)).first()
    return row is not None and row[0] is None


def _insert_threads(conn: Connection, origin: Origin, steps: Sequence[Step]) -> None:
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
    log_many(conn, origin, kind="thread", op="new", reg=change_log.CONTENT, entries=entries)
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
    insert_rows(driver(conn), _ORIGINS, new)


def _thread_row(origin: Origin, step: Step) -> dict[str, Any]:
    imported = step.rows.imported
    values = imported.values
    title = checked_title(imported.title)
    shown = [row for row in step.messages if row.is_shown and row.is_live]
    tally = _tally(step.messages)
    return {
        "id": step.rows.thread_id,
        "project_id": step.project_id,
        "title": title,
        "title_folded": folded(title),
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


def _tally(rows: Sequence[MessageRows]) -> thread_counters.Tally:
    total = thread_counters.Tally()
    for row in rows:
        total.add(row.tally)
    return total


def _log_messages(conn: Connection, origin: Origin, steps: Sequence[Step]) -> None:
    for project_id in dict.fromkeys(step.project_id for step in steps):
        rows = [row for step in steps if step.project_id == project_id for row in step.messages]
        if rows:
            log_new(conn, origin, project_id=project_id, kind="message", entities=[row.id for row in rows])
        dead = [row for row in rows if not row.is_live]
        covers = change_log.seen(conn, origin, project_id) if dead else {}
        for row in dead:
            log_change(
                conn,
                origin,
                project_id=project_id,
                kind="message",
                op="del",
                entity=row.id,
                hlc=origin.hybrid_clock.next(),
                body={"covers": covers, "with": row.id},
            )


def _grow_thread(conn: Connection, origin: Origin, step: Step) -> None:
    """Account for messages of a thread that is there, and let the shown path go on where it ended."""
    thread_id = step.rows.thread_id
    if step.messages:
        thread_counters.change(conn, thread_id, _tally(step.messages))
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


def _finish_thread(conn: Connection, origin: Origin, step: Step) -> None:
    rows, imported = step.rows, step.rows.imported
    if not rows.is_new:
        if rows.choices:
            conn.exec_driver_sql(
                "UPDATE messages SET chosen_child_id = ? WHERE id = ? AND chosen_child_id IS NULL", rows.choices
            )
        _show_as_there(conn, rows)
        _retitle(conn, origin, rows)
    else:
        _attach(conn, origin, step)
    if step.is_whole:
        return
    digest = "" if imported.source == OWN and not rows.is_new else rows.digest
    conn.exec_driver_sql(_INSERT_ORIGIN, (imported.source, imported.key, rows.thread_id, digest))
    conn.exec_driver_sql(
        "UPDATE import_origins SET digest = ? WHERE source = ? AND source_key = ?",
        (digest, imported.source, imported.key),
    )


def _digest_of(step: Step) -> str:
    """Return the digest to store; empty for a thread that is not whole yet, so that the next import reads all of it."""
    return step.rows.digest if step.is_whole else ""


def _clear_path(conn: Connection, step: Step) -> None:
    """Take messages off the path of a new thread where the messages of this step that are shown belong: versions that
    ended the path until now, and what a person wrote there meanwhile, which becomes a version beside them."""
    first = next((row for row in step.messages if row.is_shown), None)
    node = None if first is None else shown_path.find_place(conn, step.rows.thread_id, first.position)
    if first is not None and node is not None:
        shown_path.cut(conn, node, first.id)


def _go_on(conn: Connection, rows: ThreadRows) -> None:
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


def _show_as_there(conn: Connection, rows: ThreadRows) -> None:
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
        values={"title": title, "title_folded": folded(title)},
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
    conn.execute(tables.summaries.insert().values(**values))
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
