"""Answers a tool server's question with a model, once a person agreed: within the limits, and with a line in the
ledger."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Final

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.chat.direct_questions import Asker, DirectQuestions
from chatdesk.core.clock import Clock
from chatdesk.core.errors import NotPossible
from chatdesk.core.events import EventBus
from chatdesk.core.ids import new_id
from chatdesk.core.providers.base import ChatRequest, FinishReason, ModelNamed, Provider, StreamFinished, TextDelta
from chatdesk.core.providers.registry import ProviderRegistry
from chatdesk.core.storage.usage.events import UsageRepository
from chatdesk.core.texts import Text

_LONGEST_S: Final = 180.0
_LONGEST_CHARACTERS: Final = 200_000


async def answer_of(
    provider: Provider, request: ChatRequest, chat: ChatService, usage: UsageRepository, bus: EventBus
) -> tuple[str, str, bool]:
    """Return the text of an answer, the model that gave it, and whether it was cut off. Raises what
    ``DirectQuestions.ask`` does, and ``NotPossible``."""
    questions = DirectQuestions(
        Asker("tool server", new_id(), lambda _spent: None),
        chat,
        ProviderRegistry([provider], provider.name, request.model),
        usage,
        bus,
        Clock(),
    )
    texts: list[str] = []
    size, model, is_cut = 0, request.model, False
    try:
        async with asyncio.timeout(_LONGEST_S), aclosing(questions.ask(provider.name, request)) as events:
            async for event in events:
                match event:
                    case TextDelta():
                        texts.append(event.text)
                        size += len(event.text)
                    case ModelNamed():
                        model = event.model
                    case StreamFinished():
                        is_cut = event.reason is FinishReason.LENGTH
                if size > _LONGEST_CHARACTERS:
                    is_cut = True
                    break
    except TimeoutError:
        raise NotPossible(
            Text("The model did not answer within {longest_s} s.", longest_s=f"{_LONGEST_S:.0f}")
        ) from None
    return "".join(texts)[:_LONGEST_CHARACTERS], model, is_cut
