"""Ends long answers and WebSockets of tokens that are revoked or expire, by one check for all, also where nothing
happens. What delivers an event asks before each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from chatdesk.service.declaration import Caller

_EVERY_S: Final = 0.5


class TokenWatch:
    """Looks at the tokens of everybody who is connected, twice a second while anybody is."""

    def __init__(self, still_valid: Callable[[Caller], bool]) -> None:
        self._still_valid = still_valid
        self._watched: dict[object, tuple[Caller, Callable[[], object]]] = {}
        self._looking: asyncio.TimerHandle | None = None

    @contextmanager
    def over(self, caller: Caller, end: Callable[[], object]) -> Iterator[None]:
        """Call ``end`` once when the caller's token is gone, as long as the block runs."""
        key = object()
        self._watched[key] = (caller, end)
        if self._looking is None:
            self._look_later()
        try:
            yield
        finally:
            self._watched.pop(key, None)
            if not self._watched and self._looking is not None:
                self._looking.cancel()
                self._looking = None

    def _look_later(self) -> None:
        self._looking = asyncio.get_running_loop().call_later(_EVERY_S, self._look)

    def _look(self) -> None:
        callers = {caller.id: caller for caller, _ in self._watched.values()}
        gone = {id_ for id_, caller in callers.items() if not self._still_valid(caller)}
        for key, (caller, end) in list(self._watched.items()):
            if caller.id in gone:
                del self._watched[key]
                end()
        self._looking = None
        if self._watched:
            self._look_later()
