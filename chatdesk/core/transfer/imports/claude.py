"""Reads Claude's export: ``conversations.json`` with messages in a row (or, in newer ones, in a tree), and projects,
all in ``projects.json`` or one each in ``projects/``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from chatdesk.core.domain.imported import ImportedFile, ImportedMessage, ImportedPart, ImportedThread
from chatdesk.core.domain.message import PartType, Role, Status
from chatdesk.core.transfer.imports.parts import pages_in, unknown_parts, with_sources
from chatdesk.core.transfer.imports.tree import Node, linear, make_tree
from chatdesk.core.transfer.imports.values import (
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
    without_empty_values,
    words_of,
)

SOURCE: Final = "claude"
_ROLES = {"human": Role.USER, "user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}
_FINISH = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls"}
_ARTIFACT = re.compile(r"<antArtifact\b([^<>]{0,2000})>")
_ATTRIBUTE = re.compile(r'([a-zA-Z]{1,20})="([^"]{0,500})"')
_THINKING = re.compile(r"<antThinking>")
# Characters of documents that are told again after a small change of theirs, in one conversation.
_MOST_OF_DOCUMENTS = 4_000_000
_MARKDOWN: Final = "text/markdown"
_LANGUAGES = {
    "image/svg+xml": "svg",
    "text/html": "html",
    "application/vnd.ant.mermaid": "mermaid",
    "application/vnd.ant.react": "jsx",
}
_LONGEST = 2_000_000
# The export's placeholder for content that is not text.
_NOT_SHOWN = re.compile(r"(?:```\s*)?This block is not supported on your current device yet\.(?:\s*```)?")


def is_conversation(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("chat_messages"), list)


def read_conversation(
    value: Mapping[str, Any], fallback_ms: int, projects: Mapping[str, Mapping[str, Any]]
) -> ImportedThread:
    """Return the thread of one conversation. ``projects`` are the entries of ``projects.json`` by their ids."""
    created, updated = moment(value.get("created_at")), moment(value.get("updated_at"))
    fallback = created or updated or fallback_ms
    raw = [dict_of(each) for each in list_of(value.get("chat_messages"))]
    has_parents = any(text_of(each.get("parent_message_uuid")) for each in raw)
    nodes: list[Node] = []
    documents: dict[str | None, Documents] = {}
    left = _MOST_OF_DOCUMENTS
    for index, each in enumerate(raw):
        message, own_parent, moment_ms = _message(each, index, text_of(value.get("model")))
        parent = own_parent if has_parents else (nodes[-1].key if nodes else None)
        before = documents.get(parent, {})
        documents[message.key], changed = after_message(each, before) if left > 0 else (before, [])
        left -= sum(len(text) for text in changed)
        if changed:
            now = tuple(ImportedPart(PartType.TEXT, {"text": f"\n\n{text}"}) for text in changed)
            message = replace(message, parts=(*message.parts, *now))
        nodes.append(Node(message.key, parent, message if message.parts else None, moment_ms))
    tree = make_tree(nodes, current_key=_current(value, nodes), fallback_ms=fallback)
    times = [message.created_at for message in tree.messages]
    created_at = created or min(times, default=fallback)
    project = projects.get(_project_key(value), {})
    name = _name_of(project) or _name_of(dict_of(value.get("project")))
    return ImportedThread(
        source=SOURCE,
        key=key_of(value.get("uuid")) or fingerprint(*(message.key for message in tree.messages)),
        title=title_of(value.get("name"), first_text(tree.messages)),
        created_at=created_at,
        last_activity_at=max([updated or created_at, *times]),
        messages=tree.messages,
        chosen=tree.chosen,
        values=without_empty_values(
            {
                "title_source": title_source_of(value.get("name")),
                "system_prompt": text_of(project.get("prompt_template")),
                "pinned_at": (updated or created_at) if value.get("is_starred") is True else None,
            }
        ),
        tags=(name[:60],) if name else (),
    )


def has_documents(project: Mapping[str, Any]) -> bool:
    """Return whether this is a project with documents in it."""
    is_project = bool(key_of(project.get("uuid"))) and "chat_messages" not in project
    return is_project and any(text_of(dict_of(each).get("content")).strip() for each in list_of(project.get("docs")))


def read_project(project: Mapping[str, Any], fallback_ms: int) -> ImportedThread:
    """Return a project's documents as the files of a thread, a message each in the order in which they were added,
    so that a newer export adds its new ones at the end."""
    created, updated = moment(project.get("created_at")), moment(project.get("updated_at"))
    fallback = created or updated or fallback_ms
    messages: list[ImportedMessage] = []
    about = text_of(project.get("description"))
    if about.strip():
        messages.append(ImportedMessage("about", None, Role.USER, created or 0, tuple(_text(about)), keys=("about",)))
    documents = [dict_of(each) for each in list_of(project.get("docs"))]
    for each in sorted(documents, key=lambda each: moment(each.get("created_at")) or 0):
        name, text = text_of(each.get("filename")), text_of(each.get("content"))
        if text.strip():
            key = f"doc:{key_of(each.get('uuid')) or fingerprint(name, text)}"
            parts = tuple(_attachment({"file_name": name or "document", "extracted_content": text}))
            added = moment(each.get("created_at")) or 0
            messages.append(ImportedMessage(key, None, Role.USER, added, parts, keys=(key,)))
    tree = make_tree(linear(messages), current_key=messages[-1].key, fallback_ms=fallback)
    times = [message.created_at for message in tree.messages]
    name = _name_of(project)
    return ImportedThread(
        source=SOURCE,
        key=f"project:{key_of(project.get('uuid'))}",
        title=title_of(f"{name or 'Project'}: documents"),
        created_at=created or min(times, default=fallback),
        last_activity_at=max([updated or fallback, *times]),
        messages=tree.messages,
        chosen=tree.chosen,
        values=without_empty_values({"system_prompt": text_of(project.get("prompt_template"))}),
        tags=(name[:60],) if name else (),
    )


def _name_of(project: Mapping[str, Any]) -> str:
    return " ".join(text_of(project.get("name")).split())


def _project_key(value: Mapping[str, Any]) -> str:
    return key_of(value.get("project_uuid")) or key_of(dict_of(value.get("project")).get("uuid"))


def _current(value: Mapping[str, Any], nodes: list[Node]) -> str | None:
    named = key_of(value.get("current_leaf_message_uuid"))
    if named:
        return named
    return nodes[-1].key if nodes else None


def _message(value: Mapping[str, Any], index: int, model: str) -> tuple[ImportedMessage, str | None, int | None]:
    role = _ROLES.get(text_of(value.get("sender")), Role.USER)
    created = moment(value.get("created_at"))
    key = key_of(value.get("uuid")) or f"row:{index}"
    parts = tuple(_parts(value, role))
    values: dict[str, Any] = {}
    if role is Role.ASSISTANT:
        values = without_empty_values(
            {
                "model": (text_of(value.get("model")) or model)[:200],
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
    said: list[str] = []
    for number, block in enumerate(blocks):
        for part in _block(block, number):
            said.append(text_of(part.content.get("text")) if block.get("type") != "voice_note" else "")
            yield part
    beside = _NOT_SHOWN.sub("", words_of(value.get("text"))).strip()
    if beside and not any(block.get("type") == "text" and words_of(block.get("text")).strip() for block in blocks):
        yield from () if beside in "\n".join(said) else _text(beside)
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
            yield ImportedPart(kind, {"name": name}, "", ImportedFile(name, pointer or name))


def _block(block: Mapping[str, Any], number: int) -> Iterator[ImportedPart]:
    kind = text_of(block.get("type"))
    times = without_empty_values(
        {"started_at": moment(block.get("start_timestamp")), "completed_at": moment(block.get("stop_timestamp"))}
    )
    if kind == "text":
        yield from with_sources(_text(words_of(block.get("text"))), pages_in(block.get("citations")))
    elif kind == "thinking":
        thought = words_of(block.get("thinking"))
        heads = [text_of(dict_of(each).get("summary")) for each in list_of(block.get("summaries"))]
        text = "\n\n".join(filter(None, (thought, *(each for each in heads if each not in thought))))
        if text.strip():
            yield ImportedPart(PartType.REASONING, {"text": text}, values=times)
    elif kind == "tool_use":
        yield from _tool_use(block, number, times)
    elif kind == "tool_result":
        text = _result_text(block.get("content")) or as_json(block.get("structured_content") or "")
        values = {"tool_name": text_of(block.get("name"))[:200], "tool_call_id": key_of(block.get("tool_use_id"))}
        if text.strip() and text.strip() != "OK":
            yield ImportedPart(PartType.TOOL_RESULT, {"text": text}, values=without_empty_values(values))
    elif kind == "voice_note":
        yield from _text("\n\n".join(filter(None, (text_of(block.get("title")), words_of(block.get("text"))))))
    elif kind not in ("token_budget", "flag", ""):
        yield from unknown_parts(block)


def _text(text: str) -> Iterator[ImportedPart]:
    """Yield a text without its marks: in exports before 2025 thoughts and artifacts are between marks in it."""
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
                pieces.append(f"\n\n{artifact(dict(_ATTRIBUTE.findall(mark.group(1))), inside).as_text}\n\n")
        text = "".join(pieces)
    if text.strip():
        yield ImportedPart(PartType.TEXT, {"text": text})


def _tool_use(block: Mapping[str, Any], number: int, times: Mapping[str, Any]) -> Iterator[ImportedPart]:
    name, data = text_of(block.get("name"))[:200], dict_of(block.get("input"))
    whole = made_by(name, data)
    if whole is not None:
        yield ImportedPart(PartType.TEXT, {"text": f"\n\n{whole.as_text}\n\n"})
        return
    call_id = key_of(block.get("id")) or f"call:{number}"
    values = {**times, "tool_name": name, "tool_call_id": call_id}
    yield ImportedPart(
        PartType.TOOL_CALL,
        {"name": name, "arguments": as_json(block.get("input"))},
        values=without_empty_values(values),
    )


def _result_text(content: object) -> str:
    texts = []
    for each in list_of(content) or [content]:
        piece = dict_of(each)
        title = text_of(piece.get("title")) or text_of(piece.get("name"))
        head = " ".join(filter(None, (title, text_of(piece.get("url")), text_of(piece.get("file_path")))))
        text = words_of(piece.get("text"))
        if not head and not text and each:
            text = "\n\n".join(text_of(part.content["text"]) for part in unknown_parts(each))
        texts.append("\n".join(filter(None, (head, text))))
    return "\n\n".join(filter(None, texts))


def _attachment(file: Mapping[str, Any]) -> Iterator[ImportedPart]:
    """Yield an attachment as a text file: the export has its text, not its bytes."""
    name, text = text_of(file.get("file_name")) or "attachment", words_of(file.get("extracted_content"))
    if not text:
        yield ImportedPart(PartType.FILE, {"name": name}, "", ImportedFile(name, name))
        return
    if not name.lower().endswith((".txt", ".md", ".csv", ".json", ".py", ".html", ".xml", ".yml", ".yaml", ".toml")):
        name += ".txt"
    yield ImportedPart(PartType.FILE, {"name": name}, "", ImportedFile(name, data=text.encode("utf-8", "replace")))


# Claude's artifacts and files: one call makes them, others change them in places.
@dataclass(frozen=True, slots=True)
class Document:
    """An artifact or file after a call."""

    title: str
    language: str
    is_markdown: bool
    text: str

    @property
    def as_text(self) -> str:
        return document(self.title, self.text, self.language, is_markdown=self.is_markdown)


# Documents by the ids that calls use.
Documents = Mapping[str, Document]


def artifact(attributes: Mapping[str, Any], text: str) -> Document:
    kind = text_of(attributes.get("type"))
    language = text_of(attributes.get("language")) or _LANGUAGES.get(kind, "")
    return Document(text_of(attributes.get("title")), language, kind == _MARKDOWN, text)


def made_by(name: str, data: Mapping[str, Any]) -> Document | None:
    """Return the document if the call holds all of it, else None."""
    if name == "artifacts" and data.get("command") in ("create", "rewrite") and text_of(data.get("content")).strip():
        return artifact(data, text_of(data.get("content")))
    if name == "create_file" and text_of(data.get("file_text")).strip():
        path = text_of(data.get("path")).rsplit("/", 1)[-1]
        return Document(path, path.rpartition(".")[2], path.endswith(".md"), text_of(data.get("file_text")))
    return None


def after_message(message: Mapping[str, Any], before: Documents) -> tuple[Documents, list[str]]:
    """Return the documents after a message, and the new texts of those that it changed in places only."""
    calls = [block for each in list_of(message.get("content")) if (block := dict_of(each)).get("type") == "tool_use"]
    if not calls:
        return before, []
    after = dict(before)
    changed: dict[str, None] = {}
    for block in calls:
        name, data = text_of(block.get("name")), dict_of(block.get("input"))
        key = text_of(data.get("id")) if name == "artifacts" else text_of(data.get("path"))
        whole = made_by(name, data)
        known = after.get(key)
        if whole is not None:
            # A rewritten document keeps the properties that the call does not repeat.
            after[key] = whole if known is None or whole.title else replace(known, text=whole.text)
            changed.pop(key, None)
        elif known is not None and (name == "str_replace" or data.get("command") == "update"):
            text = _changed(known.text, text_of(data.get("old_str")), text_of(data.get("new_str")))
            if text is not None:
                after[key] = replace(known, text=text)
                changed[key] = None
    return (after, [after[key].as_text for key in changed]) if after != before else (before, [])


def _changed(text: str, old: str, new: str) -> str | None:
    if not old or old not in text or len(text) + len(new) > _LONGEST:
        return None
    return text.replace(old, new, 1)
