"""The endpoints beside threads and messages: versions, files, drafts, tags, prompts, search, figures and jobs."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from chatdesk.core.attachments.attachment_limits import AttachmentLimits
from chatdesk.core.chat.running_turns import MOST_IN_THREAD
from chatdesk.core.errors import StorageError
from chatdesk.core.events import ReachabilityChanged
from chatdesk.core.settings.schema import Settings
from chatdesk.core.storage.engine.database import Database
from chatdesk.service.caller import Scope
from tests.helpers.export_samples import claude, claude_message, write_zip
from tests.helpers.local_service import ServedWorld, served_world
from tests.helpers.waiting import until

V1 = "/api/v1"
FILE = {"content-type": "application/octet-stream"}


async def _thread(world: ServedWorld) -> str:
    return str((await world.http.post(f"{V1}/threads", json={"title": "Plans"})).json()["id"])


async def _asked(world: ServedWorld, thread_id: str, text: str = "Hello", **more: Any) -> dict[str, Any]:
    asked = await world.http.post(f"{V1}/threads/{thread_id}/messages", json={"text": text, **more})
    assert asked.status_code == 201, asked.text
    await world.services.chat.turns.wait_for_all()
    return dict(asked.json())


async def test_messages_get_versions_and_one_of_them_is_shown(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        asked = await _asked(world, await _thread(world))
        question, answer = (f"{V1}/messages/{asked[each]['id']}" for each in ("question", "answer"))
        key = {"idempotency-key": "k"}
        edited = await world.http.post(f"{question}/versions", json={"text": "Other"}, headers=key)
        assert (edited.status_code, edited.json()["message"]["version"]) == (201, 2)
        await world.services.chat.turns.wait_for_all()
        again = await world.http.post(f"{question}/versions", json={"text": "Other"}, headers=key)
        assert again.json()["answer"]["id"] == edited.json()["answer"]["id"]
        regenerated = await world.http.post(f"{V1}/messages/{edited.json()['answer']['id']}/regenerate", json={})
        assert regenerated.json()["versions"] == 2
        await world.services.chat.turns.wait_for_all()
        own = await world.http.post(f"{answer}/versions", json={"text": "My words"})
        assert (own.json()["message"]["parts"][0]["text"], own.json()["answer"]) == ("My words", None)
        assert (await world.http.post(f"{question}/select")).status_code == 200
        page = (await world.http.get(f"{V1}/threads/{asked['question']['thread_id']}/messages")).json()
        assert page["messages"][0]["id"] == asked["question"]["id"]
        finished = await world.http.post(f"{answer}/continue", json={})
        assert (finished.status_code, finished.json()["code"]) == (409, "not_possible")


async def test_requests_at_once_start_no_more_answers_than_a_thread_has_room_for(tmp_path: Path) -> None:
    slow = Settings(offline_speed_tokens_per_s=1, model_titles=False)
    async with served_world(tmp_path, settings=slow) as world:
        thread_id = await _thread(world)
        asked = await world.http.post(f"{V1}/threads/{thread_id}/messages", json={"text": "Hello"})
        question = f"{V1}/messages/{asked.json()['question']['id']}"
        edits = [
            world.http.post(f"{question}/versions", json={"text": f"Hello {n}"}) for n in range(MOST_IN_THREAD + 4)
        ]
        statuses = [each.status_code for each in await asyncio.gather(*edits)]
        assert sorted(statuses) == [201] * (MOST_IN_THREAD - 1) + [409] * 5
        assert len(world.services.chat.turns.in_thread(thread_id)) == MOST_IN_THREAD
        await world.services.chat.stop(thread_id)


async def test_a_message_goes_to_the_trash_and_back_and_begins_a_thread(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        asked = await _asked(world, await _thread(world))
        answer = f"{V1}/messages/{asked['answer']['id']}"
        branch = await world.http.post(f"{answer}/branch", headers={"idempotency-key": "b"})
        again = await world.http.post(f"{answer}/branch", headers={"idempotency-key": "b"})
        assert (branch.status_code, branch.json()["message_count"]) == (201, 2)
        assert again.json()["id"] == branch.json()["id"]
        assert (await world.http.delete(answer)).status_code == 204
        assert (await world.http.get(answer)).json()["deleted_at"]
        assert (await world.http.post(f"{answer}/restore")).json()["deleted_at"] is None


async def test_only_a_token_that_may_ask_edits_a_question(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        asked = await _asked(world, await _thread(world))
        async with world.client(world.token(scopes=[Scope.READ, Scope.WRITE])) as http:
            found = await http.post(f"{V1}/messages/{asked['question']['id']}/versions", json={"text": "x"})
            assert (found.status_code, found.json()["code"]) == (403, "not_allowed")


async def test_a_file_is_sent_asked_about_and_read_in_parts(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        data = b"".join(b"line %06d\n" % number for number in range(60_000))
        sent = await world.http.post(f"{V1}/attachments?name=list.txt", content=data, headers=FILE)
        assert (sent.status_code, sent.json()["name"], sent.json()["size_bytes"]) == (201, "list.txt", len(data))
        thread_id = await _thread(world)
        noted = await world.http.post(
            f"{V1}/threads/{thread_id}/notes", json={"text": "See", "attachments": [sent.json()]}
        )
        (attachment,) = (part["attachment"] for part in noted.json()["parts"] if part["attachment"])
        one = f"{V1}/messages/{noted.json()['id']}/attachments/{attachment['sha256']}"
        whole = await world.http.get(one)
        assert (whole.status_code, whole.content) == (200, data)
        assert "list.txt" in whole.headers["content-disposition"]
        for wanted, expected in (("bytes=5-14", data[5:15]), ("bytes=-7", data[-7:]), ("bytes=99-", data[99:])):
            part = await world.http.get(one, headers={"range": wanted})
            assert (part.status_code, part.content) == (206, expected)
            assert part.headers["content-range"].endswith(f"/{len(data)}")
        beyond = await world.http.get(one, headers={"range": f"bytes={len(data)}-"})
        assert (beyond.status_code, beyond.json()["code"]) == (416, "no_such_range")
        other = await _asked(world, thread_id)
        elsewhere = f"{V1}/messages/{other['question']['id']}/attachments/{attachment['sha256']}"
        assert (await world.http.get(elsewhere)).status_code == 404
        assert not list((tmp_path / "service" / "uploads").iterdir())


async def test_a_file_that_is_too_large_or_a_form_is_refused_and_nothing_stays(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        form = await world.http.post(f"{V1}/attachments", content=b"x", headers={"content-type": "text/plain"})
        assert (form.status_code, form.json()["code"]) == (415, "not_file")
        world.services.attachments.use_limits(AttachmentLimits(file_bytes=1000))
        large = await world.http.post(f"{V1}/attachments", content=b"x" * 1001, headers=FILE)
        assert (large.status_code, large.json()["code"]) == (413, "attachment_too_large")
        unknown = {"name": "x", "mime": "text/plain", "sha256": "0" * 64, "size_bytes": 1}
        thread_id = await _thread(world)
        noted = await world.http.post(f"{V1}/threads/{thread_id}/notes", json={"text": "x", "attachments": [unknown]})
        assert (noted.status_code, noted.json()["code"]) == (422, "attachment_unusable")
        assert not list((tmp_path / "service" / "uploads").iterdir())


async def test_a_draft_is_kept_and_forgotten(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        one = f"{V1}/threads/{await _thread(world)}/draft"
        assert (await world.http.get(one)).json()["text"] == ""
        kept = await world.http.put(one, json={"text": "Half a", "cursor": 99})
        assert (kept.json()["text"], kept.json()["cursor"]) == ("Half a", 6)
        assert (await world.http.get(one)).json() == kept.json()
        assert (await world.http.delete(one)).status_code == 204
        assert (await world.http.get(one)).json()["updated_at"] is None


async def test_tags_are_put_on_threads_renamed_and_deleted(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        thread = f"{V1}/threads/{await _thread(world)}"
        tagged = await world.http.post(f"{thread}/tags", json={"add": ["urgent", "home"]})
        assert sorted(tagged.json()["tags"]) == ["home", "urgent"]
        tags = {each["name"]: each for each in (await world.http.get(f"{V1}/tags")).json()["tags"]}
        renamed = await world.http.patch(f"{V1}/tags/{tags['home']['id']}", json={"name": "house"})
        assert renamed.json() == {"id": tags["home"]["id"], "name": "house", "threads": 1}
        await world.http.post(f"{thread}/tags", json={"remove": [tags["urgent"]["id"]]})
        assert (await world.http.get(thread)).json()["tags"] == ["house"]
        assert (await world.http.delete(f"{V1}/tags/{tags['home']['id']}")).status_code == 204
        assert (await world.http.get(thread)).json()["tags"] == []
        gone = await world.http.patch(f"{V1}/tags/{tags['home']['id']}", json={"name": "x"})
        assert gone.status_code == 404


async def test_prompts_are_made_once_replaced_and_deleted(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        body, key = {"kind": "template", "text": "Write shorter."}, {"idempotency-key": "p"}
        made = (await world.http.post(f"{V1}/prompts", json=body, headers=key)).json()
        assert (await world.http.post(f"{V1}/prompts", json=body, headers=key)).json() == made
        one = f"{V1}/prompts/{made['id']}"
        replaced = await world.http.put(one, json={"kind": "quick", "name": "Short", "text": "Shorter."})
        assert (replaced.json()["name"], replaced.json()["kind"]) == ("Short", "quick")
        listed = (await world.http.get(f"{V1}/prompts")).json()["prompts"]
        assert [each["name"] for each in listed if each["id"] == made["id"]] == ["Short"]
        assert (await world.http.delete(one)).status_code == 204
        assert (await world.http.get(one)).json()["deleted_at"]


async def test_the_set_up_of_an_assistant_is_written_and_starts_nothing(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        sent = await world.http.post(f"{V1}/attachments?name=rules.txt", content=b"Be brief.", headers=FILE)
        file = {name: sent.json()[name] for name in ("name", "sha256")}
        setup = {
            "provider": "offline",
            "model": "offline-demo",
            "parameters": {"temperature": 0.5, "stop": ["END"]},
            "tools": ["notes", "no-such-server"],
            "files": [sent.json()],
        }
        body = {"kind": "assistant", "name": "Editor", "text": "You edit.", "assistant": setup}
        made = await world.http.post(f"{V1}/prompts", json=body)
        assert made.status_code == 201, made.text
        kept = made.json()["assistant"]
        assert (kept["provider"], kept["model"], kept["tools"]) == ("offline", "offline-demo", setup["tools"])
        assert kept["parameters"] == {
            "temperature": 0.5,
            "top_p": None,
            "answer_length": None,
            "reasoning_effort": None,
            "stop": ["END"],
        }
        assert {name: kept["files"][0][name] for name in file} == file
        tools = await world.services.tools.in_use()
        assert tools is None or not [each for each in tools.servers if each.id in setup["tools"]]
        thread_id, threads = await _thread(world), world.services.repositories.threads
        assert not await threads.has_outside_text(thread_id)
        assert await threads.has_outside_text(thread_id, made.json()["id"])  # a program wrote it
        one = f"{V1}/prompts/{made.json()['id']}"
        renamed = await world.http.put(one, json={"kind": "assistant", "name": "Proofreader", "text": "You edit."})
        assert renamed.json()["assistant"] == kept  # without a set-up it keeps its own
        emptied = await world.http.put(one, json={**body, "assistant": {}})
        assert (emptied.json()["assistant"]["provider"], emptied.json()["assistant"]["files"]) == (None, [])
        wrong = [
            {**body, "kind": "quick"},
            {**body, "assistant": {"parameters": {"temperature": 9}}},
            {**body, "assistant": {"files": [{**sent.json(), "sha256": "0" * 64}]}},
            {**body, "assistant": {"command": ["sh"]}},
        ]
        for each in wrong:
            assert (await world.http.post(f"{V1}/prompts", json=each)).status_code == 422, each


async def test_words_are_found_page_by_page(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        thread_id = await _thread(world)
        for number in range(5):
            await world.services.chat.manual_messages.add_note(thread_id, f"zebra {number}")
        await world.services.search.fill(pause=0)
        found: list[str] = []
        cursor = None
        while True:
            wanted = {"q": "zebra", "kind": "message", "limit": "2"} | ({"cursor": cursor} if cursor else {})
            groups = (await world.http.get(f"{V1}/search", params=wanted)).json()["groups"]
            found += [hit["message_id"] for hit in groups[0]["hits"]]
            cursor = groups[0]["next_cursor"]
            if cursor is None:
                break
        assert len(found) == len(set(found)) == 5
        assert (await world.http.get(f"{V1}/search", params={"q": "zebra", "cursor": "x"})).status_code == 422


async def test_models_usage_and_limits_are_told(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        asked = await _asked(world, await _thread(world))
        (provider,) = (
            each for each in (await world.http.get(f"{V1}/models")).json()["providers"] if each["is_default"]
        )
        assert provider["default_model"] == asked["answer"]["model"]
        of_thread = await world.http.get(f"{V1}/usage", params={"thread_id": asked["question"]["thread_id"]})
        assert of_thread.json()["total"]["requests"] == 1
        assert (await world.http.get(f"{V1}/usage")).json()["total"]["requests"] >= 1
        assert (await world.http.get(f"{V1}/usage", params={"last": "9999-12-31"})).status_code == 422
        limit = {"scope": "all", "period": "day", "unit": "tokens", "hard": 1.0}
        limits = (await world.http.put(f"{V1}/limits", json={"limits": [limit]})).json()["limits"]
        assert (await world.http.get(f"{V1}/limits")).json()["limits"] == limits
        refused = await world.http.post(f"{V1}/threads/{asked['question']['thread_id']}/messages", json={"text": "x"})
        assert refused.status_code in (201, 429)  # an answer that is not begun tells the limit in its own row
        async with world.client(world.token(scopes=[Scope.WRITE])) as http:
            assert (await http.put(f"{V1}/limits", json={"limits": []})).status_code == 403


async def test_a_token_of_one_project_reaches_nothing_that_all_share(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        project = (await world.http.post(f"{V1}/projects", json={"name": "Work"})).json()["id"]
        foreign = await _asked(world, await _thread(world))
        token = world.token(scopes=list(Scope), projects=[project])
        message = f"{V1}/messages/{foreign['question']['id']}"
        async with world.client(token) as http:
            for path in ("tags", "prompts", "search?q=x", "usage", "limits"):
                assert (await http.get(f"{V1}/{path}")).status_code == 403, path
            assert (await http.get(f"{V1}/usage", params={"project_id": project})).status_code == 200
            thread = f"{V1}/threads/{foreign['question']['thread_id']}"
            assert (await http.get(f"{thread}/draft")).status_code == 404
            assert (await http.get(f"{thread}/summaries")).status_code == 404
            for action in ("select", "branch", "restore"):
                assert (await http.post(f"{message}/{action}")).status_code == 404
            assert (await http.delete(message)).status_code == 404
            assert (await http.post(f"{V1}/exports", json={"format": "json"})).status_code == 403
            assert (await http.post(f"{V1}/imports", content=b"{}", headers=FILE)).status_code == 403


async def _done(world: ServedWorld, job: dict[str, Any]) -> dict[str, Any]:
    found = job
    while found["state"] == "running":
        found = (await world.http.get(f"{V1}/jobs/{job['id']}")).json()
    return found


@pytest.mark.parametrize("kind", ["json", "md"])
async def test_threads_are_exported_and_the_file_is_read(tmp_path: Path, kind: str) -> None:
    async with served_world(tmp_path) as world:
        for _ in range(2):
            await _asked(world, await _thread(world))
        started = await world.http.post(f"{V1}/exports", json={"format": kind})
        assert started.status_code == 202
        job = await _done(world, started.json())
        assert (job["state"], job["done"], job["has_file"]) == ("done", 4, True), job
        file = await world.http.get(f"{V1}/jobs/{job['id']}/file")
        if kind == "json":
            assert len(json.loads(file.content)["threads"]) == 2
        else:
            assert file.content.startswith(b"PK")
        async with world.client(world.token()) as http:
            assert (await http.get(f"{V1}/jobs/{job['id']}")).json()["code"] == "job_not_found"
            assert (await http.get(f"{V1}/jobs")).json() == {"jobs": []}
        assert (await world.http.delete(f"{V1}/jobs/{job['id']}")).status_code == 204
        assert (await world.http.get(f"{V1}/jobs/{job['id']}")).status_code == 404
    assert not (tmp_path / "service" / "jobs").exists()


async def test_an_export_is_imported_elsewhere(tmp_path: Path) -> None:
    async with served_world(tmp_path / "one") as world:
        await _asked(world, await _thread(world))
        job = await _done(world, (await world.http.post(f"{V1}/exports", json={"format": "json"})).json())
        data = (await world.http.get(f"{V1}/jobs/{job['id']}/file")).content
    async with served_world(tmp_path / "two") as world:
        started = await world.http.post(f"{V1}/imports?name=export.json", content=data, headers=FILE)
        job = await _done(world, started.json())
        assert job["state"] == "done", job
        assert job["done"] == job["total"] == len(data)
        assert [each["title"] for each in (await world.http.get(f"{V1}/threads")).json()["threads"]] == ["Plans"]
        key = {**FILE, "idempotency-key": "once"}
        by_key = [await world.http.post(f"{V1}/imports?name=again.json", content=data, headers=key) for _ in range(2)]
        assert by_key[0].json()["id"] == by_key[1].json()["id"] != job["id"]
        assert ["idempotent-replayed" in each.headers for each in by_key] == [False, True]
        for url, content in ((f"{V1}/imports?name=again.json", b"{}"), (f"{V1}/imports?name=other.json", data)):
            assert (await world.http.post(url, content=content, headers=key)).status_code == 422
        assert (await _done(world, by_key[0].json()))["state"] == "done"
        assert len((await world.http.get(f"{V1}/threads")).json()["threads"]) == 1
        bad = await world.http.post(f"{V1}/imports?name=x.json", content=b"{}", headers=FILE)
        assert (await _done(world, bad.json()))["code"] == "import_refused"


async def test_an_import_takes_memories_only_where_it_is_asked_to(tmp_path: Path) -> None:
    page = {"conversations_memory": "Ana keeps bees.", "account_uuid": "a"}
    files = {"conversations.json": [claude("c", [claude_message("m", "human", "Hello")])], "memories.json": [page]}
    data = write_zip(tmp_path / "claude.zip", files).read_bytes()
    async with served_world(tmp_path / "home") as world:

        async def imported(query: str) -> tuple[int, str]:
            started = await world.http.post(f"{V1}/imports?name=claude.zip{query}", content=data, headers=FILE)
            if started.status_code != 202:
                return started.status_code, str(started.json()["code"])
            return 202, str((await _done(world, started.json()))["message"])

        async def kept() -> list[str]:
            return [each.text for each in await world.services.memory.list()]

        status, said = await imported("")
        assert status == 202 and "1 memory" in said and await kept() == []
        assert await imported("&memories=true") == (409, "memory_off")
        world.services.memory.use_settings(Settings(memory=True))
        assert (await imported("&memories=true&dry_run=true"))[0] == 202 and await kept() == []
        assert "1 of them is remembered now." in (await imported("&memories=true"))[1]
        assert await kept() == ["Ana keeps bees."]


async def test_a_summary_is_listed_edited_and_switched_off(tmp_path: Path) -> None:
    from chatdesk.core.domain.summary import NewSummary, SummaryAuthor

    async with served_world(tmp_path) as world:
        asked = await _asked(world, await _thread(world))
        question, answer = asked["question"], asked["answer"]
        new = NewSummary(question["thread_id"], question["id"], answer["id"], "Short", 1, SummaryAuthor.MODEL)
        made = await world.services.repositories.summaries.add(new)
        one = f"{V1}/summaries/{made.id}"
        key = {"idempotency-key": "s"}
        edited = await world.http.patch(one, json={"text": "Shorter"}, headers=key)
        assert (await world.http.patch(one, json={"text": "Shorter"}, headers=key)).json() == edited.json()
        assert edited.json()["version"] == 2
        assert (await world.http.patch(one, json={"is_on": False})).json()["state"] == "off"
        listed = (await world.http.get(f"{V1}/threads/{question['thread_id']}/summaries")).json()["summaries"]
        assert [each["version"] for each in listed] == [2, 1]


async def test_changes_of_others_are_not_overwritten(tmp_path: Path) -> None:
    from chatdesk.core.domain.summary import NewSummary, SummaryAuthor

    async with served_world(tmp_path) as world:
        asked = await _asked(world, await _thread(world))
        ids = asked["question"]["thread_id"], asked["question"]["id"], asked["answer"]["id"]
        summary = await world.services.repositories.summaries.add(NewSummary(*ids, "Short", 1, SummaryAuthor.MODEL))
        prompt = await world.http.post(f"{V1}/prompts", json={"kind": "quick", "text": "Say more"})
        tagged = await world.http.post(f"{V1}/threads/{ids[0]}/tags", json={"add": ["work"]})
        assert tagged.status_code == 200
        (tag,) = await world.services.library.list_tags()
        writes: tuple[tuple[str, str, dict[str, Any], dict[str, Any]], ...] = (
            ("PUT", f"{V1}/threads/{ids[0]}/draft", {"text": "Mine"}, {"text": "Theirs"}),
            ("PATCH", f"{V1}/summaries/{summary.id}", {"is_on": False}, {"is_on": True}),
            (
                "PUT",
                f"{V1}/prompts/{prompt.json()['id']}",
                {"kind": "quick", "text": "x"},
                {"kind": "quick", "text": "y"},
            ),
        )
        for method, one, mine, theirs in writes:
            seen = {"if-match": (await world.http.get(one)).headers["etag"]}
            written = await world.http.request(method, one, json=mine, headers=seen)
            assert written.status_code == 200, written.text
            late = await world.http.request(method, one, json=theirs, headers=seen)
            assert (late.status_code, late.json()["code"], late.json()["yours"]) == (409, "stale_edit", theirs)
            assert late.json()["current"] == written.json() == (await world.http.get(one)).json()
            now = {"if-match": late.headers["etag"]}
            assert (await world.http.request(method, one, json=theirs, headers=now)).status_code == 200
        renamed = await world.http.patch(f"{V1}/tags/{tag.id}", json={"name": "Work"})
        seen = {"if-match": renamed.headers["etag"]}
        for expected in (200, 409):
            found = await world.http.patch(f"{V1}/tags/{tag.id}", json={"name": "Home"}, headers=seen)
            assert found.status_code == expected


async def test_limits_that_somebody_else_replaced_stay_and_what_is_used_up_replaces_nothing(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        mine, theirs = (
            {"limits": [{"scope": "all", "period": "day", "unit": "tokens", "hard": hard}]} for hard in (5e6, 6e6)
        )
        limits, seen = f"{V1}/limits", await world.http.get(f"{V1}/limits")
        first = await world.http.put(limits, json=mine, headers={"if-match": seen.headers["etag"]})
        assert first.status_code == 200, first.text
        late = await world.http.put(limits, json=theirs, headers={"if-match": seen.headers["etag"]})
        assert (late.status_code, late.json()["code"]) == (409, "stale_edit")
        assert late.json()["current"] == first.json()
        assert late.json()["yours"] == theirs
        assert late.headers["etag"] == first.headers["etag"]
        await _asked(world, await _thread(world))
        used = await world.http.get(limits, headers={"if-none-match": first.headers["etag"]})
        assert used.json()["limits"][0]["spent"] > 0
        again = {"if-match": first.headers["etag"], "idempotency-key": "limits"}
        for is_repeated in (False, True):
            found = await world.http.put(limits, json=theirs, headers=again)
            assert (found.status_code, "idempotent-replayed" in found.headers) == (200, is_repeated)
            assert found.json()["limits"][0]["hard"] == 6e6


async def test_an_export_under_a_key_is_begun_once(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        await _asked(world, await _thread(world))
        key = {"idempotency-key": "monthly"}
        first = await world.http.post(f"{V1}/exports", json={"format": "json"}, headers=key)
        again = await world.http.post(f"{V1}/exports", json={"format": "json"}, headers=key)
        assert again.json()["id"] == first.json()["id"]
        assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")
        other = await world.http.post(f"{V1}/exports", json={"format": "md"}, headers=key)
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_used_otherwise")
        async with world.client(world.token()) as http:
            theirs = await http.post(f"{V1}/exports", json={"format": "json"}, headers=key)
            assert theirs.json()["id"] != first.json()["id"]
        assert len((await world.http.get(f"{V1}/jobs")).json()["jobs"]) == 1


async def test_a_thread_gets_another_model(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        thread_id = await _thread(world)
        one = f"{V1}/threads/{thread_id}"
        chosen = {"model": {"provider": "offline", "model": "offline-demo"}}
        changed = await world.http.patch(one, json=chosen)
        assert (changed.json()["provider"], changed.json()["model"]) == ("offline", "offline-demo")
        assert (await _asked(world, thread_id))["answer"]["model"] == "offline-demo"
        unknown = await world.http.patch(one, json={"model": {"provider": "nobody", "model": "m"}})
        assert unknown.status_code in (404, 409, 422), unknown.text
        assert (await world.http.get(one)).json()["provider"] == "offline"


async def test_a_summary_is_made_anew_when_a_program_asks_for_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from chatdesk.core.domain.summary import NewSummary, SummaryAuthor

    caplog.set_level(logging.INFO)
    async with served_world(tmp_path) as world:
        asked = await _asked(world, await _thread(world), "What is the harbour master called? " * 20)
        ids = asked["question"]["thread_id"], asked["question"]["id"], asked["answer"]["id"]
        one = f"{V1}/threads/{ids[0]}/summaries"
        assert (await world.http.get(one)).json() == {"summaries": [], "work": None}
        await world.services.repositories.summaries.add(NewSummary(*ids, "Short", 1, SummaryAuthor.PERSON))
        small = world.token("small", scopes=[Scope.READ, Scope.WRITE, Scope.ASK], tokens_per_minute=1)
        async with world.client(small) as http:
            made = await http.post(one, json={})
            assert made.status_code == 202, made.text

            async def is_made() -> bool:
                found = (await world.http.get(one)).json()["summaries"]
                return [(each["version"], each["author"]) for each in found] == [(2, "model"), (1, "person")]

            await until(is_made)
            await until(lambda: [each for each in caplog.messages if each.startswith("service_summary")])
            assert (await http.post(one, json={})).status_code == 429  # what it took counts for the token
        async with world.client(world.token(scopes=[Scope.READ, Scope.WRITE])) as http:
            assert (await http.post(one, json={})).status_code == 403


async def test_a_summary_that_would_take_much_is_made_when_the_program_agrees(tmp_path: Path) -> None:
    from chatdesk.core.domain.summary import ConsentLimits, NewSummary, SummaryAuthor

    async with served_world(tmp_path) as world:
        asked = await _asked(world, await _thread(world), "What is the harbour master called? " * 20)
        ids = asked["question"]["thread_id"], asked["question"]["id"], asked["answer"]["id"]
        one = f"{V1}/threads/{ids[0]}/summaries"
        await world.services.repositories.summaries.add(NewSummary(*ids, "Short", 1, SummaryAuthor.PERSON))
        world.services.chat.context.summaries.use_consent(ConsentLimits(tokens=1))
        assert (await world.http.post(one, json={"agrees": True})).status_code == 202  # to nothing yet

        async def is_asking() -> bool:
            work = (await world.http.get(one)).json()["work"]
            return work is not None and work["stage"] == "asking" and work["planned_tokens"] > 1

        await until(is_asking)
        assert (await world.http.post(one, json={"agrees": True})).status_code == 202

        async def is_made() -> bool:
            return len((await world.http.get(one)).json()["summaries"]) == 2

        await until(is_made)


async def test_the_log_says_who_used_what_under_the_id_of_the_request(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with served_world(tmp_path) as world:
        thread_id = await _thread(world)
        async with world.client(world.token("editor", scopes=[Scope.ASK])) as http:
            asked = await http.post(f"{V1}/threads/{thread_id}/messages", json={"text": "Hello"})
            await world.services.chat.turns.wait_for_all()
            (line,) = [each for each in caplog.messages if each.startswith("service_answer")]
            assert f"id={asked.headers['x-request-id']}" in line
            assert f"who={asked.headers['x-chatdesk-token']}" in line
            assert "output_tokens=" in line and "cost_usd=" in line and "Hello" not in line
        assert (await world.http.get("/health")).headers["x-chatdesk-token"] == "owner"
        async with world.client() as http:
            assert "x-chatdesk-token" not in (await http.get("/health")).headers


async def test_whether_it_is_ready_is_told_without_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served_world(tmp_path) as world, world.client() as http:
        parts = {"database": True, "provider": True, "team": True, "disk": True}
        ready = await http.get("/health/ready")
        assert (ready.status_code, ready.json()) == (200, {"status": "ready", **parts})
        with monkeypatch.context() as patched:
            patched.setattr("shutil.disk_usage", lambda _folder: SimpleNamespace(free=1))
            assert (await http.get("/health/ready")).json() == {"status": "degraded", **parts, "disk": False}
        names = tuple(each.name for each in world.services.providers.all())
        world.services.events.publish(ReachabilityChanged(names, ()))
        assert (await http.get("/health/ready")).json() == {"status": "degraded", **parts, "provider": False}
        with monkeypatch.context() as full:
            full.setattr(Database, "_write_once", Mock(side_effect=StorageError("marked-words-4711")))
            assert (await world.http.post(f"{V1}/threads", json={"title": "anything"})).status_code == 503
            ill = await http.get("/health/ready")
            assert (ill.status_code, ill.json()["code"]) == (503, "not_ready")
            assert "marked" not in ill.text
        assert (await http.get("/health/ready")).status_code == 200


async def test_answers_are_packed_for_callers_who_take_that(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        thread_id = await _thread(world)
        for _ in range(5):
            await world.http.post(f"{V1}/threads/{thread_id}/notes", json={"text": "words " * 50})
        url = f"{V1}/threads/{thread_id}/messages"
        found = {}
        for taken in ("identity", "gzip", "br, gzip;q=0.5", "gzip;q=0"):
            found[taken] = await world.http.get(url, headers={"accept-encoding": taken})
        assert (
            len({each.text for each in found.values()}) == len({each.headers["etag"] for each in found.values()}) == 1
        )
        sizes = {taken: int(each.headers["content-length"]) for taken, each in found.items()}
        assert sizes["gzip"] == sizes["br, gzip;q=0.5"] < sizes["identity"] / 3
        assert sizes["identity"] == sizes["gzip;q=0"]
        assert {each.headers["vary"] for each in found.values()} == {"accept-encoding"}
        unchanged = {"accept-encoding": "gzip", "if-none-match": found["gzip"].headers["etag"]}
        assert (await world.http.get(url, headers=unchanged)).status_code == 304
        small = await world.http.get(f"{V1}/version", headers={"accept-encoding": "gzip"})
        assert "content-encoding" not in small.headers


async def test_a_full_disk_is_said_and_what_was_refused_can_be_sent_again(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        thread_id = await _thread(world)
        url, key = f"{V1}/threads/{thread_id}/notes", {"idempotency-key": "n"}
        before = (await world.http.get(f"{V1}/threads/{thread_id}/messages")).json()
        database = world.services.database
        await database.write(lambda conn: conn.exec_driver_sql("PRAGMA max_page_count = 1"))
        note = {"text": "words " * 20_000}
        full = await world.http.post(url, json=note, headers=key)
        assert (full.status_code, full.json()["code"]) == (507, "storage_full")
        assert full.headers["content-type"] == "application/problem+json"
        assert (await world.http.get(f"{V1}/threads/{thread_id}/messages")).json() == before
        await database.write(lambda conn: conn.exec_driver_sql("PRAGMA max_page_count = 1073741823"))
        kept = await world.http.post(url, json=note, headers=key)
        assert (kept.status_code, "idempotent-replayed" in kept.headers) == (201, False)
        assert (await world.http.post(url, json=note, headers=key)).json()["id"] == kept.json()["id"]


async def test_a_key_is_known_after_a_restart(tmp_path: Path) -> None:
    made: list[str] = []
    for is_repeated in (False, True):
        async with served_world(tmp_path) as world:
            headers = {"idempotency-key": "once"}
            # The owner's token is another one after each start, and the owner is the same.
            found = await world.http.post(f"{V1}/threads", json={"title": "Once"}, headers=headers)
            assert ("idempotent-replayed" in found.headers) == is_repeated
            made.append(found.json()["id"])
    assert made[0] == made[1]


async def test_a_token_is_held_to_its_tokens_a_minute(tmp_path: Path) -> None:
    async with served_world(tmp_path) as world:
        thread_id = await _thread(world)
        token = world.token(scopes=[Scope.ASK], tokens_per_minute=1)
        async with world.client(token) as http:
            url = f"{V1}/threads/{thread_id}/messages"
            key = {"idempotency-key": "first"}
            assert (await http.post(url, json={"text": "Hello"}, headers=key)).status_code == 201
            await world.services.chat.turns.wait_for_all()
            refused = await http.post(url, json={"text": "Again"})
            assert (refused.status_code, refused.json()["code"]) == (429, "token_limit_reached")
            assert 1 <= int(refused.headers["retry-after"]) <= 60
            assert (await http.post(url, json={"text": "Hello"}, headers=key)).status_code == 201  # was done before
        async with world.client(world.token("other", scopes=[Scope.ASK])) as http:
            assert (await http.post(url, json={"text": "Hello"})).status_code == 201


async def test_money_of_a_day_is_counted_across_a_restart(tmp_path: Path) -> None:
    from chatdesk.core.clock import Clock
    from chatdesk.core.events import EventBus
    from chatdesk.service.allowances import Allowances
    from chatdesk.service.declaration import Caller
    from chatdesk.service.errors import TokenLimitReached

    caller = Caller("0" * 16, "script", frozenset((Scope.ASK,)), money_per_day=0.05)
    first = Allowances(tmp_path, EventBus(), Clock())
    for _ in range(3):
        await first.admit(caller)
        first.record(caller, tokens=10, cost_usd=0.02)
    with pytest.raises(TokenLimitReached) as refused:
        await first.admit(caller)
    assert 0 < (refused.value.retry_after_s or 0) <= 25 * 3600
    await first.close()
    second = Allowances(tmp_path, EventBus(), Clock())
    with pytest.raises(TokenLimitReached):
        await second.admit(caller)
    await second.close()
