"""What writes and then says so: whoever waits for it may be cancelled, and it happens whole all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


def whole(act: Callable[_P, Coroutine[Any, Any, _T]]) -> Callable[_P, Awaitable[_T]]:
    """``act``, which is carried out to its end when its caller is cancelled, who then hears of that once it is done.
    Storage carries out what it was asked for in any case; without the events that follow, and the turn that is started,
    nobody would know."""

    @wraps(act)
    async def run(*values: _P.args, **options: _P.kwargs) -> _T:
        work = asyncio.ensure_future(act(*values, **options))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])
            if not work.cancelled():
                work.exception()  # taken: nobody waits for it any more
            raise

    return run
