"""Requests over real HTTP: their form, their conditions, and that none is carried out twice."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from chatdesk.service.caller import Scope
from chatdesk.service.declaration import Call, Endpoint, Streamed
from chatdesk.service.endpoints import ENDPOINTS
from chatdesk.service.gate import RequestLimits
from chatdesk.service.local_service import ServiceOptions
from chatdesk.service.tokens import TokenBook
from tests.helpers.local_service import served_world
from tests.helpers.waiting import until

THREADS = "/api/v1/threads"


async def test_a_thread_is_made_read_changed_and_moved_to_the_trash(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        made = await world.http.post(THREADS, json={"title": "Plans"})
        assert made.status_code == 201
        one = f"{THREADS}/{made.json()['id']}"
        assert (await world.http.get(one)).json() == made.json()
        renamed = await world.http.patch(one, json={"title": "Old plans"})
        assert renamed.json()["title"] == "Old plans"
        assert (await world.http.patch(one, json={"archived": True})).json()["archived_at"]
        listed = await world.http.get(THREADS, params={"scope": "archive"})
        assert [each["title"] for each in listed.json()["threads"]] == ["Old plans"]
        assert (await world.http.delete(one)).status_code == 204
        assert (await world.http.get(one)).json()["deleted_at"]


async def test_a_question_is_asked_and_its_answer_read(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        thread = (await world.http.post(THREADS, json={})).json()
        asked = await world.http.post(f"{THREADS}/{thread['id']}/messages", json={"text": "Hello"})
        assert asked.status_code == 201
        await world.services.chat.turns.wait_for_all()
        answer = (await world.http.get(f"/api/v1/messages/{asked.json()['answer']['id']}")).json()
        assert answer["status"] == "complete"
        assert answer["parts"][0]["text"]
        page = (await world.http.get(f"{THREADS}/{thread['id']}/messages")).json()
        assert [each["role"] for each in page["messages"]] == ["user", "assistant"]


async def test_before_and_after_mean_what_they_mean_to_the_services(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        thread = (await world.services.chat.create_thread(None, "Notes")).thread
        notes = [
            (await world.services.chat.manual_messages.add_note(thread.id, str(number))).question for number in range(6)
        ]
        for before, after, limit in (
            (None, None, 2), (4, None, 2), (None, 1, 2), (5, 0, 2), (5, 0, 9), (1, 0, 3), (0, None, 2), (None, 5, 2),
        ):  # fmt: skip
            ids = {"before": before, "after": after}
            bounds = {name: notes[number].id for name, number in ids.items() if number is not None}
            page = await world.services.chat.reader.get_thread_messages(thread.id, limit, **bounds)
            found = await world.http.get(f"{THREADS}/{thread.id}/messages", params={"limit": limit, **bounds})
            assert [each["id"] for each in found.json()["messages"]] == [each.id for each in page.messages]
            assert (found.json()["has_older"], found.json()["has_newer"]) == (page.has_older, page.has_newer)


async def test_the_same_key_makes_one_thing(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        headers = {"idempotency-key": "a-key"}
        first = await world.http.post(THREADS, json={"title": "Once"}, headers=headers)
        again = await world.http.post(THREADS, json={"title": "Once"}, headers=headers)
        assert again.json() == first.json()
        assert again.headers["idempotent-replayed"] == "true"
        assert len((await world.http.get(THREADS)).json()["threads"]) == 1


async def test_requests_with_the_same_key_at_once_make_one_thing(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        headers = {"idempotency-key": "a-key"}
        answers = await asyncio.gather(
            *(world.http.post(THREADS, json={"title": "Once"}, headers=headers) for _ in range(8))
        )
        assert {each.status_code for each in answers} <= {201, 409}
        assert {each.json()["code"] for each in answers if each.status_code == 409} <= {"request_running"}
        assert len((await world.http.get(THREADS)).json()["threads"]) == 1


async def test_a_key_is_of_one_caller_and_one_request(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        headers = {"idempotency-key": "a-key"}
        await world.http.post(THREADS, json={"title": "Once"}, headers=headers)
        other = await world.http.post(THREADS, json={"title": "Another"}, headers=headers)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_used_otherwise")
        async with world.client(world.token(scopes=[Scope.WRITE])) as http:
            assert (await http.post(THREADS, json={"title": "Once"}, headers=headers)).status_code == 201
        assert len((await world.http.get(THREADS)).json()["threads"]) == 2


async def test_a_question_with_a_key_is_asked_once(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        thread = (await world.http.post(THREADS, json={})).json()
        url, headers = f"{THREADS}/{thread['id']}/messages", {"idempotency-key": "q"}
        first = (await world.http.post(url, json={"text": "Hello"}, headers=headers)).json()
        await world.services.chat.turns.wait_for_all()
        again = (await world.http.post(url, json={"text": "Hello"}, headers=headers)).json()
        assert again["question"]["id"] == first["question"]["id"]
        assert again["answer"]["id"] == first["answer"]["id"]
        assert (await world.http.get(url)).json()["total"] == 2


async def test_an_unchanged_answer_is_not_sent_again(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        thread = await world.http.post(THREADS, json={"title": "Plans"})
        one = f"{THREADS}/{thread.json()['id']}"
        same = await world.http.get(one, headers={"if-none-match": f'"other", {thread.headers["etag"]}'})
        assert (same.status_code, same.content) == (304, b"")
        await world.http.patch(one, json={"title": "New"})
        other = await world.http.get(one, headers={"if-none-match": thread.headers["etag"]})
        assert other.json()["title"] == "New"


async def test_a_stale_edit_is_refused_with_both_versions(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        thread = await world.http.post(THREADS, json={"title": "Plans"})
        one, seen = f"{THREADS}/{thread.json()['id']}", {"if-match": thread.headers["etag"]}
        assert (await world.http.patch(one, json={"title": "Mine"}, headers=seen)).status_code == 200
        late = await world.http.patch(one, json={"title": "Theirs"}, headers=seen)
        assert (late.status_code, late.json()["code"]) == (409, "stale_edit")
        assert late.json()["current"]["title"] == "Mine"
        assert late.json()["yours"] == {"title": "Theirs"}
        now = {"if-match": late.headers["etag"]}
        assert (await world.http.patch(one, json={"title": "Theirs"}, headers=now)).json()["title"] == "Theirs"


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"title": 3}', b'{"name": "x"}', b"\xff", b"[" * 100_000])
async def test_a_body_of_another_form_is_refused_without_its_words(tmp_path: Path, body: bytes) -> None:
    async with served_world(tmp_path) as world:
        found = await world.http.post(THREADS, content=body, headers={"content-type": "application/json"})
        assert (found.status_code, found.json()["code"]) == (422, "invalid_request")
        assert found.headers["content-type"] == "application/problem+json"


async def test_a_form_of_a_web_page_is_refused(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", ""):
            found = await world.http.post(THREADS, content=b"{}", headers={"content-type": kind})
            assert (found.status_code, found.json()["code"]) == (415, "not_json")
        packed = {"content-type": "application/json", "content-encoding": "gzip"}
        assert (await world.http.post(THREADS, content=b"{}", headers=packed)).status_code == 415


async def test_errors_of_the_core_keep_their_codes(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        missing = await world.http.get(f"{THREADS}/0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e")
        assert (missing.status_code, missing.json()["code"]) == (404, "thread_not_found")
        assert (await world.http.get(f"{THREADS}/..%2f..")).json()["code"] in ("invalid_id", "unknown_path")
        assert (await world.http.get(THREADS, params={"limit": 0})).json()["code"] == "invalid_request"
        assert (await world.http.get(THREADS, params={"sort": "x"})).json()["code"] == "invalid_request"
        assert (await world.http.get("/nothing")).json()["code"] == "unknown_path"
        found = await world.http.put(THREADS)
        assert (found.status_code, found.headers["allow"]) == (405, "GET, POST")


async def test_an_unexpected_error_reveals_no_details(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def fail(_call: object) -> None:
        raise RuntimeError("marked-words-4711")

    version = next(each for each in ENDPOINTS if each.path == "/api/v1/version")
    async with served_world(tmp_path, endpoints=[dataclasses.replace(version, handler=fail)]) as world:
        found = await world.http.get("/api/v1/version")
        assert (found.status_code, found.json()["code"]) == (500, "unexpected")
        assert "marked" not in found.text
        assert found.json()["request_id"] == found.headers["x-request-id"]


async def test_a_stream_ends_with_its_token_and_closes_its_source(tmp_path: Path) -> None:
    ends: list[str] = []

    async def count() -> AsyncGenerator[int, None]:
        try:
            for number in range(1_000):
                yield number
            await asyncio.Event().wait()
        finally:
            ends.append("closed")

    async def begin(_call: Call[None, None]) -> Streamed:
        return Streamed(count, lambda number: b"%d\n" % number, "text/plain")

    endpoint = Endpoint("GET", "/count", begin, "Count")
    async with served_world(tmp_path, endpoints=[endpoint]) as world:
        token = world.token("counter")
        async with world.client(token) as http, http.stream("GET", "/count") as answer:
            lines = answer.aiter_lines()
            assert [await anext(lines) for _ in range(1_000)] == [str(number) for number in range(1_000)]
            TokenBook(world.files.tokens).revoke("counter")
            assert [line async for line in lines] == []
        await until(lambda: ends == ["closed"])


async def test_a_caller_that_leaves_closes_the_source_of_its_stream(tmp_path: Path) -> None:
    ends: list[str] = []

    async def wait() -> AsyncGenerator[bytes, None]:
        try:
            yield b"first\n"
            await asyncio.Event().wait()
        finally:
            ends.append("closed")

    async def begin(_call: Call[None, None]) -> Streamed:
        return Streamed(wait, bytes, "text/plain")

    async with served_world(tmp_path, endpoints=[Endpoint("GET", "/wait", begin, "Wait")]) as world:
        async with world.http.stream("GET", "/wait") as answer:
            assert await anext(answer.aiter_lines()) == "first"
        await until(lambda: ends == ["closed"])


async def test_a_caller_that_reads_nothing_is_put_off(tmp_path: Path) -> None:
    ends: list[str] = []

    async def flow() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"x" * 100_000
        finally:
            ends.append("closed")

    async def begin(_call: Call[None, None]) -> Streamed:
        return Streamed(flow, bytes, "text/plain")

    options = ServiceOptions(requests=RequestLimits(unread_s=0.2))
    endpoints = [Endpoint("GET", "/flow", begin, "Flow")]
    async with served_world(tmp_path, endpoints=endpoints, options=options) as world:
        with world.connect() as caller:
            head = f"GET /flow HTTP/1.1\r\nHost: {world.host}\r\nAuthorization: Bearer {world.owner_token}\r\n\r\n"
            caller.sendall(head.encode())
            await until(lambda: ends == ["closed"])


async def test_every_write_that_makes_or_changes_something_does_it_once(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        thread = (await world.http.post(THREADS, json={"title": "Plans"})).json()
        project = f"/api/v1/projects/{thread['project_id']}"
        for number, (method, url, body) in enumerate(
            (
                ("POST", "/api/v1/projects", {"name": "Once"}),
                ("PATCH", project, {"name": "Renamed"}),
                ("PATCH", project, {"archived": True}),
                ("POST", f"{THREADS}/{thread['id']}/notes", {"text": "Once"}),
                ("PATCH", f"{THREADS}/{thread['id']}", {"title": "New"}),
                ("PATCH", f"{THREADS}/{thread['id']}", {"pinned": True}),
                ("PATCH", f"{THREADS}/{thread['id']}", {"archived": True}),
            )
        ):
            headers = {"idempotency-key": f"key {number}".replace(" ", "-")}
            first = await world.http.request(method, url, json=body, headers=headers)
            again = await world.http.request(method, url, json=body, headers=headers)
            assert (again.status_code, again.json()) == (first.status_code, first.json()), url
            assert again.headers.get("idempotent-replayed") == "true", url
        assert len((await world.http.get("/api/v1/projects")).json()["projects"]) == 2


async def test_a_removal_that_is_repeated_leaves_alone_what_came_back(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        thread_id = (await world.http.post(THREADS, json={"title": "Plans"})).json()["id"]
        thread = f"{THREADS}/{thread_id}"
        note = (await world.http.post(f"{thread}/notes", json={"text": "Words"})).json()["id"]
        prompt = (await world.http.post("/api/v1/prompts", json={"kind": "quick", "text": "P"})).json()["id"]
        project = (await world.http.post("/api/v1/projects", json={"name": "Work"})).json()["id"]
        tags = (await world.http.post(f"{thread}/tags", json={"add": ["one"]})).json()
        assert tags["tags"] == ["one"]
        tag = (await world.http.get("/api/v1/tags")).json()["tags"][0]["id"]
        await world.http.put(f"{thread}/draft", json={"text": "Draft"})
        urls = [f"/api/v1/messages/{note}", f"/api/v1/prompts/{prompt}", f"/api/v1/projects/{project}"]
        urls += [f"/api/v1/tags/{tag}", f"{thread}/draft", thread]
        for number, url in enumerate(urls):
            key = {"idempotency-key": f"removal-{number}"}
            found = [await world.http.delete(url, headers=key) for _ in range(2)]
            assert [(each.status_code, "idempotent-replayed" in each.headers) for each in found] == [
                (204, False),
                (204, True),
            ], url
        await world.services.library.restore([thread_id])
        back = {"idempotency-key": "back"}
        for is_repeated in (False, True):
            restored = await world.http.post(f"/api/v1/messages/{note}/restore", headers=back)
            assert (restored.json()["deleted_at"], "idempotent-replayed" in restored.headers) == (None, is_repeated)
        again = await world.http.delete(urls[0], headers={"idempotency-key": "removal-0"})
        assert again.headers["idempotent-replayed"] == "true"
        assert (await world.http.get(urls[0])).json()["deleted_at"] is None
        limits = {"limits": [{"scope": "all", "period": "day", "unit": "money", "hard": 5.0}]}
        for is_repeated in (False, True):
            kept = await world.http.put("/api/v1/limits", json=limits, headers={"idempotency-key": "limits"})
            assert (kept.json()["limits"][0]["hard"], "idempotent-replayed" in kept.headers) == (5.0, is_repeated)


async def test_a_change_is_of_one_thing_and_a_removal_of_any_version(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        one = f"{THREADS}/{(await world.http.post(THREADS, json={})).json()['id']}"
        for body in ({}, {"title": "x", "pinned": True}):
            assert (await world.http.patch(one, json=body)).json()["code"] == "invalid_request"
        found = await world.http.delete(one, headers={"if-match": '"x"'})
        assert found.json()["code"] == "condition_needed"
        assert (await world.http.get(one)).json()["deleted_at"] is None
