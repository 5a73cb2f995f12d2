"""Applies the changes of a page that are stored already: own ones that come back, and all of them after the server's
history changed or this profile joined again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from chatdesk.core.domain.sharing.sync_wire import PulledChange
from chatdesk.core.domain.sharing.team import ChangeState
from chatdesk.core.storage.engine import change_log
from chatdesk.core.storage.sync.inbox import entities, prepare, taken_ids
from chatdesk.core.storage.sync.inbox.messages import Incoming, want_again
from chatdesk.core.storage.sync.inbox.new_changes import insert_messages, reattach, set_author, write_threads
from chatdesk.core.storage.sync.inbox.page import CONFIRMED, FOREIGN, PRIVATE, Page, rows_by_id
from chatdesk.core.storage.sync.inbox.prepare import Prepared
from chatdesk.core.storage.sync.projection import projection
from chatdesk.core.storage.sync.projection import values as sync_projection_values
from chatdesk.core.storage.sync.wire import bodies
from chatdesk.core.storage.sync.wire.rows import NO_PARTS, MessageRows

_KNOWN: Final = (
    "SELECT id, project_id, kind, op, entity, reg, state, device, dseq, seq, hlc, author, mine, problem,"
    " CASE WHEN mine = 0 THEN at END, erased, body FROM changes WHERE id IN"
)
_CONFIRM: Final = (
    "UPDATE changes SET state = ?1, seq = ?2, device = ?3, dseq = ?4, hlc = ?5, author = ?6, digest = ?7,"
    " at = CASE WHEN mine = 1 THEN at ELSE ?8 END,"
    " problem = CASE WHEN problem LIKE 'foreign: %' THEN problem END,"
    " body = CASE WHEN erased & ?9 OR (kind = 'message' AND op = 'new') THEN body ELSE ?10 END, erased = erased & ?9"
    " WHERE id = ?11"
)


class KnownChange(NamedTuple):
    """A change of a pulled page that is stored already. ``at``: when the server had taken it, for a change of
    others."""

    id: str
    project_id: str
    kind: str
    op: str
    entity: str
    reg: str
    state: int
    device: str
    dseq: int
    seq: int | None
    hlc: int
    author: str | None
    mine: int
    problem: str | None
    at: int | None
    erased: int
    body: str | None

    def is_the_same(self, row: PulledChange, project_id: str) -> bool:
        """Return whether ``row``, which has the id of this change, is this change."""
        mine = (self.project_id, self.kind, self.op, self.entity, self.reg)
        return mine == (project_id, row.kind, row.op, row.entity, row.reg)

    def has_place(self, row: PulledChange) -> bool:
        """Return whether this change is where the server has it in its device's sequence."""
        return (self.device, self.dseq) == (row.device, row.dseq)


def known_changes(raw: sqlite3.Connection, ids: Iterable[str]) -> dict[str, KnownChange]:
    """Return those of these changes that are stored, by id."""
    return {key: KnownChange(*row) for key, row in rows_by_id(raw, _KNOWN, ids).items()}


def confirm(page: Page, rows: Sequence[PulledChange], known: Mapping[str, KnownChange], prepared: Prepared) -> int:
    """Record the server's numbers for changes that are stored already. Those whose id belongs to something else were
    never applied, and take effect on nothing. Returns how many there are."""
    foreign = {row.id for row in rows if (known[row.id].problem or "").startswith(FOREIGN)}
    foreign |= projection.elsewhere(page.raw, page.project_id, rows)
    entities.bound_again(page.raw, [(row, known[row.id].at) for row in rows if row.id not in foreign])
    # A copy of the profile may have come further in this device's sequence with the very same changes.
    furthest = max((row.dseq for row in rows if row.device == page.origin.device_id), default=0)
    page.raw.execute(
        "UPDATE devices SET next_dseq = max(next_dseq, ?) WHERE id = ?", (furthest + 1, page.origin.device_id)
    )
    for row in rows:
        if not known[row.id].has_place(row):
            page.free_slot(row.device, row.dseq)
    page.raw.executemany(
        _CONFIRM,
        [
            (
                CONFIRMED, row.seq, row.device, row.dseq, row.hlc, row.author, row.digest,
                row.at, int(row.is_erased), row.body, row.id,
            )
            for row in rows
        ],
    )  # fmt: skip
    page.gather_erased(rows)
    applied = [row for row in rows if row.id not in foreign]
    made = [row for row in applied if row.op == "new"]
    messages = [row for row in made if row.kind == "message"]
    page.registers.update(
        (row.kind, row.entity, change_log.CONTENT if row.op == "new" else known[row.id].reg)
        for row in applied
        if row.op != "new" or row.kind != "message"
    )
    _confirm_threads(page, [row for row in made if row.kind == "thread"], known, prepared)
    _confirm_messages(page, messages, known, prepared)
    _confirm_summaries(page, [row for row in made if row.kind == "summary"], prepared)
    differing = _compare(page, messages, known, prepared)
    member = page.effects.member
    for row in made:
        is_back = known[row.id].state == PRIVATE  # private while the share had ended
        is_of_another = member(known[row.id].author) != member(row.author)
        # A message that differs has got the log's words with their author, or keeps its own words and its author.
        if (is_back or is_of_another) and (row.kind != "message" or row.entity not in differing):
            set_author(page, row.kind, row.entity, row.author)
        if is_back:
            taken_ids.retire_own(page, row.entity)
            page.registers.add((row.kind, row.entity, change_log.CONTENT))
    return len(rows)


def _confirm_threads(
    page: Page, rows: Sequence[PulledChange], known: Mapping[str, KnownChange], prepared: Prepared
) -> None:
    """Insert threads again that were purged here while the project was a private copy."""
    for row in rows:
        if known[row.id].erased and not row.is_erased:  # the creation's values are readable again
            page.registers.update(("thread", row.entity, reg) for reg in sync_projection_values.THREAD)
    here = projection.homes(page.raw, "thread", [row.entity for row in rows])
    if lost := [row for row in rows if row.entity not in here and row.id not in prepared.flaws]:
        write_threads(page, lost)


def _confirm_messages(
    page: Page, rows: Sequence[PulledChange], known: Mapping[str, KnownChange], prepared: Prepared
) -> None:
    """Insert messages whose rows were lost, fill those that were emptied while the project was a private copy, and move
    those whose parent was not there."""
    here = page.rows(
        "SELECT id, thread_id, parent_id, purged_at FROM messages WHERE id IN", [row.entity for row in rows]
    )
    _collect_deleted_above(page, here.values())
    lost, emptied, roots = [], [], []
    for row in rows:
        _, thread_id, parent_id, purged_at = here.get(row.entity, (None, None, None, None))
        is_lost = row.entity not in here
        if row.id in prepared.flaws or not (is_lost or purged_at is not None or parent_id is None):
            continue
        read = prepared.messages.get(row.id)
        if read is None:
            continue
        if is_lost:
            lost.append(Incoming(row, read))
        elif purged_at is not None and not read.is_purged and read.thread_id == thread_id:
            emptied.append(Incoming(row, read))
        if not is_lost and parent_id is None:
            roots.append(Incoming(row, read))
    if lost:
        page.wait_for(rows, insert_messages(page, lost).waiting)
    if emptied:
        page.wait_for(rows, taken_ids.fill_emptied(page, emptied))
    if roots:
        reattach(page, roots)
    # Changes that the server refused earlier and accepted after all count again.
    page.raw.executemany(
        "INSERT OR IGNORE INTO register_heads (entity, reg, change_id) VALUES (?, ?, ?)",
        [(row.entity, row.reg, row.id) for row in rows if known[row.id].state == ChangeState.REFUSED],
    )


def _collect_deleted_above(page: Page, messages: Iterable[tuple[Any, ...]]) -> None:
    """Collect registers of deleted parents and threads, because own messages that came back may bring them back."""
    threads, parents = set(), set()
    for _, thread_id, parent_id, _ in messages:
        threads.add(thread_id)
        if parent_id is not None:
            parents.add(parent_id)
    deleted = page.rows("SELECT id FROM messages WHERE deleted_at IS NOT NULL AND id IN", parents)
    page.registers.update(("message", each, change_log.CONTENT) for each in deleted)
    found = projection.threads_with_deletions(page.raw, page.project_id, threads)
    page.registers.update(("thread", each, change_log.CONTENT) for each in found)


def _confirm_summaries(page: Page, rows: Sequence[PulledChange], prepared: Prepared) -> None:
    """Store summaries that waited for their messages, or no longer exist here, like new ones."""
    here = projection.homes(page.raw, "summary", [row.entity for row in rows])
    for row in rows:
        if row.entity in here or row.id in prepared.flaws or row.is_erased:
            continue
        foreign, waits_for = entities.insert_summary(page, row)
        if waits_for:
            page.wait_for([row], {row.id: waits_for})
        elif not foreign:
            page.arrived.append(row.entity)


def _compare(
    page: Page, rows: Sequence[PulledChange], known: Mapping[str, KnownChange], prepared: Prepared
) -> set[str]:
    """Compare messages with what is stored under their ids, and give the log's words to those that differ. Returns the
    ids of all that differ, also of those that keep their words because the log has none."""
    claimed: set[str] = set()
    others: list[PulledChange] = []
    for row in rows:
        before = known[row.id]
        # A copy of this profile that entered the project, too, gives the same id to words of its own, and may give it
        # the same place: then only the server knows whose words it took.
        if not (before.mine and before.has_place(row) and (before.seq, before.hlc) == (row.seq, row.hlc)):
            others.append(row)
        # The server once accepted the change from this person, lost it, and now has it from another member.
        if before.mine and before.author is not None and before.author == page.effects.me != row.author:
            claimed.add(row.entity)
    here = page.rows(
        "SELECT id, content_digest FROM messages WHERE purged_at IS NULL AND id IN", [row.entity for row in others]
    )
    differing: list[Incoming] = []
    unlike: set[str] = set()
    waiting: dict[str, str] = {}
    for row in others:
        if row.entity not in here or row.id in prepared.flaws:
            continue
        stored, read = here[row.entity][1], prepared.messages.get(row.id)
        if read is None or read.is_purged:
            unlike.add(row.entity)
        elif read.parts_file is not None:
            unlike.add(row.entity)
            # Lost here, or not come when the server's history changed.
            if stored in (None, NO_PARTS):
                waiting[row.id] = read.parts_file[0]
                want_again(page, read.parts_file)
        elif row.entity in claimed or not (stored == read.own.content_digest or _sends_the_same(page, row, read)):
            differing.append(Incoming(row, read))
    taken_ids.replace_words(page, differing, is_compared=True, claimed=claimed)
    page.wait_for(rows, waiting)
    return unlike | {each.rows.id for each in differing}


def _sends_the_same(page: Page, row: PulledChange, read: MessageRows) -> bool:
    """Return whether others would parse the same from the local message: ChatDesk may store more than it sends."""
    sent = bodies.message_texts(page.conn, [row.entity]).get(row.entity)
    own = None if sent is None else prepare.read_new(replace(row, body=sent[0]))
    return own is not None and own.own.content_digest == read.own.content_digest
