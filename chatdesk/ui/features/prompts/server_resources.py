"""Attaches a resource of a tool server to what is written, once somebody has chosen it after an @."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from chatdesk.ui.features.prompts.server_offers import ServerOffers

if TYPE_CHECKING:
    from chatdesk.core.tools.offers import ServerResource


class ServerResources(ServerOffers):
    """A resource goes the way of every attached file: its type is told by its content, limits and the scan for viruses
    hold."""

    kind = "resources"

    def attach(self, resource_id: str) -> bool:
        """Attach the resource with this id; return whether it is one of a server."""
        resource = cast("ServerResource | None", self.find(resource_id))
        if resource is None:
            return False

        async def fetch() -> Sequence[tuple[str, bytes]]:
            files = await (await self.service()).offers.read(resource)
            return [(file.name, file.data) for file in files]

        self._attachments().attach_fetched(resource.title, fetch)
        return True
