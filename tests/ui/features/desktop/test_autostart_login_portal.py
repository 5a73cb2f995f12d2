"""Starting at login through a portal, over a real session bus: desktops that agree, refuse, say nothing, and end."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

if not sys.platform.startswith("linux"):
    pytest.skip("portals are Linux'", allow_module_level=True)

from tests.helpers import notification_server

if notification_server.what_is_missing():
    pytest.skip("no dbus-daemon", allow_module_level=True)

from chatdesk.ui.features.desktop.autostart import NoStartAtLogin, ask_for_start_at_login
from tests.helpers.portal_server import SILENT, PortalServer
from tests.helpers.waiting import until


def answer(*, is_on: bool) -> tuple[int, dict[str, tuple[str, object]]]:
    return (0, {"background": ("b", True), "autostart": ("b", is_on)})


@pytest.fixture(autouse=True)
async def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    async with notification_server.session_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield


@pytest.mark.parametrize("is_on", [True, False])
async def test_the_desktop_is_asked_with_the_command_of_this_profile(is_on: bool) -> None:
    async with PortalServer({"RequestBackground": answer(is_on=is_on)}).on_bus() as server:
        await ask_for_start_at_login(is_on=is_on, arguments=("--data-dir", "/a b"))
        ((parent, options),) = server.asked("RequestBackground")
        assert parent == ""
        assert options["autostart"] == ("b", is_on)
        assert options["commandline"] == ("as", ["chatdesk", "--data-dir", "/a b"])


@pytest.mark.parametrize(
    "answers",
    [{"RequestBackground": (1, {})}, {"RequestBackground": (2, {})}, {"RequestBackground": answer(is_on=False)}, {}],
    ids=["the person said no", "it failed", "the desktop does other than asked", "no such portal"],
)
async def test_a_desktop_that_does_not_agree_is_told_of(answers: dict) -> None:  # type: ignore[type-arg]
    async with PortalServer(answers).on_bus():
        with pytest.raises(NoStartAtLogin):
            await ask_for_start_at_login(is_on=True)


async def test_without_a_portal_nothing_can_be_started() -> None:
    with pytest.raises(NoStartAtLogin):
        await ask_for_start_at_login(is_on=True)


async def test_a_desktop_that_ends_is_not_waited_for() -> None:
    async with PortalServer({"RequestBackground": SILENT}).on_bus() as server:
        asking = asyncio.ensure_future(ask_for_start_at_login(is_on=True))
        await until(lambda: server.asked("RequestBackground") != [])
    with pytest.raises(NoStartAtLogin):
        await asking


async def test_an_abandoned_question_is_withdrawn() -> None:
    async with PortalServer({"RequestBackground": SILENT}).on_bus() as server:
        asking = asyncio.ensure_future(ask_for_start_at_login(is_on=True))
        await until(lambda: server.asked("RequestBackground") != [])
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await until(lambda: len(server.closed_requests) == 1)
