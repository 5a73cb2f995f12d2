"""Lists every endpoint of the service."""

from __future__ import annotations

from typing import Final

from chatdesk.service.declaration import Endpoint, SocketEndpoint
from chatdesk.service.rest import health, messages, projects, threads

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *health.ENDPOINTS,
    *projects.ENDPOINTS,
    *threads.ENDPOINTS,
    *messages.ENDPOINTS,
)
SOCKETS: Final[tuple[SocketEndpoint, ...]] = ()
