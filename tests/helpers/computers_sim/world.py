"""Plays a history of two to five computers, each with a folder of its own, between which a hostile carrier copies.

A seed tells the same history again: ``python -m tests.helpers.computers_sim --count 1000``.
"""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.sync.computers.folder_store import is_library_of
from chatdesk.core.sync.computers.library_key import LibraryKey
from chatdesk.core.sync.computers.place import Place, PlaceFull
from chatdesk.core.sync.errors import TeamParked
from chatdesk.core.sync.requests import Link
from chatdesk.core.sync.round import sync_round
from tests.helpers.computers_sim.own_computer import OwnComputer
from tests.helpers.computers_sim.own_hand import OWN_ACTIONS, OwnHand
from tests.helpers.driven_round import drive
from tests.helpers.sync_sim.seeded import SkewedClock, WorldTime, seeded_ids

_ROUNDS = 12
# How likely nobody is there for half a year.
_AWAY = 0.005
_PENDING = (
    "SELECT m.id, t.project_id FROM messages m JOIN threads t ON t.id = m.thread_id WHERE m.status = 'pending'"
    " ORDER BY m.id"
)


class Crash(BaseException):
    """The program ends."""


class FaultyPlace(Place):
    """A folder whose disk fills up, and a program that is killed before or after it wrote or removed a file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rng: random.Random | None = None

    def write(self, path: str, data: bytes) -> None:
        chance = 1.0 if self.rng is None else self.rng.random()
        if chance < 0.05:
            raise Crash
        if chance < 0.1:
            raise PlaceFull
        super().write(path, data)
        if chance < 0.15:
            raise Crash

    def remove_file(self, path: str) -> None:
        chance = 1.0 if self.rng is None else self.rng.random()
        if chance < 0.05:
            raise Crash
        super().remove_file(path)
        if chance < 0.1:
            raise Crash


class World:
    """One history. ``problems`` are sentences about what is not as it should be at its end."""

    def __init__(self, seed: int, folder: Path, *, computers: int = 2) -> None:
        self.rng = random.Random(seed)
        self.time = WorldTime()
        self.told: list[str] = []
        self.folder = folder
        self.key = LibraryKey(self.rng.randbytes(16))
        self.computers: list[OwnComputer] = []
        self.hands: list[OwnHand] = []
        self.own: list[set[str]] = []
        self.attic: list[tuple[Path, bytes]] = []  # what the carrier removed, by its name in the folder
        for _ in range(computers - 1):
            self._add()
        self.computers[0].begin()

    def _add(self) -> None:
        clock = SkewedClock(self.time, self.rng.choice((0, 0, -3_600_000, 86_400_000)))
        name = f"c{len(self.computers)}"
        added = OwnComputer(name, self.folder / name, self.key, clock, make_place=FaultyPlace)
        self.computers.append(added)
        self.hands.append(OwnHand(added.profile, self.rng, added.name, OWN_ACTIONS))
        self.own.append({added.computer})

    def play(self, steps: int) -> list[str]:
        """Play the history, let the carrier come to rest, and return the problems. The last computer joins late."""
        joins_at = self.rng.randrange(steps)
        for step in range(steps):
            if step == joins_at:
                self._add()
            self._set_faults(is_on=True)
            self.time.ms += self.rng.randrange(1, 100_000) * self.rng.choice((1, 1, 1, 100))
            if self.rng.random() < _AWAY:
                self.time.ms += 181 * 86_400_000
                self.told.append("half a year later")
            number = self.rng.randrange(len(self.computers))
            chance = self.rng.random()
            if chance < 0.5:
                projects = self.computers[number].projects()
                self.told.append(f"c{number} {self.hands[number].act(projects, projects[0])}")
            elif chance < 0.7:
                self._round(number)
            else:
                self._carry(number, self.rng.randrange(len(self.computers)))
        return self._rest()

    def _set_faults(self, *, is_on: bool) -> None:
        for each in self.computers:
            assert isinstance(each.place, FaultyPlace)
            each.place.rng = self.rng if is_on else None

    def _round(self, number: int) -> int:
        """A round, perhaps killed at one of its steps. Returns how much was sent and received."""
        computer = self.computers[number]
        store = computer.open()
        steps = sync_round(Link(), name=computer.name, version="1", workspace_id=computer.key.workspace_id)
        is_faulty = isinstance(computer.place, FaultyPlace) and computer.place.rng is not None
        left = self.rng.choice((5, 15, 40, 1000)) if is_faulty else 10**9

        def tell(_notice: object) -> None:
            nonlocal left
            left -= 7
            if left < 0:
                raise Crash

        try:
            result = drive(steps, computer.profile.store, store, tell=tell)
        except Crash:
            self.told.append(f"c{number} killed")
            return 1
        except TeamParked:
            computer.join()
            self.own[number].add(computer.computer)
            self.told.append(f"c{number} joins again")
            return 1
        except ChatDeskError as error:
            self.told.append(f"c{number} {error.code}")
            return 1  # it tries again
        finally:
            store.close()
        self.told.append(f"c{number} round {result.sent} {result.received}")
        return result.sent + result.received

    # The carrier

    def _carry(self, source: int, target: int, *, is_resting: bool = False) -> None:
        """Copy what ``source`` has to ``target``: all of it, or as it happens."""
        if source == target:
            return
        folder, there = self.computers[source].place_folder, self.computers[target].place_folder
        files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
        self.rng.shuffle(files)
        self._remove(source, target, is_resting=is_resting)
        for path in files:
            name = path.relative_to(folder)
            if name.parts[0] in self.own[target] or (len(name.parts) > 1 and name.parts[0] not in self.own[source]):
                continue
            copy = there / name
            if is_resting and len(name.parts) == 1 and not _is_begun(self.computers[source]):
                continue  # the newest version of the library's file wins: somebody has mended it
            if is_resting:
                self._copy(path, copy)
                continue
            self._bring(path, copy, there / str(name).upper())
        if not is_resting and self.rng.random() < 0.1 and files:
            merged = [path for path in files if path.suffix == ".merged"]
            self.rng.choice(merged if merged and self.rng.random() < 0.5 else files).unlink()
            self.told.append(f"c{source} lost a file")

    def _bring(self, path: Path, copy: Path, shouted: Path) -> None:
        """Bring a file whole, in part, under another name, or not at all."""
        chance = self.rng.random()
        if chance < 0.4:
            self._copy(path, copy)
        elif chance < 0.5:
            copy.parent.mkdir(parents=True, exist_ok=True)
            data = path.read_bytes()
            copy.write_bytes(data[: self.rng.randrange(len(data) + 1)])
        elif chance < 0.6:
            self._copy(path, copy.with_name(f"{copy.stem}.sync-conflict-2026{copy.suffix}"))
        elif chance < 0.65:
            self._copy(path, copy.with_name(f"{copy.stem} (conflicted copy){copy.suffix.upper()}"))
        elif chance < 0.68:
            self._copy(path, shouted)
        elif chance < 0.71:  # it shows a file that it has not brought
            self._put(copy, bytes(path.stat().st_size))
        elif chance < 0.73:
            copy.unlink(missing_ok=True)
            self._put(copy.with_name(f".{copy.name}.icloud"), b"bplist00")

    def _remove(self, source: int, target: int, *, is_resting: bool) -> None:
        """Remove what the source removed, before anything new is brought, and bring some of it back."""
        folder, there = self.computers[source].place_folder, self.computers[target].place_folder
        for path in sorted(there.glob("*/*")):
            name = path.relative_to(there)
            is_gone = name.parts[0] in self.own[source] and path.is_file() and not (folder / name).exists()
            if is_gone and (is_resting or self.rng.random() < 0.5):
                self.attic.append((name, path.read_bytes()))
                path.unlink()
        if self.attic and not is_resting and self.rng.random() < 0.2:
            name, data = self.rng.choice(self.attic)
            self._put(self.rng.choice((folder, there)) / name, data)
            self.told.append(f"{name} is back")

    def _put(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def _copy(self, path: Path, copy: Path) -> None:
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)

    # The end

    def _rest(self) -> list[str]:
        self._set_faults(is_on=False)
        if not any(_is_begun(each) for each in self.computers):
            self.computers[0].begin()
        for hand in self.hands:
            for message, project in hand.profile.rows(_PENDING):
                hand.finish(message, project)
        for _ in range(_ROUNDS):
            self.time.ms += 1_000_000
            moved = 0
            for source in range(len(self.computers)):
                for target in range(len(self.computers)):
                    if source != target:
                        self._carry(source, target, is_resting=True)
            for number in range(len(self.computers)):
                moved += self._round(number)
            if not moved:
                return self._problems()
        return ["it does not come to rest"]

    def _problems(self) -> list[str]:
        found = []
        first = self.computers[0]
        for each in self.computers[1:]:
            if each.texts() != first.texts():
                only = set(first.texts()) ^ set(each.texts())
                found.append(f"{first.name} and {each.name} have other texts: {sorted(only)[:5]}")
            elif each.shown() != first.shown():
                found.append(f"{first.name} and {each.name} show something else")
        for each in self.computers:
            waiting = each.profile.rows(
                "SELECT count(*) FROM changes WHERE state IN (0, 4) AND project_id IN"
                " (SELECT project_id FROM shared_projects)"
            )[0][0]
            if waiting:
                found.append(f"{each.name} still has {waiting} changes to send")
            refused = each.profile.rows("SELECT kind, problem FROM changes WHERE state = 2 AND problem <> 'overruled'")
            if refused:
                found.append(f"{each.name} was refused {refused[:3]}")
        return found


def _is_begun(computer: OwnComputer) -> bool:
    return any(is_library_of(computer.key, computer.place.read(path)) for path in computer.place.libraries())


def play(seed: int, folder: Path, *, steps: int = 60) -> list[str]:
    """Play the history of a seed. Returns its problems."""
    with seeded_ids(seed):
        return World(seed, folder, computers=2 + seed % 4).play(steps)
