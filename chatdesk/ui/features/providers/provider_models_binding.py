"""Controls the dialog with the models of one provider: fills it, fetches the list again, and stores a person's
changes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.model_info import ModelOverrides
from chatdesk.core.domain.provider_check import ModelList
from chatdesk.core.texts import shown
from chatdesk.services.services import Services
from chatdesk.ui.features.providers.model_table import ModelLine
from chatdesk.ui.features.providers.provider_models import ProviderModels
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import WindowContext

_FETCH = "fetch models"
# The names of models, and the ids that the person added.
_Named = tuple[Mapping[str, str], Sequence[str]]


class ProviderModelsBinding:
    """Opens the dialog over ``parent``."""

    def __init__(self, context: WindowContext, services: Services) -> None:
        self._theme = context.panes.theme
        self._services = services
        self._tasks = context.tasks

    async def open(self, provider: str, parent: QWidget) -> None:
        """Open the dialog with the known models; where there are none, their server is asked at once."""
        account = self._services.accounts.get(provider)
        kept = await self._services.provider_service.kept_models(provider)
        lines = await _lines(self._services, provider, kept)
        dialog = ProviderModels(self._theme, account.profile.label, lines, parent=parent)
        dialog.finished.connect(lambda _result: self._tasks.cancel(_FETCH))
        dialog.saved.connect(lambda said, names, added: self._save(dialog, provider, said, (names, added)))
        dialog.refreshRequested.connect(lambda: self._fetch(dialog, provider))
        dialog.addRequested.connect(lambda model: self._add(dialog, provider, model))
        dialog.open()
        if kept is None:
            self._fetch(dialog, provider)

    @in_task(_FETCH, replaces=True)
    async def _fetch(self, dialog: ProviderModels, provider: str) -> None:
        """Fetch the list again; ends with the dialog."""
        with dialog.saying_failure():
            found = await self._services.provider_service.models_of(
                self._services.providers.get(provider), is_asked=True
            )
            if found is not None:
                self._services.chat.context.models.add_listed(provider, found.models)
            dialog.show_lines(await _lines(self._services, provider, found))

    @in_task("add model")
    async def _add(self, dialog: ProviderModels, provider: str, model: str) -> None:
        (info,) = await asyncio.to_thread(self._services.chat.context.models.without_overrides, provider, [model])
        if dialog.is_open:
            dialog.add_line(ModelLine(model, model, info))

    @in_task("save models")
    async def _save(
        self, dialog: ProviderModels, provider: str, said: Mapping[str, ModelOverrides], named: _Named
    ) -> None:
        with dialog.saying_failure():
            await self._services.provider_service.set_model_facts(provider, said, *named)
            if dialog.is_open:
                dialog.accept()


async def _lines(services: Services, provider: str, found: ModelList | None) -> list[ModelLine]:
    """Return the models of the list, followed by those that only the person named."""
    profile = services.accounts.get(provider).profile
    labels = {each.id: shown(each.label) for each in found.models} if found is not None else {}
    own = filter(None, (profile.model, *profile.favourites, *profile.aliases, *profile.overrides))
    ids = list(dict.fromkeys([*labels, *own]))
    infos = await asyncio.to_thread(services.chat.context.models.without_overrides, provider, ids)
    return [
        ModelLine(
            model,
            labels.get(model, model),
            info,
            profile.aliases.get(model, ""),
            profile.overrides.get(model, ModelOverrides()),
        )
        for model, info in zip(ids, infos, strict=True)
    ]
