"""A server that is restored to an older day, and a member who fills what it lost with words of their own before the
others come back: by SQL, under the ids of others' messages, as their own or in the others' names.

``HostileRestore(seed).play()`` is one such history. Afterwards everybody still has every word that they had, and
nobody's words are under another's name.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import replace

from chatdesk.core.domain.sharing.sync_wire import PulledChange, WireChange
from chatdesk.core.ids import new_id
from tests.helpers.sync_sim.seeded import seeded_ids
from tests.helpers.sync_sim.world import MOST_ROUNDS, History, Machine, Mix

_WORDS = re.compile(r"(Ann|Bob|Cyd|Dan)('s second)? \d+")
_ACTIONS = {"begin_thread": 3, "ask": 12, "answer_again": 3, "edit_question": 3}
MIX = Mix(steps=14, trouble=0, loss=0.05, actions=_ACTIONS)

# By text, who is said to have written it.
Shown = dict[str, set[str]]


class HostileRestore(History):
    """With the model of the server; ``RealHostileRestore`` has a PostgreSQL."""

    HOSTILE = "Bob"

    def __init__(self, seed: int, mix: Mix = MIX) -> None:
        super().__init__(seed, mix)

    def play(self) -> list[str]:
        with seeded_ids(self.seed):
            try:
                self._begin()
                self._write()
                self.backups.append(self.server.snapshot())
                self._write()
                self._rest()
                honest = [each for each in self.machines if each.member != self.members[self.HOSTILE]]
                before = {each.label: self._shown(each) for each in honest}
                lost = self._restore()
                self._forge(lost)
                self.rng.shuffle(honest)
                for machine in honest:
                    machine.connect()
                self.machines = honest
                rounds = self._rest()
                return rounds + [line for each in honest for line in self._judge(each, before[each.label])]
            finally:
                for machine in self.machines:
                    machine.profile.db.close()

    def _write(self) -> None:
        for _ in range(self.mix.steps):
            self._step()

    def _rest(self) -> list[str]:
        self.is_over = True
        while self.late:
            self._arrive_late()
        for machine in self.machines:
            machine.connect()
            machine.finish_everything()
        for _ in range(MOST_ROUNDS):
            if not sum(self._whole_round(machine) for machine in self.machines):
                self.is_over = False
                return []
        return ["the team does not come to rest"]

    def _look(self) -> None:
        """What the server holds is to be read again."""

    def _restore(self) -> list[tuple[str, PulledChange]]:
        """To the backup; what the server lost by it."""
        self._look()
        rows = [(project.id, row) for project in self.server.projects.values() for row in project.rows]
        self.server.become(self.backups[0])
        kept = {row.id for project in self.server.projects.values() for row in project.rows}
        for machine in self.machines:
            machine.team.abort()
        return [(project, row) for project, row in rows if row.id not in kept and project in self.server.projects]

    def _forge(self, lost: list[tuple[str, PulledChange]]) -> None:
        """Threads as they were, so that there is something to hang words below; words are changed, or claimed."""
        member = self.members[self.HOSTILE]
        team = self.team_of(member)
        device = new_id()
        team.hello(device, name="by SQL", version="1")
        place = 0
        for project, row in lost:
            if row.author == member and self.rng.random() < 0.5:
                continue
            body = row.body or "{}"
            if row.kind == "message" and self.rng.random() < 0.8:
                body = _WORDS.sub(lambda found: f"forged {found[0].split()[-1]}", body)
            place += 1
            change = WireChange(
                row.id, place, row.kind, row.op, row.entity, row.reg, row.parents, row.hlc, json.dumps(json.loads(body))
            )
            if self.rng.random() < 0.5:
                change = replace(change, device=row.device, dseq=row.dseq, is_gone=True)
            team.push(project, device, [change])
            self.counts["forged"] += 1
        team.close()

    def _shown(self, machine: Machine) -> Shown:
        """Texts of the shared projects, and in whose name they are on this computer."""
        names = {member: name for name, member in self.members.items()}
        shown: Shown = defaultdict(set)
        for text, author in machine.profile.rows(
            "SELECT p.content, m.author_id FROM messages m JOIN message_parts p ON p.message_id = m.id"
            " JOIN threads t ON t.id = m.thread_id WHERE t.project_id <> ? AND m.status <> 'error'",
            machine.private,
        ):
            for found in _WORDS.finditer(text):
                shown[found[0]].add(names[author or machine.member])
        return shown

    def _judge(self, machine: Machine, before: Shown) -> list[str]:
        after = self._shown(machine)
        wrong = [f"{machine.label} has lost {text!r}" for text in before if text not in after]
        for text, authors in after.items():
            own = text.split()[0].removesuffix("'s")
            # Whoever claims others' words says them, too; nobody else does, and those who wrote them still do.
            if not authors <= {own, self.HOSTILE} or (text in before and own not in authors):
                wrong.append(f"{machine.label} shows {text!r} by {sorted(authors)}")
        return wrong
