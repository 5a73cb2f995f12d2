"""Reads Cherry Studio's backup: ``data.json`` with its database (topics, and the blocks of their messages) and its
settings, which have the titles. Files are beside it. Older backups have the texts in the messages themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from chatdesk.core.domain.imported import ImportedFile, ImportedMessage, ImportedPart, ImportedThread
from chatdesk.core.domain.message import PartType, Role, Status
from chatdesk.core.errors import ImportRefused
from chatdesk.core.texts import Text
from chatdesk.core.transfer.imports.json_stream import LARGEST_IN_PARTS
from chatdesk.core.transfer.imports.parts import (
    answer_parts,
    file_part,
    pages_in,
    text_parts,
    thought_parts,
    thread_of,
    tool_call_part,
    tool_result_parts,
    unknown_parts,
    with_sources,
)
from chatdesk.core.transfer.imports.tree import Node
from chatdesk.core.transfer.imports.values import (
    count_of,
    dict_of,
    fenced,
    fingerprint,
    key_of,
    list_of,
    moment,
    text_of,
    without_empty_values,
    words_of,
)

SOURCE: Final = "cherry_studio"
DATABASE: Final = "indexedDB"
TOPICS: Final = "topics"
BLOCKS: Final = "message_blocks"
_SETTINGS = "localStorage"
_STORE = "persist:cherry-studio"
_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}
_STATUS = {
    "paused": Status.STOPPED,
    "error": Status.ERROR,
    "processing": Status.INTERRUPTED,
    "pending": Status.INTERRUPTED,
    "searching": Status.INTERRUPTED,
}
_TEXTS = frozenset(("main_text", "translation", "error", "unknown"))
_OF_ANY_BLOCK = frozenset(("id", "messageId", "createdAt", "updatedAt", "status", "model", "error"))
_TOO_LARGE = Text("This backup contains more text than can be read at once.")


@dataclass(slots=True)
class Backup:
    """Collects a backup's members as they come. Blocks come before the topics that need them; topics that come first
    wait."""

    _blocks: dict[str, tuple[tuple[ImportedPart, ...], str]] = field(default_factory=dict)
    _waiting: list[Mapping[str, Any]] = field(default_factory=list)
    _about: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _size: int = 0
    _has_settings: bool = False

    def member(self, name: str, value: object) -> None:
        if name == _SETTINGS and _STORE in dict_of(value):
            self._about = _about_topics(dict_of(value).get(_STORE))
            self._has_settings = True

    def block(self, value: Mapping[str, Any], size: int) -> None:
        """Keep a block. Raises ``ImportRefused`` when there are more than memory should hold."""
        self._grow(size)
        key = key_of(value.get("id"))
        if key:
            problem = dict_of(value.get("error"))
            failure = text_of(problem.get("message")) or text_of(problem.get("name"))
            self._blocks.setdefault(key, (tuple(_block_parts(value)), failure))

    def topic(self, value: Mapping[str, Any], size: int, fallback_ms: int) -> ImportedThread | None:
        """Return the thread of a topic if all of it is known already; otherwise keep the topic for ``rest``."""
        if self._has_settings and self._blocks:
            return self._read(value, fallback_ms)
        self._grow(size)
        self._waiting.append(value)
        return None

    def rest(self, fallback_ms: int) -> Iterator[ImportedThread]:
        for value in self._waiting:
            yield self._read(value, fallback_ms)

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > LARGEST_IN_PARTS:
            raise ImportRefused(_TOO_LARGE)

    def _read(self, value: Mapping[str, Any], fallback_ms: int) -> ImportedThread:
        key = key_of(value.get("id"))
        about = self._about.get(key, {})
        raw = [dict_of(each) for each in list_of(value.get("messages"))]
        nodes, current = _nodes(raw, self._blocks, text_of(about.get("assistant_model")))
        created, updated = moment(about.get("createdAt")), moment(about.get("updatedAt"))
        return thread_of(
            SOURCE,
            key or fingerprint(*(node.key for node in nodes[:50])),
            nodes,
            title=about.get("name"),
            current_key=current,
            created=created,
            updated=updated,
            fallback_ms=fallback_ms,
            values={
                "system_prompt": text_of(about.get("prompt")) or text_of(about.get("assistant_prompt")),
                "pinned_at": (updated or fallback_ms) if about.get("pinned") is True else None,
            },
        )


def _about_topics(store: object) -> dict[str, Mapping[str, Any]]:
    """Return the settings' entry for each topic, by topic id: JSON within JSON within JSON."""
    assistants = dict_of(_parsed(dict_of(_parsed(store)).get("assistants")))
    found: dict[str, Mapping[str, Any]] = {}
    for each in [assistants.get("defaultAssistant"), *list_of(assistants.get("assistants"))]:
        assistant = dict_of(each)
        for topic in map(dict_of, list_of(assistant.get("topics"))):
            model = dict_of(assistant.get("model")).get("id")
            more = {"assistant_prompt": assistant.get("prompt"), "assistant_model": model}
            found[key_of(topic.get("id"))] = {**topic, **more}
    return found


def _parsed(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _nodes(
    raw: Sequence[Mapping[str, Any]], blocks: Mapping[str, tuple[tuple[ImportedPart, ...], str]], default_model: str
) -> tuple[list[Node], str | None]:
    """Return the nodes, and the key where the conversation ended. Answers of several models to one question are
    versions of each other; the conversation goes on below the one marked as useful, else the last."""
    nodes: list[Node] = []
    questions: set[str] = set()
    current: str | None = None
    group, marked = "", False
    for each in raw:
        message = _message(each, current or "", blocks, default_model)
        asked = key_of(each.get("askId"))
        is_answer = message.role is Role.ASSISTANT and asked in questions
        if is_answer and asked == group:
            parent: str | None = asked
        else:
            parent, group, marked = current, asked if is_answer else "", False
        nodes.append(Node(message.key, parent, message if message.parts else None, message.created_at or None))
        is_marked = each.get("useful") is True
        if message.parts and not marked:
            current, marked = message.key, is_answer and is_marked
        if message.role is Role.USER:
            questions.add(message.key)
    return nodes, current


def _message(
    value: Mapping[str, Any],
    above: str,
    blocks: Mapping[str, tuple[tuple[ImportedPart, ...], str]],
    default_model: str,
) -> ImportedMessage:
    role = _ROLES.get(text_of(value.get("role")), Role.USER)
    found = [blocks[key] for each in list_of(value.get("blocks")) if (key := key_of(each)) in blocks]
    parts = (*(part for own, _failure in found for part in own), *_old_parts(value, role))
    if role is Role.ASSISTANT:
        parts = tuple(split for part in parts for split in _split(part))
    key = key_of(value.get("id")) or fingerprint(above, *(text_of(part.content.get("text")) for part in parts))
    created = moment(value.get("createdAt"))
    status, values = Status.COMPLETE, dict[str, Any]()
    if role is Role.ASSISTANT:
        usage, model = dict_of(value.get("usage")), dict_of(value.get("model"))
        failure = next((failure for _own, failure in found if failure), "") or text_of(
            dict_of(value.get("error")).get("message")
        )
        status = _STATUS.get(text_of(value.get("status")), Status.COMPLETE)
        values = without_empty_values(
            {
                "model": (text_of(model.get("id")) or text_of(value.get("modelId")) or default_model)[:200],
                "prompt_tokens": count_of(usage.get("prompt_tokens")),
                "completion_tokens": count_of(usage.get("completion_tokens")),
                "total_tokens": count_of(usage.get("total_tokens")),
                "completed_at": moment(value.get("updatedAt")),
            }
        )
        if status is Status.ERROR or (failure and status is Status.COMPLETE):
            status = Status.ERROR
            values |= {"error": failure[:2000] or Text("The answer failed."), "error_type": "other"}
            parts = parts or (ImportedPart(PartType.TEXT, {"text": ""}),)
    return ImportedMessage(key, None, role, created or 0, parts, status=status, keys=(key,), values=values)


def _split(part: ImportedPart) -> Iterator[ImportedPart]:
    if part.type is PartType.TEXT:
        yield from answer_parts(text_of(part.content.get("text")))
    else:
        yield part


def _old_parts(value: Mapping[str, Any], role: Role) -> Iterator[ImportedPart]:
    if role is Role.ASSISTANT:
        yield from thought_parts(text_of(value.get("reasoning_content")))
    yield from text_parts(words_of(value.get("content")))
    for each in list_of(value.get("images")):
        yield file_part("", text_of(each) if text_of(each).startswith("data:") else "", is_image=True)
    for each in list_of(value.get("files")):
        yield _file(dict_of(each), is_image=dict_of(each).get("type") == "image")


def _block_parts(block: Mapping[str, Any]) -> Iterator[ImportedPart]:
    kind, text = text_of(block.get("type")), words_of(block.get("content"))
    if kind == "thinking":
        yield from thought_parts(text)
    elif kind == "code":
        if text.strip():
            yield from text_parts(fenced(text, block.get("language")))
    elif kind == "tool":
        yield from _tool(block)
    elif kind == "image" and not isinstance(block.get("file"), dict):
        made = list_of(dict_of(dict_of(block.get("metadata")).get("generateImageResponse")).get("images"))
        for url in filter(None, [text_of(block.get("url")), *map(text_of, made)]):
            yield file_part("", url if url.startswith("data:") else "", is_image=True)
        yield from text_parts(text_of(dict_of(block.get("metadata")).get("prompt")))
    elif kind in ("image", "file"):
        yield _file(dict_of(block.get("file")), is_image=kind == "image")
    elif kind == "video":
        yield file_part("video", "", is_image=False)
    elif kind == "citation":
        cited = {name: block[name] for name in ("response", "knowledge", "memories") if block.get(name)}
        call = tool_call_part(kind, block.get("id"), None)
        yield from with_sources((call, *tool_result_parts(kind, block.get("id"), cited)), pages_in(cited))
    elif kind in _TEXTS:
        yield from text_parts(text)
    else:
        yield from unknown_parts({name: value for name, value in block.items() if name not in _OF_ANY_BLOCK})


def _tool(block: Mapping[str, Any]) -> Iterator[ImportedPart]:
    raw = dict_of(dict_of(block.get("metadata")).get("rawMcpToolResponse"))
    name = text_of(dict_of(raw.get("tool")).get("name")) or text_of(block.get("toolName"))
    call_id = raw.get("id") or block.get("toolId")
    yield tool_call_part(name, call_id, raw.get("arguments", block.get("arguments")))
    yield from tool_result_parts(name, call_id, raw.get("response") or block.get("content"))


def _file(file: Mapping[str, Any], *, is_image: bool) -> ImportedPart:
    """Return the part for a file. The bytes are found by the file's id; its path on the other computer is ignored."""
    stored = text_of(file.get("id"))
    suffix = text_of(file.get("ext"))
    name = text_of(file.get("origin_name")) or text_of(file.get("name")) or ("image" if is_image else "file")
    pointer = f"{stored}{suffix}" if stored else ""
    kind = PartType.IMAGE if is_image else PartType.FILE
    return ImportedPart(kind, {"name": name}, "", ImportedFile(name, pointer))
