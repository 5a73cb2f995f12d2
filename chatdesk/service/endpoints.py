"""Lists every endpoint of the service."""

from __future__ import annotations

from typing import Final

from chatdesk.service.declaration import Endpoint, SocketEndpoint
from chatdesk.service.rest import documents, health, messages, projects, threads

_DESCRIBED: Final[tuple[Endpoint, ...]] = (
    *health.ENDPOINTS,
    *projects.ENDPOINTS,
    *threads.ENDPOINTS,
    *messages.ENDPOINTS,
)
ENDPOINTS: Final = (*_DESCRIBED, *documents.endpoints_for(_DESCRIBED))
SOCKETS: Final[tuple[SocketEndpoint, ...]] = ()
