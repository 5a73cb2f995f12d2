"""Reads Jan's threads: a folder each, with ``messages.jsonl`` (a message a line) and ``thread.json`` (title, assistant,
model). Older and newer versions differ in how thoughts and tools are written; both are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from chatdesk.core.domain.imported import ImportedFile, ImportedMessage, ImportedPart, ImportedThread
from chatdesk.core.domain.message import PartType, Role, Status
from chatdesk.core.errors import ImportRefused
from chatdesk.core.texts import Text
from chatdesk.core.transfer.imports.json_stream import LARGEST_IN_PARTS
from chatdesk.core.transfer.imports.parts import (
    file_part,
    said_parts,
    text_file_part,
    thought_parts,
    thread_of,
    tool_call_part,
    tool_result_parts,
    unknown_parts,
)
from chatdesk.core.transfer.imports.tree import linear
from chatdesk.core.transfer.imports.values import (
    dict_of,
    fingerprint,
    key_of,
    list_of,
    moment,
    text_of,
    without_empty_values,
    words_of,
)

SOURCE: Final = "jan"
MESSAGES: Final = "messages.jsonl"
THREAD: Final = "thread.json"
_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM, "tool": Role.TOOL}
_STATUS = {"pending": Status.INTERRUPTED, "stopped": Status.STOPPED, "error": Status.ERROR}


def is_message(value: Mapping[str, Any]) -> bool:
    return value.get("object") == "thread.message" and isinstance(value.get("role"), str)


@dataclass(slots=True)
class Messages:
    """Collects the messages of a document, by thread. ``about`` is the thread's own file."""

    about: Mapping[str, Any]
    _threads: dict[str, list[ImportedMessage]] = field(default_factory=dict)
    _size: int = 0

    def add(self, value: Mapping[str, Any], size: int) -> None:
        """Add a message. Raises ``ImportRefused`` when there are more than memory should hold."""
        self._size += size
        if self._size > LARGEST_IN_PARTS:
            raise ImportRefused(Text("This file contains more messages than can be read at once."))
        key = key_of(value.get("thread_id")) or key_of(self.about.get("id"))
        messages = self._threads.setdefault(key, [])
        message = _message(value, messages[-1].key if messages else "", _model(self.about))
        if message.parts:
            messages.append(message)

    def threads(self, fallback_ms: int) -> Iterator[ImportedThread]:
        for key, messages in self._threads.items():
            about = self.about if key == key_of(self.about.get("id")) or not key else {}
            assistant = dict_of(next(iter(list_of(about.get("assistants"))), None))
            title = about.get("title") or dict_of(about.get("metadata")).get("title")
            nodes = linear(messages)
            yield thread_of(
                SOURCE,
                key or fingerprint(messages[0].key if messages else ""),
                nodes,
                title=title,
                current_key=nodes[-1].key if nodes else None,
                created=moment(about.get("created")),
                updated=moment(about.get("updated")),
                fallback_ms=fallback_ms,
                values={"system_prompt": text_of(assistant.get("instructions"))},
            )


def _model(about: Mapping[str, Any]) -> str:
    assistant = dict_of(next(iter(list_of(about.get("assistants"))), None))
    for model in (about.get("model"), assistant.get("model")):
        if text_of(dict_of(model).get("id")) or text_of(model):
            return (text_of(dict_of(model).get("id")) or text_of(model))[:200]
    return ""


def _message(value: Mapping[str, Any], above: str, model: str) -> ImportedMessage:
    role = _ROLES.get(text_of(value.get("role")), Role.USER)
    created = moment(value.get("created_at"))
    metadata = dict_of(value.get("metadata"))
    parts = tuple(_parts(value, metadata, role))
    said = (text_of(part.content.get("text")) for part in parts)
    key = key_of(value.get("id")) or fingerprint(above, role.value, *said)
    status, values = Status.COMPLETE, dict[str, Any]()
    if role is Role.ASSISTANT:
        status = _STATUS.get(text_of(value.get("status")), Status.COMPLETE)
        problem = text_of(metadata.get("error")) or text_of(value.get("error_code"))
        values = without_empty_values(
            {
                "model": (text_of(metadata.get("modelId")) or text_of(value.get("model")))[:200] or model,
                "completed_at": moment(value.get("completed_at")),
            }
        )
        if status is Status.ERROR or problem:
            status = Status.ERROR
            values |= {"error": problem[:2000] or Text("The answer failed."), "error_type": "other"}
            parts = parts or (ImportedPart(PartType.TEXT, {"text": ""}),)
    return ImportedMessage(key, None, role, created or 0, parts, status=status, keys=(key,), values=values)


def _parts(value: Mapping[str, Any], metadata: Mapping[str, Any], role: Role) -> Iterator[ImportedPart]:
    for each in list_of(metadata.get("tool_calls")):
        call = dict_of(each)
        tool = dict_of(call.get("tool"))
        function = dict_of(tool.get("function"))
        name = text_of(function.get("name"))
        yield tool_call_part(name, tool.get("id"), function.get("arguments"))
        yield from tool_result_parts(name, tool.get("id"), call.get("response"))
    for each in list_of(value.get("content")) or [value.get("content")]:
        yield from _piece(each, role)
    for each in list_of(metadata.get("inline_file_contents")):
        file = dict_of(each)
        if words_of(file.get("content")):
            yield text_file_part(text_of(file.get("name")), words_of(file.get("content")))
    for each in list_of(value.get("attachments")):
        name = text_of(dict_of(each).get("file_id"))
        if name:
            yield ImportedPart(PartType.FILE, {"name": name}, "", ImportedFile(name, name))


def _piece(value: object, role: Role) -> Iterator[ImportedPart]:
    piece = dict_of(value)
    kind = text_of(piece.get("type")) or "text"
    text = words_of(piece.get("text")) or words_of(value)
    if kind == "reasoning":
        yield from thought_parts(text)
    elif kind == "tool_call":
        name = text_of(piece.get("tool_name"))
        yield tool_call_part(name, piece.get("tool_call_id"), piece.get("input"))
        yield from tool_result_parts(name, piece.get("tool_call_id"), piece.get("output"))
    elif kind in ("image_url", "image"):
        url = text_of(dict_of(piece.get("image_url")).get("url"))
        # A value that is not a data URL is a path on the exporting computer: only its file name is looked for in the
        # export.
        yield file_part("", url if url.startswith("data:") else url.rsplit("/", 1)[-1], is_image=True)
    elif kind == "text":
        yield from said_parts(text, role)
    else:
        yield from unknown_parts(value)
