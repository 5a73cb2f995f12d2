"""The synchronous client of the local service."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Concatenate, Literal, ParamSpec, TypeVar

import httpx2

from chatdesk.client import chat_requests, library_requests
from chatdesk.client.forms import Attachment, Message, Thread
from chatdesk.client.listening import Listening, Way
from chatdesk.client.policy import Retries
from chatdesk.client.request import Request
from chatdesk.client.sender import Answer, Events, Sender
from chatdesk.client.target import Target

P = ParamSpec("P")
T = TypeVar("T")


def _method(request: Callable[P, Request[T]]) -> Callable[Concatenate[Client, P], T]:
    """Return the method that sends a request, with the parameters and the documentation of that."""

    @functools.wraps(request)
    def method(client: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return client._sender.run(request(*args, **kwargs))

    client = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    parameters = inspect.signature(request).parameters.values()
    method.__signature__ = inspect.Signature((client, *parameters))  # type: ignore[attr-defined]
    return method


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
        target = Target(url, token, data_dir, retries)
        self._sender = Sender(target, timeout_s=timeout_s, transport=transport)

    def close(self) -> None:
        self._sender.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
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
        return Answer(self._sender, asked.answer, asked.question)

    def follow(self, answer: Message) -> Answer:
        """Follow an answer that is being written, such as that of ``regenerate``."""
        return Answer(self._sender, answer)

    def events(self, thread_id: str | None = None, *, after: str = "", way: Way = "websocket") -> Events:
        """Follow what happens, in one thread or in all, ``after`` the ``number`` where you were. Where WebSockets
        do not get through, or the package websockets is not there, this takes server-sent events."""
        return Events(self._sender, Listening(thread_id, after), way)

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

    # The service

    is_up = _method(chat_requests.is_up)
    ready = _method(chat_requests.ready)
    version = _method(chat_requests.version)
    openapi = _method(chat_requests.openapi)

    # Projects

    projects = _method(chat_requests.projects)
    project = _method(chat_requests.project)
    make_project = _method(chat_requests.make_project)
    change_project = _method(chat_requests.change_project)
    delete_project = _method(chat_requests.delete_project)

    # Threads

    thread_page = _method(chat_requests.thread_page)
    thread = _method(chat_requests.thread)
    make_thread = _method(chat_requests.make_thread)
    change_thread = _method(chat_requests.change_thread)
    delete_thread = _method(chat_requests.delete_thread)
    tag_thread = _method(chat_requests.tag_thread)
    show_typing = _method(chat_requests.show_typing)
    draft = _method(chat_requests.draft)
    save_draft = _method(chat_requests.save_draft)
    forget_draft = _method(chat_requests.forget_draft)

    # Messages

    messages = _method(chat_requests.messages)
    message = _method(chat_requests.message)
    versions = _method(chat_requests.versions)
    send_question = _method(chat_requests.send_question)
    note = _method(chat_requests.note)
    edit = _method(chat_requests.edit)
    regenerate = _method(chat_requests.regenerate)
    go_on = _method(chat_requests.go_on)
    select_version = _method(chat_requests.select_version)
    branch = _method(chat_requests.branch)
    delete_message = _method(chat_requests.delete_message)
    restore_message = _method(chat_requests.restore_message)
    stop = _method(chat_requests.stop)

    # Files

    send_file = _method(library_requests.send_file)
    file_of_message = _method(library_requests.file_of_message)

    # What all projects share

    tags = _method(library_requests.tags)
    rename_tag = _method(library_requests.rename_tag)
    delete_tag = _method(library_requests.delete_tag)
    search = _method(library_requests.search)
    prompts = _method(library_requests.prompts)
    prompt = _method(library_requests.prompt)
    make_prompt = _method(library_requests.make_prompt)
    replace_prompt = _method(library_requests.replace_prompt)
    delete_prompt = _method(library_requests.delete_prompt)
    models = _method(library_requests.models)

    # Summaries

    summaries = _method(library_requests.summaries)
    summarise = _method(library_requests.summarise)
    summary = _method(library_requests.summary)
    change_summary = _method(library_requests.change_summary)

    # Usage and limits

    usage = _method(library_requests.usage)
    limits = _method(library_requests.limits)
    replace_limits = _method(library_requests.replace_limits)

    # Jobs

    export = _method(library_requests.export)
    import_file = _method(library_requests.import_file)
    jobs = _method(library_requests.jobs)
    job = _method(library_requests.job)
    cancel_job = _method(library_requests.cancel_job)
    file_of_job = _method(library_requests.file_of_job)
