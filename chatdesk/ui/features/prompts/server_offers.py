"""Lists the prompts and resources of the open thread's tool servers in the composer's menus, as their lists come in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final, cast

from chatdesk.core.chat.prompts.prompt_variables import Field
from chatdesk.core.domain.prompt import PromptHead, PromptKind
from chatdesk.core.domain.tools import ToolServer
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.hidden_characters import distinct_name
from chatdesk.core.texts import tr
from chatdesk.core.tools.offers import Offer, PromptArgument, ServerPrompt, ServerResource
from chatdesk.core.tools.tool_service import ToolService
from chatdesk.ui.composer.text_editor import SLASH, select_mark_query
from chatdesk.ui.features.chat.attachment_binding import AttachmentBinding
from chatdesk.ui.features.chat.next_model import NextAssistant
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.prompts.prompt_fields import PromptFieldsDialog
from chatdesk.ui.widgets.words import with_commas
from chatdesk.ui.window.window_context import WindowContext

# The prefix of ids of servers' offers; ids of the library have no colon.
_MARK: Final = "tool-server:"
_MOST_LISTED: Final = 1_000
_TASK = "insert prompt"


class ServerOffers:
    """Lists the prompts or resources of tool servers. ``kind`` is ``prompts`` or ``resources``; ``in_use`` returns the
    service of tool servers, None if no server is set up. The first request for a list starts the servers that are on in
    the thread without waiting for them: a failed one is left out, and its status says why."""

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


class ServerPrompts(ServerOffers):
    """Inserts prompts of tool servers. The text is in the composer, where the person reads it before sending; pictures
    and other files of a prompt become attachments."""

    kind = "prompts"

    def insert(self, prompt_id: str, *, is_after_slash: bool) -> bool:
        """Insert the prompt with this id; return whether it is one of a server."""
        prompt = cast("ServerPrompt | None", self.find(prompt_id))
        if prompt is None:
            return False
        insert = partial(self._insert_filled, prompt, thread_id=self._threads.thread_id, is_after_slash=is_after_slash)
        if prompt.arguments:
            self._ask_for_arguments(prompt, lambda values: self._tasks.replace(insert(values), _TASK))
        else:
            self._tasks.replace(insert({}), _TASK)
        return True

    def _ask_for_arguments(self, prompt: ServerPrompt, use: Callable[[Mapping[str, str]], object]) -> None:
        def check(values: Mapping[str, str]) -> str:
            missing = [each.label for each in prompt.arguments if each.is_required and not values[each.name].strip()]
            return tr("Still to fill in: {missing}.", missing=with_commas(missing)) if missing else ""

        dialog = PromptFieldsDialog(
            self._panes.theme,
            prompt.title,
            [Field(each.name, _label(each)) for each in prompt.arguments],
            last_values={},
            check=check,
            parent=self._panes.window,
        )
        dialog.head.setText(tr("{title}, from {name}", title=prompt.title, name=distinct_name(prompt.server.name)))
        dialog.filled.connect(use)
        dialog.finished.connect(lambda _result: self._panes.pane.focus_composer())
        dialog.open()

    async def _insert_filled(
        self, prompt: ServerPrompt, values: Mapping[str, str], *, thread_id: str | None, is_after_slash: bool
    ) -> None:
        composer = self._panes.composer
        server, before = distinct_name(prompt.server.name), composer.editor.written()
        composer.notice.show_passing(tr("Asking {server} for “{title}”…", server=server, title=prompt.title))
        used = await (await self.service()).offers.use(prompt, values)

        def insert(*, takes_query: bool = False) -> None:
            if self._threads.thread_id != thread_id or composer.editor.isReadOnly():
                self._panes.pane.show_toast(tr("The prompt was not inserted: another thread is open now."))
                return
            if takes_query:
                select_mark_query(composer.editor, SLASH)
            composer.insert_text(used.text)
            self._panes.pane.focus_composer()
            composer.notice.show_passing(tr("{server} wrote this text. Read it before you send it.", server=server))
            for file in used.files:
                self._attachments().attach_bytes(file.name, file.data)

        if self._threads.thread_id == thread_id and composer.editor.written() != before:
            # An inserted prompt could be sent unread with the message being typed.
            self._panes.pane.show_toast(
                tr("“{title}” came while you were typing.", title=prompt.title), tr("Insert"), insert
            )
        else:
            insert(takes_query=is_after_slash)


def _label(argument: PromptArgument) -> str:
    label = argument.label if argument.is_required else tr("{label} (optional)", label=argument.label)
    return f"{label}: {argument.description}" if argument.description else label
