"""The switch of the local service: it obeys the settings, says what failed, and ends with the services."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from chatdesk.core.errors import InvalidInput, NotPossible
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.core.system.background_import import import_beside
from chatdesk.service.address_book import ServiceFiles
from chatdesk.service.declaration import Call, Endpoint
from chatdesk.service.endpoints import ENDPOINTS
from chatdesk.service.local_service import LocalService, ServiceAddress
from chatdesk.services.owner import open_services
from chatdesk.services.service_switch import ServiceState, ServiceSwitch
from chatdesk.services.services import Services
from tests.helpers.local_service import FAST
from tests.helpers.waiting import until

LOAD = partial(import_beside, "chatdesk.service.opening")
ON = replace(FAST, service_on=True)


async def _health(state: ServiceState) -> int:
    async with httpx2.AsyncClient(trust_env=False) as http:
        return (await http.get(f"{state.urls[0]}/health")).status_code


async def test_it_does_what_the_settings_say_and_ends_with_the_services(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path)
    async with open_services(paths, FAST, purpose="serve") as services:
        switch = services.service_switch = ServiceSwitch(services, LOAD)
        seen: list[ServiceState] = []
        switch.follow(seen.append)
        assert not (await switch.obey()).is_on
        services.settings_in_force.change(ON)
        await until(lambda: switch.state.is_on)
        assert await _health(switch.state) == 200
        first = switch.state.urls
        services.settings_in_force.change(replace(ON, theme="dark"))
        services.settings_in_force.change(replace(ON, service_port=_free_port()))
        await until(lambda: switch.state.is_on and switch.state.urls != first)
        assert await _health(switch.state) == 200
        assert len([state for state in seen if state.is_on]) == 2  # the theme restarts nothing
        services.settings_in_force.change(FAST)
        services.settings_in_force.change(ON)
        services.settings_in_force.change(FAST)
        await until(lambda: not switch.state.is_wanted)
        assert not ServiceFiles.of(paths).address.exists()
        services.settings_in_force.change(ON)
        await until(lambda: switch.state.is_on)
    assert not ServiceFiles.of(paths).address.exists()


async def test_a_port_that_is_taken_is_said_and_tried_again_when_asked(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with open_services(AppPaths.find(tmp_path), replace(ON, service_port=port), purpose="serve") as services:
            switch = services.service_switch = ServiceSwitch(services, LOAD)
            state = await switch.obey()
            assert not state.is_on and state.is_wanted
            assert state.problem is not None
            assert "in use" in state.problem.sentence and "Choose another port" in state.problem.sentence
            taken.close()
            switch.try_again()
            await until(lambda: switch.state.is_on)
            assert switch.state.problem is None


async def test_a_service_that_ends_by_a_fault_is_said_and_starts_again_when_asked(tmp_path: Path) -> None:
    def fail() -> None:
        raise SystemExit

    def end_the_thread(_result: None) -> dict[str, str]:
        asyncio.get_running_loop().call_soon(fail)
        return {}

    async def nothing(_call: Call[Any, Any]) -> None:
        return None

    endpoint = Endpoint("GET", "/end", nothing, "End the thread", end_the_thread, scope=None)

    class Opening:
        async def open_service(
            self, services: Services, _settings: Settings, _port: int | None, on_died: Callable[[], None]
        ) -> tuple[LocalService, ServiceAddress]:
            service = LocalService(services, endpoints=[*ENDPOINTS, endpoint], on_died=on_died)
            return service, await service.start()

    async def load() -> Opening:
        return Opening()

    paths = AppPaths.find(tmp_path)
    async with open_services(paths, ON, purpose="serve") as services:
        switch = services.service_switch = ServiceSwitch(services, load)
        state = await switch.obey()
        place = ("127.0.0.1", int(state.urls[0].rpartition(":")[2]))
        with socket.create_connection(place, timeout=20) as other:
            async with httpx2.AsyncClient(trust_env=False) as http:
                await _greeted(other, place)
                with suppress(httpx2.HTTPError):
                    await http.get(f"{state.urls[0]}/end")
            assert await asyncio.to_thread(other.recv, 1) == b""  # cut with the thread, not when memory is tidied
        await until(lambda: switch.state.problem)
        assert switch.state.problem is not None and "a fault in ChatDesk" in switch.state.problem.sentence
        assert not switch.state.is_on and not ServiceFiles.of(paths).address.exists()
        switch.try_again()
        await until(lambda: switch.state.is_on)
        assert await _health(switch.state) == 200


async def _greeted(connection: socket.socket, place: tuple[str, int]) -> None:
    """Wait until a connection has had an answer, so that it was taken."""
    host, port = place
    connection.sendall(f"GET /health HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    answer = b""
    while not answer.endswith(b"}"):
        answer += await asyncio.to_thread(connection.recv, 65536)


async def test_tokens_are_there_while_it_is_on(tmp_path: Path) -> None:
    async with open_services(AppPaths.find(tmp_path), FAST, purpose="serve") as services:
        switch = services.service_switch = ServiceSwitch(services, LOAD)
        assert await switch.tokens() == []
        with pytest.raises(NotPossible):
            await switch.make_token("editor", ["read"])
        state = await switch.start()
        text = await switch.make_token("editor", ["read", "ask"], days=7)
        (token,) = await switch.tokens()
        assert (token.name, token.scopes, token.last_used_at) == ("editor", ("read", "ask"), None)
        assert token.expires_at is not None
        with pytest.raises(InvalidInput):
            await switch.make_token("editor", ["read"])
        async with httpx2.AsyncClient(trust_env=False, headers={"authorization": f"Bearer {text}"}) as http:
            address = f"{state.urls[0]}/api/v1/threads"
            assert (await http.get(address)).status_code == 200
            assert (await switch.tokens())[0].last_used_at is not None
            await switch.revoke_token(token.id)
            assert (await http.get(address)).status_code == 401


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def test_it_is_off_by_default() -> None:
    assert Settings().service_on is False
