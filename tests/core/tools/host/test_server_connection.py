"""Servers over HTTP: real connections on loopback, to good servers and to bad ones."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio

from chatdesk.core.clock import Clock
from chatdesk.core.domain.tools import CheckStep, ServerKind, ServerState, ToolFailed, ToolServer
from chatdesk.core.tools.host.failures import HostFailure
from chatdesk.core.tools.host.server_connection import Connection
from chatdesk.core.tools.host_client import ToolHost
from tests.helpers.examples import sample
from tests.helpers.tool_http_server import EVENTS, tool_http_server
from tests.helpers.waiting import until

KEY = "Bearer hidden-value"


@pytest_asyncio.fixture
async def host() -> AsyncIterator[ToolHost]:
    async def launch(wanted: ToolServer) -> Mapping[str, Any]:
        return {"address": wanted.address, "headers": {"Authorization": KEY}}

    made = ToolHost(launch, Clock())
    yield made
    await made.close()


def at(address: str, server_id: str = "web") -> ToolServer:
    return ToolServer(server_id, "Web", ServerKind.ADDRESS, address=address)


async def test_a_tool_over_http_is_called_with_the_headers_given(host: ToolHost) -> None:
    with tool_http_server() as web:
        (echo,) = await host.tools([at(web.address)])
        assert echo.full_name == "web__echo"
        assert (await host.call(at(web.address), "echo", {"text": "grüße"}, timeout_s=30)).text == "grüße"
        assert {each["Authorization"] for each in web.headers} == {KEY}
        await host.end("web")


async def test_the_test_of_an_address_has_no_step_of_a_program(host: ToolHost) -> None:
    with tool_http_server() as web:
        steps = [each async for each in host.check(at(web.address))]
        assert [each.step for each in steps] == [CheckStep.FOUND, CheckStep.SPOKE, CheckStep.LISTED]
        assert all(each.is_well for each in steps) and steps[-1].tool_count == 1
        await host.end("web")


async def test_a_redirect_to_another_server_takes_nothing_there(host: ToolHost) -> None:
    with tool_http_server() as other, tool_http_server("redirect", elsewhere=other.address) as web:
        assert await host.tools([at(web.address)]) == ()
        assert host.status(at(web.address)).state is ServerState.FAILED
        assert web.headers and not other.headers


async def test_a_server_that_refuses_is_named_with_its_status(host: ToolHost) -> None:
    with tool_http_server("refuse") as web:
        assert await host.tools([at(web.address)]) == ()
        status = host.status(at(web.address))
        assert status.state is ServerState.FAILED and status.problem and KEY not in status.problem


async def test_an_unreachable_address_is_reported(host: ToolHost) -> None:
    with tool_http_server() as web:
        address = web.address
    steps = [each async for each in host.check(at(address))]
    assert steps[-1].step is CheckStep.SPOKE and not steps[-1].is_well and steps[-1].problem


@pytest.mark.parametrize("how", ["large", "not-json", "packed"])
async def test_an_answer_that_cannot_be_read_fails_and_other_servers_go_on(host: ToolHost, how: str) -> None:
    with tool_http_server(how) as web, tool_http_server() as good:
        with pytest.raises(ToolFailed):
            await host.call(at(web.address), "echo", {"text": "1"}, timeout_s=5)
        assert len(web.calls) == 1  # never tried again by itself
        assert (await host.call(at(good.address, "good"), "echo", {"text": "2"}, timeout_s=30)).text == "2"
        await host.end("good")


@pytest.mark.parametrize(
    ("cursors", "pages", "is_said"),
    [
        ([5, 7.5, {"at": 1}], 4, False),
        (["a", "b", "a"], 3, True),
    ],
)
async def test_all_pages_of_a_list_are_read_whatever_their_cursors(
    host: ToolHost, cursors: list[Any], pages: int, is_said: bool
) -> None:
    with tool_http_server(f"pages {json.dumps(cursors)}") as web:
        steps = [each async for each in host.check(at(web.address))]
        assert [each.name for each in host.known_tools(at(web.address))] == ["echo", *_pages(pages)]
        assert any("same page" in each for each in steps[-1].left_out) is is_said
        await host.end("web")


def _pages(count: int) -> list[str]:
    return [f"page_{number}" for number in range(count)]


async def test_a_server_hears_that_its_call_is_cancelled(host: ToolHost) -> None:
    with tool_http_server("slow") as web:
        call = asyncio.ensure_future(host.call(at(web.address), "echo", {"text": "1"}, timeout_s=30))
        await until(lambda: web.calls)
        call.cancel()
        await asyncio.wait([call])
        await until(lambda: "notifications/cancelled" in web.notifications)
        await host.end("web")


async def test_a_result_of_too_many_parts_is_cut_before_it_is_read(host: ToolHost) -> None:
    with tool_http_server("parts") as web:
        result = await host.call(at(web.address), "echo", {"text": "1"}, timeout_s=30)
        assert result.text.startswith("x\n\nx") and result.text.endswith("[More parts were cut off.]")
        await host.end("web")


async def test_a_server_that_asks_without_end_and_reads_no_answer_is_ended(host: ToolHost) -> None:
    with tool_http_server("ask-without-end") as web:
        try:
            with pytest.raises(ToolFailed, match="too many requests"):
                await host.call(at(web.address), "echo", {"text": "1"}, timeout_s=30)
        finally:
            web.was_cancelled.set()
        await until(lambda: host.status(at(web.address)).state is ServerState.FAILED)  # which comes after the answer


@pytest.mark.parametrize("how", ["lost 404", "lost 400", "lost 404 silent"])
async def test_a_server_that_was_restarted_gets_a_new_session_for_each_call_that_it_refuses(
    host: ToolHost, how: str
) -> None:
    with tool_http_server(how) as web:
        for number in range(4):
            assert (await host.call(at(web.address), "echo", {"text": str(number)}, timeout_s=30)).text == str(number)
        assert [each["arguments"]["text"] for each in web.calls] == ["0", "1", "2", "3"], "none runs twice"
        assert [each.name for each in await host.tools([at(web.address)])] == ["echo"]
        await host.end("web")


async def test_calls_at_the_same_time_survive_the_end_of_their_session(host: ToolHost) -> None:
    with tool_http_server("lost 404 once") as web:
        await host.tools([at(web.address)])
        web.sessions.clear()
        calls = [host.call(at(web.address), "echo", {"text": each}, timeout_s=30) for each in "abc"]
        assert [each.text for each in await asyncio.gather(*calls)] == ["a", "b", "c"]
        await host.end("web")


@pytest.mark.parametrize("how", ["lost 404 always", "lost 400 always"])
async def test_a_session_that_is_lost_each_time_is_opened_once_again_only(host: ToolHost, how: str) -> None:
    with tool_http_server(how) as web:
        assert await host.tools([at(web.address)]) == ()
        assert "session" in host.status(at(web.address)).problem and len(web.headers) < 20


async def test_a_tool_that_is_another_in_the_new_session_is_not_called(host: ToolHost) -> None:
    with tool_http_server("lost 404 reworded") as web:
        (echo,) = await host.tools([at(web.address)])
        await host.call(at(web.address), "echo", {"text": "1"}, timeout_s=30, digest=echo.digest)
        with pytest.raises(ToolFailed, match="was changed"):
            await host.call(at(web.address), "echo", {"text": "2"}, timeout_s=30, digest=echo.digest)
        assert len(web.calls) == 1
        await host.end("web")


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("status 500", "It answered with status 500."),
        ("status 404", "It answered with status 404."),
        ("status 405", "older transport"),
        ("page", "text/html"),
    ],
)
async def test_what_an_address_answers_is_named(host: ToolHost, how: str, words: str) -> None:
    with tool_http_server(how) as web:
        steps = [each async for each in host.check(at(web.address))]
        assert not steps[-1].is_well and words in steps[-1].problem


@pytest.mark.parametrize(("how", "what"), sample(list(itertools.product(("listen", "stream"), EVENTS)), 6))
async def test_a_flood_of_unsolicited_messages_is_ended(how: str, what: str) -> None:
    """Within a call, and beside all calls. Large ones within a call are more than a message may have, which ends it."""
    gone = asyncio.Event()

    async def nobody(_kind: str, _values: tuple[Any, ...]) -> tuple[str, Any]:
        return "decline", None

    with tool_http_server(f"{how} {what}") as server:
        connection = Connection(
            "notes", {"address": server.address, "headers": {}}, lambda *news: gone.set() if news[0] == "gone" else None
        )
        refused = ""
        try:
            try:
                await connection.tools()
                if how == "stream":
                    await connection.call("echo", '{"text": "1"}', 30, lambda *_said: None, nobody)
            except HostFailure as failure:
                refused = str(failure)
            if (how, what) == ("stream", "large"):
                assert "more than 24 MB in one message" in refused
                return
            async with asyncio.timeout(30):
                await gone.wait()
        finally:
            await connection.end(at_once=True)
    assert "nobody asked for" in connection.problem
