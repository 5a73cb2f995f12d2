"""Writes a thread as text: Markdown for people, the shown path as JSON for scripts. Pure: it gets messages, returns
text."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from chatdesk.core.domain.artifacts.code_blocks import fence_for
from chatdesk.core.domain.message import STATUS_TEXTS, UNREADABLE_TEXT, Message, Part, PartType, Role, Status
from chatdesk.core.domain.thread import Thread
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.moments import is_known, utc_moment
from chatdesk.core.rendering.markdown_writer import markdown_of
from chatdesk.core.rendering.sources import below_answer
from chatdesk.core.texts import shown
from chatdesk.core.transfer.exports import export_texts

FORMAT_NAME = "chatdesk-thread"
FORMAT_VERSION = 1

# The way to the copy of an attachment, by its content's name and its own; None when there is no copy.
LinkTo = Callable[[str, str], str | None]


def _no_copies(_sha256: str, _name: str) -> str | None:
    return None


def thread_to_markdown(thread: Thread, messages: Sequence[Message]) -> str:
    """Return the shown path with a heading for each message; message text as it is, since it is Markdown already."""
    return head_as_markdown(thread) + "".join(message_as_markdown(message) for message in messages)


def head_as_markdown(thread: Thread) -> str:
    """Return title, time and system prompt, ending with a newline."""
    blocks = [f"# {clean_line(shown(thread.name))}", f"*{when(thread.created_at)}*"]
    if thread.system_prompt.strip():
        blocks.append("> " + thread.system_prompt.strip().replace("\n", "\n> "))
    return "\n\n".join(blocks) + "\n"


def message_as_markdown(message: Message, link_to: LinkTo = _no_copies) -> str:
    """Return one message, with an empty line before it and a newline at its end."""
    blocks = [f"## {heading(message)}"]
    blocks.extend(text for text in (_part_as_markdown(message, part, link_to) for part in message.parts) if text)
    below = below_answer(message.parts)
    if below:
        blocks.append(markdown_of(below))
    note = status_note(message)
    if note:
        blocks.append(f"*{clean_line(note)}*")
    return "".join(f"\n{block}\n" for block in blocks)


def speaker(message: Message) -> str:
    """Return who wrote a message, for a heading; a person's message to themselves is a note, and an edited answer is
    named as such."""
    if message.is_note:
        return shown(export_texts.NOTE)
    return shown(export_texts.EDITED_ANSWER if message.is_edited_answer else export_texts.SPEAKERS[message.role])


def is_answer(message: Message) -> bool:
    """Return whether a model wrote a message, so that tags of thoughts in it are tags."""
    return message.role is Role.ASSISTANT


def status_note(message: Message) -> str | None:
    """Return a sentence about a message that is not whole; None for a whole one."""
    if message.is_damaged:
        return shown(UNREADABLE_TEXT)
    if message.status is Status.ERROR:
        return None if message.error is None else shown(message.error_sentence)
    found = STATUS_TEXTS.get(message.status)
    return shown(found[1]) if found is not None else None


def thread_to_json(thread: Thread, messages: Sequence[Message]) -> str:
    """Return one JSON object with everything that is known about the thread and its shown path."""
    data = {
        "format": FORMAT_NAME,
        "format_version": FORMAT_VERSION,
        "thread": thread_as_data(thread),
        "messages": [message_as_data(message) for message in messages],
    }
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def thread_as_data(thread: Thread) -> dict[str, Any]:
    """Return a thread as JSON data; times are ISO 8601 in UTC."""
    return {
        "id": thread.id,
        "project_id": thread.project_id,
        "title": thread.title,
        "system_prompt": thread.system_prompt,
        "provider": thread.provider,
        "model": thread.model,
        "created_at": _iso(thread.created_at),
        "last_activity_at": _iso(thread.last_activity_at),
        "archived_at": _iso(thread.archived_at),
        "pinned_at": _iso(thread.pinned_at),
        "deleted_at": _iso(thread.deleted_at),
        "message_count": thread.message_count,
        "total_input_tokens": thread.total_input_tokens,
        "total_output_tokens": thread.total_output_tokens,
        "total_cached_tokens": thread.total_cached_tokens,
        "total_reasoning_tokens": thread.total_reasoning_tokens,
        "total_tool_time_ms": thread.total_tool_time_ms,
        "tool_counts": dict(thread.tool_counts),
    }


def message_as_data(message: Message) -> dict[str, Any]:
    """Return a message with its parts as JSON data."""
    return {
        "id": message.id,
        "parent_id": message.parent_id,
        "role": message.role.value,
        "status": message.status.value,
        "created_at": _iso(message.created_at),
        "completed_at": _iso(message.completed_at),
        "provider": message.provider,
        "model": message.model,
        "version": message.version_index,
        "versions": message.version_count,
        "latency_ms": message.latency_ms,
        "time_to_first_token_ms": message.time_to_first_token_ms,
        "usage": {
            "input_tokens": message.prompt_tokens,
            "output_tokens": message.completion_tokens,
            "total_tokens": message.total_tokens,
            "cached_tokens": message.cached_tokens,
            "reasoning_tokens": message.reasoning_tokens,
        },
        "finish_reason": message.finish_reason,
        "error": message.error,
        "error_type": message.error_type,
        "text": message.text,
        "parts": [{"type": part.type.value, "content": dict(part.content)} for part in message.parts],
    }


def heading(message: Message) -> str:
    """Return who wrote a message, with which model, and when."""
    model = f" ({clean_line(message.model)})" if message.role is Role.ASSISTANT and message.model else ""
    return f"{speaker(message)}{model} · {when(message.created_at)}"


def _part_as_markdown(message: Message, part: Part, link_to: LinkTo) -> str:
    if part.type is PartType.TEXT:
        return part.text.strip("\n")
    if part.type is PartType.REASONING and part.text.strip():
        return f"> **{shown(export_texts.REASONING)}**\n>\n> " + part.text.strip().replace("\n", "\n> ")
    if part.type is PartType.TOOL_CALL:
        name, arguments = part.content.get("name", ""), str(part.content.get("arguments", ""))
        return f"**{shown(export_texts.TOOL_CALL)}** `{clean_line(str(name))}`\n\n{_fenced(arguments, 'json')}"
    if part.type is PartType.TOOL_RESULT:
        return f"**{shown(export_texts.TOOL_RESULT)}**\n\n{_fenced(part.text, '')}"
    if part.type in (PartType.IMAGE, PartType.FILE):
        return _attachment_as_markdown(part, link_to)
    return ""


def _attachment_as_markdown(part: Part, link_to: LinkTo) -> str:
    name, sha256 = str(part.content.get("name") or shown(export_texts.ATTACHMENT)), part.content.get("sha256")
    escaped = clean_line("".join(f"\\{each}" if each in "\\[]*_`<>!" else each for each in name))
    copy = link_to(sha256, name) if isinstance(sha256, str) else None
    if copy is None:
        return f"*{named_attachment(part, escaped, problem_of(part))}*"
    return f"{'!' if part.type is PartType.IMAGE else ''}[{escaped}]({quote(copy)})"


def named_attachment(part: Part, name: str, problem: str) -> str:
    """Return the line in the place of an attachment that is not shown; ``problem`` says why it is lost, if it is."""
    is_image = part.type is PartType.IMAGE
    if problem:
        return shown(
            (export_texts.LOST_IMAGE if is_image else export_texts.LOST_FILE).filled(name=name, problem=problem)
        )
    return shown((export_texts.IMAGE if is_image else export_texts.FILE).filled(name=name))


def problem_of(part: Part) -> str:
    """Return why the picture of an answer was not kept; empty for all that was."""
    problem = part.content.get("problem")
    return clean_line(shown(problem)) if isinstance(problem, str) else ""


def _fenced(text: str, language: str) -> str:
    """Return a code block whose fence is longer than any in the text."""
    fence = fence_for(text)
    return f"{fence}{language}\n{text}\n{fence}"


def when(milliseconds: int) -> str:
    """Return a Unix time in milliseconds for people; a time outside the calendar is called unknown."""
    return _minute(milliseconds // 60_000) if is_known(milliseconds) else shown(export_texts.UNKNOWN_TIME)


@lru_cache(maxsize=256)
def _minute(minutes: int) -> str:
    year, month, day, hour, minute = f"{utc_moment(minutes * 60_000):%Y %m %d %H %M}".split()
    return shown(export_texts.MOMENT.filled(year=year, month=month, day=day, hour=hour, minute=minute))


def _iso(milliseconds: int | None) -> str | None:
    if not is_known(milliseconds):
        return None
    return utc_moment(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")
