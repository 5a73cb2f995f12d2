"""Reads Open WebUI's export: chats with a tree of messages each, pictures and files as data URLs."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from chatdesk.core.domain.imported import ImportedMessage, ImportedPart, ImportedThread
from chatdesk.core.domain.message import PartType, Role, Status
from chatdesk.core.transfer.imports.parts import (
    answer_parts,
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
from chatdesk.core.transfer.imports.tree import Node, above_by_children, make_tree
from chatdesk.core.transfer.imports.values import (
    count_of,
    dict_of,
    fingerprint,
    first_text,
    key_of,
    list_of,
    marked_stretches,
    moment,
    text_of,
    title_of,
    title_source_of,
    without_empty_values,
    words_of,
)

SOURCE: Final = "open_webui"
_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM, "tool": Role.TOOL}
# An attribute may hold a tool's whole result, with its quotation marks escaped.
_DETAILS = re.compile(r'<details type="(reasoning|tool_calls|code_interpreter)"([^<>]*)>')
_ATTRIBUTE = re.compile(r'\b([a-z_]{1,20})="([^"]*)"')
_TEXTS_OF_OUTPUT: Final = frozenset(("message", "output_text"))
_QUOTE = re.compile(r"^(?:&gt;|>) ?", re.MULTILINE)


def is_conversation(value: Mapping[str, Any]) -> bool:
    return _history(value) is not None or isinstance(dict_of(value.get("chat")).get("messages"), list)


def _history(value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the history of an exported chat, or of a chat alone; None if there is none."""
    for chat in (dict_of(value.get("chat")), value):
        history = chat.get("history")
        if isinstance(history, dict) and isinstance(history.get("messages"), dict):
            return history
    return None


def read_conversation(value: Mapping[str, Any], fallback_ms: int) -> ImportedThread:
    """Return the thread of one chat."""
    chat = dict_of(value.get("chat")) or value
    created = moment(value.get("created_at")) or moment(chat.get("timestamp"))
    updated = moment(value.get("updated_at"))
    fallback = created or updated or fallback_ms
    nodes, current = _nodes(value, chat)
    tree = make_tree(nodes, current_key=current, fallback_ms=fallback)
    times = [message.created_at for message in tree.messages]
    created_at = created or min(times, default=fallback)
    last = max([updated or created_at, *times])
    tags = [*list_of(dict_of(value.get("meta")).get("tags")), *list_of(chat.get("tags"))]
    names = [" ".join((text_of(tag) or text_of(dict_of(tag).get("name"))).split())[:60] for tag in tags]
    system = text_of(dict_of(chat.get("params")).get("system")) or text_of(chat.get("system"))
    return ImportedThread(
        source=SOURCE,
        key=key_of(value.get("id")) or key_of(chat.get("id")) or fingerprint(*(node.key for node in nodes)),
        title=title_of(value.get("title") or chat.get("title"), first_text(tree.messages)),
        created_at=created_at,
        last_activity_at=last,
        messages=tree.messages,
        chosen=tree.chosen,
        values=without_empty_values(
            {
                "title_source": title_source_of(value.get("title") or chat.get("title")),
                "system_prompt": system,
                "archived_at": last if value.get("archived") is True else None,
                "pinned_at": last if value.get("pinned") is True else None,
            }
        ),
        tags=tuple(dict.fromkeys(name for name in names if name))[:20],
    )


def _nodes(value: Mapping[str, Any], chat: Mapping[str, Any]) -> tuple[list[Node], str | None]:
    history = _history(value)
    nodes: list[Node] = []
    asked = list_of(chat.get("models"))
    model = text_of(asked[0]) if asked else ""
    if history is not None:
        rows = {key_of(name): dict_of(each) for name, each in dict_of(history.get("messages")).items()}
        above = above_by_children((name, each.get("childrenIds")) for name, each in rows.items())
        for name, each in rows.items():
            message, parent, created = _message(each, name, model)
            content = message if message.parts else None
            nodes.append(Node(message.key, parent or above.get(message.key), content, created))
        return nodes, key_of(history.get("currentId")) or None
    for index, each in enumerate(list_of(chat.get("messages"))):
        message, _parent, created = _message(dict_of(each), f"row:{index}", model)
        nodes.append(Node(message.key, nodes[-1].key if nodes else None, message if message.parts else None, created))
    return nodes, nodes[-1].key if nodes else None


def _message(value: Mapping[str, Any], name: str, model: str) -> tuple[ImportedMessage, str | None, int | None]:
    role = _ROLES.get(text_of(value.get("role")), Role.USER)
    key = name if not name.startswith("row:") else key_of(value.get("id")) or name
    created = moment(value.get("timestamp"))
    values: dict[str, Any] = {}
    status = Status.COMPLETE
    if role is Role.ASSISTANT:
        usage = dict_of(value.get("usage")) or dict_of(value.get("info"))
        asked = count_of(usage.get("prompt_tokens")) or count_of(usage.get("prompt_eval_count"))
        answered = count_of(usage.get("completion_tokens")) or count_of(usage.get("eval_count"))
        problem = words_of(value.get("error"))
        values = without_empty_values(
            {
                "model": (text_of(value.get("model")) or text_of(value.get("modelName")) or model)[:200],
                "prompt_tokens": asked,
                "completion_tokens": answered,
                "total_tokens": None if asked is None or answered is None else asked + answered,
                "completed_at": moment(value.get("completedAt")) or created,
                "error": problem[:2000],
                "error_type": "other" if problem else None,
            }
        )
        if problem:
            status = Status.ERROR
        elif value.get("done") is False:
            status = Status.INTERRUPTED
    parts = tuple(_parts(value, role))
    if not parts and status is Status.ERROR:
        parts = (ImportedPart(PartType.TEXT, {"text": ""}),)
    message = ImportedMessage(key, None, role, created or 0, parts, status=status, keys=(key,), values=values)
    return message, key_of(value.get("parentId")) or None, created


def _parts(value: Mapping[str, Any], role: Role) -> Iterator[ImportedPart]:
    said = list(_content(value.get("content"), role))
    if not said:
        said = [part for each in list_of(value.get("output")) for part in _output(dict_of(each))]
    sources = [dict_of(each) for each in list_of(value.get("sources")) or list_of(value.get("citations"))]
    yield from with_sources(said, pages_in([[each.get("source"), each.get("metadata")] for each in sources]))
    yield from text_parts(words_of(dict_of(value.get("merged")).get("content")))
    for number, each in enumerate(list_of(value.get("code_executions"))):
        run = dict_of(each)
        name, call_id = text_of(run.get("name")), f"run:{number}"
        yield tool_call_part(name, call_id, run.get("code"))
        yield from tool_result_parts(name, call_id, _outcome(dict_of(run.get("result"))))
    for number, source in enumerate(sources):
        name, call_id = text_of(dict_of(source.get("source")).get("name")), f"source:{number}"
        passages = words_of(source.get("document"))
        if passages.strip():
            yield tool_call_part(name, call_id, None)
            yield from tool_result_parts(name, call_id, passages)
    for each in list_of(value.get("files")):
        yield from _file(dict_of(each))


def _content(content: object, role: Role) -> Iterator[ImportedPart]:
    for each in list_of(content) or [content]:
        piece = dict_of(each)
        url = text_of(dict_of(piece.get("image_url")).get("url"))
        if url:
            yield file_part("image", url, is_image=True)
        elif piece.get("type", "text") == "text":
            yield from _text(words_of(each), role)
        else:
            yield from unknown_parts(each)


def _output(item: Mapping[str, Any]) -> Iterator[ImportedPart]:
    """Yield the parts of an item in the form of the Responses protocol, which is all that newer answers may have."""
    kind, call_id = text_of(item.get("type")), item.get("call_id")
    if kind == "reasoning":
        yield from thought_parts(words_of(item.get("summary")) or words_of(item.get("content")))
    elif kind == "function_call":
        yield tool_call_part(text_of(item.get("name")), call_id, item.get("arguments"))
    elif kind == "function_call_output":
        yield from tool_result_parts(text_of(item.get("name")), call_id, item.get("output"))
    elif kind in _TEXTS_OF_OUTPUT:
        yield from answer_parts(words_of(item.get("content")) or words_of(item))
    else:
        yield from unknown_parts(item)


def _outcome(result: Mapping[str, Any]) -> object:
    """Return the output and the error of a program, else all that is known of its end."""
    return "\n".join(filter(None, (words_of(result.get("output")), words_of(result.get("error"))))) or result or None


def _file(file: Mapping[str, Any]) -> Iterator[ImportedPart]:
    stored = dict_of(file.get("file"))
    url = text_of(file.get("url"))
    name = text_of(file.get("name")) or text_of(stored.get("filename")) or ("" if url.startswith("data:") else url)
    is_image = text_of(file.get("type")) == "image"
    texts = (stored.get("data"), file.get("data"), file.get("content"), file.get("docs"))
    inner = next(filter(None, map(words_of, texts)), "")
    yield text_file_part(name, inner) if inner and not is_image else file_part(name, url, is_image=is_image)
    if text_of(file.get("type")) == "web" and url != name:
        yield from text_parts(url)


def _text(text: str, role: Role) -> Iterator[ImportedPart]:
    """Yield the parts of a text: a model's thoughts and tools are in it as HTML."""
    if role is not Role.ASSISTANT or "<details type=" not in text:
        yield from text_parts(text)
        return
    for before, mark, inside in marked_stretches(text, _DETAILS, "</details>"):
        yield from text_parts(before)
        if mark is not None:
            yield from _details(mark, inside)


def _details(match: re.Match[str], inside: str) -> Iterator[ImportedPart]:
    attributes = {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(match.group(2))}
    head, mark, tail = inside.partition("</summary>")
    inner = (tail if mark else head).strip()
    if match.group(1) == "reasoning":
        text = html.unescape(_QUOTE.sub("", inner)).strip()
        if text:
            yield ImportedPart(PartType.REASONING, {"text": text})
        return
    name = attributes.get("name", "") or match.group(1)
    call_id = key_of(attributes.get("id")) or f"call:{match.start()}"
    values = {"tool_name": name[:200], "tool_call_id": call_id}
    arguments = attributes.get("arguments", "") or (html.unescape(inner) if match.group(1) != "tool_calls" else "")
    yield ImportedPart(PartType.TOOL_CALL, {"name": name[:200], "arguments": arguments}, values=values)
    result = attributes.get("result", "") or attributes.get("output", "")
    if not result and match.group(1) == "tool_calls":
        result = html.unescape(inner)
    if result:
        yield ImportedPart(PartType.TOOL_RESULT, {"text": result}, values=values)
