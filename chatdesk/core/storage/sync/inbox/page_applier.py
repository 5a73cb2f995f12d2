"""Applies a page of a project's log: stores changes and rows, and collects the registers to be projected."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.sync_wire import PulledChange
from chatdesk.core.domain.sharing.team import ChangeState
from chatdesk.core.storage.engine import change_log
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.sync import erasing, erasures_in_log
from chatdesk.core.storage.sync.inbox import damage, entities, moves, prepare, taken_ids
from chatdesk.core.storage.sync.inbox import messages as sync_inbox_messages
from chatdesk.core.storage.sync.inbox.messages import Incoming, Outcome, known_rows
from chatdesk.core.storage.sync.inbox.prepare import Prepared
from chatdesk.core.storage.sync.inbox.stored_changes import (
    CONFIRMED,
    FOREIGN,
    ORPHANED,
    PRIVATE,
    WAITS,
    KnownChange,
    StoredChanges,
)
from chatdesk.core.storage.sync.projection import projection
from chatdesk.core.storage.sync.projection import values as sync_projection_values
from chatdesk.core.storage.sync.projection.effects import Effects
from chatdesk.core.storage.sync.registers import DELETE, first_author
from chatdesk.core.storage.sync.wire import bodies
from chatdesk.core.storage.sync.wire.rows import NO_PARTS, MessageRows, read_message


class PageApplier:
    """Applies one page in three calls: ``confirm`` for known changes, ``add`` for new ones, then ``finish``."""

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
        self._log = StoredChanges(conn, origin, project_id, prepared.messages)
        self._registers: set[projection.Register] = set()
        self._arrived: list[str] = []
        self._erased: set[str] = set()
        self._asked: list[PulledChange] = []

    # What is known: own changes that come back, others' after the server's history changed.

    def confirm(self, rows: Sequence[PulledChange], known: Mapping[str, KnownChange], foreign: Container[str]) -> int:
        """Record the server's numbers for changes that are stored already; ``foreign`` ones take effect on nothing.
        Returns how many there are."""
        messages, others, again = [], [], []
        made: dict[str, list[PulledChange]] = {"thread": [], "summary": []}
        authors: dict[tuple[str, str], str] = {}
        claimed: set[str] = set()
        # A copy of the profile may have come further in this device's sequence with the very same changes.
        furthest = max((row.dseq for row in rows if row.device == self._origin.device_id), default=0)
        self._raw.execute(
            "UPDATE devices SET next_dseq = max(next_dseq, ?) WHERE id = ?", (furthest + 1, self._origin.device_id)
        )
        for row in rows:
            here = known[row.id]
            kind, entity, is_new = here.kind, here.entity, here.op == "new"
            if not here.has_place(row):
                self._log.free_slot(row.device, row.dseq)
            if row.id in foreign:
                continue
            is_again = is_new and here.state == PRIVATE
            if is_again:
                again.append(row)
            if is_new and kind in made:
                made[kind].append(row)
            if is_new and kind == "message":
                messages.append((row, here.state))
                # A copy of this profile that entered the project, too, gives the same id to words of its own, and may
                # give it the same place: then only the server knows whose words it took.
                if not (here.mine and here.has_place(row) and (here.seq, here.hlc) == (row.seq, row.hlc)):
                    others.append(row)
                # The server took it as this person's once, lost it, and has it as somebody else's now.
                if here.mine and here.author is not None and here.author == self._effects.me != row.author:
                    claimed.add(entity)
            else:
                self._registers.add((kind, entity, change_log.CONTENT if is_new else here.reg))
            if is_again or (is_new and self._effects.member(here.author) != self._effects.member(row.author)):
                authors[kind, entity] = row.author
        self._log.confirm(rows)
        self._gather_erased(rows)
        self._confirm_threads(made["thread"], known)
        self._confirm_messages(messages)
        self._confirm_summaries(made["summary"])
        # Whose words they are is not said again before they are compared, as what is here may be set aside.
        for kind, entity in authors.keys() - {("message", each) for each in self._compare(others, claimed)}:
            self._set_author(kind, entity, authors[kind, entity])
        self._retire_own(again)
        return len(rows)

    def _confirm_threads(self, rows: Sequence[PulledChange], known: Mapping[str, KnownChange]) -> None:
        """Insert threads again that were purged here while the project was a private copy."""
        for row in rows:
            if known[row.id].erased and not row.is_erased:  # what it was made with is back
                self._registers.update(("thread", row.entity, reg) for reg in sync_projection_values.THREAD)
        here = projection.homes(self._raw, "thread", [row.entity for row in rows])
        self._insert_threads([row for row in rows if row.entity not in here and row.id not in self._prepared.flaws])

    def _confirm_messages(self, messages: Sequence[tuple[PulledChange, int]]) -> None:
        here = known_rows(
            self._raw,
            "SELECT id, thread_id, parent_id, purged_at FROM messages WHERE id IN",
            [row.entity for row, _ in messages],
        )
        self._collect_deleted_parents(here.values())
        lost = [row for row, _ in messages if row.entity not in here]
        if lost:
            self._insert_messages(lost, is_known=True)
        emptied = {key: row[1] for key, row in here.items() if row[3] is not None}
        self._fill_emptied([row for row, _ in messages if row.entity in emptied], emptied)
        self._reattach([row for row, _ in messages if row.entity in here and here[row.entity][2] is None])
        # What the server took after all counts again.
        self._raw.executemany(
            "INSERT OR IGNORE INTO register_heads (entity, reg, change_id) VALUES (?, ?, ?)",
            [(row.entity, row.reg, row.id) for row, state in messages if state == ChangeState.REFUSED],
        )

    def _fill_emptied(self, rows: Sequence[PulledChange], threads: Mapping[str, str]) -> None:
        """Restore messages, by their ``threads``, that were emptied while the project was a private copy."""
        incoming = []
        for row in (row for row in rows if row.id not in self._prepared.flaws):
            read = self._read(row)
            if read is not None and not read.is_purged and read.thread_id == threads[row.entity]:
                incoming.append(Incoming(row.id, row.author, True, read))
        waiting = taken_ids.fill_emptied(self._conn, self._project_id, incoming, self._effects)
        self._log.wait_for(rows, {change_id: WAITS + sha256 for change_id, sha256 in waiting.items()})
        self._registers.update(("message", each.rows.id, change_log.CONTENT) for each in incoming)

    def _read(self, row: PulledChange) -> MessageRows | None:
        """Return the message of a change; own ones are parsed here, as they are nearly always stored."""
        return self._prepared.messages.get(row.id) or prepare.read_new(row)

    def _confirm_summaries(self, rows: Sequence[PulledChange]) -> None:
        """Store summaries that waited for their messages, or no longer exist here, like new ones."""
        here = projection.homes(self._raw, "summary", [row.entity for row in rows])
        for row in rows:
            if row.entity in here or row.id in self._prepared.flaws or row.is_erased:
                continue
            foreign, waiting = entities.insert_summary(self._raw, self._project_id, row, self._effects)
            if waiting:
                self._raw.execute(
                    "UPDATE changes SET state = ?, problem = ? WHERE id = ?", (ORPHANED, WAITS + waiting, row.id)
                )
            elif not foreign:
                self._arrived.append(row.entity)

    def _reattach(self, rows: Sequence[PulledChange]) -> None:
        """Move messages below their parent again, if damage removed it here and it has arrived again."""
        found = []
        for row in rows:
            read = self._prepared.messages.get(row.id)
            if read is not None and read.parent_id is not None:
                found.append((row.entity, read.parent_id))
        threads = moves.move_below(self._conn, found)
        for gathered in (self._effects.threads, self._effects.paths, self._effects.contexts):
            gathered.update(threads)

    def _compare(self, rows: Sequence[PulledChange], claimed: Container[str]) -> set[str]:
        """Compare messages with what is stored under their ids, and take over those that differ. ``claimed``:
        own messages that are another member's in the log. Returns the ids of all that are not the same."""
        here = known_rows(
            self._raw,
            "SELECT id, content_digest FROM messages WHERE purged_at IS NULL AND id IN",
            [row.entity for row in rows],
        )
        differing = []
        unlike: set[str] = set()
        waiting: dict[str, str] = {}
        for row in rows:
            if row.entity not in here or row.id in self._prepared.flaws:
                continue
            read = self._read(row)
            if read is None or read.is_purged:
                unlike.add(row.entity)
                continue
            if read.parts_file is not None:
                unlike.add(row.entity)
                # Lost here, or not come when the server's history changed.
                if here[row.entity][1] in (None, NO_PARTS):
                    waiting[row.id] = WAITS + read.parts_file[0]
                    sync_inbox_messages.want_again(self._raw, self._project_id, read.parts_file, self._effects)
                continue
            is_same = here[row.entity][1] == read.own.content_digest or self._sends_the_same(row, read)
            if not is_same or row.entity in claimed:
                differing.append(Incoming(row.id, row.author, True, read))
        self._take_over(differing, is_compared=True, claimed=claimed)
        self._log.wait_for(rows, waiting)
        return unlike | {each.rows.id for each in differing}

    def _retire_own(self, rows: Sequence[PulledChange]) -> None:
        for row in rows:
            taken_ids.retire_own(self._conn, row.entity)
            self._registers.add((row.kind, row.entity, change_log.CONTENT))

    def _sends_the_same(self, row: PulledChange, read: MessageRows) -> bool:
        """Return whether others would parse the same from the local message: ChatDesk may store more than it sends."""
        sent = bodies.message_texts(self._conn, [row.entity]).get(row.entity)
        own = None if sent is None else prepare.read_new(replace(row, body=sent[0]))
        return own is not None and own.own.content_digest == read.own.content_digest

    def _set_author(self, kind: str, entity: str, author: str) -> None:
        table = {"thread": "threads", "message": "messages", "summary": "summaries"}.get(kind)
        if table is not None:
            if kind == "thread":
                author = first_author(self._raw, self._project_id, entity) or author
            self._raw.execute(f"UPDATE {table} SET author_id = ? WHERE id = ?", (self._effects.member(author), entity))

    # What is new.

    def add(self, rows: Sequence[PulledChange]) -> None:
        flaws = self._prepared.flaws
        good = [row for row in rows if row.id not in flaws]
        self._gather_erased(good)
        for row in rows:
            if row.id in flaws:
                self._log.store([(row, CONFIRMED, FOREIGN + flaws[row.id], row.body)])
        by_kind: dict[str, list[PulledChange]] = {"thread": [], "message": [], "summary": []}
        others: list[PulledChange] = []
        for row in good:
            is_making = row.op == "new" and row.reg == change_log.CONTENT
            (by_kind.get(row.kind, others) if is_making else others).append(row)
        self._insert_threads(by_kind["thread"])
        self._insert_messages(by_kind["message"], is_known=False)
        self._insert_summaries(by_kind["summary"])
        self._insert_others(others)

    def _insert_threads(self, rows: Sequence[PulledChange]) -> None:
        if not rows:
            return
        foreign = entities.insert_threads(self._conn, self._project_id, rows, self._effects)
        self._log.store_with(rows, foreign, {})
        self._arrived.extend(row.entity for row in rows if row.id not in foreign)
        # They were there already, and may be all that was saved of them from a damaged database.
        known = {row.entity: row.author for row in rows if row.id not in foreign}
        for thread_id in known.keys() - self._effects.new_threads:
            self._set_author("thread", thread_id, known[thread_id])
            self._registers.update(("thread", thread_id, reg) for reg in sync_projection_values.THREAD)

    def _insert_messages(self, rows: Sequence[PulledChange], *, is_known: bool) -> None:
        """Insert messages. ``is_known``: their changes are stored, and only their rows are missing."""
        messages = self._prepared.messages
        if is_known:
            good = [row for row in rows if row.id not in self._prepared.flaws]
            messages = {row.id: read for row in good if (read := self._read(row)) is not None}
        readable = [row for row in rows if row.id in messages]
        incoming = [Incoming(row.id, row.author, row.seq <= self._joined_seq, messages[row.id]) for row in readable]
        places = set() if is_known else damage.places_among(self._raw, [row.entity for row in readable])
        outcome = self._insert(incoming)
        waiting = {key: WAITS + wanted for key, wanted in outcome.waiting.items()}
        self._take_over_met(outcome)
        for each in outcome.done:
            if each.rows.parts_file is not None and each.rows.id in outcome.fresh:
                waiting[each.change_id] = WAITS + each.rows.parts_file[0]
        if is_known:
            self._log.wait_for(readable, waiting)
        else:
            self._log.store_with(readable, outcome.foreign, waiting)
        come = [row for row in readable if row.entity in places and row.id not in outcome.foreign]
        self._fill_emptied(come, {row.entity: messages[row.id].thread_id for row in come})
        self._reattach(come)
        self._after_messages(outcome)

    def _insert(self, incoming: Sequence[Incoming]) -> Outcome:
        """Insert messages, after reviving purged parents and threads that they need."""
        outcome = sync_inbox_messages.insert(self._conn, self._origin, self._project_id, incoming, self._effects)
        while outcome.waiting:
            again = [each for each in incoming if each.change_id in outcome.waiting]
            wanted = [(outcome.waiting[each.change_id], each.rows.thread_id) for each in again]
            back = entities.revive(self._conn, self._origin, self._project_id, wanted, self._effects)
            if not back:
                break
            self._arrived.extend(back)
            outcome.waiting.clear()
            outcome.join(sync_inbox_messages.insert(self._conn, self._origin, self._project_id, again, self._effects))
        return outcome

    def _take_over_met(self, outcome: Outcome) -> None:
        """Give messages whose ids are stored already the log's words."""
        fresh = set(outcome.fresh)
        self._take_over([each for each in outcome.done if each.rows.id not in fresh])

    def _take_over(
        self, met: Sequence[Incoming], *, is_compared: bool = False, claimed: Container[str] = ()
    ) -> None:
        taken_ids.take_over(
            self._conn, self._origin, self._project_id, met, self._effects, is_compared=is_compared, claimed=claimed
        )
        self._registers.update(("message", each.rows.id, change_log.CONTENT) for each in met)

    def _after_messages(self, outcome: Outcome) -> None:
        self._arrived.extend(outcome.fresh)
        self._registers.update(("message", each, change_log.CONTENT) for each in outcome.deleted_parents)

    def _collect_deleted_parents(self, messages: Iterable[tuple[Any, ...]]) -> None:
        """Collect registers of deleted parents and threads, because own messages that came back may bring them back."""
        parents, threads = set(), set()
        for _, thread_id, parent_id, _ in messages:
            threads.add(thread_id)
            parents.add(parent_id)
        parents.discard(None)
        deleted = known_rows(
            self._raw, "SELECT id FROM messages WHERE deleted_at IS NOT NULL AND id IN", [str(each) for each in parents]
        )
        self._registers.update(("message", each, change_log.CONTENT) for each in deleted)
        self._registers.update(self._deleted(threads))

    def _deleted(self, threads: Iterable[str]) -> Iterable[projection.Register]:
        found = projection.threads_with_deletions(self._raw, self._project_id, threads)
        return [("thread", each, change_log.CONTENT) for each in found]

    def _insert_summaries(self, rows: Sequence[PulledChange]) -> None:
        for row in rows:
            if row.is_erased:
                self._log.store_with([row], {}, {})
                continue
            foreign, waiting = entities.insert_summary(self._raw, self._project_id, row, self._effects)
            problem = {row.id: foreign} if foreign else {}
            wait = {row.id: WAITS + waiting} if waiting else {}
            self._log.store_with([row], problem, wait)
            if not (foreign or waiting):
                self._arrived.append(row.entity)

    def _insert_others(self, rows: Sequence[PulledChange]) -> None:
        foreign = dict.fromkeys(projection.elsewhere(self._raw, self._project_id, rows), "it is of another project")
        self._log.store_with(rows, foreign, {}, has_heads=False)
        self._registers.update((row.kind, row.entity, row.reg) for row in rows if row.id not in foreign)

    # The end.

    def _gather_erased(self, rows: Iterable[PulledChange]) -> None:
        for row in rows:
            if row.is_erased:
                self._erased.add(row.id)
            elif (row.kind, row.op, row.reg) == ("thread", DELETE, change_log.ERASED):
                self._asked.append(row)

    def finish(self, *, is_end: bool = False) -> None:
        """Take up what waited for something of this page, and project all registers. ``is_end``: nothing more comes,
        and what still waits gets a place."""
        self._adopt_waiting(self._arrived)
        while is_end and (places := damage.make_places(self._conn, self._origin, self._project_id, self._effects)):
            self._arrived = sorted(places)
            self._adopt_waiting(self._arrived)
        for row in self._asked:
            self._erased |= erasures_in_log.taken_by(self._raw, self._project_id, row)
        if self._erased:
            self._registers |= erasing.erase(self._conn, self._origin, self._project_id, self._erased, self._effects)
        self._registers.update(entities.registers_of(self._raw, self._project_id, self._arrived))
        self._registers.update(self._deleted(self._effects.threads))
        projection.project_many(self._conn, self._origin, self._project_id, self._registers, self._effects)
        if self._effects.threads or self._effects.new_threads:
            entities.refresh_project(self._conn, self._project_id)

    def _adopt_waiting(self, arrived: Iterable[str]) -> None:
        while entries := entities.waiting_for(self._raw, self._project_id, arrived):
            incoming = []
            for each in entries:
                read = None
                if each.kind != "summary":
                    read = read_message(each.body, message_id=each.entity, hlc=each.hlc, device=each.device, at=each.at)
                if read is not None:
                    incoming.append(Incoming(each.id, each.author, each.seq <= self._joined_seq, read))
            outcome = self._insert(incoming)
            entities.record_outcome(self._raw, outcome, waits=WAITS, foreign=FOREIGN)
            self._take_over_met(outcome)
            self._after_messages(outcome)
            arrived = list(outcome.fresh)
            for each in entries:
                if each.kind == "summary":
                    arrived += entities.insert_waiting_summary(self._raw, self._project_id, each, self._effects)
