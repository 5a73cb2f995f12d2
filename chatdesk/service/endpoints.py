"""Lists every endpoint of the service, with the two that describe the others: the document and a page that shows it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from functools import cache
from typing import Any, Final

from chatdesk.service.declaration import Call, Endpoint, Streamed
from chatdesk.service.document_page import POLICY, page_of
from chatdesk.service.live import connection
from chatdesk.service.live.conversation import SocketEndpoint
from chatdesk.service.openai_protocol import endpoints as openai
from chatdesk.service.openapi import document_of
from chatdesk.service.rest import (
    attachments,
    computers,
    drafts,
    health,
    jobs,
    memories,
    messages,
    models,
    project_files,
    projects,
    prompts,
    search,
    summaries,
    tags,
    threads,
    usage,
    versions,
)


def _endpoints_for(described: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
    """Return the endpoints that describe these ones and themselves. The document is made when it is first wanted."""

    @cache
    def document() -> dict[str, Any]:
        return document_of((*described, *own))

    def shown(_result: None) -> dict[str, Any]:
        return document()

    async def read(_call: Call[Any, Any]) -> None:
        return None

    async def show(_call: Call[Any, Any]) -> Streamed:
        async def once() -> AsyncGenerator[None, None]:
            yield None

        headers = {"content-security-policy": POLICY}
        return Streamed(once, lambda _item: page_of(document()).encode(), "text/html; charset=utf-8", headers=headers)

    own = (
        Endpoint("GET", "/api/v1/openapi.json", read, "Read this document", shown, scope=None),
        Endpoint("GET", "/docs", show, "Show this document as a page", scope=None, media_type="text/html"),
    )
    return own


_DESCRIBED: Final[tuple[Endpoint, ...]] = (
    *health.ENDPOINTS,
    *projects.ENDPOINTS,
    *project_files.ENDPOINTS,
    *threads.ENDPOINTS,
    *messages.ENDPOINTS,
    *versions.ENDPOINTS,
    *attachments.ENDPOINTS,
    *drafts.ENDPOINTS,
    *tags.ENDPOINTS,
    *search.ENDPOINTS,
    *prompts.ENDPOINTS,
    *memories.ENDPOINTS,
    *computers.ENDPOINTS,
    *models.ENDPOINTS,
    *usage.ENDPOINTS,
    *summaries.ENDPOINTS,
    *jobs.ENDPOINTS,
    *connection.ENDPOINTS,
    *openai.ENDPOINTS,
)
ENDPOINTS: Final = (*_DESCRIBED, *_endpoints_for(_DESCRIBED))
SOCKETS: Final[tuple[SocketEndpoint, ...]] = connection.SOCKETS
