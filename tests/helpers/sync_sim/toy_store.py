"""A profile's side of sync without a database: just the states of changes, for the tests of the round itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from chatdesk.core.domain.sharing.sync_results import Applied, Cursor, PushOutcome, ShareMark, Tending
from chatdesk.core.domain.sharing.sync_wire import Hello, PulledChange, PushResult, TeamView, WireChange
from chatdesk.core.domain.sharing.team import ChangeState, Misfit
from chatdesk.core.ids import new_id
from chatdesk.core.storage.sync.inbox.prepare import Prepared
from chatdesk.core.storage.sync.store import PendingApply
from chatdesk.core.sync.errors import HistoryChanged


@dataclass
class ToyChange:
    change: WireChange
    device: str
    state: ChangeState
    is_mine: bool = True
    author: str = ""
    seq: int | None = None


@dataclass
class ToyPage:
    pulled: Sequence[PulledChange]


@dataclass
class ToyProject:
    id: str
    changes: dict[str, ToyChange] = field(default_factory=dict)
    seq: int = 0
    chain: bytes | None = None
    shares_left: int = 0


class ToyStore:
    """Raises nothing but ``HistoryChanged``."""

    def __init__(self, *projects: str) -> None:
        self.device_id = new_id()
        self.next_dseq = 1
        self.projects = {project: ToyProject(project) for project in projects}
        self.views = 0
        self.is_viewer = False
        self.is_parked = False

    def write(self, project_id: str, entity: str | None = None, *, op: str = "new", body: str | None = None) -> str:
        """A change of this device. Returns its id."""
        change = WireChange(new_id(), self.next_dseq, "thread", op, entity or new_id(), "content", (), 1 << 16, body)
        self.next_dseq += 1
        self.projects[project_id].changes[change.id] = ToyChange(change, self.device_id, ChangeState.PENDING)
        return change.id

    def states(self, project_id: str) -> set[ChangeState]:
        return {each.state for each in self.projects[project_id].changes.values()}

    def device(self) -> str:
        return "" if self.is_parked else self.device_id

    def cursors(self) -> list[Cursor]:
        return [Cursor(each.id, each.seq, each.chain) for each in self.projects.values()]

    def shares(self) -> dict[str, ShareMark]:
        return {}

    def store_view(self, hello: Hello, view: TeamView, before: Mapping[str, ShareMark]) -> frozenset[str]:
        self.views += 1
        news = frozenset(head.project_id for head in view.projects) - frozenset(self.projects)
        self.projects.update({project: ToyProject(project) for project in news})
        return news

    def share_step(self, project_id: str) -> bool:
        project = self.projects[project_id]
        if project.shares_left:
            project.shares_left -= 1
            self.write(project_id)
        return project.shares_left > 0

    def pending(self, project_id: str, *, max_rows: int, max_bytes: int) -> list[WireChange]:
        project = self.projects[project_id]
        if project.shares_left:
            return []
        waiting = sorted(
            (each.change for each in project.changes.values() if each.state is ChangeState.PENDING),
            key=lambda change: change.dseq,
        )[:max_rows]
        ends = accumulate(len(change.body or "") for change in waiting)
        return waiting[: max(1, sum(end <= max_bytes for end in ends))]

    def record_push_results(self, project_id: str, results: Sequence[PushResult]) -> PushOutcome:
        changes = self.projects[project_id].changes
        refused = []
        acknowledged = 0
        for result in results:
            if result.status.is_accepted:
                changes[result.id].state = ChangeState.ACKNOWLEDGED
                acknowledged += 1
            elif result.status != "forked":
                changes[result.id].state = ChangeState.REFUSED
                refused.append(result.id)
        return PushOutcome(acknowledged, tuple(refused), any(result.status == "forked" for result in results))

    def read_page(self, rows: Sequence[PulledChange]) -> ToyPage:
        return ToyPage(rows)

    def start_apply(
        self, project_id: str, page: Prepared, *, after: Cursor, erased: Collection[str] | None = None
    ) -> PendingApply:
        return lambda: self._apply(project_id, page.pulled, after=after)

    def record_misfit(self, project_id: str, misfit: Misfit | None) -> str:
        return "" if misfit is None else f"{project_id}: {misfit}"

    def finish_apply(self, applying: PendingApply) -> Applied:
        return applying()

    def _apply(self, project_id: str, rows: Sequence[PulledChange], *, after: Cursor) -> Applied:
        project = self.projects[project_id]
        if any(row.device == self.device_id and row.id not in project.changes for row in rows):
            return Applied(is_foreign_mine=True)
        seq, chain = project.seq, project.chain
        assert (seq, chain) == (after.seq, after.chain)
        for row in rows:
            seq, chain = seq + 1, row.chain_after(chain)
            if (row.seq, row.chain) != (seq, chain):
                raise HistoryChanged
        for row in rows:
            known = project.changes.get(row.id)
            change = WireChange(row.id, row.dseq, row.kind, row.op, row.entity, row.reg, row.parents, row.hlc, row.body)
            is_mine = known is not None and known.is_mine
            project.changes[row.id] = ToyChange(change, row.device, ChangeState.CONFIRMED, is_mine, row.author, row.seq)
        project.seq, project.chain = seq, chain
        return Applied(rows=len(rows))

    def requeue_lost(self, project_id: str) -> int:
        lost = [e for e in self.projects[project_id].changes.values() if e.state is ChangeState.ACKNOWLEDGED]
        for each in lost:
            each.state = ChangeState.PENDING
        return len(lost)

    def start_over(self, project_id: str) -> None:
        project = self.projects[project_id]
        project.seq, project.chain = 0, None
        for each in project.changes.values():
            if each.state in (ChangeState.CONFIRMED, ChangeState.ACKNOWLEDGED):
                each.state = ChangeState.PENDING if each.is_mine else ChangeState.ORPHANED
                each.seq = None

    def make_places(self, project_id: str) -> None:
        return None

    def tending(self, project_id: str) -> Tending | None:
        return None

    def tended(self, project_id: str, expired: Sequence[tuple[str, str]]) -> None:
        pass

    def park(self) -> None:
        self.is_parked = True

    def join_again(self) -> None:
        """As another device, and from the beginning."""
        self.is_parked = False
        self.device_id = new_id()
        self.next_dseq = 1
        for project in self.projects.values():
            for each in sorted(project.changes.values(), key=lambda each: each.change.dseq):
                if each.is_mine and each.state is ChangeState.PENDING:
                    each.change = replace(each.change, dseq=self.next_dseq)
                    each.device = self.device_id
                    self.next_dseq += 1
            self.start_over(project.id)
