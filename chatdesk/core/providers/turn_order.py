"""Puts the messages of a request into the order that the chat template of every model accepts: one system message at
the front, then user and model alternating, the user first, and none of them empty. Pure.

Adjacent messages of one role are joined for sending only, never in storage.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from chatdesk.core.domain.message import Role
from chatdesk.core.providers.base import RequestMessage

# Read by models only: where a template wants a message, and there is none.
BEFORE: Final = "(Earlier messages are not repeated here.)"
CUT_OFF: Final = "(This answer was cut off here.)"
NOTHING: Final = "(nothing)"


def in_turns(messages: Iterable[RequestMessage]) -> list[RequestMessage]:
    """Return the messages in the order that every server accepts."""
    rules: list[RequestMessage] = []
    found: list[RequestMessage] = []
    for message in messages:
        if message.role is Role.SYSTEM:
            rules.append(message)
            continue
        sent = _filled(message)
        if sent is not None:
            _append(found, sent)
    return [*_joined_rules(rules), *found]


def _filled(message: RequestMessage) -> RequestMessage | None:
    """Return a message that has something in it; None for an empty one. Each call needs a result."""
    if message.full_text.strip() or message.images or message.tool_calls:
        return message
    return replace(message, text=NOTHING) if message.role is Role.TOOL else None


def _append(found: list[RequestMessage], message: RequestMessage) -> None:
    last = found[-1] if found else None
    if last is None:
        if message.role is not Role.USER:
            found.append(RequestMessage(Role.USER, BEFORE))
        found.append(message)
    elif last.role is message.role and message.role is not Role.TOOL and not last.tool_calls:
        found[-1] = _joined(last, message)
    else:
        if last.role is Role.TOOL and message.role is Role.USER:
            found.append(RequestMessage(Role.ASSISTANT, CUT_OFF))
        found.append(message)


def _joined(first: RequestMessage, second: RequestMessage) -> RequestMessage:
    texts = [each for each in (first.full_text, second.full_text) if each.strip()]
    return replace(second, text="\n\n".join(texts), files=(), images=first.images + second.images)


def _joined_rules(rules: list[RequestMessage]) -> list[RequestMessage]:
    texts = [each.full_text for each in rules if each.full_text.strip()]
    return [RequestMessage(Role.SYSTEM, "\n\n".join(texts))] if texts else []
