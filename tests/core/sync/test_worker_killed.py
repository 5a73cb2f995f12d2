"""Members' computers are killed in the middle of syncing: nothing that was written is lost, nothing is there twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.benchmarks.kill_sync import kill_often
from tests.helpers.postgres import TeamDatabase


async def test_ten_kills_lose_nothing_and_double_nothing(tmp_path: Path, workspace: TeamDatabase) -> None:
    outcome = await asyncio.to_thread(kill_often, tmp_path, workspace, 10)
    assert outcome.written >= 10
    assert outcome.lost == 0
    assert outcome.twice == 0
    assert outcome.digests == 1
