"""How a running ChatDesk is: asked over the line by doctor, in numbers, without names or words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pytest

from chatdesk.cli.doctor import examine
from chatdesk.core.diagnostics.doctor import Level
from chatdesk.core.diagnostics.metrics import Metrics
from chatdesk.core.domain.message import Message, Role, Status
from chatdesk.core.domain.sharing.team import SyncPhase, SyncStatus
from chatdesk.core.errors import StorageFull
from chatdesk.core.events import (
    AnswerFinished,
    EventBus,
    ReachabilityChanged,
    RetryWaiting,
    StorageFailed,
    SyncStatusChanged,
)
from chatdesk.core.local_api.client import owner_health
from chatdesk.core.local_api.instance import InstanceLock
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.core.settings.store import SettingsStore
from chatdesk.core.storage.engine.database import Database
from chatdesk.services.asking import ask
from chatdesk.services.owner import open_services
from tests.helpers.owned_directory import owner_of

ROOT = Path(__file__).parents[1]
WORDS = "marked-words-4711"
FAST = Settings(offline_speed_tokens_per_s=0)


def _answer(status: Status, *, latency_ms: int, error_type: str | None = None) -> AnswerFinished:
    return AnswerFinished(
        Message(
            "m", "t", "q", Role.ASSISTANT, status, 0, 1,
            latency_ms=latency_ms, time_to_first_token_ms=latency_ms // 10, prompt_tokens=100, completion_tokens=10,
            error_type=error_type, error=WORDS,
        )
    )  # fmt: skip


def test_metrics_count_what_the_bus_carries() -> None:
    bus = EventBus()
    metrics = Metrics(bus)
    assert metrics.as_data()["latency_ms"] is None
    for latency_ms in range(100, 1100, 100):
        bus.publish(_answer(Status.COMPLETE, latency_ms=latency_ms))
    bus.publish(_answer(Status.ERROR, latency_ms=50, error_type="rate_limited"))
    bus.publish(RetryWaiting("t", "m", 1, 2.0, WORDS))
    data = metrics.as_data()
    assert data["answers"] == {"complete": 10, "error": 1}
    assert data["reasons"] == {"rate_limited": 1}
    assert data["tokens"] == {"input": 1100, "output": 110}
    assert data["retries"] == 1
    assert data["latency_ms"] == {"median": 500, "p95": 1000}
    assert data["first_token_ms"] == {"median": 50, "p95": 100}
    assert WORDS not in json.dumps(data)


async def _owner_finding(paths: AppPaths) -> tuple[Level, str, dict[str, object]]:
    """What doctor says in a process of its own, as it always is."""
    done = subprocess.run(
        [sys.executable, "-m", "chatdesk", "--data-dir", str(paths.data_dir), "doctor", "--json"],
        capture_output=True, text=True, timeout=110, cwd=ROOT,
    )  # fmt: skip
    found = next(each for each in json.loads(done.stdout)["findings"] if each["name"] == "owner")
    return Level(found["level"]), found["message"], found["details"]


async def test_an_owner_says_how_it_is(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path)
    async with open_services(paths, FAST) as owner:
        async for _event in ask(owner, f"hello {WORDS}"):
            pass
        owner.events.publish(ReachabilityChanged(("offline",), ("a", "b")))
        owner.events.publish(
            SyncStatusChanged(SyncStatus("w1", SyncPhase.OFFLINE, waiting=3, problem=WORDS, code="team_unreachable"))
        )
        health = await owner_health(paths.data_dir)
        assert health is not None
        assert (health["pid"], health["has_window"]) == (os.getpid(), False)
        assert health["loop_lag_ms"].keys() == {"median", "most"}
        assert health["database"]["is_writable"] is health["database"]["is_readable"] is True
        assert health["database"]["size_bytes"] == paths.database.stat().st_size
        assert health["queue"] == {"is_writing": False, "waiting": 0, "waiting_for_network": 2}
        assert {each["id"]: each["is_unreachable"] for each in health["providers"]} == {"offline": True}
        (workspace,) = health["team"]
        assert (workspace["workspace"], workspace["phase"], workspace["waiting"]) == ("w1", "offline", 3)
        assert health["since_start"]["answers"] == {"complete": 1}
        assert WORDS not in json.dumps(health)


async def test_an_owner_can_write_where_that_was_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = AppPaths.find(tmp_path)

    async def can_write() -> object:
        health = await owner_health(paths.data_dir)
        return health and health["database"]["is_writable"]

    async with open_services(paths, FAST) as owner:
        owner.events.publish(StorageFailed(StorageFull()))
        assert await can_write()
        with monkeypatch.context() as full:
            full.setattr(Database, "_write_once", Mock(side_effect=StorageFull))
            assert await can_write()  # nobody has met it yet
            with pytest.raises(StorageFull):
                await owner.library.projects.create("anything")
            assert not await can_write()
            assert not await can_write()
        assert await can_write()


@pytest.mark.parametrize(
    ("change", "level", "words"),
    [
        ({}, Level.OK, "answers: 2 complete"),
        ({"database": {"is_readable": False, "is_writable": False, "reason": "storage_gone"}}, Level.PROBLEM, "gone"),
        ({"database": {"is_readable": True, "is_writable": False, "reason": None}}, Level.PROBLEM, "cannot save"),
        ({"loop_lag_ms": {"median": 1, "most": 4000}}, Level.PROBLEM, "reacts late"),
        ({"providers": [{"id": "openai", "is_unreachable": True}]}, Level.NOTE, "openai cannot be reached"),
        ({"team": [{"workspace": "w1", "reason": "team_refused"}]}, Level.NOTE, "w1: team_refused"),
    ],
)
async def test_doctor_tells_what_a_window_says(
    tmp_path: Path, change: dict[str, object], level: Level, words: str
) -> None:
    health = {
        "event": "health",
        "database": {"is_readable": True, "is_writable": True, "reason": None},
        "loop_lag_ms": {"median": 0.1, "most": 2.0},
        "providers": [],
        "team": [],
        "queue": {"is_writing": False, "waiting": 0, "waiting_for_network": 0},
        "since_start": {"uptime_s": 600, "answers": {"complete": 2}},
    } | change

    async def verb(_request: dict[str, object]):  # type: ignore[no-untyped-def]
        yield health

    paths = AppPaths.find(tmp_path)
    paths.make_directories()
    async with owner_of(paths.data_dir, {"health": verb}):
        report = await examine(paths, SettingsStore(paths.settings_file).load(), environ={})
    found = next(each for each in report.findings if each.name == "owner")
    assert found.level is level
    assert words in found.message
    assert f"a window, process {os.getpid()}" in found.message


async def test_doctor_names_what_is_tried_out(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path)
    loaded = SettingsStore(paths.settings_file).load({"CHATDESK_IMAGE_TOOL": "1"})
    found = next(each for each in (await examine(paths, loaded, environ={})).findings if each.name == "settings")
    trial = found.details["trials"]["models.image_tool"]
    assert trial["is_on"] and trial["owner"]
    assert f"models.image_tool (on, {trial['until']})" in found.message


async def test_doctor_names_an_owner_that_does_not_answer(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path)
    async with open_services(paths, FAST):
        pass
    lock = InstanceLock(paths.data_dir, purpose="restore")
    assert lock.acquire()
    try:
        level, message, details = await _owner_finding(paths)
    finally:
        lock.release()
    assert (level, details["purpose"]) == (Level.NOTE, "restore")
    assert f"“chatdesk restore”, process {os.getpid()}, does not answer" in message
    level, message, _details = await _owner_finding(paths)
    assert (level, message) == (Level.OK, "no window is open and no other command is running")
