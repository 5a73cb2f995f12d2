"""What is sent to the model: the system prompt, then the newest messages of the path that fit.

Pure: it gets the messages and returns the request. Tokens are estimated from characters here, on the safe side.
"""

from __future__ import annotations

from collections.abc import Sequence

from chatdesk.core.domain.message import Message, Role
from chatdesk.core.providers.base import ChatRequest, RequestMessage

# When nobody says how large a model's window is: what today's small local models have.
DEFAULT_CONTEXT_TOKENS = 32_000
_CHARACTERS_PER_TOKEN = 3
_SHARE_FOR_MESSAGES = 0.75


def build_request(
    *,
    model: str,
    system_prompt: str,
    path: Sequence[Message],
    continue_text: str = "",
    context_tokens: int | None = None,
) -> ChatRequest:
    """``path`` is oldest first and ends with the question. The question is always sent, however long it is."""
    budget = int((context_tokens or DEFAULT_CONTEXT_TOKENS) * _SHARE_FOR_MESSAGES * _CHARACTERS_PER_TOKEN)
    budget -= len(system_prompt) + len(continue_text)
    chosen: list[RequestMessage] = []
    for message in reversed(path):
        text = message.text
        if not text or message.role not in (Role.USER, Role.ASSISTANT, Role.SYSTEM):
            continue
        budget -= len(text)
        if chosen and budget < 0:
            break
        chosen.append(RequestMessage(message.role, text))
    if system_prompt.strip():
        chosen.append(RequestMessage(Role.SYSTEM, system_prompt))
    return ChatRequest(model=model, messages=tuple(reversed(chosen)), continue_text=continue_text)
