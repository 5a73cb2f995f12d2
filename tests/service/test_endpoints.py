"""What holds of all endpoints: how they may be repeated and made conditional, and that no address leads elsewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from chatdesk.service.endpoints import ENDPOINTS
from tests.helpers.local_service import ServedWorld, served_world

# Writes that do the same however often they are sent.
WITHOUT_KEY = {
    "POST /api/v1/attachments",
    "POST /api/v1/threads/{thread_id}/summaries",
    "POST /api/v1/threads/{thread_id}/stop",
    "POST /api/v1/threads/{thread_id}/typing",
    "DELETE /api/v1/jobs/{job_id}",
}
_SECRET = "words-of-another-file"


def test_endpoints_that_change_a_readable_thing_take_if_match() -> None:
    read = {each.path: each for each in ENDPOINTS if each.method == "GET" and each.shows is not None}
    found = [each for each in ENDPOINTS if each.method in ("PUT", "PATCH")]
    assert len(found) >= 7
    for endpoint in found:
        assert endpoint.guards is not None, endpoint.path
        if endpoint.path != "/api/v1/tags/{tag_id}":  # its ETag comes with each change; all are read as a list
            assert read[endpoint.path].shows is endpoint.shows, endpoint.path
            assert read[endpoint.path].compares is endpoint.compares, endpoint.path


def test_each_write_takes_a_key_but_for_those_that_may_be_repeated() -> None:
    own = [each for each in ENDPOINTS if each.writes and each.path.startswith("/api/")]
    assert {f"{each.method} {each.path}" for each in own if not each.takes_key} == WITHOUT_KEY


def _status(answer: bytes) -> int:
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    assert found is not None, answer
    return int(found[1])


async def _got(world: ServedWorld, target: str, authorization: str) -> bytes:
    lines = [f"GET {target} HTTP/1.1", f"Host: {world.host}", "Connection: close", authorization, "", ""]
    return await world.raw("\r\n".join(lines).encode())


@pytest.mark.parametrize("up", ["..", "%2e%2e", "..%2f..", "%2e%2e%2f%2e%2e", "..%5c..", "%252e%252e", "....//.."])
async def test_no_path_leads_outside(tmp_path: Path, up: str) -> None:
    data_dir = tmp_path / "data"
    for folder in (tmp_path, data_dir):
        folder.mkdir(exist_ok=True)
        (folder / "secret.txt").write_text(_SECRET)
    async with served_world(data_dir) as world:
        note = (await world.http.post("/api/v1/threads", json={})).json()["id"]
        owner = f"Authorization: Bearer {world.owner_token}"
        for begin in ("", "/docs", "/api/v1", f"/api/v1/messages/{note}/attachments", "/api/v1/jobs", "/v1/models"):
            for file in ("secret.txt", "service/owner.token", "chatdesk.db"):
                for target in (f"{begin}/{up}/{file}", f"{begin}/{up}/{up}/{file}", f"{begin}/{up}/{file}/file"):
                    answer = await _got(world, target, owner)
                    assert _status(answer) in (400, 404, 405, 422), target
                    assert _SECRET.encode() not in answer
                    assert world.owner_token.encode() not in answer


async def test_a_file_is_kept_by_its_content_whatever_path_its_name_is(tmp_path: Path) -> None:
    async with served_world(tmp_path / "data") as world:
        for name in ("../../taken.txt", "/tmp/taken.txt", "..\\taken.txt"):
            kept = await world.http.post(
                "/api/v1/attachments",
                params={"name": name},
                content=b"words",
                headers={"content-type": "application/octet-stream"},
            )
            assert kept.json()["name"] == "taken.txt"
    assert list(tmp_path.rglob("taken.txt")) == []


async def test_a_token_in_an_address_grants_no_access(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        for name in ("token", "access_token", "api_key", "authorization"):
            answer = await _got(world, f"/api/v1/threads?{name}={world.owner_token}", "Accept: */*")
            assert _status(answer) == 401
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "no_token"
