"""Declares the endpoint of providers and their models. No server is asked while there is a list of the last day."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from chatdesk.core.domain.provider_check import ListedModel
from chatdesk.service.declaration import Call, Endpoint


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """A model; null where its server does not say."""

    id: str
    label: str
    context_window: int | None
    sees_images: bool | None


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """A provider. ``is_default``: it answers threads without a choice, with ``default_model``."""

    id: str
    label: str
    is_default: bool
    default_model: str | None
    models: tuple[ModelAnswer, ...]


@dataclass(frozen=True, slots=True)
class ModelsAnswer:
    providers: tuple[ProviderAnswer, ...]


@dataclass(frozen=True, slots=True)
class _FoundProvider:
    id: str
    label: str
    default_model: str | None
    models: tuple[ListedModel, ...]


def models_answer(found: tuple[_FoundProvider, ...]) -> ModelsAnswer:
    return ModelsAnswer(
        tuple(
            ProviderAnswer(
                each.id,
                each.label,
                each.default_model is not None,
                each.default_model,
                tuple(
                    ModelAnswer(model.id, model.label, model.context_window, model.sees_images) for model in each.models
                ),
            )
            for each in found
        )
    )


async def _list(call: Call[Any, Any]) -> tuple[_FoundProvider, ...]:
    services = call.services
    name, model = services.providers.default()
    providers = services.providers.all()
    lists = await asyncio.gather(*(services.provider_service.models_of(each) for each in providers))
    return tuple(
        _FoundProvider(
            each.name, each.label, model if each.name == name else None, () if found is None else found.models
        )
        for each, found in zip(providers, lists, strict=True)
    )


ENDPOINTS: Final = (Endpoint("GET", "/api/v1/models", _list, "List providers and their models", models_answer),)
