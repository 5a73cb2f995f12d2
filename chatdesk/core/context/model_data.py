"""Assembles the data of models from sources beside their providers."""

from __future__ import annotations

from dataclasses import dataclass

from chatdesk.core.context.catalogue import ModelCatalogue
from chatdesk.core.context.tokens import TokenCounter


@dataclass(frozen=True, slots=True)
class ModelData:
    """Facts about models: ``catalogue`` has their windows, prices and abilities, ``counter`` counts their tokens."""

    catalogue: ModelCatalogue
    counter: TokenCounter
