"""The composition root: builds every object and hands it out; alone knows the concrete classes.

Two front ends use it: ``run_window`` and, for scripts, ``open_services``. Heavy packages are imported on a worker
thread, so that a window that is already up stays awake.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from chatdesk.core.clock import SystemClock
from chatdesk.core.errors import ChatDeskError, StorageError, StorageFull, StorageReadOnly
from chatdesk.core.paths import AppPaths, encodings_dir, migrations_dir, resources_dir
from chatdesk.core.processes import environment

if TYPE_CHECKING:
    from chatdesk.core.chat.attachment_service import AttachmentService
    from chatdesk.core.chat.context_service import ContextOptions, ContextService
    from chatdesk.core.chat.library import LibraryService
    from chatdesk.core.chat.network_watch import NetworkWatch
    from chatdesk.core.chat.prompt_service import PromptService
    from chatdesk.core.chat.provider_service import ProviderService
    from chatdesk.core.chat.question_queue import QuestionQueue
    from chatdesk.core.chat.service import ChatService
    from chatdesk.core.chat.system_prompt_service import SystemPromptService
    from chatdesk.core.chat.temporary import TemporaryThreads
    from chatdesk.core.chat.title_service import TitleService
    from chatdesk.core.diagnostics.bundle import ReportFile
    from chatdesk.core.diagnostics.crashes import CrashReport, CrashReporter
    from chatdesk.core.diagnostics.metrics import Metrics
    from chatdesk.core.domain.limits import Rate, ScopedRate
    from chatdesk.core.domain.model_info import ModelOverrides
    from chatdesk.core.events import EventBus
    from chatdesk.core.local_api.instance import InstanceLock
    from chatdesk.core.local_api.listener import Verb
    from chatdesk.core.providers.accounts import AccountBook
    from chatdesk.core.providers.registry import ProviderRegistry
    from chatdesk.core.search.service import SearchService
    from chatdesk.core.settings.schema import Settings
    from chatdesk.core.storage.backup_service import BackupService
    from chatdesk.core.storage.caretaker import Caretaker
    from chatdesk.core.storage.database import Database
    from chatdesk.core.storage.profile_database import OpenReport, ProfileDatabase
    from chatdesk.core.storage.repair import RepairService
    from chatdesk.core.storage.repositories import Repositories
    from chatdesk.core.sync.service import TeamService
    from chatdesk.core.transfer.exporting import ExportService
    from chatdesk.core.transfer.importing import ImportService
    from chatdesk.core.usage.budget import BackgroundBudget
    from chatdesk.core.usage.limits import UsageLimits
    from chatdesk.core.usage.service import UsageService
    from chatdesk.ui.application.window_application import Script

_log = logging.getLogger(__name__)

_MS_PER_DAY = 24 * 60 * 60 * 1000
# Upkeep reads the whole database: not while a window fills, and then as often as a missed day should be noticed.
_SETTLE_S, _UPKEEP_EVERY_S = 20.0, 3600.0
_TRY_AGAIN_S, _LONGEST_TRY_AGAIN_S = 2.0, 30.0


@dataclass(slots=True, eq=False, repr=False)
class Services:
    """What front ends work with. ``has_other_owner``: another process writes to the data directory; everything can be
    read, and ``ask`` lets that process do the asking. ``listen`` is what a window does once it owns the directory."""

    chat: ChatService
    events: EventBus
    providers: ProviderRegistry
    paths: AppPaths
    settings: Settings
    database: ProfileDatabase
    report: OpenReport
    has_other_owner: bool
    accounts: AccountBook
    caretaker: Caretaker
    attachments: AttachmentService
    prompts: PromptService
    system_prompts: SystemPromptService
    library: LibraryService
    titles: TitleService
    usage: UsageService
    budget: BackgroundBudget
    search: SearchService
    lock: InstanceLock
    repositories: Repositories
    metrics: Metrics
    listen: Callable[[], Awaitable[None]] | None = None
    _retired: list[ProviderRegistry] = field(default_factory=list)
    _importer: ImportService | None = None
    _network: NetworkWatch | None = None
    _questions: QuestionQueue | None = None
    _provider_service: ProviderService | None = None
    _team: TeamService | None = None
    _temporary: TemporaryThreads | None = None

    @property
    def temporary(self) -> TemporaryThreads:
        """Made when it is wanted."""
        if self._temporary is None:
            from chatdesk.core.chat.temporary import TemporaryThreads

            self._temporary = TemporaryThreads(self.chat, self.database, self.events, SystemClock())
        return self._temporary

    def chat_of(self, thread_id: str | None) -> ChatService:
        """Who has that thread; None: the one that does not exist yet."""
        return self.chat if self._temporary is None else self._temporary.chat_of(thread_id)

    def usage_of(self, thread_id: str | None) -> UsageService:
        """Who knows what that thread took."""
        return self.usage if self._temporary is None else self._temporary.usage_of(thread_id) or self.usage

    def is_temporary(self, thread_id: str | None) -> bool:
        return self._temporary is not None and self._temporary.is_temporary(thread_id)

    @property
    def provider_service(self) -> ProviderService:
        """Made when it is wanted: a start does without."""
        if self._provider_service is None:
            from chatdesk.core.chat.provider_service import ProviderService

            self._provider_service = ProviderService(
                self.accounts, self.paths.data_dir, SystemClock(), self.events, on_changed=self.use_accounts
            )
        return self._provider_service

    @property
    def network(self) -> NetworkWatch:
        """Made when it is wanted, and on the watch from then on."""
        if self._network is None:
            from chatdesk.core.chat.network_watch import NetworkWatch, reaches, take_up

            self._network = NetworkWatch(
                self.events,
                reach=lambda name: reaches(self.providers.get(name)),
                send_again=partial(take_up, self.chat),
                store=self.repositories.waiting,
                is_sending=self.settings.send_when_back,
            )
        return self._network

    @property
    def questions(self) -> QuestionQueue:
        """Made when it is wanted; follows the answers from then on."""
        if self._questions is None:
            from chatdesk.core.chat.question_queue import QuestionQueue

            self._questions = QuestionQueue(self.repositories.waiting_questions, self.chat, self.events)
        return self._questions

    def look_at_network_again(self) -> None:
        """The system says that the network changed: what waits for one is tried now."""
        if self._network is not None:
            self._network.look_now()
        if self._team is not None:
            self._team.sync_now()

    @property
    def importer(self) -> ImportService:
        """Made when it is wanted: a start does without."""
        if self._importer is None:
            from chatdesk.core.attachments.blob_store import BlobStore
            from chatdesk.core.storage.importing import ImportRepository
            from chatdesk.core.transfer.importing import ImportService

            self._importer = ImportService(
                ImportRepository(self.database), BlobStore(self.paths.blob_dir), SystemClock(), self.events
            )
        return self._importer

    async def team_is_joined(self) -> bool:
        """Whether there is anything for ``team`` to do, at the price of one query."""
        from chatdesk.core.storage.team_joined import is_joined

        return await self.database.read(is_joined)

    @property
    def team(self) -> TeamService:
        """Made when it is wanted, which is slow for the first time: who minds calls ``load_team`` before. It syncs once
        it was started."""
        if self._team is None:
            self._team = _team(self)
        return self._team

    async def load_team(self) -> TeamService:
        """``team``, without holding up the loop."""
        await asyncio.to_thread(import_module, "chatdesk.core.sync.service")
        return self.team

    @property
    def read_only_reason(self) -> StorageError | None:
        """Why nothing can be written; None when all is as it should be."""
        return self.database.refusal if self.database.is_read_only else None

    # These keep nothing of their own and bring much with them, so they are made when somebody asks.

    @property
    def exports(self) -> ExportService:
        from chatdesk.core.transfer.exporting import ExportService

        return ExportService(self.paths.database, self.paths.blob_dir, SystemClock(), printing=printing_command())

    async def exports_of(self, thread_ids: Sequence[str]) -> ExportService:
        """The same for these threads, which may be temporary; none: for any stored ones."""
        image = None if self._temporary is None else await self._temporary.image_of(thread_ids)
        if image is None:
            return self.exports
        from chatdesk.core.transfer.exporting import ExportService

        return ExportService(image, self.paths.blob_dir, SystemClock(), printing=printing_command())

    @property
    def backups(self) -> BackupService:
        return backups_of(self.paths, self.settings)

    @property
    def repairs(self) -> RepairService:
        from chatdesk.core.storage.repair import RepairService

        return RepairService(self.database, self.paths.blob_dir)

    async def ask(
        self,
        text: str,
        *,
        thread_id: str | None = None,
        edits: str | None = None,
        provider: str | None = None,
        model: str | None = None,
    ) -> AsyncGenerator[dict[str, Any], None]:
        """One question as a stream of dictionaries; see ``core.chat.ask``."""
        from contextlib import aclosing

        from chatdesk.core.chat.ask import ask
        from chatdesk.core.local_api.client import ask_owner

        if not self.has_other_owner:
            source = ask(self.chat, self.events, text, thread_id=thread_id, edits=edits, provider=provider, model=model)
        else:
            request = {"text": text, "thread_id": thread_id, "edits": edits, "provider": provider, "model": model}
            source = ask_owner(self.paths.data_dir, request)
        async with aclosing(source) as events:
            async for event in events:
                yield event

    async def apply_settings(self, settings: Settings) -> None:
        """Use changed settings from the next question on."""
        self.settings = settings
        self.chat.set_max_message_bytes(settings.max_message_bytes)
        if self._network is not None:
            self._network.use(is_sending=settings.send_when_back)
        self.chat.queue.use_rate(*rates_of(settings))
        self.attachments.set_max_bytes(settings.max_attachment_mb * 1024 * 1024)
        await asyncio.to_thread(self.accounts.use_settings, settings)
        self.use_accounts()
        self.caretaker.keep(daily=settings.backups_daily, weekly=settings.backups_weekly)
        self.budget.set_limit(settings.background_tokens_per_day)
        self.chat.context.use_options(_context_options(settings))
        self.chat.context.summaries.note_new_limit()

    def use_accounts(self) -> None:
        """Use the accounts as they are now from the next question on."""
        # A running turn keeps the provider it began with, so the old ones are closed at the end.
        self._retired.append(self.providers)
        self.providers = registry_of(self.settings, self.accounts)
        self.chat.use_providers(self.providers)
        if self._temporary is not None:
            self._temporary.use_providers(self.providers)
        self.chat.context.use_overrides(_overrides_of(self.accounts))
        self.titles.use(self.providers, is_on=self.settings.model_titles)

    async def close(self) -> None:
        """Interrupt turns, store their text, close connections and files."""
        if self._network is not None:
            await self._network.close()
        if self._questions is not None:
            await self._questions.close()
        await self.titles.close()
        if self._temporary is not None:
            await self._temporary.close()
        await self.chat.close()
        if self._team is not None:
            await self._team.close()
        await self.attachments.close()
        for registry in (*self._retired, self.providers):
            await registry.close()
        await self.caretaker.close()
        await self.search.close()
        await self.database.close()


async def build_services(paths: AppPaths, settings: Settings, lock: InstanceLock) -> Services:
    """Open the database, to write only for whoever holds ``lock``, and put the services together. Raises
    ``StorageError``; nothing is left open then.
    """
    return await _build(paths, settings, lock, *(await asyncio.to_thread(_load, paths, settings)))


@asynccontextmanager
async def open_services(
    paths: AppPaths, settings: Settings, *, mode: str = "cli", purpose: str = "ask"
) -> AsyncIterator[Services]:
    """Services for a script, whose command is ``purpose``. When another process owns the directory they read, and ask
    through it; an owner answers those who ask it before it ends."""
    from chatdesk.core.local_api.client import own_or_wait
    from chatdesk.core.local_api.instance import InstanceLock
    from chatdesk.core.local_api.server import InstanceServer

    paths.make_directories()
    lock = InstanceLock(paths.data_dir, purpose=purpose, listens=mode == "cli")
    is_owner = await own_or_wait(lock, paths.data_dir)
    try:
        services = await build_services(paths, settings, lock)
        server = None
        try:
            if is_owner and mode == "cli":
                server = InstanceServer(lock, paths.instance_socket, verbs_of(services))
                await server.start()
            yield services
            if server is not None:
                await server.settle()
        finally:
            if server is not None:
                await server.close()
            await services.close()
    finally:
        lock.release()


def verbs_of(services: Services, come_to_front: Callable[[], None] | None = None) -> dict[str, Verb]:
    """What the owner of a data directory does for other processes; only a window can come to the front."""

    async def bring(_request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        assert come_to_front is not None
        come_to_front()
        yield {"event": "raised"}

    def health(_request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        from chatdesk.health import answer_health

        return answer_health(services, has_window=come_to_front is not None)

    verbs: dict[str, Verb] = {"ask": partial(answer_request, services), "health": health}
    if come_to_front is not None:
        verbs["raise"] = bring
    return verbs


def answer_request(services: Services, request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
    """What the owner does when another process asks; the values come from outside and are checked like any other."""

    def text_of(name: str) -> str | None:
        value = request.get(name)
        return value if isinstance(value, str) and value else None

    return services.ask(
        text_of("text") or "",
        thread_id=text_of("thread_id"),
        edits=text_of("edits"),
        provider=text_of("provider"),
        model=text_of("model"),
    )


def run_window(paths: AppPaths, settings: Settings, *, script: Script | None = None) -> int:
    """The desktop application; returns its exit code. A second start brings the first window to the front.

    ``script`` plays in the window, which closes with it. Where there is no display, which Qt would answer with an
    abort, that is the demonstration: one turn and a picture.
    """
    gc.disable()  # nothing of a start is garbage; the window collects once it is up
    is_blind = lacks_display(os.environ)
    if is_blind:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        from chatdesk.core import terminal

        terminal.say("No display was found, so ChatDesk plays one turn without a window.")
    from chatdesk.core.local_api.instance import WINDOW, InstanceLock

    paths.make_directories()
    lock = InstanceLock(paths.data_dir, purpose=WINDOW, listens=True)
    if not lock.acquire() and lock.problem is None:
        from chatdesk.core.local_api.client import own_or_raise

        if not own_or_raise(lock, paths.data_dir):
            return 0

    async def listen(services: Services, come_to_front: Callable[[], None]) -> Callable[[], Awaitable[None]]:
        module = await asyncio.to_thread(import_module, "chatdesk.core.local_api.server")
        server = module.InstanceServer(lock, paths.instance_socket, verbs_of(services, come_to_front))
        if lock.is_held:
            await server.start()
        services.listen = server.start
        close: Callable[[], Awaitable[None]] = server.close
        return close

    try:
        from chatdesk.core.settings.store import SettingsStore
        from chatdesk.ui.application.window_application import RESTART, Backstage, run

        if is_blind and script is None:
            from chatdesk.ui.application.demonstration import play

            script = partial(play, picture=paths.data_dir / "demonstration.png")
        backstage = Backstage(
            settings_store=SettingsStore(paths.settings_file),
            build=lambda: build_services(paths, settings, lock),
            listen=listen,
            upkeep=look_after,
            watch_crashes=partial(_watch_crashes, paths),
            collect_report=lambda services: _collect_report(services, paths),
        )
        code = run(paths, settings, backstage, script=script)
    finally:
        lock.release()
    if code == RESTART:
        start_again()
        code = 0
    from chatdesk.ui.accessibility.leaving import leave_if_watched

    leave_if_watched(code)
    return code


def _watch_crashes(paths: AppPaths, tell: Callable[[CrashReport], None]) -> CrashReporter:
    """Who reports what nobody caught; wanted when the window is up, so it is imported then."""
    from chatdesk.core.diagnostics.crashes import CrashReporter
    from chatdesk.core.diagnostics.redaction import process_redactor

    return CrashReporter(paths.crash_dir, process_redactor, on_crash=tell)


async def _collect_report(services: Services | None, paths: AppPaths) -> Sequence[ReportFile]:
    """What goes with the report of a bug; seldom wanted, so it is imported then."""
    module = await asyncio.to_thread(import_module, "chatdesk.bug_report")
    files: Sequence[ReportFile] = await module.report_of_window(services, paths)
    return files


def start_again() -> None:
    """The same command once more, in a process of its own: this one is about to end."""
    import subprocess

    subprocess.Popen([sys.executable, *sys.orig_argv[1:]], start_new_session=True, env=dict(environment()))


def lacks_display(environ: Mapping[str, str]) -> bool:
    """Whether a window could not be shown: Linux without X11, Wayland or a platform that somebody chose."""
    return sys.platform.startswith("linux") and not any(
        environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    )


async def look_after(services: Services, *, settle_s: float = _SETTLE_S) -> AsyncGenerator[ChatDeskError, None]:
    """What a window does when nobody waits for it: at once what a start leaves over; later what the search index
    lacks, and then once a day the check and the backup. Yields what a person must know; ends where nothing can be
    looked after.
    """
    if services.read_only_reason is not None and not await _write_again(services):
        return
    services.titles.follow()
    if await services.team_is_joined():
        await (await services.load_team()).start()
    await services.questions.load()
    await services.chat.queue.resume()
    await services.providers.prepare()
    await purge_trash(services)
    await services.database.keep_ballast()
    await asyncio.sleep(settle_s)
    while True:
        await services.chat.context.learn_models()
        try:
            await services.search.fill()
        except StorageError as error:
            yield error
        await purge_trash(services)
        await services.attachments.remove_unnamed(named_elsewhere=partial(_named_elsewhere, services))
        report = await services.caretaker.look_after()
        if report.problem is not None:
            yield report.problem
        services.attachments.read_soon()
        await services.search.wait_for_work(_UPKEEP_EVERY_S)


async def _write_again(services: Services) -> bool:
    """Try until what could only be read can be written, as when a full disk has room again. False where that is not to
    be: another process writes here, or nothing that passes is in the way."""
    wait_s = _TRY_AGAIN_S
    while not services.has_other_owner and isinstance(services.read_only_reason, StorageFull | StorageReadOnly):
        await asyncio.sleep(wait_s)
        if services.lock.acquire() and await services.database.write_again():
            from chatdesk.core.events import StorageRecovered, ThreadsChanged

            await services.search.read_afresh()
            if services.listen is not None:
                await services.listen()
            services.events.publish(ThreadsChanged(None))
            services.events.publish(StorageRecovered())
            return True
        wait_s = min(_LONGEST_TRY_AGAIN_S, 2 * wait_s)
    return False


async def _named_elsewhere(services: Services) -> set[str]:
    """Attached files that backups name, or that wait to be sent to a team."""
    from chatdesk.core.storage.sync_files import still_needed

    return await services.backups.named_files() | await services.database.read(still_needed)


async def purge_trash(services: Services) -> int:
    """Delete for good what has been in the trash for longer than the setting says; before that, if a setting says so,
    move old archived threads there."""
    if services.database.is_read_only:
        return 0
    from chatdesk.core.storage.prompts import PromptRepository

    oldest = SystemClock().now_ms() - services.settings.trash_days * _MS_PER_DAY
    await PromptRepository(services.database).purge_deleted(oldest)
    return await services.library.sweep(
        trash_days=services.settings.trash_days, archive_days=services.settings.archive_days
    )


def backups_of(paths: AppPaths, settings: Settings) -> BackupService:
    """Backups of a data directory, whether or not its database can be opened."""
    from chatdesk.core.storage.backup_service import BackupService
    from chatdesk.core.storage.backup_shelf import BackupShelf

    shelf = BackupShelf(
        paths.backup_dir, paths.database.stem, daily=settings.backups_daily, weekly=settings.backups_weekly
    )
    return BackupService(paths.database, shelf, paths.blob_dir, SystemClock())


def printing_command() -> list[str]:
    """The command that starts the process that makes pages."""
    from chatdesk.core.child_process import command_of

    return command_of("chatdesk.ui.application.printing", "--print-worker")


def _load(paths: AppPaths, settings: Settings) -> tuple[Any, ...]:
    """Import what the services need and look up keys; slow, so it runs on a thread."""
    from chatdesk.core.chat import attachment_service, enclosures, service  # noqa: F401 - the first two ahead of time
    from chatdesk.core.diagnostics import event_log, metrics  # noqa: F401 - ahead of time
    from chatdesk.core.providers import registry
    from chatdesk.core.storage import caretaker, profile_database, repositories

    return service, profile_database, repositories, caretaker, read_accounts(paths, settings), registry


def read_accounts(paths: AppPaths, settings: Settings) -> AccountBook:
    """The providers that a person set up, with their keys; blocks, so it runs on a thread."""
    from chatdesk.core.diagnostics.redaction import register_secret
    from chatdesk.core.providers.accounts import AccountBook
    from chatdesk.core.settings.key_file import KeyFile
    from chatdesk.core.settings.profile_id import ProfileId
    from chatdesk.core.settings.secrets import SecretStore

    secrets = SecretStore(
        register=register_secret,
        environ=environment(),
        key_file=KeyFile(paths.config_dir),
        profile=ProfileId(paths.config_dir),
        reads_old_names=not paths.is_chosen,
    )
    book = AccountBook(paths.config_dir, secrets, settings, environ=environment())
    book.load()
    return book


async def _build(
    paths: AppPaths,
    settings: Settings,
    lock: InstanceLock,
    service: Any,
    profile_database: Any,
    repositories: Any,
    caretaker: Any,
    accounts: AccountBook,
    _registry_module: Any,
) -> Services:
    clock = SystemClock()
    store = profile_database.ProfileDatabase(
        paths.database,
        clock=clock,
        backup_dir=paths.backup_dir,
        read_only=not lock.is_held,
        refusal=lock.problem,
        migrations_dir=migrations_dir(),
    )
    has_other_owner = lock.problem is None and not lock.is_held
    try:
        report = await store.open()
        from chatdesk.core.diagnostics.event_log import EventLog
        from chatdesk.core.diagnostics.metrics import Metrics
        from chatdesk.core.events import EventBus

        bus = EventBus()
        EventLog(bus)
        metrics = Metrics(bus)
        providers = registry_of(settings, accounts)
        together = repositories.Repositories.of(store)
        limits = _limits(together, clock, bus)
        budget = _budget(settings, together, limits)
        attachments = _attachments(paths, settings, store)
        context = _context(paths, settings, accounts, together, providers, bus, store, budget, attachments)
        chat = service.ChatService(
            repositories=together,
            context=context,
            limits=limits,
            providers=providers,
            bus=bus,
            clock=clock,
            max_message_bytes=settings.max_message_bytes,
            is_nobody_writing=lambda: store.is_read_only and not has_other_owner,
        )
        chat.queue.use_rate(*rates_of(settings))
    except BaseException:
        await store.close()
        raise
    shelf = caretaker.BackupShelf(
        paths.backup_dir, paths.database.stem, daily=settings.backups_daily, weekly=settings.backups_weekly
    )
    keeper = caretaker.Caretaker(paths.database, shelf, clock)
    prompts, system_prompts = _prompts(together, context, bus)
    titles, usage = _usage(settings, together, context, providers, bus, budget)
    return Services(
        chat,
        bus,
        providers,
        paths,
        settings,
        store,
        report,
        has_other_owner,
        accounts,
        keeper,
        attachments,
        prompts=prompts,
        system_prompts=system_prompts,
        library=_library(together, chat, bus),
        titles=titles,
        usage=usage,
        budget=budget,
        search=_search(store, clock),
        lock=lock,
        repositories=together,
        metrics=metrics,
    )


def _search(store: Database, clock: SystemClock) -> SearchService:
    from chatdesk.core.search.service import SearchService
    from chatdesk.core.storage.search_store import SearchStore

    return SearchService(SearchStore(store), clock)


def _context(
    paths: AppPaths,
    settings: Settings,
    accounts: AccountBook,
    repositories: Repositories,
    providers: ProviderRegistry,
    bus: EventBus,
    store: Database,
    budget: BackgroundBudget,
    attachments: AttachmentService,
) -> ContextService:
    from chatdesk.core.chat.context_service import ContextService
    from chatdesk.core.chat.enclosures import Enclosures
    from chatdesk.core.context.catalogue import ModelCatalogue
    from chatdesk.core.context.summary_setup import summariser_opener
    from chatdesk.core.context.tokens import TokenCounter

    catalogue = ModelCatalogue.of_files(resources_dir() / "models.json", paths.config_dir / "models.json")
    counter = TokenCounter(encodings_dir())
    open_summariser = summariser_opener(
        paths.database,
        backup_dir=paths.backup_dir,
        build_providers=lambda: registry_of(accounts.settings, accounts),
        catalogue=catalogue,
        counter=counter,
        clock=SystemClock(),
        resources=resources_dir(),
    )
    context = ContextService(
        repositories=repositories,
        providers=providers,
        bus=bus,
        counter=counter,
        catalogue=catalogue,
        clock=SystemClock(),
        open_summariser=open_summariser,
        can_write=lambda: not store.is_read_only,
        enclosures=Enclosures(attachments, counter),
        budget=budget,
    )
    context.use_options(_context_options(settings))
    context.use_overrides(_overrides_of(accounts))
    return context


def _overrides_of(accounts: AccountBook) -> dict[str, Mapping[str, ModelOverrides]]:
    """What the person says of models, by provider."""
    return {each.profile.id: each.profile.overrides for each in accounts.accounts}


def _library(repositories: Repositories, chat: ChatService, bus: EventBus) -> LibraryService:
    from chatdesk.core.chat.library import LibraryService

    return LibraryService(repositories=repositories, chat=chat, bus=bus, clock=SystemClock())


def _prompts(
    repositories: Repositories, context: ContextService, bus: EventBus
) -> tuple[PromptService, SystemPromptService]:
    from chatdesk.core.chat.prompt_service import PromptService
    from chatdesk.core.chat.system_prompt_service import SystemPromptService

    prompts = PromptService(repositories.prompts, bus, starters=resources_dir() / "prompts" / "library.json")
    return prompts, SystemPromptService(repositories, context, bus)


def _team(services: Services) -> TeamService:
    import platform

    from chatdesk import __version__
    from chatdesk.core.attachments.blob_store import BlobStore
    from chatdesk.core.chat.sleep_watch import SleepWatch
    from chatdesk.core.sync.service import TeamService
    from chatdesk.core.sync.team_passwords import TeamPasswords
    from chatdesk.core.sync.worker import Client

    clock = SystemClock()
    accounts = services.accounts
    return TeamService(
        services.database,
        services.repositories,
        services.events,
        clock,
        passwords=TeamPasswords(accounts.secrets, lambda: accounts.stored.key_place),
        blobs=BlobStore(services.paths.blob_dir),
        client=Client(platform.node() or "Computer", __version__),
        watch_sleep=lambda on_woken: SleepWatch(clock, on_woken).run(),
    )


def rates_of(settings: Settings) -> tuple[Rate | None, tuple[ScopedRate, ...]]:
    """How often may be asked, all in all and by provider and project."""
    from chatdesk.core.domain.limits import parse_rate, parse_scoped_rates

    return parse_rate(settings.rate_limit), parse_scoped_rates(settings.scoped_rates)


def _limits(repositories: Repositories, clock: SystemClock, bus: EventBus) -> UsageLimits:
    from chatdesk.core.usage.limits import UsageLimits

    return UsageLimits(repositories.usage_limits, clock, bus)


def _budget(settings: Settings, repositories: Repositories, limits: UsageLimits) -> BackgroundBudget:
    from chatdesk.core.usage.budget import BackgroundBudget

    return BackgroundBudget(
        repositories.usage, SystemClock(), tokens_per_day=settings.background_tokens_per_day, limits=limits
    )


def _usage(
    settings: Settings,
    repositories: Repositories,
    context: ContextService,
    providers: ProviderRegistry,
    bus: EventBus,
    budget: BackgroundBudget,
) -> tuple[TitleService, UsageService]:
    from chatdesk.core.chat.title_service import TitleService, read_title_prompt
    from chatdesk.core.usage.service import UsageService

    titles = TitleService(
        repositories,
        context=context,
        providers=providers,
        bus=bus,
        clock=SystemClock(),
        budget=budget,
        read_prompt=partial(read_title_prompt, resources_dir()),
        is_on=settings.model_titles,
    )
    return titles, UsageService(repositories.usage, repositories.usage_days, SystemClock())


def _attachments(paths: AppPaths, settings: Settings, store: Database) -> AttachmentService:
    from chatdesk.core.attachments.blob_store import BlobStore
    from chatdesk.core.chat.attachment_service import AttachmentService
    from chatdesk.core.storage.artifacts import ArtifactRepository

    return AttachmentService(
        BlobStore(paths.blob_dir),
        ArtifactRepository(store),
        max_bytes=settings.max_attachment_mb * 1024 * 1024,
    )


def _context_options(settings: Settings) -> ContextOptions:
    from chatdesk.core.chat.context_service import ContextOptions
    from chatdesk.core.domain.model_ref import ModelRef
    from chatdesk.core.domain.summary import ConsentLimits
    from chatdesk.core.domain.usage import CacheLife

    return ContextOptions(
        system_prompt=settings.system_prompt,
        has_summaries=settings.summaries,
        summary_share=settings.summary_share,
        summary_cron=settings.summary_cron,
        is_counting_exactly=True,
        longest_answer=settings.longest_answer or None,
        cache=CacheLife(settings.prompt_cache),
        task_model=ModelRef.parse(settings.task_model),
        summary_consent=ConsentLimits(settings.summary_cost_usd, settings.summary_tokens),
    )


def registry_of(settings: Settings, accounts: AccountBook) -> ProviderRegistry:
    """The providers that can be asked, as the settings and the accounts say."""
    from chatdesk.core.providers.registry import build_account_registry
    from chatdesk.core.providers.stream_guard import StreamLimits

    return build_account_registry(
        accounts.accounts,
        chosen=settings.provider,
        model=settings.openai_model or None,
        offline_speed=settings.offline_speed_tokens_per_s or None,
        limits=StreamLimits(
            connect_s=settings.connect_timeout_s,
            first_byte_s=settings.first_byte_timeout_s,
            silence_s=settings.silence_timeout_s,
        ),
    )
