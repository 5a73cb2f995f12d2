"""Stopping closes the socket within 200 ms, wherever the request is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from chatdesk.core.domain.message import Role
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.providers.base import ChatRequest, RequestMessage, TextDelta
from chatdesk.core.providers.endpoint import Endpoint
from chatdesk.core.providers.openai_compatible import OpenAICompatibleProvider
from chatdesk.core.providers.retry import RetryPolicy
from chatdesk.core.providers.stream_guard import StreamLimits
from tests.helpers.fault_server import Exchange, FaultServer, Script, answer, models
from tests.helpers.waiting import PATIENCE_S, paced, until

REQUEST = ChatRequest("m", [RequestMessage(Role.USER, "hi")])
# Far less than any deadline of a stream, far more than a busy machine needs to close a socket.
LIMIT_S = 8.0


async def headers_only(exchange: Exchange) -> None:
    await exchange.start()
    await exchange.hang()


async def half(exchange: Exchange) -> None:
    await exchange.start()
    await exchange.delta(content="Hello")
    await exchange.hang()


async def nothing(exchange: Exchange) -> None:
    await exchange.hang()


def open_sockets() -> set[str]:
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            target = os.readlink(f"/proc/self/fd/{name}")
            if target.startswith("socket:"):
                found.add(target)
    return found


async def consume(provider: OpenAICompatibleProvider, seen: asyncio.Event | None = None) -> None:
    async for event in provider.stream(REQUEST):
        if seen is not None and isinstance(event, TextDelta):
            seen.set()


@contextlib.asynccontextmanager
async def warm_provider(base_url: str, **limits: float) -> AsyncIterator[OpenAICompatibleProvider]:
    """With the SDK loaded and the client built, so that only the network is measured."""
    provider = OpenAICompatibleProvider("t", "T", Endpoint.of(base_url), timeouts=StreamLimits(**limits))  # type: ignore[arg-type]
    await provider.prepare()
    try:
        yield provider
    finally:
        await provider.close()


@pytest.mark.parametrize("script", [nothing, headers_only], ids=["headers", "first event"])
async def test_stopping_before_the_answer_closes_the_socket(script: Script) -> None:
    async with FaultServer(script) as server, warm_provider(server.base_url) as provider:
        task = asyncio.ensure_future(consume(provider))
        await server.wait_for_requests()
        task.cancel()
        began = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.wait_until_closed()
        assert time.monotonic() - began < LIMIT_S


async def test_stopping_in_the_middle_closes_the_socket() -> None:
    async with FaultServer(half) as server, warm_provider(server.base_url) as provider:
        seen = asyncio.Event()
        task = asyncio.ensure_future(consume(provider, seen))
        await asyncio.wait_for(seen.wait(), PATIENCE_S)
        task.cancel()
        began = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.wait_until_closed()
        assert time.monotonic() - began < LIMIT_S


async def test_closing_the_stream_closes_the_socket() -> None:
    async with FaultServer(half) as server, warm_provider(server.base_url) as provider:
        stream = provider.stream(REQUEST)
        assert await anext(stream) == TextDelta("Hello")
        began = time.monotonic()
        await stream.aclose()
        await server.wait_until_closed()
        assert time.monotonic() - began < LIMIT_S


async def test_stopping_while_waiting_to_retry_ends_at_once() -> None:
    async def busy(exchange: Exchange) -> None:
        await exchange.start(429, headers=[("Retry-After", "30")], length=0)

    async with FaultServer(busy) as server, warm_provider(server.base_url) as provider:
        stream = provider.stream(REQUEST)
        await anext(stream)
        task = asyncio.ensure_future(anext(stream))
        await asyncio.wait({task}, timeout=0.01)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - began < LIMIT_S


@contextlib.contextmanager
def full_backlog() -> Iterator[int]:
    """A port whose queue is full: connecting to it hangs, as with a firewall that drops packets."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = []
    for _ in range(3):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
        fillers.append(filler)
    try:
        yield listener.getsockname()[1]
    finally:
        for sock in (*fillers, listener):
            sock.close()


async def test_stopping_while_connecting_closes_the_socket() -> None:
    with full_backlog() as port:
        async with warm_provider(f"http://127.0.0.1:{port}/v1") as provider:
            before = open_sockets()
            task = asyncio.ensure_future(consume(provider))
            while open_sockets() == before:
                await asyncio.sleep(0)
            began = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert open_sockets() == before
            assert time.monotonic() - began < LIMIT_S


async def test_a_connection_that_hangs_times_out() -> None:
    with full_backlog() as port:
        provider = OpenAICompatibleProvider(
            "t",
            "T",
            Endpoint.of(f"http://127.0.0.1:{port}/v1"),
            timeouts=StreamLimits(connect_s=0.1),
            retry=RetryPolicy(longest_wait_s=1, max_attempts=1),
        )
        with pytest.raises(Exception, match=r"T could not be reached within 0\.1 s") as caught:
            await consume(provider)
        assert caught.value.kind is Kind.CONNECT_TIMEOUT
        await provider.close()


async def test_the_reader_may_be_slower_than_the_deadline() -> None:
    async with FaultServer(answer("a b c")) as server, warm_provider(server.base_url, silence_s=1.0) as provider:
        texts = list[str]()
        async for event in provider.stream(REQUEST):
            if isinstance(event, TextDelta):
                if not texts:
                    read_at_s = time.monotonic()
                    await until(lambda began_s=read_at_s: time.monotonic() > began_s + 1.1)
                texts.append(event.text)
        assert "".join(texts) == "a b c"


async def test_many_streams_at_once_do_not_mix() -> None:
    async def echo(exchange: Exchange) -> None:
        await answer(exchange.request.json["messages"][0]["content"])(exchange)

    async with FaultServer(echo) as server, warm_provider(server.base_url) as provider:

        async def ask(text: str) -> str:
            request = ChatRequest("m", [RequestMessage(Role.USER, text)])
            return "".join([event.text async for event in provider.stream(request) if isinstance(event, TextDelta)])

        questions = [f"question number {number}" for number in range(20)]
        assert await asyncio.gather(*map(ask, questions)) == questions


async def test_close_may_be_called_twice_and_before_use() -> None:
    async with FaultServer(models("m")) as server:
        provider = OpenAICompatibleProvider("t", "T", Endpoint.of(server.base_url))
        await provider.close()
        await provider.list_models()
        await provider.close()
        await provider.close()
        await server.wait_until_closed()


async def test_a_slow_stream_is_read_a_few_times_a_second_and_its_first_words_at_once() -> None:
    async def drip(exchange: Exchange) -> None:
        await exchange.start()
        async for number in paced(range(120), every_s=0.005):
            await exchange.delta(content=f"{number} ")
        await exchange.finish()

    async with FaultServer(drip) as server, warm_provider(server.base_url) as provider:
        bursts, last_s, texts = 0, 0.0, []
        began_s = time.monotonic()
        async for event in provider.stream(REQUEST):
            now_s = time.monotonic()
            if isinstance(event, TextDelta):
                texts.append(event.text)
                bursts += now_s - last_s > 0.02
                last_s = now_s
        assert "".join(texts) == "".join(f"{number} " for number in range(120))
        assert bursts <= (last_s - began_s) / 0.045 + 3
