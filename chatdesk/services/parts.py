"""Builds the parts of the services that depend on settings and accounts, and are rebuilt when those change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from chatdesk.core.attachments.attachment_limits import AttachmentLimits, kinds_of
from chatdesk.core.chat.artifacts.artifact_service import ArtifactService
from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.chat.tool_calls.port import ToolLimits
from chatdesk.core.clock import Clock
from chatdesk.core.context.options import ContextOptions
from chatdesk.core.diagnostics.redaction import register_secret
from chatdesk.core.domain.limits import Rate, ScopedRate, parse_rate, parse_scoped_rates
from chatdesk.core.domain.model_info import ModelOverrides, ModelRef
from chatdesk.core.domain.summary import ConsentLimits
from chatdesk.core.domain.usage import CacheLife
from chatdesk.core.errors import NotPossible
from chatdesk.core.paths import AppPaths
from chatdesk.core.providers.accounts import AccountBook
from chatdesk.core.providers.registry import ProviderRegistry, build_account_registry
from chatdesk.core.providers.stream_guard import StreamLimits
from chatdesk.core.settings.key_file import KeyFile
from chatdesk.core.settings.presets import address_of
from chatdesk.core.settings.profile_id import ProfileId
from chatdesk.core.settings.schema import MIB, Settings
from chatdesk.core.settings.secrets import SecretStore
from chatdesk.core.storage.chat.documents import DocumentRepository
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.upkeep.backup_directory import BackupDirectory
from chatdesk.core.storage.upkeep.backup_service import BackupService
from chatdesk.core.system.child_process import command_of
from chatdesk.core.system.processes import environment
from chatdesk.core.texts import Text

# Returns the backups of a data directory, whose database need not be open. Raises ``ChatDeskError`` where this process
# may not restore one.
GetBackups: TypeAlias = Callable[[], BackupService]


def address_in(accounts: AccountBook, provider: str) -> str:
    """Return the address that requests of a provider go to; empty for the offline demo, or without such a provider."""
    found = next((each.profile for each in accounts.accounts if each.profile.id == provider), None)
    return "" if found is None else address_of(found)


def backups_of(paths: AppPaths, settings: Settings) -> BackupService:
    """Return the backups of a data directory, whether or not its database can be opened."""
    backups = BackupDirectory(
        paths.backup_dir, paths.database.stem, daily=settings.backups_daily, weekly=settings.backups_weekly
    )
    return BackupService(paths.database, backups, paths.blob_dir, Clock())


def restorable(backups: BackupService, *, has_other_owner: bool) -> BackupService:
    """Return the backups, to restore one of them. Raises ``NotPossible`` where another process has the data
    directory."""
    if has_other_owner:
        raise NotPossible(
            Text("Another process has this data directory open."), next_step=Text("Restore in its window.")
        )
    return backups


def artifacts_of(database: Database, attachments: AttachmentService) -> ArtifactService:
    """Return a new service for the artifacts of stored threads; one is enough for a window."""
    return ArtifactService(DocumentRepository(database), attachments)


def printing_command() -> list[str]:
    """Return the command that starts the process that makes pages."""
    return command_of("--print-worker")


def read_accounts(paths: AppPaths, settings: Settings) -> AccountBook:
    """Read the providers that a person set up, with their keys. Blocks, so it runs on a thread."""
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


def overrides_of(accounts: AccountBook) -> dict[str, Mapping[str, ModelOverrides]]:
    """Return the person's overrides, by provider and model."""
    return {each.profile.id: each.profile.overrides for each in accounts.accounts}


def attachment_limits_of(settings: Settings) -> AttachmentLimits:
    """Return the rules for files that go with messages."""
    return AttachmentLimits(
        settings.max_attachments,
        settings.max_attachment_mb * MIB,
        settings.max_message_attachments_mb * MIB,
        settings.max_day_attachments_mb * MIB,
        tuple(kinds_of(settings.refused_attachments)),
    )


def message_limits_of(settings: Settings) -> tuple[int, AttachmentLimits]:
    """Return the largest text of a message in bytes, and the rules for its files."""
    return settings.max_message_bytes, attachment_limits_of(settings)


def rates_of(settings: Settings) -> tuple[Rate | None, tuple[ScopedRate, ...]]:
    """Return the rates of sending, for all messages and for single providers and projects."""
    return parse_rate(settings.rate_limit), parse_scoped_rates(settings.scoped_rates)


def tool_limits_of(settings: Settings) -> ToolLimits:
    """Return how much one answer may do with tools."""
    return ToolLimits(settings.tool_steps, settings.tool_minutes, settings.tool_dollars, settings.tool_call_s)


def context_options(settings: Settings) -> ContextOptions:
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
    """Return the providers that can be asked, as the settings and the accounts say."""
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
        has_image_tool=settings.image_tool,
    )
