"""Writes imported threads in bounded steps, and remembers where every thread and message came from.

A transaction has one or more steps. Each step leaves a complete tree: parents before children, counters, the shown
path, the change log and the origins together. The next import continues a killed one, because rows with an origin
already exist. Origins outlive their rows, so that messages deleted for good do not come back.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.imported import ImportedProject, ImportedThread
from chatdesk.core.domain.prompt import AssistantSetup, PromptKind
from chatdesk.core.domain.thread import DEFAULT_COLOUR, Project
from chatdesk.core.storage.chat.artifacts import draft_json
from chatdesk.core.storage.chat.projects import get_project, insert_project
from chatdesk.core.storage.engine import change_log, search_index, tables
from chatdesk.core.storage.engine.bulk import insert_rows, tune
from chatdesk.core.storage.engine.change_log import Origin, log_change, log_new_messages
from chatdesk.core.storage.engine.connection import driver, insert_row
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.plain_text import clean, folded, to_json
from chatdesk.core.storage.transfer import import_threads as import_lookup
from chatdesk.core.storage.transfer.import_rows import MESSAGE_COLUMNS, PART_COLUMNS, KnownThread, MessageRows, Step
from chatdesk.core.storage.transfer.import_threads import (
    INSERT_ORIGIN,
    ORIGINS,
    clear_path,
    finish_thread,
    grow_thread,
    insert_threads,
    lead_on,
)

_PROJECT_ORIGIN = "project"  # for every program: the project was made by a file
# Messages of usual size between two checks for waiting writers, and how long one transaction may take: many small ones
# would write the same pages of indexes again and again.
_GROUP, _LONGEST_S = 200, 0.05
# After another writer had to wait, each group is a transaction of its own for this long: such a writer often writes
# again soon.
_CONSIDERATE_S = 2.0
# Kilobytes of pages in memory. The log is copied as often as usual: two thousand pages of it take 50 ms, for which a
# question would wait.


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
        """Return the existing parts of each of these threads."""
        return await self._db.read(lambda conn: [import_lookup.known(conn, thread) for thread in threads])

    async def project(self, wanted: ImportedProject | str) -> tuple[Project, bool]:
        """Return the live project that is meant, made if need be, and whether it was: by a ChatDesk id and else by its
        name, or by a name alone."""
        return await self._db.write(lambda conn: _project(conn, self._db.origin, wanted))

    async def write(self, steps: Sequence[Step]) -> int:
        """Store the first of these, in one transaction that does not wait for the disk. Returns how many: it ends early
        when another writer waits, which then waits for some dozens of messages and the commit."""
        done = 0

        def work(conn: Connection) -> None:
            nonlocal done
            done = 0
            began = time.monotonic()
            ends_at = began + (_LONGEST_S if began > self._considerate_until else 0.0)
            found: list[tuple[int, str]] = []
            # Until this transaction ends, and once in it, because SQLite prepares all statements again after it.
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
                search_index.index_new(driver(conn), found)

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
            return add_prompts(conn, self._db.origin, prompts), add_drafts(conn, drafts)

        return await self._db.write(work)

    async def finish(self) -> None:
        """Bring everything that was written to the disk, and go back to the usual settings."""
        await self._db.write(lambda conn: tune(driver(conn), is_loading=False))

    async def prepare(self) -> None:
        """Hold more pages in memory, because rows of years ago are everywhere, and copy them to the file less often."""
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
        conn.exec_driver_sql(INSERT_ORIGIN, (_PROJECT_ORIGIN, wanted.key, made.id, ""))
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


_MESSAGES = f"INSERT INTO messages ({', '.join(MESSAGE_COLUMNS)}, search_n)"
_PARTS = f"INSERT INTO message_parts ({', '.join(PART_COLUMNS)})"


def write_steps(conn: Connection, origin: Origin, steps: Sequence[Step]) -> list[tuple[int, str]]:
    """Insert all rows of these steps, a statement a table. A thread that went to the trash in the meantime is left
    alone. Returns numbers and words of messages that the search index is to have before the commit. Foreign keys must
    be deferred."""
    steps = [step for step in steps if step.rows.is_new or _is_live(conn, step.rows.thread_id)]
    insert_threads(conn, origin, [step for step in steps if step.is_first and step.rows.is_new])
    rows = [row for step in steps for row in step.messages]
    words: list[tuple[int, str]] = []
    if rows:
        for step in steps:
            if step.rows.is_new and not step.is_first:
                clear_path(conn, step)
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
            grow_thread(conn, origin, step)
        if not step.is_whole:
            lead_on(conn, step.rows)  # after every step, because the program may be killed before the next one
        if step.is_last:
            finish_thread(conn, origin, step)
    insert_rows(driver(conn), ORIGINS, origins)
    return words


def _insert_messages(conn: Connection, rows: Sequence[MessageRows]) -> list[tuple[int, str]]:
    """Insert messages and their parts. Returns numbers and words for the index. Parts come first: the index's triggers
    skip messages that do not exist yet, and this method returns the index's entries itself."""
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


def _log_messages(conn: Connection, origin: Origin, steps: Sequence[Step]) -> None:
    for project_id in dict.fromkeys(step.project_id for step in steps):
        rows = [row for step in steps if step.project_id == project_id for row in step.messages]
        if rows:
            log_new_messages(conn, origin, project_id=project_id, entities=[row.id for row in rows])
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


def add_prompts(
    conn: Connection, origin: Origin, prompts: Sequence[tuple[Mapping[str, Any], Sequence[Attachment]]]
) -> int:
    """Add prompts with new ids, except exact duplicates. Returns their number. An assistant comes with its files; its
    model and its tools are chosen here."""
    count = 0
    for prompt, files in prompts:
        name, text = clean(prompt["name"]), clean(prompt["text"])
        known = conn.exec_driver_sql(
            "SELECT 1 FROM prompts WHERE id = ? OR (kind = ? AND name = ? AND text = ? AND deleted_at IS NULL)",
            (prompt["id"], prompt["kind"], name, text),
        ).first()
        if known is None:
            setup = ""
            if prompt["kind"] == PromptKind.ASSISTANT:
                kept = AssistantSetup(icon=prompt["icon"], parameters=prompt["parameters"], files=tuple(files))
                setup = to_json(kept.as_json())
            columns = {name: value for name, value in prompt.items() if name not in ("icon", "parameters")}
            row = {**columns, "name": name, "name_folded": folded(name), "text": text, "setup": setup}
            row |= origin.stamp()
            insert_row(conn, tables.prompts, **row)
            count += 1
    return count


def add_drafts(conn: Connection, drafts: Sequence[tuple[Mapping[str, Any], Sequence[Attachment]]]) -> int:
    """Add drafts of existing threads without one: text that a person is typing is never replaced. Returns their
    number."""
    count = 0
    for draft, attachments in drafts:
        thread_id = draft["thread_id"]
        here = conn.exec_driver_sql("SELECT 1 FROM threads WHERE id = ?", (thread_id,)).first()
        taken = conn.exec_driver_sql("SELECT text, attachments FROM drafts WHERE slot = ?", (draft["slot"],)).first()
        if (thread_id is not None and here is None) or (taken is not None and (taken[0] or taken[1] != "[]")):
            continue
        conn.exec_driver_sql("DELETE FROM drafts WHERE slot = ?", (draft["slot"],))
        row = {**draft, "text": clean(draft["text"]), "attachments": draft_json(attachments)}
        insert_row(conn, tables.drafts, **row)
        count += 1
    return count
