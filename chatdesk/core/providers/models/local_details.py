"""Asks Ollama and LM Studio for details that the usual list of models lacks: which see images, which only make
embeddings, how large their context is. No answer depends on these details: failures are ignored.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chatdesk.core.providers.base import ListedModel
from chatdesk.core.providers.models.model_list import LocalServer, model_of, read_models

_log = logging.getLogger(__name__)

_TOTAL_S = 5.0
_MOST_MODELS = 60
_AT_ONCE = 4
_WINDOW = re.compile(r"^num_ctx\s+(\d{1,9})\s*$", re.MULTILINE)

# Sends a request to a path of the server's root, with a body or without; gives the bytes of the answer.
Ask = Callable[[str, Mapping[str, Any] | None], Awaitable[bytes]]


async def with_details(models: Sequence[ListedModel], server: LocalServer, ask: Ask) -> tuple[ListedModel, ...]:
    """Return ``models`` with the details that ``server`` gives, without those that do not chat. Takes at most some
    seconds; raises nothing but a cancellation."""
    found = {each.id: each for each in models}
    gone: set[str] = set()
    try:
        async with asyncio.timeout(_TOTAL_S):
            if server is LocalServer.LM_STUDIO:
                listed = {each.id: each for each in await asyncio.to_thread(_read, await ask("/api/v0/models", None))}
                gone = found.keys() - listed.keys() if listed else set()
                found |= {name: _joined(each, listed[name]) for name, each in found.items() if name in listed}
            else:
                await _ask_each_model(found, gone, ask)
    except Exception as error:  # noqa: BLE001 - whatever a server provokes; the list is good without
        _log.info("details of models did not come: %s", type(error).__name__)
    return tuple(each for name, each in found.items() if name not in gone)


async def _ask_each_model(found: dict[str, ListedModel], gone: set[str], ask: Ask) -> None:
    """Ask Ollama for each model: it describes one at a time."""
    slots = asyncio.Semaphore(_AT_ONCE)

    async def ask_model(name: str) -> None:
        try:
            async with slots:
                body = await ask("/api/show", {"model": name})
            row = await asyncio.to_thread(_shown, body)
        except Exception as error:  # noqa: BLE001 - as above; the others may still be told
            _log.info("details of a model did not come: %s", type(error).__name__)
            return
        abilities = row.get("capabilities")
        if isinstance(abilities, list) and abilities and "completion" not in abilities:
            gone.add(name)
        found[name] = _joined(found[name], model_of(name, row))

    async with asyncio.TaskGroup() as group:
        for name in list(found)[:_MOST_MODELS]:
            group.create_task(ask_model(name))


def _joined(listed: ListedModel, details: ListedModel) -> ListedModel:
    return replace(
        listed,
        context_window=details.context_window or listed.context_window,
        sees_images=listed.sees_images if details.sees_images is None else details.sees_images,
    )


def _read(body: bytes) -> tuple[ListedModel, ...]:
    """Parse LM Studio's own list, which says whether a model sees images and which are not for chats."""
    models = read_models(body, is_openai=False)
    return tuple(replace(each, sees_images=bool(each.sees_images)) for each in models)


def _shown(body: bytes) -> dict[str, Any]:
    """Return the abilities and the context size that Ollama shows of a model. The size is the one that was set, because
    the figure of the model itself is not what is loaded."""
    document = json.loads(body.decode("utf-8"))
    if not isinstance(document, Mapping):
        return {}
    parameters = document.get("parameters")
    match = _WINDOW.search(parameters) if isinstance(parameters, str) else None
    return {"capabilities": document.get("capabilities")} | ({"num_ctx": int(match[1])} if match else {})
