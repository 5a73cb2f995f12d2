"""Claude's, Open WebUI's and LibreChat's exports."""

# ruff: noqa: E501 - a value of an export a line

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from chatdesk.core.domain.message import Message, PartType, Status
from tests.helpers.export_samples import PNG, claude, claude_message, write_zip
from tests.helpers.import_world import ImportWorld, outcomes


async def _brought(world: ImportWorld, value: Any) -> list[Message]:
    """The shown path of the only thread; a second import has to add nothing."""
    report = await world.bring(value)
    await world.check()
    assert len(report.lines) == 1
    assert (await world.bring(value)).messages == 0
    return await world.shown(next(iter((await world.threads()).values())))


def _said(message: Message) -> list[tuple[str, str]]:
    return [
        (part.type.value, part.text or str(part.content.get("arguments", part.content.get("name"))))
        for part in message.parts
    ]


# Claude


async def test_claude_messages_in_a_row(world: ImportWorld) -> None:
    messages = [
        claude_message("m1", "human", "Hi"),
        claude_message("m2", "assistant", "Hello", 1, model="claude-x"),
        claude_message("m3", "human", "", 2),
        claude_message("m4", "human", "Bye", 3),
    ]
    shown = await _brought(world, [claude("c", messages)])
    assert [message.text for message in shown] == ["Hi", "Hello", "Bye"]
    assert shown[1].model == "claude-x"
    assert [project.name for project in await world.store.projects.list()] == ["Personal", "Claude"]


async def test_claude_messages_in_a_tree(world: ImportWorld) -> None:
    none = "00000000-0000-4000-8000-000000000000"
    messages = [
        claude_message("q", "human", "Hi", parent_message_uuid=none),
        claude_message("a", "assistant", "One", 1, parent_message_uuid="q"),
        claude_message("b", "assistant", "Two", 2, parent_message_uuid="q"),
    ]
    shown = await _brought(world, [claude("c", messages, current_leaf_message_uuid="a")])
    assert [message.text for message in shown] == ["Hi", "One"]
    assert (shown[1].version_index, shown[1].version_count) == (1, 2)


async def test_claude_blocks_of_every_kind(world: ImportWorld) -> None:
    blocks = [
        {"type": "thinking", "thinking": "Hm", "start_timestamp": "2024-05-01T10:00:00Z"},
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "tool1", "name": "web_search", "input": {"query": "cats"}},
        {"type": "tool_result", "tool_use_id": "tool1", "name": "web_search", "content": [{"type": "text", "title": "Cats", "url": "https://c", "text": "are nice"}]},
        {"type": "tool_use", "name": "artifacts", "input": {"command": "create", "title": "Page", "type": "text/html", "content": "<p>x</p>"}},
        {"type": "tool_result", "name": "artifacts", "content": [{"type": "text", "text": "OK"}]},
        {"type": "tool_use", "name": "artifacts", "input": {"command": "update", "old_str": "x", "new_str": "y"}},
        {"type": "tool_use", "name": "create_file", "input": {"path": "/out/a.py", "file_text": "x = 1"}},
        {"type": "token_budget"},
        {"type": "mystery", "payload": 1},
    ]  # fmt: skip
    messages = [claude_message("q", "human", "Hi"), claude_message("a", "assistant", "", 1, content=blocks)]
    shown = await _brought(world, [claude("c", messages)])
    said = _said(shown[1])
    assert said[:4] == [
        ("reasoning", "Hm"),
        ("text", "I look."),
        ("tool_call", '{\n  "query": "cats"\n}'),
        ("tool_result", "Cats https://c\nare nice"),
    ]
    assert said[4] == ("text", "\n\n**Page**\n\n```html\n<p>x</p>\n```\n\n")
    assert said[5][0] == "tool_call"
    assert said[6] == ("text", "\n\n**a.py**\n\n```py\nx = 1\n```\n\n")
    assert said[7][0] == "text"
    assert said[8] == ("text", "\n\n**Page**\n\n```html\n<p>y</p>\n```")
    assert len(said) == 9
    assert shown[1].parts[2].tool_call_id == shown[1].parts[3].tool_call_id == "tool1"


async def test_claude_artifacts_and_thoughts_inside_of_texts(world: ImportWorld) -> None:
    text = (
        "<antThinking>Make one.</antThinking>Here:\n"
        '<antArtifact identifier="n" type="text/markdown" title="Notes"># Notes\nremember</antArtifact>\nDone.'
        "<antArtifact never closed"
    )
    shown = await _brought(
        world, [claude("c", [claude_message("q", "human", "Hi"), claude_message("a", "assistant", text, 1)])]
    )
    assert _said(shown[1])[0] == ("reasoning", "Make one.")
    assert "**Notes**\n\n# Notes\nremember" in shown[1].text
    assert shown[1].text.endswith("<antArtifact never closed")


async def test_marks_that_are_opened_again_and_again_cost_no_time(world: ImportWorld) -> None:
    text = "<antArtifact a>" * 50_000 + "<antThinking>" * 50_000
    details = '<details type="reasoning">' * 50_000
    shown = await _brought(world, [claude("c", [claude_message("a", "assistant", text)])])
    assert shown[0].text == text
    chat = {"id": "w", "chat": {"history": {"messages": {"a": {"role": "assistant", "content": details}}}}}
    await world.bring([chat])
    assert len(await world.threads()) == 2


async def test_claude_attachments_are_files_and_names_without_bytes_are_told(world: ImportWorld) -> None:
    message = claude_message(
        "q",
        "human",
        "Read this",
        attachments=[
            {"file_name": "report.pdf", "file_size": 9, "file_type": "pdf", "extracted_content": "All is well"},
            {"file_name": "empty.txt", "extracted_content": ""},
        ],
        files=[{"file_name": "photo.png", "file_uuid": "u1"}],
        files_v2=[{"file_name": "photo.png", "file_uuid": "u1", "file_kind": "image"}],
    )
    report = await world.bring([claude("c", [message])])
    assert report.missing_files == 2
    shown = await world.shown((await world.threads())["A Claude chat"])
    files = [(part.type.value, part.content["name"]) for part in shown[0].parts[1:]]
    assert files == [("file", "report.pdf.txt"), ("file", "empty.txt"), ("image", "photo.png")]
    sha256 = shown[0].parts[1].content["sha256"]
    assert world.blobs.read(sha256, max_bytes=100) == b"All is well"


async def test_claude_projects_give_their_conversations_a_tag_and_a_system_prompt(world: ImportWorld) -> None:
    path = write_zip(
        world.folder / "data.zip",
        {
            "conversations.json": [claude("c", [claude_message("q", "human", "Hi")], project_uuid="p1")],
            "projects.json": [{"uuid": "p1", "name": "Garden", "prompt_template": "You know plants.", "docs": [{}]}],
            "users.json": [{"uuid": "me"}],
        },
    )
    await world.service.run(path)
    thread = await world.store.threads.get((await world.threads())["A Claude chat"])
    assert thread.system_prompt == "You know plants."
    assert [row[1] for row in await world.all_rows("tags")] == ["Garden"]


async def test_claude_documents_that_were_changed_in_places_stand_as_they_are_then(world: ImportWorld) -> None:
    def call(key: str, above: str, minute: int, *uses: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        blocks = [
            {"type": "tool_use", "id": f"{key}-{i}", "name": name, "input": data} for i, (name, data) in enumerate(uses)
        ]
        return claude_message(key, "assistant", "", minute, content=blocks, parent_message_uuid=above)

    made = {"command": "create", "id": "plan", "type": "text/markdown", "title": "Plan", "content": "One. Two."}
    update = {"command": "update", "id": "plan", "old_str": "Two", "new_str": "Three"}
    twice = {"command": "update", "id": "plan", "old_str": "One", "new_str": "Zero"}
    lost = {"command": "update", "id": "plan", "old_str": "not there", "new_str": "x"}
    file = {"path": "/mnt/tool.py", "file_text": "a = 1"}
    edit = {"path": "/mnt/tool.py", "old_str": "1", "new_str": "2", "description": "d"}
    rewritten = {"command": "rewrite", "id": "plan", "type": "text/markdown", "content": "All anew."}
    messages = [
        claude_message("q", "human", "Plan it"),
        call("a", "q", 1, ("artifacts", made), ("create_file", file)),
        call("b", "a", 2, ("artifacts", update), ("artifacts", twice), ("artifacts", lost)),
        call("c", "a", 3, ("str_replace", edit), ("artifacts", {**update, "new_str": "Four"})),
        call("d", "c", 4, ("artifacts", rewritten)),
    ]
    await _brought(world, [claude("c", messages)])
    rows = await world.store.db.read(
        lambda conn: [row[0] for row in conn.exec_driver_sql("SELECT content FROM message_parts WHERE type = 'text'")]
    )
    texts = {json.loads(row)["text"].strip() for row in rows}
    assert texts == {
        "Plan it",
        "**Plan**\n\nOne. Two.",
        "**tool.py**\n\n```py\na = 1\n```",
        "**Plan**\n\nZero. Three.",
        "**tool.py**\n\n```py\na = 2\n```",
        "**Plan**\n\nOne. Four.",
        "All anew.",
    }


@pytest.mark.parametrize("is_in_one_file", [True, False])
async def test_claude_projects_documents_are_a_thread_of_files(world: ImportWorld, is_in_one_file: bool) -> None:
    def document(key: str, day: int, text: str) -> dict[str, Any]:
        return {"uuid": key, "filename": f"{key}.md", "content": text, "created_at": f"2025-03-{day:02d}T10:00:00Z"}

    def export(*documents: dict[str, Any]) -> dict[str, Any]:
        garden = {
            "uuid": "p1",
            "name": "Garden",
            "description": "All about it",
            "prompt_template": "You know plants.",
            "created_at": "2025-03-01T09:00:00Z",
            "docs": list(documents),
        }
        empty = {"uuid": "p2", "name": "Empty", "docs": [{"uuid": "x", "filename": "x", "content": " "}, 3]}
        projects = {"projects.json": [garden, empty]}
        if not is_in_one_file:
            projects = {"projects/p1.json": garden, "projects/p2.json": empty, "projects/odd.json": "odd"}
        return {
            "conversations.json": [claude("c", [claude_message("q", "human", "Hi")], project_uuid="p1")],
            "users.json": [{"uuid": "me"}],
            "memories.json": [{"conversations_memory": "m"}],
            **projects,
        }

    first = export(document("roses", 3, "They bloom"), document("ants", 2, "They crawl"))
    await world.service.run(write_zip(world.folder / "data.zip", first))
    await world.check()
    threads = await world.threads()
    assert sorted(threads) == ["A Claude chat", "Garden: documents"]
    thread = await world.store.threads.get(threads["Garden: documents"])
    assert thread.system_prompt == "You know plants."
    assert (await world.store.threads.get(threads["A Claude chat"])).system_prompt == "You know plants."
    shown = await world.shown(thread.id)
    assert [message.text or message.parts[0].content["name"] for message in shown] == [
        "All about it",
        "ants.md",
        "roses.md",
    ]
    assert world.blobs.read(shown[2].parts[0].content["sha256"], max_bytes=100) == b"They bloom"

    newer = export(
        document("roses", 3, "They bloom"), document("ants", 2, "They crawl"), document("bees", 9, "They fly")
    )
    report = await world.service.run(write_zip(world.folder / "data.zip", newer))
    odd = {} if is_in_one_file else {"odd.json": "skipped"}
    assert outcomes(report) == {"A Claude chat": "unchanged", "Garden: documents": "extended", **odd}
    assert len(await world.shown(thread.id)) == 4


# Open WebUI


def _chat(messages: dict[str, Any], current: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "w1",
        "title": "A chat",
        "created_at": 1_700_000_000,
        "updated_at": 1_700_000_100,
        "chat": {"models": ["llama"], "history": {"messages": messages, "currentId": current}, **more},
    }


def _said_in(key: str, parent: str | None, role: str, content: Any, at: int, **more: Any) -> dict[str, Any]:
    return {"id": key, "parentId": parent, "childrenIds": [], "role": role, "content": content, "timestamp": at, **more}


async def test_open_webui_trees_reasoning_tools_files_and_usage(world: ImportWorld) -> None:
    url = "data:image/png;base64," + base64.b64encode(PNG).decode()
    thinking = (
        '<details type="reasoning" done="true" duration="3">\n<summary>Thought for 3 seconds</summary>\n'
        "&gt; Is it &quot;so&quot;?\n&gt; Yes.\n</details>\nIt is."
    )
    tool = (
        '<details type="tool_calls" done="true" id="call1" name="weather" arguments="{&quot;city&quot;: &quot;Paris&quot;}"'
        ' result="18C"><summary>Tool Executed</summary></details>Mild.'
    )
    messages = {
        "q": _said_in("q", None, "user", "Hi", 1_700_000_000, files=[{"type": "image", "url": url}, {"type": "file", "name": "n.pdf", "file": {"data": {"content": "inside"}}}]),
        "a": _said_in("a", "q", "assistant", thinking, 1_700_000_010, model="r1", usage={"prompt_tokens": 7, "completion_tokens": 3}),
        "b": _said_in("b", "q", "assistant", tool, 1_700_000_020, model="llama"),
        "e": _said_in("e", "q", "assistant", "", 1_700_000_030, error={"content": "No such model"}),
    }  # fmt: skip
    shown = await _brought(world, [_chat(messages, "a", params={"system": "Be kind."}, tags=["fun"])])
    assert [part.type for part in shown[0].parts] == [PartType.TEXT, PartType.IMAGE, PartType.FILE]
    assert world.blobs.read(shown[0].parts[1].content["sha256"], max_bytes=1000) == PNG
    assert world.blobs.read(shown[0].parts[2].content["sha256"], max_bytes=1000) == b"inside"
    assert _said(shown[1]) == [("reasoning", 'Is it "so"?\nYes.'), ("text", "\nIt is.")]
    assert (shown[1].model, shown[1].prompt_tokens, shown[1].completion_tokens, shown[1].total_tokens) == (
        "r1",
        7,
        3,
        10,
    )
    versions = {message.id: message for message in await world.store.messages.versions(shown[1].id)}
    others = [message for message in versions.values() if message.id != shown[1].id]
    assert _said(others[0]) == [("tool_call", '{"city": "Paris"}'), ("tool_result", "18C"), ("text", "Mild.")]
    assert (others[1].status, others[1].error) == (Status.ERROR, "No such model")
    thread = await world.store.threads.get((await world.threads())["A chat"])
    assert thread.system_prompt == "Be kind."
    assert [row[1] for row in await world.all_rows("tags")] == ["fun"]


async def test_open_webui_chats_in_a_row_alone_and_in_pieces(world: ImportWorld) -> None:
    pieces = [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,!!!"}},
    ]
    shown = await _brought(
        world,
        {
            "title": "Alone",
            "chat": {"messages": [{"role": "user", "content": pieces}, {"role": "assistant", "content": "ok"}]},
        },
    )
    assert [message.text for message in shown] == ["Look", "ok"]


async def test_open_webui_archived_and_pinned(world: ImportWorld) -> None:
    messages = {"q": _said_in("q", None, "user", "Hi", 1_700_000_000)}
    chat = _chat(messages, "q") | {"archived": True, "pinned": True, "meta": {"tags": ["a b"]}}
    await world.bring([chat])
    assert list(await world.threads(scope="archive")) == ["A chat"]


# LibreChat


def _libre(key: str, parent: str, text: str, second: int, **more: Any) -> dict[str, Any]:
    return {
        "messageId": key,
        "parentMessageId": parent,
        "text": text,
        "sender": "User" if len(key) % 2 else "GPT",
        "isCreatedByUser": bool(len(key) % 2),
        "createdAt": f"2024-05-01T16:35:{second:02d}.530Z",
        "model": None if len(key) % 2 else "gpt-4",
        **more,
    }


_NO_PARENT = "00000000-0000-0000-0000-000000000000"


async def test_librechat_messages_within_messages(world: ImportWorld) -> None:
    inner = _libre("a2", "q", "Second", 30, children=[])
    tree = [_libre("q", _NO_PARENT, "Hi", 10, children=[_libre("a1", "q", "First", 20, children=[]), inner])]
    value = {
        "conversationId": "c1",
        "title": "Libre",
        "recursive": True,
        "options": {"promptPrefix": "You are an expert."},
        "messages": tree,
    }
    shown = await _brought(world, value)
    assert [message.text for message in shown] == ["Hi", "Second"]
    assert shown[1].version_count == 2
    thread = await world.store.threads.get((await world.threads())["Libre"])
    assert thread.system_prompt == "You are an expert."


async def test_librechat_messages_in_a_row_with_parents(world: ImportWorld) -> None:
    rows = [_libre("q", _NO_PARENT, "Hi", 10), _libre("a1", "q", "Hello", 20), _libre("qqq", "a1", "Bye", 30)]
    shown = await _brought(world, {"conversationId": "c", "messages": rows})
    assert [message.text for message in shown] == ["Hi", "Hello", "Bye"]


async def test_librechat_content_in_pieces_errors_and_files(world: ImportWorld) -> None:
    content = [
        {"type": "think", "think": "Hm"},
        {"type": "tool_call", "tool_call": {"id": "t1", "name": "search", "args": {"q": 1}, "output": "found"}},
        {"type": "text", "text": {"value": "Here"}},
        {"type": "image_file", "image_file": {"filename": "x.png"}},
    ]
    rows = [
        _libre("q", _NO_PARENT, "Hi", 10, files=[{"filename": "a.txt", "type": "text/plain", "file_id": "f1"}]),
        _libre("a1", "q", "", 20, content=content, unfinished=True, tokenCount=12),
        _libre("qqq", "a1", "Again", 30),
        _libre("a222", "qqq", "It failed", 40, error=True),
    ]
    shown = await _brought(world, {"conversationId": "c", "messagesTree": rows, "tags": ["x"]})
    assert [part.type for part in shown[0].parts] == [PartType.TEXT, PartType.FILE]
    assert _said(shown[1])[:3] == [("reasoning", "Hm"), ("tool_call", '{\n  "q": 1\n}'), ("tool_result", "found")]
    assert (shown[1].status, shown[1].completion_tokens, shown[1].text) == (Status.INTERRUPTED, 12, "Here")
    assert (shown[3].status, shown[3].error) == (Status.ERROR, "It failed")


async def test_librechat_conversations_as_deep_as_they_are_long(world: ImportWorld) -> None:
    value: dict[str, Any] = {"messageId": "m0", "text": "0", "isCreatedByUser": True, "children": []}
    top = value
    for number in range(1, 400):
        child: dict[str, Any] = {
            "messageId": f"m{number}",
            "text": str(number),
            "isCreatedByUser": number % 2 == 0,
            "children": [],
        }
        top["children"].append(child)
        top = child
    deep = {"conversationId": "deep", "recursive": True, "messagesTree": [value]}
    path = world.folder / "deep.json"
    path.write_text(_written(deep), encoding="utf-8")
    await world.service.run(path)
    await world.check()
    shown = await world.shown(next(iter((await world.threads()).values())))
    assert [message.text for message in shown] == [str(number) for number in range(400)]


def _written(value: Any) -> str:
    import json
    import sys

    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000)
    try:
        return json.dumps(value)
    finally:
        sys.setrecursionlimit(before)
