"""Estimates the usage of requests without a provider's report."""

from __future__ import annotations

from typing import Final

from chatdesk.core.domain.usage import CHARACTERS_PER_TOKEN, Usage
from chatdesk.core.providers.base import ChatRequest

_TOKENS_PER_PICTURE: Final = 1_000
_USUAL_ANSWER_TOKENS: Final = 500


def expected_usage(request: ChatRequest) -> Usage:
    """Estimate the tokens that a request is going to take: its words, its pictures, and an answer of usual length."""
    letters = sum(len(message.full_text) for message in request.messages) + len(request.continue_text)
    pictures = sum(len(message.images) for message in request.messages)
    return Usage(
        input_tokens=-(-letters // CHARACTERS_PER_TOKEN) + pictures * _TOKENS_PER_PICTURE,
        output_tokens=min(request.max_output_tokens or _USUAL_ANSWER_TOKENS, _USUAL_ANSWER_TOKENS),
        is_estimated=True,
    )


def usage_so_far(request: ChatRequest, received_letters: int) -> Usage:
    """Estimate the tokens of a request whose answer ended after so many letters."""
    sent = sum(len(message.full_text) for message in request.messages)
    return Usage(
        input_tokens=-(-sent // CHARACTERS_PER_TOKEN),
        output_tokens=-(-max(received_letters, 0) // CHARACTERS_PER_TOKEN),
        is_estimated=True,
    )
