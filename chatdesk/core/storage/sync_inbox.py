"""Takes over what other devices wrote, a page of a project's log at once.

A page is one transaction with its cursor, so that a process that is killed anywhere takes it over again, to the same
end. What is read out of the page beforehand (``prepare``) holds nobody up. A change is kept whatever it holds, and
counts only where it may: see ``sync_projection``. A message's body is not kept once its rows are there.

A change that waits for its thread, its parent or a file with its parts is ``ORPHANED`` and has a ``seq``.
"""

# ruff: noqa: S608 - statements are put together from constants of this package; values are always bound

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.clock import MAX_DRIFT_MS
from chatdesk.core.domain.chain import next_chain
from chatdesk.core.domain.sync_results import Applied, Cursor
from chatdesk.core.domain.sync_wire import PulledChange
from chatdesk.core.domain.team import ChangeState, ShareState
from chatdesk.core.errors import HistoryChanged
from chatdesk.core.storage import (
    change_log,
    sync_inbox_entities,
    sync_inbox_messages,
    sync_inbox_twins,
    sync_projection,
    sync_registers,
)
from chatdesk.core.storage.change_log import Origin
from chatdesk.core.storage.plain_text import clean, from_json
from chatdesk.core.storage.sync_inbox_messages import Incoming, Outcome, known_rows
from chatdesk.core.storage.sync_inbox_rows import LONGEST_BODY, MessageRows, is_id, read_message
from chatdesk.core.storage.sync_projection_deletes import RELAYED, leave_note
from chatdesk.core.storage.sync_projection_effects import Effects
from chatdesk.core.storage.sync_registers import driver

_log = logging.getLogger(__name__)

_OPS: Final = frozenset(("new", "edit", "del"))
_LONGEST_KIND, _LONGEST_REG, _MOST_PARENTS = 40, 200, 1_000
_LARGEST: Final = 2**63 - 1
CONFIRMED, ORPHANED = ChangeState.CONFIRMED.value, ChangeState.ORPHANED.value
#: How ``problem`` begins of a change that waits, and of one that is never applied.
WAITS, FOREIGN = "waits:", "foreign: "

_INSERT = (
    "INSERT OR IGNORE INTO changes (id, project_id, seq, device, dseq, kind, op, entity, reg, parents, hlc, v, body,"
    " state, mine, at, author, relayed_by, problem) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)"
)
_CONFIRM = (
    "UPDATE changes SET state = ?, seq = ?, device = ?, dseq = ?, hlc = ?, author = ?, relayed_by = ?, problem = NULL,"
    " body = CASE WHEN kind = 'message' AND op = 'new' THEN body ELSE ? END WHERE id = ?"
)
_KNOWN = "SELECT id, project_id, kind, op, entity, reg, state, device, dseq, author, hlc FROM changes WHERE id IN"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A page that was read; ``pulled`` is it as it came. ``messages``: by the id of the change that brings them;
    ``flaws``: why a change is none. ``is_whole``: numbers and chain fit from the first to the last."""

    rows: tuple[PulledChange, ...]
    pulled: tuple[PulledChange, ...]
    messages: Mapping[str, MessageRows]
    flaws: Mapping[str, str]
    is_whole: bool


def prepare(rows: Sequence[PulledChange], *, own_device: str = "") -> Prepared:
    """Read a page, on any thread. Never raises, whatever the rows hold. Messages of ``own_device`` are here already."""
    is_whole = _is_whole(rows)
    kept, messages, flaws = [], {}, {}
    for row in rows:
        flaw = _flaw(row)
        if flaw is not None:
            kept.append(_harmless(row))
            flaws[row.id] = flaw
            continue
        kept.append(row)
        if row.kind == "message" and row.op == "new" and row.device != own_device:
            try:
                read = read_message(row.body, message_id=row.entity, hlc=row.hlc, device=row.device)
            except (ValueError, RecursionError, TypeError, OverflowError):
                read = None
            if read is None:
                flaws[row.id] = "the message cannot be read"
            else:
                messages[row.id] = read
    return Prepared(tuple(kept), tuple(rows), messages, flaws, is_whole)


def _is_whole(rows: Sequence[PulledChange]) -> bool:
    try:
        return all(
            row.seq == before.seq + 1 and row.chain == next_chain(before.chain, row.id, row.device, row.dseq, row.hlc)
            for before, row in pairwise(rows)
        )
    except (ValueError, TypeError, AttributeError):
        return False


def _flaw(row: PulledChange) -> str | None:
    """Why a row is no change at all."""
    if not (is_id(row.entity) and is_id(row.device) and row.op in _OPS):
        return "it names nothing"
    if not _is_short(row.kind, _LONGEST_KIND) or not _is_short(row.reg, _LONGEST_REG):
        return "its kind is none"
    if not (_is_number(row.dseq) and _is_number(row.hlc) and _is_number(row.at) and _is_number(row.v)):
        return "its numbers are none"
    if (
        not isinstance(row.parents, tuple | list)
        or len(row.parents) > _MOST_PARENTS
        or not all(map(is_id, row.parents))
    ):
        return "its parents are none"
    if row.body is not None and not (isinstance(row.body, str) and len(row.body) <= LONGEST_BODY):
        return "its body is too large"
    if not is_id(row.author) or not (row.relayed_by is None or is_id(row.relayed_by)):
        return "nobody wrote it"
    return None


def _is_short(value: object, longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest and clean(value) == value


def _is_number(value: object) -> bool:
    return type(value) is int and 0 <= value <= _LARGEST


def _harmless(row: PulledChange) -> PulledChange:
    """The same with nothing in it that could not be stored."""
    return replace(
        row,
        device=row.device if is_id(row.device) else row.id,
        dseq=row.dseq if _is_number(row.dseq) else 0,
        author=row.author if is_id(row.author) else "",
        kind=clean(str(row.kind)[:_LONGEST_KIND]),
        op=row.op if row.op in _OPS else "edit",
        entity=clean(str(row.entity)[:_LONGEST_REG]),
        reg=clean(str(row.reg)[:_LONGEST_REG]),
        parents=(),
        hlc=0,
        body=clean(row.body) if isinstance(row.body, str) and len(row.body) <= LONGEST_BODY else None,
        at=row.at if _is_number(row.at) else 0,
        v=1,
        relayed_by=None,
    )


def apply(conn: Connection, origin: Origin, project_id: str, prepared: Prepared, *, after: Cursor) -> Applied:
    """Take over a page that follows ``after`` and move the cursor, in the caller's transaction. What was taken over
    already is left out. Raises ``HistoryChanged`` where numbers or chain do not fit. A page with a change of this
    device that it does not know changes nothing: ``is_foreign_mine``."""
    raw = driver(conn)
    share = raw.execute(
        "SELECT s.seq, s.chain, s.state, s.progress, w.member_id FROM shared_projects s"
        " LEFT JOIN workspaces w ON w.id = s.workspace_id WHERE s.project_id = ?",
        (project_id,),
    ).fetchone()
    if share is None or share[2] == ShareState.ENDED or after.project_id != project_id:
        return Applied()
    seq, chain, _, progress, me = share
    if not prepared.is_whole or (prepared.rows and not isinstance(prepared.rows[0].seq, int)):
        raise HistoryChanged
    rows = [row for row in prepared.rows if row.seq > seq]
    if not rows:
        return Applied()
    _check_chain(next(row for row in prepared.pulled if row.seq > seq), seq, chain)
    known = known_rows(raw, _KNOWN, [row.id for row in rows])
    if any(row.device == origin.device_id and row.id not in known for row in rows):
        return Applied(is_foreign_mine=True)
    joined = from_json(progress).get("joined_seq")
    joined_seq = joined if isinstance(joined, int) else 0
    effects = Effects(me=me, is_quiet=rows[-1].seq <= joined_seq)
    if rows[0].seq <= joined_seq:
        _tune(raw, is_loading=rows[-1].seq < joined_seq)
    page = _Page(conn, origin, project_id, effects, prepared, joined_seq)
    confirmed = page.confirm([row for row in rows if row.id in known], known)
    page.take([row for row in rows if row.id not in known])
    page.finish()
    _move_cursor(raw, origin, project_id, rows)
    return effects.applied(rows=len(rows), confirmed=confirmed)


def _tune(raw: sqlite3.Connection, *, is_loading: bool) -> None:
    """While much comes at once, hold more pages in memory and copy the log into the database less often."""
    kilobytes, pages = (48_000, 2_000) if is_loading else (2_000, 1_000)
    raw.execute(f"PRAGMA cache_size=-{kilobytes}")
    raw.execute(f"PRAGMA wal_autocheckpoint={pages}")


def _check_chain(first: PulledChange, seq: int, chain: bytes | None) -> None:
    try:
        expected = next_chain(chain, first.id, first.device, first.dseq, first.hlc)
        is_next = first.seq == seq + 1 and first.chain == expected
    except (ValueError, TypeError, AttributeError) as error:
        raise HistoryChanged from error
    if not is_next:
        raise HistoryChanged


def _move_cursor(raw: sqlite3.Connection, origin: Origin, project_id: str, rows: Sequence[PulledChange]) -> None:
    raw.execute(
        "UPDATE shared_projects SET seq = ?, chain = ? WHERE project_id = ?", (rows[-1].seq, rows[-1].chain, project_id)
    )
    newest = sync_inbox_messages.group_by_device((row.device, row.dseq) for row in rows)
    raw.executemany(
        "INSERT INTO seen_changes (project_id, device, dseq) VALUES (?, ?, ?)"
        " ON CONFLICT (project_id, device) DO UPDATE SET dseq = max(dseq, excluded.dseq)",
        [(project_id, device, dseq) for device, dseq in newest.items()],
    )
    # Stamps from too far ahead move nobody's clock: see ``HybridClock``.
    limit = (origin.now() + MAX_DRIFT_MS) << 16
    stamp = max((row.hlc for row in rows if row.hlc <= limit), default=0)
    origin.hybrid_clock.observe(stamp)
    raw.execute("UPDATE devices SET last_hlc = max(last_hlc, ?) WHERE id = ?", (stamp, origin.device_id))


class _Page:
    """The work on one page; ``registers`` are those to be projected at its end."""

    def __init__(
        self,
        conn: Connection,
        origin: Origin,
        project_id: str,
        effects: Effects,
        prepared: Prepared,
        joined_seq: int,
    ) -> None:
        self._conn = conn
        self._raw = driver(conn)
        self._origin = origin
        self._project_id = project_id
        self._effects = effects
        self._prepared = prepared
        self._joined_seq = joined_seq
        self._registers: set[sync_projection.Register] = set()
        self._arrived: list[str] = []

    # What is known: own changes that come back, others' after the server's history changed.

    def confirm(self, rows: Sequence[PulledChange], known: Mapping[str, tuple[Any, ...]]) -> int:
        """Take the server's word for changes that are here. Returns how many there are."""
        values, messages = [], []
        for row in rows:
            _, project_id, kind, op, entity, reg, state, device, dseq, author, _ = known[row.id]
            if (project_id, kind, op, entity, reg) != (self._project_id, row.kind, row.op, row.entity, row.reg):
                _log.warning("a pulled change has the id of another one; it is left out")
                continue
            if (device, dseq) != (row.device, row.dseq):
                self._free_slot(row.device, row.dseq)
            # A message that was waiting goes on waiting, until it is looked at below.
            values.append(
                (
                    CONFIRMED, row.seq, row.device, row.dseq, row.hlc, row.author, row.relayed_by, row.body, row.id
                )
            )  # fmt: skip
            if (kind, op) == ("message", "new"):
                messages.append((row, state))
            else:
                self._registers.add((kind, entity, reg if op != "new" else change_log.CONTENT))
            if author != row.author and op == "new":
                self._set_author(kind, entity, row.author)
        self._raw.executemany(_CONFIRM, values)
        self._confirm_messages(messages)
        return len(values)

    def _confirm_messages(self, messages: Sequence[tuple[PulledChange, int]]) -> None:
        here = known_rows(
            self._raw, "SELECT id, thread_id, parent_id FROM messages WHERE id IN", [row.entity for row, _ in messages]
        )
        self._look_again(here.values())
        lost = [row for row, _ in messages if row.entity not in here]
        if lost:
            self._put_messages(lost, is_known=True)
        # What the server took after all counts again.
        self._raw.executemany(
            "INSERT OR IGNORE INTO register_heads (entity, reg, change_id) VALUES (?, ?, ?)",
            [(row.entity, row.reg, row.id) for row, state in messages if state == ChangeState.REFUSED],
        )

    def _set_author(self, kind: str, entity: str, author: str) -> None:
        table = {"thread": "threads", "message": "messages", "summary": "summaries"}.get(kind)
        if table is not None:
            self._raw.execute(f"UPDATE {table} SET author_id = ? WHERE id = ?", (self._effects.member(author), entity))

    def _free_slot(self, device: str, dseq: int) -> None:
        """The server has another change at this place of a device's sequence: the one that is here gives way."""
        row = self._raw.execute("SELECT n FROM changes WHERE device = ? AND dseq = ?", (device, dseq)).fetchone()
        if row is None:
            return
        if device == self._origin.device_id:
            free = self._raw.execute(
                "UPDATE devices SET next_dseq = next_dseq + 1 WHERE id = ? RETURNING next_dseq - 1", (device,)
            ).fetchone()[0]
        else:
            free = -row[0]
        self._raw.execute("UPDATE changes SET dseq = ? WHERE n = ?", (free, row[0]))

    # What is new.

    def take(self, rows: Sequence[PulledChange]) -> None:
        flaws = self._prepared.flaws
        good = [row for row in rows if row.id not in flaws]
        for row in rows:
            if row.id in flaws:
                self._store([(row, CONFIRMED, FOREIGN + flaws[row.id], row.body)])
        by_kind: dict[str, list[PulledChange]] = {"thread": [], "message": [], "summary": []}
        others: list[PulledChange] = []
        for row in good:
            (by_kind.get(row.kind, others) if row.op == "new" else others).append(row)
        self._put_threads(by_kind["thread"])
        self._put_messages(by_kind["message"], is_known=False)
        self._put_summaries(by_kind["summary"])
        self._put_others(others)

    def _put_threads(self, rows: Sequence[PulledChange]) -> None:
        if not rows:
            return
        foreign = sync_inbox_entities.put_threads(self._conn, self._project_id, rows, self._effects)
        self._store_with(rows, foreign, {})
        self._arrived.extend(row.entity for row in rows if row.id not in foreign)
        self._tell_relays((row, row.entity) for row in rows if row.id not in foreign)

    def _put_messages(self, rows: Sequence[PulledChange], *, is_known: bool) -> None:
        """``is_known``: their changes are stored, and only their rows are missing."""
        messages = self._prepared.messages
        readable = [row for row in rows if row.id in messages]
        incoming = [
            Incoming(row.id, row.author, row.at, row.seq <= self._joined_seq, messages[row.id]) for row in readable
        ]
        outcome = sync_inbox_messages.put(self._conn, self._origin, self._project_id, incoming, self._effects)
        waiting = {key: WAITS + wanted for key, wanted in outcome.waiting.items()}
        waiting |= self._meet(outcome)
        for each in outcome.done:
            if each.rows.parts_file is not None and each.rows.id in outcome.fresh:
                waiting[each.change_id] = WAITS + each.rows.parts_file[0]
        if is_known:
            self._raw.executemany(
                "UPDATE changes SET state = ?, problem = ?, body = ? WHERE id = ?",
                [(ORPHANED, waiting[row.id], row.body, row.id) for row in readable if row.id in waiting],
            )
        else:
            self._store_with(readable, outcome.foreign, waiting)
        self._after_messages(outcome)
        threads = {each.change_id: each.rows.thread_id for each in outcome.done}
        self._tell_relays((row, threads[row.id]) for row in readable if row.id in threads)

    def _meet(self, outcome: Outcome, *, ended: Container[str] | None = None) -> dict[str, str]:
        """What the log has under an id that is here: see ``sync_inbox_twins``. Returns the changes that wait.
        ``ended``: of what waited, only these had to."""
        fresh = set(outcome.fresh)
        met = [each for each in outcome.done if each.rows.id not in fresh and (ended is None or each.rows.id in ended)]
        busy = sync_inbox_twins.meet(
            self._conn, self._origin, self._project_id, met, self._effects, waited=ended is not None
        )
        self._registers.update(("message", each.rows.id, change_log.CONTENT) for each in met)
        return {each.change_id: WAITS + each.rows.id for each in busy}

    def _after_messages(self, outcome: Outcome) -> None:
        self._arrived.extend(outcome.fresh)
        self._registers.update(("message", each, change_log.CONTENT) for each in outcome.deleted_parents)

    def _look_again(self, messages: Iterable[tuple[Any, ...]]) -> None:
        """Own messages that came back may stand in what somebody deleted meanwhile."""
        parents, threads = set(), set()
        for _, thread_id, parent_id in messages:
            threads.add(thread_id)
            parents.add(parent_id)
        parents.discard(None)
        deleted = known_rows(
            self._raw, "SELECT id FROM messages WHERE deleted_at IS NOT NULL AND id IN", [str(each) for each in parents]
        )
        self._registers.update(("message", each, change_log.CONTENT) for each in deleted)
        self._registers.update(self._deleted(threads))

    def _deleted(self, threads: Iterable[str]) -> Iterable[sync_projection.Register]:
        found = sync_projection.threads_with_deletions(self._raw, self._project_id, threads)
        return [("thread", each, change_log.CONTENT) for each in found]

    def _put_summaries(self, rows: Sequence[PulledChange]) -> None:
        for row in rows:
            foreign, waiting = sync_inbox_entities.put_summary(self._raw, self._project_id, row, self._effects)
            problem = {row.id: foreign} if foreign else {}
            wait = {row.id: WAITS + waiting} if waiting else {}
            self._store_with([row], problem, wait)
            if not (foreign or waiting):
                self._arrived.append(row.entity)

    def _put_others(self, rows: Sequence[PulledChange]) -> None:
        by_kind: dict[str, list[PulledChange]] = {}
        for row in rows:
            by_kind.setdefault(row.kind, []).append(row)
        for kind, some in by_kind.items():
            here = sync_projection.homes(self._raw, kind, [row.entity for row in some])
            foreign = {
                row.id: "it is of another project"
                for row in some
                if here.get(row.entity, self._project_id) != self._project_id
                or (kind == "project" and row.entity != self._project_id)
            }
            self._store_with(some, foreign, {}, has_heads=False)
            self._registers.update((kind, row.entity, row.reg) for row in some if row.id not in foreign)

    # The log itself.

    def _store_with(
        self,
        rows: Sequence[PulledChange],
        foreign: Mapping[str, str],
        waiting: Mapping[str, str],
        *,
        has_heads: bool = True,
    ) -> None:
        entries = []
        for row in rows:
            is_applied = row.id not in foreign and row.id not in waiting
            body = None if is_applied and (row.kind, row.op) == ("message", "new") else row.body
            if row.id in foreign:
                entries.append((row, CONFIRMED, FOREIGN + foreign[row.id], body))
            elif row.id in waiting:
                entries.append((row, ORPHANED, waiting[row.id], body))
            else:
                entries.append((row, CONFIRMED, None, body))
        self._store(entries)
        if has_heads:
            self._raw.executemany(
                "INSERT OR IGNORE INTO register_heads (entity, reg, change_id) VALUES (?, ?, ?)",
                [(row.entity, row.reg, row.id) for row in rows if row.id not in foreign],
            )

    def _store(self, entries: Sequence[tuple[PulledChange, int, str | None, str | None]]) -> None:
        values = [
            (
                row.id,
                self._project_id,
                row.seq,
                row.device,
                row.dseq,
                row.kind,
                row.op,
                row.entity,
                row.reg,
                json.dumps(row.parents) if row.parents else "[]",
                row.hlc,
                row.v,
                body if body is None or body.isascii() else clean(body),
                state,
                row.at,
                row.author,
                row.relayed_by,
                problem,
            )
            for row, state, problem, body in entries
        ]
        before = self._raw.total_changes
        self._raw.executemany(_INSERT, values)
        if self._raw.total_changes - before == len(values):
            return
        for row, value in zip((entry[0] for entry in entries), values, strict=True):
            if self._raw.execute("SELECT 1 FROM changes WHERE id = ?", (row.id,)).fetchone() is None:
                self._free_slot(row.device, row.dseq)
                self._raw.execute(_INSERT, value)

    def _tell_relays(self, rows: Iterable[tuple[PulledChange, str]]) -> None:
        for row, thread_id in rows:
            if row.relayed_by is not None:
                details = {"by": row.relayed_by}
                leave_note(self._raw, self._origin, thread_id, RELAYED, details, self._effects)

    # The end.

    def finish(self) -> None:
        self._adopt_waiting()
        self._registers.update(sync_inbox_entities.registers_of(self._raw, self._project_id, self._arrived))
        self._registers.update(self._deleted(self._effects.threads))
        sync_projection.project_many(self._conn, self._origin, self._project_id, self._registers, self._effects)
        if self._effects.threads or self._effects.new_threads:
            sync_inbox_entities.refresh_project(self._conn, self._project_id)

    def _adopt_waiting(self) -> None:
        """What waited for something of this page, and for what comes with it."""
        ended = sync_inbox_entities.ended_since(self._raw, self._project_id)
        arrived = [*self._arrived, *ended]
        while arrived:
            entries = sync_inbox_entities.waiting_for(self._raw, self._project_id, arrived)
            arrived = []
            incoming = []
            for change_id, kind, entity, hlc, device, author, at, seq, body in entries:
                if kind == "summary":
                    arrived += sync_inbox_entities.put_waiting_summary(
                        self._raw, self._project_id, change_id, entity, body, author, hlc, device, self._effects
                    )
                    continue
                read = read_message(body, message_id=entity, hlc=hlc, device=device)
                if read is not None:
                    incoming.append(Incoming(change_id, author, at, seq <= self._joined_seq, read))
            if incoming:
                outcome = sync_inbox_messages.put(self._conn, self._origin, self._project_id, incoming, self._effects)
                sync_inbox_entities.note_outcome(self._raw, outcome, waits=WAITS, foreign=FOREIGN)
                self._meet(outcome, ended=ended)
                self._after_messages(outcome)
                arrived += outcome.fresh


def fill_parts(conn: Connection, _origin: Origin, project_id: str, sha256: str, text: str) -> frozenset[str]:
    """The parts of messages that were too large for the log have come, as the JSON of a file with this sum. Returns the
    messages."""
    effects = Effects(me=sync_registers.member_of(driver(conn), project_id))
    filled = sync_inbox_entities.fill_parts(conn, project_id, WAITS + sha256, text, effects)
    return frozenset(filled)
