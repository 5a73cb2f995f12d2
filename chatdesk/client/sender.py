"""Sends the requests of the synchronous client, again where that is safe, and follows what happens."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing
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


class Sender:
    """The connections of one client to its service."""

    def __init__(self, target: Target, *, timeout_s: float, transport: httpx2.BaseTransport | None) -> None:
        self._target = target
        self._timeout_s = timeout_s
        self._has_sockets = transport is None and has_websockets()
        self._http = httpx2.Client(trust_env=False, timeout=timeout_s, transport=transport)

    def close(self) -> None:
        self._http.close()

    def run(self, request: Request[T]) -> T:
        """Send a request, again where that is safe, and return its result."""
        number = 0
        while True:
            number += 1
            try:
                return request.result_of(self._sent(request))
            except (Problem, Unreachable) as error:
                time.sleep(self._target.wait_s(number, error))

    def events(self, listening: Listening, way: Way) -> Generator[Event, None, None]:
        """Iterate over what happens, over one connection after the other."""
        number = 0
        while True:
            number += 1
            try:
                with closing(self._frames(listening, way)) as frames:
                    for frame in frames:
                        number = 0
                        yield from listening.events_of(frame)
                raise Unreachable("The local service ended.")
            except (Problem, Unreachable) as error:
                time.sleep(self._target.wait_s(max(number, 1), error, is_following=True))

    def _frames(self, listening: Listening, way: Way) -> Generator[Any, None, None]:
        if way == "websocket" and self._has_sockets:
            from websockets.exceptions import InvalidHandshake

            try:
                yield from self._frames_of_socket(listening)
            except InvalidHandshake:
                pass  # it is refused on the way to the service, or by that, which says why below
            else:
                return
        yield from self._sent_frames(listening)

    def _frames_of_socket(self, listening: Listening) -> Generator[Any, None, None]:
        from websockets.exceptions import ConnectionClosed
        from websockets.sync.client import connect

        try:
            with connect(**listening.socket_options(self._target.place, timeout_s=self._timeout_s)) as socket:
                while True:
                    yield frame_of(socket.recv(timeout=SILENCE_S))
        except (ConnectionClosed, OSError) as error:
            raise lost(error) from error

    def _sent_frames(self, listening: Listening) -> Generator[Any, None, None]:
        response = self._sent(listening.request(), is_followed=True)
        sent = SentFrames()
        with closing(response):
            try:
                for piece in response.iter_bytes():
                    yield from sent.feed(piece)
            except httpx2.HTTPError as error:
                raise error_of(error) from error

    def _sent(self, request: Request[Any], *, is_followed: bool = False) -> httpx2.Response:
        """Return a response that is no refusal; of one that is followed the content is still to be read."""
        made = request.sent_to(self._target.place)
        if is_followed:
            made.extensions["timeout"] = httpx2.Timeout(self._timeout_s, read=SILENCE_S).as_dict()
        try:
            response = self._http.send(made, stream=is_followed)
            if is_followed and not response.is_success:
                response.read()
        except httpx2.HTTPError as error:
            raise error_of(error) from error
        check_refusal(request, response)
        return response


class Events:
    """Events as they happen: a ``for`` loop gives each event once, also over lost connections. ``number`` is for
    ``after`` of a later time; it is right once the events that came together were all taken. Used in a ``with``."""

    def __init__(self, sender: Sender, listening: Listening, way: Way) -> None:
        self._listening = listening
        self._events = sender.events(listening, way)

    @property
    def number(self) -> str:
        return self._listening.number

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        return next(self._events)

    def close(self) -> None:
        self._events.close()

    def __enter__(self) -> Events:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()


class Answer(FollowedAnswer):
    """An answer that is being written: a ``for`` loop gives its text piece by piece, and ``usage`` is known at
    the end. Raises ``AnswerFailed`` where the model failed."""

    def __init__(self, sender: Sender, answer: Message, question: Message | None = None) -> None:
        super().__init__(answer, question)
        self._sender = sender

    def __iter__(self) -> Iterator[str]:
        with Events(self._sender, self.listening(), "sse") as events:
            while not self.is_given:
                piece = self.piece_of(next(events))
                if self.is_to_be_read:
                    piece += self.piece_of_message(self._sender.run(message(self.message.id)))
                if piece:
                    yield piece
        self.check_end()

    def stop(self) -> None:
        """Stop the model; what was written is kept."""
        self._sender.run(self.stopping())
