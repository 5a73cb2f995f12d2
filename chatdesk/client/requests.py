"""Describes each request once, for both clients: what is sent, and how the answer is read. Nothing here waits."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

import httpx2

from chatdesk.client import forms
from chatdesk.client.errors import ServiceFailed, problem_of
from chatdesk.client.forms import Asked, Message, MessagePage, Project, Ready, Thread, ThreadPage
from chatdesk.client.place import Place

T = TypeVar("T")

_API: Final = "/api/v1"


@dataclass(frozen=True, slots=True)
class Request(Generic[T]):
    """One request, which may be sent several times. ``key`` makes a write happen once however often it is sent."""

    method: str
    path: str
    read: Callable[[Any], T]
    query: Mapping[str, str | int] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    key: str = ""
    if_match: str = ""
    if_none_match: str = ""

    def sent_to(self, place: Place) -> httpx2.Request:
        """Return what goes over the wire."""
        headers = {"authorization": f"Bearer {place.token}", "accept": "application/json"}
        for name, value in (
            ("idempotency-key", self.key),
            ("if-match", self.if_match),
            ("if-none-match", self.if_none_match),
        ):
            if value:
                headers[name] = value
        return httpx2.Request(
            self.method, place.url + self.path, params=dict(self.query), json=self.body, headers=headers
        )

    def result_of(self, response: httpx2.Response) -> T:
        """Return what a response says. Raises the ``Problem`` that it is."""
        body: Any = None
        if response.content:
            try:
                body = json.loads(response.content)
            except (ValueError, RecursionError):
                body = None
        if not response.is_success:
            raise problem_of(response.status_code, body, response.headers.get("retry-after", ""))
        if isinstance(body, dict):
            body["etag"] = response.headers.get("etag", "")
        try:
            return self.read(body)
        except (ValueError, LookupError, TypeError) as error:
            raise ServiceFailed(response.status_code, {"detail": "The answer is not one of ChatDesk's."}) from error


def _nothing(_body: Any) -> None:
    return None


def _form(form: type[T]) -> Callable[[Any], T]:
    return partial(forms.read, form)


def _write(
    method: str, path: str, read: Callable[[Any], T], body: Mapping[str, Any], *, key: str = "", if_match: str = ""
) -> Request[T]:
    """Return a write with a key of its own, unless it has one; fields that are None are left to the service."""
    given = {name: value for name, value in body.items() if value is not None}
    return Request(method, _API + path, read, body=given, key=key or str(uuid.uuid4()), if_match=if_match)


def _in(kind: str, id_: str, rest: str = "") -> str:
    return f"/{kind}/{quote(id_, safe='')}{rest}"


def ready() -> Request[Ready]:
    return Request("GET", "/health/ready", _form(Ready))


def version() -> Request[str]:
    return Request("GET", f"{_API}/version", lambda body: str(body["version"]))


def projects() -> Request[tuple[Project, ...]]:
    return Request("GET", f"{_API}/projects", forms.listed(Project, "projects"))


def project(project_id: str) -> Request[Project]:
    return Request("GET", _API + _in("projects", project_id), _form(Project))


def make_project(name: str, colour: str | None, key: str) -> Request[Project]:
    return _write("POST", "/projects", _form(Project), {"name": name, "colour": colour}, key=key)


def change_project(project_id: str, change: Mapping[str, Any], if_match: str) -> Request[Project]:
    return _write("PATCH", _in("projects", project_id), _form(Project), change, if_match=if_match)


def delete_project(project_id: str) -> Request[None]:
    return Request("DELETE", _API + _in("projects", project_id), _nothing)


def threads(
    project_id: str | None, scope: str, title: str, *, limit: int, cursor: str | None = None
) -> Request[ThreadPage]:
    query: dict[str, str | int] = {"scope": scope, "limit": limit}
    query |= {
        name: value for name, value in (("project_id", project_id), ("title", title), ("cursor", cursor)) if value
    }
    return Request("GET", f"{_API}/threads", _form(ThreadPage), query)


def thread(thread_id: str) -> Request[Thread]:
    return Request("GET", _API + _in("threads", thread_id), _form(Thread))


def make_thread(
    title: str, project_id: str | None, provider: str | None, model: str | None, *, key: str
) -> Request[Thread]:
    body = {"title": title, "project_id": project_id, "provider": provider, "model": model}
    return _write("POST", "/threads", _form(Thread), body, key=key)


def change_thread(thread_id: str, change: Mapping[str, Any], if_match: str) -> Request[Thread]:
    return _write("PATCH", _in("threads", thread_id), _form(Thread), change, if_match=if_match)


def delete_thread(thread_id: str) -> Request[None]:
    return Request("DELETE", _API + _in("threads", thread_id), _nothing)


def messages(
    thread_id: str, *, limit: int, before: str | None = None, after: str | None = None, around: str | None = None
) -> Request[MessagePage]:
    query: dict[str, str | int] = {"limit": limit}
    query |= {
        name: value for name, value in (("before", before), ("after", after), ("around", around)) if value is not None
    }
    return Request("GET", _API + _in("threads", thread_id, "/messages"), _form(MessagePage), query)


def message(message_id: str, if_none_match: str = "") -> Request[Message]:
    return Request("GET", _API + _in("messages", message_id), _form(Message), if_none_match=if_none_match)


def versions(message_id: str) -> Request[tuple[Message, ...]]:
    return Request("GET", _API + _in("messages", message_id, "/versions"), forms.listed(Message, "versions"))


def ask(
    thread_id: str, text: str, *, parent_id: str | None, provider: str | None, model: str | None, key: str
) -> Request[Asked]:
    body = {"text": text, "parent_id": parent_id, "provider": provider, "model": model}
    return _write("POST", _in("threads", thread_id, "/messages"), _form(Asked), body, key=key)


def note(thread_id: str, text: str, key: str) -> Request[Message]:
    return _write("POST", _in("threads", thread_id, "/notes"), _form(Message), {"text": text}, key=key)


def stop(thread_id: str) -> Request[None]:
    """Return the request that stops answers; it may be repeated as it is, so it has no key."""
    return Request("POST", _API + _in("threads", thread_id, "/stop"), _nothing)
