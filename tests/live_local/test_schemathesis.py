"""schemathesis, which ChatDesk did not write, sends requests of right and wrong forms over the whole document: none is
a fault of the service, and no answer is outside the document.

``/events`` is left out, because its answer has no end; so are two of its checks: whatever has the right form need not
be possible, and a GET with a body is refused before its method is looked at.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers.local_service import ServedWorld, served_world
from tests.live_local.conftest import SCHEMATHESIS
from tests.live_local.test_live_programs import ran

_OPTIONS = (
    *("--checks", "all", "--exclude-checks", "positive_data_acceptance,unsupported_method"),
    *("--max-examples", "6", "--seed", "4711", "--exclude-path-regex", "/events$", "--no-color"),
)
_ENDS_S = 280
_FILE = {"content-type": "application/octet-stream"}


@pytest.mark.parametrize("has_ids", [False, True], ids=["ids of its own", "ids of what is there"])
async def test_no_request_is_a_fault_and_no_answer_is_outside_the_document(
    tmp_path: Path, has_ids: bool, caplog: pytest.LogCaptureFixture
) -> None:
    if not SCHEMATHESIS.exists():
        pytest.skip("schemathesis is not installed")
    async with served_world(tmp_path / "data") as world:
        configuration = tmp_path / "schemathesis.toml"
        ids = await _ids(world) if has_ids else {}
        rows = [f'"path.{name}" = {json.dumps(value)}' for name, value in ids.items()]
        configuration.write_text("\n".join(["[parameters]", *rows]) + "\n", "utf-8")
        said = await ran(
            *(str(SCHEMATHESIS), "--config-file", str(configuration)),
            *("run", f"{world.address.urls[0]}/api/v1/openapi.json"),
            *("--header", f"Authorization: Bearer {world.owner_token}", *_OPTIONS),
            folder=tmp_path,  # where it leaves what it remembers
            ends_s=_ENDS_S,
        )
    assert "Tested: " in said
    assert "failed" not in said.partition("SUMMARY")[2]
    assert not [record for record in caplog.records if record.exc_info], "the service logged a fault"


async def _ids(world: ServedWorld) -> dict[str, str]:
    """Ids of things that are there: a thread with a question and its answer, and what belongs to it."""
    http = world.http
    thread = (await http.post("/api/v1/threads", json={"title": "Kept"})).json()
    attached = (await http.post("/api/v1/attachments?name=a.txt", content=b"a file", headers=_FILE)).json()
    asked = {"text": "Hello", "attachments": [attached]}
    sent = await http.post(f"/api/v1/threads/{thread['id']}/messages", json=asked)
    assert sent.status_code == 201, sent.text
    tagged = await http.post(f"/api/v1/threads/{thread['id']}/tags", json={"add": ["kept"]})
    assert tagged.status_code == 200, tagged.text
    (tag,) = (await http.get("/api/v1/tags")).json()["tags"]
    prompt = await http.post("/api/v1/prompts", json={"kind": "quick", "text": "Say it."})
    assert prompt.status_code == 201, prompt.text
    job = await http.post("/api/v1/exports", json={"thread_ids": [thread["id"]], "format": "md"})
    assert job.status_code == 202, job.text
    return {
        "thread_id": thread["id"],
        "project_id": thread["project_id"],
        "message_id": sent.json()["question"]["id"],
        "sha256": attached["sha256"],
        "tag_id": tag["id"],
        "prompt_id": prompt.json()["id"],
        "job_id": job.json()["id"],
    }
