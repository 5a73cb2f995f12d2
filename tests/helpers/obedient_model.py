"""A model that does whatever anything in a request tells it to, which is the worst that a real one can do."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator
from typing import Final

from chatdesk.core.domain.message import Role
from chatdesk.core.providers.base import (
    ChatRequest,
    FinishReason,
    StreamEvent,
    StreamFinished,
    TextDelta,
    ToolCallDelta,
)
from tests.helpers.chat_world import ScriptedProvider

# Letters of the block of tags, which nobody sees.
_TAGS: Final = {0xE0000 + code: chr(code) for code in range(0x20, 0x7F)}
_ORDER: Final = re.compile(r"CALL (\w+)(?: WITH (\{[^{}]*\}))? NOW")


def order(tool: str, **arguments: str) -> str:
    """Return words that the model obeys, and a person hardly would."""
    return f"CALL {tool} WITH {json.dumps(arguments)} NOW"


def unseen(text: str) -> str:
    """Return a text in letters that nobody sees."""
    return "".join(chr(0xE0000 + ord(letter)) for letter in text)


class ObedientModel(ScriptedProvider):
    """Calls whatever any words of a request order, each order once; then it answers. ``orders`` are those it read;
    until ``obeys`` it reads none."""

    def __init__(self) -> None:
        super().__init__()
        self.orders: list[str] = []
        self.obeys = True

    async def stream(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        self.requests.append(request)
        read = [each.full_text for each in request.messages if each.role is not Role.ASSISTANT]
        read += [file.attachment.name for each in request.messages for file in each.enclosed]
        read.append(json.dumps(request.extra_fields.get("tools", []), ensure_ascii=False))
        words = "\n".join(read).translate(_TAGS).replace('\\"', '"')
        done = [call.name for each in request.messages for call in each.tool_calls]
        found = dict.fromkeys(_ORDER.findall(words if self.obeys else ""))
        fresh = [each for each in found if each[0] not in done]
        self.orders += [name for name, _arguments in fresh]
        for index, (name, arguments) in enumerate(fresh):
            yield ToolCallDelta(index, f"c{len(done) + index}", name, arguments or "{}")
        if not fresh:
            yield TextDelta("I did all of it.")
        yield StreamFinished(FinishReason.TOOL_CALLS if fresh else FinishReason.STOP)
