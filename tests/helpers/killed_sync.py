"""A member's computer that is killed in the middle: writes and syncs until somebody ends it, and notes what it wrote.

    python -m tests.helpers.killed_sync <folder> <thread> <seed>

A line of ``journal`` is written once the message that it names is committed. The password comes from the environment.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.sync.members.team_passwords import VARIABLE
from tests.helpers.team_world import Desk

ROOT = Path(__file__).resolve().parents[2]
READY = "ready"


async def _live(folder: Path, thread_id: str, seed: int) -> None:
    chance = random.Random(seed)
    desk = Desk(folder, environ=os.environ)
    await desk.open()
    print(READY, flush=True)  # noqa: T201 - for whoever waits to kill it
    with (folder / "journal").open("a", encoding="ascii") as journal:
        while True:
            try:
                ids = await desk.ask(thread_id, f"{folder.name} {seed} {chance.random()}")
            except ChatDeskError:
                continue
            journal.write("".join(f"{each}\n" for each in ids))
            journal.flush()
            await asyncio.sleep(chance.random() * 0.05)


def run_and_kill(folder: Path, thread_id: str, password: str, *, seed: int) -> None:
    """One life: between 20 ms and 700 ms of work, then SIGKILL."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.helpers.killed_sync", str(folder), thread_id, str(seed)],
        cwd=ROOT,
        env=os.environ | {VARIABLE: password},
        stdout=subprocess.PIPE,
        text=True,
    ) as life:
        assert life.stdout is not None
        line = life.stdout.readline().strip()
        time.sleep(random.Random(seed).uniform(0.02, 0.7))
        life.send_signal(signal.SIGKILL)
        life.wait(10)
    assert line == READY, "it died before it began"


def journaled(folder: Path) -> list[str]:
    """Ids of messages that were committed; a last line that was cut off does not count."""
    try:
        text = (folder / "journal").read_text(encoding="ascii")
    except FileNotFoundError:
        return []
    return text[: text.rfind("\n") + 1].split()


if __name__ == "__main__":
    asyncio.run(_live(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
