"""Applies the changes of other devices, one page of a project's log at a time.

A page and its cursor are one transaction, so that after a kill at any point the page is applied again with the same
result. Parsing is done before (``prepare``), outside of the transaction. Every change is stored, and takes effect only
if it is allowed (``projection``). A message's body is not kept once its rows exist.

A change that waits for its thread, its parent or a file with its parts is ``ORPHANED`` and has a ``seq``.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy.engine import Connection

from chatdesk.core.clock import MAX_DRIFT_MS
from chatdesk.core.domain.sharing.sync_results import Applied, Cursor
from chatdesk.core.domain.sharing.sync_wire import PulledChange
from chatdesk.core.domain.sharing.team import ShareState
from chatdesk.core.errors import HistoryChanged
from chatdesk.core.storage.chat import projects
from chatdesk.core.storage.engine import change_log
from chatdesk.core.storage.engine.bulk import tune
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.plain_text import from_json
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.storage.sync import erasing, erasures_in_log, registers
from chatdesk.core.storage.sync.inbox import damage, entities, new_changes
from chatdesk.core.storage.sync.inbox.known_changes import KnownChange, confirm, known_changes
from chatdesk.core.storage.sync.inbox.page import Page
from chatdesk.core.storage.sync.inbox.prepare import Prepared
from chatdesk.core.storage.sync.projection import projection
from chatdesk.core.storage.sync.projection.effects import Effects

_log = logging.getLogger(__name__)


def apply(
    conn: Connection,
    origin: Origin,
    project_id: str,
    prepared: Prepared,
    *,
    after: Cursor,
    erased: Collection[str] | None = None,
) -> Applied:
    """Apply a page that follows ``after`` and move the cursor, in the caller's transaction. Rows that were applied
    before are skipped. The page is cut before the first row that does not fit; raises ``HistoryChanged`` where that is
    the first one. ``erased``: the placeholders whose words an erasure took, where that was asked; others do not fit. A
    page with a change of this device that a copy of this profile made changes nothing and returns
    ``is_foreign_mine``."""
    raw = driver(conn)
    share = raw.execute(
        "SELECT s.seq, s.chain, s.state, s.progress, w.member_id FROM shared_projects s"
        " LEFT JOIN workspaces w ON w.id = s.workspace_id WHERE s.project_id = ?",
        (project_id,),
    ).fetchone()
    if share is None or share[2] == ShareState.ENDED or after.project_id != project_id:
        return Applied()
    seq, chain, _, progress, me = share
    rows, is_cut = _check(prepared, erased, seq, chain)
    if not rows:
        return Applied()
    known = known_changes(raw, [row.id for row in rows])
    unknown = [row.dseq for row in rows if row.device == origin.device_id and row.id not in known]
    if unknown and is_of_a_copy(raw, origin.device_id, unknown):
        return Applied(is_foreign_mine=True)
    joined = from_json(progress).get("joined_seq")
    joined_seq = joined if isinstance(joined, int) else 0
    rows, prepared = _without_erased(raw, project_id, rows, prepared, known)
    effects = Effects(me=me, is_quiet=rows[-1].seq <= joined_seq)
    page = Page(conn, origin, project_id, effects, joined_seq=joined_seq)
    if rows[0].seq <= joined_seq:
        tune(raw, is_loading=rows[-1].seq < joined_seq)
    met = [row for row in rows if row.id in known]
    same = [row for row in met if known[row.id].is_the_same(row, project_id)]
    if strange := len(met) - len(same):
        _log.warning("%d pulled changes have the ids of others; they are left out", strange)
    confirmed = confirm(page, same, known, prepared) if same else 0
    steps = new_changes.plan((row for row in rows if row.id not in known), prepared)
    new_changes.write(page, steps, prepared)
    _finish(page)
    _move_cursor(raw, origin, project_id, rows)
    return replace(effects.applied(rows=len(rows), confirmed=confirmed), is_cut=is_cut)


def _finish(page: Page) -> None:
    """Take up what waited for something of this page, and project all registers."""
    if page.arrived:
        new_changes.adopt_waiting(page)
    for row in page.erasures:
        page.erased |= erasures_in_log.taken_by(page.raw, page.project_id, row)
    if page.erased:
        page.registers |= erasing.erase(page.conn, page.origin, page.project_id, page.erased, page.effects)
    page.registers |= _registers_of(page.raw, page.project_id, page.arrived)
    deleted = projection.threads_with_deletions(page.raw, page.project_id, page.effects.threads)
    page.registers.update(("thread", each, change_log.CONTENT) for each in deleted)
    if page.registers or page.effects.new_threads:  # a new thread shows its project again
        projection.project_many(page.conn, page.origin, page.project_id, page.registers, page.effects)
    for each in sorted(page.effects.homes(page.raw)):
        projects.refresh_last_chat(page.conn, each)


def _registers_of(raw: sqlite3.Connection, project_id: str, arrived: Iterable[str]) -> set[projection.Register]:
    """Return the registers that the log has changes of, for entities that have arrived only now."""
    return {
        (row[0], row[1], row[2])
        for batch in batches(sorted(set(arrived)))
        for row in raw.execute(
            f"SELECT DISTINCT kind, entity, reg FROM changes WHERE entity IN ({marks(batch)}) AND op <> 'new'"  # noqa: S608 - marks
            " AND +project_id = ?",
            (*batch, project_id),
        )
    }


def is_of_a_copy(raw: sqlite3.Connection, device: str, unknown: Sequence[int]) -> bool:
    """Return whether any of these numbers of own changes, which are not stored, is one that this profile never gave, or
    gave to another change. Else they were removed here."""
    (following,) = raw.execute("SELECT next_dseq FROM devices WHERE id = ?", (device,)).fetchone()
    given = "SELECT 1 FROM changes WHERE device = ? AND dseq IN (SELECT value FROM json_each(?)) LIMIT 1"
    return max(unknown) >= following or raw.execute(given, (device, json.dumps(unknown))).fetchone() is not None


def _check(
    prepared: Prepared, erased: Collection[str] | None, seq: int, chain: bytes | None
) -> tuple[list[PulledChange], bool]:
    """Return the rows of a page that are new and fit, and whether others follow that do not: emptied ones fit only
    where the log says who took the words. Raises ``HistoryChanged`` if the first does not follow this cursor."""
    fitting = prepared.fitting
    if erased is not None:
        emptied = (n for n, row in enumerate(prepared.pulled[:fitting]) if row.is_erased and row.id not in erased)
        fitting = next(emptied, fitting)
    is_cut = fitting < len(prepared.rows)
    if not prepared.has_numbers:
        raise HistoryChanged
    after = next((n for n, row in enumerate(prepared.rows[:fitting]) if row.seq > seq), fitting)
    rows = list(prepared.rows[after:fitting])
    if not rows and is_cut:
        raise HistoryChanged
    if rows:
        _check_chain(prepared.pulled[after], seq, chain)
    return rows, is_cut


def make_places(conn: Connection, origin: Origin, project_id: str) -> Applied:
    """Show messages that hang below something that is not in the log."""
    effects = Effects(me=registers.member_of(driver(conn), project_id), is_quiet=True)
    page = Page(conn, origin, project_id, effects)
    while places := damage.make_places(page):
        page.arrived = sorted(places)
        new_changes.adopt_waiting(page)
    _finish(page)
    return effects.applied()


def _without_erased(
    raw: sqlite3.Connection,
    project_id: str,
    rows: list[PulledChange],
    prepared: Prepared,
    known: Mapping[str, KnownChange],
) -> tuple[list[PulledChange], Prepared]:
    """Return the page without text that an erasure removed: the server was restored from an older backup. Emptied
    changes that no erasure names are restored."""
    back = {row.id for row in rows if row.id in known and known[row.id].erased and not row.is_erased}
    back &= erasures_in_log.named_in_log(raw, project_id) if back else set()
    if not back:
        return rows, prepared
    rows = [replace(row, body=known[row.id].body, is_erased=True) if row.id in back else row for row in rows]
    messages = {key: read for key, read in prepared.messages.items() if key not in back}
    return rows, replace(prepared, messages=messages)


def _check_chain(first: PulledChange, seq: int, chain: bytes | None) -> None:
    try:
        is_next = first.seq == seq + 1 and first.chain == first.chain_after(chain)
    except (ValueError, TypeError, AttributeError) as error:
        raise HistoryChanged from error
    if not is_next:
        raise HistoryChanged


def _move_cursor(raw: sqlite3.Connection, origin: Origin, project_id: str, rows: Sequence[PulledChange]) -> None:
    raw.execute(
        "UPDATE shared_projects SET seq = ?, chain = ? WHERE project_id = ?", (rows[-1].seq, rows[-1].chain, project_id)
    )
    newest: dict[str, int] = {}
    for row in rows:
        newest[row.device] = max(newest.get(row.device, 0), row.dseq)
    raw.executemany(
        "INSERT INTO seen_changes (project_id, device, dseq) VALUES (?, ?, ?)"
        " ON CONFLICT (project_id, device) DO UPDATE SET dseq = max(dseq, excluded.dseq)",
        [(project_id, device, dseq) for device, dseq in newest.items()],
    )
    # Stamps from the far future do not advance the clock: see ``HybridClock``.
    limit = (origin.now() + MAX_DRIFT_MS) << 16
    stamp = max((row.hlc for row in rows if row.hlc <= limit), default=0)
    origin.hybrid_clock.observe(stamp)
    raw.execute("UPDATE devices SET last_hlc = max(last_hlc, ?) WHERE id = ?", (stamp, origin.device_id))


def fill_parts(conn: Connection, origin: Origin, project_id: str, sha256: str, text: str) -> frozenset[str]:
    """Insert the parts of messages that were too large for the log, from the JSON of the file with this SHA-256.
    Returns the messages' ids."""
    effects = Effects(me=registers.member_of(driver(conn), project_id))
    return entities.fill_parts(Page(conn, origin, project_id, effects), sha256, text)
