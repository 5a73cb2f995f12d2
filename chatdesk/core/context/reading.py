"""Describes how a model reads messages: its encoding, whether it sees pictures, and its share for files. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from chatdesk.core.context.budget import TokenBudget
from chatdesk.core.context.tokens import CHARACTERS
from chatdesk.core.domain.model_info import Ability, ModelInfo

# The files' share of a request's tokens; the rest is for the question, the system prompt and earlier messages.
_SHARE_FOR_FILES = 0.6
# Estimates are corrected slightly after each answer; rounding them spares cutting the texts again each time.
_STEPS_OF_FACTOR = 4


@dataclass(frozen=True, slots=True)
class Reading:
    """The properties of a model on which counts depend. ``encoding`` is a ``TokenEncoding.name``; ``file_tokens`` is
    the limit for all files of one message, as counted here. ``can_see``: images are sent to the model, because it sees
    them or its ability is unknown."""

    encoding: str = CHARACTERS
    model: str = ""
    can_see: bool = False
    file_tokens: int = 0

    @classmethod
    def of(cls, encoding: str, info: ModelInfo, budget: TokenBudget) -> Reading:
        factor = max(1.0, math.ceil(budget.factor * _STEPS_OF_FACTOR) / _STEPS_OF_FACTOR)
        fitting = int((budget.window - budget.reserved) * _SHARE_FOR_FILES / factor)
        return cls(encoding, info.id, info.may_have(Ability.IMAGES), fitting)


def shared_out(wanted: Sequence[int], most: int) -> list[int]:
    """Share ``most`` among wishes: small ones are met, the others get equal parts of the rest."""
    left, given = max(most, 0), [0] * len(wanted)
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    for done, place in enumerate(order):
        given[place] = min(wanted[place], left // (len(order) - done))
        left -= given[place]
    return given
