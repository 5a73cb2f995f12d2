"""A token names and fetches the files that it sent or may read, and no others; every other sum is the same answer."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from chatdesk.service.caller import Scope
from tests.helpers.local_service import ServedWorld, served_world

V1: Final = "/api/v1"
FILE: Final = {"content-type": "application/octet-stream"}
# Where the bytes are, and whether a token of the project "Work" may read them there.
PLACES: Final = {
    "own upload": True,
    "another token's upload": False,
    "the owner's upload": False,
    "message of the project": True,
    "draft of the project": True,
    "message of another project": False,
    "draft of another project": False,
    "deleted message of the project": False,
    "deleted thread of the project": False,
    "draft of a deleted thread": False,
    "assistant": False,
    "nowhere": False,
}
OF_ALL: Final = {"message of another project", "draft of another project", "assistant"}
DOORS: Final = ("note", "question", "draft", "assistant")
SCOPES: Final = {"all": tuple(Scope), "writing": (Scope.WRITE, Scope.ASK)}


class _Desk:
    """A service with two projects, and one file in each of the places."""

    def __init__(self, world: ServedWorld, project: str, other: str) -> None:
        self.world, self.project, self.other = world, project, other
        self.files: dict[str, dict[str, Any]] = {}

    async def thread(self, project: str) -> str:
        made = await self.world.http.post(f"{V1}/threads", json={"project_id": project})
        return str(made.json()["id"])

    async def lay(self, own: httpx2.AsyncClient, another: httpx2.AsyncClient) -> None:
        http = self.world.http
        senders = {"own upload": own, "another token's upload": another}
        for place in PLACES:
            if place == "nowhere":
                sha256 = hashlib.sha256(b"nowhere").hexdigest()
                self.files[place] = {"name": "f.txt", "mime": "text/plain", "sha256": sha256, "size_bytes": 7}
                continue
            sent = await senders.get(place, http).post(
                f"{V1}/attachments?name=f.txt", content=place.encode(), headers=FILE
            )
            assert sent.status_code == 201, sent.text
            self.files[place] = sent.json()
        for place in (each for each in PLACES if "message" in each or "thread of the project" in each):
            thread = await self.thread(self.other if "another" in place else self.project)
            body = {"text": place, "attachments": [self.files[place]]}
            noted = await http.post(f"{V1}/threads/{thread}/notes", json=body)
            if place.startswith("deleted"):
                path = f"messages/{noted.json()['id']}" if "message" in place else f"threads/{thread}"
                assert (await http.delete(f"{V1}/{path}")).status_code == 204
        for place in (each for each in PLACES if "draft" in each):
            thread = await self.thread(self.other if "another" in place else self.project)
            body = {"text": place, "attachments": [self.files[place]]}
            assert (await http.put(f"{V1}/threads/{thread}/draft", json=body)).status_code == 200
            if "deleted" in place:
                assert (await http.delete(f"{V1}/threads/{thread}")).status_code == 204
        setup = {"files": [self.files["assistant"]]}
        made = await http.post(f"{V1}/prompts", json={"kind": "assistant", "text": "x", "assistant": setup})
        assert made.status_code == 201, made.text

    async def note(self, project: str, place: str) -> str:
        """Write a note with the file of a place, and return its id."""
        body = {"text": "x", "attachments": [self.files[place]]}
        noted = await self.world.http.post(f"{V1}/threads/{await self.thread(project)}/notes", json=body)
        return str(noted.json()["id"])

    def path(self, message_id: str, place: str) -> str:
        return f"{V1}/messages/{message_id}/attachments/{self.files[place]['sha256']}"

    async def name(self, http: httpx2.AsyncClient, door: str, thread: str, file: dict[str, Any]) -> httpx2.Response:
        """Name a file in a request, under another name and of another kind than it is stored."""
        claimed = file | {"name": "other.html", "mime": "text/html", "size_bytes": 1}
        if door == "assistant":
            setup = {"kind": "assistant", "text": "x", "assistant": {"files": [claimed]}}
            return await http.post(f"{V1}/prompts", json=setup)
        body = {"text": "x", "attachments": [claimed]}
        if door == "draft":
            return await http.put(f"{V1}/threads/{thread}/draft", json=body)
        path = "notes" if door == "note" else "messages"
        return await http.post(f"{V1}/threads/{thread}/{path}", json=body)


def _attached(answer: dict[str, Any], door: str) -> dict[str, Any]:
    if door == "assistant":
        return dict(answer["assistant"]["files"][0])
    if door == "draft":
        return dict(answer["attachments"][0])
    message = answer["question"] if door == "question" else answer
    return next(dict(part["attachment"]) for part in message["parts"] if part["attachment"])


@pytest.mark.parametrize(("rights", "is_for_all"), list(itertools.product(SCOPES, (False, True))))
async def test_a_token_names_what_it_sent_or_may_read(tmp_path: Path, rights: str, is_for_all: bool) -> None:
    async with served_world(tmp_path) as world:
        project = (await world.http.post(f"{V1}/projects", json={"name": "Work"})).json()["id"]
        other = (await world.http.post(f"{V1}/projects", json={"name": "Home"})).json()["id"]
        desk, projects = _Desk(world, project, other), [] if is_for_all else [project]
        token = world.token(scopes=SCOPES[rights], projects=projects)
        another = world.token("another", scopes=SCOPES[rights], projects=projects)
        async with world.client(token) as http, world.client(another) as third:
            await desk.lay(http, third)
            refusals = set()
            for place, door in itertools.product(PLACES, DOORS):
                if door == "assistant" and not is_for_all:
                    continue
                may = PLACES[place] or (is_for_all and place in OF_ALL)
                if rights == "writing" and place != "own upload":
                    may = False
                file, cell = desk.files[place], (place, door, rights, is_for_all)
                found = await desk.name(http, door, await desk.thread(project), file)
                if not may:
                    refusals.add((found.status_code, found.json()["code"], found.json()["detail"]))
                    assert found.status_code == 422, cell
                    continue
                assert found.status_code in (200, 201), (cell, found.text)
                stored = _attached(found.json(), door)
                assert [stored[key] for key in ("name", "mime", "size_bytes")] == ["f.txt", "text/plain", len(place)]
            assert len(refusals) == 1, refusals


FETCHES: Final = {
    "whole": {},
    "part": {"range": "bytes=0-1"},
    "end": {"range": "bytes=-1"},
    "no part": {"range": "bytes=9999-"},
    "if changed": {"if-none-match": "*"},
    "packed": {"accept-encoding": "gzip"},
}
# What of an answer differs from one request to the next, whatever is asked for.
PASSING: Final = ("date", "x-request-id")


@pytest.mark.parametrize("is_for_all", [False, True])
async def test_a_file_that_a_token_may_not_read_is_fetched_as_one_that_is_not_there(
    tmp_path: Path, is_for_all: bool
) -> None:
    """Whole and in parts, by GET and HEAD: status, headers, length and words are those of a sum that nobody has."""
    async with served_world(tmp_path) as world:
        project = (await world.http.post(f"{V1}/projects", json={"name": "Work"})).json()["id"]
        other = (await world.http.post(f"{V1}/projects", json={"name": "Home"})).json()["id"]
        desk, projects = _Desk(world, project, other), [] if is_for_all else [project]
        token = world.token(scopes=SCOPES["all"], projects=projects)
        another = world.token("another", scopes=SCOPES["all"], projects=projects)
        async with world.client(token) as http, world.client(another) as third:
            await desk.lay(http, third)
            own = await desk.note(project, "message of the project")
            foreign = await desk.note(other, "message of another project")
            refused = {own: [each for each in PLACES if each != "message of the project"], other: list(PLACES)}
            if not is_for_all:
                refused[foreign] = list(PLACES)
            for method, (fetch, headers) in itertools.product(("GET", "HEAD"), FETCHES.items()):
                of_message, of_none = set(), set()
                for message, places in refused.items():
                    for place in places:
                        found = await http.request(method, desk.path(message, place), headers=headers)
                        (of_message if message == own else of_none).add(_all_that_is_told(found))
                        assert found.status_code == 404, (method, fetch, place)
                assert len(of_message) == len(of_none) == 1, (method, fetch, of_message, of_none)
                read = await http.request(method, desk.path(own, "message of the project"), headers=headers)
                assert read.status_code in (200, 206, 416), (method, fetch)


def _all_that_is_told(answer: httpx2.Response) -> tuple[object, ...]:
    told = sorted((name, value) for name, value in answer.headers.items() if name not in PASSING)
    number = answer.headers["x-request-id"].encode()
    return answer.status_code, tuple(told), answer.content.replace(number, b"")
