"""Requests has a method for each request of the service, for both clients."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

from chatdesk.client import chat_requests, library_requests
from chatdesk.client.request import Request

P = ParamSpec("P")
T = TypeVar("T")


class _Method(Generic[P, T]):
    """Tells a type checker the parameters and result of a method; the client decides whether its result is awaited."""

    @overload
    def __get__(self, client: SyncRequests, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: AsyncRequests, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(self, client: None, owner: type) -> Callable[..., Any]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        raise NotImplementedError


def _method(request: Callable[P, Request[T]]) -> _Method[P, T]:
    """Return the method that sends a request, with the parameters and the documentation of that."""

    @functools.wraps(request)
    def method(client: Any, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        return client.run(request(*args, **kwargs))

    client = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    parameters = inspect.signature(request).parameters.values()
    method.__signature__ = inspect.Signature((client, *parameters))  # type: ignore[attr-defined]
    return cast("_Method[P, T]", method)


class Requests:
    """The requests of the service as methods."""

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

    # Files of projects

    project_files = _method(library_requests.project_files)
    search_project_files = _method(library_requests.search_project_files)

    # Tags and search

    tags = _method(library_requests.tags)
    rename_tag = _method(library_requests.rename_tag)
    delete_tag = _method(library_requests.delete_tag)
    search = _method(library_requests.search)
    prompts = _method(library_requests.prompts)
    prompt = _method(library_requests.prompt)
    make_prompt = _method(library_requests.make_prompt)
    replace_prompt = _method(library_requests.replace_prompt)
    delete_prompt = _method(library_requests.delete_prompt)
    memories = _method(library_requests.memories)
    memory = _method(library_requests.memory)
    remember = _method(library_requests.remember)
    replace_memory = _method(library_requests.replace_memory)
    delete_memory = _method(library_requests.delete_memory)
    models = _method(library_requests.models)
    computers = _method(library_requests.computers)

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


class SyncRequests(Requests):
    """The requests of a client that waits."""


class AsyncRequests(Requests):
    """The requests of a client that is awaited."""
