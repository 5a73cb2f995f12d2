"""Implements the synchronous client of the local service."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import Any, Literal, TypeVar

import httpx2

from chatdesk.client.chat_forms import Attachment, Message, Thread
from chatdesk.client.chat_requests import message
from chatdesk.client.errors import Problem, Unreachable
from chatdesk.client.events import Event
from chatdesk.client.following import FollowedAnswer
from chatdesk.client.listening import SILENCE_S, Listening, SentFrames
from chatdesk.client.methods import SyncRequests
from chatdesk.client.request import Request
from chatdesk.client.target import Retries, Target, check_refusal, error_of

T = TypeVar("T")


class Client(SyncRequests):
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
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._target = Target(url, token, data_dir, retries)
        self._timeout_s = timeout_s
        self._http = httpx2.Client(trust_env=False, timeout=timeout_s, transport=transport)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    # Answers and events

    def ask(
        self,
        thread_id: str,
        text: str,
        *,
        parent_id: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        attachments: Sequence[Attachment] = (),
        key: str = "",
    ) -> Answer:
        """Ask a question. It is stored when this returns; iterate over the answer to follow it."""
        asked = self.send_question(
            thread_id, text, parent_id=parent_id, provider=provider, model=model, attachments=attachments, key=key
        )
        return Answer(self, asked.answer, asked.question)

    def follow(self, answer: Message) -> Answer:
        """Follow an answer that is being written, such as that of ``regenerate``."""
        return Answer(self, answer)

    def events(self, thread_id: str | None = None, *, after: str = "") -> Events:
        """Follow what happens, in one thread or in all, ``after`` the ``number`` where you were."""
        return Events(self, Listening(thread_id, after))

    # Lists, page by page as they are wanted

    def threads(
        self,
        project_id: str | None = None,
        *,
        scope: Literal["active", "archive", "trash"] = "active",
        title: str = "",
        page_size: int = 50,
    ) -> Iterator[Thread]:
        """Iterate over a list of threads, the last used first."""
        cursor: str | None = None
        while True:
            page = self.thread_page(project_id, scope=scope, title=title, limit=page_size, cursor=cursor)
            yield from page.threads
            cursor = page.next_cursor
            if cursor is None:
                return

    def history(self, thread_id: str, *, page_size: int = 100) -> Iterator[Message]:
        """Iterate over a whole thread, the newest message first."""
        before: str | None = None
        while True:
            page = self.messages(thread_id, limit=page_size, before=before)
            yield from reversed(page.messages)
            if not page.has_older or not page.messages:
                return
            before = page.messages[0].id

    # Sending requests

    def run(self, request: Request[T]) -> T:
        """Send a request, again where that is safe, and return its result."""
        number = 0
        while True:
            number += 1
            try:
                return request.result_of(self._sent(request))
            except (Problem, Unreachable) as error:
                time.sleep(self._target.wait_s(number, error))

    def follow_events(self, listening: Listening) -> Generator[Event, None, None]:
        """Iterate over what happens, over one connection after the other."""
        number = 0
        while True:
            number += 1
            try:
                with closing(self._frames(listening)) as frames:
                    for frame in frames:
                        number = 0
                        yield from listening.events_of(frame)
                raise Unreachable("The local service ended.")
            except (Problem, Unreachable) as error:
                time.sleep(self._target.wait_s(max(number, 1), error, is_following=True))

    def _frames(self, listening: Listening) -> Generator[Any, None, None]:
        response = self._sent(listening.request(), is_followed=True)
        sent = SentFrames()
        with closing(response):
            try:
                for piece in response.iter_bytes():
                    yield from sent.feed(piece)
            except httpx2.HTTPError as error:
                raise error_of(error) from error

    def _sent(self, request: Request[Any], *, is_followed: bool = False) -> httpx2.Response:
        """Return a response that is not a refusal; the content of a stream is still to be read."""
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

    def __init__(self, client: Client, listening: Listening) -> None:
        self._listening = listening
        self._events = client.follow_events(listening)

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

    def __exit__(self, *_error: object) -> None:
        self.close()


class Answer(FollowedAnswer):
    """An answer that is being written: a ``for`` loop gives its text piece by piece, and ``usage`` is known at
    the end. Raises ``AnswerFailed`` where the model failed."""

    def __init__(self, client: Client, answer: Message, question: Message | None = None) -> None:
        super().__init__(answer, question)
        self._client = client

    def __iter__(self) -> Iterator[str]:
        with Events(self._client, self.listening()) as events:
            while not self.is_given:
                piece = self.piece_of(next(events))
                if self.is_to_be_read:
                    piece += self.piece_of_message(self._client.run(message(self.message.id)))
                if piece:
                    yield piece
        self.check_end()

    def stop(self) -> None:
        """Stop the model. The text so far stays."""
        self._client.run(self.stopping())
