"""The events of tools, a part of ``events``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ApprovalAsked:
    """A call of a tool waits for a person's answer in the window; ``request`` has its thread, tool and arguments."""

    request: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ApprovalEnded:
    """A call does not wait any more."""

    thread_id: str
    request_id: str


@dataclass(frozen=True, slots=True)
class ServerRequestsChanged:
    """The requests of tool servers to a person changed in a thread; they are answered in the window."""

    thread_id: str


@dataclass(frozen=True, slots=True)
class ToolsOffered:
    """A model is offered these tools of a server for an answer; ``notes`` are sentences about those that it is not."""

    thread_id: str
    message_id: str
    server_id: str = ""
    server: str = ""
    tools: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolServersChanged:
    """The tool servers changed: their set-up, or how they are."""


ToolEvent = ApprovalAsked | ApprovalEnded | ServerRequestsChanged | ToolServersChanged | ToolsOffered
