"""Finds the parts of an imported thread that exist already, by the origins of earlier imports and by ChatDesk's own
ids."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.imported import ImportedThread, ImportOutcome
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.storage.transfer.import_rows import KnownMessage, KnownThread, thread_digest

# The source whose keys are our own ids.
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
        found = conn.exec_driver_sql(f"SELECT id FROM messages WHERE id IN ({marks(batch)})", tuple(batch))
        taken |= {row[0] for row in found}
    if thread.wanted_id is not None:
        taken |= {row[0] for row in conn.exec_driver_sql("SELECT id FROM threads WHERE id = ?", (thread.wanted_id,))}
    return frozenset(taken)
