"""Runs one project's turn of a round: checks its history, shares, pushes, pulls, and sends changes again that the
server lost."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chatdesk.core.domain.sharing.sync_results import Applied, Cursor, PushOutcome
from chatdesk.core.domain.sharing.sync_wire import (
    PULL_BYTES,
    PUSH_BYTES,
    PUSH_ROWS,
    PulledChange,
    PushResult,
    PushStatus,
    WireChange,
)
from chatdesk.core.domain.sharing.team import Misfit
from chatdesk.core.storage.sync.inbox.prepare import Prepared
from chatdesk.core.storage.sync.store import PendingApply, SyncStore
from chatdesk.core.sync.carrier import Carrier
from chatdesk.core.sync.errors import HistoryChanged, TeamError, TeamLogBroken, TeamParked, TeamUnreachable
from chatdesk.core.sync.requests import (
    BatchPushed,
    Link,
    PageApplied,
    Request,
    RoundResult,
    to_local,
    to_team,
)

# Batches that are pushed before the next page is pulled.
_PUSHES_A_TURN = 2
# How often in one round a server may contradict itself before the round gives up on a project.
_PATIENCE = 3


@dataclass
class _Project:
    cursor: Cursor
    is_checked: bool
    wants_pull: bool
    wants_push: bool
    wants_share: bool
    is_new: bool
    may_have_lost: bool
    held: set[str] = field(default_factory=set)  # refused only because a row is missing that may still come
    is_final: bool = False  # no further rows: the held ones are refused
    contradictions: int = 0
    received: int = 0
    problem: TeamError | None = None

    @property
    def id(self) -> str:
        return self.cursor.project_id


@dataclass(frozen=True, slots=True)
class _PageAhead:
    """A page that was read ahead, after ``seq``, while the page before it was applied. ``page`` is None if nothing was
    there, or the error that occurred."""

    project_id: str
    seq: int
    page: Prepared | TeamError | None


class ProjectTurns:
    """The projects of a round. ``greet`` sends ``hello`` again where this device became another one; ``heads`` are the
    newest sequence numbers by project, where the server named them."""

    def __init__(
        self,
        link: Link,
        greet: Callable[[], Generator[Request, Any, None]],
        *,
        heads: dict[str, int],
        may_write: bool,
        pull_rows: int,
    ) -> None:
        self._link = link
        self._greet = greet
        self._heads = heads
        self._may_write = may_write
        self._pull_rows = pull_rows
        self._projects: dict[str, _Project] = {}
        self._ahead: _PageAhead | None = None  # one of all projects: a page may be large
        self._sent = self._received = self._refused = self._total = 0

    def add(self, cursor: Cursor) -> None:
        """Add a project to this round."""
        head = self._heads.get(cursor.project_id)
        is_new = cursor.project_id not in self._link.checked
        self._total += max((head or 0) - cursor.seq, 0)
        self._link.pulled[cursor.project_id] = cursor.seq
        self._projects[cursor.project_id] = _Project(
            cursor,
            is_checked=not is_new and (head is None or head >= cursor.seq),
            wants_pull=head is None or head != cursor.seq,
            wants_push=True,
            wants_share=is_new or bool(self._heads),
            is_new=is_new,
            may_have_lost=is_new,
        )

    def wake(self, cursor: Cursor) -> None:
        """Record that something was written in this project just now."""
        if cursor.project_id not in self._projects:
            self.add(cursor)
        self._projects[cursor.project_id].wants_push = True

    def run(self, project_id: str) -> Generator[Request, Any, bool]:
        """Run one turn of a project. Returns whether the project needs another."""
        project = self._projects[project_id]
        if not project.is_checked:
            yield from self._check(project)
        if project.wants_share and self._may_write:
            # Existing content goes first: a project is pulled only once all of it is in the log.
            project.wants_share = yield to_local(SyncStore.share_step, project_id)
            if project.wants_share:
                return True
        if project.wants_push and self._may_write:
            yield from self._push(project)
        if project.wants_pull:
            yield from self._pull(project)
        if not project.wants_pull:
            yield from self._make_places(project)
        if project.wants_pull or (project.wants_push and self._may_write):
            return True
        if (yield from self._recover_lost(project)):
            return True
        was_broken = self._link.broken.pop(project.id, None) is not None
        if project.is_new or was_broken:
            yield to_local(SyncStore.record_misfit, project.id, None)
        return False

    def problem(self, project_id: str) -> TeamError | None:
        return self._projects[project_id].problem

    @property
    def seqs(self) -> dict[str, int]:
        """Return the last pulled sequence number by project."""
        return {project.id: project.cursor.seq for project in self._projects.values()}

    @property
    def is_drained(self) -> bool:
        return not any(project.wants_pull or project.wants_push for project in self._projects.values())

    def result(self, mode: str) -> RoundResult:
        return RoundResult(mode, sent=self._sent, received=self._received, refused=self._refused)

    def _check(self, project: _Project) -> Generator[Request, Any, None]:
        """Check whether the server's history up to the cursor is the one that was pulled, and start over if not."""
        cursor = project.cursor
        if cursor.seq:
            chain: bytes | None = yield to_team(Carrier.chain_at, cursor.project_id, cursor.seq)
            if chain != cursor.chain:
                yield from self._start_over(project)
        project.is_checked = True
        self._link.checked.add(cursor.project_id)

    def _start_over(self, project: _Project) -> Generator[Request, Any, None]:
        """Pull a project from its beginning. Raises ``HistoryChanged`` if this happened too often in one round."""
        project.contradictions += 1
        if project.contradictions > _PATIENCE:
            raise HistoryChanged
        self._forget_ahead(project)
        yield to_local(SyncStore.start_over, project.id)
        project.cursor = Cursor(project.id, 0, None)
        self._link.pulled[project.id] = 0
        project.wants_pull = project.wants_push = project.may_have_lost = True
        project.is_final = False
        self._total = max(self._total, self._received + self._heads.get(project.id, 0))

    def _push(self, project: _Project) -> Generator[Request, Any, None]:
        for _ in range(_PUSHES_A_TURN):
            batch = yield from self._next_batch(project)
            if not batch:
                project.wants_push = False
                return
            try:
                results: list[PushResult] = yield to_team(Carrier.push, project.id, self._link.device, batch)
            except TeamUnreachable:
                raise
            except TeamError as error:
                # Others' changes are pulled all the same.
                project.problem = error
                project.wants_push = False
                return
            if not (yield from self._record_results(project, results, is_last=len(batch) < PUSH_ROWS)):
                project.wants_push = False
                return

    def _next_batch(self, project: _Project) -> Generator[Request, Any, Sequence[WireChange]]:
        """Return the next changes to send, numbered for the device that the server knows this connection by."""
        while True:
            batch: Sequence[WireChange] = yield to_local(
                SyncStore.pending, project.id, max_rows=PUSH_ROWS, max_bytes=PUSH_BYTES
            )
            if not batch:
                return batch
            # Joining another workspace may have made this profile another device since.
            device = self._link.device
            yield from self._greet()
            if self._link.device == device:
                return batch

    def _record_results(
        self, project: _Project, results: Sequence[PushResult], *, is_last: bool
    ) -> Generator[Request, Any, bool]:
        """Record the results of a push. Returns whether any change was accepted or refused for good."""
        taken = sum(result.status.is_accepted for result in results)
        if taken and is_last:
            yield to_team(Carrier.poke, project.id)  # first: others wait for it
        held = {result.id for result in results if result.status is PushStatus.ORPHAN and not project.is_final}
        project.held |= held
        outcome: PushOutcome = yield to_local(
            SyncStore.record_push_results, project.id, [result for result in results if result.id not in held]
        )
        self._sent += taken
        self._refused += len(outcome.refused)
        yield BatchPushed(project.id, outcome, taken)
        if taken:
            project.wants_pull = project.may_have_lost = True
        if outcome.is_forked:
            yield from self._leave_to_the_copy()
        return bool(taken or outcome.refused)

    def _leave_to_the_copy(self) -> Generator[Request, Any, None]:
        """Send nothing more: a copy of this profile writes under the same device, whose sequence has one writer."""
        yield to_local(SyncStore.park)
        raise TeamParked

    def _pull(self, project: _Project) -> Generator[Request, Any, None]:
        cursor = project.cursor
        head = self._heads.get(project.id, 0)
        page = yield from self._page(project)
        if page is None:
            if head > cursor.seq and (yield from self._is_proven(project)):
                raise (yield from self._misfit(project, Misfit.WITHHELD))
            return
        if not cursor.seq:  # from the beginning, also where the same project came back
            self._link.numbers.pop(project.id, None)
        fitting = _numbered(page.pulled, self._link.numbers[project.id])
        if not fitting:
            raise (yield from self._misfit(project, Misfit.MISSING))
        if fitting < len(page.pulled):
            self._forget_ahead(project)
            project.wants_pull = True
            page = yield to_local(SyncStore.read_page, page.pulled[:fitting])
        rows = page.pulled
        stubs = [row.id for row in rows if row.is_erased]
        erased: set[str] = (yield to_team(Carrier.erased, project.id, stubs)) if stubs else set()
        try:
            applying: PendingApply = yield to_local(
                SyncStore.start_apply, cursor.project_id, page, after=cursor, erased=erased
            )
            if self._is_full(rows) and self._ahead is None:
                yield from self._read_ahead(project, rows[-1].seq)
            applied: Applied = yield to_local(SyncStore.finish_apply, applying)
        except HistoryChanged:
            if not (yield from self._is_proven(project)):
                yield from self._start_over(project)
                return
            raise (yield from self._misfit(project, _misfit_of(rows[0], cursor))) from None
        if applied.is_foreign_mine:
            yield from self._leave_to_the_copy()
        if applied.is_cut:
            rows = rows[: applied.rows]
            self._forget_ahead(project)
            project.wants_pull = True
        project.cursor = Cursor(cursor.project_id, rows[-1].seq, rows[-1].chain)
        project.wants_pull |= project.cursor.seq < head
        self._link.numbers[project.id].update((row.device, row.number) for row in rows)
        self._link.pulled[project.id] = project.cursor.seq
        project.received += len(rows)
        self._received += len(rows)
        self._total = max(self._total, self._received)
        yield PageApplied(project.id, applied, rows[-1].seq, self._received, self._total)

    def _is_proven(self, project: _Project) -> Generator[Request, Any, bool]:
        """Return whether the server still has the pulled rows. If so, it was not restored from a backup, and
        its later rows are damaged."""
        cursor = project.cursor
        if not cursor.seq:
            return True
        chain: bytes | None = yield to_team(Carrier.chain_at, cursor.project_id, cursor.seq)
        return chain == cursor.chain

    def _misfit(self, project: _Project, misfit: Misfit) -> Generator[Request, Any, TeamLogBroken]:
        """Record that the server's log does not fit, and return the error. The cursor stays before what does not."""
        self._forget_ahead(project)
        project.wants_pull = False
        error = TeamLogBroken((yield to_local(SyncStore.record_misfit, project.id, misfit)))
        self._link.broken[project.id] = error
        return error

    def _page(self, project: _Project) -> Generator[Request, Any, Prepared | None]:
        """Return the next page of a project, or None at its end; sets ``wants_pull`` to whether more may follow."""
        ahead = self._ahead
        if ahead is not None and ahead.project_id == project.id:
            self._ahead = None
            if isinstance(ahead.page, TeamError):
                raise ahead.page
            if ahead.seq == project.cursor.seq:
                # Something may have been sent since, so that this is not known to be the end.
                return ahead.page
        page = yield from self._read(project, project.cursor.seq)
        project.wants_pull = page is not None and self._is_full(page.pulled)
        return page

    def _is_full(self, rows: Sequence[PulledChange]) -> bool:
        """Return whether more may follow: many changes, or large ones. The limit counts bytes, of which at least a
        quarter as many characters arrive."""
        return len(rows) >= self._pull_rows or sum(len(row.body or "") for row in rows) >= PULL_BYTES // 4

    def _read_ahead(self, project: _Project, seq: int) -> Generator[Request, Any, None]:
        """Read the page after ``seq`` while the one up to it is applied. An error is kept and raised when that page is
        due."""
        try:
            page: Prepared | TeamError | None = yield from self._read(project, seq)
        except TeamError as error:
            page = error
        self._ahead = _PageAhead(project.id, seq, page)

    def _read(self, project: _Project, seq: int) -> Generator[Request, Any, Prepared | None]:
        rows = yield to_team(Carrier.pull, project.id, seq, limit=self._pull_rows)
        if not rows:
            return None
        page: Prepared = yield to_local(SyncStore.read_page, rows)
        return page

    def _forget_ahead(self, project: _Project) -> None:
        if self._ahead is not None and self._ahead.project_id == project.id:
            self._ahead = None

    def _make_places(self, project: _Project) -> Generator[Request, Any, None]:
        applied: Applied | None = yield to_local(SyncStore.make_places, project.id)
        if applied is not None:
            project.wants_push = True
            yield PageApplied(project.id, applied, project.cursor.seq, self._received, self._total)

    def _recover_lost(self, project: _Project) -> Generator[Request, Any, bool]:
        """Queue lost changes again after everything was sent and pulled. Returns whether there is something to send."""
        if project.may_have_lost and (yield to_local(SyncStore.requeue_lost, project.id)):
            project.contradictions += 1
            if project.contradictions > _PATIENCE:
                raise HistoryChanged
            project.wants_push = self._may_write
            return self._may_write
        if project.held and not project.is_final and self._may_write:
            project.is_final = project.wants_push = True
            return True
        project.may_have_lost = False
        return False


def _numbered(rows: Sequence[PulledChange], numbers: Mapping[str, int]) -> int:
    """Return how many rows, from the first, go on where ``numbers`` of their devices end. A page alone cannot show that
    a device's changes are missing before it."""
    seen: set[str] = set()
    for count, row in enumerate(rows):
        device = str(row.device)  # a server may send anything
        if device not in seen and device in numbers and row.number != numbers[device] + 1:
            return count
        seen.add(device)
    return len(rows)


def _misfit_of(first: PulledChange, cursor: Cursor) -> Misfit:
    """Return in which way the first row after the cursor does not fit."""
    if first.seq != cursor.seq + 1:
        return Misfit.MISSING
    return Misfit.EMPTIED if first.is_erased and _is_chained(first, cursor) else Misfit.ALTERED


def _is_chained(row: PulledChange, cursor: Cursor) -> bool:
    try:
        return row.chain == row.chain_after(cursor.chain)
    except (ValueError, TypeError, AttributeError):
        return False
