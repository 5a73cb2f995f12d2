"""Lists the prompts and resources of the open thread's tool servers in the composer's menus, as their lists come in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from chatdesk.core.domain.prompt import PromptHead, PromptKind
from chatdesk.core.domain.tools import ToolServer
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.hidden_characters import distinct_name
from chatdesk.core.texts import tr
from chatdesk.core.tools.offers import Offer
from chatdesk.core.tools.tool_service import ToolService
from chatdesk.ui.features.chat.attachment_binding import AttachmentBinding
from chatdesk.ui.features.chat.next_model import NextAssistant
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.window.window_context import WindowContext

# Before the id of what a server offers; ids of the library have no colon.
_MARK: Final = "tool-server:"
_MOST_LISTED: Final = 1_000


class ServerOffers:
    """Lists the prompts or resources of tool servers. ``kind`` is ``prompts`` or ``resources``; ``in_use`` returns the
    service of tool servers, None where nobody has set one up. A server that is on in the thread is started by the first
    list that somebody asks for, and nobody waits for it: one that fails is left out, and its status says why."""

    kind: str

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        assistants: NextAssistant,
        *,
        in_use: Callable[[], Awaitable[ToolService | None]],
        attachments: Callable[[], AttachmentBinding],
    ) -> None:
        self._panes = context.panes
        self._tasks = context.tasks
        self._open_thread = context.open_thread
        self._threads = threads
        self._assistants = assistants
        self._in_use = in_use
        self._attachments = attachments
        self._listed: dict[str, Offer] = {}

    async def heads(self) -> list[PromptHead]:
        """Return the offers that the servers of the open thread have listed so far; no server is started or waited
        for."""
        service = await self._in_use()
        self._listed = {}
        heads: list[PromptHead] = []
        for server in await self._servers(service) if service is not None else ():
            known = service.offers.known(self.kind, server) or () if service is not None else ()
            for number, offer in enumerate(known[: _MOST_LISTED - len(heads)]):
                id_ = f"{_MARK}{server.id}:{number}"
                self._listed[id_] = offer
                about = tr("From {name}", name=distinct_name(server.name))
                if offer.description:
                    about = f"{about} · {offer.description}"
                heads.append(PromptHead(id_, PromptKind.TEMPLATE, offer.title, about))
        return heads

    def ask(self, show: Callable[[], object]) -> None:
        """Ask the servers of the open thread that were not asked yet; ``show`` is called each time a list has come."""
        self._tasks.start_once(self._ask(show), f"ask for {self.kind}")

    def find(self, id_: str) -> Offer | None:
        """Return the offer with this id in the last ``heads``; None for an id of the library."""
        return self._listed.get(id_)

    async def service(self) -> ToolService:
        """Return the service of tool servers, which is there once anything was listed."""
        service = await self._in_use()
        assert service is not None
        return service

    async def _ask(self, show: Callable[[], object]) -> None:
        service = await self._in_use()
        for server in await self._servers(service) if service is not None else ():
            if service is not None and service.offers.known(self.kind, server) is None:
                name = f"list {self.kind} of {server.id}"
                self._tasks.start_once(self._list(service, server, show), name)

    async def _list(self, service: ToolService, server: ToolServer, show: Callable[[], object]) -> None:
        try:
            if await service.offers.list(self.kind, server):
                show()
        except ChatDeskError:
            return  # its status says why

    async def _servers(self, service: ToolService) -> tuple[ToolServer, ...]:
        thread, here = self._threads.open_thread, self._assistants.here
        if thread is not None:
            project_id = thread.project_id
        else:
            project_id = (self._threads.new_project or await self._open_thread.stored_chat.projects.default()).id
        chosen = None if here is None else here.setup.tools
        return service.on_for(thread_id=None if thread is None else thread.id, project_id=project_id, chosen=chosen)
