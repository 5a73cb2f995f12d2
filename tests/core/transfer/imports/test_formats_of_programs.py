"""Exports of AnythingLLM, Chatbox, Cherry Studio, Jan and LM Studio."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatdesk.core.domain.message import Message, PartType, Status
from chatdesk.core.errors import ImportRefused
from chatdesk.core.transfer.imports.formats import LABELS
from chatdesk.ui.features.transfer.export_sources import EXPORT_SOURCES
from tests.helpers.export_samples import PNG, write_json, write_zip
from tests.helpers.import_world import EXTENDED, NEW, UNCHANGED, ImportWorld, outcomes
from tests.helpers.program_exports import (
    PNG_URL,
    START_MS,
    anythingllm_csv,
    anythingllm_line,
    anythingllm_row,
    chatbox,
    chatbox_message,
    chatbox_session,
    cherry_block,
    cherry_message,
    cherry_studio,
    jan_message,
    lines,
    lm_answer,
    lm_studio,
    lm_text,
    lm_user,
    sample_of,
    write_jan,
)


def _said(message: Message) -> list[tuple[str, str]]:
    return [
        (part.type.value, part.text or str(part.content.get("arguments", part.content.get("name"))))
        for part in message.parts
    ]


async def _brought(world: ImportWorld, path: Path) -> dict[str, list[Message]]:
    """What is shown of every thread; a second import has to add nothing."""
    await world.service.run(path)
    await world.check()
    again = await world.service.run(path)
    assert (again.messages, set(outcomes(again).values())) == (0, {UNCHANGED})
    return {title: await world.shown(thread_id) for title, thread_id in (await world.threads()).items()}


def _texts(messages: list[Message]) -> list[str]:
    return [message.text for message in messages]


async def _project_names(world: ImportWorld) -> list[str]:
    return [project.name for project in await world.store.projects.list()]


# AnythingLLM


async def test_anythingllm_rows_become_a_thread_for_each_workspace(world: ImportWorld) -> None:
    shown = await _brought(world, write_json(world.folder / "chats.json", sample_of("anythingllm")))
    assert _texts(shown["Garden"]) == ["Hi", "Hello", "Bye", "See you"]
    assert _texts(shown["Attic"]) == ["How are you?", "Other room"]
    first, answer = shown["Garden"][:2]
    assert world.blobs.read(first.parts[1].content["sha256"], max_bytes=1000) == PNG
    assert _said(answer) == [("reasoning", "Hm"), ("text", "Hello")]
    assert first.created_at == 1_710_000_001_000
    assert await _project_names(world) == ["Personal", "AnythingLLM"]


async def test_anythingllm_rows_of_several_people_stay_apart(world: ImportWorld) -> None:
    rows = [
        anythingllm_row(1, "Mine", "a", username="ada"),
        anythingllm_row(2, "Yours", "b", username="bob"),
        {key: value for key, value in anythingllm_row(1, "A visitor's", "c").items() if key != "username"},
    ]
    shown = await _brought(world, write_json(world.folder / "chats.json", rows))
    assert {title: messages[0].text for title, messages in shown.items()} == {
        "Garden: ada": "Mine",
        "Garden: bob": "Yours",
        "Garden": "A visitor's",
    }


async def test_anythingllm_csv_is_the_same_as_its_json(world: ImportWorld) -> None:
    rows = [anythingllm_row(1, 'He said "no",\nthen', "x" * 200_000), anythingllm_row(2, "Bye", "See you")]
    path = world.folder / "chats.csv"
    path.write_text(anythingllm_csv(rows), encoding="utf-8-sig")
    shown = await _brought(world, path)
    assert _texts(shown["Garden"]) == ['He said "no", then', "x" * 200_000, "Bye", "See you"]
    rows.append(anythingllm_row(3, "Again", "Yes"))
    report = await world.service.run(write_json(world.folder / "chats.json", rows))
    assert (outcomes(report), report.messages) == ({"Garden": EXTENDED}, 2)


async def test_anythingllm_csv_has_moments_as_javascript_writes_them(world: ImportWorld) -> None:
    rows = [
        anythingllm_row(1, "a", "b", sent_at="Sat Mar 09 2024 17:00:01 GMT+0100 (Central European Standard Time)"),
        anythingllm_row(2, "c", "", sent_at="Sat Feb 31 2024 17:00:01 GMT+0100"),
    ]
    path = world.folder / "chats.csv"
    path.write_text(anythingllm_csv(rows), encoding="utf-8")
    shown = (await _brought(world, path))["Garden"]
    assert shown[0].created_at == 1_710_000_001_000
    assert shown[2].text == "c"


@pytest.mark.parametrize("kept", [-1, -200])
async def test_anythingllm_csv_that_is_cut_off_is_refused(world: ImportWorld, kept: int) -> None:
    whole = anythingllm_csv([anythingllm_row(number, "words", "an answer " * 20) for number in range(1, 30)])
    path = world.folder / "chats.csv"
    path.write_text(whole[:kept], encoding="utf-8")
    with pytest.raises(ImportRefused, match="CSV file is cut off"):
        await world.service.run(path)
    assert await world.threads() == {}


@pytest.mark.parametrize("count", [1, 3])
async def test_anythingllm_lines_are_a_workspace_each(world: ImportWorld, count: int) -> None:
    values = [
        anythingllm_line("You know plants.", f"Question {number}", "<think>Hm</think>An answer")
        for number in range(count)
    ]
    path = world.folder / "chats.jsonl"
    path.write_text(lines(values), encoding="utf-8")
    shown = await _brought(world, path)
    assert sorted(shown) == [f"Question {number}" for number in range(count)]
    assert _said(shown["Question 0"][1]) == [("reasoning", "Hm"), ("text", "An answer")]
    assert (await world.store.threads.get((await world.threads())["Question 0"])).system_prompt == "You know plants."
    longer = anythingllm_line("You know plants.", "Question 0", "<think>Hm</think>An answer", "More", "Yes")
    path.write_text(lines([longer]), encoding="utf-8")
    report = await world.service.run(path)
    assert (outcomes(report), report.messages) == ({"Question 0": EXTENDED}, 2)


# LM Studio


async def test_lm_studio_versions_thoughts_counts_and_instructions(world: ImportWorld) -> None:
    path = write_json(world.folder / "1710000000000.conversation.json", sample_of("lm_studio"))
    shown = (await _brought(world, path))["A local chat"]
    assert _texts(shown) == ["Hello", "One", "And now?", "Now this."]
    assert [message.version_count for message in shown] == [2, 2, 1, 1]
    assert _said(shown[1]) == [("reasoning", "Hm"), ("text", "One")]
    assert (shown[1].model, shown[1].prompt_tokens, shown[1].completion_tokens) == ("qwen3-8b", 7, 3)
    assert shown[3].model == "qwen"
    assert (shown[1].created_at, shown[3].created_at) == (START_MS + 5000, START_MS + 20_000)
    thread = await world.store.threads.get((await world.threads())["A local chat"])
    assert (thread.system_prompt, thread.created_at) == ("Be brief.", START_MS)


async def test_lm_studio_tools_files_and_stopped_answers(world: ImportWorld) -> None:
    request = {"type": "toolCallRequest", "callId": 7, "toolCallRequestId": "r", "name": "read", "parameters": {"p": 1}}
    result = {
        "type": "toolCallResult",
        "callId": 7,
        "toolCallRequestId": "r",
        "content": [{"type": "text", "text": "found"}],
    }
    steps = [
        {"type": "contentBlock", "content": [request]},
        {"type": "contentBlock", "content": [result]},
        lm_text("Here", stopReason="userStopped"),
        {"type": "debugInfoBlock", "debugInfo": "noise"},
    ]
    asked = lm_user("Look")
    asked["versions"][0]["content"].append({"type": "file", "fileIdentifier": "1 - 2.png", "fileType": "image"})
    value = lm_studio(asked, lm_answer(steps))
    folder = world.folder / "conversations"
    (folder / "Work").mkdir(parents=True)
    write_json(folder / "Work" / "1.conversation.json", value)
    (folder / "1 - 2.png").write_bytes(PNG)
    shown = (await _brought(world, folder))["A local chat"]
    assert world.blobs.read(shown[0].parts[1].content["sha256"], max_bytes=1000) == PNG
    assert _said(shown[1]) == [("tool_call", '{\n  "p": 1\n}'), ("tool_result", "found"), ("text", "Here")]
    assert shown[1].parts[1].tool_name == "read"
    assert shown[1].status is Status.STOPPED


async def test_lm_studio_what_was_edited_there_becomes_a_version(world: ImportWorld) -> None:
    path = world.folder / "1.conversation.json"
    write_json(path, lm_studio(lm_user("Hi"), lm_answer([lm_text("Hello")]), lm_user("More")))
    await world.service.run(path)
    write_json(
        path, lm_studio(lm_user("Hi"), lm_answer([lm_text("Changed")]), lm_user("More"), lm_answer([lm_text("Yes")]))
    )
    report = await world.service.run(path)
    await world.check()
    assert (outcomes(report), report.messages) == ({"A local chat": EXTENDED}, 3)
    shown = await world.shown((await world.threads())["A local chat"])
    assert shown[1].version_count == 2


async def test_lm_studio_conversations_of_the_same_moment_stay_apart(world: ImportWorld) -> None:
    values = [lm_studio(lm_user("One")), lm_studio(lm_user("Two"))]
    entries = {f"conversations/{number}.conversation.json": value for number, value in enumerate(values)}
    report = await world.service.run(write_zip(world.folder / "chats.zip", entries))
    assert [line.outcome.value for line in report.lines] == [NEW, NEW]


# Chatbox


async def test_chatbox_sessions_topics_forks_and_tools(world: ImportWorld) -> None:
    shown = await _brought(world, write_json(world.folder / "chatbox-exported-data.json", sample_of("chatbox")))
    assert sorted(shown) == ["Before", "Session s1"]
    question, answer = shown["Session s1"]
    assert [part.type for part in question.parts] == [PartType.TEXT, PartType.IMAGE]
    assert _said(answer) == [
        ("reasoning", "Hm"),
        ("tool_call", '{\n  "q": 1\n}'),
        ("tool_result", "found"),
        ("text", "Hello"),
    ]
    assert (answer.model, answer.version_count) == ("gpt-x", 2)
    thread = await world.store.threads.get((await world.threads())["Session s1"])
    assert thread.system_prompt == "You are kind."
    assert await _project_names(world) == ["Personal", "Chatbox"]


async def test_chatbox_a_topic_that_was_ended_meanwhile_is_not_doubled(world: ImportWorld) -> None:
    path = world.folder / "export.json"
    old = [chatbox_message("q", "user", "Hi"), chatbox_message("a", "assistant", "Hello")]
    write_json(path, chatbox(chatbox_session("s", *old, threadName="First")))
    await world.service.run(path)
    ended = {
        "id": "t",
        "name": "First",
        "createdAt": START_MS,
        "messages": [*old, chatbox_message("q2", "user", "More")],
    }
    write_json(
        path, chatbox(chatbox_session("s", chatbox_message("n", "user", "New"), threadName="Second", threads=[ended]))
    )
    report = await world.service.run(path)
    assert (outcomes(report), report.messages) == ({"Second": NEW, "First": EXTENDED}, 2)


async def test_chatbox_forks_within_forks_and_circles(world: ImportWorld) -> None:
    forks = {
        "q": {
            "position": 0,
            "lists": [
                {"id": "1", "messages": [chatbox_message("b", "assistant", "B"), chatbox_message("c", "user", "C")]}
            ],
        },
        "c": {
            "position": 0,
            "lists": [
                {"id": "2", "messages": [chatbox_message("d", "assistant", "D"), chatbox_message("q", "user", "again")]}
            ],
        },
    }
    value = chatbox(
        chatbox_session(
            "s", chatbox_message("q", "user", "Q"), chatbox_message("a", "assistant", "A"), messageForksHash=forks
        )
    )
    shown = (await _brought(world, write_json(world.folder / "e.json", value)))["Session s"]
    assert _texts(shown) == ["Q", "A"]
    assert (await world.store.threads.get((await world.threads())["Session s"])).message_count == 5


async def test_chatbox_older_exports_and_one_session_alone(world: ImportWorld) -> None:
    old = {"id": "o", "name": "Old", "messages": [
        {"id": "1", "role": "user", "content": "Hi", "pictures": [{"url": PNG_URL}]},
        {"id": "2", "role": "assistant", "content": "", "error": "No key", "timestamp": START_MS},
        {"id": "3", "role": "assistant", "content": "Half", "generating": True, "reasoningContent": "Hm"},
    ]}  # fmt: skip
    shown = (await _brought(world, write_json(world.folder / "old.json", {"settings": {}, "chat-sessions": [old]})))[
        "Old"
    ]
    assert world.blobs.read(shown[0].parts[1].content["sha256"], max_bytes=1000) == PNG
    assert (shown[1].status, shown[1].error) == (Status.ERROR, "No key")
    assert (shown[2].status, _said(shown[2])[0]) == (Status.INTERRUPTED, ("reasoning", "Hm"))
    alone = {
        "__version": 1,
        "__source": "chatbox",
        "__exported_at": "2026-01-01T00:00:00Z",
        "session": chatbox_session("x", chatbox_message("q", "user", "Alone"), starred=True),
    }
    report = await world.service.run(write_json(world.folder / "one.json", alone))
    assert outcomes(report) == {"Session x": NEW}


async def test_chatbox_zip_has_the_files_that_messages_name(world: ImportWorld) -> None:
    link = {"id": "l", "url": "https://example.org", "title": "A page"}
    file = {"id": "f", "name": "notes.txt", "fileType": "text/plain", "storageKey": "file:2"}
    picture = {"type": "image", "storageKey": "picture:1"}
    session = chatbox_session("s", chatbox_message("q", "user", "Look", picture, files=[file], links=[link]))
    resources = [
        {"id": "r1", "path": "sessions/s/resources/r1.png", "originalStorageKeys": ["picture:1", 5]},
        {"id": "r2", "path": "sessions/s/resources/r2.txt", "originalStorageKeys": ["file:2"]},
        {"id": "r3", "path": "../../outside", "originalStorageKeys": ["file:3"]},
        "odd",
    ]
    entries = {
        "manifest.json": {"format": "chatbox-backup", "resources": resources},
        "sessions/s/session.json": session,
        "sessions/s/resources/r1.png": PNG,
        "sessions/s/resources/r2.txt": b"inside",
    }
    shown = (await _brought(world, write_zip(world.folder / "backup.zip", entries)))["Session s"]
    parts = shown[0].parts
    assert [part.type for part in parts] == [PartType.TEXT, PartType.IMAGE, PartType.FILE, PartType.TEXT]
    assert world.blobs.read(parts[1].content["sha256"], max_bytes=1000) == PNG
    assert world.blobs.read(parts[2].content["sha256"], max_bytes=1000) == b"inside"


# Cherry Studio


async def test_cherry_studio_topics_names_thoughts_and_answers_of_several_models(world: ImportWorld) -> None:
    path = write_zip(world.folder / "cherry-studio.zip", {"data.json": sample_of("cherry_studio")})
    shown = (await _brought(world, path))["A topic"]
    assert _texts(shown) == ["Hi", "Two", "Next"]
    assert (shown[1].version_count, shown[1].created_at) == (2, 1_710_000_003_000)
    other = next(each for each in await world.store.messages.versions(shown[1].id) if each.id != shown[1].id)
    assert (other.model, _said(other)) == ("m-1", [("reasoning", "Hm"), ("text", "One")])
    thread = await world.store.threads.get((await world.threads())["A topic"])
    assert (thread.system_prompt, thread.created_at) == ("You help.", 1_710_000_000_000)
    assert await _project_names(world) == ["Personal", "Cherry Studio"]


async def test_cherry_studio_blocks_of_every_kind(world: ImportWorld) -> None:
    tool = {
        "rawMcpToolResponse": {
            "id": "c",
            "tool": {"name": "look"},
            "arguments": {"q": 1},
            "response": {"content": [{"type": "text", "text": "found"}]},
        }
    }
    file = {
        "id": "f1",
        "name": "f1.txt",
        "origin_name": "notes.txt",
        "ext": ".txt",
        "path": "/etc/passwd",
        "type": "text",
    }
    picture = {"id": "f2", "origin_name": "cat.png", "ext": ".png", "path": "C:\\cat.png", "type": "image"}
    blocks = [
        cherry_block("1", "file", file=file),
        cherry_block("2", "image", file=picture),
        cherry_block("3", "image", url=PNG_URL),
        cherry_block("4", "tool", toolId="c", metadata=tool),
        cherry_block("5", "code", content="x = 1", language="python"),
        cherry_block("6", "translation", content="Bonjour"),
        cherry_block("7", "error", error={"message": "No credit"}),
        cherry_block("8", "video", url="https://example.org/v"),
        cherry_block("9", "citation", response={}),
    ]
    messages = [
        cherry_message("q", "user", "1", "2", "3", "missing"),
        cherry_message("a", "assistant", "4", "5", "6", "8", "9"),
        cherry_message("clear", "user", type="clear"),
        cherry_message("e", "assistant", "7", status="error", usage={"prompt_tokens": 3, "total_tokens": 4}),
    ]
    data = cherry_studio([{"id": "t1", "messages": messages}], blocks, names={})
    entries = {
        "data.json": data,
        "Data/Files/f1.txt": b"inside",
        "Data/Files/f2.png": PNG,
        "Data/Files/f3.json": [{"mapping": {}}],
    }
    shown = next(iter((await _brought(world, write_zip(world.folder / "b.zip", entries))).values()))
    assert [part.type for part in shown[0].parts] == [PartType.FILE, PartType.IMAGE, PartType.IMAGE]
    assert world.blobs.read(shown[0].parts[0].content["sha256"], max_bytes=100) == b"inside"
    assert shown[0].parts[0].content["name"] == "notes.txt"
    assert _said(shown[1])[:4] == [
        ("tool_call", '{\n  "q": 1\n}'),
        ("tool_result", "found"),
        ("text", "```python\nx = 1\n```"),
        ("text", "Bonjour"),
    ]
    assert (shown[2].status, shown[2].error, shown[2].prompt_tokens) == (Status.ERROR, "No credit", 3)


async def test_cherry_studio_tables_in_another_order_and_texts_in_messages(world: ImportWorld) -> None:
    data = sample_of("cherry_studio")
    tables = data.pop("indexedDB")
    settings = data.pop("localStorage")
    old = [
        cherry_message("o1", "user", content="Old question"),
        cherry_message("o2", "assistant", content="Old answer", reasoning_content="Hm"),
    ]
    topics = [*tables["topics"], {"id": "t0", "messages": old}]
    turned = {
        **data,
        "indexedDB": {"topics": topics, "message_blocks": tables["message_blocks"]},
        "localStorage": settings,
    }
    folder = world.folder / "unpacked"
    folder.mkdir()
    write_json(folder / "data.json", turned)
    shown = await _brought(world, folder)
    assert _texts(shown["A topic"]) == ["Hi", "Two", "Next"]
    assert _said(shown["Old question"][1]) == [("reasoning", "Hm"), ("text", "Old answer")]


async def test_cherry_studio_backup_of_its_raw_database_says_what_to_do(world: ImportWorld) -> None:
    entries = {"metadata.json": {"version": 6}, "IndexedDB/file__0.indexeddb.leveldb/000003.log": b"\0\1"}
    with pytest.raises(ImportRefused, match="database as it is") as caught:
        await world.service.run(write_zip(world.folder / "b.zip", entries))
    assert "Export to Phone" in caught.value.sentence


# Jan


async def test_jan_folder_with_titles_thoughts_tools_and_pictures(world: ImportWorld) -> None:
    folder = write_jan(world.folder / "threads", sample_of("jan"))
    shown = (await _brought(world, folder))["A Jan thread"]
    assert [part.type for part in shown[0].parts] == [PartType.TEXT, PartType.IMAGE]
    assert _said(shown[1]) == [
        ("reasoning", "Hm"),
        ("tool_call", '{\n  "q": 1\n}'),
        ("tool_result", "found"),
        ("text", "Hello"),
    ]
    assert (shown[1].model, shown[1].created_at) == ("gemma-3", START_MS + 5000)
    thread = await world.store.threads.get((await world.threads())["A Jan thread"])
    assert (thread.system_prompt, thread.created_at) == ("Be Jan.", START_MS)
    write_jan(folder, [*sample_of("jan"), jan_message("m4", "assistant", "See you", at=20)], title="Renamed there")
    report = await world.service.run(folder)
    assert report.messages == 1
    assert await _project_names(world) == ["Personal", "Jan"]


async def test_jan_older_messages_zips_and_lines_alone(world: ImportWorld) -> None:
    call = {
        "tool": {"id": "c", "function": {"name": "look", "arguments": '{"q": 1}'}},
        "response": {"content": [{"text": "found"}]},
        "state": "ready",
    }
    messages = [
        jan_message(
            "1",
            "user",
            "Hi",
            attachments=[{"file_id": "f1.pdf"}],
            metadata={"inline_file_contents": [{"name": "n.md", "content": "inside"}]},
        ),
        jan_message("2", "assistant", "<think>Hm</think>Hello", metadata={"tool_calls": [call]}),
        jan_message("3", "assistant", status="error", metadata={"error": "No model"}),
        jan_message("4", "assistant", "Half", status="stopped"),
        jan_message("5", "user", {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}),
    ]
    entries = {
        "threads/jan1/messages.jsonl": lines(messages).encode(),
        "threads/jan1/thread.json": b'{"id": "jan1", "title": "Zipped"}',
    }
    shown = (await _brought(world, write_zip(world.folder / "threads.zip", entries)))["Zipped"]
    assert [part.type for part in shown[0].parts] == [PartType.TEXT, PartType.FILE, PartType.FILE]
    assert world.blobs.read(shown[0].parts[1].content["sha256"], max_bytes=100) == b"inside"
    assert _said(shown[1]) == [
        ("tool_call", '{"q": 1}'),
        ("tool_result", "found"),
        ("reasoning", "Hm"),
        ("text", "Hello"),
    ]
    assert [message.status for message in shown[2:4]] == [Status.ERROR, Status.STOPPED]
    assert "sha256" not in shown[4].parts[0].content
    (world.folder / "messages.jsonl").write_text(lines(messages), encoding="utf-8")
    assert (await world.service.run(world.folder / "messages.jsonl")).messages == 0


async def test_a_folder_that_holds_no_chats_says_so(world: ImportWorld) -> None:
    folder = world.folder / "pictures"
    folder.mkdir()
    (folder / "a.png").write_bytes(PNG)
    (folder / "b.json").write_text('{"object": "thread"}')
    with pytest.raises(ImportRefused, match="nothing in this folder"):
        await world.service.run(folder)


def test_every_program_that_is_read_is_explained_and_named_in_the_documents() -> None:
    root = Path(__file__).parents[4]
    guide = (root / "docs" / "guide.md").read_text("utf-8")
    explained = {source.program for source in EXPORT_SOURCES}
    assert explained == set(LABELS.values())
    assert all(label in guide for label in LABELS.values())
