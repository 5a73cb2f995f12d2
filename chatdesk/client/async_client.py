"""The asynchronous client of the local service."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Literal, TypeVar

import httpx2

from chatdesk.client import requests
from chatdesk.client.errors import BadToken, ClientError, NotRunning, Problem, Unreachable
from chatdesk.client.following import Following
from chatdesk.client.forms import Asked, Message, MessagePage, Project, Ready, Thread, ThreadPage
from chatdesk.client.place import find_place
from chatdesk.client.policy import Retries

T = TypeVar("T")
_Exchange = Callable[[requests.Request[Any]], Awaitable[httpx2.Response]]


class AsyncAnswer(Following):
    """An answer that is being written: ``async for`` gives its text piece by piece, and ``usage`` is known at
    the end. Raises ``AnswerFailed`` where the model failed."""

    def __init__(self, exchange: _Exchange, stop: Callable[[str], Awaitable[None]], asked: Asked) -> None:
        super().__init__(asked)
        self._exchange = exchange
        self._stop = stop

    async def __aiter__(self) -> AsyncIterator[str]:
        while True:
            response = await self._exchange(self.next_request())
            piece = self.piece_of(response)
            if piece:
                yield piece
            if self.message.is_final:
                self.check_end()
                return
            await asyncio.sleep(self.wait_s)

    async def stop(self) -> None:
        """Stop the model; what was written is kept."""
        await self._stop(self.message.thread_id)


class AsyncClient:
    """A client of one service. Without ``url`` and ``token`` it takes those of ``CHATDESK_URL`` and ``CHATDESK_TOKEN``,
    and else the files of the owner in ``data_dir``. ``transport`` replaces the network, as for a ``MockService``.

    Every method raises a ``ClientError``. What is sent again after a lost connection happens once all the same.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        data_dir: str | os.PathLike[str] | None = None,
        retries: Retries | None = None,
        timeout_s: float = 30.0,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._given = (url, token, data_dir)
        self._place = find_place(url, token, data_dir=data_dir)
        self._retries = retries or Retries()
        self._http = httpx2.AsyncClient(trust_env=False, timeout=timeout_s, transport=transport)

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()

    # The service

    async def ready(self) -> Ready:
        return await self._run(requests.ready())

    async def version(self) -> str:
        return await self._run(requests.version())

    # Projects

    async def projects(self) -> tuple[Project, ...]:
        return await self._run(requests.projects())

    async def project(self, project_id: str) -> Project:
        return await self._run(requests.project(project_id))

    async def make_project(self, name: str, *, colour: str | None = None, key: str = "") -> Project:
        return await self._run(requests.make_project(name, colour, key))

    async def change_project(self, project_id: str, *, if_match: str = "", **change: Any) -> Project:
        """Change ``name``, ``colour`` or ``archived``, one at a time."""
        return await self._run(requests.change_project(project_id, change, if_match))

    async def delete_project(self, project_id: str) -> None:
        """Move a project to the trash."""
        await self._run(requests.delete_project(project_id))

    # Threads

    async def threads(
        self,
        project_id: str | None = None,
        *,
        scope: Literal["active", "archive", "trash"] = "active",
        title: str = "",
        page_size: int = 50,
    ) -> AsyncIterator[Thread]:
        """Iterate over a list of threads, the last used first, page by page as they are wanted."""
        cursor: str | None = None
        while True:
            page: ThreadPage = await self._run(
                requests.threads(project_id, scope, title, limit=page_size, cursor=cursor)
            )
            for thread in page.threads:
                yield thread
            cursor = page.next_cursor
            if cursor is None:
                return

    async def thread(self, thread_id: str) -> Thread:
        return await self._run(requests.thread(thread_id))

    async def make_thread(
        self,
        title: str = "",
        *,
        project_id: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        key: str = "",
    ) -> Thread:
        """Make a thread. With a ``key`` of yours it is made once, also by another run of your program."""
        return await self._run(requests.make_thread(title, project_id, provider, model, key=key))

    async def change_thread(self, thread_id: str, *, if_match: str = "", **change: Any) -> Thread:
        """Change ``title``, ``archived``, ``pinned`` or ``project_id``, one at a time."""
        return await self._run(requests.change_thread(thread_id, change, if_match))

    async def delete_thread(self, thread_id: str) -> None:
        """Move a thread to the trash."""
        await self._run(requests.delete_thread(thread_id))

    # Messages

    async def messages(
        self,
        thread_id: str,
        *,
        limit: int = 50,
        before: str | None = None,
        after: str | None = None,
        around: str | None = None,
    ) -> MessagePage:
        """Return a page of a thread, oldest first; the newest page where no place is named."""
        return await self._run(requests.messages(thread_id, limit=limit, before=before, after=after, around=around))

    async def history(self, thread_id: str, *, page_size: int = 100) -> AsyncIterator[Message]:
        """Iterate over a whole thread, the newest message first."""
        before: str | None = None
        while True:
            page: MessagePage = await self._run(requests.messages(thread_id, limit=page_size, before=before))
            for message in reversed(page.messages):
                yield message
            if not page.has_older or not page.messages:
                return
            before = page.messages[0].id

    async def message(self, message_id: str) -> Message:
        return await self._run(requests.message(message_id))

    async def versions(self, message_id: str) -> tuple[Message, ...]:
        return await self._run(requests.versions(message_id))

    async def ask(
        self,
        thread_id: str,
        text: str,
        *,
        parent_id: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        key: str = "",
    ) -> AsyncAnswer:
        """Ask a question. It is stored when this returns; iterate over the answer to follow it."""
        asked = await self._run(
            requests.ask(thread_id, text, parent_id=parent_id, provider=provider, model=model, key=key)
        )
        return AsyncAnswer(self._exchange, self.stop, asked)

    async def note(self, thread_id: str, text: str, *, key: str = "") -> Message:
        """Write a note, which nobody answers."""
        return await self._run(requests.note(thread_id, text, key))

    async def stop(self, thread_id: str) -> None:
        """Stop the answers that are being written in a thread."""
        await self._run(requests.stop(thread_id))

    # Sending

    async def _exchange(self, request: requests.Request[Any]) -> httpx2.Response:
        """Send a request, again where that is safe, and return a response that is no refusal."""
        number = 0
        while True:
            number += 1
            try:
                return await self._sent(request)
            except (Problem, Unreachable) as error:
                wait_s = self._retries.wait_s(number, error)
                if wait_s is None and not (number == 1 and isinstance(error, BadToken)):
                    raise
                is_new = self._find_again(error)
                if wait_s is None and not is_new:
                    raise
                await asyncio.sleep(wait_s or 0)

    async def _run(self, request: requests.Request[T]) -> T:
        return request.result_of(await self._exchange(request))

    async def _sent(self, request: requests.Request[Any]) -> httpx2.Response:
        try:
            response = await self._http.send(request.sent_to(self._place))
        except httpx2.TransportError as error:
            raise Unreachable(f"The local service does not answer: {str(error) or type(error).__name__}.") from error
        except httpx2.HTTPError as error:
            raise ClientError(str(error)) from error
        if response.is_success or response.status_code == httpx2.codes.NOT_MODIFIED:
            return response
        request.result_of(response)  # raises
        raise AssertionError("unreachable")

    def _find_again(self, error: ClientError) -> bool:
        """Look where the service is now: a new start has another address and another token of the owner."""
        if not self._place.is_of_owner or (isinstance(error, Problem) and not isinstance(error, BadToken)):
            return False
        before = self._place
        try:
            url, token, data_dir = self._given
            self._place = find_place(url, token, data_dir=data_dir)
        except NotRunning:
            return False
        return self._place != before
