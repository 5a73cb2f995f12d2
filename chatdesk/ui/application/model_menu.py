"""The models that the header offers: those known at once first, then those that a server names, which also says how
large their windows are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from chatdesk.core.errors import ChatDeskError
from chatdesk.ui.application.service_handle import ServiceHandle
from chatdesk.ui.async_tasks import AsyncTasks
from chatdesk.ui.widgets.thread_header import ThreadHeader

if TYPE_CHECKING:
    from chatdesk.app import Services
    from chatdesk.core.providers.base import Provider

ModelChoice = tuple[str, str]
ProviderModels = tuple[str, str, list[ModelChoice]]


class ModelMenu(QObject):
    """Fills the model picker."""

    def __init__(self, header: ThreadHeader, handle: ServiceHandle, tasks: AsyncTasks) -> None:
        super().__init__()
        self._header = header
        self._handle = handle
        self._tasks = tasks

    def fill(self) -> None:
        """Show the defaults, then ask each provider; a server that does not answer leaves its default model."""
        self._tasks.replace(self._fill(), "list models")

    async def _fill(self) -> None:
        services = await self._handle.services()
        lists = {provider.name: _default_choices(services, provider) for provider in services.providers.all()}
        self._show(services, lists)
        for provider in services.providers.all():
            try:
                models = await provider.list_models()
            except ChatDeskError:
                continue  # said when a question is sent to it, with the cause
            services.chat.context.note_models(provider.name, models)
            known = [(model.id, model.label) for model in models]
            extra = [choice for choice in lists[provider.name] if choice[0] and choice[0] not in dict(known)]
            lists[provider.name] = [*extra, *known]
            self._show(services, lists)

    def _show(self, services: Services, lists: dict[str, list[ModelChoice]]) -> None:
        self._header.set_models(
            [(provider.name, provider.label, lists.get(provider.name, [])) for provider in services.providers.all()]
        )


def _default_choices(services: Services, provider: Provider) -> list[ModelChoice]:
    name, model = services.providers.default()
    return [(model, model)] if provider.name == name and model else []
