"""Without a connection: it is told, what waits is sent when it is back, and nobody looks while nothing waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from chatdesk.core.chat.network_watch import NetworkWatch, reaches, retry_if_shown
from chatdesk.core.domain.message import Status
from chatdesk.core.errors import NotPossible
from chatdesk.core.events import ReachabilityChanged
from chatdesk.core.storage.chat.waiting import WaitingRepository
from tests.helpers.fault_server import Exchange, FaultServer, answer, status
from tests.helpers.fault_world import FaultWorld, fault_world
from tests.helpers.waiting import running_tasks, stays, until


class Watched:
    def __init__(self, world: FaultWorld, server: FaultServer, watch: Callable[[], NetworkWatch]) -> None:
        self.world = world
        self.server = server
        self.another_watch = watch
        self.watch = watch()
        self.told: list[ReachabilityChanged] = []
        self.looked_at: list[float] = []
        world.bus.subscribe(ReachabilityChanged, self.told.append)

    @property
    def looks(self) -> int:
        return len(self.looked_at)

    async def until_nobody_looks(self) -> None:
        """Wait until no task is left that could look, or send anything, later."""
        await until(lambda: not running_tasks("look for"))


@asynccontextmanager
async def watched(
    directory: Path,
    *,
    first_look_s: float = 0.05,
    is_sending: bool = True,
    reach: Callable[[str], Awaitable[bool]] | None = None,
    may_answer: asyncio.Event | None = None,
) -> AsyncIterator[Watched]:
    """A world whose server is away. Back again, it answers once it may."""
    here_i_am = answer("Here I am")

    async def script(exchange: Exchange) -> None:
        if may_answer is not None and "chat" in exchange.request.path:
            await may_answer.wait()
        await here_i_am(exchange)

    async with FaultServer(script) as server, fault_world(directory, server.base_url) as world:

        async def look(_name: str) -> bool:
            seen.looked_at.append(asyncio.get_running_loop().time())
            return await reaches(world.provider)

        def watch() -> NetworkWatch:
            return NetworkWatch(
                world.bus,
                reach=reach or look,
                send_again=partial(retry_if_shown, world.chat),
                store=WaitingRepository(world.database),
                is_sending=is_sending,
                first_look_s=first_look_s,
            )

        seen = Watched(world, server, watch)
        await server.go_away()
        try:
            yield seen
        finally:
            await seen.watch.close()


async def test_what_could_not_be_sent_is_sent_when_the_server_is_back(tmp_path: Path) -> None:
    async with watched(tmp_path) as seen:
        failed = (await seen.world.ask("Are you there?")).answer
        assert failed.status is Status.ERROR
        assert (seen.watch.unreachable, seen.watch.waiting) == (("test",), (failed.id,))
        await until(lambda: seen.looks >= 2)
        await seen.server.come_back()

        async def is_there() -> bool:
            return (await seen.world.chat.reader.get_message(failed.id)).status is Status.COMPLETE

        await until(is_there)
        assert (await seen.world.chat.reader.get_message(failed.id)).text == "Here I am"
        assert seen.told[-1] == ReachabilityChanged((), ())
        await seen.until_nobody_looks()  # because nothing waits


async def _noted(seen: Watched, *ids: str) -> None:
    """Wait until the database says that these wait."""
    store = WaitingRepository(seen.world.database)

    async def is_there() -> bool:
        return tuple([each.id for each in await store.unreached()]) == ids

    await until(is_there)


async def test_what_waits_for_a_connection_waits_on_after_a_restart(tmp_path: Path) -> None:
    async with watched(tmp_path, first_look_s=30) as seen:
        first = (await seen.world.ask("One")).answer
        second = (await seen.world.ask("Two")).answer
        third = (await seen.world.ask("Three")).answer
        seen.watch.cancel(second.id)
        await _noted(seen, first.id, third.id)
        await seen.watch.close()
        seen.watch = seen.another_watch()
        await seen.watch.resume()
        assert (seen.watch.unreachable, seen.watch.waiting) == (("test",), (first.id, third.id))
        await seen.server.come_back()
        seen.watch.probe_now()

        async def is_there() -> bool:
            return (await seen.world.chat.reader.get_message(third.id)).status is Status.COMPLETE

        await until(is_there)
        assert (await seen.world.chat.reader.get_message(second.id)).status is Status.ERROR, "given up, so not sent"
        await _noted(seen)


async def test_several_questions_are_sent_in_their_order(tmp_path: Path) -> None:
    may_answer = asyncio.Event()
    async with watched(tmp_path, first_look_s=30, may_answer=may_answer) as seen:
        first = (await seen.world.ask("One")).answer
        second = (await seen.world.ask("Two")).answer
        assert seen.watch.waiting == (first.id, second.id)
        await seen.server.come_back()
        seen.watch.probe_now()
        await until(lambda: seen.watch.due == (second.id,))
        await stays(lambda: (seen.watch.unreachable, seen.watch.due) == ((), (second.id,)), for_s=0.2)
        assert seen.told[-1] == ReachabilityChanged((), (), (second.id,)), "it waits for no connection"
        await _noted(seen, second.id)  # it is sent after a restart, too
        may_answer.set()
        await until(lambda: sum("chat" in each.path for each in seen.server.requests) == 2)
        asked = [each.json["messages"] for each in seen.server.requests if "chat" in each.path]
        assert [each[-1]["content"] for each in asked] == ["One", "Two"]
        assert asked[1][-2]["content"] == "Here I am", "the second question is asked after the first answer"


async def test_a_question_that_is_cancelled_while_the_one_before_is_answered_is_not_sent(tmp_path: Path) -> None:
    may_answer = asyncio.Event()
    async with watched(tmp_path, first_look_s=30, may_answer=may_answer) as seen:
        first = (await seen.world.ask("One")).answer
        second = (await seen.world.ask("Two")).answer
        await seen.server.come_back()
        seen.watch.probe_now()
        await until(lambda: seen.watch.due == (second.id,))
        await until(lambda: seen.world.chat.turns.in_thread(first.thread_id))
        seen.watch.cancel(second.id)
        may_answer.set()
        await until(lambda: not running_tasks("send what waited"))
        assert (await seen.world.chat.reader.get_message(second.id)).status is Status.ERROR
        assert sum("chat" in each.path for each in seen.server.requests) == 1


async def test_a_look_becomes_rarer(tmp_path: Path) -> None:
    async with watched(tmp_path, first_look_s=0.05) as seen:
        await seen.world.ask("Hello?")
        await until(lambda: seen.looks >= 3)
        first, second, third = seen.looked_at[:3]
        assert second - first > 0.09
        assert third - second > 0.19


async def test_without_the_setting_it_is_told_and_stays(tmp_path: Path) -> None:
    async with watched(tmp_path, is_sending=False) as seen:
        failed = (await seen.world.ask("Hello?")).answer
        await seen.server.come_back()
        await until(lambda: not seen.watch.unreachable)
        await seen.until_nobody_looks()
        await seen.world.chat.turns.wait_for_all()
        assert (await seen.world.chat.reader.get_message(failed.id)).status is Status.ERROR


async def test_who_takes_it_up_or_gives_it_up_ends_the_looking(tmp_path: Path) -> None:
    async with watched(tmp_path, first_look_s=30) as seen:
        failed = (await seen.world.ask("Hello?")).answer
        seen.watch.cancel()
        assert seen.told[-1] == ReachabilityChanged((), ())
        again = (await seen.world.ask("Hello again?")).answer
        assert seen.watch.waiting == (again.id,)
        await seen.world.library.delete([seen.world.thread_id])
        assert seen.watch.waiting == ()
        await seen.until_nobody_looks()
        assert seen.looks == 0
        assert failed.id not in seen.watch.waiting


async def test_a_question_taken_up_by_hand_waits_no_more(tmp_path: Path) -> None:
    async with watched(tmp_path, first_look_s=30) as seen:
        failed = (await seen.world.ask("Hello?")).answer
        await seen.server.come_back()
        await seen.world.chat.retry_message(failed.id)
        assert seen.watch.waiting == ()


async def test_another_question_that_gets_through_brings_the_others_along(tmp_path: Path) -> None:
    async with watched(tmp_path, first_look_s=30) as seen:
        failed = (await seen.world.ask("One")).answer
        await seen.server.come_back()
        await seen.world.ask("Two")

        async def is_there() -> bool:
            return (await seen.world.chat.reader.get_message(failed.id)).status is Status.COMPLETE

        await until(is_there)


@pytest.mark.parametrize("how", ["deleted", "asked for another version"])
async def test_a_cancelled_answer_is_not_sent(tmp_path: Path, how: str) -> None:
    async with watched(tmp_path, first_look_s=30) as seen:
        failed = (await seen.world.ask("Hello?")).answer
        if how == "deleted":
            await seen.world.chat.paths.delete_message(failed.id)
            await seen.server.come_back()
        else:
            await seen.server.come_back()
            await seen.world.chat.regenerate_response(failed.id)
            await seen.world.chat.turns.wait_for_all()
        seen.watch.probe_now()
        await until(lambda: not seen.watch.unreachable)
        await seen.until_nobody_looks()
        await seen.world.chat.turns.wait_for_all()
        assert (await seen.world.chat.reader.get_message(failed.id)).status is Status.ERROR
        asked = [each for each in seen.server.requests if "chat" in each.path]
        assert len(asked) == (0 if how == "deleted" else 1)


async def test_a_provider_that_is_removed_is_looked_for_no_more(tmp_path: Path) -> None:
    async def nobody(_name: str) -> bool:
        raise NotPossible("There is no provider called that.")

    async with watched(tmp_path, reach=nobody) as seen:
        await seen.world.ask("Hello?")
        await until(lambda: seen.told[-1] == ReachabilityChanged((), ()))
        assert seen.watch.waiting == ()


@pytest.mark.parametrize("code", [200, 401, 404, 429, 500])
async def test_a_refusal_is_a_sign_of_life(tmp_path: Path, code: int) -> None:
    async with FaultServer(status(code, {"data": []})) as server, fault_world(tmp_path, server.base_url) as world:
        assert await reaches(world.provider)
        await server.go_away()
        assert not await reaches(world.provider)
