"""Holds the state of one tool server, as the process that hosts it reports it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

from chatdesk.core.domain.tools import ServerState, ServerStatus, Tool, ToolServer

_LAST_LINES: Final = 3
_LONGEST_WORDS: Final = 600


@dataclass(slots=True, eq=False)
class KnownServer:
    """The state of a server, as the process that hosts it reports it. ``opening`` is the one running attempt to start
    it."""

    server: ToolServer
    state: ServerState = ServerState.IDLE
    problem: str = ""
    tools: tuple[Tool, ...] | None = None
    left_out: tuple[str, ...] = ()
    stderr: str = ""
    restarts: int = 0
    again_at_s: float = 0.0
    opening: asyncio.Task[None] | None = None
    steps: list[str] = field(default_factory=list)

    @property
    def last_words(self) -> str:
        """Return the last lines that the program wrote to its standard error."""
        return "\n".join(self.stderr.strip().splitlines()[-_LAST_LINES:])[-_LONGEST_WORDS:]

    @property
    def status(self) -> ServerStatus:
        count = len(self.tools or ())
        return ServerStatus(self.server, self.state, self.problem, count, self.stderr, self.left_out)
