"""Creates placeholders for threads and messages missing from the log because a restored server lost them, so that the
messages below them are shown."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final

from chatdesk.core.domain.sharing.sync_wire import PulledChange
from chatdesk.core.domain.sharing.team import ChangeState
from chatdesk.core.storage.sync.inbox.entities import insert_threads
from chatdesk.core.storage.sync.inbox.page import Page
from chatdesk.core.storage.sync.projection.projection import homes
from chatdesk.core.storage.sync.wire.rows import is_id, read_object

_WAITING: Final = (
    "SELECT c.problem, c.body, c.hlc, c.device, c.author, c.at, c.kind FROM changes c WHERE c.project_id = ?1"
    f" AND c.state = {ChangeState.ORPHANED.value} AND c.seq IS NOT NULL AND c.op = 'new' AND c.problem LIKE 'waits:%'"
    " AND length(c.problem) = 42"  # a thread or message; files have longer names
    " AND NOT EXISTS (SELECT 1 FROM changes made WHERE made.entity = substr(c.problem, 7) AND made.op = 'new'"
    " AND +made.project_id = ?1) ORDER BY c.seq"
)


def needs_places(raw: sqlite3.Connection, project_id: str) -> bool:
    """Return whether any change waits for another that is missing in the log."""
    return raw.execute(f"{_WAITING} LIMIT 1", (project_id,)).fetchone() is not None


def make_places(page: Page) -> set[str]:
    """Insert empty threads and messages for those that are not in the log and others wait for. Returns their ids."""
    raw, project_id = page.raw, page.project_id
    made: set[str] = set()
    for problem, body, hlc, device, author, at, kind in raw.execute(_WAITING, (project_id,)).fetchall():
        wanted = str(problem).removeprefix("waits:")
        thread_id = (read_object(body) or {}).get("thread_id")
        if wanted in made or not is_id(wanted) or not is_id(thread_id):
            continue
        if wanted == thread_id:
            row = PulledChange(
                id=wanted, seq=0, device=device, dseq=0, author=author, kind="thread", op="new", entity=wanted,
                reg="content", parents=(), hlc=hlc, body=f'{{"created_at": {int(at)}}}', chain=b"", at=at,
            )  # fmt: skip
            if not insert_threads(page, [row]):
                made.add(wanted)
            continue
        if kind != "message" or homes(raw, "thread", (str(thread_id),)).get(str(thread_id)) != project_id:
            continue
        now = page.origin.now()
        is_first = raw.execute("SELECT 1 FROM messages WHERE thread_id = ? LIMIT 1", (thread_id,)).fetchone() is None
        place = raw.execute(
            "INSERT OR IGNORE INTO messages (id, thread_id, role, status, position, on_path, created_at, deleted_at,"
            " purged_at, hlc, origin_device, author_id) VALUES (?, ?, 'user', 'complete', 0, ?, ?, ?, ?, ?, ?, ?)",
            (wanted, thread_id, int(is_first), at, now, now, hlc, device, page.effects.member(author)),
        )
        if place.rowcount:  # else the message is in another thread, and the rows that wait for it here keep waiting
            made.add(wanted)
    return made


def places_among(page: Page, emptied: Iterable[str]) -> set[str]:
    """Return those of these emptied messages that are only places: no change made them."""
    ids = set(emptied)
    return ids - page.rows("SELECT entity FROM changes WHERE op = 'new' AND entity IN", ids).keys()
