"""Asks one question, here or through the process that owns the data directory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from chatdesk.core.chat import ask as asking
from chatdesk.core.local_api.client import ask_owner
from chatdesk.services.services import Services


async def ask(
    services: Services,
    text: str,
    *,
    thread_id: str | None = None,
    edits: str | None = None,
    provider: str | None = None,
    model: str | None = None,
    files: Sequence[str] = (),
    assistant_id: str | None = None,
) -> AsyncGenerator[dict[str, Any], None]:
    """Ask one question and yield its events as dictionaries (``core.chat.ask``). ``files`` are absolute paths of the
    attachments."""
    if not services.has_other_owner:
        attached = [await services.attachments.add_file(Path(each)) for each in files]
        for each in attached:
            if (found := await services.attachments.text_of(each)).text and found.problem:
                yield {"event": "file", "name": each.name, "problem": found.problem}
        source = asking.ask(
            services.chat,
            services.events,
            text,
            thread_id=thread_id,
            edits=edits,
            provider=provider,
            model=model,
            attachments=attached,
            assistant_id=assistant_id,
        )
    else:
        request = {"text": text, "thread_id": thread_id, "edits": edits, "provider": provider, "model": model}
        more = {"files": list(files), "assistant_id": assistant_id}
        source = ask_owner(services.paths.data_dir, {**request, **{name: each for name, each in more.items() if each}})
    async with aclosing(source) as events:
        async for event in events:
            yield event
