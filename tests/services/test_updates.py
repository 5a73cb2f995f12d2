"""The service for updates over the real services: the backup that it makes, and what it waits for."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chatdesk import __version__
from chatdesk.cli.main import run
from chatdesk.core.domain.tools import Answer, ApprovalRequest, Tool, ToolHints
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.core.updates.errors import NotDuringAnswers
from chatdesk.core.updates.feed_source import FeedSource
from chatdesk.core.updates.installation import Installation, InstallKind
from chatdesk.services import updates
from chatdesk.services.owner import open_services
from tests.helpers.update_feed import UpdateWorld, update_world
from tests.helpers.waiting import until

SLOW = Settings(provider="offline", offline_speed_tokens_per_s=1)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[UpdateWorld]:
    """A feed with 99.0.0, which is newer than this program."""
    with update_world(tmp_path / "world") as made:
        made.publish("99.0.0")
        found = Installation(InstallKind.PORTABLE, made.place)
        monkeypatch.setattr(updates, "find_installation", lambda: found)
        monkeypatch.setattr(updates, "read_feed_source", lambda _resources: FeedSource(made.address, made.root))
        yield made


async def test_an_update_keeps_the_data_of_before_and_waits_for_answers(world: UpdateWorld, tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path / "data")
    async with open_services(paths, SLOW) as services:
        service = updates.build_updates(services)
        found = await service.check()
        assert found is not None
        thread = (await services.chat.create_thread(None, "", "How do herons fish?")).thread
        assert services.chat.is_writing
        with pytest.raises(NotDuringAnswers):
            await service.install(found, lambda _step, _percent: None)
        assert world.starts() == "0.2.0"
        await services.chat.stop(thread.id)
        await services.chat.turns.wait_for_all()
        await service.install(found, lambda _step, _percent: None)
    assert world.starts() == "99.0.0"
    (backup,) = paths.backup_dir.glob("chatdesk-pre-*.db")
    assert backup.name == f"chatdesk-pre-99.0.0-from-{__version__}.db"
    with closing(sqlite3.connect(backup)) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert conn.execute("SELECT count(*) FROM messages").fetchone() == (2,)


async def test_an_update_waits_for_calls_that_wait_for_a_person(world: UpdateWorld, tmp_path: Path) -> None:
    tool = Tool("files", "Files", "list", "", "", {}, ToolHints(), "0" * 64)
    async with open_services(AppPaths.find(tmp_path / "data"), SLOW) as services:
        service = updates.build_updates(services)
        found = await service.check()
        assert found is not None
        approvals = services.chat.tools.approvals
        approvals.attend()  # as where a window is open
        asked = asyncio.ensure_future(approvals.ask(ApprovalRequest("r", "t", "m", tool, "{}", "here")))
        await until(approvals.waiting)
        with pytest.raises(NotDuringAnswers, match="a call waits for you"):
            await service.install(found, lambda _step, _percent: None)
        assert world.starts() == "0.2.0"
        approvals.answer("r", Answer.DENY)
        await asked


def test_the_doctor_says_how_this_copy_is_updated_and_asks_no_feed(
    world: UpdateWorld, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["--data-dir", str(tmp_path / "data"), "doctor", "--json"])
    (found,) = (each for each in json.loads(capsys.readouterr().out)["findings"] if each["name"] == "updates")
    assert found["level"] == "ok"
    assert found["message"] == "A checkout: “git pull” brings a new version."
    assert found["details"] == {"installed_by": "checkout", "is_looked_for": False}
    assert world.requested == []
