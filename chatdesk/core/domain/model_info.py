"""What is known about a model: how much it reads and writes, what it costs, and what it can do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Ability(StrEnum):
    """What a model takes besides text, and which parameters it has."""

    IMAGES = "images"
    TOOLS = "tools"
    REASONING = "reasoning"
    TEMPERATURE = "temperature"
    TOP_P = "top_p"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens."""

    input: float
    cached_input: float
    output: float

    def cost(self, *, input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> float:
        """Dollars for one request; cached tokens are part of the input."""
        fresh = max(input_tokens - cached_tokens, 0)
        return (fresh * self.input + cached_tokens * self.cached_input + output_tokens * self.output) / 1_000_000


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """One model. ``is_known`` is false where the figures are the stated defaults; ``price`` None: nobody said."""

    id: str
    label: str
    context_window: int
    largest_answer: int
    price: Price | None = None
    abilities: frozenset[Ability] = frozenset()
    is_known: bool = True

    def has(self, ability: Ability) -> bool:
        return ability in self.abilities
