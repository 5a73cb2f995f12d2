"""Shares the sessions of assistants among the tokens, so that one of them cannot keep the others out.

The mcp package keeps the sessions; this module sees them open and close in its answers, and must not know it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Message, Send

MOST_SESSIONS: Final = 256
MOST_FOR_TOKEN: Final = 32
HEADER: Final = "mcp-session-id"

# Ends a session, given the id of its token and its own.
EndSession = Callable[[str, str], Awaitable[None]]


@dataclass(slots=True)
class _Session:
    token_id: str
    uses: int = 0


class Sessions:
    """The sessions of all tokens. Where a token has more than its share, the one of its own that was idle longest ends;
    where all have more than there may be, one of the token that has most."""

    def __init__(self, end: EndSession) -> None:
        self._end = end
        self._sessions: dict[str, _Session] = {}  # by id, the one that was used last at the end

    async def serve(
        self, token_id: str, request: Request, send: Send, handle: Callable[[Send], Awaitable[None]]
    ) -> None:
        """Handle a request of a token in its session, or one that may open one. ``handle`` answers over what it is
        given."""
        given = request.headers.get(HEADER)
        used = given if given in self._sessions and self._sessions[given].token_id == token_id else None
        if used is not None:
            self._sessions[used].uses += 1

        async def watch(message: Message) -> None:
            nonlocal used
            if message["type"] == "http.response.start":
                is_done = message["status"] < 400
                if used is not None and (message["status"] == 404 or (is_done and request.method == "DELETE")):
                    self._sessions.pop(used, None)
                elif is_done and given is None and (used := Headers(raw=message["headers"]).get(HEADER)) is not None:
                    self._sessions[used] = _Session(token_id, uses=1)
                    await self._end_surplus(token_id)
            await send(message)

        try:
            await handle(watch)
        finally:
            if used is not None and (session := self._sessions.pop(used, None)) is not None:
                session.uses -= 1
                self._sessions[used] = session
            await self._end_surplus(token_id)

    async def _end_surplus(self, token_id: str) -> None:
        while (surplus := self._surplus(token_id)) is not None:
            await self._end(self._sessions.pop(surplus).token_id, surplus)

    def _surplus(self, token_id: str) -> str | None:
        """Return the session that is to end now, if any. Those in use end none; they are looked at after their use."""
        counts = Counter(each.token_id for each in self._sessions.values())
        if counts[token_id] > MOST_FOR_TOKEN:
            crowding = token_id
        elif len(self._sessions) > MOST_SESSIONS:
            crowding = counts.most_common(1)[0][0]
        else:
            return None
        return next((id_ for id_, each in self._sessions.items() if each.token_id == crowding and not each.uses), None)
