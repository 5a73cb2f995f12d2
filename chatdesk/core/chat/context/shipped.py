"""Builds the context for scripts, with the model data and encodings that come with ChatDesk."""

from __future__ import annotations

from chatdesk.core.chat.context.context_service import ContextService
from chatdesk.core.clock import Clock
from chatdesk.core.context.catalogue import ModelCatalogue
from chatdesk.core.context.model_data import ModelData
from chatdesk.core.context.tokens import TokenCounter
from chatdesk.core.events import EventBus
from chatdesk.core.paths import encodings_dir, resources_dir
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.repositories import Repositories


def shipped_context(
    repositories: Repositories, providers: ProviderRegistry, bus: EventBus, clock: Clock
) -> ContextService:
    """Build a context of usual models that makes no summaries."""
    return ContextService(
        repositories=repositories,
        providers=providers,
        bus=bus,
        data=ModelData(ModelCatalogue.of_files(resources_dir() / "models.json"), TokenCounter(encodings_dir())),
        clock=clock,
    )
