"""Looks for the memories that a request of a thread carries."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from chatdesk.core.domain.memory import NotSent, OfferedMemories
from chatdesk.core.errors import StorageError

_log = logging.getLogger(__name__)

# Returns the memories for a project that a provider is sent.
OfferMemories = Callable[[str, str], Awaitable[OfferedMemories]]


class Remembered:
    """Offers nothing until ``use`` says where memories are: the service of temporary threads is never told."""

    def __init__(self) -> None:
        self._offer: OfferMemories | None = None

    def use(self, offer: OfferMemories) -> None:
        """Ask there before each request from now on."""
        self._offer = offer

    async def for_request(self, project_id: str, provider: str) -> OfferedMemories:
        """Return the memories that a request to a provider may carry."""
        if self._offer is None:
            return OfferedMemories(not_sent=NotSent.TEMPORARY)
        try:
            return await self._offer(project_id, provider)
        except StorageError as error:  # the question is worth more than its memories
            _log.warning("the memories could not be read: %s", error.what)
            return OfferedMemories()
