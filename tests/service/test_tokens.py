"""One look for all connections: what belongs to a token that is gone is ended once, and nobody else's."""

from __future__ import annotations

import asyncio

from chatdesk.service.caller import Caller
from chatdesk.service.tokens import TokenWatch
from tests.helpers.waiting import until


async def test_requests_of_a_revoked_token_are_ended_and_checked_once() -> None:
    valid, looked, ended = {"a", "b"}, list[str](), list[str]()

    def still_valid(caller: Caller) -> bool:
        looked.append(caller.id)
        return caller.id in valid

    watch = TokenWatch(still_valid)
    first, second = (Caller(id_, id_, frozenset()) for id_ in "ab")
    with (
        watch.over(first, lambda: ended.append("a1")),
        watch.over(first, lambda: ended.append("a2")),
        watch.over(second, lambda: ended.append("b")),
    ):
        await until(lambda: len(looked) == 2)
        assert sorted(looked) == ["a", "b"]
        valid.discard("a")
        await until(lambda: len(ended) == 2)
        looked.clear()
        await until(lambda: looked)
        assert set(looked) == {"b"}
        assert sorted(ended) == ["a1", "a2"]
    looked.clear()
    assert not [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]


async def test_a_finished_request_is_not_ended_again() -> None:
    valid, ended, is_looking = {"a"}, list[str](), list[bool]()
    watch = TokenWatch(lambda caller: is_looking.append(True) or caller.id in valid)  # type: ignore[func-returns-value]
    caller = Caller("a", "a", frozenset())
    with watch.over(caller, lambda: ended.append("first")):
        pass
    valid.clear()
    with watch.over(caller, lambda: ended.append("second")):
        await until(lambda: ended)
    assert ended == ["second"]
    assert len(is_looking) == 1
