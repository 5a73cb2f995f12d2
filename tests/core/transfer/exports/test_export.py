from __future__ import annotations

import json

from chatdesk.core.domain.message import Message, Part, PartType, Role, Status
from chatdesk.core.domain.thread import Thread
from chatdesk.core.transfer.exports.export import thread_to_json, thread_to_markdown

THREAD = Thread("t-1", "p-1", "A\ntitle", "Be brief.\nBe kind.", "offline", "offline", 0, 60_000)


def _message(role: Role, *parts: tuple[PartType, dict[str, object]], **more: object) -> Message:
    made = tuple(Part(f"p{i}", "m", i, kind, content) for i, (kind, content) in enumerate(parts))
    values: dict[str, object] = {
        "status": Status.COMPLETE,
        "created_at": 1000,
        "position": 0,
        "parent_id": None,
        **more,
    }
    return Message(id="m-1", thread_id="t-1", role=role, parts=made, **values)  # type: ignore[arg-type]


QUESTION = _message(Role.USER, (PartType.TEXT, {"text": "Why?"}))
ANSWER = _message(
    Role.ASSISTANT,
    (PartType.REASONING, {"text": "Think\nhard"}),
    (PartType.TEXT, {"text": "Because **so**."}),
    (PartType.TOOL_CALL, {"name": "look", "arguments": '{"a": "```"}'}),
    (PartType.TOOL_RESULT, {"text": "seen"}),
    model="m\n1",
    status=Status.ERROR,
    error="The server\nfailed.",
)


def test_markdown_has_every_message_with_its_speaker() -> None:
    text = thread_to_markdown(THREAD, [QUESTION, ANSWER])
    assert text.startswith("# A title\n\n*1970-01-01 00:00 UTC*\n\n> Be brief.\n> Be kind.\n\n## You")
    assert "## You · 1970-01-01 00:00 UTC\n\nWhy?\n" in text
    assert "## Answer (m 1)" in text
    assert "> **Reasoning**\n>\n> Think\n> hard" in text
    assert "\n\nBecause **so**.\n" in text
    assert "**Tool result**\n\n```\nseen\n```" in text
    assert text.endswith("*The server failed.*\n")


def test_a_fence_is_longer_than_any_inside() -> None:
    assert '````json\n{"a": "```"}\n````' in thread_to_markdown(THREAD, [ANSWER])


def test_an_answer_that_is_not_whole_says_so() -> None:
    stopped = _message(Role.ASSISTANT, (PartType.TEXT, {"text": "half"}), status=Status.STOPPED)
    assert "*This answer was stopped.*" in thread_to_markdown(THREAD, [stopped])


def test_json_carries_everything_and_reads_back() -> None:
    data = json.loads(thread_to_json(THREAD, [QUESTION, ANSWER]))
    assert (data["format"], data["format_version"]) == ("chatdesk-thread", 1)
    assert data["thread"]["title"] == "A\ntitle"
    assert data["thread"]["last_activity_at"] == "1970-01-01T00:01:00.000Z"
    assert data["thread"]["archived_at"] is None
    assert [message["role"] for message in data["messages"]] == ["user", "assistant"]
    assert data["messages"][1]["parts"][0] == {"type": "reasoning", "content": {"text": "Think\nhard"}}
    assert data["messages"][1]["error"] == "The server\nfailed."
