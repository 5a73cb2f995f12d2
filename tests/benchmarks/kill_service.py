"""The row of the local service that is killed in the middle of writes."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.table import Row
from tests.helpers.killed_service import kill_while_writing


def killing(folder: Path, is_quick: bool) -> list[Row]:
    folder.mkdir(parents=True)
    rounds = 20 if is_quick else 200
    killed = kill_while_writing(folder, rounds=rounds)
    name = f"kill -9 of the service x {rounds}: {killed.acknowledged} acknowledged"
    wrong = killed.lost + killed.doubled + killed.unknown
    return [Row(name, wrong, "wrong", "nothing lost, nothing twice", wrong == 0)]
