"""Claude's export: ``conversations.json`` with messages in a row (or, in newer ones, in a tree), ``projects.json``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from chatdesk.core.domain.imported import ImportedFile, ImportedMessage, ImportedPart, ImportedThread
from chatdesk.core.domain.message import PartType, Role, Status
from chatdesk.core.transfer.import_tree import Node, make_tree
from chatdesk.core.transfer.import_values import (
    as_json,
    dict_of,
    document,
    fingerprint,
    first_text,
    key_of,
    list_of,
    marked_stretches,
    moment,
    text_of,
    title_of,
    title_source_of,
    without_nothing,
)

SOURCE: Final = "claude"
_ROLES = {"human": Role.USER, "user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}
_FINISH = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls"}
_MARKDOWN = "text/markdown"
_ARTIFACT = re.compile(r"<antArtifact\b([^<>]{0,2000})>")
_ATTRIBUTE = re.compile(r'([a-zA-Z]{1,20})="([^"]{0,500})"')
_THINKING = re.compile(r"<antThinking>")
_LANGUAGES = {
    "image/svg+xml": "svg",
    "text/html": "html",
    "application/vnd.ant.mermaid": "mermaid",
    "application/vnd.ant.react": "jsx",
}


def is_conversation(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("chat_messages"), list)


def read_conversation(
    value: Mapping[str, Any], fallback_ms: int, projects: Mapping[str, Mapping[str, Any]]
) -> ImportedThread:
    """``projects`` are the entries of ``projects.json`` by their ids."""
    created, updated = moment(value.get("created_at")), moment(value.get("updated_at"))
    fallback = created or updated or fallback_ms
    found = [_message(dict_of(each), index) for index, each in enumerate(list_of(value.get("chat_messages")))]
    has_parents = any(text_of(dict_of(each).get("parent_message_uuid")) for each in list_of(value.get("chat_messages")))
    nodes: list[Node] = []
    for message, own_parent, moment_ms in found:
        parent = own_parent if has_parents else (nodes[-1].key if nodes else None)
        nodes.append(Node(message.key, parent, message if message.parts else None, moment_ms))
    tree = make_tree(nodes, current_key=_current(value, nodes), fallback_ms=fallback)
    times = [message.created_at for message in tree.messages]
    created_at = created or min(times, default=fallback)
    project = projects.get(_project_key(value), {})
    name = " ".join((text_of(project.get("name")) or text_of(dict_of(value.get("project")).get("name"))).split())
    return ImportedThread(
        source=SOURCE,
        key=key_of(value.get("uuid")) or fingerprint(*(message.key for message in tree.messages)),
        title=title_of(value.get("name"), first_text(tree.messages)),
        created_at=created_at,
        last_activity_at=max([updated or created_at, *times]),
        messages=tree.messages,
        chosen=tree.chosen,
        values=without_nothing(
            {
                "title_source": title_source_of(value.get("name")),
                "system_prompt": text_of(project.get("prompt_template")),
                "pinned_at": (updated or created_at) if value.get("is_starred") is True else None,
            }
        ),
        tags=(name[:60],) if name else (),
    )


def _project_key(value: Mapping[str, Any]) -> str:
    return key_of(value.get("project_uuid")) or key_of(dict_of(value.get("project")).get("uuid"))


def _current(value: Mapping[str, Any], nodes: list[Node]) -> str | None:
    named = key_of(value.get("current_leaf_message_uuid"))
    if named:
        return named
    return nodes[-1].key if nodes else None


def _message(value: Mapping[str, Any], index: int) -> tuple[ImportedMessage, str | None, int | None]:
    role = _ROLES.get(text_of(value.get("sender")), Role.USER)
    created = moment(value.get("created_at"))
    key = key_of(value.get("uuid")) or f"row:{index}"
    parts = tuple(_parts(value, role))
    values: dict[str, Any] = {}
    if role is Role.ASSISTANT:
        values = without_nothing(
            {
                "model": text_of(value.get("model"))[:200],
                "completed_at": moment(value.get("updated_at")) or created,
                "finish_reason": _FINISH.get(text_of(value.get("stop_reason"))),
            }
        )
    message = ImportedMessage(
        key=key,
        parent_key=None,
        role=role,
        created_at=created or 0,
        parts=parts,
        status=Status.STOPPED if value.get("stop_reason") == "user_canceled" else Status.COMPLETE,
        keys=(key,),
        values=values,
    )
    return message, key_of(value.get("parent_message_uuid")) or None, created


def _parts(value: Mapping[str, Any], role: Role) -> Iterator[ImportedPart]:
    blocks = [dict_of(each) for each in list_of(value.get("content"))]
    has_text = False
    for number, block in enumerate(blocks):
        for part in _block(block, number):
            has_text = has_text or part.type is PartType.TEXT
            yield part
    if not has_text and text_of(value.get("text")).strip() and not any(block.get("type") != "text" for block in blocks):
        yield from _text(text_of(value.get("text")))
    for each in list_of(value.get("attachments")):
        yield from _attachment(dict_of(each))
    named = set[str]()
    for each in [*list_of(value.get("files")), *list_of(value.get("files_v2"))]:
        file = dict_of(each)
        name = text_of(file.get("file_name")) or "file"
        pointer = text_of(file.get("file_uuid")) or text_of(file.get("uuid"))
        if (pointer or name) not in named:
            named.add(pointer or name)
            is_image = file.get("file_kind") == "image" or name.lower().endswith((".png", ".jpg", ".jpeg", ".webp"))
            kind = PartType.IMAGE if is_image else PartType.FILE
            yield ImportedPart(kind, {"name": name}, "", ImportedFile(name, "", pointer or name))


def _block(block: Mapping[str, Any], number: int) -> Iterator[ImportedPart]:
    kind = text_of(block.get("type"))
    times = without_nothing(
        {"started_at": moment(block.get("start_timestamp")), "completed_at": moment(block.get("stop_timestamp"))}
    )
    if kind == "text":
        yield from _text(text_of(block.get("text")))
    elif kind == "thinking":
        text = text_of(block.get("thinking"))
        if text.strip():
            yield ImportedPart(PartType.REASONING, {"text": text}, values=times)
    elif kind == "tool_use":
        yield from _tool_use(block, number, times)
    elif kind == "tool_result":
        text = _result_text(block.get("content"))
        values = {"tool_name": text_of(block.get("name"))[:200], "tool_call_id": key_of(block.get("tool_use_id"))}
        if text.strip() and text.strip() != "OK":
            yield ImportedPart(PartType.TOOL_RESULT, {"text": text}, values=without_nothing(values))
    elif kind == "voice_note":
        yield from _text("\n\n".join(filter(None, (text_of(block.get("title")), text_of(block.get("text"))))))
    elif kind not in ("token_budget", "flag", "") and set(block) - {"type", "start_timestamp", "stop_timestamp"}:
        yield from _text(text_of(block.get("text")) or as_json(block))


def _text(text: str) -> Iterator[ImportedPart]:
    """In exports before 2025 thoughts and artifacts stand in the text, between marks."""
    if "<antThinking>" in text:
        pieces, thoughts = [], []
        for before, mark, inside in marked_stretches(text, _THINKING, "</antThinking>"):
            pieces.append(before)
            thoughts.append(inside.strip() if mark is not None else "")
        text = "".join(pieces)
        if any(thoughts):
            yield ImportedPart(PartType.REASONING, {"text": "\n\n".join(filter(None, thoughts))})
    if "<antArtifact" in text:
        pieces = []
        for before, mark, inside in marked_stretches(text, _ARTIFACT, "</antArtifact>"):
            pieces.append(before)
            if mark is not None:
                pieces.append(f"\n\n{_artifact(dict(_ATTRIBUTE.findall(mark.group(1))), inside)}\n\n")
        text = "".join(pieces)
    if text.strip():
        yield ImportedPart(PartType.TEXT, {"text": text})


def _artifact(attributes: Mapping[str, Any], text: str) -> str:
    kind = text_of(attributes.get("type"))
    language = text_of(attributes.get("language")) or _LANGUAGES.get(kind, "")
    return document(attributes.get("title"), text, language, is_markdown=kind == _MARKDOWN)


def _tool_use(block: Mapping[str, Any], number: int, times: Mapping[str, Any]) -> Iterator[ImportedPart]:
    name, data = text_of(block.get("name"))[:200], dict_of(block.get("input"))
    if name == "artifacts" and data.get("command") in ("create", "rewrite") and text_of(data.get("content")).strip():
        yield ImportedPart(PartType.TEXT, {"text": "\n\n" + _artifact(data, text_of(data.get("content"))) + "\n\n"})
        return
    if name == "create_file" and text_of(data.get("file_text")).strip():
        path = text_of(data.get("path")).rsplit("/", 1)[-1]
        text = document(path, text_of(data.get("file_text")), path.rpartition(".")[2], is_markdown=path.endswith(".md"))
        yield ImportedPart(PartType.TEXT, {"text": f"\n\n{text}\n\n"})
        return
    call_id = key_of(block.get("id")) or f"call:{number}"
    values = {**times, "tool_name": name, "tool_call_id": call_id}
    yield ImportedPart(
        PartType.TOOL_CALL, {"name": name, "arguments": as_json(block.get("input"))}, values=without_nothing(values)
    )


def _result_text(content: object) -> str:
    if isinstance(content, str):
        return content
    texts = []
    for each in list_of(content):
        piece = dict_of(each)
        head = " ".join(filter(None, (text_of(piece.get("title")), text_of(piece.get("url")))))
        texts.append("\n".join(filter(None, (head, text_of(piece.get("text"))))))
    return "\n\n".join(filter(None, texts))


def _attachment(file: Mapping[str, Any]) -> Iterator[ImportedPart]:
    """The export has an attachment's text, not its bytes."""
    name, text = text_of(file.get("file_name")) or "attachment", text_of(file.get("extracted_content"))
    if not text:
        yield ImportedPart(PartType.FILE, {"name": name}, "", ImportedFile(name, "", name))
        return
    mime = "text/plain"
    if not name.lower().endswith((".txt", ".md", ".csv", ".json", ".py", ".html", ".xml", ".yml", ".yaml", ".toml")):
        name += ".txt"
    yield ImportedPart(
        PartType.FILE, {"name": name}, "", ImportedFile(name, mime, data=text.encode("utf-8", "replace"))
    )
