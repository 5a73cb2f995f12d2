"""The transcript and everything that joins widgets with services: built as soon as the window has been painted.

None of it is needed to type, so none of it is imported before that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from chatdesk.core.domain.message import ThreadSizes
from chatdesk.core.domain.text_match import ThreadMatches
from chatdesk.core.rendering.client import RenderClient
from chatdesk.ui.application.command_binding import CommandBinding
from chatdesk.ui.application.network_binding import NetworkBinding
from chatdesk.ui.application.recovery_actions import RecoveryActions
from chatdesk.ui.async_tasks import AsyncTasks
from chatdesk.ui.features.chat.answer_models import AnswerModels
from chatdesk.ui.features.chat.attachment_binding import AttachmentBinding
from chatdesk.ui.features.chat.date_binding import DateBinding
from chatdesk.ui.features.chat.deleted_messages_binding import DeletedMessagesBinding
from chatdesk.ui.features.chat.drafts import DraftKeeper
from chatdesk.ui.features.chat.erasing_binding import ErasingBinding
from chatdesk.ui.features.chat.message_binding import MessageBinding
from chatdesk.ui.features.chat.parameters_binding import ParametersBinding
from chatdesk.ui.features.chat.temporary_binding import TemporaryBinding
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.transcript_files import TranscriptFiles
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.features.chat.unsaved import Unsaved
from chatdesk.ui.features.chat.waiting_questions_binding import WaitingQuestionsBinding
from chatdesk.ui.features.compare.compare_binding import CompareBinding
from chatdesk.ui.features.inspector.context_binding import ContextBinding
from chatdesk.ui.features.inspector.inspector_binding import InspectorBinding
from chatdesk.ui.features.inspector.summary_work_binding import SummaryWorkBinding
from chatdesk.ui.features.inspector.transcript_context import TranscriptContext
from chatdesk.ui.features.library.library_binding import LibraryBinding
from chatdesk.ui.features.library.thread_list_binding import ThreadListBinding
from chatdesk.ui.features.prompts.prompt_binding import PromptBinding
from chatdesk.ui.features.prompts.quick_actions import QuickActions
from chatdesk.ui.features.providers.provider_binding import ProviderBinding
from chatdesk.ui.features.search.search_binding import SearchBinding
from chatdesk.ui.features.settings.data_binding import DataBinding, RestartAfter
from chatdesk.ui.features.settings.model_menu import ModelMenu
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.features.team.team_binding import TeamBinding
from chatdesk.ui.features.transfer.export_binding import ExportBinding
from chatdesk.ui.features.transfer.import_binding import ImportBinding
from chatdesk.ui.features.usage.queue_binding import QueueBinding
from chatdesk.ui.features.usage.usage_binding import UsageBinding
from chatdesk.ui.features.way_in.connect_binding import ConnectBinding
from chatdesk.ui.features.way_in.way_in_binding import WayInBinding
from chatdesk.ui.transcript.contract import MessageFetcher, ScrollAnchor
from chatdesk.ui.transcript.view import TranscriptView
from chatdesk.ui.window.panes import Panes
from chatdesk.ui.window.service_handle import ServiceHandle
from chatdesk.ui.window.window_state import WindowState

if TYPE_CHECKING:
    from chatdesk.core.settings.schema import Settings
    from chatdesk.core.settings.store import SettingsStore
    from chatdesk.ui.event_bridge import EventBridge
    from chatdesk.ui.features.team.team_window import TeamWindow
    from chatdesk.ui.theme.theme import Theme


class Bindings:
    """The bindings of a window, one for each subject; each follows the events once they are there. ``deliver`` calls a
    function on the GUI thread."""

    def __init__(
        self,
        panes: Panes,
        settings: Settings,
        store: SettingsStore,
        *,
        handle: ServiceHandle,
        tasks: AsyncTasks,
        deliver: Callable[[Callable[[], None]], None],
        restart_after: RestartAfter,
    ) -> None:
        theme = panes.theme
        self._panes = panes
        self._handle = handle
        self._tasks = tasks
        self._bridge: EventBridge
        self._is_team_begun = False
        self.team_window: TeamWindow | None = None
        self.renderer = RenderClient(deliver=deliver)
        self._add_transcript(panes)
        self.unsaved = Unsaved(tasks)
        self.drafts = DraftKeeper(panes.composer, tasks, handle.chat_of, unsaved=self.unsaved)
        self.threads = ThreadBinding(panes, self.drafts, handle, tasks)
        self.undo = UndoBinding(panes, self.threads, handle, tasks)
        self.lists = ThreadListBinding(panes, self.threads, handle, tasks)
        self.library = LibraryBinding(panes, self.threads, self.lists, self.undo, handle=handle, tasks=tasks)
        self.deleted_messages = DeletedMessagesBinding(panes, self.threads, self.undo, handle=handle, tasks=tasks)
        self.erasing = ErasingBinding(panes, self.threads, handle, tasks)
        self.dates = DateBinding(panes, self.threads, handle, tasks)
        self.models = ModelMenu(panes.header, handle, tasks)
        self.settings = SettingsBinding(panes, settings, store, self.models, handle, tasks)
        self.providers = ProviderBinding(panes, self.settings, handle, tasks)
        self.messages = MessageBinding(
            panes,
            self.threads,
            self.undo,
            self.settings,
            drafts=self.drafts,
            handle=handle,
            tasks=tasks,
            unsaved=self.unsaved,
        )
        self.temporary = TemporaryBinding(
            panes, self.threads, self.messages, self.undo, drafts=self.drafts, handle=handle, tasks=tasks
        )
        self.commands = CommandBinding(panes, self.threads, self.messages, self.undo, tasks=tasks)
        self.usage = UsageBinding(panes, self.threads, self.messages, self.settings, handle=handle, tasks=tasks)
        self.recovery = RecoveryActions(
            panes, self.messages, self.undo, self.providers.edit, handle=handle, tasks=tasks
        )
        self.answer_models = AnswerModels(panes, self.threads, handle=handle, tasks=tasks)
        self.comparison = CompareBinding(
            panes,
            self.threads,
            self.messages,
            handle=handle,
            tasks=tasks,
            make_view=lambda fetch: self._answer_view(fetch, theme),
        )
        self.inspection = InspectorBinding(panes, self.threads, self.undo, handle=handle, tasks=tasks)
        self.context = ContextBinding(panes, self.threads, self.inspection, handle=handle, tasks=tasks)
        self.transcript_context = TranscriptContext(
            panes, self.threads, self.inspection, self.undo, handle=handle, tasks=tasks
        )
        self.prompts = PromptBinding(
            panes, self.threads, self.undo, begin_thread=self.messages.begin_thread, handle=handle, tasks=tasks
        )
        self.quick_actions = QuickActions(panes, self.threads, self.prompts, handle=handle, tasks=tasks)
        self.parameters = ParametersBinding(panes, self.threads, handle=handle, tasks=tasks)
        self.export = ExportBinding(panes, self.threads, handle, tasks)
        self.data = DataBinding(panes, handle, tasks, restart_after)
        self.settings.dataPageMade.connect(self.data.join)
        self.files = TranscriptFiles(panes, handle, tasks)
        self.attachments = AttachmentBinding(
            panes, self.threads, self.messages, self.files, self.drafts, handle=handle, tasks=tasks
        )
        self.imports = ImportBinding(panes, self.lists, handle, tasks)
        self.connection = ConnectBinding(panes, self.threads, self.messages, self.settings, handle=handle, tasks=tasks)
        self.way_in = WayInBinding(
            panes,
            self.threads,
            self.messages,
            self.connection,
            open_import=lambda program: self.imports.open(program=program),
            ask=self.commands.ask,
            handle=handle,
            tasks=tasks,
        )
        self.team = TeamBinding(panes, self.settings, self.lists, self.threads.open_soon, handle=handle, tasks=tasks)
        self.imports.stand_before(self.attachments.attach, unless=self.team.takes)
        self.search = SearchBinding(
            panes,
            self.threads,
            self.undo,
            handle=handle,
            tasks=tasks,
            open_project=self.lists.show_project,
            open_tag=self.lists.show_tag,
        )
        self.summary_work = SummaryWorkBinding(panes, self.threads, handle=handle, tasks=tasks)
        self.inspection.pricesRequested.connect(self.usage.open_prices)
        self.network = NetworkBinding(panes, handle=handle, tasks=tasks)
        self.waiting_questions = WaitingQuestionsBinding(
            panes, self.threads, self.messages, self.drafts, handle=handle, tasks=tasks
        )
        self.queue = QueueBinding(
            panes, self.threads, take_back=self.waiting_questions.take_back, handle=handle, tasks=tasks
        )
        self.models.changed.connect(self._on_models_changed)
        panes.commands.bind("app.settings", self.settings.open)
        panes.sidebar.settingsRequested.connect(self.settings.open)
        panes.transcript.linkActivated.connect(_open_link)

    def restore(self, state: WindowState) -> None:
        """Restore the scroll position of each thread."""
        self.threads.restore_anchors(
            {
                thread_id: ScrollAnchor(saved.message_id, saved.offset_px, saved.is_at_end)
                for thread_id, saved in state.anchors.items()
            }
        )

    def follow(self, bridge: EventBridge) -> None:
        self._bridge = bridge
        bridge.sync_status_changed.connect(self._begin_team_once)
        bridge.team_changed.connect(self._begin_team_once)
        for binding in (
            self.threads,
            self.lists,
            self.messages,
            self.comparison,
            self.inspection,
            self.context,
            self.transcript_context,
            self.attachments,
            self.prompts,
            self.quick_actions,
            self.usage,
            self.summary_work,
            self.providers,
            self.way_in,
            self.network,
            self.waiting_questions,
            self.queue,
            self.team,
            self.temporary,
        ):
            binding.follow(bridge)

    def _answer_view(self, fetch: MessageFetcher, theme: Theme) -> TranscriptView:
        """Return a transcript view for one of the answers that are compared."""
        view = TranscriptView(fetch, self.renderer, theme)
        view.set_model_name(self.models.model_name)
        return self.files.with_pictures(view)

    def _on_models_changed(self) -> None:
        self.messages.show_model()
        self.way_in.refresh()
        self._panes.transcript.set_model_name(self.models.model_name)

    def _begin_team_once(self, _event: object) -> None:
        """Build the team's part of the window at the first word of a team: imported beside the loop, built on it."""
        if not self._is_team_begun:
            self._is_team_begun = True
            self._tasks.start(self._begin_team(), "begin team")

    async def _begin_team(self) -> None:
        services = await self._handle.services()
        module = await asyncio.to_thread(import_module, "chatdesk.ui.features.team.team_window")
        self.team_window = module.TeamWindow(
            self._panes,
            self.threads,
            services,
            tasks=self._tasks,
            settings=lambda: self.settings.current,
            come_to_front=self._panes.window.come_to_front,
        )
        self.team_window.follow(self._bridge)

    async def end(self) -> None:
        """End all bindings, because the window closes."""
        self.team.end()
        if self.team_window is not None:
            await self.team_window.end()

    def _add_transcript(self, panes: Panes) -> None:
        def fetch_messages(thread_id: str, *, at: int | None = None, **wanted: Any) -> None:
            self.threads.fetch_messages(thread_id, at=at, **wanted)

        def fetch_sizes(thread_id: str, deliver: Callable[[ThreadSizes], None]) -> None:
            self.threads.fetch_sizes(thread_id, deliver)

        def find(thread_id: str, text: str, deliver: Callable[[ThreadMatches], None]) -> None:
            self.threads.find_in_thread(thread_id, text, deliver)

        # It asks for its first page only when it is told to show a thread, so the late lookups are safe.
        panes.transcript = TranscriptView(fetch_messages, self.renderer, panes.theme, sizes=fetch_sizes, find=find)
        panes.window.set_transcript(panes.transcript)


def _open_link(address: str) -> None:
    url = QUrl(address, QUrl.ParsingMode.StrictMode)
    if url.isValid() and url.scheme() in ("http", "https", "mailto"):
        QDesktopServices.openUrl(url)
