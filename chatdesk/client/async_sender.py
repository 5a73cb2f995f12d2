"""Sends the requests of the asynchronous client, again where that is safe, and follows what happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from types import TracebackType
from typing import Any, TypeVar

import httpx2

from chatdesk.client.chat_requests import message
from chatdesk.client.errors import Problem, Unreachable
from chatdesk.client.events import Event
from chatdesk.client.following import FollowedAnswer
from chatdesk.client.forms import Message
from chatdesk.client.listening import SILENCE_S, Listening, SentFrames, Way, frame_of, has_websockets
from chatdesk.client.request import Request
from chatdesk.client.target import Target, check_refusal, error_of, lost

T = TypeVar("T")


class AsyncSender:
    """The connections of one client to its service."""

    def __init__(self, target: Target, *, timeout_s: float, transport: httpx2.AsyncBaseTransport | None) -> None:
        self._target = target
        self._timeout_s = timeout_s
        self._has_sockets = transport is None and has_websockets()
        self._http = httpx2.AsyncClient(trust_env=False, timeout=timeout_s, transport=transport)

    async def close(self) -> None:
        await self._http.aclose()

    async def run(self, request: Request[T]) -> T:
        """Send a request, again where that is safe, and return its result."""
        number = 0
        while True:
            number += 1
            try:
                return request.result_of(await self._sent(request))
            except (Problem, Unreachable) as error:
                await asyncio.sleep(self._target.wait_s(number, error))

    async def events(self, listening: Listening, way: Way) -> AsyncGenerator[Event, None]:
        """Iterate over what happens, over one connection after the other."""
        number = 0
        while True:
            number += 1
            try:
                async with aclosing(self._frames(listening, way)) as frames:
                    async for frame in frames:
                        number = 0
                        for event in listening.events_of(frame):
                            yield event
                raise Unreachable("The local service ended.")
            except (Problem, Unreachable) as error:
                await asyncio.sleep(self._target.wait_s(max(number, 1), error, is_following=True))

    async def _frames(self, listening: Listening, way: Way) -> AsyncGenerator[Any, None]:
        if way == "websocket" and self._has_sockets:
            from websockets.exceptions import InvalidHandshake

            try:
                async with aclosing(self._frames_of_socket(listening)) as frames:
                    async for frame in frames:
                        yield frame
            except InvalidHandshake:
                pass  # it is refused on the way to the service, or by that, which says why below
            else:
                return
        async with aclosing(self._sent_frames(listening)) as frames:
            async for frame in frames:
                yield frame

    async def _frames_of_socket(self, listening: Listening) -> AsyncGenerator[Any, None]:
        from websockets.asyncio.client import connect
        from websockets.exceptions import ConnectionClosed

        try:
            async with connect(**listening.socket_options(self._target.place, timeout_s=self._timeout_s)) as socket:
                while True:
                    async with asyncio.timeout(SILENCE_S):
                        data = await socket.recv()
                    yield frame_of(data)
        except (ConnectionClosed, OSError) as error:
            raise lost(error) from error

    async def _sent_frames(self, listening: Listening) -> AsyncGenerator[Any, None]:
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
        """Return a response that is no refusal; of one that is followed the content is still to be read."""
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

    def __init__(self, sender: AsyncSender, listening: Listening, way: Way) -> None:
        self._listening = listening
        self._events = sender.events(listening, way)

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

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()


class AsyncAnswer(FollowedAnswer):
    """An answer that is being written: ``async for`` gives its text piece by piece, and ``usage`` is known at
    the end. Raises ``AnswerFailed`` where the model failed."""

    def __init__(self, sender: AsyncSender, answer: Message, question: Message | None = None) -> None:
        super().__init__(answer, question)
        self._sender = sender

    async def __aiter__(self) -> AsyncIterator[str]:
        async with AsyncEvents(self._sender, self.listening(), "sse") as events:
            while not self.is_given:
                piece = self.piece_of(await anext(events))
                if self.is_to_be_read:
                    piece += self.piece_of_message(await self._sender.run(message(self.message.id)))
                if piece:
                    yield piece
        self.check_end()

    async def stop(self) -> None:
        """Stop the model; what was written is kept."""
        await self._sender.run(self.stopping())
