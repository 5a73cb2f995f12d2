"""Asks the person before a question goes to a provider that another member of the team chose."""

from __future__ import annotations

from collections.abc import Callable

from chatdesk.core.domain.sharing.shared_choice import AnotherProvider
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.sync.shared_choices import SharedChoiceRepository


class SharedChoices:
    """Asks for agreement to providers that others chose. Reached as ``ChatService.choices``. An agreement holds for
    this run; once asked, the thread remembers it."""

    def __init__(self, repository: SharedChoiceRepository, providers: Callable[[], ProviderRegistry]) -> None:
        self._repository = repository
        self._providers = providers
        self._agreed: set[tuple[str, str]] = set()

    async def check(self, provider: str, *, project_id: str, thread_id: str | None) -> None:
        """Raise ``AnotherProvider`` where another member chose ``provider``, which is that of the thread, or for a new
        one of its project."""
        entity = thread_id or project_id
        if (entity, provider) in self._agreed:
            return
        chosen = await self._repository.provider_by_other(project_id, thread_id)
        if chosen is None:
            return
        before = chosen.last_used or self._providers().default()[0]
        if before != provider:
            raise AnotherProvider(chosen, entity, (provider, self._label(provider)), self._label(before))

    def agree(self, asked: AnotherProvider) -> None:
        self._agreed.add((asked.entity, asked.provider))

    def _label(self, provider: str) -> str:
        found = next((each.label for each in self._providers().all() if each.name == provider), "")
        return found or provider
