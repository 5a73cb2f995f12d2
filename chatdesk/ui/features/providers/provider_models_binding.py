"""Controls the dialog with the models of one provider: fills it, fetches the list again, and stores a person's
changes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.model_info import ModelOverrides
from chatdesk.core.domain.provider_check import ModelList
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.texts import shown
from chatdesk.services.services import Services
from chatdesk.ui.features.providers.model_table import ModelLine
from chatdesk.ui.features.providers.provider_models import ProviderModels
from chatdesk.ui.window.window_context import WindowContext


class ProviderModelsBinding:
    """Opens the dialog over ``parent``."""

    def __init__(self, context: WindowContext, services: Services) -> None:
        self._theme = context.panes.theme
        self._services = services
        self._tasks = context.tasks
        self._dialog: ProviderModels | None = None

    async def open(self, provider: str, parent: QWidget) -> None:
        """Open the dialog with the known models; where there are none, their server is asked at once."""
        account = self._services.accounts.get(provider)
        kept = await self._services.provider_service.kept_models(provider)
        lines = await _lines(self._services, provider, kept)
        dialog = self._dialog = ProviderModels(self._theme, account.profile.label, lines, parent=parent)
        dialog.finished.connect(self._on_dialog_finished)
        dialog.saved.connect(
            lambda said, names, added: self._tasks.start(self._save(provider, said, names, added), "save models")
        )
        dialog.refreshRequested.connect(lambda: self._tasks.replace(self._fetch(provider), "fetch models"))
        dialog.addRequested.connect(lambda model: self._tasks.start(self._add(provider, model), "add model"))
        dialog.open()
        if kept is None:
            self._tasks.replace(self._fetch(provider), "fetch models")

    def _on_dialog_finished(self) -> None:
        self._dialog = None
        self._tasks.cancel("fetch models")

    async def _fetch(self, provider: str) -> None:
        try:
            found = await self._services.provider_service.models_of(
                self._services.providers.get(provider), is_asked=True
            )
            if found is not None:
                self._services.chat.context.models.add_listed(provider, found.models)
            lines = await _lines(self._services, provider, found)
        except ChatDeskError as error:
            if self._dialog is not None:
                self._dialog.show_problem(shown(error.sentence))
            return
        if self._dialog is not None:
            self._dialog.show_lines(lines)

    async def _add(self, provider: str, model: str) -> None:
        (info,) = await asyncio.to_thread(self._services.chat.context.models.without_overrides, provider, [model])
        if self._dialog is not None:
            self._dialog.add_line(ModelLine(model, model, info))

    async def _save(
        self, provider: str, said: Mapping[str, ModelOverrides], names: Mapping[str, str], added: Sequence[str]
    ) -> None:
        try:
            await self._services.provider_service.set_model_facts(provider, said, names, added)
        except ChatDeskError as error:
            if self._dialog is None:
                raise
            self._dialog.show_problem(shown(error.sentence))
            return
        if self._dialog is not None:
            self._dialog.accept()


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
