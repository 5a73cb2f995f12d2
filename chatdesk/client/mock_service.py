"""A local service in memory, for the tests of programs that use the client: no ChatDesk, no model, no network.

It keeps what is written to it, answers with what the test says, and can fail on purpose.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

import httpx2

from chatdesk.client.async_client import AsyncClient
from chatdesk.client.client import Client
from chatdesk.client.mock_events import MockJournal, MockStream
from chatdesk.client.policy import Retries

URL: Final = "http://chatdesk.test"
TOKEN: Final = "cd_mock"  # noqa: S105 - of a service that is none
_NOW: Final = "2026-01-01T00:00:00.000Z"
_PIECES: Final = 3  # states in which an answer is seen before it ends
_FAST: Final = Retries(first_s=0.0)


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """One request that arrived."""

    method: str
    path: str
    key: str
    body: Mapping[str, Any]


class _Refused(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


class MockService:
    """A service for one test. ``answer`` turns a question into the text of its answer. ``seen`` has every request;
    ``fail_next`` makes the next ones fail, ``cut_events`` and ``restart`` end the connections that follow events."""

    def __init__(self, answer: Callable[[str], str] | str = "A mock answer.") -> None:
        self._answer = answer
        self._ids = itertools.count(1)
        self._failures: list[int | Exception] = []
        self._done: dict[str, tuple[int, Any]] = {}
        self._left: dict[str, int] = {}
        self._given: dict[tuple[str, str], tuple[int, Any]] = {}
        self._journal = MockJournal(self._go_on)
        self.seen: list[SeenRequest] = []
        self.projects: dict[str, dict[str, Any]] = {}
        self.threads: dict[str, dict[str, Any]] = {}
        self.messages: dict[str, list[dict[str, Any]]] = {}
        self._home = self._add_project({"name": "Personal"})["id"]

    @property
    def transport(self) -> httpx2.MockTransport:
        """The transport that a client takes instead of the network."""
        return httpx2.MockTransport(self._respond)

    def client(self) -> Client:
        return Client(URL, TOKEN, transport=self.transport, retries=_FAST)

    def async_client(self) -> AsyncClient:
        return AsyncClient(URL, TOKEN, transport=self.transport, retries=_FAST)

    def fail_next(self, *failures: int | Exception) -> None:
        """Answer the next requests with these: a status, or an error of httpx2 such as a lost connection, which comes
        after the request was carried out."""
        self._failures += failures

    def give(self, method: str, path: str, shown: Any, *, status: int = 200) -> None:
        """Answer requests that this service has no answer of its own for, such as GET /api/v1/tags."""
        self._given[method, path] = status, shown

    def cut_events(self) -> None:
        """End all connections that follow events, each in the middle of what comes next. Nothing is lost by that."""
        self._journal.cut()

    def restart(self) -> None:
        """Forget the events, as a new start of the service does: whoever followed them has to start over."""
        self._journal.forget()

    def _respond(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content) if request.content else {}
        key = request.headers.get("idempotency-key", "")
        seen = SeenRequest(request.method, request.url.path, key, body)
        self.seen.append(seen)
        failure = self._failures.pop(0) if self._failures else None
        if isinstance(failure, int):
            return _problem(failure, "mock_failure")
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _problem(401, "no_token")
        try:
            if key not in self._done or not key:
                query = dict(parse_qsl(request.url.query.decode()))
                self._done[key] = self._carry_out(seen, query)
        except _Refused as error:
            return _problem(error.status, error.code)
        if failure is not None:
            raise failure
        status, shown = self._done[key]
        if isinstance(shown, MockStream):
            return httpx2.Response(200, stream=shown, headers={"content-type": "text/event-stream"})
        content = b"" if status == 204 else json.dumps(shown).encode()
        etag = f'"{hash(content):x}"'
        return httpx2.Response(status, content=content, headers={"etag": etag, "content-type": "application/json"})

    def _carry_out(self, seen: SeenRequest, query: Mapping[str, str]) -> tuple[int, Any]:
        match [seen.method, *seen.path.removeprefix("/api/v1/").strip("/").split("/")]:
            case ["GET", "health", "ready"]:
                return 200, {"status": "ready", "database": True, "provider": True, "team": True, "disk": True}
            case ["GET", "health"]:
                return 200, {"status": "ok"}
            case ["GET", "events"]:
                return 200, self._journal.stream(query.get("thread_id"), query.get("after", ""), self._written)
            case ["GET", "version"]:
                return 200, {"version": "mock", "api": "v1"}
            case [_, "projects", *rest]:
                return self._in_projects(seen, rest)
            case [_, "threads", thread_id, "messages" | "notes" | "stop" | "typing" as what]:
                return self._in_thread(seen, _one(self.threads, thread_id), what, query)
            case [_, "threads", *rest]:
                return self._in_threads(seen, rest, query)
            case ["GET", "messages", message_id, *rest]:
                message = self._read(message_id)
                return 200, {"versions": [message]} if rest == ["versions"] else message
        if (seen.method, seen.path) in self._given:
            return self._given[seen.method, seen.path]
        raise _Refused(404, "unknown_path")

    def _in_projects(self, seen: SeenRequest, rest: list[str]) -> tuple[int, Any]:
        if not rest:
            if seen.method == "GET":
                return 200, {"projects": list(self.projects.values())}
            return 201, self._add_project(seen.body)
        project = _one(self.projects, rest[0])
        result = _changed(seen, project)
        if seen.method != "GET":
            self._journal.publish(
                "ProjectDeleted" if seen.method == "DELETE" else "ProjectChanged", None, project=project
            )
        return result

    def _in_threads(self, seen: SeenRequest, rest: list[str], query: Mapping[str, str]) -> tuple[int, Any]:
        if rest:
            thread = _one(self.threads, rest[0])
            result = _changed(seen, thread)
            if seen.method == "DELETE":
                self._journal.publish("ThreadDeleted", thread["id"], thread_id=thread["id"], is_purged=False)
            elif seen.method != "GET":
                self._journal.publish("ThreadChanged", thread["id"], thread=thread)
            return result
        if seen.method == "POST":
            return 201, self._add_thread(seen.body)
        project_id, begin, limit = query.get("project_id"), int(query.get("cursor", 0)), int(query["limit"])
        found = [
            each
            for each in reversed(self.threads.values())
            if project_id in (None, each["project_id"]) and query.get("title", "").lower() in each["title"].lower()
            if _scope_of(each) == query["scope"]
        ]
        more = str(begin + limit) if len(found) > begin + limit else None
        return 200, {"threads": found[begin : begin + limit], "next_cursor": more}

    def _in_thread(
        self, seen: SeenRequest, thread: dict[str, Any], what: str, query: Mapping[str, str]
    ) -> tuple[int, Any]:
        path = self.messages[thread["id"]]
        if what == "typing":
            return 204, None
        if what == "stop":
            for each in path:
                if self._left.pop(each["id"], None) is not None:
                    each["status"] = "stopped"
                    self._journal.publish("AnswerFinished", thread["id"], message=each)
            return 204, None
        if seen.method == "GET":
            return 200, _page(path, query)
        text = str(seen.body.get("text", ""))
        if not text:
            raise _Refused(422, "invalid_request")
        question = self._add_message(thread, "user", text, "complete")
        if what == "notes":
            return 201, question
        answer = self._add_message(thread, "assistant", "", "pending")
        self._left[answer["id"]] = _PIECES
        self._journal.publish("TurnStarted", thread["id"], thread_id=thread["id"], message_id=answer["id"])
        return 201, {"question": question, "answer": dict(answer)}

    def _written(self) -> list[dict[str, Any]]:
        return [message for path in self.messages.values() for message in path if message["id"] in self._left]

    def _read(self, message_id: str) -> dict[str, Any]:
        """Return a message; an answer that is being written goes on each time that it is read."""
        found = next((each for path in self.messages.values() for each in path if each["id"] == message_id), None)
        if found is None:
            raise _Refused(404, "message_not_found")
        if message_id in self._left:
            self._write_on(found)
        return dict(found)

    def _go_on(self) -> None:
        for message in self._written()[:1]:
            self._write_on(message)

    def _write_on(self, message: dict[str, Any]) -> None:
        id_, thread_id = message["id"], message["thread_id"]
        question = self.messages[thread_id][message["position"] - 1]["parts"][0]["text"]
        whole = self._answer if isinstance(self._answer, str) else self._answer(question)
        self._left[id_] -= 1
        left = self._left[id_]
        shown = len(message["parts"][0]["text"]) if message["parts"] else 0
        text = whole[: len(whole) * (_PIECES - left) // _PIECES]
        message["parts"] = [{"id": f"{id_}-1", "type": "text", "text": text}]
        message["status"] = "streaming"
        where = {"thread_id": thread_id, "message_id": id_}
        self._journal.publish("TextStreamed", thread_id, **where, part_index=0, kind="text", delta=text[shown:])
        if not left:
            del self._left[id_]
            message["status"] = "complete"
            message["usage"] = {"input_tokens": len(question.split()), "output_tokens": len(whole.split())}
            self._journal.publish("AnswerFinished", thread_id, message=message)

    def _add_project(self, body: Mapping[str, Any]) -> dict[str, Any]:
        made = {"id": f"project-{next(self._ids)}", "created_at": _NOW, **body}
        self.projects[made["id"]] = made
        self._journal.publish("ProjectCreated", None, project=made)
        return made

    def _add_thread(self, body: Mapping[str, Any]) -> dict[str, Any]:
        times = {"created_at": _NOW, "last_activity_at": _NOW}
        made = {"id": f"thread-{next(self._ids)}", "project_id": self._home, "title": "", **times, **body}
        _one(self.projects, made["project_id"])
        self.threads[made["id"]] = made
        self.messages[made["id"]] = []
        self._journal.publish("ThreadCreated", made["id"], thread=made)
        return made

    def _add_message(self, thread: dict[str, Any], role: str, text: str, status: str) -> dict[str, Any]:
        path = self.messages[thread["id"]]
        made: dict[str, Any] = {
            "id": f"message-{next(self._ids)}",
            "thread_id": thread["id"],
            "parent_id": path[-1]["id"] if path else None,
            "role": role,
            "status": status,
            "created_at": _NOW,
            "position": len(path),
            "usage": {},
        }
        made["parts"] = [{"id": f"{made['id']}-1", "type": "text", "text": text}] if text else []
        path.append(made)
        thread["message_count"] = len(path)
        self._journal.publish("MessageAdded", thread["id"], message=made)
        return made


def _changed(seen: SeenRequest, thing: dict[str, Any]) -> tuple[int, Any]:
    """Read, change or delete one thing."""
    if seen.method == "DELETE":
        thing["deleted_at"] = thing.get("deleted_at") or _NOW
        return 204, None
    if seen.method == "PATCH":
        if len(seen.body) != 1:
            raise _Refused(422, "invalid_request")
        ((name, value),) = seen.body.items()
        if name in ("archived", "pinned"):
            name, value = f"{name}_at", _NOW if value else None
        thing[name] = value
    return 200, dict(thing)


def _page(path: list[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    ids = [each["id"] for each in path]
    limit = int(query["limit"])
    begin, end = 0, len(path)
    if "before" in query:
        end = ids.index(query["before"])
    if "after" in query:
        begin = ids.index(query["after"]) + 1
        end = min(end, begin + limit)
    elif "around" in query:
        begin = max(0, ids.index(query["around"]) - limit // 2)
        end = min(end, begin + limit)
    begin = max(begin, end - limit)
    return {"messages": path[begin:end], "has_older": begin > 0, "has_newer": end < len(path), "total": len(path)}


def _scope_of(thread: Mapping[str, Any]) -> str:
    if thread.get("deleted_at"):
        return "trash"
    return "archive" if thread.get("archived_at") else "active"


def _one(things: dict[str, dict[str, Any]], id_: str) -> dict[str, Any]:
    if id_ not in things:
        raise _Refused(404, "not_found")
    return things[id_]


def _problem(status: int, code: str) -> httpx2.Response:
    body = {"code": code, "title": code, "detail": f"The mock service refuses: {code}.", "status": status}
    return httpx2.Response(status, json=body, headers={"content-type": "application/problem+json"})
