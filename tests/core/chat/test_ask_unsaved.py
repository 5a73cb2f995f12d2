"""A question of a script whose answer cannot be saved: told at once, given up after a while, stored once it can be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.chat.ask import ask
from chatdesk.core.errors import AnswerNotSaved, StorageFull
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.services.owner import open_services
from tests.helpers.full_disk import FullDisk

SETTINGS = Settings(offline_speed_tokens_per_s=0)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[FullDisk]:
    disk = FullDisk(monkeypatch)
    yield disk
    disk.trouble = None


async def test_it_is_given_up_after_a_while(tmp_path: Path, disk: FullDisk) -> None:
    events: list[dict[str, Any]] = []

    async def run() -> None:
        async with open_services(AppPaths.find(tmp_path), SETTINGS) as services:
            # What is asked for is closed by its end.
            async for event in ask(services.chat, services.events, "hello", patience_s=0.3):
                events.append(event)
                disk.trouble = StorageFull

    with pytest.raises(AnswerNotSaved) as caught:
        await run()
    assert [event["event"] for event in events] == ["start", "unsaved"]
    assert "window" not in events[-1]["reason"] + caught.value.sentence
    assert caught.value.next_step == StorageFull.next_step


async def test_a_disk_that_has_room_again_gets_all_of_it(tmp_path: Path, disk: FullDisk) -> None:
    async with open_services(AppPaths.find(tmp_path), SETTINGS) as services:
        kinds = []
        async for event in ask(services.chat, services.events, "hello", patience_s=60.0):
            kinds.append(event["event"])
            disk.trouble = StorageFull if event["event"] == "start" else None
        assert kinds[:2] == ["start", "unsaved"]
        assert kinds[-1] == "finish"
        stored = await services.chat.reader.get_thread_messages(event["thread_id"], 5)
        assert stored.messages[-1].text == event["text"] != ""
