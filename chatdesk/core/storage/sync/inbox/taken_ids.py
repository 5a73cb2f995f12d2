"""Gives a message the words that the log has under its id. Two copies of a profile may have ended one answer
differently: then the words of this one become a version beside it."""

# ruff: noqa: S608 - statements are assembled from constants of this module; values are always bound

from __future__ import annotations

from collections.abc import Container, Sequence

from chatdesk.core.domain.message import Status
from chatdesk.core.domain.sharing.team import ChangeState
from chatdesk.core.domain.summary import StaleReason
from chatdesk.core.storage.chat import branching, summaries, thread_counters, token_counts
from chatdesk.core.storage.engine.change_log import CONTENT
from chatdesk.core.storage.sync import erasing
from chatdesk.core.storage.sync.inbox.messages import Incoming, insert_parts, want_again, want_files
from chatdesk.core.storage.sync.inbox.page import Page
from chatdesk.core.storage.sync.wire.rows import MESSAGE_COLUMNS

# Columns of a message's place, which stays.
_PLACE = frozenset(("id", "thread_id", "parent_id"))
# Columns that stay, because they are the person's own.
_KEPT = frozenset((*_PLACE, "context_mark"))
_SET = ", ".join(f"{name} = ?" for name in MESSAGE_COLUMNS if name not in _KEPT)
_OWN = (
    "SELECT 1 FROM changes WHERE entity = ? AND reg = 'content' AND op = 'new' AND mine = 1"
    f" AND state IN ({ChangeState.PENDING.value}, {ChangeState.REFUSED.value}) LIMIT 1"
)


def replace_words(
    page: Page, met: Sequence[Incoming], *, is_compared: bool = False, claimed: Container[str] = ()
) -> None:
    """Replace this person's messages that the server never had by the log's under the same id. ``is_compared``: these
    differ from the server's, for any author; ``claimed``: own messages that belong to another member in the log,
    whatever their text."""
    raw = page.raw
    page.registers.update(("message", each.rows.id, CONTENT) for each in met)
    owned: dict[str, bool] = {}  # a server may bring one id many times
    for each in met:
        message_id = each.rows.id
        status, digest, purged_at = raw.execute(
            "SELECT status, content_digest, purged_at FROM messages WHERE id = ?", (message_id,)
        ).fetchone()
        if message_id not in owned:
            owned[message_id] = raw.execute(_OWN, (message_id,)).fetchone() is not None
        is_own = owned[message_id]
        if purged_at is not None or not Status(status).is_final or not (is_own or is_compared):
            continue
        if each.rows.parts_file is not None or (each.rows.is_purged and not is_own):
            continue  # the stored text is more complete
        retire_own(page, message_id)
        is_same = digest == each.rows.own.content_digest and message_id not in claimed
        if not is_same and (made := _beside(page, message_id)) is not None:
            page.effects.versions.append((each.rows.thread_id, made))
        del owned[message_id]
        if each.rows.is_purged:
            erasing.empty_messages(page.conn, page.origin, [message_id], page.effects)
        else:
            _replace_content(page, each)


def retire_own(page: Page, entity: str) -> None:
    """Mark the own change that made this entity as private, because the log's says the same."""
    page.raw.execute(
        "UPDATE changes SET state = ?, problem = 'copied' WHERE entity = ? AND reg = 'content' AND op = 'new'"
        " AND mine = 1 AND state IN (?, ?)",
        (ChangeState.PRIVATE.value, entity, ChangeState.PENDING.value, ChangeState.REFUSED.value),
    )


def fill_emptied(page: Page, incoming: Sequence[Incoming]) -> dict[str, str]:
    """Restore the content of messages that are empty tombstones here from the log. Returns, by change id, the SHA-256
    of the files with their parts that they wait for."""
    waiting = {}
    for each in incoming:
        _replace_content(page, each)
        page.raw.execute("UPDATE messages SET purged_at = NULL WHERE id = ?", (each.rows.id,))
        page.registers.add(("message", each.rows.id, CONTENT))
        if each.rows.parts_file is not None:
            want_again(page, each.rows.parts_file)
            waiting[each.change.id] = each.rows.parts_file[0]
    return waiting


def _beside(page: Page, message_id: str) -> str | None:
    has_parts = page.raw.execute("SELECT 1 FROM message_parts WHERE message_id = ? LIMIT 1", (message_id,)).fetchone()
    return None if has_parts is None else branching.copy_beside(page.conn, page.origin, message_id)


def _replace_content(page: Page, each: Incoming) -> None:
    conn, raw, rows = page.conn, page.raw, each.rows
    before = thread_counters.of_messages(conn, [rows.id])
    token_counts.forget(conn, rows.id)
    raw.execute("DELETE FROM message_parts WHERE message_id = ?", (rows.id,))
    insert_parts(raw, [rows.own])
    values = [value for name, value in zip(MESSAGE_COLUMNS, rows.message, strict=True) if name not in _KEPT]
    raw.execute(
        f"UPDATE messages SET {_SET}, author_id = ? WHERE id = ?",
        (*values, page.effects.member(each.change.author), rows.id),
    )
    if raw.execute("SELECT 1 FROM messages WHERE id = ? AND deleted_at IS NULL", (rows.id,)).fetchone() is not None:
        after = thread_counters.of_messages(conn, [rows.id])
        thread_counters.change_by_difference(conn, rows.thread_id, before, after)
    summaries.mark_message_stale(conn, rows.id, StaleReason.EDITED)
    want_files(page, dict(rows.own.files))
    for gathered in (page.effects.threads, page.effects.paths, page.effects.contexts):
        gathered.add(rows.thread_id)
