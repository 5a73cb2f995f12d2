"""Describes the models that can be asked: their windows, prices and encodings, from lists, the catalogue and the
person."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from chatdesk.core.chat.task_set import TaskSet
from chatdesk.core.context.catalogue import Figures, ModelCatalogue
from chatdesk.core.context.options import ContextOptions
from chatdesk.core.context.tokens import TokenCounter
from chatdesk.core.domain.model_info import ModelInfo, ModelOverrides
from chatdesk.core.domain.usage import Usage
from chatdesk.core.errors import NotPossible, ProviderError
from chatdesk.core.providers.base import ListedModel
from chatdesk.core.providers.registry import ProviderRegistry

_OFFLINE: Final = "offline"


class KnownModels:
    """The models that can be asked, as ``ContextService.models`` exposes them. ``on_changed`` is called when more is
    known of a model than before."""

    def __init__(
        self,
        providers: ProviderRegistry,
        catalogue: ModelCatalogue,
        counter: TokenCounter,
        options: ContextOptions,
        *,
        tasks: TaskSet,
        on_changed: Callable[[], None],
    ) -> None:
        self._providers = providers
        self.catalogue = catalogue
        self._counter = counter
        self._tasks = tasks
        self._on_changed = on_changed
        self._listed: set[str] = set()
        self._is_loading = False
        self._options = options

    def use_providers(self, providers: ProviderRegistry) -> None:
        self._providers = providers
        self._listed.clear()

    def use_options(self, options: ContextOptions) -> None:
        self._options = options

    def figures(self, provider: str | None, model: str | None) -> ModelInfo:
        return self.catalogue.find(*self._providers.resolve(provider, model))

    def info(self, provider: str | None, model: str | None) -> ModelInfo:
        """Return the figures of a model that is going to be asked; with None, of the one that answers when nothing is
        chosen. Where counts are to be exact, its encoding is loaded."""
        info = self.figures(provider, model)
        if self._options.is_counting_exactly and not self._is_loading and self._counter.can_be_exact(info.id):
            self._is_loading = True
            self._tasks.start(self._load_encoding_once(info.id), f"load the encoding of {info.id}")
        return info

    def cost_of(self, provider: str | None, model: str | None, usage: Usage) -> float | None:
        """Return the dollars for a request at today's prices (None: unknown). The offline model is free."""
        if (provider or self._providers.default()[0]) == _OFFLINE:
            return 0.0
        price = self.catalogue.find(provider or "", model or "").price
        return None if price is None else price.cost(usage)

    def answering(self, provider: str | None, model: str | None) -> tuple[str, str]:
        """Return the provider and the model that answer where these are chosen."""
        return provider or self._providers.default()[0], self.info(provider, model).id

    def for_tasks(self, provider: str, model: str) -> tuple[str, str]:
        """Return the provider and the model that make titles and summaries of a thread in which these answer: the task
        model, if it can be asked. What was said to the offline model is never sent to another one for that."""
        task = self._options.task_model
        if task is None or provider == _OFFLINE:
            return provider, model
        try:
            is_ready = not self._providers.lacks_key(task.provider)
        except NotPossible:
            is_ready = False
        return (task.provider, task.model) if is_ready else (provider, model)

    def without_overrides(self, provider: str, models: Sequence[str]) -> tuple[ModelInfo, ...]:
        """Return the figures of these models in lists and catalogue, without the person's overrides. Slow for thousands
        of models: call it in a thread."""
        return tuple(self.catalogue.find_without_overrides(provider, each) for each in models)

    # Learning more

    async def fetch_lists(self) -> None:
        """Ask the providers without a list of models for theirs; the lists say how large windows are."""
        for provider in self._providers.all():
            if provider.name in self._listed:
                continue
            try:
                listed = await provider.list_models()
            except ProviderError:
                continue
            self.add_listed(provider.name, listed)

    def add_listed(self, provider: str, models: Iterable[ListedModel]) -> None:
        """Add the figures of a provider's list to the catalogue, which they outrank."""
        self._listed.add(provider)
        for model in models:
            figures = Figures(model.context_window, model.largest_answer, model.sees_images, model.price)
            self.catalogue.add_listed(provider, model.id, figures)
        self._on_changed()

    def record_blind(self, provider: str | None, model: str | None) -> None:
        """Record that a model's server refused images, until ChatDesk ends; the person's own setting overrides it."""
        self.catalogue.record_blind(*self._providers.resolve(provider, model))
        self._on_changed()

    def use_overrides(self, overrides: Mapping[str, Mapping[str, ModelOverrides]]) -> None:
        """Replace the person's overrides, by provider and model; they outrank lists and catalogue."""
        self.catalogue.use_overrides(overrides)
        self._on_changed()

    async def load_encoding(self, model: str) -> None:
        """Load the token encoding of a model; counts are estimates until then."""
        await asyncio.to_thread(self._counter.load, model)
        self._on_changed()

    async def _load_encoding_once(self, model: str) -> None:
        try:
            await self.load_encoding(model)
        finally:
            self._is_loading = False
