"""Keys of a desktop through its portal, over a real session bus: portals that agree, refuse, say nothing, and end."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

if not sys.platform.startswith("linux"):
    pytest.skip("portals are Linux'", allow_module_level=True)

from tests.helpers import notification_server

if notification_server.what_is_missing():
    pytest.skip("no dbus-daemon", allow_module_level=True)

from chatdesk.ui.features.desktop import portal
from chatdesk.ui.features.desktop.portal_keys import KeysDenied, NoKeys, PortalKeys, trigger_of
from tests.helpers.portal_server import BUSY, PATH, SHORTCUTS, SILENT, PortalServer
from tests.helpers.published_portals import wrong_with_call, wrong_with_signal
from tests.helpers.waiting import until

SESSION = "/org/freedesktop/portal/desktop/session/1_2/chatdesk"
CREATED = (0, {"session_handle": ("s", SESSION)})
BOUND = (0, {"shortcuts": ("a(sa{sv})", [("quick-question", {"trigger_description": ("s", "Press Ctrl+Alt+J")})])})
KEY = "CTRL+ALT+space"


class Heard:
    """What the backend reports."""

    def __init__(self) -> None:
        self.pressed = 0
        self.lost: list[bool] = []
        self.keys = PortalKeys(self._press, self.lost.append, "Quick question")

    def _press(self) -> None:
        self.pressed += 1


@pytest.fixture
async def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    async with notification_server.session_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield


@pytest.fixture
async def heard(bus: None) -> AsyncIterator[Heard]:
    made = Heard()
    yield made
    await made.keys.close()


async def test_keys_are_asked_for_by_their_names_and_reported(heard: Heard) -> None:
    async with PortalServer({"CreateSession": CREATED, "BindShortcuts": BOUND}).on_bus() as server:
        assert await heard.keys.bind(KEY) == "Press Ctrl+Alt+J"
        ((session, shortcuts, _parent, _options),) = server.asked("BindShortcuts")
        assert session == SESSION
        assert shortcuts == [
            ("quick-question", {"description": ("s", "Quick question"), "preferred_trigger": ("s", "CTRL+ALT+space")})
        ]
        await server.activate(SESSION, "quick-question")
        await until(lambda: heard.pressed == 1)
        await server.activate(SESSION, "another")
        await server.activate(f"{SESSION}_of_others", "quick-question")
        await server.activate(SESSION, "quick-question")
        await until(lambda: heard.pressed == 2)


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"CreateSession": CREATED, "BindShortcuts": (1, {})}, KeysDenied),
        ({"CreateSession": CREATED, "BindShortcuts": (0, {"shortcuts": ("a(sa{sv})", [])})}, KeysDenied),
        ({"CreateSession": CREATED, "BindShortcuts": (2, {})}, NoKeys),
        ({"CreateSession": CREATED, "BindShortcuts": (0, {"shortcuts": ("s", "all")})}, NoKeys),
        ({"CreateSession": CREATED, "BindShortcuts": (0, {"shortcuts": ("a(ss)", [("quick-question", "")])})}, NoKeys),
        ({"CreateSession": CREATED}, NoKeys),
        ({"CreateSession": (2, {})}, NoKeys),
        ({}, NoKeys),
    ],
    ids=[
        "the person said no",
        "nothing was bound",
        "it failed",
        "a word",
        "pairs of words",
        "half a portal",
        "no session",
        "no such portal",
    ],
)
async def test_a_portal_that_gives_no_keys_says_so(heard: Heard, answers: dict, error: type[NoKeys]) -> None:  # type: ignore[type-arg]
    async with PortalServer(answers).on_bus():
        with pytest.raises(NoKeys) as raised:
            await heard.keys.bind(KEY)
    assert type(raised.value) is error


async def test_a_desktop_without_a_portal_has_no_keys(heard: Heard) -> None:
    with pytest.raises(NoKeys, match="no portal"):
        await heard.keys.bind(KEY)


async def test_without_a_bus_there_are_no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/nothing")
    with pytest.raises(NoKeys, match="no session bus"):
        await Heard().keys.bind(KEY)


async def test_a_portal_that_never_answers_is_left_and_told(heard: Heard) -> None:
    async with PortalServer({"CreateSession": SILENT}).on_bus() as server:
        connection = await portal.open_portal()
        with pytest.raises(portal.NoPortal, match="no answer"):
            await connection.request(
                "org.freedesktop.portal.GlobalShortcuts", "CreateSession", "a{sv}", wait_s=0.05,
                options={"session_handle_token": ("s", "a")},
            )  # fmt: skip
        await until(lambda: len(server.closed_requests) == 1)
        await connection.close()


async def test_a_portal_that_answers_in_a_form_of_its_own_is_told(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portal, "new_token", lambda: "chatdesk_1")
    async with PortalServer({"CreateSession": SILENT}).on_bus() as server:
        binding = asyncio.ensure_future(heard.keys.bind(KEY))
        await until(lambda: server.asked("CreateSession"))
        path = f"{PATH}/request/{server.caller.removeprefix(':').replace('.', '_')}/chatdesk_1"
        await server.send("org.freedesktop.portal.Request", "Response", "s", ("yes",), path=path)
        with pytest.raises(NoKeys, match="form of its own"):
            await binding
        server.wrong.clear()  # that is what it did


@pytest.mark.parametrize("answer", [SILENT, BUSY])
async def test_an_abandoned_question_is_withdrawn(heard: Heard, answer: str) -> None:
    async with PortalServer({"CreateSession": CREATED, "BindShortcuts": answer}).on_bus() as server:
        binding = asyncio.ensure_future(heard.keys.bind(KEY))
        await until(lambda: server.asked("BindShortcuts") != [])
        binding.cancel()
        await asyncio.gather(binding, return_exceptions=True)
        await until(lambda: len(server.closed_requests) == 1)


async def test_a_portal_that_ends_is_noticed(heard: Heard) -> None:
    async with PortalServer({"CreateSession": CREATED, "BindShortcuts": BOUND}).on_bus():
        await heard.keys.bind(KEY)
        assert heard.lost == []
    await until(lambda: heard.lost == [False])


async def test_a_portal_that_ends_while_it_asks_is_not_waited_for(heard: Heard) -> None:
    async with PortalServer({"CreateSession": CREATED, "BindShortcuts": SILENT}).on_bus() as server:
        binding = asyncio.ensure_future(heard.keys.bind(KEY))
        await until(lambda: server.asked("BindShortcuts") != [])
    with pytest.raises(NoKeys, match="the portal ended"):
        await binding


def test_a_call_unlike_the_published_interface_is_noticed() -> None:
    options = {"handle_token": ("s", "a")}
    assert wrong_with_call(SHORTCUTS, "BindShortcuts", "oa(sa{sv})sa{sv}", (SESSION, [], "", options)) == []
    assert wrong_with_call(SHORTCUTS, "BindShortcuts", "oa(sa{sv})a{sv}", (SESSION, [], options))
    assert wrong_with_call(SHORTCUTS, "BindShortcut", "oa(sa{sv})sa{sv}", (SESSION, [], "", options))
    assert wrong_with_call(SHORTCUTS, "CreateSession", "a{sv}", ({"handle_token": ("u", 1)},))
    assert wrong_with_call(SHORTCUTS, "CreateSession", "a{sv}", ({"token": ("s", "a")},))
    assert wrong_with_signal(SHORTCUTS, "Activated", "osta{sv}") == []
    assert wrong_with_signal(SHORTCUTS, "Activated", "osu")


async def test_keys_that_were_taken_away_are_not_asked_for_again(heard: Heard) -> None:
    async with PortalServer({"CreateSession": CREATED, "BindShortcuts": BOUND}).on_bus() as server:
        await heard.keys.bind(KEY)
        await server.send("org.freedesktop.portal.Session", "Closed", "a{sv}", ({},), path=SESSION)
        await until(lambda: heard.lost == [True])


async def test_only_the_portal_is_listened_to(heard: Heard) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            PortalServer({"CreateSession": CREATED, "BindShortcuts": BOUND}).on_bus()
        )
        await heard.keys.bind(KEY)
        other = PortalServer({})
        await stack.enter_async_context(other.on_bus())  # queues for the name, which is owned
        other.caller = server.caller
        await other.activate(SESSION, "quick-question")
        await server.activate(SESSION, "quick-question")
        await until(lambda: heard.pressed == 1)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("Ctrl+Alt+Space", "CTRL+ALT+space"),
        ("Meta+Shift+A", "SHIFT+LOGO+a"),
        ("F12", "F12"),
        ("Ctrl+/", "CTRL+slash"),
        ("Alt+PgUp", "ALT+Prior"),
        ("Ctrl+K, Ctrl+J", None),
        ("Ctrl+Volume Up", None),
        ("", None),
    ],
)
def test_keys_have_the_names_of_desktops(keys: str, expected: str | None) -> None:
    assert trigger_of(keys) == expected
