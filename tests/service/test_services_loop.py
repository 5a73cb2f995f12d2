"""Work that crosses from one loop to another: results, cancellation, streams that are held up, and the end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

import pytest

from chatdesk.service.errors import ServiceEnding
from chatdesk.service.services_loop import ServicesLoop
from tests.helpers.waiting import until

T = TypeVar("T")


async def elsewhere(work: Callable[[], Awaitable[T]]) -> T:
    """Run ``work`` on a loop and thread of its own, as the service does."""

    async def run() -> T:
        return await work()

    return await asyncio.to_thread(lambda: asyncio.run(run()))


async def test_work_runs_on_the_loop_of_the_services_and_its_error_comes_back() -> None:
    loop, here = ServicesLoop(), threading.get_ident()

    async def where() -> int:
        return threading.get_ident()

    async def fail() -> None:
        raise ValueError("as it was")

    assert await elsewhere(lambda: loop.call(where)) == here
    with pytest.raises(ValueError, match="as it was"):
        await elsewhere(lambda: loop.call(fail))


async def test_a_cancelled_caller_cancels_its_work() -> None:
    loop, states = ServicesLoop(), []

    async def wait() -> None:
        states.append("began")
        try:
            await asyncio.Event().wait()
        finally:
            states.append("ended")

    async def give_up() -> None:
        call = asyncio.ensure_future(loop.call(wait))
        await until(lambda: states == ["began"])
        call.cancel()
        await asyncio.wait([call])

    await elsewhere(give_up)
    await until(lambda: states == ["began", "ended"])


async def test_a_stream_is_held_up_until_it_is_taken() -> None:
    loop, made = ServicesLoop(), []

    async def count() -> AsyncGenerator[int, None]:
        for number in range(2_000):
            made.append(number)
            yield number

    async def take() -> list[int]:
        taken = []
        async with aclosing(loop.stream(count)) as items:
            async for item in items:
                if not taken:
                    await until(lambda: len(made) >= 256)
                    assert len(made) < 1_000
                taken.append(item)
        return taken

    assert await elsewhere(take) == list(range(2_000))


async def test_the_error_of_a_stream_comes_after_its_items() -> None:
    loop = ServicesLoop()

    async def fail() -> AsyncGenerator[int, None]:
        yield 1
        raise ValueError("as it was")

    taken: list[int] = []

    async def take() -> None:
        async for item in loop.stream(fail):
            taken.append(item)

    with pytest.raises(ValueError, match="as it was"):
        await elsewhere(take)
    assert taken == [1]


async def test_the_end_of_the_services_ends_what_was_handed_over() -> None:
    loop, began = ServicesLoop(), threading.Event()

    async def wait() -> None:
        began.set()
        await asyncio.Event().wait()

    async def call() -> str:
        with pytest.raises(ServiceEnding):
            await loop.call(wait)
        with pytest.raises(ServiceEnding):
            await loop.call(wait)
        return "told"

    calling = asyncio.ensure_future(elsewhere(call))
    await until(began.is_set)
    await loop.close()
    assert await calling == "told"
