"""The synchronous client of the local service."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
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
_Exchange = Callable[[requests.Request[Any]], httpx2.Response]


class Answer(Following):
    """An answer that is being written: a ``for`` loop gives its text piece by piece, and ``usage`` is known at
    the end. Raises ``AnswerFailed`` where the model failed."""

    def __init__(self, exchange: _Exchange, stop: Callable[[str], None], asked: Asked) -> None:
        super().__init__(asked)
        self._exchange = exchange
        self._stop = stop

    def __iter__(self) -> Iterator[str]:
        while True:
            response = self._exchange(self.next_request())
            piece = self.piece_of(response)
            if piece:
                yield piece
            if self.message.is_final:
                self.check_end()
                return
            time.sleep(self.wait_s)

    def stop(self) -> None:
        """Stop the model; what was written is kept."""
        self._stop(self.message.thread_id)


class Client:
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
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._given = (url, token, data_dir)
        self._place = find_place(url, token, data_dir=data_dir)
        self._retries = retries or Retries()
        self._http = httpx2.Client(trust_env=False, timeout=timeout_s, transport=transport)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    # The service

    def ready(self) -> Ready:
        return self._run(requests.ready())

    def version(self) -> str:
        return self._run(requests.version())

    # Projects

    def projects(self) -> tuple[Project, ...]:
        return self._run(requests.projects())

    def project(self, project_id: str) -> Project:
        return self._run(requests.project(project_id))

    def make_project(self, name: str, *, colour: str | None = None, key: str = "") -> Project:
        return self._run(requests.make_project(name, colour, key))

    def change_project(self, project_id: str, *, if_match: str = "", **change: Any) -> Project:
        """Change ``name``, ``colour`` or ``archived``, one at a time."""
        return self._run(requests.change_project(project_id, change, if_match))

    def delete_project(self, project_id: str) -> None:
        """Move a project to the trash."""
        self._run(requests.delete_project(project_id))

    # Threads

    def threads(
        self,
        project_id: str | None = None,
        *,
        scope: Literal["active", "archive", "trash"] = "active",
        title: str = "",
        page_size: int = 50,
    ) -> Iterator[Thread]:
        """Iterate over a list of threads, the last used first, page by page as they are wanted."""
        cursor: str | None = None
        while True:
            page: ThreadPage = self._run(requests.threads(project_id, scope, title, limit=page_size, cursor=cursor))
            yield from page.threads
            cursor = page.next_cursor
            if cursor is None:
                return

    def thread(self, thread_id: str) -> Thread:
        return self._run(requests.thread(thread_id))

    def make_thread(
        self,
        title: str = "",
        *,
        project_id: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        key: str = "",
    ) -> Thread:
        """Make a thread. With a ``key`` of yours it is made once, also by another run of your program."""
        return self._run(requests.make_thread(title, project_id, provider, model, key=key))

    def change_thread(self, thread_id: str, *, if_match: str = "", **change: Any) -> Thread:
        """Change ``title``, ``archived``, ``pinned`` or ``project_id``, one at a time."""
        return self._run(requests.change_thread(thread_id, change, if_match))

    def delete_thread(self, thread_id: str) -> None:
        """Move a thread to the trash."""
        self._run(requests.delete_thread(thread_id))

    # Messages

    def messages(
        self,
        thread_id: str,
        *,
        limit: int = 50,
        before: str | None = None,
        after: str | None = None,
        around: str | None = None,
    ) -> MessagePage:
        """Return a page of a thread, oldest first; the newest page where no place is named."""
        return self._run(requests.messages(thread_id, limit=limit, before=before, after=after, around=around))

    def history(self, thread_id: str, *, page_size: int = 100) -> Iterator[Message]:
        """Iterate over a whole thread, the newest message first."""
        before: str | None = None
        while True:
            page: MessagePage = self._run(requests.messages(thread_id, limit=page_size, before=before))
            yield from reversed(page.messages)
            if not page.has_older or not page.messages:
                return
            before = page.messages[0].id

    def message(self, message_id: str) -> Message:
        return self._run(requests.message(message_id))

    def versions(self, message_id: str) -> tuple[Message, ...]:
        return self._run(requests.versions(message_id))

    def ask(
        self,
        thread_id: str,
        text: str,
        *,
        parent_id: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        key: str = "",
    ) -> Answer:
        """Ask a question. It is stored when this returns; iterate over the answer to follow it."""
        asked = self._run(requests.ask(thread_id, text, parent_id=parent_id, provider=provider, model=model, key=key))
        return Answer(self._exchange, self.stop, asked)

    def note(self, thread_id: str, text: str, *, key: str = "") -> Message:
        """Write a note, which nobody answers."""
        return self._run(requests.note(thread_id, text, key))

    def stop(self, thread_id: str) -> None:
        """Stop the answers that are being written in a thread."""
        self._run(requests.stop(thread_id))

    # Sending

    def _exchange(self, request: requests.Request[Any]) -> httpx2.Response:
        """Send a request, again where that is safe, and return a response that is no refusal."""
        number = 0
        while True:
            number += 1
            try:
                return self._sent(request)
            except (Problem, Unreachable) as error:
                wait_s = self._retries.wait_s(number, error)
                if wait_s is None and not (number == 1 and isinstance(error, BadToken)):
                    raise
                is_new = self._find_again(error)
                if wait_s is None and not is_new:
                    raise
                time.sleep(wait_s or 0)

    def _run(self, request: requests.Request[T]) -> T:
        return request.result_of(self._exchange(request))

    def _sent(self, request: requests.Request[Any]) -> httpx2.Response:
        try:
            response = self._http.send(request.sent_to(self._place))
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
