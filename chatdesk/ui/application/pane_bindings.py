"""Joins the widgets of one chat with services: of the main window's, of one beside it, or of one in a window of its
own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtCore import QUrl

from chatdesk.core.links import is_passage_link
from chatdesk.core.rendering.client import RenderClient
from chatdesk.core.texts import Text
from chatdesk.services.parts import artifacts_of
from chatdesk.services.services import Services
from chatdesk.ui.application.command_binding import CommandBinding, ComposerMenu
from chatdesk.ui.application.recovery_actions import RecoveryActions
from chatdesk.ui.features.artifacts.artifacts_binding import ArtifactsBinding
from chatdesk.ui.features.chat.attachment_binding import AttachmentBinding
from chatdesk.ui.features.chat.date_binding import DateBinding
from chatdesk.ui.features.chat.drafts import DraftKeeper
from chatdesk.ui.features.chat.erasing_binding import ErasingBinding
from chatdesk.ui.features.chat.message_actions import MessageActions
from chatdesk.ui.features.chat.message_binding import MessageBinding
from chatdesk.ui.features.chat.next_model import AnswerModels, NextModel
from chatdesk.ui.features.chat.next_questions import NextQuestions
from chatdesk.ui.features.chat.parameters_binding import ParametersBinding
from chatdesk.ui.features.chat.shared_drafts import SharedDrafts
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.transcript_files import TranscriptFiles
from chatdesk.ui.features.chat.undo_binding import UndoBinding, UndoHistory
from chatdesk.ui.features.chat.unsaved import Unsaved
from chatdesk.ui.features.chat.waiting_questions_binding import WaitingQuestionsBinding
from chatdesk.ui.features.compare.compare_binding import CompareBinding
from chatdesk.ui.features.first_screen.first_screen_binding import FirstScreenBinding
from chatdesk.ui.features.inspector.context_binding import ContextBinding, SentShares, TranscriptContext
from chatdesk.ui.features.inspector.inspector_binding import InspectorBinding
from chatdesk.ui.features.inspector.summary_binding import SummaryWorkBinding
from chatdesk.ui.features.knowledge.file_mentions import FileMentions
from chatdesk.ui.features.knowledge.passage_binding import PassageBinding
from chatdesk.ui.features.library.active_chat import ActiveChat
from chatdesk.ui.features.library.thread_list_binding import ThreadListBinding
from chatdesk.ui.features.links.link_binding import LinkCopying
from chatdesk.ui.features.memory.memories_binding import MemoriesBinding
from chatdesk.ui.features.memory.remember_binding import RememberBinding
from chatdesk.ui.features.prompts.assistant_binding import AssistantBinding
from chatdesk.ui.features.prompts.assistant_chooser import AssistantChooser
from chatdesk.ui.features.prompts.prompt_binding import PromptBinding
from chatdesk.ui.features.prompts.quick_actions import QuickActions
from chatdesk.ui.features.prompts.server_offers import ServerPrompts, ServerResources
from chatdesk.ui.features.providers.provider_binding import ProviderBinding
from chatdesk.ui.features.search.search_binding import SearchBinding
from chatdesk.ui.features.settings.model_menu import ModelMenu
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.features.tools.changes_binding import ChangesBinding
from chatdesk.ui.features.tools.chosen_servers import ChosenServers
from chatdesk.ui.features.tools.consent_binding import ConsentBinding
from chatdesk.ui.features.transfer.export_binding import ExportBinding
from chatdesk.ui.features.usage.queue_binding import WaitingAnswers
from chatdesk.ui.transcript.contract import MessageFetcher
from chatdesk.ui.transcript.view import TranscriptView
from chatdesk.ui.widgets.outside import open_outside
from chatdesk.ui.window.window_context import WindowContext


@dataclass(slots=True, eq=False, repr=False)
class SharedParts:
    """The parts that all chats have in common. ``renderer`` parses for every transcript."""

    services: Services
    renderer: RenderClient
    models: ModelMenu
    settings: SettingsBinding
    providers: ProviderBinding
    history: UndoHistory
    memories: MemoriesBinding
    drafts: SharedDrafts = field(default_factory=SharedDrafts)
    next_questions: NextQuestions = field(default_factory=NextQuestions)


class PaneBindings:
    """The controllers of one chat, one for each subject; each gets those that it uses."""

    def __init__(self, context: WindowContext, shared: SharedParts) -> None:
        self.context_of_pane = context
        self.panes = context.panes
        self.tasks = context.tasks
        self.shared = shared
        self.models = shared.models
        self.settings = shared.settings
        # Controllers that only answer signals and commands; nothing else keeps them alive.
        self._kept_alive: list[object] = []
        self._build_reading(context, shared.services)
        self._build_messages(context, shared.services)
        self._build_composing(context, shared.services)
        self._build_inspection(context, shared.services)
        self._build_tools(context, shared.services)
        self.panes.transcript.parts.actions.linkActivated.connect(self._open_link)
        self._kept_alive.append(LinkCopying(context, self.threads))
        self.passages = PassageBinding(context, self.shared.services.knowledge, self.answer_view)
        self.inspection.passageRequested.connect(self.passages.open_link)

    def _build_reading(self, context: WindowContext, services: Services) -> None:
        """Build the controllers that open threads and keep drafts."""
        self.unsaved = Unsaved(context.tasks)
        self.drafts = DraftKeeper(
            context.panes.composer,
            context.tasks,
            context.open_thread.chat_of,
            unsaved=self.unsaved,
            shared=self.shared.drafts,
        )
        self.threads = ThreadBinding(context, self.drafts)
        self.undo = UndoBinding(context, self.threads, self.shared.history)
        self.chat = ActiveChat(context.panes, self.threads, self.undo)
        self._kept_alive.append(ErasingBinding(context, self.threads, services.load_team))
        self._kept_alive.append(DateBinding(context, self.threads))

    def _build_messages(self, context: WindowContext, services: Services) -> None:
        """Build the controllers of the messages of the open thread."""
        shared = self.shared
        models = NextModel(context, self.threads, self.settings, services, shared.next_questions)
        self.messages = MessageBinding(
            context,
            self.threads,
            self.undo,
            MessageActions(context, self.threads, self.undo, self.settings),
            drafts=self.drafts,
            models=models,
            questions=lambda: services.questions,
            member_name=lambda author_id: services.team.known.member_name(author_id),  # noqa: PLW0108 - the team loads when first asked
        )
        context.panes.header.modelChosen.connect(self._on_model_chosen)
        self.commands = CommandBinding(context.panes, self.threads, self.messages, self.undo)
        self._kept_alive.append(RememberBinding(context, self.threads, self.settings, services.memory))
        self._kept_alive.append(WaitingAnswers(context, self.threads, self.messages))
        self._kept_alive.append(
            RecoveryActions(
                context,
                self.messages,
                self.undo,
                self.shared.providers.edit,
                attachments=services.attachments,
                services=services,
            )
        )
        self._kept_alive.append(AnswerModels(context, self.threads))
        self.comparison = CompareBinding(context, self.threads, self.messages, make_view=self.answer_view)
        self.waiting_questions = WaitingQuestionsBinding(
            context, self.threads, self.messages, self.drafts, questions=lambda: services.questions
        )

    def _build_composing(self, context: WindowContext, services: Services) -> None:
        """Build the controllers of prompts, assistants and files."""
        in_use = self.shared.services.tools.in_use
        self.prompts = PromptBinding(
            context,
            self.threads,
            self.undo,
            create_thread=self.messages.create_thread,
            prompts=services.prompts,
            system_prompts=services.system_prompts,
            open_assistants=lambda: _assistant_chooser(context, services),
            server_prompts=ServerPrompts(
                context,
                self.threads,
                self.messages.assistants,
                in_use=in_use,
                attachments=lambda: self.attachments,
            ),
        )
        self.assistants = AssistantBinding(
            context,
            self.threads,
            self.undo,
            self.messages.assistants,
            prompts=services.prompts,
            library=self.prompts,
            resources=ServerResources(
                context,
                self.threads,
                self.messages.assistants,
                in_use=in_use,
                attachments=lambda: self.attachments,
            ),
            files=FileMentions(context, self.threads, services.knowledge, self._asked_providers),
        )
        self._kept_alive.append(QuickActions(context, self.threads, self.prompts, prompt_service=services.prompts))
        self.parameters = ParametersBinding(
            context,
            self.threads,
            self.undo,
            create_thread=self.messages.create_thread,
            answering=lambda: self.messages.models.answering,
        )
        self.export = ExportBinding(context, self.threads, services.exports_of)
        self.files = TranscriptFiles(context, services.attachments)
        self.attachments = AttachmentBinding(
            context,
            self.threads,
            self.messages,
            self.files,
            self.drafts,
            attachments=services.attachments,
            services=services,
        )
        self.attachments.attached.connect(self._on_attached)
        self._kept_alive.append(SentShares(context, self.threads))

    def _build_inspection(self, context: WindowContext, services: Services) -> None:
        """Build the controllers of the inspector and the artifacts, which are shown beside the thread."""
        self.inspection = InspectorBinding(context, self.threads, self.undo, usage_of=services.usage_of)
        self.inspection.pricesRequested.connect(self._on_prices_requested)
        self.inspection.memoryRequested.connect(self.shared.memories.open)
        self.context = ContextBinding(context, self.threads, self.inspection)
        self._kept_alive.append(TranscriptContext(context, self.threads, self.inspection, self.undo))
        self.artifacts = ArtifactsBinding(
            context,
            self.threads,
            self.drafts,
            self.inspection,
            self.files,
            make_service=lambda: artifacts_of(services.database, services.attachments),
            make_view=self.answer_view,
        )
        self._kept_alive.append(SummaryWorkBinding(context, self.threads))

    def _build_tools(self, context: WindowContext, services: Services) -> None:
        """Build the controllers that ask a person about tools."""
        self._kept_alive.append(ConsentBinding(context, self.threads, in_use=services.tools.in_use))
        self.changes = ChangesBinding(context, self.threads, self.undo, in_use=services.tools.in_use)
        chosen = ChosenServers(
            context, self.threads, in_use=services.tools.in_use, create_thread=self.messages.create_thread
        )
        self._kept_alive.append(chosen)
        self._kept_alive.append(
            ComposerMenu(context, tools=lambda: chosen.menu, assistants=lambda: self.assistants.menu)
        )

    def build_search(self, lists: ThreadListBinding) -> None:
        """Build the search, which may narrow ``lists``."""
        services = self.shared.services
        self.search = SearchBinding(
            self.context_of_pane,
            self.threads,
            self.undo,
            open_project=lists.show_project,
            open_tag=lists.show_tag,
            search=services.search,
            library=services.library,
        )

    def build_first_screen(self, open_import: Callable[[str], object]) -> None:
        """Build the controller of the first screen, which a chat without messages shows."""
        services = self.shared.services
        self.first_screen = FirstScreenBinding(
            self.context_of_pane,
            self.threads,
            self.messages,
            self.shared.providers.editing,
            open_import=open_import,
            ask=self.commands.ask,
            services=services,
            read_only_reason=lambda: services.read_only_reason,
        )
        self.models.changed.connect(self._on_models_changed)

    def answer_view(self, fetch: MessageFetcher) -> TranscriptView:
        """Return a transcript view for one of the answers that are compared, or for an artifact."""
        view = TranscriptView(fetch, self.shared.renderer, self.panes.theme)
        view.parts.actions.linkActivated.connect(self._open_link)
        view.conversation.set_model_name(self.models.model_name)
        return self.files.with_pictures(view)

    def _on_attached(self) -> None:
        self.undo.record_lasting(Text("attach a file"), thread_id=self.threads.thread_id)

    def _on_model_chosen(self, *_model: str) -> None:
        self.undo.record_lasting(Text("choose the model"), thread_id=self.threads.thread_id)

    def _on_prices_requested(self) -> None:
        self.settings.open("Providers")

    def _asked_providers(self) -> dict[str, str]:
        """Return the names of the providers that the next question goes to, by id."""
        labels = {each.name: each.label for each in self.shared.services.providers.all()}
        asked = self.messages.models.compared or (self.messages.models.resolved(),)
        return {provider: labels.get(provider, provider) for provider, _model in asked}

    def _on_models_changed(self) -> None:
        self.messages.models.show()
        self.first_screen.refresh()
        self.panes.transcript.conversation.set_model_name(self.models.model_name)

    async def save(self) -> None:
        """Store the unsent text; a text that is being sent becomes a message first."""
        await self.messages.wait_until_sent()
        await self.attachments.wait_until_kept()
        self.messages.edit.end(is_left=True)
        try:
            await self.prompts.save()
        finally:
            await self.drafts.save()  # last: a person may type until the chat is gone

    def stop_filling(self) -> None:
        """Stop filling the inspector, because the chat is closed."""
        self.inspection.end()
        self.context.end()

    def release(self) -> None:
        """Release the objects that the ended tasks of the chat have used."""
        self.models.changed.disconnect(self._on_models_changed)
        self.unsaved.end()
        self.files.close()
        self.drafts.end()

    def _open_link(self, address: str) -> None:
        """Open a link of a message in the browser, or in the program for mail; a passage of a file here."""
        if is_passage_link(address):
            self.passages.open_link(address)
            return
        url = QUrl(address, QUrl.ParsingMode.StrictMode)
        if url.isValid() and url.scheme() in ("http", "https", "mailto") and (problem := open_outside(address)):
            self.panes.pane.toasts.show_failure(problem)


def _assistant_chooser(context: WindowContext, services: Services) -> AssistantChooser:
    return AssistantChooser(context, services.attachments, tools_in_use=services.tools.in_use)
