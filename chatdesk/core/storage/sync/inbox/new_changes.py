"""Applies the new changes of a page, in steps by kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from chatdesk.core.domain.sharing.sync_wire import PulledChange
from chatdesk.core.storage.engine import change_log
from chatdesk.core.storage.engine.own_log import is_own_log
from chatdesk.core.storage.sync.inbox import damage, entities, moves, taken_ids
from chatdesk.core.storage.sync.inbox import messages as sync_inbox_messages
from chatdesk.core.storage.sync.inbox.messages import Incoming, Outcome
from chatdesk.core.storage.sync.inbox.page import Page
from chatdesk.core.storage.sync.inbox.prepare import Prepared
from chatdesk.core.storage.sync.projection import own_projects, projection
from chatdesk.core.storage.sync.projection import values as sync_projection_values
from chatdesk.core.storage.sync.registers import first_author
from chatdesk.core.storage.sync.wire.rows import read_message


@dataclass(slots=True)
class Steps:
    """The new changes of a page by what is done with them, each kind in the order of the log. ``registers`` say
    something of an entity that another change made."""

    flawed: list[PulledChange] = field(default_factory=list)
    threads: list[PulledChange] = field(default_factory=list)
    messages: list[Incoming] = field(default_factory=list)
    summaries: list[PulledChange] = field(default_factory=list)
    registers: list[PulledChange] = field(default_factory=list)


def plan(rows: Iterable[PulledChange], prepared: Prepared) -> Steps:
    """Return the steps for these changes."""
    steps = Steps()
    for row in rows:
        is_making = row.op == "new" and row.reg == change_log.CONTENT
        if row.id in prepared.flaws:
            steps.flawed.append(row)
        elif is_making and row.kind == "message":
            steps.messages.append(Incoming(row, prepared.messages[row.id]))
        elif is_making and row.kind == "thread":
            steps.threads.append(row)
        elif is_making and row.kind == "summary":
            steps.summaries.append(row)
        else:
            steps.registers.append(row)
    return steps


def write(page: Page, steps: Steps, prepared: Prepared) -> None:
    """Carry the steps out."""
    if steps.flawed:
        page.store(steps.flawed, foreign=prepared.flaws)
    page.gather_erased([*steps.threads, *(each.change for each in steps.messages), *steps.summaries, *steps.registers])
    if is_own_log(page.raw, page.project_id):
        for row in steps.registers:
            if (row.kind, row.op) == ("project", "new"):
                own_projects.find_or_make(page.conn, page.origin, page.project_id, row.entity)
                page.effects.projects.add(row.entity)
    if steps.threads:
        write_threads(page, steps.threads)
    if steps.messages:
        _write_messages(page, steps.messages)
    for row in steps.summaries:
        _write_summary(page, row)
    if steps.registers:
        foreign = projection.elsewhere(page.raw, page.project_id, steps.registers)
        page.store(steps.registers, foreign=dict.fromkeys(foreign, "it is of another project"), has_heads=False)
        page.registers.update((row.kind, row.entity, row.reg) for row in steps.registers if row.id not in foreign)


def write_threads(page: Page, rows: Sequence[PulledChange]) -> None:
    """Write threads that do not exist here, or are only placeholders."""
    foreign = entities.insert_threads(page, rows)
    page.store(rows, foreign=foreign)
    made = {row.entity: row.author for row in rows if row.id not in foreign}
    page.arrived += made
    # Those that are not new were there already, and may be all that was saved of them from a damaged database.
    for thread_id in made.keys() - page.effects.new_threads:
        set_author(page, "thread", thread_id, made[thread_id])
        page.registers.update(
            ("thread", thread_id, reg) for reg in (*sync_projection_values.THREAD, *change_log.PERSONAL)
        )


def _write_messages(page: Page, incoming: Sequence[Incoming]) -> None:
    outcome = insert_messages(page, incoming)
    places = damage.places_among(page, outcome.emptied) if outcome.emptied else set()
    rows = [each.change for each in incoming]
    in_rows = {each.change.id for each in incoming if each.rows.is_exact and not each.change.is_erased}
    page.store(rows, foreign=outcome.foreign, waiting=outcome.waiting, in_rows=in_rows)
    come = [each for each in incoming if each.rows.id in places and each.change.id not in outcome.foreign]
    if come:
        page.wait_for(rows, taken_ids.fill_emptied(page, [each for each in come if not each.rows.is_purged]))
        reattach(page, come)


def insert_messages(page: Page, incoming: Sequence[Incoming]) -> Outcome:
    """Insert the rows of messages, after reviving purged parents and threads that they need. A row whose id is in
    use gives its text to the message that has it."""
    outcome = sync_inbox_messages.insert(page, incoming)
    while outcome.waiting:
        again = [each for each in incoming if each.change.id in outcome.waiting]
        wanted = [(outcome.waiting[each.change.id], each.rows.thread_id) for each in again]
        back = entities.revive(page, wanted)
        if not back:
            break
        page.arrived.extend(back)
        outcome.waiting.clear()
        outcome.join(sync_inbox_messages.insert(page, again))
    fresh = set(outcome.fresh)
    if met := [each for each in outcome.done if each.rows.id not in fresh]:
        taken_ids.replace_words(page, met)
    for each in outcome.done:
        if each.rows.parts_file is not None and each.rows.id in fresh:
            outcome.waiting[each.change.id] = each.rows.parts_file[0]
    page.arrived.extend(outcome.fresh)
    page.registers.update(("message", each, change_log.CONTENT) for each in outcome.deleted_parents)
    return outcome


def _write_summary(page: Page, row: PulledChange) -> None:
    if row.is_erased:
        page.store([row])
        return
    foreign, waits_for = entities.insert_summary(page, row)
    page.store(
        [row],
        foreign={row.id: foreign} if foreign else {},
        waiting={row.id: waits_for} if waits_for else {},
    )
    if not (foreign or waits_for):
        page.arrived.append(row.entity)


def adopt_waiting(page: Page) -> None:
    """Take up the changes that waited for something that has arrived."""
    arrived: Iterable[str] = page.arrived
    while rows := entities.waiting_for(page, arrived):
        incoming = []
        for row in rows:
            if row.kind != "summary":
                read = read_message(row.body, message_id=row.entity, hlc=row.hlc, device=row.device, at=row.at)
                if read is not None:
                    incoming.append(Incoming(row, read))
        outcome = insert_messages(page, incoming)
        entities.record_outcome(page, outcome)
        come = [row.entity for row in rows if row.kind == "summary" and entities.insert_waiting_summary(page, row)]
        page.arrived += come
        arrived = [*outcome.fresh, *come]


def reattach(page: Page, incoming: Iterable[Incoming]) -> None:
    """Move messages below their parent again, if they were shown without it and it has arrived."""
    found = [(each.rows.id, each.rows.parent_id) for each in incoming if each.rows.parent_id is not None]
    threads = moves.move_below(page.conn, found)
    for gathered in (page.effects.threads, page.effects.paths, page.effects.contexts):
        gathered.update(threads)


def set_author(page: Page, kind: str, entity: str, author: str) -> None:
    """Set the author of an entity."""
    table = {"thread": "threads", "message": "messages", "summary": "summaries"}.get(kind)
    if table is not None:
        if kind == "thread":
            author = first_author(page.raw, page.project_id, entity) or author
        page.raw.execute(f"UPDATE {table} SET author_id = ? WHERE id = ?", (page.effects.member(author), entity))  # noqa: S608 - a constant
