"""Describes endpoints of long connections: WebSockets, and answers that follow events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.websockets import WebSocket

from chatdesk.service.caller import Caller, Scope
from chatdesk.service.carrying_out import Carried, Conditions
from chatdesk.service.declaration import Call, Endpoint
from chatdesk.service.live.events import LiveEvents


@dataclass(frozen=True, slots=True)
class Followed:
    """The result of a handler that goes on answering with what happens: ``content`` runs on the service's thread."""

    content: Callable[[LiveEvents], AsyncGenerator[bytes, None]]
    media_type: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A WebSocket whose caller has the scope for it. ``call`` makes a request of an operation, which ``carry_out``
    runs; ``admit`` counts it, and raises ``TooManyRequests``. ``is_valid`` tells whether the token is still good."""

    websocket: WebSocket
    caller: Caller
    call: Callable[..., Call[Any, Any]]
    live: LiveEvents
    carry_out: Callable[[Endpoint, Call[Any, Any], Conditions], Awaitable[Carried]]
    admit: Callable[[], None]
    is_valid: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class SocketEndpoint:
    """A WebSocket at an address. ``handler`` runs on the service's thread, once the token has the scope; it accepts,
    and reaches the services over their loop. It is cancelled when the token ends."""

    path: str
    handler: Callable[[Conversation], Awaitable[None]]
    scope: Scope
