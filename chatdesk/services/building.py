"""Builds the services; the only module that knows all their concrete classes.

Heavy packages are imported on a worker thread, so that a window that is already up stays awake.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from chatdesk.core.attachments.blob_store import BlobStore
from chatdesk.core.attachments.virus_scan import ScanRules, VirusScan
from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.chat.context.attachment_payloads import AttachmentPayloads
from chatdesk.core.chat.context.context_service import ContextService
from chatdesk.core.chat.context.summary_service import SummaryMaking
from chatdesk.core.chat.library import LibraryService
from chatdesk.core.chat.prompts.prompt_service import PromptService
from chatdesk.core.chat.system_prompt_service import SystemPromptService
from chatdesk.core.chat.title_service import TitleService, read_title_prompt
from chatdesk.core.clock import Clock
from chatdesk.core.context.catalogue import ModelCatalogue
from chatdesk.core.context.model_data import ModelData
from chatdesk.core.context.summary_setup import summariser_opener
from chatdesk.core.context.tokens import TokenCounter
from chatdesk.core.diagnostics.event_log import EventLog
from chatdesk.core.diagnostics.metrics import Metrics
from chatdesk.core.events import EventBus
from chatdesk.core.knowledge.file_questions import FileQuestions
from chatdesk.core.knowledge.knowledge_service import KnowledgeService
from chatdesk.core.local_api.instance import InstanceLock
from chatdesk.core.memory.memory_service import MemoryService
from chatdesk.core.paths import AppPaths, encodings_dir, migrations_dir, resources_dir
from chatdesk.core.providers.accounts import AccountBook
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.search.search_service import SearchService
from chatdesk.core.settings.schema import Settings
from chatdesk.core.settings.store import SettingsInForce
from chatdesk.core.storage.chat.artifacts import ArtifactRepository
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.profile_database import OpenReport, ProfileDatabase
from chatdesk.core.storage.repositories import Repositories
from chatdesk.core.storage.search.store import SearchStore
from chatdesk.core.storage.upkeep.backup_directory import BackupDirectory
from chatdesk.core.storage.upkeep.maintenance import Maintenance
from chatdesk.core.usage.limits import BackgroundBudget, UsageLimits
from chatdesk.core.usage.usage_service import UsageService
from chatdesk.services.parts import (
    address_in,
    attachment_limits_of,
    context_options,
    message_limits_of,
    overrides_of,
    rates_of,
    read_accounts,
    registry_of,
)
from chatdesk.services.services import Services
from chatdesk.services.web_tools import page_reader


async def build_services(paths: AppPaths, settings: Settings, lock: InstanceLock) -> Services:
    """Open the database, for writing only with ``lock`` held, and build the services. Raises ``StorageError``; nothing
    is left open then."""
    accounts = await asyncio.to_thread(read_accounts, paths, settings)
    return await _build(paths, settings, lock, accounts)


async def _build(paths: AppPaths, settings: Settings, lock: InstanceLock, accounts: AccountBook) -> Services:
    store = ProfileDatabase(
        paths.database,
        clock=Clock(),
        backup_dir=paths.backup_dir,
        read_only=not lock.is_held,
        refusal=lock.problem,
        migrations_dir=migrations_dir(),
    )
    try:
        report = await store.open()
        return _services(paths, settings, lock, accounts, store, report)
    except BaseException:
        await store.close()
        raise


def _services(
    paths: AppPaths,
    settings: Settings,
    lock: InstanceLock,
    accounts: AccountBook,
    store: ProfileDatabase,
    report: OpenReport,
) -> Services:
    clock, in_force, bus = Clock(), SettingsInForce(settings), EventBus()
    EventLog(bus)
    metrics = Metrics(bus)
    providers = registry_of(settings, accounts)
    together = Repositories.of(store)
    limits = _limits(together, clock, bus)
    budget = _budget(in_force, together, limits)
    attachments = _attachments(paths, in_force, store)
    context = _context(paths, in_force, accounts, together, providers, bus, store, budget, attachments)
    has_other_owner = lock.problem is None and not lock.is_held
    chat = _chat(
        in_force, together, context, limits, providers, bus, lambda: store.is_read_only and not has_other_owner
    )
    prompts, system_prompts = _prompts(together, context, bus, attachments)
    titles, usage = _usage(settings, together, context, providers, bus, budget)
    return Services(
        chat,
        bus,
        providers,
        paths,
        in_force,
        store,
        report,
        has_other_owner,
        accounts,
        _maintenance(paths, in_force),
        attachments,
        prompts=prompts,
        system_prompts=system_prompts,
        library=_library(together, chat, bus),
        titles=titles,
        usage=usage,
        search=_search(store, clock),
        lock=lock,
        repositories=together,
        metrics=metrics,
        knowledge=_knowledge(paths, store, bus, context),
        memory=_memory(in_force, together, bus, accounts, context),
    )


def _chat(
    in_force: SettingsInForce,
    repositories: Repositories,
    context: ContextService,
    limits: UsageLimits,
    providers: ProviderRegistry,
    bus: EventBus,
    is_nobody_writing: Callable[[], bool],
) -> ChatService:
    chat = ChatService(
        repositories=repositories,
        context=context,
        limits=limits,
        providers=providers,
        bus=bus,
        clock=Clock(),
        is_nobody_writing=is_nobody_writing,
    )
    in_force.follow(lambda changed: chat.use_message_limits(*message_limits_of(changed)))
    in_force.follow(lambda changed: chat.queue.use_rate(*rates_of(changed)))
    return chat


def _maintenance(paths: AppPaths, in_force: SettingsInForce) -> Maintenance:
    kept = in_force.current
    backups = BackupDirectory(
        paths.backup_dir, paths.database.stem, daily=kept.backups_daily, weekly=kept.backups_weekly
    )
    maintenance = Maintenance(paths.database, backups, Clock())
    in_force.follow(
        lambda changed: maintenance.set_retention(daily=changed.backups_daily, weekly=changed.backups_weekly)
    )
    return maintenance


def _search(store: Database, clock: Clock) -> SearchService:
    return SearchService(SearchStore(store), clock)


def _context(
    paths: AppPaths,
    in_force: SettingsInForce,
    accounts: AccountBook,
    repositories: Repositories,
    providers: ProviderRegistry,
    bus: EventBus,
    store: Database,
    budget: BackgroundBudget,
    attachments: AttachmentService,
) -> ContextService:
    catalogue = ModelCatalogue.of_files(resources_dir() / "models.json", paths.config_dir / "models.json")
    data = ModelData(catalogue, TokenCounter(encodings_dir()))
    open_summariser = summariser_opener(
        paths.database,
        backup_dir=paths.backup_dir,
        build_providers=lambda: registry_of(accounts.settings, accounts),
        data=data,
        clock=Clock(),
        resources=resources_dir(),
    )
    context = ContextService(
        repositories=repositories,
        providers=providers,
        bus=bus,
        data=data,
        clock=Clock(),
        making=SummaryMaking(open_summariser, budget, lambda: not store.is_read_only),
        payloads=AttachmentPayloads(attachments, data.counter),
    )
    in_force.follow(lambda changed: context.use_options(context_options(changed)))
    in_force.follow(lambda _changed: context.summaries.wake())
    context.models.use_overrides(overrides_of(accounts))
    return context


def _knowledge(paths: AppPaths, store: Database, bus: EventBus, context: ContextService) -> KnowledgeService:
    knowledge = KnowledgeService(store, paths, bus, vectors_dir=encodings_dir(), make_pages=page_reader)
    context.project_files.use(FileQuestions(knowledge))
    return knowledge


def _memory(
    in_force: SettingsInForce, repositories: Repositories, bus: EventBus, accounts: AccountBook, context: ContextService
) -> MemoryService:
    memory = MemoryService(repositories.memories, bus, in_force.current, partial(address_in, accounts))
    in_force.follow(memory.use_settings)
    context.remembered.use(memory.offered)
    return memory


def _library(repositories: Repositories, chat: ChatService, bus: EventBus) -> LibraryService:
    return LibraryService(repositories=repositories, chat=chat, bus=bus, clock=Clock())


def _prompts(
    repositories: Repositories, context: ContextService, bus: EventBus, attachments: AttachmentService
) -> tuple[PromptService, SystemPromptService]:
    starters = resources_dir() / "prompts" / "library.json"
    prompts = PromptService(repositories.prompts, bus, starters=starters, attachments=attachments)
    return prompts, SystemPromptService(repositories, context, bus)


def _limits(repositories: Repositories, clock: Clock, bus: EventBus) -> UsageLimits:
    return UsageLimits(repositories.usage_limits, clock, bus)


def _budget(in_force: SettingsInForce, repositories: Repositories, limits: UsageLimits) -> BackgroundBudget:
    budget = BackgroundBudget(repositories.usage, Clock(), limits=limits)
    in_force.follow(lambda changed: budget.set_limit(changed.background_tokens_per_day))
    return budget


def _usage(
    settings: Settings,
    repositories: Repositories,
    context: ContextService,
    providers: ProviderRegistry,
    bus: EventBus,
    budget: BackgroundBudget,
) -> tuple[TitleService, UsageService]:
    titles = TitleService(
        repositories,
        context=context,
        providers=providers,
        bus=bus,
        clock=Clock(),
        budget=budget,
        read_prompt=partial(read_title_prompt, resources_dir()),
        is_on=settings.model_titles,
    )
    return titles, UsageService(repositories.usage, repositories.usage_days, Clock())


def _attachments(paths: AppPaths, in_force: SettingsInForce, store: Database) -> AttachmentService:
    blobs = BlobStore(paths.blob_dir, VirusScan(agreed=(lambda: paths.scanner_file) if paths.is_chosen else None))
    attachments = AttachmentService(blobs, ArtifactRepository(store))
    in_force.follow(lambda changed: attachments.use_limits(attachment_limits_of(changed)))
    in_force.follow(
        lambda changed: blobs.scan.use(ScanRules(changed.virus_scanner, changed.unscanned_files == "refuse"))
    )
    return attachments
