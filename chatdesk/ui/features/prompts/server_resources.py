"""Attaches a resource of a tool server to what is written, once somebody has chosen it after an @."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from chatdesk.core.domain.prompt import PromptHead

if TYPE_CHECKING:
    from chatdesk.core.tools.offers import ServerResource
    from chatdesk.ui.features.chat.attachment_binding import AttachmentBinding
    from chatdesk.ui.features.prompts.server_offers import ServerOffers


class ServerResources:
    """A resource goes the way of every attached file: its type is told by its content, limits and the scan for viruses
    hold."""

    def __init__(self, offers: ServerOffers, *, attachments: Callable[[], AttachmentBinding]) -> None:
        self._offers = offers
        self._attachments = attachments

    async def heads(self) -> list[PromptHead]:
        """Return the resources that are known of the servers that are on in the open thread."""
        return await self._offers.heads()

    def ask(self, show: Callable[[], object]) -> None:
        """Ask the servers for their resources; ``show`` is called each time a list has come."""
        self._offers.ask(show)

    def attach(self, resource_id: str) -> bool:
        """Attach the resource with this id; return whether it is one of a server."""
        resource = cast("ServerResource | None", self._offers.find(resource_id))
        if resource is None:
            return False
        offers = self._offers

        async def fetch() -> Sequence[tuple[str, bytes]]:
            files = await (await offers.service()).offers.read(resource)
            return [(file.name, file.data) for file in files]

        self._attachments().attach_fetched(resource.title, fetch)
        return True
