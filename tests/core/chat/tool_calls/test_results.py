"""Results of tools: long ones and files."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import patch

import pytest

from chatdesk.core.chat.tool_calls import results
from chatdesk.core.chat.tool_calls.results import LONG_BYTES, SourceNumbers, shortened
from chatdesk.core.domain.attachment import Attachment, attachment_from
from chatdesk.core.domain.message import Message, PartType, Role, Status
from chatdesk.core.domain.tools import Answer, Tool, ToolFile, ToolHints, ToolResult, ToolSource
from chatdesk.core.errors import AttachmentTooLarge
from chatdesk.core.providers.base import FinishReason, StreamFinished, TextDelta, ToolCallDelta
from chatdesk.core.rendering.sources import Source
from tests.helpers.tools_world import ToolWorld, tool_world

_TOOL = Tool("notes", "Notes", "read/all", "", "", {}, ToolHints(), "")


async def _called(world: ToolWorld, name: str, arguments: dict[str, object]) -> Message:
    call = ToolCallDelta(0, "c1", f"notes__{name}", json.dumps(arguments))
    world.chat.provider.will(call, StreamFinished(FinishReason.TOOL_CALLS))
    world.chat.provider.will(TextDelta("Done."), StreamFinished(FinishReason.STOP))
    answer_id = await world.ask()
    world.answer(await world.asked(), Answer.ONCE)
    await world.finished(answer_id)
    return await world.chat.repositories.messages.get(answer_id)


async def test_a_long_result_is_kept_whole_and_the_model_gets_its_ends(tmp_path: Path) -> None:
    async with tool_world(tmp_path) as world:
        message = await _called(world, "echo", {"text": "y" * 200_000})
        call, result, file, text = message.parts
        assert [each.type for each in (call, result, file, text)] == [
            PartType.TOOL_CALL,
            PartType.TOOL_RESULT,
            PartType.FILE,
            PartType.TEXT,
        ]
        attachment = attachment_from(file.content)
        assert attachment is not None and attachment.name == "echo result.txt"
        assert world.files.blobs.read(attachment.sha256, max_bytes=300_000) == b"y" * 200_000
        assert len(result.text) < 10_000 and "192,500 characters are left out" in result.text
        assert (file.tool_call_id, file.step_index, text.step_index) == ("c1", 0, 1)
        sent = world.chat.provider.requests[-1].messages[-1]
        assert sent.role is Role.TOOL and len(sent.text) < 10_000
        assert await world.files.remove_unnamed(older_than_s=0) == 0, "the answer names it"
        await world.chat.chat.send_message(message.thread_id, "and now?")
        again = world.chat.provider.requests[-1].messages
        assert not any(each.enclosed for each in again), "a file for the person is not sent again"


async def test_a_picture_of_a_result_is_shown_below_its_call(tmp_path: Path) -> None:
    async with tool_world(tmp_path) as world:
        message = await _called(world, "picture", {})
        _call, result, picture, _text = message.parts
        attachment = attachment_from(picture.content)
        assert picture.type is PartType.IMAGE and attachment is not None
        assert (attachment.name, attachment.mime) == ("image 1.png", "image/png")
        assert "image 1.png" in result.text and "The person sees it" in result.text


async def test_branches_keep_the_files_of_results(tmp_path: Path) -> None:
    async with tool_world(tmp_path) as world:
        message = await _called(world, "picture", {})
        branch = await world.chat.chat.paths.branch_thread(message.id)
        page = await world.chat.chat.reader.get_thread_messages(branch.id)
        assert any(part.type is PartType.IMAGE for part in page.messages[-1].parts)


async def _full(_data: bytes, name: str) -> Attachment:
    raise AttachmentTooLarge.of(10, name)


async def _kept(data: bytes, name: str) -> Attachment:
    return Attachment(name, "text/plain", "ab" * 32, len(data))


async def test_a_short_result_stays_as_it_is() -> None:
    assert await shortened(ToolResult("x" * LONG_BYTES), _TOOL, _kept) == ("x" * LONG_BYTES, ())
    assert await shortened(ToolResult(""), _TOOL, _kept) == ("The tool returned nothing.", ())


async def test_halves_of_characters_do_no_harm() -> None:
    async def keep(data: bytes, name: str) -> Attachment:
        return Attachment(name, "text/plain", "0" * 64, len(data))

    assert await shortened(ToolResult("a\ud800b"), _TOOL, None) == ("a?b", ())
    text, files = await shortened(ToolResult("\udfff" * LONG_BYTES * 2), _TOOL, keep)
    assert text.startswith("???") and len(files) == 1


async def test_a_result_that_cannot_be_used_costs_its_call_alone(tmp_path: Path) -> None:
    with patch.object(results, "shortened", side_effect=ValueError("a mistake")):
        async with tool_world(tmp_path) as world:
            message = await _called(world, "echo", {"text": "x"})
    assert message.status is Status.COMPLETE and message.text == "Done."
    _call, result, _text = message.parts
    assert result.content["status"] == "failed" and "Nobody knows what it did" in result.text


async def test_what_counts_are_bytes_because_signs_can_be_tokens() -> None:
    text, files = await shortened(ToolResult("字" * (LONG_BYTES // 3 + 1)), _TOOL, _kept)
    assert len(text) < 8_000 and [each.name for each in files] == ["all result.txt"]


@pytest.mark.parametrize("keep", [None, _full])
async def test_where_nothing_can_be_kept_the_model_is_told(keep: object) -> None:
    result = ToolResult("y" * 50_000, (ToolFile("../../a b.bin", "x/y", b"1"),))
    text, files = await shortened(result, _TOOL, keep)  # type: ignore[arg-type]
    assert not files and len(text) < 33_000
    assert "18,000 more characters were left out" in text
    assert "a b.bin" in text and "../" not in text


def test_pages_get_numbers_and_keep_them() -> None:
    numbers = SourceNumbers()
    found, stored = numbers.number(
        ToolResult(
            "Two pages:",
            sources=(ToolSource("A", "https://a.test/", "words of a"), ToolSource("B", "https://b.test/")),
        )
    )
    assert found.text == "Two pages:\n\n[1] A\nhttps://a.test/\nwords of a\n\n[2] B\nhttps://b.test/"
    assert stored == {
        "sources": [
            {"number": 1, "title": "A", "url": "https://a.test/"},
            {"number": 2, "title": "B", "url": "https://b.test/"},
        ]
    }
    again, _ = numbers.number(
        ToolResult("", sources=(ToolSource("C", "https://c.test/"), ToolSource("B", "https://b.test/", "all of b")))
    )
    assert again.text == "[3] C\nhttps://c.test/\n\n[2] B\nhttps://b.test/\nall of b"


def test_an_answer_that_goes_on_counts_on() -> None:
    numbers = SourceNumbers((Source(4, "D", "https://d.test/"),))
    found, _ = numbers.number(
        ToolResult("", sources=(ToolSource("E", "https://e.test/"), ToolSource("D", "https://d.test/")))
    )
    assert found.text.startswith("[5] E") and "[4] D" in found.text


def test_bad_links_and_results_without_sources() -> None:
    numbers = SourceNumbers()
    found, stored = numbers.number(ToolResult("x", sources=(ToolSource("J", "javascript:alert(1)", "words"),)))
    assert (found.text, stored) == ("x", {})
    assert numbers.number(ToolResult("plain")) == (ToolResult("plain"), {})
    many = tuple(ToolSource("T", f"https://t.test/{n}") for n in range(100))
    assert len(numbers.number(ToolResult("", sources=many))[1]["sources"]) == 20
