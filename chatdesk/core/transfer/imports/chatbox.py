"""Reads Chatbox's exports: one JSON file with a member for each session, its zip with a document for each, or one
session alone. A session holds the topics begun in it one after the other; each becomes a thread of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from chatdesk.core.domain.imported import ImportedFile, ImportedMessage, ImportedPart, ImportedThread
from chatdesk.core.domain.message import PartType, Role, Status
from chatdesk.core.transfer.imports.parts import (
    file_part,
    said_parts,
    text_parts,
    thought_parts,
    thread_of,
    tool_call_part,
    tool_result_parts,
    unknown_parts,
)
from chatdesk.core.transfer.imports.tree import Node
from chatdesk.core.transfer.imports.values import (
    count_of,
    dict_of,
    fingerprint,
    key_of,
    list_of,
    moment,
    text_of,
    without_empty_values,
    words_of,
)

SOURCE: Final = "chatbox"
# The member of older exports that holds all sessions.
SESSIONS: Final = "chat-sessions"
_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM, "tool": Role.TOOL}


def is_session(value: object) -> bool:
    session = dict_of(value)
    messages = list_of(session.get("messages"))
    first = dict_of(messages[0]) if messages else {}
    return "id" in session and "name" in session and "role" in first and ("contentParts" in first or "content" in first)


def is_member(name: str | None, value: object) -> bool:
    """Return whether a member of the outermost object is a session."""
    return name is not None and (name == "session" or name.startswith("session:")) and is_session(value)


def read_session(value: Mapping[str, Any], fallback_ms: int) -> list[ImportedThread]:
    """Return the threads of one session: the current topic, and those before it."""
    forks = dict_of(value.get("messageForksHash"))
    topics = [{"name": value.get("threadName"), "messages": value.get("messages")}, *list_of(value.get("threads"))]
    threads = [_topic(value, dict_of(topic), forks, fallback_ms) for topic in topics]
    return [thread for thread in threads if thread.messages] or threads[:1]


def _topic(
    session: Mapping[str, Any], topic: Mapping[str, Any], forks: Mapping[str, Any], fallback_ms: int
) -> ImportedThread:
    raw = [dict_of(each) for each in list_of(topic.get("messages"))]
    instructions: list[str] = []
    while raw and raw[0].get("role") == "system":
        instructions.extend(text_of(part.content.get("text")) for part in _parts(raw[0], Role.SYSTEM))
        raw = raw[1:]
    model = text_of(dict_of(session.get("settings")).get("modelId"))
    nodes = _chain(raw, None, model)
    current = nodes[-1].key if nodes else None
    _add_forks(nodes, forks, model)
    created = moment(topic.get("createdAt"))
    # A topic keeps its messages, and changes its own id when another is begun.
    first = nodes[0].key if nodes else key_of(topic.get("id"))
    starred = nodes[-1].created_at if nodes else None
    return thread_of(
        SOURCE,
        fingerprint(key_of(session.get("id")), first),
        nodes,
        title=text_of(topic.get("name")).strip() or session.get("name"),
        current_key=current,
        created=created,
        updated=None,
        fallback_ms=fallback_ms,
        values={
            "system_prompt": "\n\n".join(filter(None, instructions)),
            "pinned_at": (starred or fallback_ms) if session.get("starred") is True else None,
        },
    )


def _chain(raw: Sequence[Mapping[str, Any]], above: str | None, model: str) -> list[Node]:
    nodes: list[Node] = []
    for each in raw:
        message = _message(each, above or "", model)
        nodes.append(Node(message.key, above, message if message.parts else None, message.created_at or None))
        above = message.key
    return nodes


def _add_forks(nodes: list[Node], forks: Mapping[str, Any], model: str) -> None:
    """Add other continuations of a message to ``nodes``; each may have forks of its own."""
    waiting = [node.key for node in nodes]
    seen: set[str] = set()
    by_key = {key_of(name): fork for name, fork in forks.items()}
    while waiting:
        key = waiting.pop()
        if key in seen or key not in by_key:
            continue
        seen.add(key)
        for each in list_of(dict_of(by_key[key]).get("lists")):
            others = _chain([dict_of(message) for message in list_of(dict_of(each).get("messages"))], key, model)
            nodes.extend(others)
            waiting.extend(node.key for node in others)


def _message(value: Mapping[str, Any], above: str, model: str) -> ImportedMessage:
    role = _ROLES.get(text_of(value.get("role")), Role.USER)
    parts = tuple(_parts(value, role))
    said = (text_of(part.content.get("text")) for part in parts)
    key = key_of(value.get("id")) or fingerprint(above, role.value, *said)
    created = moment(value.get("timestamp"))
    status, values = Status.COMPLETE, dict[str, Any]()
    if role is Role.ASSISTANT:
        usage = dict_of(value.get("usage"))
        asked, answered = count_of(usage.get("inputTokens")), count_of(usage.get("outputTokens"))
        problem = text_of(value.get("error"))
        values = without_empty_values(
            {
                "model": (text_of(value.get("model")) or model)[:200],
                "prompt_tokens": asked,
                "completion_tokens": answered,
                "total_tokens": count_of(usage.get("totalTokens")),
                "reasoning_tokens": count_of(usage.get("reasoningTokens")),
                "finish_reason": text_of(value.get("finishReason"))[:40],
                "error": problem[:2000],
                "error_type": "other" if problem else None,
            }
        )
        if problem:
            status = Status.ERROR
            parts = parts or (ImportedPart(PartType.TEXT, {"text": ""}),)
        elif value.get("generating") is True:
            status = Status.INTERRUPTED
    return ImportedMessage(key, None, role, created or 0, parts, status=status, keys=(key,), values=values)


def _parts(value: Mapping[str, Any], role: Role) -> Iterator[ImportedPart]:
    yield from thought_parts(text_of(value.get("reasoningContent")))
    said = [part for each in list_of(value.get("contentParts")) for part in _piece(each, role)]
    yield from said or said_parts(words_of(value.get("content")), role)
    for each in list_of(value.get("pictures")):
        picture = dict_of(each)
        yield _stored("image", text_of(picture.get("storageKey")), text_of(picture.get("url")), is_image=True)
    for each in list_of(value.get("files")):
        file = dict_of(each)
        key = text_of(file.get("rawStorageKey")) or text_of(file.get("storageKey"))
        yield _stored(text_of(file.get("name")), key, text_of(file.get("url")), is_image=False)
    for each in list_of(value.get("links")):
        link = dict_of(each)
        yield from text_parts("\n".join(filter(None, (text_of(link.get("title")), text_of(link.get("url"))))))


def _piece(value: object, role: Role) -> Iterator[ImportedPart]:
    piece = dict_of(value)
    kind, text = text_of(piece.get("type")), words_of(value)
    if kind == "reasoning":
        yield from thought_parts(text)
    elif kind == "tool-call":
        name = text_of(piece.get("toolName"))
        yield tool_call_part(name, piece.get("toolCallId"), piece.get("args"))
        yield from tool_result_parts(name, piece.get("toolCallId"), piece.get("result"))
    elif kind == "image":
        yield _stored("image", text_of(piece.get("storageKey")), text_of(piece.get("url")), is_image=True)
    elif kind in ("text", "info", ""):
        yield from said_parts(text, role)
    else:
        yield from unknown_parts(value)


def _stored(name: str, key: str, url: str, *, is_image: bool) -> ImportedPart:
    """Return the part for a file. Only Chatbox's zip has the bytes, which are beside the sessions."""
    if url.startswith("data:") or not key:
        return file_part(name, url if url.startswith("data:") else "", is_image=is_image)
    shown = name or "file"
    kind = PartType.IMAGE if is_image else PartType.FILE
    return ImportedPart(kind, {"name": shown}, "", ImportedFile(shown, key))
