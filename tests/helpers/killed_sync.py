"""A member's computer that is killed in the middle: writes and syncs until somebody ends it, and notes what it wrote.

    python -m tests.helpers.killed_sync <folder> <thread> <seed> …    # one life for each seed

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
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from chatdesk.core.errors import ChatDeskError
from tests.helpers.team_world import Desk

ROOT = Path(__file__).resolve().parents[2]
READY = b"ready"


async def _live(folder: Path, thread_id: str, seed: int, on_ready: Callable[[], object]) -> None:
    chance = random.Random(seed)
    desk = Desk(folder, environ=os.environ)
    await desk.open()
    on_ready()
    with (folder / "journal").open("a", encoding="ascii") as journal:
        while True:
            try:
                ids = await desk.ask(thread_id, f"{folder.name} {seed} {chance.random()}")
            except ChatDeskError:
                continue
            journal.write("".join(f"{each}\n" for each in ids))
            journal.flush()
            await asyncio.sleep(chance.random() * 0.05)


def run_and_kill(folder: Path, thread_id: str, variables: Mapping[str, str], *, seeds: Iterable[int]) -> None:
    """One life after the other: each between 20 ms and 700 ms of work, then SIGKILL."""
    subprocess.run(
        [sys.executable, "-m", "tests.helpers.killed_sync", str(folder), thread_id, *map(str, seeds)],
        cwd=ROOT,
        env={**os.environ, **variables},
        check=True,
    )


def _be_killed(folder: Path, thread_id: str, seed: int) -> None:
    """Fork a life, which spares it the imports, and kill it."""
    source, sink = os.pipe()
    life = os.fork()
    if not life:
        try:
            asyncio.run(_live(folder, thread_id, seed, lambda: os.write(sink, READY)))
        finally:
            os._exit(1)
    os.close(sink)
    told = os.read(source, len(READY))
    os.close(source)
    time.sleep(random.Random(seed).uniform(0.02, 0.7))
    os.kill(life, signal.SIGKILL)
    os.waitpid(life, 0)
    assert told == READY, "it died before it began"


def journaled(folder: Path) -> list[str]:
    """Ids of messages that were committed; a last line that was cut off does not count."""
    try:
        text = (folder / "journal").read_text(encoding="ascii")
    except FileNotFoundError:
        return []
    return text[: text.rfind("\n") + 1].split()


if __name__ == "__main__":
    for each in sys.argv[3:]:
        _be_killed(Path(sys.argv[1]), sys.argv[2], int(each))
