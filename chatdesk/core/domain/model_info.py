"""Describes a model: its context window, the length of its answers, its price and its abilities."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from chatdesk.core.domain.usage import Usage


class Ability(StrEnum):
    """An ability of a model: an input that it takes besides text, or a parameter that it has."""

    IMAGES = "images"
    TOOLS = "tools"
    REASONING = "reasoning"
    TEMPERATURE = "temperature"
    TOP_P = "top_p"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Price:
    """The price in US dollars for a million tokens. ``written_input`` is for input that is written into the provider's
    cache, ``written_hour_input`` for input that stays there for an hour; None: the same as other input."""

    input: float
    cached_input: float
    output: float
    written_input: float | None = None
    written_hour_input: float | None = None

    def cost(self, usage: Usage) -> float:
        """Return the dollars for one request."""
        written = self.input if self.written_input is None else self.written_input
        for_hour = written if self.written_hour_input is None else self.written_hour_input
        fresh = max(usage.input_tokens - usage.cached_tokens - usage.written_tokens, 0)
        millionths = (
            fresh * self.input
            + usage.cached_tokens * self.cached_input
            + (usage.written_tokens - usage.written_hour_tokens) * written
            + usage.written_hour_tokens * for_hour
            + usage.output_tokens * self.output
        )
        return millionths / 1_000_000


@dataclass(frozen=True, slots=True)
class ModelOverrides:
    """A person's own facts about one model of one provider. None leaves it to the server's list and the catalogue;
    prices are US dollars for a million tokens. A hidden model is not offered, but threads that use it keep it."""

    sees_images: bool | None = None
    context_window: int | None = None
    input_price: float | None = None
    output_price: float | None = None
    is_hidden: bool = False

    def price(self, known: Price | None) -> Price | None:
        """Return ``known`` with the prices that were typed; None while one of the two is missing. Cached input costs as
        much as other input, where only the person knows the price: an estimate must not be too low."""
        if self.input_price is None and self.output_price is None:
            return known
        input_price = self.input_price if self.input_price is not None else known.input if known else None
        output_price = self.output_price if self.output_price is not None else known.output if known else None
        if input_price is None or output_price is None:
            return None
        if known is not None and input_price == known.input:
            return replace(known, output=output_price)
        return Price(input=input_price, cached_input=input_price, output=output_price)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model. ``is_known`` is false where the figures are the stated defaults, ``is_window_known`` where the size of
    the context is one; ``abilities`` are those that it has, of ``unclear`` ones no source says whether it has them;
    ``price`` is None where no source has one."""

    id: str
    label: str
    context_window: int
    largest_answer: int
    price: Price | None = None
    abilities: frozenset[Ability] = frozenset()
    unclear: frozenset[Ability] = frozenset()
    is_known: bool = True
    is_window_known: bool = True

    @property
    def sees_images(self) -> bool | None:
        """Return whether the model sees images; None where that is not known."""
        return self.has(Ability.IMAGES)

    def has(self, ability: Ability) -> bool | None:
        """Return whether the model has an ability; None where that is not known."""
        return None if ability in self.unclear else ability in self.abilities

    def may_have(self, ability: Ability) -> bool:
        """Return whether an ability is to be used: the server says no where the model does not have it."""
        return self.has(ability) is not False


_REF = re.compile(r"([a-z0-9][a-z0-9-]{0,39})/([^\x00-\x1f]{1,300})\Z")


@dataclass(frozen=True, slots=True)
class ModelRef:
    """The id of a provider, which has no slash, and the id of its model, which may have some."""

    provider: str
    model: str

    @classmethod
    def parse(cls, text: str) -> ModelRef | None:
        """Parse ``provider/model``; None for an empty text and for one that names no model."""
        match = _REF.match(text.strip())
        return cls(match[1], match[2]) if match else None

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"
