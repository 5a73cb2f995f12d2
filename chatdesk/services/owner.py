"""Opens services for scripts, and answers other processes where this one owns the data directory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict
from functools import partial
from typing import Any

from chatdesk.core.chat import drafting
from chatdesk.core.chat.drafting import DraftWanted
from chatdesk.core.local_api.client import exchange, own_or_wait
from chatdesk.core.local_api.instance import InstanceLock
from chatdesk.core.local_api.listener import InstanceServer, Verb
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.services.asking import ask
from chatdesk.services.building import build_services
from chatdesk.services.health import answer_health
from chatdesk.services.services import Services


@asynccontextmanager
async def open_services(
    paths: AppPaths, settings: Settings, *, mode: str = "cli", purpose: str = "ask"
) -> AsyncIterator[Services]:
    """Open services for a script, whose command is ``purpose``. When another process owns the directory they read, and
    ask through it; an owner answers those who ask it before it ends."""
    paths.make_directories()
    lock = InstanceLock(paths.data_dir, purpose=purpose, listens=mode == "cli")
    is_owner = await own_or_wait(lock, paths.data_dir)
    try:
        services = await build_services(paths, settings, lock)
        services.chat.tools.approvals.deny_all()
        server = None
        try:
            if is_owner and mode == "cli":
                server = InstanceServer(lock, paths.instance_socket, verbs_of(services))
                await server.start()
            yield services
            if server is not None:
                await server.wait_until_idle()
        finally:
            if server is not None:
                await server.close()
            await services.close()
    finally:
        lock.release()


def verbs_of(services: Services, come_to_front: Callable[[str], None] | None = None) -> dict[str, Verb]:
    """Return the verbs that the owner of a data directory answers for other processes; only a window can come to the
    front, and show a link or a file."""

    async def bring(request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        assert come_to_front is not None
        come_to_front(_text_of(request, "target") or "")
        yield {"event": "raised"}

    def health(_request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        return answer_health(services, has_window=come_to_front is not None)

    async def draft(request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        yield {"event": "drafted", "thread_id": await keep_draft(services, _draft_of(request))}

    verbs: dict[str, Verb] = {"ask": partial(answer_request, services), "health": health, "draft": draft}
    if come_to_front is not None:
        verbs["raise"] = bring
    return verbs


def answer_request(services: Services, request: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
    """Ask a question for another process; the values come from outside and are checked like any other."""

    return ask(
        services,
        _text_of(request, "text") or "",
        thread_id=_text_of(request, "thread_id"),
        edits=_text_of(request, "edits"),
        provider=_text_of(request, "provider"),
        model=_text_of(request, "model"),
        files=_files_of(request),
        assistant_id=_text_of(request, "assistant_id"),
    )


async def keep_draft(services: Services, wanted: DraftWanted) -> str:
    """Keep a draft, here or through the owner of the data directory, and return the id of its thread."""
    if not services.has_other_owner:
        return await drafting.keep_draft(services.chat, services.repositories.requests, wanted)
    async with aclosing(exchange(services.paths.data_dir, "draft", asdict(wanted))) as events:
        return str((await anext(events))["thread_id"])


def _draft_of(request: dict[str, Any]) -> DraftWanted:
    return DraftWanted(
        _text_of(request, "text") or "",
        _text_of(request, "thread_id"),
        _text_of(request, "title") or "",
        _text_of(request, "project_id"),
        _text_of(request, "replaces") or "",
    )


def _text_of(request: dict[str, Any], name: str) -> str | None:
    value = request.get(name)
    return value if isinstance(value, str) and value else None


def _files_of(request: dict[str, Any]) -> tuple[str, ...]:
    listed = request.get("files")
    return tuple(each for each in listed if isinstance(each, str)) if isinstance(listed, list) else ()
