"""One history of a team: who writes what when, what the network does with it, and who dies in between.

``History(seed).play()`` does everything: a start, some hundred steps of trouble, healing, and the checks. What it
returns are sentences about what is wrong, none if nothing is.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chatdesk.core.domain.sharing.sync_wire import PulledChange, body_digest
from chatdesk.core.ids import new_id
from chatdesk.core.sync.errors import TeamError, TeamParked, TeamUnreachable
from chatdesk.core.sync.requests import Link, Request, RoundResult, ToLocal, ToTeam
from chatdesk.core.sync.round import perform, sync_round
from tests.helpers.sync_sim import checks, long_stories
from tests.helpers.sync_sim.member_actions import LONG_ACTIONS, Hand
from tests.helpers.sync_sim.memory_profile import Profile
from tests.helpers.sync_sim.model_server import Flaws, ModelServer, ModelTeam
from tests.helpers.sync_sim.seeded import SkewedClock, WorldTime, seeded_ids

DAY_MS = 86_400_000
# Calls that are no steps of their own: seeds that once found something go on telling the story in which they did.
_NO_STEPS = ("shares", "make_places")
# Rounds of everybody after which a healed team must be at rest.
MOST_ROUNDS = 8


class Crash(Exception):
    """The process of a computer dies here; only planted bugs raise it."""


@dataclass(frozen=True)
class Mix:
    """How much happens. ``trouble``: how likely one step is a fault, of 1; ``loss``: how likely a call to the server
    goes wrong; ``faults`` and ``actions``: which ones, by weight, where not all of ``FAULTS`` and ``ACTIONS``."""

    steps: int = 60
    trouble: float = 0.12
    loss: float = 0.08
    faults: dict[str, int] = field(default_factory=dict)
    actions: dict[str, int] = field(default_factory=dict)


class Machine:
    """One computer."""

    def __init__(self, world: History, member: str, label: str, image: bytes | None = None) -> None:
        self.world = world
        self.member = member
        self.label = label
        self.clock = SkewedClock(world.time, world.rng.choice([0, 0, 0, -3 * DAY_MS, 3 * DAY_MS, 90_000]))
        self.profile = self._profile(image)
        self.private = str(self.profile.rows("SELECT id FROM projects ORDER BY created_at, id")[0][0])
        self.images: list[tuple[bytes, dict[str, str], str]] = []
        self.has_ended = False
        self.journal: dict[str, str] = {}  # the changes this computer made in shared projects
        self.steps: Generator[Request, Any, RoundResult] | None = None
        self.answer: Any = None
        self.error: Exception | None = None
        self.team: Any = None
        self.connect()
        self.fingerprint = checks.fingerprint(self.profile, self.private)

    def _profile(self, image: bytes | None) -> Profile:
        profile = Profile(self.clock, workspace_id=self.world.workspace, member_id=self.member, image=image)
        profile.db.is_busy = lambda: self.world.pace.random() < 0.5
        self.hand = Hand(profile, self.world.rng, self.label, self.world.mix.actions)
        profile.db.log_watch.listener = lambda projects: self.link.record_written(sorted(projects))
        return profile

    def connect(self) -> None:
        """A new connection; what was under way is forgotten."""
        if self.steps is not None:
            self.steps.close()
        self.steps = None
        self.link = Link()
        if self.team is not None:
            self.team.close()
        self.team = self.world.team_of(self.member)

    def become(self, image: bytes, journal: dict[str, str], fingerprint: str) -> None:
        """A backup is restored over this profile."""
        self.profile.db.close()
        self.profile = self._profile(image)
        self.journal = dict(journal)
        self.fingerprint = fingerprint
        self.connect()

    def finish_everything(self) -> None:
        """Every answer comes to its end."""
        for answer, project in self.profile.rows(
            "SELECT m.id, t.project_id FROM messages m JOIN threads t ON t.id = m.thread_id"
            " WHERE m.status IN ('pending', 'streaming') ORDER BY m.id"
        ):
            self.hand.finish(answer, project)
        self.fingerprint = checks.fingerprint(self.profile, self.private)

    def join_again(self) -> None:
        """The person was told that a copy of this profile is in use, waits for what is being written, and presses
        *Connect again*."""
        self.finish_everything()
        if self.profile.join_again():
            self.world.counts["copies that joined again"] += 1
            self.world.tell(f"{self.label} joins again")
            self.connect()

    def send_files(self) -> None:
        """Files that changes wait for are on the server."""
        self.profile.db.raw.execute("UPDATE shared_files SET state = 'sent' WHERE state = 'to_send'")

    def has_files_to_send(self) -> bool:
        """Whether a change was just met that waits for its file: the next round sends it."""
        return bool(self.profile.rows("SELECT 1 FROM shared_files WHERE state = 'to_send' LIMIT 1"))

    def shared(self) -> list[str]:
        rows = self.profile.rows("SELECT project_id FROM shared_projects WHERE state <> 'ended' ORDER BY project_id")
        return [str(row[0]) for row in rows]

    def act(self) -> str:
        """The person does something; its changes are remembered."""
        newest = self.profile.rows("SELECT coalesce(max(n), 0) FROM changes")[0][0]
        done = self.hand.act(self.shared(), self.private)
        for change, project in self.profile.rows(
            "SELECT c.id, c.project_id FROM changes c JOIN shared_projects s ON s.project_id = c.project_id"
            " WHERE c.n > ? AND s.state = 'shared' AND c.state = 0 AND c.mine = 1",
            newest,
        ):
            self.journal[change] = project
        self.fingerprint = checks.fingerprint(self.profile, self.private)
        return done


class History:
    def __init__(self, seed: int, mix: Mix | None = None, *, flaws: Flaws | None = None) -> None:
        self.seed = seed
        self.mix = mix or Mix()
        self.rng = random.Random(f"history {seed}")
        self.pace = random.Random(f"pace {seed}")  # of storage
        self.time = WorldTime()
        self.flaws = flaws or Flaws()
        self.counts: Counter[str] = Counter()
        self.story: list[str] = []
        self.late: list[Callable[[], object]] = []
        self.machines: list[Machine] = []
        self.backups: list[ModelServer] = []
        self.seen: dict[tuple[str, str], int] = {}  # how far a computer was when its member was removed
        self.odd: set[str] = set()  # rows of the log that no ChatDesk wrote
        self.rounds_to_rest = 0
        self.is_over = False

    def play(self) -> list[str]:
        """The whole history; what is wrong at its end."""
        with seeded_ids(self.seed):
            try:
                self._begin()
                for _ in range(self.mix.steps):
                    self._step()
                return self._heal()
            finally:
                for machine in self.machines:
                    machine.profile.db.close()

    def tell(self, line: str) -> None:
        self.story.append(line)

    def team_of(self, member: str) -> Any:
        """A member's connection to the server; tests with a real one give that."""
        return ModelTeam(self.server, member, proto=2)

    def begin_team(self, names: list[str]) -> dict[str, str]:
        """Makes the server; its members by name, the owner first."""
        self.server = ModelServer(new_id(), self.time.now_ms, flaws=self.flaws)
        members = {name: new_id() for name in names}
        for name, member in members.items():
            self.server.add_member(member, name, is_owner=name == names[0])
        return members

    # The beginning

    def _begin(self) -> None:
        names = ["Ann", "Bob", "Cyd", "Dan"][: self.rng.randint(2, 4)]
        self.members = self.begin_team(names)
        self.workspace = self.server.workspace_id
        for name, member in self.members.items():
            self.machines.append(Machine(self, member, name))
        if self.rng.random() < 0.4:
            self.machines.append(Machine(self, self.members["Bob"], "Bob's second"))
        owner = self.machines[0]
        for name in ("Plans", "More")[: self.rng.choice([1, 1, 2])]:
            project = owner.hand.new_project(name)
            for _ in range(self.rng.randint(0, 4)):
                owner.hand.act([project], owner.private)
            self._share(owner, project)
        owner.fingerprint = checks.fingerprint(owner.profile, owner.private)

    def _share(self, machine: Machine, project: str) -> None:
        self.server.create_project(machine.member, project)
        machine.profile.share(project)
        for member in self.members.values():
            if member != machine.member:
                self.server.set_role(project, member, self.rng.choice(["editor", "editor", "admin"]))

    # One step

    def _step(self) -> None:
        self.time.ms += self.rng.choice([1, 40, 900, 20_000, 400_000])
        chance = self.rng.random()
        if self.late and self.rng.random() < 0.15:
            self._arrive_late()
        if chance < self.mix.trouble:
            names = list(self.mix.faults or FAULTS)
            name = self.rng.choices(names, list((self.mix.faults or FAULTS).values()))[0]
            self.tell(f"fault: {name}")
            story = long_stories.ALL_STORIES.get(name)
            if story is not None:
                story(self)
            else:
                getattr(self, f"_fault_{name}")()
            return
        machine = self.rng.choice(self.machines)
        if chance < self.mix.trouble + 0.45:
            done = machine.act()
            self.counts[done] += 1
            self.tell(f"{machine.label}: {done}")
        else:
            self._advance(machine, self.rng.choice([2, 5, 9, 30, 100]))

    def _advance(self, machine: Machine, calls: int) -> None:
        """Some calls of the round of a computer, a new one where none is under way."""
        if machine.steps is None:
            machine.steps = self._round(machine)
            machine.answer = machine.error = None
        for _ in range(calls):
            try:
                request = self._next(machine)
            except StopIteration as end:
                machine.steps = None
                self._count(end.value)
                return
            except Crash:
                self._crash(machine)
                return
            except TeamError as error:
                self.tell(f"{machine.label}: {error.code}")
                machine.connect()
                if isinstance(error, TeamParked) and self.rng.random() < 0.5:
                    machine.join_again()
                return
            machine.answer = machine.error = None
            try:
                machine.answer = self._carry(machine, request)
            except Crash:
                self._crash(machine)
                return
            except Exception as error:  # noqa: BLE001 - the round decides what it means
                machine.error = error
        if self.rng.random() < 0.3:
            self._crash(machine)

    def _crash(self, machine: Machine) -> None:
        self.counts["crashes"] += 1
        self.tell(f"{machine.label}: crash")
        machine.connect()

    def _next(self, machine: Machine) -> Request:
        assert machine.steps is not None
        if machine.error is not None:
            return machine.steps.throw(machine.error)
        request = machine.steps.send(machine.answer)
        while isinstance(request, ToLocal) and request.method in _NO_STEPS:
            request = machine.steps.send(perform(request, machine.profile.store, machine.team))
        return request

    def _round(self, machine: Machine) -> Generator[Request, Any, RoundResult]:
        return sync_round(
            machine.link,
            name=machine.label,
            version="1",
            workspace_id=self.workspace,
            is_fresh=self.rng.random() < 0.7,
            pull_rows=self.rng.choice([3, 10, 500]),
        )

    def _count(self, result: RoundResult) -> None:
        self.counts["rounds"] += 1
        self.counts["rows pulled"] += result.received
        self.counts["rows pushed"] += result.sent
        self.counts["changes refused"] += result.refused

    # The network

    def _carry(self, machine: Machine, request: Request) -> Any:
        if not isinstance(request, ToTeam):
            return perform(request, machine.profile.store, machine.team)
        if self.is_over or self.rng.random() >= self.mix.loss:
            return perform(request, machine.profile.store, machine.team)
        kind = self.rng.choice(["request lost", "reply lost", "arrives late", "arrives twice"])
        self.counts[kind] += 1
        self.tell(f"{machine.label}: {request.method}: {kind}")
        store, again = machine.profile.store, self.team_of(machine.member)
        if kind == "arrives twice":
            self.late.append(lambda: perform(request, store, again))
            return perform(request, store, machine.team)
        if kind == "reply lost":
            perform(request, store, machine.team)
        elif kind == "arrives late":
            self.late.append(lambda: perform(request, store, again))
        machine.team.abort()
        raise TeamUnreachable

    def _arrive_late(self) -> None:
        call = self.late.pop(self.rng.randrange(len(self.late)))
        try:
            call()
        except TeamError:
            self.tell("something arrived late and was refused")

    # Faults

    def _fault_copy_profile(self) -> None:
        if len(self.machines) < 6:
            source = self.rng.choice(self.machines)
            copy = Machine(self, source.member, f"{source.label}'s copy", source.profile.db.image())
            copy.journal = dict(source.journal)
            copy.private = source.private
            copy.fingerprint = source.fingerprint
            self.machines.append(copy)
            self.counts["copied profiles"] += 1

    def _fault_back_up_profile(self) -> None:
        machine = self.rng.choice(self.machines)
        machine.images.append((machine.profile.db.image(), dict(machine.journal), machine.fingerprint))

    def _fault_restore_profile(self) -> None:
        machine = self.rng.choice(self.machines)
        if machine.images:
            machine.become(*self.rng.choice(machine.images))
            self.counts["restored profiles"] += 1
            self.tell(f"{machine.label} was restored")

    def _fault_destroy_computer(self) -> None:
        if len(self.machines) > 2:
            gone = self.machines.pop(self.rng.randrange(1, len(self.machines)))
            gone.profile.db.close()
            self.counts["destroyed computers"] += 1
            self.tell(f"{gone.label} is destroyed")

    def _fault_new_computer(self) -> None:
        if len(self.machines) < 6:
            name, member = self.rng.choice(list(self.members.items()))
            self.machines.append(Machine(self, member, f"{name}'s new"))
            self.counts["new computers"] += 1

    def _fault_back_up_server(self) -> None:
        self.backups.append(self.server.snapshot())

    def _fault_restore_server(self) -> None:
        if self.backups:
            self.restore(self.rng.choice(self.backups))

    def restore(self, backup: ModelServer) -> None:
        """The server is what it was when a backup was made."""
        self.server.become(backup)
        self.seen.clear()
        self.late.clear()
        for machine in self.machines:
            machine.team.abort()
            if self.rng.random() < 0.5:
                machine.connect()
        self.counts["restored servers"] += 1

    def _fault_jump_clock(self) -> None:
        machine = self.rng.choice(self.machines)
        machine.clock.skew_ms = self.rng.choice([0, 1, -1, 3, -3]) * DAY_MS + self.rng.randint(-90_000, 90_000)
        self.counts["clock jumps"] += 1

    def _fault_change_role(self) -> None:
        project, member = self._somebody()
        if project is not None:
            role = self.rng.choice(["viewer", "editor", "editor", "admin"])
            self.server.set_role(project, member, role)
            self.counts["changed roles"] += 1
            self.tell(f"{self._name(member)} becomes {role}")

    def _fault_remove_from_project(self) -> None:
        project, member = self._somebody()
        if project is not None:
            self.server.set_role(project, member, None)
            self.note_removal(project, member)
            self.counts["removed from a project"] += 1
            self.tell(f"{self._name(member)} is removed")

    def _fault_add_to_project(self) -> None:
        absent = [
            (project.id, member.id)
            for project in self.server.projects.values()
            for member in self.server.members.values()
            if member.status == "active" and member.id not in project.roles and not project.is_deleted
        ]
        if absent:
            project, member = self.rng.choice(absent)
            self.server.set_role(project, member, "editor")
            for machine in self.machines:
                self.seen.pop((machine.label, project), None)
            self.counts["added to a project"] += 1
            self.tell(f"{self._name(member)} is added")

    def note_removal(self, project: str, member: str) -> None:
        for machine in self.machines:
            if machine.member == member:
                seq = machine.profile.rows("SELECT seq FROM shared_projects WHERE project_id = ?", project)
                head = self.server.projects[project].head
                self.seen[machine.label, project] = max(head, seq[0][0] if seq else 0)

    def _fault_remove_member(self) -> None:
        _, member = self._somebody()
        active = [each for each in self.server.members.values() if each.status == "active"]
        # The workspace's only owner stays, whatever they are in a project.
        if member and len(active) > 2 and not self.server.members[member].is_owner:
            for project_id in self.server.projects:
                self.note_removal(project_id, member)
            self.server.remove_member(member)
            self.counts["removed members"] += 1
            self.tell(f"{self._name(member)} is removed from the team")

    def _fault_end_project(self) -> None:
        if len(self.server.projects) > 1:
            self.server.end_project(self.rng.choice(list(self.server.projects)))
            self.counts["ended projects"] += 1

    def _fault_share_another(self) -> None:
        machine = self.rng.choice(self.machines)
        if len(self.server.projects) < 3 and self.server.members[machine.member].status == "active":
            project = machine.hand.new_project(f"Of {machine.label}")
            for _ in range(self.rng.randint(1, 4)):
                machine.hand.act([project], machine.private)
            machine.fingerprint = checks.fingerprint(machine.profile, machine.private)
            self._share(machine, project)
            self.counts["projects shared"] += 1

    def _fault_too_old(self) -> None:
        self.server.min_write = 5 - self.server.min_write  # 2 or 3
        self.counts["versions too old to write"] += 1

    def _fault_odd_row(self) -> None:
        """Somebody with the owner's rights on the database writes nonsense into the log."""
        project = self.rng.choice(list(self.server.projects.values()))
        known = [entity for entity, thing in self.server.entities.items() if thing.project_id == project.id]
        thing = self.rng.choice([new_id(), self.machines[0].private, *known])
        now = self.time.now_ms()
        row = PulledChange(
            id=new_id(),
            seq=project.head + 1,
            device=new_id(),
            dseq=1,
            author=self.rng.choice(list(self.members.values())),
            kind=self.rng.choice(["message", "thread", "summary", "project", "spaceship"]),
            # Nobody but its owner knows that the private one is somebody's, so others could take a new thing for real.
            op=self.rng.choice(["edit" if thing == self.machines[0].private else "new", "edit", "del", "launch"]),
            entity=thing,
            reg=self.rng.choice(["content", "title", "lww.model", "lww.pinned", "odd", "lww.tag.x"]),
            parents=(),
            hlc=now << 16,
            body=self.rng.choice([None, "{}", '{"thread_id": 7}', '{"title": ["a"]}', "[", '{"covers": {"x": "y"}}']),
            chain=b"",
            at=now,
        )
        row = replace(row, digest=body_digest(row.body))
        chain = row.chain_after(project.rows[-1].chain if project.rows else None)
        self.server.changes[row.id] = (project.id, project.head)
        self.server.places.add((row.device, row.dseq))
        project.rows.append(replace(row, chain=chain))
        self.odd.add(row.id)
        self.counts["odd rows"] += 1

    def _somebody(self) -> tuple[str | None, str]:
        """A project, and one of its members who is not its owner."""
        pairs = [
            (project.id, member)
            for project in self.server.projects.values()
            for member, role in project.roles.items()
            if role != "owner" and not project.is_deleted
        ]
        return self.rng.choice(pairs) if pairs else (None, "")

    def _name(self, member: str) -> str:
        return next(name for name, known in self.members.items() if known == member)

    def rest(self, machines: Sequence[Machine]) -> None:
        """These come to rest, without trouble; the others may be anywhere."""
        for _ in range(MOST_ROUNDS):
            if not sum(self._whole_round(machine) for machine in machines):
                return

    # The end

    def _heal(self) -> list[str]:
        """No more trouble: everybody comes to rest, and holds what everybody should."""
        self.is_over = True
        while self.late:
            self._arrive_late()
        self.server.min_write = 1
        self.time.ms += DAY_MS  # what waits for a while, waits no more
        for machine in self.machines:
            machine.connect()
            machine.finish_everything()
        held = checks.what_is_held(self)
        rounds = 0
        while sum(self._whole_round(machine) for machine in self.machines):
            rounds += 1
            if rounds == MOST_ROUNDS:
                return [f"the team does not come to rest in {MOST_ROUNDS} rounds"]
        self.rounds_to_rest = rounds
        return self._check(held)

    def _check(self, held: dict[str, set[str]]) -> list[str]:
        return checks.problems(self, held)

    def _whole_round(self, machine: Machine) -> bool:
        """Whether it moved anything."""
        self.time.ms += 1000
        machine.send_files()
        steps = sync_round(machine.link, name=machine.label, version="1", workspace_id=self.workspace)
        machine.steps, machine.answer, machine.error = steps, None, None
        try:
            while True:
                request = self._next(machine)
                machine.answer = machine.error = None
                try:
                    machine.answer = perform(request, machine.profile.store, machine.team)
                except Exception as error:  # noqa: BLE001 - the round decides what it means
                    machine.error = error
        except StopIteration as end:
            machine.steps = None
            result: RoundResult = end.value
            self._count(result)
            for _, problem in result.problems:
                self.tell(f"{machine.label}: {problem.code}")
            # A project that was only just taken up, or ended, may have to be told to others.
            moved = result.sent or result.received or result.refused or result.changed_projects or result.problems
            return bool(moved) or machine.has_files_to_send()
        except TeamError as error:  # removed from the team, or a copy
            self.tell(f"{machine.label}: {error.code}")
            machine.connect()
            if isinstance(error, TeamParked):
                machine.join_again()
            return isinstance(error, TeamParked)


FAULTS = {
    "copy_profile": 5,
    "back_up_profile": 8,
    "restore_profile": 6,
    "destroy_computer": 2,
    "new_computer": 3,
    "back_up_server": 8,
    "restore_server": 6,
    "jump_clock": 6,
    "change_role": 8,
    "remove_from_project": 3,
    "add_to_project": 3,
    "remove_member": 1,
    "end_project": 1,
    "share_another": 3,
    "too_old": 2,
    "odd_row": 5,
}
# Months instead of days; without nonsense in the log, so that all of it is worked out a second time.
LONG = Mix(
    steps=45,
    trouble=0.3,
    faults={name: weight for name, weight in FAULTS.items() if name != "odd_row"} | long_stories.WEIGHTS,
    actions=LONG_ACTIONS,
)
# People who leave, go on by themselves, and come back.
COPIES = Mix(
    steps=70,
    trouble=0.35,
    loss=0.02,
    faults={"change_role": 2, "restore_profile": 1, "back_up_profile": 1} | long_stories.COPY_WEIGHTS,
    actions={"begin_thread": 3, "ask": 20, "answer_again": 4, "delete_message": 3, "restore_message": 8, "rename": 2},
)
# Much is erased, and the server restored from before that.
ERASING = Mix(
    trouble=0.15,
    faults={"copy_profile": 1, "back_up_profile": 2, "restore_profile": 2, "destroy_computer": 1, "change_role": 1}
    | dict.fromkeys(long_stories.ERASING_STORIES, 6),
    actions={"begin_thread": 4, "ask": 8, "rename": 3, "erase_message": 5, "erase_thread": 3, "delete_thread": 1},
)
