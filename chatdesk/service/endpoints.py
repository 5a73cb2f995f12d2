"""Lists every endpoint of the service."""

from __future__ import annotations

from typing import Final

from chatdesk.service.declaration import Endpoint
from chatdesk.service.live import connection
from chatdesk.service.live.conversation import SocketEndpoint
from chatdesk.service.openai_protocol import endpoints as openai
from chatdesk.service.rest import (
    attachments,
    documents,
    drafts,
    health,
    jobs,
    messages,
    models,
    projects,
    prompts,
    search,
    summaries,
    tags,
    threads,
    usage,
    versions,
)

_DESCRIBED: Final[tuple[Endpoint, ...]] = (
    *health.ENDPOINTS,
    *projects.ENDPOINTS,
    *threads.ENDPOINTS,
    *messages.ENDPOINTS,
    *versions.ENDPOINTS,
    *attachments.ENDPOINTS,
    *drafts.ENDPOINTS,
    *tags.ENDPOINTS,
    *search.ENDPOINTS,
    *prompts.ENDPOINTS,
    *models.ENDPOINTS,
    *usage.ENDPOINTS,
    *summaries.ENDPOINTS,
    *jobs.ENDPOINTS,
    *connection.ENDPOINTS,
    *openai.ENDPOINTS,
)
ENDPOINTS: Final = (*_DESCRIBED, *documents.endpoints_for(_DESCRIBED))
SOCKETS: Final[tuple[SocketEndpoint, ...]] = connection.SOCKETS
