"""Everything that joins widgets with services: imported beside the loop after the first paint, built once the services
are open.

None of it is needed to type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from chatdesk.core.background_import import import_beside
from chatdesk.core.events import SyncStatusChanged, TeamChanged
from chatdesk.core.rendering.client import RenderClient
from chatdesk.services.groups import (
    artifacts_of,
    data_services_of,
    model_services_of,
    restore_services_of,
    team_services_of,
)
from chatdesk.ui.application.command_binding import CommandBinding
from chatdesk.ui.application.network_binding import NetworkBinding
from chatdesk.ui.application.recovery_actions import RecoveryActions
from chatdesk.ui.application.transcript_pane import add_transcript as add_transcript
from chatdesk.ui.async_tasks import AsyncTasks
from chatdesk.ui.event_subscriptions import EventSubscriptions
from chatdesk.ui.features.artifacts.artifacts_binding import ArtifactsBinding
from chatdesk.ui.features.chat.answer_models import AnswerModels
from chatdesk.ui.features.chat.attachment_binding import AttachmentBinding
from chatdesk.ui.features.chat.date_binding import DateBinding
from chatdesk.ui.features.chat.deleted_messages_binding import DeletedMessagesBinding
from chatdesk.ui.features.chat.drafts import DraftKeeper
from chatdesk.ui.features.chat.erasing_binding import ErasingBinding
from chatdesk.ui.features.chat.link_binding import LinkBinding
from chatdesk.ui.features.chat.message_binding import MessageBinding
from chatdesk.ui.features.chat.parameters_binding import ParametersBinding
from chatdesk.ui.features.chat.temporary_binding import TemporaryBinding
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.transcript_files import TranscriptFiles
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.features.chat.unsaved import Unsaved
from chatdesk.ui.features.chat.waiting_questions_binding import WaitingQuestionsBinding
from chatdesk.ui.features.compare.compare_binding import CompareBinding
from chatdesk.ui.features.desktop.desktop_binding import DesktopBinding
from chatdesk.ui.features.inspector.context_binding import ContextBinding
from chatdesk.ui.features.inspector.inspector_binding import InspectorBinding
from chatdesk.ui.features.inspector.summary_work_binding import SummaryWorkBinding
from chatdesk.ui.features.inspector.transcript_context import TranscriptContext
from chatdesk.ui.features.library.library_binding import LibraryBinding
from chatdesk.ui.features.library.thread_list_binding import ThreadListBinding
from chatdesk.ui.features.local_service.local_service_binding import LocalServiceBinding
from chatdesk.ui.features.prompts.assistant_binding import AssistantBinding
from chatdesk.ui.features.prompts.prompt_binding import PromptBinding
from chatdesk.ui.features.prompts.quick_actions import QuickActions
from chatdesk.ui.features.prompts.server_offers import ServerOffers
from chatdesk.ui.features.prompts.server_prompts import ServerPrompts
from chatdesk.ui.features.prompts.server_resources import ServerResources
from chatdesk.ui.features.providers.provider_binding import ProviderBinding
from chatdesk.ui.features.quick.quick_binding import QuickBinding
from chatdesk.ui.features.search.search_binding import SearchBinding
from chatdesk.ui.features.settings.data_binding import DataBinding
from chatdesk.ui.features.settings.model_menu import ModelMenu
from chatdesk.ui.features.settings.restore_binding import RestartAfter, RestoreBinding
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.features.team.team_binding import TeamBinding
from chatdesk.ui.features.tools.changes_binding import ChangesBinding
from chatdesk.ui.features.tools.chosen_servers import ChosenServers
from chatdesk.ui.features.tools.consent_binding import ConsentBinding
from chatdesk.ui.features.tools.tools_binding import ToolsBinding
from chatdesk.ui.features.transfer.export_binding import ExportBinding
from chatdesk.ui.features.transfer.import_binding import ImportBinding
from chatdesk.ui.features.usage.queue_binding import QueueBinding
from chatdesk.ui.features.usage.usage_binding import UsageBinding
from chatdesk.ui.features.way_in.connect_binding import ConnectBinding
from chatdesk.ui.features.way_in.way_in_binding import WayInBinding
from chatdesk.ui.transcript.contract import MessageFetcher, ScrollAnchor
from chatdesk.ui.transcript.view import TranscriptView
from chatdesk.ui.window.panes import Panes
from chatdesk.ui.window.window_context import OpenThread, WindowContext
from chatdesk.ui.window.window_state import WindowState

if TYPE_CHECKING:
    from chatdesk.core.settings.store import SettingsStore
    from chatdesk.services.groups import ModelServices
    from chatdesk.services.services import Services
    from chatdesk.ui.features.prompts.assistant_chooser import AssistantChooser
    from chatdesk.ui.features.team.team_window import TeamWindow


class Bindings:
    """The controllers of a window, one for each subject, built once the services are open; each gets those that it
    uses. ``renderer`` parses for every transcript of the window."""

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
        self.subscriptions = EventSubscriptions(services.events)
        context = self._context = WindowContext(
            panes,
            tasks,
            OpenThread(services.chat, services.chat_of, services.is_temporary),
            self.subscriptions.subscribe,
            lambda: self.settings.current,
        )
        self._panes = panes
        self.renderer = renderer
        self._team_services = team_services_of(services)
        self._is_team_begun = False
        self.team_window: TeamWindow | None = None
        models = model_services_of(services)
        self._build_reading(context, services, models, store)
        self._build_messages(context, services, models)
        self._build_panes(context, services, models)
        self._build_artifacts(context, services)
        self._build_data(context, services, models, restart_after)
        self.models.changed.connect(self._on_models_changed)
        self._panes.commands.bind("app.settings", self.settings.open)
        self._panes.sidebar.settingsRequested.connect(self.settings.open)
        self._panes.transcript.linkActivated.connect(_open_link)
        context.subscribe(self._panes.window, SyncStatusChanged, self._begin_team_once)
        context.subscribe(self._panes.window, TeamChanged, self._begin_team_once)

    def _build_reading(
        self, context: WindowContext, services: Services, models: ModelServices, store: SettingsStore
    ) -> None:
        """Build what opens and lists threads, and the settings."""
        self.unsaved = Unsaved(context.tasks)
        self.drafts = DraftKeeper(
            context.panes.composer, context.tasks, context.open_thread.chat_of, unsaved=self.unsaved
        )
        self.threads = ThreadBinding(context, self.drafts)
        self.undo = UndoBinding(context, self.threads)
        self.lists = ThreadListBinding(context, self.threads, services.library)
        self.library = LibraryBinding(
            context,
            self.threads,
            self.lists,
            self.undo,
            library=services.library,
            system_prompts=services.system_prompts,
            team_is_joined=services.team_is_joined,
            tools=services.tools,
        )
        self.deleted_messages = DeletedMessagesBinding(context, self.threads, self.undo, library=services.library)
        self.erasing = ErasingBinding(context, self.threads, services.load_team)
        self.dates = DateBinding(context, self.threads)
        self.models = ModelMenu(context, models)
        self.settings = SettingsBinding(
            context,
            services.settings,
            store,
            self.models,
            services=models,
            backup_dir=services.paths.backup_dir,
            apply_settings=services.apply_settings,
        )
        self.providers = ProviderBinding(context, self.settings, models)

    def _build_messages(self, context: WindowContext, services: Services, models: ModelServices) -> None:
        """Build what happens to the messages of the open thread."""
        self.messages = MessageBinding(
            context,
            self.threads,
            self.undo,
            self.settings,
            drafts=self.drafts,
            models=models,
            questions=lambda: services.questions,
            member_name=lambda author_id: services.team.member_name(author_id),  # noqa: PLW0108 - the team loads when first asked
        )
        self.temporary = TemporaryBinding(
            context,
            self.threads,
            self.messages,
            self.undo,
            drafts=self.drafts,
            make_temporary=lambda: services.temporary,
            join=self.subscriptions.join,
        )
        self.commands = CommandBinding(context.panes, self.threads, self.messages, self.undo, tasks=context.tasks)
        self.usage = UsageBinding(
            context, self.threads, self.messages, self.settings, usage=services.usage, models=models
        )
        self.recovery = RecoveryActions(
            context, self.messages, self.undo, self.providers.edit, attachments=services.attachments
        )
        self.answer_models = AnswerModels(context, self.threads)
        self.comparison = CompareBinding(context, self.threads, self.messages, make_view=self._answer_view)
        self.inspection = InspectorBinding(context, self.threads, self.undo, usage_of=services.usage_of)
        self.context = ContextBinding(context, self.threads, self.inspection)
        self.transcript_context = TranscriptContext(context, self.threads, self.inspection, self.undo)

    def _build_panes(self, context: WindowContext, services: Services, models: ModelServices) -> None:
        """Build prompts, files, exports, imports and the first steps."""
        self.prompts = PromptBinding(
            context,
            self.threads,
            self.undo,
            begin_thread=self.messages.begin_thread,
            prompts=services.prompts,
            system_prompts=services.system_prompts,
            open_assistants=lambda: _assistant_chooser(context, services),
            server_prompts=ServerPrompts(
                context, self.threads, self._offers(context, services, "prompts"), attachments=lambda: self.attachments
            ),
        )
        self.assistants = AssistantBinding(
            context,
            self.threads,
            self.undo,
            self.messages.assistants,
            prompts=services.prompts,
            open_library=self.prompts.open_library,
            resources=ServerResources(
                self._offers(context, services, "resources"), attachments=lambda: self.attachments
            ),
        )
        self.quick_actions = QuickActions(context, self.threads, self.prompts, prompt_service=services.prompts)
        self.parameters = ParametersBinding(context, self.threads)
        self.export = ExportBinding(context, self.threads, services.exports_of)
        self.files = TranscriptFiles(context, services.attachments)
        self.attachments = AttachmentBinding(
            context,
            self.threads,
            self.messages,
            self.files,
            self.drafts,
            attachments=services.attachments,
            models=models,
        )
        self.imports = ImportBinding(
            context,
            self.lists,
            importer=lambda: services.importer,
            library=services.library,
            attachments=services.attachments,
            read_only_reason=lambda: services.read_only_reason,
        )
        self.connection = ConnectBinding(context, self.threads, self.messages, self.settings, models=models)
        self.way_in = WayInBinding(
            context,
            self.threads,
            self.messages,
            self.connection,
            open_import=lambda program: self.imports.open(program=program),
            ask=self.commands.ask,
            models=models,
            read_only_reason=lambda: services.read_only_reason,
        )

    def _offers(self, context: WindowContext, services: Services, kind: str) -> ServerOffers:
        return ServerOffers(context, self.threads, self.messages.assistants, kind, in_use=services.tools.in_use)

    def _build_artifacts(self, context: WindowContext, services: Services) -> None:
        """Build what opens files and code of messages beside the thread."""
        self.artifacts = ArtifactsBinding(
            context,
            self.threads,
            self.drafts,
            self.inspection,
            self.files,
            make_service=lambda: artifacts_of(services),
            make_view=self._answer_view,
        )

    def _build_data(
        self, context: WindowContext, services: Services, models: ModelServices, restart_after: RestartAfter
    ) -> None:
        """Build the care of data, the team, the search, and what waits."""
        restoring = RestoreBinding(context.panes, context.tasks, restart_after, services=restore_services_of(services))
        self.data = DataBinding(context, restoring, data_services_of(services))
        self.settings.dataPageMade.connect(self.data.join)
        self.local_service = LocalServiceBinding(
            context, self.settings, switch=lambda: services.service_switch, projects=services.library.list_projects
        )
        self.tools = ToolsBinding(context, self.settings, load=services.tools.load)
        self.consent = ConsentBinding(context, self.threads, in_use=services.tools.in_use)
        self.changes = ChangesBinding(context, self.threads, in_use=services.tools.in_use)
        self.chosen_servers = ChosenServers(context, self.threads, in_use=services.tools.in_use)
        self.team = TeamBinding(
            context, self.settings, self.lists, self.threads.open_soon, services=self._team_services
        )
        self.imports.stand_before(self.attachments.attach, unless=self.team.takes)
        self.links = LinkBinding(
            context,
            self.threads,
            import_file=self.imports.open,
            join=self.team.open_join,
            takes_file=self.team.takes,
        )
        self.quick = QuickBinding(context, self.threads, services.attachments, self._answer_view)
        self.desktop = DesktopBinding(context, self.threads, self.settings, services.library, paths=services.paths)
        self.search = SearchBinding(
            context,
            self.threads,
            self.undo,
            open_project=self.lists.show_project,
            open_tag=self.lists.show_tag,
            search=services.search,
            library=services.library,
        )
        self.summary_work = SummaryWorkBinding(context, self.threads)
        self.inspection.pricesRequested.connect(self.usage.open_prices)
        self.network = NetworkBinding(
            context,
            network=lambda: services.network,
            models=models,
            read_only_reason=lambda: services.read_only_reason,
            look_again=services.look_at_network_again,
        )
        self.waiting_questions = WaitingQuestionsBinding(
            context, self.threads, self.messages, self.drafts, questions=lambda: services.questions
        )
        self.queue = QueueBinding(
            context,
            self.threads,
            take_back=self.waiting_questions.take_back,
            questions=lambda: services.questions,
            network=lambda: services.network,
        )

    def restore(self, state: WindowState) -> None:
        """Restore the scroll position of each thread."""
        self.threads.restore_anchors(
            {
                thread_id: ScrollAnchor(saved.message_id, saved.offset_px, saved.is_at_end)
                for thread_id, saved in state.anchors.items()
            }
        )

    def _answer_view(self, fetch: MessageFetcher) -> TranscriptView:
        """Return a transcript view for one of the answers that are compared, or for an artifact."""
        view = TranscriptView(fetch, self.renderer, self._panes.theme)
        view.linkActivated.connect(_open_link)
        view.set_model_name(self.models.model_name)
        return self.files.with_pictures(view)

    def _on_models_changed(self) -> None:
        self.messages.models.show()
        self.way_in.refresh()
        self._panes.transcript.set_model_name(self.models.model_name)

    def _begin_team_once(self, _event: object) -> None:
        """Build the team's part of the window at the first word of a team: imported beside the loop, built on it."""
        if not self._is_team_begun:
            self._is_team_begun = True
            self._context.tasks.start(self._begin_team(), "begin team")

    async def _begin_team(self) -> None:
        module = await import_beside("chatdesk.ui.features.team.team_window")
        self.team_window = module.TeamWindow(
            self._context,
            self.threads,
            await self._team_services.load(),
            self._team_services.library,
            come_to_front=self._panes.window.come_to_front,
        )

    async def end(self) -> None:
        """End all bindings, because the window closes."""
        await self.artifacts.end()
        self.team.end()
        await self.desktop.end()
        await self.quick.end()
        if self.team_window is not None:
            await self.team_window.end()

    def close(self) -> None:
        """Let go of what the ended tasks of the window have used."""
        self.unsaved.end()
        self.files.close()


def _open_link(address: str) -> None:
    url = QUrl(address, QUrl.ParsingMode.StrictMode)
    if url.isValid() and url.scheme() in ("http", "https", "mailto"):
        QDesktopServices.openUrl(url)


def _assistant_chooser(context: WindowContext, services: Services) -> AssistantChooser:
    from chatdesk.ui.features.prompts.assistant_chooser import AssistantChooser

    return AssistantChooser(context, services.attachments, tools_in_use=services.tools.in_use)
