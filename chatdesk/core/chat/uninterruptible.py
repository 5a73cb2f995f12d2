"""A decorator for methods that write and then publish: they run to their end even when their caller is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


def uninterruptible(act: Callable[_P, Coroutine[Any, Any, _T]]) -> Callable[_P, Coroutine[Any, Any, _T]]:
    """Run ``act`` to its end when its caller is cancelled, and raise the cancellation after that. Storage completes its
    work in any case; without the events that follow, and the turn that starts, no subscriber would notice."""

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
