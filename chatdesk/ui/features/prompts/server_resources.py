"""Attaches a resource of a tool server to the message, once a person has chosen it after an @."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from chatdesk.core.tools.offers import ServerResource
from chatdesk.ui.features.prompts.server_offers import ServerOffers


class ServerResources(ServerOffers):
    """Attaches resources of tool servers. A resource is treated as any attached file: its content decides its type, and
    limits and the scan for viruses apply."""

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
