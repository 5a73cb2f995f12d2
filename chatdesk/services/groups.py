"""Services by subject, for those in the window who need more than one of them but never all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chatdesk.core.chat.artifacts.artifact_service import ArtifactService
from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.chat.context.context_service import ContextService
from chatdesk.core.chat.library import LibraryService
from chatdesk.core.chat.provider_setup.provider_service import ProviderService
from chatdesk.core.errors import NotPossible, StorageError
from chatdesk.core.providers.accounts import AccountBook
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.chat.documents import DocumentRepository
from chatdesk.core.storage.upkeep.backup_service import BackupService
from chatdesk.core.storage.upkeep.maintenance import Maintenance
from chatdesk.core.storage.upkeep.repair import RepairService
from chatdesk.core.texts import Text
from chatdesk.services.services import Services

if TYPE_CHECKING:  # imported only with a team
    from chatdesk.core.sync.team_service import TeamService


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ModelServices:
    """Groups the active providers, their accounts and the knowledge about their models."""

    accounts: AccountBook
    context: ContextService
    get_providers: Callable[[], ProviderRegistry]
    get_provider_service: Callable[[], ProviderService]

    @property
    def providers(self) -> ProviderRegistry:
        """The providers of the accounts as they are now."""
        return self.get_providers()

    @property
    def provider_service(self) -> ProviderService:
        """The service that sets up providers; made when first used."""
        return self.get_provider_service()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DataServices:
    """The services that take care of stored data: backups, checks and repairs."""

    has_other_owner: bool
    maintenance: Maintenance
    get_read_only_reason: Callable[[], StorageError | None]
    get_backups: Callable[[], BackupService]
    get_repairs: Callable[[], RepairService]

    @property
    def read_only_reason(self) -> StorageError | None:
        """The reason why nothing can be written; None where everything can."""
        return self.get_read_only_reason()

    @property
    def backups(self) -> BackupService:
        return self.get_backups()

    @property
    def repairs(self) -> RepairService:
        return self.get_repairs()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RestoreServices:
    """The backups of a data directory, whose database need not be open. ``get_backups`` raises ``ChatDeskError`` where
    this process may not restore one."""

    get_backups: Callable[[], BackupService]

    @property
    def backups(self) -> BackupService:
        return self.get_backups()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TeamServices:
    """The service of team sync, which loads when it is first needed, and what joining and sharing need beside it.
    ``is_joined`` says whether there is a workspace, at the price of one query."""

    chat: ChatService
    library: LibraryService
    is_joined: Callable[[], Awaitable[bool]]
    load: Callable[[], Awaitable[TeamService]]
    get_read_only_reason: Callable[[], StorageError | None]
    get_provider_service: Callable[[], ProviderService]

    @property
    def read_only_reason(self) -> StorageError | None:
        return self.get_read_only_reason()

    @property
    def provider_service(self) -> ProviderService:
        return self.get_provider_service()


def artifacts_of(services: Services) -> ArtifactService:
    """Return a new service for the artifacts of stored threads; one is enough for a window."""
    return ArtifactService(DocumentRepository(services.database), services.attachments)


def model_services_of(services: Services) -> ModelServices:
    return ModelServices(
        services.accounts, services.chat.context, lambda: services.providers, lambda: services.provider_service
    )


def data_services_of(services: Services) -> DataServices:
    return DataServices(
        services.has_other_owner,
        services.maintenance,
        lambda: services.read_only_reason,
        lambda: services.backups,
        lambda: services.repairs,
    )


def restore_services_of(services: Services) -> RestoreServices:
    def get_backups() -> BackupService:
        if services.has_other_owner:
            raise NotPossible(
                Text("Another process has this data directory open."), next_step=Text("Restore in its window.")
            )
        return services.backups

    return RestoreServices(get_backups)


def team_services_of(services: Services) -> TeamServices:
    return TeamServices(
        services.chat,
        services.library,
        services.team_is_joined,
        services.load_team,
        lambda: services.read_only_reason,
        lambda: services.provider_service,
    )
