"""Services holds everything that a front end works with, built once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.chat.library import LibraryService
from chatdesk.core.chat.network_watch import NetworkWatch, reaches, retry_if_shown
from chatdesk.core.chat.prompts.prompt_service import PromptService
from chatdesk.core.chat.provider_setup.provider_service import ProviderService
from chatdesk.core.chat.question_queue import QuestionQueue
from chatdesk.core.chat.system_prompt_service import SystemPromptService
from chatdesk.core.chat.temporary import TemporaryThreads
from chatdesk.core.chat.title_service import TitleService
from chatdesk.core.clock import Clock
from chatdesk.core.diagnostics.metrics import Metrics
from chatdesk.core.errors import ChatDeskError, StorageError
from chatdesk.core.events import EventBus
from chatdesk.core.knowledge.kept_questions import KeptQuestions
from chatdesk.core.knowledge.knowledge_service import KnowledgeService
from chatdesk.core.local_api.instance import InstanceLock
from chatdesk.core.memory.memory_service import MemoryService
from chatdesk.core.paths import AppPaths
from chatdesk.core.providers.accounts import AccountBook
from chatdesk.core.providers.base import ChatRequest, Provider
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.search.search_service import SearchService
from chatdesk.core.settings.schema import Settings
from chatdesk.core.settings.store import SettingsInForce
from chatdesk.core.storage.profile_database import OpenReport, ProfileDatabase
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.storage.sync.parked_workspaces import is_joined
from chatdesk.core.storage.transfer.importing import ImportRepository
from chatdesk.core.storage.upkeep.backup_service import BackupService
from chatdesk.core.storage.upkeep.maintenance import Maintenance
from chatdesk.core.storage.upkeep.repair import RepairService
from chatdesk.core.system.background_import import import_beside
from chatdesk.core.tools.built_in import BuiltInServer
from chatdesk.core.tools.tool_service import ToolService
from chatdesk.core.transfer.exports.export_service import ExportService
from chatdesk.core.transfer.imports.import_service import ImportService
from chatdesk.core.usage.usage_service import UsageService
from chatdesk.services.embedding import ProviderEmbedder
from chatdesk.services.model_answers import answer_of
from chatdesk.services.own_chats import own_chats
from chatdesk.services.parts import backups_of, overrides_of, printing_command, registry_of, tool_limits_of
from chatdesk.services.project_files import project_files
from chatdesk.services.project_folder import project_folder
from chatdesk.services.service_switch import ServiceSwitch
from chatdesk.services.tool_loader import ToolLoader
from chatdesk.services.web_tools import web_tools

if TYPE_CHECKING:  # imported only with a team
    from chatdesk.core.sync.team_service import TeamService


@dataclass(slots=True, eq=False, repr=False)
class Services:
    """The services that front ends work with. ``has_other_owner``: another process writes to the data directory;
    everything can be read, and ``asking.ask`` lets that process do the asking. ``listen`` starts answering other
    processes, once a window owns the directory. ``service_switch`` turns the local service on and off, in a process
    that may serve."""

    chat: ChatService
    events: EventBus
    providers: ProviderRegistry
    paths: AppPaths
    settings_in_force: SettingsInForce
    database: ProfileDatabase
    report: OpenReport
    has_other_owner: bool
    accounts: AccountBook
    maintenance: Maintenance
    attachments: AttachmentService
    prompts: PromptService
    system_prompts: SystemPromptService
    library: LibraryService
    titles: TitleService
    usage: UsageService
    search: SearchService
    lock: InstanceLock
    repositories: Repositories
    metrics: Metrics
    knowledge: KnowledgeService
    memory: MemoryService
    listen: Callable[[], Awaitable[None]] | None = None
    service_switch: ServiceSwitch | None = None
    settings: Settings = field(init=False)
    tools: ToolLoader = field(init=False)
    kept_questions: KeptQuestions = field(init=False)
    _retired: list[ProviderRegistry] = field(default_factory=list)
    _importer: ImportService | None = None
    _network: NetworkWatch | None = None
    _questions: QuestionQueue | None = None
    _provider_service: ProviderService | None = None
    _team: TeamService | None = None
    _temporary: TemporaryThreads | None = None

    def __post_init__(self) -> None:
        self.kept_questions = KeptQuestions(self.repositories.kept_questions, self.knowledge.search)
        self.settings_in_force.follow(self._use_settings)
        self.tools = ToolLoader(
            self.paths,
            self.accounts,
            self.events,
            make_built_in=self._built_in_tools,
            prepare=self._forget_folders,
            start_s=lambda: self.settings.tool_start_s,
        )
        self.chat.tools.use(
            self.tools.in_use, lambda: tool_limits_of(self.settings), self.attachments.keep_bytes, self._ask_model
        )

        self.knowledge.embeddings.use(
            ProviderEmbedder(lambda: self.providers, self.accounts, self.chat, self.repositories.usage, self.events)
        )

    async def _forget_folders(self, service: ToolService) -> None:
        """Forget the folders of projects that were removed for good."""
        if self.has_other_owner or not service.folders.are_any:
            return
        with suppress(ChatDeskError):  # a later start tries again
            projects = await self.library.projects.list(deleted_too=True)
            await service.folders.forget_others({each.id for each in projects})

    def _built_in_tools(self) -> tuple[BuiltInServer, ...]:
        async def project_of(thread_id: str) -> str:
            return (await self.chat_of(thread_id).get_thread(thread_id)).project_id

        folder = project_folder(project_of, lambda: self.tools.made.changes)
        own = own_chats(self.chat, self.attachments, self.database)
        return (own, folder, project_files(self.knowledge), web_tools(lambda: self.tools.made.search))

    async def _ask_model(self, provider: Provider, request: ChatRequest) -> tuple[str, str, bool]:
        return await answer_of(provider, request, self.chat, self.repositories.usage, self.events)

    @property
    def temporary(self) -> TemporaryThreads:
        """The temporary thread; made when first used."""
        if self._temporary is None:
            self._temporary = TemporaryThreads(self.chat, self.database, self.events, Clock())
        return self._temporary

    def chat_of(self, thread_id: str | None) -> ChatService:
        """Return the chat service that has a thread; None: the one in which a new thread would be created."""
        return self.chat if self._temporary is None else self._temporary.chat_of(thread_id)

    def usage_of(self, thread_id: str | None) -> UsageService:
        """Return the usage service that has the requests of a thread."""
        return self.usage if self._temporary is None else self._temporary.usage_of(thread_id) or self.usage

    def is_temporary(self, thread_id: str | None) -> bool:
        return self._temporary is not None and self._temporary.is_temporary(thread_id)

    @property
    def provider_service(self) -> ProviderService:
        """The service that sets up providers; made when first used, because a start does not need it."""
        if self._provider_service is None:
            self._provider_service = ProviderService(
                self.accounts, self.paths.data_dir, Clock(), self.events, on_changed=self.use_accounts
            )
        return self._provider_service

    @property
    def network(self) -> NetworkWatch:
        """The watch for lost connections; made when first used, and watching from then on."""
        if self._network is None:
            network = self._network = NetworkWatch(
                self.events,
                reach=lambda name: reaches(self.providers.get(name)),
                send_again=partial(retry_if_shown, self.chat),
                store=self.repositories.waiting,
            )
            self.settings_in_force.follow(lambda settings: network.use(is_sending=settings.send_when_back))
        return self._network

    @property
    def questions(self) -> QuestionQueue:
        """The questions that wait for an answer to end; made when first used, and following answers from then on."""
        if self._questions is None:
            self._questions = QuestionQueue(self.repositories.waiting_questions, self.chat, self.events)
        return self._questions

    def look_at_network_again(self) -> None:
        """Try now what waits for a network, because the system says that the network changed."""
        if self._network is not None:
            self._network.probe_now()
        if self._team is not None:
            self._team.sync_now()

    @property
    def importer(self) -> ImportService:
        """The service that imports files; made when first used, because a start does not need it."""
        if self._importer is None:
            self._importer = ImportService(
                ImportRepository(self.database),
                self.attachments.blobs,
                Clock(),
                self.events,
                is_refused=self.attachments.refuses,
            )
        return self._importer

    async def team_is_joined(self) -> bool:
        """Return whether ``team`` has anything to do, at the price of one query."""
        return await self.database.read(is_joined)

    @property
    def team(self) -> TeamService:
        """The service of team sync; made when first used, which is slow for the first time (``load_team`` avoids that).
        It syncs once it was started."""
        if self._team is None:
            from chatdesk.services.team import make_team  # imported only with a team

            self._team = make_team(
                self.database,
                self.repositories,
                self.events,
                accounts=self.accounts,
                blobs=self.attachments.blobs,
            )
        return self._team

    async def load_team(self) -> TeamService:
        """Return ``team`` without blocking the loop."""
        await import_beside("chatdesk.services.team")
        return self.team

    @property
    def read_only_reason(self) -> StorageError | None:
        """The reason why nothing can be written; None where everything can."""
        return self.database.refusal if self.database.is_read_only else None

    # These services have no state and heavy imports, so they are built on first use.

    @property
    def exports(self) -> ExportService:
        return ExportService(self.paths.database, self.paths.blob_dir, Clock(), printing=printing_command())

    async def exports_of(self, thread_ids: Sequence[str]) -> ExportService:
        """Return the export service for these threads, which may be temporary; with none, that for stored ones."""
        image = None if self._temporary is None else await self._temporary.image_of(thread_ids)
        if image is None:
            return self.exports

        return ExportService(image, self.paths.blob_dir, Clock(), printing=printing_command())

    @property
    def backups(self) -> BackupService:
        return backups_of(self.paths, self.settings)

    @property
    def repairs(self) -> RepairService:
        return RepairService(self.database, self.paths.blob_dir)

    async def apply_settings(self, settings: Settings) -> None:
        """Use changed settings from the next question on."""
        self.settings_in_force.change(settings)
        await asyncio.to_thread(self.accounts.use_settings, settings)
        self.use_accounts()

    def _use_settings(self, settings: Settings) -> None:
        self.settings = settings

    def use_accounts(self) -> None:
        """Use the accounts as they are now from the next question on."""
        # A running turn keeps the provider it began with, so the old ones are closed at the end.
        self._retired.append(self.providers)
        self.providers = registry_of(self.settings, self.accounts)
        self.chat.use_providers(self.providers)
        if self._temporary is not None:
            self._temporary.use_providers(self.providers)
        self.chat.context.models.use_overrides(overrides_of(self.accounts))
        self.titles.use(self.providers, is_on=self.settings.model_titles)

    async def close(self) -> None:
        """End the local service, interrupt turns, store their text, close connections and files."""
        if self.service_switch is not None:
            await self.service_switch.close()
        if self._network is not None:
            await self._network.close()
        if self._questions is not None:
            await self._questions.close()
        await self.titles.close()
        if self._temporary is not None:
            await self._temporary.close()
        await self.chat.close()
        self.chat.limits.close()
        if self._team is not None:
            await self._team.close()
        await self.tools.close()
        await self.knowledge.close()
        await self.attachments.close()
        for registry in (*self._retired, self.providers):
            await registry.close()
        await self.maintenance.close()
        await self.search.close()
        await self.database.close()
