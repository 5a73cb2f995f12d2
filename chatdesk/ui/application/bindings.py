"""Builds the controllers of the main window: imported on a thread after the first paint, built once the services are
open.

Typing needs none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from chatdesk.core.events import StorageFailed, StorageRecovered, SyncStatusChanged, TeamChanged
from chatdesk.core.rendering.client import RenderClient
from chatdesk.core.settings.store import SettingsStore
from chatdesk.core.system.background_import import import_beside
from chatdesk.core.texts import Text
from chatdesk.services.parts import restorable
from chatdesk.services.services import Services
from chatdesk.ui.application.failure_notices import FailureNotices
from chatdesk.ui.application.network_binding import NetworkBinding
from chatdesk.ui.application.pane_bindings import PaneBindings, SharedParts
from chatdesk.ui.application.sidebar_binding import SidebarBinding
from chatdesk.ui.application.transcript_pane import add_transcript as add_transcript
from chatdesk.ui.features.chat.erasing_binding import DeletedMessagesBinding
from chatdesk.ui.features.chat.temporary_binding import TemporaryBinding
from chatdesk.ui.features.chat.undo_binding import UndoHistory
from chatdesk.ui.features.computers.computers_binding import ComputersBinding
from chatdesk.ui.features.desktop.desktop_binding import DesktopBinding
from chatdesk.ui.features.desktop.updates import UpdateBinding
from chatdesk.ui.features.knowledge.files_binding import FilesBinding
from chatdesk.ui.features.library.library_binding import LibraryBinding
from chatdesk.ui.features.library.thread_list_binding import ThreadListBinding
from chatdesk.ui.features.library.trash_binding import TrashBinding
from chatdesk.ui.features.links.link_binding import LinkBinding
from chatdesk.ui.features.local_service.local_service_binding import LocalServiceBinding
from chatdesk.ui.features.memory.memories_binding import MemoriesBinding
from chatdesk.ui.features.providers.provider_binding import ProviderBinding
from chatdesk.ui.features.quick.quick_binding import QuickBinding
from chatdesk.ui.features.settings.data_binding import DataBinding
from chatdesk.ui.features.settings.model_menu import ModelMenu
from chatdesk.ui.features.settings.restore_binding import RestartAfter, RestoreBinding
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.features.team.team_binding import TeamBinding
from chatdesk.ui.features.tools.tools_binding import ToolsBinding
from chatdesk.ui.features.transfer.import_binding import ImportBinding
from chatdesk.ui.features.usage.queue_binding import QueueBinding
from chatdesk.ui.features.usage.usage_binding import UsageBinding
from chatdesk.ui.qt.async_tasks import AsyncTasks
from chatdesk.ui.qt.event_subscriptions import EventSubscriptions
from chatdesk.ui.transcript.contract import ScrollAnchor
from chatdesk.ui.window.window_context import OpenThread, Panes, ShownChats, WindowContext
from chatdesk.ui.window.window_state import WindowState

if TYPE_CHECKING:  # imported only with a team
    from chatdesk.ui.features.team.team_window import TeamWindow


class Bindings(PaneBindings):
    """The controllers of the main window: those of the chat that is always there, and those that exist once.
    ``active`` returns the controllers of the chat that commands act on, ``all_chats`` those of all that are shown."""

    def __init__(
        self,
        panes: Panes,
        tasks: AsyncTasks,
        services: Services,
        *,
        store: SettingsStore,
        renderer: RenderClient,
        restart_after: RestartAfter,
    ) -> None:
        self.active: Callable[[], PaneBindings] = lambda: self
        self.all_chats: Callable[[], Sequence[PaneBindings]] = lambda: (self,)
        self.shown_chats = ShownChats(self)
        self.renderer = renderer
        self._is_team_built = False
        self.team_window: TeamWindow | None = None
        self.subscriptions = EventSubscriptions(services.events)
        context = WindowContext(
            panes,
            tasks,
            OpenThread(services.chat, services.chat_of, services.is_temporary),
            self.subscriptions,
            lambda: self.settings.current,
            self.shown_chats,
        )
        super().__init__(context, self._shared_parts(context, services, store))
        panes.main_window.all_windows = self.shown_chats.windows
        self._build_library(context, services)
        self._build_once(context, services)
        self._build_data(context, services, restart_after)
        self.sidebar = SidebarBinding(panes, self._active_chat)
        panes.commands.bind("app.settings", self.settings.open)
        panes.commands.bind("app.shortcuts", lambda: self.settings.open("Shortcuts"))
        context.events.subscribe(panes.window, SyncStatusChanged, self._build_team_once)
        context.events.subscribe(panes.window, TeamChanged, self._build_team_once)

    def _shared_parts(self, context: WindowContext, services: Services, store: SettingsStore) -> SharedParts:
        menu = ModelMenu(context, services)
        self.settings = SettingsBinding(
            context,
            services.settings,
            store,
            menu,
            services=services,
            backup_dir=services.paths.backup_dir,
            apply_settings=services.apply_settings,
        )
        self.providers = ProviderBinding(context, self.settings, services)
        self.memories = MemoriesBinding(context, self.settings, services, self._open_link_to_thread)
        history = UndoHistory(context)
        return SharedParts(services, self.renderer, menu, self.settings, self.providers, history, self.memories)

    def _build_library(self, context: WindowContext, services: Services) -> None:
        """Build the controllers that list threads and keep them in order."""
        self.lists = ThreadListBinding(context, self.threads, services.library)
        self.library = LibraryBinding(
            context,
            lambda: self.active().chat,
            self.lists,
            self.undo,
            library=services.library,
            system_prompts=services.system_prompts,
            trash=TrashBinding(
                context,
                lambda: self.active().chat,
                library=services.library,
                search=services.search,
                team_is_joined=services.team_is_joined,
            ),
            tools=services.tools,
        )
        self._kept_alive.append(
            FilesBinding(
                context,
                self.lists,
                self.passages,
                services.knowledge,
                services.kept_questions,
                lambda: {each.name: each.label for each in services.providers.all()},
            )
        )
        self.deleted_messages = DeletedMessagesBinding(context, self.undo, services.library)
        self.build_search(self.lists)

    def _build_once(self, context: WindowContext, services: Services) -> None:
        """Build the temporary chat, usage, imports and the first steps."""
        self.temporary = TemporaryBinding(
            context,
            self.threads,
            self.messages,
            self.undo,
            drafts=self.drafts,
            make_temporary=lambda: services.temporary,
            join=self.subscriptions.join,
        )
        self.usage = UsageBinding(context, self.settings, usage=services.usage, services=services)
        self.imports = ImportBinding(
            context,
            self.lists,
            importer=lambda: services.importer,
            library=services.library,
            attachments=services.attachments,
            memory=services.memory,
            read_only_reason=lambda: services.read_only_reason,
        )
        self.imports.imported.connect(self._on_imported)
        self.providers.editing.connected.connect(self.messages.models.use_new)
        self.build_first_screen(lambda program: self.imports.open(program=program))

    def _build_data(self, context: WindowContext, services: Services, restart_after: RestartAfter) -> None:
        """Build the controllers of backups and data, the team, the desktop, and queued questions."""
        restoring = RestoreBinding(
            context.panes,
            context.tasks,
            restart_after,
            get_backups=lambda: restorable(services.backups, has_other_owner=services.has_other_owner),
        )
        self.data = DataBinding(context, restoring, services)
        self.settings.dataPageMade.connect(self.data.join)
        self._kept_alive.append(
            LocalServiceBinding(
                context, self.settings, switch=lambda: services.service_switch, projects=services.library.projects.list
            )
        )
        self.tools = ToolsBinding(context, self.settings, load=services.tools.load)
        self.team = TeamBinding(context, self.settings, self.lists, services=services)
        self._kept_alive.append(ComputersBinding(context, self.settings, services))
        self.imports.offer_before(self.attachments.attach, unless=self.team.open_if_invitation)
        self.links = LinkBinding(
            context,
            import_file=self.imports.open,
            join=self.team.open_join,
            open_if_invitation=self.team.open_if_invitation,
            show_passage=self.passages.open_link,
        )
        self.quick = QuickBinding(context, self.threads, services.attachments, self.answer_view, settings=self.settings)
        self.desktop = DesktopBinding(context, self.settings, services.library, paths=services.paths)
        self.updates = UpdateBinding(context, self.settings)
        self.network = NetworkBinding(
            context,
            network=lambda: services.network,
            services=services,
            read_only_reason=lambda: services.read_only_reason,
            check_again=services.look_at_network_again,
        )
        self.queue = QueueBinding(
            context,
            withdraw=self.waiting_questions.withdraw,
            questions=lambda: services.questions,
            network=lambda: services.network,
        )

    def _on_imported(self) -> None:
        self.undo.record_lasting(Text("import"))

    def _open_link_to_thread(self, link: str) -> None:
        self.links.open(link)

    def _active_chat(self) -> PaneBindings:
        return self.active()

    def restore(self, state: WindowState) -> None:
        """Restore the scroll position of each thread."""
        self.threads.restore_anchors(
            {
                thread_id: ScrollAnchor(saved.message_id, saved.offset_px, saved.is_at_end)
                for thread_id, saved in state.anchors.items()
            }
        )

    def _build_team_once(self, _event: object) -> None:
        """Build the team's part of the window at the first event of a team: imported beside the loop, built on it."""
        if not self._is_team_built:
            self._is_team_built = True
            self.tasks.start(self._build_team(), "build the team's part of the window")

    async def _build_team(self) -> None:
        module = await import_beside("chatdesk.ui.features.team.team_window")
        self.team_window = module.TeamWindow(
            self.context_of_pane,
            await self.shared.services.load_team(),
            self.shared.services.library,
        )
        for chat in self.all_chats():
            self.team_window.add_chat(chat.context_of_pane, chat.threads)

    def report_storage(self, notices: FailureNotices) -> None:
        """Show in ``notices`` that text could not be saved, and later that it is."""
        subscribe = self.subscriptions.subscribe
        subscribe(self.panes.window, StorageFailed, lambda event: notices.show_answer_not_saved(event.sentence))
        subscribe(self.panes.window, StorageRecovered, lambda _event: notices.show_answers_saved())
        notices.follow(self.unsaved)

    async def end(self) -> None:
        """End all bindings, because the window closes."""
        await self.artifacts.end()
        self.team.end()
        await self.desktop.end()
        await self.quick.end()
        if self.team_window is not None:
            await self.team_window.end()
