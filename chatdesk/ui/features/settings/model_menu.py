"""Fills the header's list of models: at once from stored lists, then from the servers, which also tell the size of a
model's context. Liked models come first, under the person's own names."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from PySide6.QtCore import Signal

from chatdesk.core.domain.provider_check import ModelList
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.texts import shown
from chatdesk.services.services import Services
from chatdesk.ui.transcript.contract import ModelName
from chatdesk.ui.widgets.header.thread_header import ThreadHeader
from chatdesk.ui.window.window_context import Controller, WindowContext

ModelChoice = tuple[str, str]
ProviderModels = tuple[str, str, list[ModelChoice]]


@dataclass(slots=True)
class _ModelPreferences:
    """The person's choices about the models of one provider."""

    favourites: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()


class ModelMenu(Controller):
    """Fills the model picker. ``changed``: other models are known, or other names of them."""

    changed = Signal()

    def __init__(self, context: WindowContext, services: Services) -> None:
        super().__init__(context)
        self._header = context.panes.header
        self._headers: list[ThreadHeader] = []
        self._services = services
        self.add_header(self._header)

    def add_header(self, header: ThreadHeader) -> None:
        """Offer the models in another header, too, until ``remove_header``."""
        picker, tasks = header.model_picker, self._tasks
        picker.likeToggled.connect(
            lambda provider, model, is_liked: tasks.start(self._like(provider, model, is_liked), "like model")
        )
        picker.refreshRequested.connect(self.refresh)
        self._headers.append(header)
        if self._header.models:
            picker.set_liked(self._liked())
            header.set_models(self._header.models)

    def remove_header(self, header: ThreadHeader) -> None:
        """Stop offering models in a header, because its chat is closed."""
        self._headers.remove(header)

    @property
    def model_name(self) -> ModelName:
        """Return a function that gives the label of a model, as far as it is known now."""
        return partial(
            _name_in,
            {(provider, model): label for provider, _label, choices in self._header.models for model, label in choices},
            {provider: label for provider, label, _choices in self._header.models},
        )

    def fill(self) -> None:
        """Show the known models, then ask servers whose lists are old. A server that does not answer keeps its
        old list."""
        self._tasks.replace(self._fill(is_asked=False), "list models")

    def refresh(self) -> None:
        """Ask all servers again, and show which of them fail."""
        self._tasks.replace(self._fill(is_asked=True), "list models")

    async def _fill(self, *, is_asked: bool) -> None:
        lists: dict[str, list[ModelChoice]] = {}
        for provider in self._services.providers.all():
            kept = await self._services.provider_service.kept_models(provider.name)
            if kept is not None:
                self._services.providers.remember_models(provider.name, kept.models)
            lists[provider.name] = self._choices(provider.name, kept)
        self._show(lists)
        failures: list[ChatDeskError] = []
        wanted = [self._ask(each.name, lists, failures, is_asked) for each in self._services.providers.all()]
        await asyncio.gather(*wanted)
        if failures:
            raise failures[0]

    async def _ask(
        self,
        provider: str,
        lists: dict[str, list[ModelChoice]],
        failures: list[ChatDeskError],
        is_asked: bool,
    ) -> None:
        try:
            found = await self._services.provider_service.models_of(
                self._services.providers.get(provider), is_asked=is_asked
            )
        except ChatDeskError as error:
            failures.append(error)
            return
        if found is not None:
            self._services.chat.context.models.add_listed(provider, found.models)
            lists[provider] = self._choices(provider, found)
            self._show(lists)

    async def _like(self, provider: str, model: str, is_liked: bool) -> None:
        service = self._services.provider_service
        await service.set_favourite(provider, model, is_favourite=is_liked)

    def _show(self, lists: Mapping[str, list[ModelChoice]]) -> None:
        models = [
            (provider.name, shown(provider.label), lists.get(provider.name, []))
            for provider in self._services.providers.all()
        ]
        for header in self._headers:
            header.model_picker.set_liked(self._liked())
            header.set_models(models)
        self.changed.emit()

    def _liked(self) -> set[ModelChoice]:
        return {
            (account.profile.id, model)
            for account in self._services.accounts.accounts
            for model in account.profile.favourites
        }

    def _choices(self, provider: str, found: ModelList | None) -> list[ModelChoice]:
        """Liked models first, then the list's order; the default is there even when the list does not name it."""
        tastes = _preferences_of(self._services, provider)
        known = {model.id: shown(model.label) for model in found.models} if found else {}
        default_provider, default_model = self._services.providers.default()
        own = [default_model] if provider == default_provider and default_model not in known else []
        offered = [model for model in known if model not in tastes.hidden]
        ordered = dict.fromkeys([*tastes.favourites, *own, *offered])
        return [(model, tastes.aliases.get(model) or known.get(model, model)) for model in ordered if model]


def _name_in(
    models: Mapping[tuple[str, str], str], providers: Mapping[str, str], provider: str | None, model: str | None
) -> str:
    """Return the label of a model: its id if no list has it, the provider's name if that does not say yet which model
    it asks."""
    if model:
        return models.get((provider or "", model), model)
    return providers.get(provider or "", "")


def _preferences_of(services: Services, provider: str) -> _ModelPreferences:
    for account in services.accounts.accounts:
        if account.profile.id == provider:
            profile = account.profile
            hidden = frozenset(model for model, said in profile.overrides.items() if said.is_hidden)
            liked = tuple(model for model in profile.favourites if model not in hidden)
            return _ModelPreferences(liked, profile.aliases, hidden)
    return _ModelPreferences()
