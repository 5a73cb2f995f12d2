"""Mistakes that systems like this were shipped with, put into the real code or the model of the server for a while."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from chatdesk.core.domain.sharing.sync_results import Cursor, PushOutcome
from chatdesk.core.domain.sharing.sync_wire import PushResult, WireChange
from chatdesk.core.storage.sync import erasing, joining_again, registers
from chatdesk.core.storage.sync.inbox import inbox, prepare, taken_ids
from chatdesk.core.storage.sync.inbox.prepare import Prepared
from chatdesk.core.storage.sync.projection import deletes
from chatdesk.core.storage.sync.store import PendingApply, SyncStore
from chatdesk.core.sync.project_turn import ProjectTurns
from tests.helpers.sync_sim.model_server import Flaws
from tests.helpers.sync_sim.world import COPIES, ERASING, Crash, History, Mix

_RESTORES = {"back_up_server": 5, "restore_server": 5, "destroy_computer": 1, "new_computer": 1}
_COPIES = {"copy_profile": 5, "back_up_profile": 3, "restore_profile": 4}
_PEOPLE = {"change_role": 3, "remove_from_project": 4, "remove_member": 1}


@dataclass(frozen=True)
class Bug:
    """``patch`` puts it in; ``mix`` is where it shows."""

    name: str
    patch: Callable[[], Any] | None = None
    flaws: Flaws = field(default_factory=Flaws)
    mix: Mix = field(default_factory=Mix)
    first: int = 0  # the seed to begin with: the one that shows it soonest

    def is_found_by(self, seed: int) -> bool:
        """Whether this seed tells that something is wrong; what breaks tells it, too."""
        with self._planted():
            try:
                return bool(History(seed, self.mix, flaws=self.flaws).play())
            except Exception:  # noqa: BLE001 - a bug may break anything
                return True

    @contextmanager
    def _planted(self) -> Iterator[None]:
        if self.patch is None:
            yield
        else:
            with self.patch():
                yield


def _instead(owner: object, name: str, made: Callable[[Any], Any]) -> Callable[[], Any]:
    """A patch: ``made`` is given what is there."""
    return lambda: mock.patch.object(owner, name, made(getattr(owner, name)))


def _cursor_first(start_apply: Any) -> Any:
    chance = random.Random(1)

    def broken(
        self: SyncStore, project_id: str, page: Prepared, *, after: Cursor, erased: Collection[str] | None = None
    ) -> PendingApply:
        move = "UPDATE shared_projects SET seq = ?, chain = ? WHERE project_id = ?"
        rows = page.pulled
        self._write(lambda conn: conn.exec_driver_sql(move, (rows[-1].seq, rows[-1].chain, project_id)))
        if chance.random() < 0.2:
            raise Crash
        self._write(lambda conn: conn.exec_driver_sql(move, (after.seq, after.chain, project_id)))
        applying: PendingApply = start_apply(self, project_id, page, after=after, erased=erased)
        return applying

    return broken


def _outbox_emptied_at_once(pending: Any) -> Any:
    def broken(self: SyncStore, project_id: str, **limits: int) -> list[WireChange]:
        batch: list[WireChange] = pending(self, project_id, **limits)
        if batch:
            done = "UPDATE changes SET state = 1 WHERE id = ?"
            self._write(lambda conn: conn.exec_driver_sql(done, [(change.id,) for change in batch]))
        return batch

    return broken


def _acknowledged_is_done(record: Any) -> Any:
    def broken(self: SyncStore, project_id: str, results: Sequence[PushResult]) -> PushOutcome:
        outcome: PushOutcome = record(self, project_id, results)
        self._write(lambda conn: conn.exec_driver_sql("UPDATE changes SET state = 1 WHERE state = 4"))
        return outcome

    return broken


def _refused_is_forgotten(record: Any) -> Any:
    def broken(self: SyncStore, project_id: str, results: Sequence[PushResult]) -> PushOutcome:
        outcome: PushOutcome = record(self, project_id, results)
        self._write(lambda conn: conn.exec_driver_sql("DELETE FROM changes WHERE state = 2"))
        return outcome

    return broken


def _last_writer_wins(heads_of: Any) -> Any:
    return lambda rows: [max(rows, key=lambda row: (row.hlc, row.id))] if rows else []


def _deleted_is_deleted(verdict: Any) -> Any:
    def broken(raw: Any, project_id: str, thread_id: str) -> Any:
        found = verdict(raw, project_id, thread_id)
        deletions = deletes._deletions(raw, project_id, "thread", thread_id)
        return type(found)(is_hidden=bool(deletions))

    return broken


def _nothing(_: Any) -> Any:
    def broken(self: ProjectTurns, project: Any) -> Generator[Any, Any, bool]:
        project.is_checked = True
        return False
        yield

    return broken


@contextmanager
def _history_is_believed() -> Iterator[None]:
    with (
        mock.patch.object(ProjectTurns, "_check", _nothing(None)),
        mock.patch.object(inbox, "_check_chain", return_value=None),
        mock.patch.object(prepare, "_fitting", len),
    ):
        yield


@contextmanager
def _copies_go_unnoticed() -> Iterator[None]:
    def nothing(self: ProjectTurns) -> Generator[Any, Any, None]:
        return
        yield

    with (
        mock.patch.object(inbox, "is_of_a_copy", return_value=False),
        mock.patch.object(ProjectTurns, "_leave_to_the_copy", nothing),
    ):
        yield


BUGS = (
    Bug(
        "a computer hears of an erasure and does nothing",
        _instead(erasing, "erase", lambda _: lambda *args: set()),
        mix=ERASING,
        first=5,
    ),
    Bug(
        "words that an older backup of the server has come back",
        _instead(inbox, "_without_erased", lambda _: lambda raw, project_id, rows, prepared, known: (rows, prepared)),
        mix=ERASING,
        first=117,
    ),
    Bug("a number is taken before the commit", flaws=Flaws(has_gaps=True), first=9),
    Bug("the cursor is stored before the rows", _instead(SyncStore, "start_apply", _cursor_first), first=10),
    Bug("the outbox is emptied before the answer", _instead(SyncStore, "pending", _outbox_emptied_at_once), first=25),
    Bug(
        "an acknowledged change is done",
        _instead(SyncStore, "record_push_results", _acknowledged_is_done),
        mix=Mix(trouble=0.3, faults={"back_up_server": 5, "restore_server": 7}),
        first=9,
    ),
    Bug("a repeated change is entered again", flaws=Flaws(forgets_ids=True, accepts_taken_places=True), first=1),
    Bug("the last writer wins", _instead(registers, "heads_of", _last_writer_wins), mix=Mix(loss=0.3), first=50),
    Bug(
        "a deleted thread stays deleted",
        _instead(deletes, "_thread_verdict", _deleted_is_deleted),
        mix=Mix(trouble=0, loss=0.2, actions={"ask": 6, "begin_thread": 1, "delete_thread": 3, "restore_thread": 1}),
    ),
    Bug(
        "the server does not notice a copied profile",
        flaws=Flaws(accepts_taken_places=True),
        mix=Mix(trouble=0.3, faults=_COPIES),
        first=23,
    ),
    Bug(
        "a profile does not notice that it was copied",
        _copies_go_unnoticed,
        mix=Mix(trouble=0.3, faults=_COPIES),
        first=10,
    ),
    Bug(
        "a copy that joins again goes on under its old id",
        _instead(joining_again, "become_another_device", lambda _: lambda *_: None),
        mix=Mix(trouble=0.3, faults=_COPIES),
        first=1,
    ),
    Bug("a restored server is believed", _history_is_believed, mix=Mix(trouble=0.3, faults=_RESTORES), first=25),
    Bug("a clock that is ahead is believed", flaws=Flaws(trusts_clocks=True), first=10),
    Bug(
        "what was acknowledged and lost is not sent again",
        _instead(SyncStore, "requeue_lost", lambda _: lambda self, project_id: 0),
        mix=Mix(trouble=0.3, faults=_RESTORES),
        first=9,
    ),
    Bug(
        "a refused change is thrown away",
        _instead(SyncStore, "record_push_results", _refused_is_forgotten),
        mix=Mix(trouble=0.2, faults={"change_role": 1}),
        first=30,
    ),
    Bug(
        "what was emptied in a private copy stays empty",
        _instead(taken_ids, "fill_emptied", lambda _: lambda *_: {}),
        mix=COPIES,
        first=130,
    ),
    Bug(
        "who was removed goes on reading",
        flaws=Flaws(shows_everybody=True),
        mix=Mix(trouble=0.3, loss=0.0, faults=_PEOPLE),
        first=38,
    ),
)
