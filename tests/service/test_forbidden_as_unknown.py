"""What a token may not reach is answered as what is not there: by WebSocket, MCP, OpenAI's protocols and exports.

Each field that names a thread, a message, a project or a job is tried with each kind of thing that is out of reach, and
with an id that nobody has. What REST tells of files is in ``test_named_files.py``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx2
from mcp import Client

from chatdesk.core.ids import new_id
from chatdesk.service.caller import Scope
from chatdesk.service.live.operations import OPERATIONS
from chatdesk.service.mcp_protocol.tools import TOOLS
from tests.helpers.assistants import assistant
from tests.helpers.live_events import LiveClient, live_client
from tests.helpers.local_service import ServedWorld, served_world

V1: Final = "/api/v1"
FILE: Final = {"content-type": "application/octet-stream"}
# What a value of another kind than an id is in a request that is right but for the id.
VALUES: Final[dict[str, object]] = {"text": "x", "query": "x", "question": "x", "is_typing": True}
IDS: Final = {
    "thread_id": "thread",
    "message_id": "message",
    "parent_id": "message",
    "before": "message",
    "after": "message",
    "around": "message",
    "project_id": "project",
}

Tried = Callable[[str], Awaitable[object]]


class _Desk:
    """A service with a token for one of two projects. ``own`` and ``foreign`` have an id of each kind, in and out of
    its reach; ``foreign`` several."""

    def __init__(self, world: ServedWorld) -> None:
        self.world = world
        self.own: dict[str, str] = {}
        self.foreign: dict[str, list[str]] = {}
        self.token = self.sha256 = ""

    async def lay(self) -> None:
        http = self.world.http
        sent = await http.post(f"{V1}/attachments?name=f.txt", content=b"a file", headers=FILE)
        self.sha256 = sent.json()["sha256"]
        for name in ("Work", "Home"):
            project = (await http.post(f"{V1}/projects", json={"name": name})).json()["id"]
            threads, messages = [], []
            for _ in range(2):
                thread = (await http.post(f"{V1}/threads", json={"project_id": project})).json()["id"]
                body = {"text": name, "attachments": [sent.json()]}
                asked = await http.post(f"{V1}/threads/{thread}/messages", json=body)
                assert asked.status_code == 201, asked.text
                threads.append(thread)
                messages.append([asked.json()["question"]["id"], asked.json()["answer"]["id"]])
            await self.world.services.chat.turns.wait_for_all()
            exported = await self._job(http, {"format": "json", "thread_ids": threads[:1]})
            if name == "Work":
                self.own = {"project": project, "thread": threads[0], "message": messages[0][0]}
                self.own |= {"answer": messages[0][1]}
                continue
            # Of what was deleted, too.
            assert (await http.delete(f"{V1}/messages/{messages[0][1]}")).status_code == 204
            assert (await http.delete(f"{V1}/threads/{threads[1]}")).status_code == 204
            self.foreign = {"project": [project], "thread": threads, "message": [*messages[0], *messages[1]]}
            self.foreign |= {"answer": [messages[0][1], messages[1][1]], "job": [exported]}
        self.token = self.world.token(scopes=tuple(Scope), projects=[self.own["project"]])

    async def _job(self, http: httpx2.AsyncClient, wanted: dict[str, Any]) -> str:
        job = str((await http.post(f"{V1}/exports", json=wanted)).json()["id"])
        while (await http.get(f"{V1}/jobs/{job}")).json()["state"] == "running":
            pass
        return job

    async def assert_alike(self, door: str, kind: str, tried: Tried) -> None:
        """All that is told of each id that is out of reach is what is told of one that nobody has."""
        nowhere = new_id()
        wanted = _without(await tried(nowhere), nowhere)
        for each in self.foreign[kind]:
            assert _without(await tried(each), each) == wanted, (door, kind)


@asynccontextmanager
async def _desk(tmp_path: Path) -> AsyncIterator[_Desk]:
    async with served_world(tmp_path) as world:
        desk = _Desk(world)
        await desk.lay()
        yield desk


def _without(told: object, asked_for: str) -> str:
    """What is told, without the id that the caller named, and numbers of requests."""
    words = json.dumps(told, default=str).replace(asked_for, "ID")
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,32}", "N", words)


def _given(form: Any, own: dict[str, str]) -> dict[str, Any]:
    """A request that is right: with what has to be given, and own ids."""
    given: dict[str, Any] = {}
    for each in dataclasses.fields(form):
        if each.name not in ("op", "id") and each.default is dataclasses.MISSING:
            given[each.name] = own[IDS[each.name]] if each.name in IDS else VALUES[each.name]
    return given


def _named_in(form: Any) -> list[str]:
    return [each.name for each in dataclasses.fields(form) if each.name in IDS]


def test_each_field_that_names_something_is_tried() -> None:
    """A new one that ends so has to be of a known kind."""
    forms = [each.body for each in OPERATIONS.values()] + [each.takes for each in TOOLS]
    names = {each.name for form in forms for each in dataclasses.fields(form)}
    assert {each for each in names if each.endswith("_id")} <= set(IDS)


async def test_by_websocket(tmp_path: Path) -> None:
    async with _desk(tmp_path) as desk, live_client(desk.world, token=desk.token) as client:
        for name, operation in OPERATIONS.items():
            given = _given(operation.body, desk.own)
            for field in _named_in(operation.body):
                await desk.assert_alike(f"{name} {field}", IDS[field], _operation(client, name, given, field))


def _operation(client: LiveClient, name: str, given: dict[str, Any], field: str) -> Tried:
    async def tried(value: str) -> object:
        told = await client.do(name, **given | {field: value}, id="same")
        assert told["type"] != "ACK", (name, field)
        return told

    return tried


async def test_by_the_model_context_protocol(tmp_path: Path) -> None:
    async with _desk(tmp_path) as desk, assistant(desk.world, desk.token) as client:
        for tool in TOOLS:
            given = _given(tool.takes, desk.own)
            for field in _named_in(tool.takes):
                own = given | ({"thread_id": desk.own["thread"]} if field in ("before", "after", "around") else {})
                await desk.assert_alike(f"{tool.name} {field}", IDS[field], _tool(client, tool.name, own, field))
        await desk.assert_alike("resource", "thread", lambda each: _resource(client, f"chatdesk://threads/{each}"))
        place = f"chatdesk://threads/{desk.own['thread']}?before="
        await desk.assert_alike("resource before", "message", lambda each: _resource(client, place + each))


def _tool(client: Client, name: str, given: dict[str, Any], field: str) -> Tried:
    async def tried(value: str) -> object:
        told = await client.call_tool(name, given | {field: value})
        return told.is_error, told.structured_content, [getattr(each, "text", "") for each in told.content]

    return tried


async def _resource(client: Client, uri: str) -> object:
    try:
        return (await client.read_resource(uri)).contents
    except Exception as error:  # noqa: BLE001 - the package raises several
        return str(error)


async def test_by_the_protocols_of_openai(tmp_path: Path) -> None:
    async with _desk(tmp_path) as desk, desk.world.client(desk.token) as http:
        answers = {"model": "chatdesk", "input": "x"}
        completes = {"model": "chatdesk", "messages": [{"role": "user", "content": "x"}]}
        paths = {"/v1/responses": answers, "/v1/chat/completions": completes}
        for path, body in paths.items():
            for is_streamed in (False, True):
                wanted = body | {"stream": is_streamed}
                await desk.assert_alike(
                    path, "thread", lambda each, p=path, w=wanted: _posted(http, p, w, {"x-chatdesk-thread": each})
                )
                await desk.assert_alike(
                    path,
                    "thread",
                    lambda each, p=path, w=wanted: _posted(http, p, w | {"model": f"chatdesk/thread:{each}"}),
                )
        for kind in ("message", "answer"):
            for more in ({}, {"x-chatdesk-thread": desk.own["thread"]}):
                await desk.assert_alike(
                    "previous response",
                    kind,
                    lambda each, m=more: _posted(
                        http, "/v1/responses", answers | {"previous_response_id": f"resp_{each}"}, m
                    ),
                )


async def test_by_exports_and_their_files(tmp_path: Path) -> None:
    async with _desk(tmp_path) as desk, desk.world.client(desk.token) as http:
        for ids in ([], [desk.own["thread"]]):
            await desk.assert_alike(
                "export of threads",
                "thread",
                lambda each, i=ids: _posted(http, f"{V1}/exports", {"format": "json", "thread_ids": [*i, each]}),
            )
        await desk.assert_alike(
            "export of a project",
            "project",
            lambda each: _posted(http, f"{V1}/exports", {"format": "json", "project_id": each}),
        )
        for method, path in (("GET", ""), ("GET", "/file"), ("DELETE", "")):
            await desk.assert_alike("job", "job", lambda each, m=method, p=path: _asked(http, m, f"/jobs/{each}{p}"))
        nobodys = hashlib.sha256(b"nobody has this").hexdigest()
        for sha256 in (desk.sha256, nobodys):
            await desk.assert_alike(
                "file", "message", lambda each, s=sha256: _asked(http, "GET", f"/messages/{each}/attachments/{s}")
            )
        # And the file itself, in a message that is in reach.
        read = await http.get(f"{V1}/messages/{desk.own['message']}/attachments/{desk.sha256}")
        assert read.content == b"a file"


async def _posted(http: httpx2.AsyncClient, path: str, body: object, headers: dict[str, str] | None = None) -> object:
    told = await http.post(path, json=body, headers=headers or {})
    assert told.status_code >= 400, (path, told.text)
    return told.status_code, told.text


async def _asked(http: httpx2.AsyncClient, method: str, path: str) -> object:
    told = await http.request(method, V1 + path)
    assert told.status_code >= 400, (path, told.text)
    return told.status_code, told.text
