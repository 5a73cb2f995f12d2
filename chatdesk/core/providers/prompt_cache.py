"""Marks the beginning of a request for caching, for vendors that cache only marked text.

A mark is at the end of the system prompt, at the question before the newest one, up to which the last request was kept,
and at the newest message. A vendor charges more for text that it caches and much less for text found in the cache; text
too short to be cached costs the same. Other vendors recognise a repeated beginning by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from chatdesk.core.domain.usage import CacheLife

FIELD: Final = "cache_control"
_MARKS: Final[dict[CacheLife, dict[str, Any]]] = {
    CacheLife.MINUTES: {"type": "ephemeral"},
    CacheLife.HOUR: {"type": "ephemeral", "ttl": "1h"},
}


def mark(block: dict[str, Any], life: CacheLife) -> None:
    """Mark one piece of content as the end of the part to be cached."""
    block[FIELD] = dict(_MARKS[life])


def mark_messages(messages: Sequence[dict[str, Any]], life: CacheLife) -> None:
    """Mark messages on the wire: a system prompt at their head, the newest one, and the question before the newest
    question. Plain content becomes a list of one piece everywhere: a message stays as it was when its mark is gone."""
    for message in messages:
        content = message["content"]
        if isinstance(content, str) and content.strip():  # blank pieces are refused
            message["content"] = [{"type": "text", "text": content}]
    prompts = [message for message in messages[:1] if message["role"] == "system"]
    questions = [message for message in messages if message["role"] == "user"]
    for message in (*prompts, *questions[-2:-1], *messages[-1:]):
        if isinstance(message["content"], list):
            mark(message["content"][-1], life)
