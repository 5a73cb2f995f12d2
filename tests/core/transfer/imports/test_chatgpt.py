"""ChatGPT's export: every kind of content, hidden and empty nodes, files, canvas."""

# ruff: noqa: E501 - a value of an export a line

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from chatdesk.core.domain.message import ContextMark, Part, PartType, Role, Status
from chatdesk.core.transfer.imports.chatgpt import read_conversation
from tests.helpers.export_samples import PNG, START_S, chatgpt, node, plain_chatgpt, write_zip
from tests.helpers.import_world import ImportWorld, outcomes


def _question(text: str = "Hello", **more: Any) -> dict[str, Any]:
    return node("q", None, "user", text, at=START_S, **more)


async def _parts(world: ImportWorld, *nodes: dict[str, Any]) -> list[Part]:
    """Of the answer to a question."""
    await world.bring([chatgpt("c", [_question(), *nodes])])
    await world.check()
    shown = await world.shown((await world.threads())["A chat"])
    assert [message.role for message in shown] == [Role.USER, Role.ASSISTANT]
    return list(shown[1].parts)


def _said(parts: list[Part]) -> list[tuple[str, str]]:
    return [
        (part.type.value, part.text or str(part.content.get("arguments", part.content.get("name")))) for part in parts
    ]


async def test_thoughts_calls_and_results_become_parts_of_their_answer(world: ImportWorld) -> None:
    thoughts = {"content_type": "thoughts", "thoughts": [{"summary": "Look", "content": "at it"}, {"content": "more"}]}
    parts = await _parts(
        world,
        node("t", "q", "assistant", content=thoughts, at=START_S + 1),
        node("r", "t", "assistant", content={"content_type": "reasoning_recap", "content": "Thought for 3s"}),
        node("c", "r", "assistant", content={"content_type": "code", "text": "print(1)"}, recipient="python"),
        node("o", "c", "tool", content={"content_type": "execution_output", "text": "1"}, name="python"),
        node("b", "o", "assistant", content={"content_type": "code", "text": '{"q": "x"}'}, recipient="browser"),
        node(
            "w",
            "b",
            "tool",
            content={"content_type": "tether_quote", "url": "https://a.b", "title": "T", "text": "Quote"},
        ),
        node("a", "w", "assistant", "Done", at=START_S + 9, metadata={"model_slug": "o3"}),
    )
    assert _said(parts) == [
        ("reasoning", "**Look**\n\nat it\n\nmore"),
        ("reasoning", "Thought for 3s"),
        ("tool_call", "print(1)"),
        ("tool_result", "1"),
        ("tool_call", '{"q": "x"}'),
        ("tool_result", "T https://a.b\n\nQuote"),
        ("text", "Done"),
    ]
    calls = [part.tool_call_id for part in parts if part.type in (PartType.TOOL_CALL, PartType.TOOL_RESULT)]
    assert calls == ["c", "c", "b", "b"]
    assert parts[2].tool_name == "python"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"content_type": "text", "parts": ["one", "", "two"]}, "one\ntwo"),
        ({"content_type": "code", "language": "python", "text": "x = 1"}, "```python\nx = 1\n```"),
        ({"content_type": "code", "language": "?!", "text": "a ``` b"}, "````\na ``` b\n````"),
        ({"content_type": "sonic_webpage", "title": "T", "url": "https://a", "text": "Page"}, "T https://a\n\nPage"),
        ({"content_type": "tether_browsing_display", "result": "Found"}, "Found"),
        ({"content_type": "unheard_of", "text": "Kept"}, "Kept"),
        ({"content_type": "unheard_of", "stuff": {"a": 1}}, '```json\n{\n  "stuff": {\n    "a": 1\n  }\n}\n```'),
        ({"content_type": "multimodal_text", "parts": ["a", {"content_type": "audio_transcription", "text": "b"}]}, "a\nb"),
        ({"content_type": "text", "parts": ["a", {"odd": True}]}, 'a\n```json\n{\n  "odd": true\n}\n```'),
        ({"content_type": "multimodal_text", "parts": [{"content_type": "audio_asset_pointer"}]}, "*(Sound or video, which is not shown here.)*"),
    ],
)  # fmt: skip
async def test_content_of_every_kind_is_kept(world: ImportWorld, content: dict[str, Any], text: str) -> None:
    parts = await _parts(world, node("a", "q", "assistant", content=content, at=START_S + 1))
    assert [part.text for part in parts] == [text]


def _canvas(key: str, above: str, tool: str, arguments: Any) -> dict[str, Any]:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return node(key, above, "assistant", content={"content_type": "code", "text": text}, recipient=f"canmore.{tool}")


def _update(pattern: str, replacement: str, **more: Any) -> dict[str, Any]:
    return {"updates": [{"pattern": pattern, "replacement": replacement, "multiple": False, **more}]}


async def test_a_canvas_is_text_and_smaller_changes_of_it_are_calls(world: ImportWorld) -> None:
    parts = await _parts(
        world,
        _canvas("c1", "q", "create_textdoc", {"name": "Plan", "type": "document", "content": "# Plan\nFirst"}),
        _canvas("c2", "c1", "create_textdoc", {"name": "tool", "type": "code/python", "content": "print(1)"}),
        _canvas("c3", "c2", "update_textdoc", _update(".*", "All anew")),
        _canvas("c4", "c3", "update_textdoc", _update("First", "Second")),
        _canvas("c5", "c4", "create_textdoc", "not json"),
        node("a", "c5", "assistant", "There", at=START_S + 9),
    )
    assert _said(parts)[:3] == [
        ("text", "**Plan**\n\n# Plan\nFirst"),
        ("text", "**tool**\n\n```python\nprint(1)\n```"),
        ("text", "**tool**\n\n```python\nAll anew\n```"),
    ]
    assert [kind for kind, _ in _said(parts)[3:]] == ["tool_call", "tool_call", "text"]


async def test_a_small_change_of_a_canvas_is_followed_by_the_document_as_it_stands_in_its_branch(
    world: ImportWorld,
) -> None:
    nodes = [
        _question(),
        _canvas("c", "q", "create_textdoc", {"name": "Plan", "type": "document", "content": "One. Two (2). Three."}),
        node("q2", "c", "user", "Change it", at=START_S + 5),
        _canvas("u1", "q2", "update_textdoc", _update(r"Two \(2\)\.", "Zwei.")),
        _canvas("u2", "u1", "update_textdoc", _update(r"Zwei.*?Three", "All")),
        _canvas("v", "q2", "update_textdoc", _update("T", "t", multiple=True)),
        _canvas("w", "v", "update_textdoc", _update(r"(?<=w)o+", "never")),
    ]
    await world.bring([chatgpt("c", nodes, current="u2")])
    await world.check()
    said = [
        text for message in await world.shown((await world.threads())["A chat"]) for _, text in _said(message.parts)
    ]
    assert [text for text in said if text.startswith("**Plan**")] == [
        "**Plan**\n\nOne. Two (2). Three.",
        "**Plan**\n\nOne. Zwei. Three.",
        "**Plan**\n\nOne. All.",
    ]
    texts = [json.loads(row[0]).get("text", "") for row in await world.store.db.read(_contents)]
    assert "**Plan**\n\nOne. two (2). three." in texts


def _contents(conn: Any) -> list[tuple[str]]:
    return [tuple(row) for row in conn.exec_driver_sql("SELECT content FROM message_parts ORDER BY id")]


async def test_changes_of_a_canvas_that_grow_without_end_cost_neither_time_nor_room(world: ImportWorld) -> None:
    nodes = [
        _question(),
        _canvas("c0", "q", "create_textdoc", {"name": "P", "type": "document", "content": "a" * 50_000}),
    ]
    for number in range(1, 300):
        arguments = _update("a", "a" * 1_000, multiple=True) if number % 2 else _update("a.*?a.*?a", "aaa")
        nodes.append(_canvas(f"c{number}", f"c{number - 1}", "update_textdoc", arguments))
    await world.bring([chatgpt("c", nodes)])
    assert sum(len(row[0]) for row in await world.store.db.read(_contents)) < 10_000_000


async def test_marks_of_sources_become_links_or_go(world: ImportWorld) -> None:
    mark = "\ue200cite\ue202turn0search1\ue201"
    references = [{"matched_text": mark, "alt": "([Page](https://a.b))"}, {"matched_text": " ", "alt": "x"}, "odd"]
    answer = node(
        "a", "q", "assistant", f"Known{mark}. Also\ue200other\ue201.", metadata={"content_references": references}
    )
    assert [part.text for part in await _parts(world, answer)] == ["Known ([Page](https://a.b)). Also."]


async def test_hidden_and_empty_messages_are_left_out_and_counted(world: ImportWorld) -> None:
    hidden = {"is_visually_hidden_from_conversation": True}
    nodes = [
        node("root", None),
        node("sys", "root", "system", "", metadata=hidden),
        node("secret", "sys", "system", "Original custom instructions no longer available", metadata=hidden),
        node("q", "secret", "user", "Hi", at=START_S),
        node("gone", "q", "assistant", None),
        node("a", "gone", "assistant", "Hello", at=START_S + 1),
        node("note", "a", "system", "The model was switched", at=START_S + 2),
    ]
    report = await world.bring([chatgpt("c", nodes)])
    await world.check()
    shown = await world.shown((await world.threads())["A chat"])
    assert [(message.role.value, message.text) for message in shown] == [
        ("user", "Hi"),
        ("assistant", "Hello"),
        ("system", "The model was switched"),
    ]
    assert report.left_out == 1
    assert "1 message that the vendor hides was left out." in report.all_notes


async def test_custom_instructions_are_the_threads_system_prompt(world: ImportWorld) -> None:
    content = {
        "content_type": "user_editable_context",
        "user_profile": "I am a baker.",
        "user_instructions": "Be brief.",
    }
    nodes = [
        node("i", None, "user", content=content, metadata={"is_visually_hidden_from_conversation": True}),
        node("q", "i", "user", "Hi", at=START_S),
    ]
    older = node(
        "s",
        None,
        "system",
        "",
        metadata={"is_user_system_message": True, "user_context_message_data": {"about_user_message": "I bake."}},
    )
    await world.bring(
        [chatgpt("c", nodes), chatgpt("d", [older, node("q", "s", "user", "Hi", at=START_S)], title="Older")]
    )
    threads = await world.threads()
    assert (await world.store.threads.get(threads["A chat"])).system_prompt == "I am a baker.\n\nBe brief."
    assert (await world.store.threads.get(threads["Older"])).system_prompt == "I bake."


async def test_archived_pinned_named_and_untitled_threads(world: ImportWorld) -> None:
    q = _question("What is this about, in a few words?")
    values = [
        chatgpt("a", [q], title="Archived", is_archived=True),
        chatgpt("b", [q], title="Starred", is_starred=True),
        chatgpt("c", [q], title="Pinned", pinned_time=START_S + 50.5),
        chatgpt("d", [q], title=None, gizmo={"display": {"name": "Recipe  Helper"}}, gizmo_id="g-2DQzU5UZl"),
    ]
    await world.bring(values)
    await world.check()
    assert list(await world.threads(scope="archive")) == ["Archived"]
    threads = await world.threads()
    assert sorted(await world.threads(is_pinned=True)) == ["Pinned", "Starred"]
    assert (await world.store.threads.get(threads["Pinned"])).pinned_at == (START_S + 50) * 1000 + 500
    untitled = threads["What is this about, in a few words?"]
    sources = await world.store.db.read(
        lambda conn: dict(conn.exec_driver_sql("SELECT title, title_source FROM threads").all())  # type: ignore[arg-type]
    )
    assert (sources["Starred"], sources["What is this about, in a few words?"]) == ("person", "text")
    tags = await world.all_rows("tags")
    assert [row[1] for row in tags] == ["Recipe Helper"]
    assert [row[0] for row in await world.all_rows("thread_tags")] == [untitled]


async def test_custom_gpts_and_projects_without_a_name_go_by_their_id(world: ImportWorld) -> None:
    values = [
        chatgpt("a", [_question()], title="A", gizmo_id="g-2DQzU5UZl", gizmo_type="gpt"),
        chatgpt("b", [_question()], title="B", gizmo_id=None, conversation_template_id="g-p-67fb81952f7c8191"),
        chatgpt("c", [_question()], title="C", gizmo_id="something else"),
    ]
    await world.bring(values)
    assert sorted(row[1] for row in await world.all_rows("tags")) == ["GPT g-2DQzU5UZl", "Project g-p-67fb81952f7c8191"]


async def test_states_and_reasons_of_answers(world: ImportWorld) -> None:
    nodes = [
        _question(),
        node("a1", "q", "assistant", "cut", at=START_S + 1, metadata={"finish_details": {"type": "interrupted"}}),
        node("a2", "q", "assistant", "long", at=START_S + 2, metadata={"finish_details": {"type": "max_tokens"}}),
        node("a3", "q", "assistant", "going", at=START_S + 3, status="in_progress"),
        node("a4", "q", "assistant", "ignored", at=START_S + 4, weight=0.0),
    ]
    await world.bring([chatgpt("c", nodes)])
    shown = await world.shown((await world.threads())["A chat"])
    found = {message.text: message for message in await world.store.messages.versions(shown[1].id)}
    assert {text: (message.status, message.finish_reason) for text, message in found.items()} == {
        "cut": (Status.STOPPED, "stop"),
        "long": (Status.COMPLETE, "length"),
        "going": (Status.INTERRUPTED, None),
        "ignored": (Status.COMPLETE, None),
    }
    marks = {row[0]: row[1] for row in await world.store.db.read(_marks)}
    assert marks[found["ignored"].id] == ContextMark.EXCLUDED.value
    assert marks[found["cut"].id] == ""


def _marks(conn: Any) -> list[Any]:
    return list(conn.exec_driver_sql("SELECT id, context_mark FROM messages"))


def _image(pointer: str, **more: Any) -> dict[str, Any]:
    return {"content_type": "image_asset_pointer", "asset_pointer": pointer, "width": 1, "height": 1, **more}


async def test_images_and_files_come_from_the_zip(world: ImportWorld) -> None:
    attachments = [
        {"id": "file-PDF1234", "name": "paper.pdf", "mimeType": "application/pdf"},
        {"id": "file-IMG1234", "name": "cat.png", "mime_type": "image/png"},
        {"id": "file-LOST123", "name": "lost.bin"},
    ]
    question = node(
        "q",
        None,
        "user",
        content={"content_type": "multimodal_text", "parts": [_image("file-service://file-IMG1234"), "What is it?"]},
        at=START_S,
        metadata={"attachments": attachments},
    )
    answer = node(
        "t",
        "q",
        "tool",
        content={
            "content_type": "multimodal_text",
            "parts": [_image("sediment://file_00000abc", metadata={"dalle": {"prompt": "A blue cat"}})],
        },
        name="dalle.text2im",
    )
    path = write_zip(
        world.folder / "export.zip",
        {
            "export/conversations.json": [chatgpt("c", [question, answer])],
            "export/file-IMG1234-cat.png": PNG,
            "export/file-PDF1234-paper.pdf": b"%PDF-1.4 not much of one",
            "export/dalle-generations/file_00000abc-1234.png": PNG + b"other",
            "export/user.json": {"id": "me"},
        },
    )
    report = await world.service.run(path)
    await world.check()
    assert report.missing_files == 1
    assert "1 file that messages name is not in the export." in report.all_notes
    shown = await world.shown((await world.threads())["A chat"])
    kinds = [
        (part.type.value, part.content["name"], "sha256" in part.content)
        for part in shown[0].parts
        if part.type != PartType.TEXT
    ]
    assert kinds == [("image", "image.png", True), ("file", "paper.pdf", True), ("file", "lost.bin", False)]
    assert shown[1].parts[0].content["name"] == "A blue cat.png"
    for _part_id, sha256 in [(row[1], row[6]) for row in await world.all_rows("artifacts")]:
        assert world.blobs.has(sha256)
    assert len(await world.all_rows("artifacts")) == 3


async def test_a_zip_of_zips_with_assets_that_have_lost_their_names_is_read(world: ImportWorld) -> None:
    """As the vendor's privacy portal packs them."""
    attachments = [
        {"id": "file_00000000aaaa", "name": "sums.csv", "mime_type": "text/csv"},
        {"id": "file-BBBBBBBB", "name": ""},
    ]
    parts = [
        "Look",
        _image("sediment://file_00000000cccc"),
        {"content_type": "audio_asset_pointer", "asset_pointer": "sediment://file_00000000dddd", "format": "wav"},
    ]
    content = {"content_type": "multimodal_text", "parts": parts}
    question = node("q", None, "user", content=content, at=START_S, metadata={"attachments": attachments})
    del (
        question["children"],
        question["message"]["status"],
        question["message"]["weight"],
        question["message"]["recipient"],
    )
    inner = {
        "conversations-000.json": [chatgpt("c", [question])],
        "conversations-001.json": [plain_chatgpt("d", 1)],
        "conversation_asset_file_names.json": {"file-BBBBBBBB.dat": "notes.md", "odd": 1},
        "library_files.json": [{"file_id": "file_00000000aaaa", "file_name": "sums.csv"}, "odd"],
        "export_manifest.json": {"export_files": []},
        "file_00000000aaaa.dat": b"a,b\n1,2\n",
        "file-BBBBBBBB.dat": b"# Notes\n",
        "file_00000000cccc.dat": PNG,
        "c/audio/file_00000000dddd.wav": b"RIFF\x24\0\0\0WAVEfmt " + bytes(60),
    }
    library = {"conversations.json": [plain_chatgpt("a-file-of-the-persons", 1)]}
    packed = {
        name: write_zip(world.folder / "inner.zip", entries).read_bytes()
        for name, entries in (("Conversations__x-chatgpt-0001.zip", inner), ("Files__x-files-0001.zip", library))
    }
    outer = {f"User Online Activity/{name}": data for name, data in packed.items()}
    path = write_zip(world.folder / "OpenAI-export.zip", {"report.html": b"<html>", "broken.zip": b"no zip", **outer})
    report = await world.service.run(path)
    await world.check()
    assert outcomes(report) == {"A chat": "new", "Chat d": "new"}
    assert report.missing_files == 0
    shown = await world.shown((await world.threads())["A chat"])
    files = [(part.content["name"], part.content["mime"]) for part in shown[0].parts if part.type != PartType.TEXT]
    assert files == [
        ("image.png", "image/png"),
        ("recording.wav", "application/octet-stream"),
        ("sums.csv", "text/csv"),
        ("notes.md", "text/markdown"),
    ]
    assert outcomes(await world.service.run(path)) == {"A chat": "unchanged", "Chat d": "unchanged"}


async def test_newer_exports_in_several_files_are_read_in_their_order(world: ImportWorld) -> None:
    entries = {f"conversations-{number:03d}.json": [plain_chatgpt(f"t{number}", 1)] for number in (10, 2, 0)}
    report = await world.service.run(write_zip(world.folder / "export.zip", entries))
    assert [line.title for line in report.lines] == ["Chat t0", "Chat t2", "Chat t10"]


async def test_a_chat_alone_and_one_wrapped_in_an_object_are_read(world: ImportWorld) -> None:
    await world.bring(plain_chatgpt("alone", 1))
    report = await world.bring({"conversations": [plain_chatgpt("wrapped", 1)]})
    assert outcomes(report) == {"Chat wrapped": "new"}
    assert sorted(await world.threads()) == ["Chat alone", "Chat wrapped"]


async def test_absurd_times_are_not_believed(world: ImportWorld) -> None:
    nodes = [
        node("q", None, "user", "When?", at=-62135596800.0),
        node("a", "q", "assistant", "Then", at=1e18),
        node("q2", "a", "user", "And?", at=START_S + 5),
        node("a2", "q2", "assistant", "So", at=float("nan")),
    ]
    await world.bring([chatgpt("c", nodes, update_time=1e300)])
    await world.check()
    shown = await world.shown((await world.threads())["A chat"])
    assert [message.created_at for message in shown] == [
        START_S * 1000,
        START_S * 1000,
        (START_S + 5) * 1000,
        (START_S + 5) * 1000,
    ]


@pytest.mark.parametrize(
    "where", ["model_slug", "resolved_model_slug", "default_model_slug", "conversation", "nowhere"]
)
def test_an_answer_names_its_model_wherever_the_export_has_it(where: str) -> None:
    told = {} if where == "conversation" else {where: "the-model"}
    nodes = [_question(), node("a", "q", "assistant", "Hi", metadata=told), node("q2", "a", "user", "And now?")]
    default = {"conversation": "the-model", "nowhere": None}.get(where, "another")
    thread = read_conversation(chatgpt("c", nodes, default_model_slug=default), 0)
    models = [message.values.get("model") for message in thread.messages]
    assert models == [None, None if where == "nowhere" else "the-model", None]


@pytest.mark.parametrize("parents", ["named", "null", "absent"])
def test_messages_follow_one_another_by_their_children_where_they_name_no_parents(parents: str) -> None:
    nodes = [
        _question(),
        node("a", "q", "assistant", "Hi"),
        node("q2", "a", "user", "More"),
        node("b", "q2", "assistant", "Yes"),
    ]
    for above, below in pairwise(nodes):
        above["children"] = [below["id"], 5, None]
        if parents == "null":
            below["parent"] = None
        elif parents == "absent":
            del below["parent"]
    thread = read_conversation(chatgpt("c", nodes), 0)
    assert [message.parent_key for message in thread.messages] == [None, "q", "a", "q2"]
