"""Programs that write without end: what they say is reported at most so often, and requests do not pile up."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any

import mcp_types as types
import pytest
from mcp.shared.message import SessionMessage

from chatdesk.core.tools.host import stdio
from chatdesk.core.tools.host.failures import HostFailure
from chatdesk.core.tools.host.server_connection import Connection
from chatdesk.core.tools.host.throttle import PAUSE_S
from chatdesk.core.tools.host.unasked import MOST_MESSAGES, Unasked
from tests.helpers.tools_world import command
from tests.helpers.waiting import until


@pytest.mark.parametrize("how", ["talk", "babble"])
async def test_a_program_that_writes_without_end_does_not_flood_chatdesk(tmp_path: Path, how: str) -> None:
    """Each of its words would take a frame to the window, faster than any window reads them."""
    told: deque[tuple[object, ...]] = deque(maxlen=500)
    began_s = time.monotonic()
    spec = {"argv": command("--how", how), "env": dict(os.environ), "cwd": str(tmp_path)}
    connection = Connection("notes", spec, lambda *news: told.append(news))
    try:
        for _again in range(20):
            assert await connection.tools()
    finally:
        await connection.end(at_once=True)
    words = [news[2] for news in told if news[0] == "stderr"]
    assert 1 <= len(words) <= 3 + (time.monotonic() - began_s) / PAUSE_S
    assert "⟦U+001B⟧[2J no message" in str(words[-1])
    assert told[-1][0] == "gone"  # its last words come before


_NEWS = ("tools/list_changed", "prompts/list_changed", "resources/list_changed", "resources/updated", "progress")


@pytest.mark.parametrize(
    ("what", "after"),
    [
        *((what, "tools/list") for what in (*_NEWS, "ping", "stderr")),
        *((what, "tools/call") for what in ("progress", "message", "cancelled", "unheard", "answer", "stdout")),
    ],
)
async def test_a_program_that_says_too_much_unasked_is_ended(tmp_path: Path, what: str, after: str) -> None:
    told: list[tuple[object, ...]] = []
    count = 500 if what in ("stderr", "stdout") else 10_000
    spec = {"argv": command("--how", f"news {count} {after} {what}"), "env": dict(os.environ), "cwd": str(tmp_path)}
    connection = Connection("notes", spec, lambda *news: told.append(news))
    try:
        with suppress(HostFailure):
            await connection.tools()
            await connection.call("echo", '{"text": "1"}', 30, lambda *_said: None, _nobody)
        await until(lambda: any(news[0] == "gone" for news in told))
    finally:
        await connection.end(at_once=True)
    assert "nobody asked for" in connection.problem


async def _nobody(_kind: str, _values: tuple[Any, ...]) -> tuple[str, Any]:
    return "decline", None


async def test_a_program_may_say_a_thousand_things_unasked(tmp_path: Path) -> None:
    spec = {"argv": command("--how", "news 1000 tools/call progress"), "env": dict(os.environ), "cwd": str(tmp_path)}
    connection = Connection("notes", spec, lambda *_news: None)
    try:
        result = await connection.call("echo", '{"text": "1"}', 30, lambda *_said: None, _nobody)
    finally:
        await connection.end(at_once=True)
    assert result[0] == "1"


def test_what_may_be_said_unasked_grows_again_with_time() -> None:
    now_s, ended = 0.0, []
    unasked = Unasked(ended.append, lambda: now_s)
    news = types.JSONRPCNotification(jsonrpc="2.0", method="notifications/message")
    for _minute in range(5):
        assert all(unasked.received(news) for _each in range(MOST_MESSAGES))
        now_s += 60.0
    assert ended == []
    assert not all(unasked.received(news) for _each in range(MOST_MESSAGES + 1)) and len(ended) == 1


@pytest.mark.parametrize("how", ["ask-without-end", "ask-under-one-id"])
async def test_a_program_that_asks_without_end_and_reads_no_answer_is_ended(tmp_path: Path, how: str) -> None:
    """Each request is kept in memory until its answer can be written."""
    reports: list[tuple[object, ...]] = []
    spec = {"argv": command("--how", how), "env": dict(os.environ), "cwd": str(tmp_path)}
    connection = Connection("notes", spec, lambda *report: reports.append(report))
    try:
        await connection.tools()
        await until(lambda: reports[-1][0] == "gone")
    finally:
        await connection.end(at_once=True)
    assert any(words in str(reports[-1][2]) for words in ("too many requests", "nobody asked for"))


async def test_a_program_that_ends_amid_a_message_leaves_no_error_that_nobody_reads(tmp_path: Path) -> None:
    """asyncio would report the broken pipe of such a program once more, when its memory is freed."""
    reports: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reports.append(context))
    half_read = [sys.executable, "-c", "import os; os.read(0, 1)"]
    tail = stdio.StderrTail(lambda: None, lambda _size: True)
    long = types.JSONRPCNotification(jsonrpc="2.0", method="long", params={"text": "x" * 2_000_000})
    environment = dict(os.environ)
    async with stdio.program(
        half_read, env=environment, cwd=str(tmp_path), tail=tail, on_started=lambda _pid: None
    ) as (
        _from_server,
        to_server,
        broken,
    ):
        await to_server.send(SessionMessage(long))
        assert await broken == "It ended."
    del to_server, _from_server
    gc.collect()
    await asyncio.sleep(0)
    assert reports == []
