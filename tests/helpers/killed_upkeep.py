"""Kills a process in the middle of a backup, a restore, a purge or an upgrade, often, and looks at what is left.

Forked like ``killed_turns``: a cycle costs what the work costs. The database that is restored has half of the messages,
so that old and new can be told apart; anything between them is a loss.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from chatdesk.core.clock import Clock
from chatdesk.core.storage.chat.projects import ProjectRepository
from chatdesk.core.storage.engine import pending_restore
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.library.library import LibraryRepository
from chatdesk.core.storage.library.trash_store import TrashRepository
from chatdesk.core.storage.profile_database import ProfileDatabase
from chatdesk.core.storage.upkeep import backup_files, restore
from chatdesk.core.storage.upkeep.backup_directory import BackupDirectory
from tests.helpers.bulk_data import make_database
from tests.helpers.checks import integrity_check
from tests.helpers.make_old_database import make

_THREADS, _MESSAGES = 20, 50
_NOW = 1_800_000_000_000
_DAY = 86_400_000


@dataclass
class Tally:
    cycles: int = 0
    killed: int = 0
    problems: list[str] = field(default_factory=list)


def kill_repeatedly(folder: Path, kind: str, *, cycles: int, seed: int) -> Tally:
    """``kind``: backup, restore, purge or upgrade."""
    folder.mkdir(parents=True, exist_ok=True)
    chance, tally = random.Random(seed), Tally()
    world = _World(folder)
    work, check = world.steps(kind)
    whole = world.time(work)
    for cycle in range(cycles):
        world.prepare(kind, cycle)
        child = os.fork()
        if child == 0:
            with suppress(BaseException):
                work(cycle)
            os._exit(0)
        time.sleep(chance.uniform(0, whole))
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        tally.cycles += 1
        tally.killed += os.WIFSIGNALED(status)
        problem = check(cycle)
        if problem:
            tally.problems.append(f"{kind} {cycle}: {problem}")
    return tally


class _World:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "chatdesk.db"
        self.backups = folder / "backups"
        self.small, self.large = folder / "small.db", folder / "large.db"
        asyncio.run(make_database(self.small, threads=_THREADS // 2, messages_per_thread=_MESSAGES))
        asyncio.run(make_database(self.large, threads=_THREADS, messages_per_thread=_MESSAGES))
        self._copy(self.large)

    def steps(self, kind: str) -> tuple[Callable[[int], object], Callable[[int], str]]:
        return {
            "backup": (self._back_up, self._check_backups),
            "restore": (self._restore, self._check_restored),
            "purge": (self._purge, self._check_purged),
            "upgrade": (self._upgrade, self._check_upgraded),
        }[kind]

    def time(self, work: Callable[[int], object]) -> float:
        """How long the work takes when nobody disturbs it, so that kills fall all over it."""
        self.prepare("upgrade" if work == self._upgrade else "purge" if work == self._purge else "", 0)
        child = os.fork()
        begun = time.monotonic()
        if child == 0:
            with suppress(BaseException):
                work(10_000)
            os._exit(0)
        os.waitpid(child, 0)
        return 1.1 * (time.monotonic() - begun)

    def prepare(self, kind: str, _cycle: int) -> None:
        if kind == "upgrade":
            self._forget()
            make(self.path, "0013")
        elif kind == "purge":
            self._forget()
            self._copy(self.large)
            asyncio.run(self._trash_half())

    def _forget(self) -> None:
        for path in self.folder.glob("chatdesk.db*"):
            path.unlink()

    def _copy(self, source: Path) -> None:
        self.path.write_bytes(source.read_bytes())

    async def _trash_half(self) -> None:
        async with _opened(self.path) as db:
            project = (await ProjectRepository(db).default()).id
            found = await db.read(
                lambda conn: (
                    conn.exec_driver_sql("SELECT id FROM threads WHERE project_id = ? ORDER BY id", (project,))
                    .scalars()
                    .all()
                )
            )
            await LibraryRepository(db).delete(found[: _THREADS // 2])

    # The works

    def _back_up(self, cycle: int) -> None:
        shelf = BackupDirectory(self.backups, "chatdesk", daily=5, weekly=0)
        with closing(sqlite3.connect(self.path)) as conn:
            shelf.add(conn, _NOW + cycle * _DAY)

    def _restore(self, cycle: int) -> None:
        restore.prepare(self.small if cycle % 2 else self.large, self.path, blobs=self.folder / "blobs")
        restore.replace_database(self.path, backup_dir=self.backups, now_ms=_NOW + cycle * 1000)

    def _purge(self, _cycle: int) -> None:
        async def work() -> None:
            async with _opened(self.path) as db:
                await TrashRepository(db).purge_expired(Clock().now_ms() + _DAY)

        asyncio.run(work())

    def _upgrade(self, _cycle: int) -> None:
        async def work() -> None:
            async with _opened(self.path):
                pass

        asyncio.run(work())

    # What is left

    def _check_backups(self, _cycle: int) -> str:
        for each in BackupDirectory(self.backups, "chatdesk", daily=5, weekly=0).kept()[-2:]:
            plain = self.folder / "plain.db"
            backup_files.unpack(each.path, plain, is_room=lambda _count: None)
            if _count(plain) != _THREADS * _MESSAGES:
                return f"{each.path.name} is not whole"
        return self._sound((_THREADS * _MESSAGES,))

    def _check_restored(self, _cycle: int) -> str:
        problem = self._sound((_THREADS * _MESSAGES, _THREADS * _MESSAGES // 2))
        left = pending_restore.ready_path(self.path).exists()
        return problem or ("something was left behind" if left else "")

    def _check_purged(self, _cycle: int) -> str:
        live = _THREADS * _MESSAGES // 2
        problem = self._sound(range(live, _THREADS * _MESSAGES + 1))
        with closing(sqlite3.connect(self.path)) as conn:
            kept = conn.execute(
                "SELECT count(*) FROM messages m JOIN threads t ON t.id = m.thread_id WHERE t.deleted_at IS NULL"
            ).fetchone()[0]
        return problem or ("" if kept == live else f"{live - kept} live messages are gone")

    def _check_upgraded(self, _cycle: int) -> str:
        return self._sound((30,))

    def _sound(self, counts: object) -> str:
        async def look() -> str:
            async with _opened(self.path) as db:
                damage = await integrity_check(db)
                return damage[0] if damage else ""

        problem = asyncio.run(look())
        count = _count(self.path)
        return problem or ("" if count in counts else f"{count} messages")  # type: ignore[operator]


def _count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as conn:
        return int(conn.execute("SELECT count(*) FROM messages").fetchone()[0])


class _opened:
    def __init__(self, path: Path) -> None:
        self._db = ProfileDatabase(path, clock=Clock(), backup_dir=path.parent / "upgrades")

    async def __aenter__(self) -> Database:
        await self._db.open()
        return self._db

    async def __aexit__(self, *_exception: object) -> None:
        await self._db.close()


if __name__ == "__main__":
    # A process of its own: forking a test runner with threads is not safe.
    result = kill_repeatedly(Path(sys.argv[1]), sys.argv[2], cycles=int(sys.argv[3]), seed=int(sys.argv[4]))
    json.dump(result.__dict__, sys.stdout)
