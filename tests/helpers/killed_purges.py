"""Kills a process while it removes threads for good, again and again, and looks at what is left.

python -m tests.helpers.killed_purges FOLDER CYCLES SEED
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from sqlalchemy.engine import Connection

from chatdesk.core.clock import Clock
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.library.library import LibraryRepository
from chatdesk.core.storage.library.trash_store import TrashRepository
from chatdesk.core.storage.profile_database import ProfileDatabase
from tests.helpers.bulk_data import make_database
from tests.helpers.checks import quick_check

_THREADS, _MESSAGES, _A_CYCLE = 400, 12, 6
_LONGEST_S = 0.12


def _database(path: Path) -> Database:
    return ProfileDatabase(path, clock=Clock(), backup_dir=path.parent / "backups")


async def _purge(path: Path, doomed: list[str]) -> None:
    db = _database(path)
    await db.open()
    library = LibraryRepository(db)
    await library.delete(doomed)
    await library.mark_gone(doomed)
    await TrashRepository(db).purge_expired()
    await db.close()


def _damage(conn: Connection) -> list[str]:
    """Threads that anybody could see, and yet not all of them is there."""
    rows = conn.exec_driver_sql(
        "SELECT t.id, t.message_count, (SELECT count(*) FROM messages m WHERE m.thread_id = t.id) AS found,"
        " (SELECT count(*) FROM message_parts p JOIN messages m ON m.id = p.message_id WHERE m.thread_id = t.id)"
        " FROM threads t WHERE t.deleted_at IS NOT 0 AND (found <> t.message_count OR found = 0)"
    )
    return [f"thread {row[0]} has {row[2]} of {row[1]} messages and {row[3]} parts" for row in rows]


async def _look(path: Path, *, untouched: set[str], given_up: set[str]) -> list[str]:
    db = _database(path)
    await db.open()
    try:
        problems = await db.read(_damage)
        present = await db.read(
            lambda conn: {row[0]: row[1] for row in conn.exec_driver_sql("SELECT id, deleted_at FROM threads").all()}
        )
        problems += [f"thread {each} is lost" for each in untouched - present.keys()]
        problems += [f"thread {each} was never deleted" for each in untouched if present.get(each) is not None]
        # All of a selection was given up, or none.
        states = {present.get(each, 0) == 0 for each in given_up}
        if len(states) > 1:
            problems.append("some of a selection were given up and some were not")
        return problems + await quick_check(db)
    finally:
        await db.close()


def kill_purges(folder: Path, cycles: int, seed: int) -> dict[str, object]:
    """``problems`` are sentences; empty means that nothing was lost and nothing half done could be seen."""
    chance = random.Random(seed)
    path = folder / "chatdesk.db"
    ids = asyncio.run(make_database(path, threads=_THREADS, messages_per_thread=_MESSAGES))
    problems: list[str] = []
    killed = 0
    for _cycle in range(min(cycles, _THREADS // _A_CYCLE - 1)):
        doomed, ids = ids[:_A_CYCLE], ids[_A_CYCLE:]
        child = os.fork()
        if child == 0:
            try:
                asyncio.run(_purge(path, doomed))
            finally:
                os._exit(0)
        time.sleep(chance.uniform(0, _LONGEST_S))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
        problems += asyncio.run(_look(path, untouched=set(ids), given_up=set(doomed)))

    async def finish() -> list[str]:
        db = _database(path)
        await db.open()
        try:
            await TrashRepository(db).purge_expired()
            left = await db.read(
                lambda conn: conn.exec_driver_sql(
                    "SELECT count(*) FROM threads WHERE deleted_at = 0 UNION ALL"
                    " SELECT count(*) FROM messages WHERE thread_id NOT IN (SELECT id FROM threads)"
                ).all()
            )
            return [] if all(row[0] == 0 for row in left) else ["the next purge did not go on"]
        finally:
            await db.close()

    problems += asyncio.run(finish())
    return {"cycles": cycles, "killed": killed, "problems": problems}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(kill_purges(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
