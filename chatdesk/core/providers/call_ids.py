"""Gives the calls of tools in a request ids that its server takes: of a form that it knows, each once. Pure.

An id that a server made itself has that form and stays. The same id always becomes the same other one, so that requests
begin with the same bytes as those before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from chatdesk.core.domain.message import Role
from chatdesk.core.providers.base import RequestMessage

# The ids that every vendor accepts, including the point and colon of Kimi's own.
USUAL: Final = r"[A-Za-z0-9_.:-]{1,64}"
# Required by the templates of Mistral's models, on any server.
OF_MISTRAL: Final = r"[A-Za-z0-9]{9}"
# LiteLLM puts the signatures of Gemini's calls behind their ids, and wants them back there.
_WITH_SIGNATURE: Final = r"[A-Za-z0-9_.:-]{1,64}__thought__[A-Za-z0-9+/=_-]{1,65536}"
_LENGTH: Final = 9
_MISTRAL: Final = re.compile(r"(?:mi|mini|magi|dev|code|lean)stral|mixtral|pixtral|voxtral", re.IGNORECASE)


def form_for(model: str, usual: str) -> str:
    """Return the form of the ids that ``model`` wants at a server of which ``usual`` is the form."""
    if _MISTRAL.search(model):
        return OF_MISTRAL
    return f"(?:{usual})|{_WITH_SIGNATURE}" if "gemini" in model.lower() else usual


def with_ids(messages: Iterable[RequestMessage], form: str) -> list[RequestMessage]:
    """Return the messages with an id of ``form`` for each call and the same for its result."""
    is_right = re.compile(form).fullmatch
    seen: set[str] = set()
    given: dict[str, str] = {}
    found = []
    for message in messages:
        if message.tool_calls:
            given = {}
            for call in message.tool_calls:
                given[call.id] = _free(call.id, seen) if call.id in seen or not is_right(call.id) else call.id
                seen.add(given[call.id])
            calls = tuple(replace(call, id=given[call.id]) for call in message.tool_calls)
            found.append(replace(message, tool_calls=calls))
        elif message.role is Role.TOOL:
            found.append(replace(message, tool_call_id=given.get(message.tool_call_id, message.tool_call_id)))
        else:
            found.append(message)
    return found


def _free(name: str, seen: set[str]) -> str:
    """Return an id made of letters and digits that no call has yet."""
    import hashlib  # loads OpenSSL, which a window at rest has no need of

    number = 0
    while True:
        made = hashlib.sha256(f"{name} {number}".encode("utf-8", "replace")).hexdigest()[:_LENGTH]
        if made not in seen:
            return made
        number += 1
