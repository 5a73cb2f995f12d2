"""Implements the asynchronous client of the local service."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any, Literal, TypeVar

import httpx2

from chatdesk.client.chat_forms import Attachment, Message, Thread
from chatdesk.client.chat_requests import message
from chatdesk.client.errors import Problem, Unreachable
from chatdesk.client.events import Event
from chatdesk.client.following import FollowedAnswer
from chatdesk.client.listening import SILENCE_S, Listening, SentFrames
from chatdesk.client.methods import AsyncRequests
from chatdesk.client.request import Request
from chatdesk.client.target import Retries, Target, check_refusal, error_of

T = TypeVar("T")


class AsyncClient(AsyncRequests):
    """A client of one service. Without ``url`` and ``token`` it takes those of ``CHATDESK_URL`` and ``CHATDESK_TOKEN``,
    and else the files of the owner in ``data_dir``. ``transport`` replaces the network, as in tests.

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
        self._target = Target(url, token, data_dir, retries)
        self._timeout_s = timeout_s
        self._http = httpx2.AsyncClient(trust_env=False, timeout=timeout_s, transport=transport)

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    # Answers and events

    async def ask(
        self,
        thread_id: str,
        text: str,
        *,
        parent_id: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        attachments: Sequence[Attachment] = (),
        key: str = "",
    ) -> AsyncAnswer:
        """Ask a question. It is stored when this returns; iterate over the answer to follow it."""
        asked = await self.send_question(
            thread_id, text, parent_id=parent_id, provider=provider, model=model, attachments=attachments, key=key
        )
        return AsyncAnswer(self, asked.answer, asked.question)

    def follow(self, answer: Message) -> AsyncAnswer:
        """Follow an answer that is being written, such as that of ``regenerate``."""
        return AsyncAnswer(self, answer)

    def events(self, thread_id: str | None = None, *, after: str = "") -> AsyncEvents:
        """Follow what happens, in one thread or in all, ``after`` the ``number`` where you were."""
        return AsyncEvents(self, Listening(thread_id, after))

    # Lists, page by page as they are wanted

    async def threads(
        self,
        project_id: str | None = None,
        *,
        scope: Literal["active", "archive", "trash"] = "active",
        title: str = "",
        page_size: int = 50,
    ) -> AsyncIterator[Thread]:
        """Iterate over a list of threads, the last used first."""
        cursor: str | None = None
        while True:
            page = await self.thread_page(project_id, scope=scope, title=title, limit=page_size, cursor=cursor)
            for thread in page.threads:
                yield thread
            cursor = page.next_cursor
            if cursor is None:
                return

    async def history(self, thread_id: str, *, page_size: int = 100) -> AsyncIterator[Message]:
        """Iterate over a whole thread, the newest message first."""
        before: str | None = None
        while True:
            page = await self.messages(thread_id, limit=page_size, before=before)
            for each in reversed(page.messages):
                yield each
            if not page.has_older or not page.messages:
                return
            before = page.messages[0].id

    # Sending requests

    async def run(self, request: Request[T]) -> T:
        """Send a request, again where that is safe, and return its result."""
        number = 0
        while True:
            number += 1
            try:
                return request.result_of(await self._sent(request))
            except (Problem, Unreachable) as error:
                await asyncio.sleep(self._target.wait_s(number, error))

    async def follow_events(self, listening: Listening) -> AsyncGenerator[Event, None]:
        """Iterate over what happens, over one connection after the other."""
        number = 0
        while True:
            number += 1
            try:
                async with aclosing(self._frames(listening)) as frames:
                    async for frame in frames:
                        number = 0
                        for event in listening.events_of(frame):
                            yield event
                raise Unreachable("The local service ended.")
            except (Problem, Unreachable) as error:
                await asyncio.sleep(self._target.wait_s(max(number, 1), error, is_following=True))

    async def _frames(self, listening: Listening) -> AsyncGenerator[Any, None]:
        response = await self._sent(listening.request(), is_followed=True)
        sent = SentFrames()
        async with aclosing(response), aclosing(response.aiter_bytes()) as pieces:
            try:
                async for piece in pieces:
                    for frame in sent.feed(piece):
                        yield frame
            except httpx2.HTTPError as error:
                raise error_of(error) from error

    async def _sent(self, request: Request[Any], *, is_followed: bool = False) -> httpx2.Response:
        """Return a response that is not a refusal; the content of a stream is still to be read."""
        made = request.sent_to(self._target.place)
        if is_followed:
            made.extensions["timeout"] = httpx2.Timeout(self._timeout_s, read=SILENCE_S).as_dict()
        try:
            response = await self._http.send(made, stream=is_followed)
            if is_followed and not response.is_success:
                await response.aread()
        except httpx2.HTTPError as error:
            raise error_of(error) from error
        check_refusal(request, response)
        return response


class AsyncEvents:
    """Events as they happen: ``async for`` gives each event once, also over lost connections. ``number`` is for
    ``after`` of a later time; it is right once the events that came together were all taken. Used in an
    ``async with``."""

    def __init__(self, client: AsyncClient, listening: Listening) -> None:
        self._listening = listening
        self._events = client.follow_events(listening)

    @property
    def number(self) -> str:
        return self._listening.number

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        return await anext(self._events)

    async def close(self) -> None:
        await self._events.aclose()

    async def __aenter__(self) -> AsyncEvents:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()


class AsyncAnswer(FollowedAnswer):
    """An answer that is being written: ``async for`` gives its text piece by piece, and ``usage`` is known at
    the end. Raises ``AnswerFailed`` where the model failed."""

    def __init__(self, client: AsyncClient, answer: Message, question: Message | None = None) -> None:
        super().__init__(answer, question)
        self._client = client

    async def __aiter__(self) -> AsyncIterator[str]:
        async with AsyncEvents(self._client, self.listening()) as events:
            while not self.is_given:
                piece = self.piece_of(await anext(events))
                if self.is_to_be_read:
                    piece += self.piece_of_message(await self._client.run(message(self.message.id)))
                if piece:
                    yield piece
        self.check_end()

    async def stop(self) -> None:
        """Stop the model. The text so far stays."""
        await self._client.run(self.stopping())
