"""Reads LibreChat's export of one conversation: messages in a row with parents, or messages within messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from chatdesk.core.domain.imported import ImportedFile, ImportedMessage, ImportedPart, ImportedThread
from chatdesk.core.domain.message import PartType, Role, Status
from chatdesk.core.texts import Text
from chatdesk.core.transfer.imports.tree import Node, make_tree
from chatdesk.core.transfer.imports.values import (
    as_json,
    count_of,
    dict_of,
    fingerprint,
    first_text,
    key_of,
    list_of,
    moment,
    text_of,
    title_of,
    without_empty_values,
)

SOURCE: Final = "librechat"
_NO_PARENT = "00000000-0000-0000-0000-000000000000"


def is_conversation(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("messagesTree"), list) or (
        isinstance(value.get("messages"), list) and ("conversationId" in value or "recursive" in value)
    )


def read_conversation(value: Mapping[str, Any], fallback_ms: int) -> ImportedThread:
    """Return the thread of an export, which holds one conversation."""
    options = dict_of(value.get("options"))
    nodes = _nodes(value)
    tree = make_tree(nodes, current_key=_newest(nodes), fallback_ms=fallback_ms)
    times = [message.created_at for message in tree.messages]
    tags = [" ".join(text_of(tag).split())[:60] for tag in list_of(value.get("tags"))]
    return ImportedThread(
        source=SOURCE,
        key=key_of(value.get("conversationId")) or fingerprint(*(node.key for node in nodes)),
        title=title_of(value.get("title"), first_text(tree.messages)),
        created_at=min(times, default=fallback_ms),
        last_activity_at=max(times, default=fallback_ms),
        messages=tree.messages,
        chosen=tree.chosen,
        values=without_empty_values(
            {"system_prompt": text_of(options.get("promptPrefix")) or text_of(options.get("system"))}
        ),
        tags=tuple(dict.fromkeys(tag for tag in tags if tag))[:20],
    )


def _nodes(value: Mapping[str, Any]) -> list[Node]:
    """Return the nodes. Messages within messages are walked without recursion: a long conversation is as deep as it
    is long."""
    nodes: list[Node] = []
    top = list_of(value.get("messagesTree")) or list_of(value.get("messages"))
    waiting: list[tuple[Any, str | None]] = [(each, None) for each in reversed(top)]
    has_parents = any(text_of(dict_of(each).get("parentMessageId")) for each in top)
    is_in_a_row = not has_parents and not any(list_of(dict_of(each).get("children")) for each in top)
    while waiting:
        each, above = waiting.pop()
        raw = dict_of(each)
        key = key_of(raw.get("messageId")) or f"row:{len(nodes)}"
        named = text_of(raw.get("parentMessageId"))
        parent = above
        if above is None and named and named != _NO_PARENT:
            parent = key_of(named)
        elif is_in_a_row and nodes:
            parent = nodes[-1].key
        message, created = _message(raw, key)
        nodes.append(Node(key, parent, message if message.parts else None, created))
        waiting.extend((child, key) for child in reversed(list_of(raw.get("children"))))
    return nodes


def _newest(nodes: list[Node]) -> str | None:
    """Return the key of the newest message: the export does not say which path was shown."""
    dated = [node for node in nodes if node.created_at is not None]
    if len(dated) != len(nodes):
        return nodes[-1].key if nodes and not dated else None
    return max(dated, key=lambda node: node.created_at or 0).key if dated else None


def _message(value: Mapping[str, Any], key: str) -> tuple[ImportedMessage, int | None]:
    is_question = value.get("isCreatedByUser") is True or text_of(value.get("sender")).lower() == "user"
    role = Role.USER if is_question else Role.ASSISTANT
    created = moment(value.get("createdAt"))
    status, values = Status.COMPLETE, dict[str, Any]()
    parts = tuple(_parts(value))
    if not is_question:
        values = without_empty_values(
            {
                "model": text_of(value.get("model"))[:200],
                "finish_reason": text_of(value.get("finish_reason"))[:40],
                "completion_tokens": count_of(value.get("tokenCount")),
                "prompt_tokens": count_of(value.get("promptTokens")),
                "completed_at": moment(value.get("updatedAt")) or created,
            }
        )
        if value.get("error") is True:
            status = Status.ERROR
            values |= {"error": text_of(value.get("text"))[:2000] or Text("The answer failed."), "error_type": "other"}
        elif value.get("unfinished") is True:
            status = Status.INTERRUPTED
    return ImportedMessage(key, None, role, created or 0, parts, status=status, keys=(key,), values=values), created


def _parts(value: Mapping[str, Any]) -> Iterator[ImportedPart]:
    pieces = list_of(value.get("content"))
    for piece in pieces:
        yield from _piece(dict_of(piece))
    if not pieces and text_of(value.get("text")).strip():
        yield ImportedPart(PartType.TEXT, {"text": text_of(value.get("text"))})
    for each in [*list_of(value.get("files")), *list_of(value.get("attachments"))]:
        file = dict_of(each)
        name = text_of(file.get("filename")) or "file"
        mime = text_of(file.get("type"))
        kind = PartType.IMAGE if mime.startswith("image/") else PartType.FILE
        yield ImportedPart(kind, {"name": name}, "", ImportedFile(name, text_of(file.get("file_id")) or name))


def _piece(piece: Mapping[str, Any]) -> Iterator[ImportedPart]:
    kind = text_of(piece.get("type"))
    inner = piece.get(kind) if kind else None
    text = text_of(inner) or text_of(dict_of(inner).get("value")) or text_of(piece.get("text"))
    if kind in ("think", "reasoning", "thinking"):
        if text.strip():
            yield ImportedPart(PartType.REASONING, {"text": text})
    elif kind == "tool_call":
        call = dict_of(inner)
        name, call_id = text_of(call.get("name"))[:200], key_of(call.get("id"))
        values = without_empty_values({"tool_name": name, "tool_call_id": call_id})
        yield ImportedPart(PartType.TOOL_CALL, {"name": name, "arguments": as_json(call.get("args"))}, values=values)
        output = text_of(call.get("output"))
        if output.strip():
            yield ImportedPart(PartType.TOOL_RESULT, {"text": output}, values=values)
    elif kind in ("image_file", "image_url"):
        name = text_of(dict_of(inner).get("filename")) or "image"
        yield ImportedPart(PartType.IMAGE, {"name": name}, "", ImportedFile(name, name))
    elif text.strip():
        yield ImportedPart(PartType.TEXT, {"text": text})
