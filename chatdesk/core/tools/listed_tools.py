"""Reads the tools that the process of the servers lists, and compares them with those that were offered. Pure."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from chatdesk.core.domain.tools import (
    LEFT_OUT_TEXTS,
    CheckStep,
    LeftOut,
    ServerState,
    ServerStatus,
    Tool,
    ToolCheck,
    ToolHints,
    ToolServer,
)
from chatdesk.core.hidden_characters import distinct_name, visible_controls


def tool_of(server: ToolServer, row: Sequence[Any]) -> Tool:
    """Return a tool of a server, with hidden characters spelt out."""
    name, title, description, schema, is_read_only, is_destructive, is_open_world, digest = row
    return Tool(
        server.id,
        server.name,
        name,
        distinct_name(title),
        visible_controls(description),
        json.loads(schema),
        ToolHints(is_read_only, is_destructive, is_open_world),
        digest,
    )


def left_out_texts(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return a sentence for each tool that is left out of a server's list."""
    return tuple(LEFT_OUT_TEXTS[LeftOut(reason)].filled(tool=distinct_name(name)) for reason, name in rows)


def is_changed(listed: Sequence[Tool], name: str, digest: str) -> bool:
    """Return whether a tool is another one than the one with this digest, or gone; empty: any will do."""
    return bool(digest) and digest not in [each.digest for each in listed if each.name == name]


def checks_of(status: ServerStatus, steps: Sequence[str]) -> Iterator[ToolCheck]:
    """Yield the ``steps`` that a started server has gone, the failed one with its problem."""
    is_well = status.state is ServerState.READY
    for step in (CheckStep.STARTED, CheckStep.SPOKE, CheckStep.LISTED):
        if step is CheckStep.STARTED and status.server.address:
            continue
        if not is_well and (step is CheckStep.LISTED or step.value not in steps):
            yield ToolCheck(step, False, status.problem, stderr=status.stderr)
            return
        if step is CheckStep.LISTED:
            yield ToolCheck(step, True, tool_count=status.tool_count, left_out=status.left_out)
        else:
            yield ToolCheck(step, True)


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
