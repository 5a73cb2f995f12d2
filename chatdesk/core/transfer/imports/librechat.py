"""Reads LibreChat's export of one conversation: messages in a row with parents, or messages within messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from chatdesk.core.domain.imported import ImportedFile, ImportedMessage, ImportedPart, ImportedThread
from chatdesk.core.domain.message import PartType, Role, Status
from chatdesk.core.texts import Text
from chatdesk.core.transfer.imports.parts import (
    file_part,
    pages_in,
    text_file_part,
    text_parts,
    thought_parts,
    tool_call_part,
    tool_result_parts,
    unknown_parts,
    with_sources,
)
from chatdesk.core.transfer.imports.tree import Node, make_tree
from chatdesk.core.transfer.imports.values import (
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
    words_of,
)

SOURCE: Final = "librechat"
_OF_CALL = frozenset(("args", "arguments", "input", "output"))
_NO_PARENT = "00000000-0000-0000-0000-000000000000"


def is_conversation(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("messagesTree"), list) or (
        isinstance(value.get("messages"), list) and ("conversationId" in value or "recursive" in value)
    )


def read_conversation(value: Mapping[str, Any], fallback_ms: int) -> ImportedThread:
    """Return the thread of an export, which holds one conversation."""
    options = dict_of(value.get("options"))
    model = text_of(options.get("model")) or text_of(value.get("model"))
    nodes = _nodes(value, model)
    tree = make_tree(nodes, current_key=_newest(nodes), fallback_ms=fallback_ms)
    instructions = [
        text_of(options.get(name)) for name in ("promptPrefix", "system", "instructions", "additional_instructions")
    ]
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
        values=without_empty_values({"system_prompt": "\n\n".join(dict.fromkeys(filter(None, instructions)))}),
        tags=tuple(dict.fromkeys(tag for tag in tags if tag))[:20],
    )


def _nodes(value: Mapping[str, Any], model: str) -> list[Node]:
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
        message, created = _message(raw, key, model)
        nodes.append(Node(key, parent, message if message.parts else None, created))
        waiting.extend((child, key) for child in reversed(list_of(raw.get("children"))))
    return nodes


def _newest(nodes: list[Node]) -> str | None:
    """Return the key of the newest message: the export does not say which path was shown."""
    dated = [node for node in nodes if node.created_at is not None]
    if len(dated) != len(nodes):
        return nodes[-1].key if nodes and not dated else None
    return max(dated, key=lambda node: node.created_at or 0).key if dated else None


def _message(value: Mapping[str, Any], key: str, model: str) -> tuple[ImportedMessage, int | None]:
    is_question = value.get("isCreatedByUser") is True or text_of(value.get("sender")).lower() == "user"
    role = Role.USER if is_question else Role.ASSISTANT
    created = moment(value.get("createdAt"))
    status, values = Status.COMPLETE, dict[str, Any]()
    parts = tuple(_parts(value))
    if not is_question:
        values = without_empty_values(
            {
                "model": (text_of(value.get("model")) or model or text_of(value.get("sender")))[:200],
                "finish_reason": text_of(value.get("finish_reason"))[:40],
                "completion_tokens": count_of(value.get("tokenCount")),
                "prompt_tokens": count_of(value.get("promptTokens")),
                "completed_at": moment(value.get("updatedAt")) or created,
            }
        )
        if value.get("error") is True:
            status = Status.ERROR
            values |= {"error": words_of(value.get("text"))[:2000] or Text("The answer failed."), "error_type": "other"}
        elif value.get("unfinished") is True:
            status = Status.INTERRUPTED
    return ImportedMessage(key, None, role, created or 0, parts, status=status, keys=(key,), values=values), created


def _parts(value: Mapping[str, Any]) -> Iterator[ImportedPart]:
    pieces = list_of(value.get("content"))
    said = [part for piece in pieces for part in _piece(piece)]
    if not any(dict_of(piece).get("type") == "text" for piece in pieces):
        said.extend(text_parts(text_of(value.get("content")) or words_of(value.get("text"))))
    plugin = dict_of(value.get("plugin"))
    for number, each in enumerate(list_of(plugin.get("inputs"))):
        call = dict_of(each)
        name, call_id = text_of(call.get("plugin")), f"plugin:{number}"
        said.extend(thought_parts(words_of(call.get("thought"))))
        said.append(tool_call_part(name, call_id, call.get("input")))
        said.extend(tool_result_parts(name, call_id, call.get("outputStr") or plugin.get("outputs")))
    attached = [dict_of(each) for each in list_of(value.get("attachments"))]
    found = [dict_of(each.get("web_search")) for each in attached]
    yield from with_sources(said, pages_in(found))
    for number, search in enumerate(filter(None, found)):
        yield from tool_result_parts("web_search", f"search:{number}", search)
    for file in [*map(dict_of, list_of(value.get("files"))), *attached]:
        name = text_of(file.get("filename"))
        if words_of(file.get("text")).strip():
            yield text_file_part(name, words_of(file.get("text")))
        elif name or "web_search" not in file:
            kind = PartType.IMAGE if text_of(file.get("type")).startswith("image/") else PartType.FILE
            yield ImportedPart(
                kind, {"name": name or "file"}, "", ImportedFile(name or "file", text_of(file.get("file_id")) or name)
            )


def _piece(value: object) -> Iterator[ImportedPart]:
    piece = dict_of(value)
    kind = text_of(piece.get("type"))
    inner = piece.get(kind) if kind else None
    text = words_of(inner) or words_of(piece.get("text"))
    if kind in ("think", "reasoning", "thinking"):
        yield from thought_parts(text)
    elif kind == "tool_call":
        yield from _tool_call(dict_of(inner))
    elif kind in ("image_file", "image_url"):
        url = text_of(dict_of(inner).get("url"))
        name = text_of(dict_of(inner).get("filename")) or ("" if url.startswith("data:") else url)
        yield file_part(name, url or name, is_image=True)
    elif kind in ("text", "error") and text.strip():
        yield from text_parts(text)
    else:
        yield from unknown_parts(value)


def _tool_call(call: Mapping[str, Any]) -> Iterator[ImportedPart]:
    """Yield a call and its result; assistants have their own kinds of calls, each under the name of its kind."""
    own = next((each for name, each in call.items() if isinstance(each, dict) and name not in _OF_CALL), {})
    name = text_of(call.get("name")) or text_of(own.get("name")) or text_of(call.get("type"))
    arguments = next((each[key] for each in (call, own) for key in ("args", "arguments", "input") if key in each), None)
    yield tool_call_part(name, call.get("id"), arguments)
    for each in (call.get("output"), own.get("output"), own.get("outputs")):
        yield from tool_result_parts(name, call.get("id"), each)
