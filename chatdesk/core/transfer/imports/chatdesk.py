"""Reads ChatDesk's own JSON (docs/export-format.md): version 2, and version 1, which holds the shown path of one
thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from chatdesk.core.domain.artifacts.artifact import DOCUMENT
from chatdesk.core.domain.artifacts.file_change import FILE_DIFF
from chatdesk.core.domain.attachment import clean_name
from chatdesk.core.domain.imported import (
    ImportedDocument,
    ImportedExtras,
    ImportedFile,
    ImportedMessage,
    ImportedPart,
    ImportedProject,
    ImportedThread,
    WithFiles,
)
from chatdesk.core.domain.message import ContextMark, PartType, Role, Status
from chatdesk.core.domain.prompt import PromptKind, setup_from
from chatdesk.core.domain.sharing.quotation import quotation
from chatdesk.core.domain.tools import COPIED, OPEN_STATES
from chatdesk.core.errors import ImportRefused, InvalidId
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.engine.message_columns import Form, exported
from chatdesk.core.texts import Text
from chatdesk.core.transfer.imports.json_stream import Parts
from chatdesk.core.transfer.imports.quoted_messages import author_of, quote_parts
from chatdesk.core.transfer.imports.tree import Node, Tree, make_tree
from chatdesk.core.transfer.imports.values import (
    count_of,
    dict_of,
    key_of,
    list_of,
    moment,
    text_of,
    title_of,
    without_empty_values,
)

SOURCE: Final = "chatdesk"
NEWEST_VERSION: Final = 2
_MOST_IN_DRAFT = 20
_MOST_VERSIONS = 500  # for the documents of one part
_LONGEST_LANGUAGE = 40
_MOMENTS = (*exported(Form.MOMENT), "deleted_at", "purged_at")
_COUNTS = exported(Form.COUNT)
_TEXTS = exported(Form.WORD, Form.TEXT)
_USAGE = {
    "input_tokens": "prompt_tokens",
    "output_tokens": "completion_tokens",
    "total_tokens": "total_tokens",
    "cached_tokens": "cached_tokens",
    "reasoning_tokens": "reasoning_tokens",
}


@dataclass(frozen=True, slots=True)
class _ReadMessage:
    """A message with the shown version below it; empty keys if the file names none."""

    node: Node
    key: str
    chosen_child_key: str


def is_format(name: object) -> bool:
    return isinstance(name, str) and name in ("chatdesk", "chatdesk-thread")


class ChatDeskReader:
    """Reads the members of the document in the order they come; ``thread`` returns one of ``threads``, ``finish`` the
    thread of version 1."""

    def __init__(self) -> None:
        self._header: dict[str, Any] = {}
        self._projects: dict[str, ImportedProject] = {}
        self._tags: dict[str, str] = {}

    @property
    def is_known(self) -> bool:
        return is_format(self._header.get("format"))

    def member(self, name: str, value: object) -> None:
        """Read one member of the document. Raises ``ImportRefused`` for a version that this ChatDesk does not know."""
        self._header[name] = value
        if name == "projects":
            self._projects = {project.key: project for project in _projects(list_of(value))}
        elif name == "tags":
            tags = [dict_of(tag) for tag in list_of(value)]
            self._tags = {key_of(tag.get("id")): " ".join(text_of(tag.get("name")).split()) for tag in tags}
        version = count_of(self._header.get("format_version"))
        if self.is_known and version is not None and version > NEWEST_VERSION:
            raise ImportRefused(
                Text("This file was written by a newer ChatDesk (format version {version}).", version=str(version)),
                next_step=Text("Update ChatDesk, then import it."),
            )

    def parts(self) -> Parts | None:
        """Return how to read the messages of a long thread one by one; None for another program's document."""
        return Parts("messages", _read_message) if self.is_known else None

    def thread(self, value: Mapping[str, Any], fallback_ms: int) -> ImportedThread:
        return _thread(value, list_of(value.get("messages")), self._projects, self._tags, fallback_ms)

    @property
    def extras(self) -> ImportedExtras:
        """The prompts and drafts, which are beside the threads."""
        prompts = [_prompt(dict_of(each)) for each in list_of(self._header.get("prompts"))]
        drafts = [_draft(dict_of(each)) for each in list_of(self._header.get("drafts"))]
        return ImportedExtras(
            tuple(each for each in prompts if each is not None), _joined(each for each in drafts if each is not None)
        )

    def finish(self, fallback_ms: int) -> ImportedThread | None:
        if not self.is_known or not isinstance(self._header.get("thread"), dict):
            return None
        messages = list_of(self._header.get("messages"))
        return _thread(dict_of(self._header["thread"]), messages, {}, {}, fallback_ms)


def _projects(values: Iterable[Any]) -> Iterable[ImportedProject]:
    for each in values:
        project = dict_of(each)
        key, name = key_of(project.get("id")), " ".join(text_of(project.get("name")).split())
        if key and name:
            # The person chooses the provider and model, not a file; see also ``_thread_values``.
            kept = {name: text_of(project.get(name)) for name in ("colour", "system_prompt")}
            parameters = dict_of(project.get("parameters"))
            yield ImportedProject(
                key,
                name[:200],
                without_empty_values(
                    {
                        **kept,
                        "parameters": parameters or None,
                        "is_without_summaries": int(project.get("is_without_summaries") is True),
                        "created_at": moment(project.get("created_at")),
                        "archived_at": moment(project.get("archived_at")),
                    }
                ),
            )


def _thread(
    value: Mapping[str, Any],
    messages: list[Any],
    projects: Mapping[str, ImportedProject],
    tags: Mapping[str, str],
    fallback_ms: int,
) -> ImportedThread:
    read = [
        each if isinstance(each, _ReadMessage) else _read_message(index, each) for index, each in enumerate(messages)
    ]
    created = moment(value.get("created_at")) or fallback_ms
    nodes = [each.node for each in read]
    tree = make_tree(nodes, current_key=key_of(value.get("current_leaf_id")) or _last(nodes), fallback_ms=created)
    names = [tags.get(key_of(tag), "") for tag in list_of(value.get("tags"))]
    return ImportedThread(
        source=SOURCE,
        key=key_of(value.get("id")) or (nodes[0].key if nodes else "thread"),
        title=title_of(value.get("title")),
        created_at=created,
        last_activity_at=moment(value.get("last_activity_at")) or created,
        messages=tree.messages,
        chosen=_chosen(tree, read, key_of(value.get("chosen_root_id"))),
        values=_thread_values(value),
        tags=tuple(dict.fromkeys(name for name in names if name)),
        summaries=tuple(_summary(dict_of(each)) for each in list_of(value.get("summaries"))),
        project=projects.get(key_of(value.get("project_id"))),
        wanted_id=_id(value.get("id")),
    )


def _thread_values(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a thread's values without provider and model: the next question goes where the person's own choice
    says."""
    source = text_of(value.get("title_source"))
    return without_empty_values(
        {
            "system_prompt": text_of(value.get("system_prompt")),
            "pinned_at": moment(value.get("pinned_at")),
            "archived_at": moment(value.get("archived_at")),
            "deleted_at": moment(value.get("deleted_at")),
            "title_source": source if source in ("person", "text", "model") else None,
            "parameters": dict_of(value.get("parameters")) or None,
            "is_without_summaries": int(value.get("is_without_summaries") is True),
            "context_from_id": key_of(value.get("context_from_id")),
        }
    )


def _last(nodes: list[Node]) -> str | None:
    return nodes[-1].key if nodes else None


def _chosen(tree: Tree, read: Iterable[_ReadMessage], root: str) -> dict[str | None, str]:
    """Return the versions that the file marks as shown, if they are below the message that names them."""
    parents = {message.key: message.parent_key for message in tree.messages}
    chosen = dict(tree.chosen)
    if root and root in parents and parents[root] is None:
        chosen[None] = root
    for each in read:
        if each.chosen_child_key and parents.get(each.chosen_child_key) == each.key:
            chosen[each.key] = each.chosen_child_key
    return chosen


def _read_message(index: int, raw: object) -> _ReadMessage:
    value = dict_of(raw)
    key = key_of(value.get("id"))
    return _ReadMessage(_node(value, key or f"row:{index}"), key, key_of(value.get("chosen_child_id")))


def _node(value: Mapping[str, Any], key: str) -> Node:
    created = moment(value.get("created_at"))
    role = Role(value["role"]) if value.get("role") in set(Role) else Role.USER
    status = Status(value["status"]) if value.get("status") in set(Status) else Status.COMPLETE
    message = ImportedMessage(
        key=key,
        parent_key=None,
        role=role,
        created_at=created or 0,  # the tree gives a message without a time that of its parent
        parts=quote_parts(
            value, tuple(part for each in list_of(value.get("parts")) if (part := _part(dict_of(each))) is not None)
        ),
        status=status if status.is_final else Status.INTERRUPTED,
        keys=(key,),
        values=_message_values(value),
        wanted_id=_id(value.get("id")),
    )
    return Node(key, key_of(value.get("parent_id")) or None, message, created)


def _message_values(value: Mapping[str, Any]) -> dict[str, Any]:
    mark = text_of(value.get("context_mark"))
    usage = dict_of(value.get("usage"))  # version 1
    return without_empty_values(
        {
            **{column: count_of(usage.get(name)) for name, column in _USAGE.items()},
            **{name: moment(value.get(name)) for name in _MOMENTS},
            **{name: count_of(value[name]) for name in _COUNTS if name in value},
            **{name: text_of(value.get(name)) for name in _TEXTS},
            "context_mark": mark if mark in set(ContextMark) else None,
            "error_details": dict_of(value.get("error_details")) or None,
            "deleted_with": key_of(value.get("deleted_with")),
        }
    )


def _part(value: Mapping[str, Any]) -> ImportedPart | None:
    if value.get("type") not in set(PartType):
        return None
    kind, content = PartType(value["type"]), dict_of(value.get("content"))
    if kind is PartType.TOOL_CALL and content.get("status") in OPEN_STATES:
        content[COPIED] = True
    file = None
    if kind in (PartType.IMAGE, PartType.FILE):
        content["name"] = clean_name(text_of(content.get("name")))
        content.pop(FILE_DIFF, None)  # a change that was proposed elsewhere is a text here
    if kind in (PartType.IMAGE, PartType.FILE) and not content.get("problem"):
        file = ImportedFile(text_of(content.get("name")), text_of(content.get("sha256")))
    values = {
        "step_index": count_of(value.get("step_index")),
        "started_at": moment(value.get("started_at")),
        "completed_at": moment(value.get("completed_at")),
        "tool_name": text_of(value.get("tool_name"))[:200],
        "tool_call_id": text_of(value.get("tool_call_id"))[:200],
        "tool_duration_ms": count_of(value.get("tool_duration_ms")),
    }
    return ImportedPart(kind, content, "", file, without_empty_values(values), tuple(_documents(value)))


def _documents(part: Mapping[str, Any]) -> Iterator[ImportedDocument]:
    """Yield the versions of documents that were opened from a part."""
    for each in map(dict_of, list_of(part.get("artifacts"))[:_MOST_VERSIONS]):
        key = _id(each.get("document_id"))
        if each.get("kind") == DOCUMENT and key is not None:
            yield ImportedDocument(
                key,
                ImportedFile(clean_name(text_of(each.get("name"))), text_of(each.get("sha256"))),
                text_of(each.get("language"))[:_LONGEST_LANGUAGE],
                count_of(each.get("version")) or 1,
                each.get("is_by_hand") is True,
                moment(each.get("created_at")) or 0,
            )


def _summary(value: Mapping[str, Any]) -> dict[str, Any]:
    counts = ("version", "token_count", "message_count", "input_tokens", "output_tokens")
    texts = ("text", "provider", "model", "prompt_version", "stale_reason")
    text = text_of(value.get("text"))
    if (found := author_of(value)) is not None:
        text = quotation(text, author=found[0], source=found[1])
    return without_empty_values(
        {
            **{name: count_of(value.get(name)) for name in counts},
            **{name: text_of(value.get(name)) for name in texts},
            "text": text,
            "author": "person" if value.get("author") == "person" else "model",
            "from_message_id": key_of(value.get("from_message_id")),
            "up_to_message_id": key_of(value.get("up_to_message_id")),
            "pinned_facts": [text for text in list_of(value.get("pinned_facts")) if isinstance(text, str)],
            "created_at": moment(value.get("created_at")),
            "deleted_at": moment(value.get("deleted_at")),
            "is_off": int(value.get("is_off") is True),
        }
    )


def _prompt(value: Mapping[str, Any]) -> WithFiles | None:
    key, name, kind = _id(value.get("id")), " ".join(text_of(value.get("name")).split()), value.get("kind")
    created = moment(value.get("created_at"))
    if key is None or not name or kind not in list(PromptKind) or created is None:
        return None
    setup = dict_of(value.get("setup"))
    known = setup_from({"icon": setup.get("icon"), "parameters": setup.get("parameters")})
    row = {
        "id": key,
        "kind": kind,
        "name": name[:200],
        "text": text_of(value.get("text")),
        "created_at": created,
        "updated_at": moment(value.get("updated_at")) or created,
        "used_at": moment(value.get("used_at")),
        "use_count": count_of(value.get("use_count")) or 0,
        "icon": known.icon,
        "parameters": known.parameters,
    }
    return row, _files(setup.get("files"))


def _files(listed: object) -> tuple[ImportedFile, ...]:
    files = [dict_of(each) for each in list_of(listed)]
    return tuple(
        ImportedFile(text_of(file.get("name")), text_of(file.get("sha256"))) for file in files[:_MOST_IN_DRAFT]
    )


_WAITING = "next:"  # how the slot of a question begins that waits for an answer; then the thread's id, ":", its own


def _joined(drafts: Iterable[WithFiles]) -> tuple[WithFiles, ...]:
    """Return one draft a thread. An import sends nothing: questions that wait for an answer become part of the
    draft."""
    found: dict[str, WithFiles] = {}
    for row, files in drafts:
        first, before = found.get(row["slot"], (row, ()))
        texts = [row["text"]] if first is row else [first["text"], row["text"]]
        joined = {**first, "text": "\n".join(text for text in texts if text)}
        found[row["slot"]] = joined, (*before, *files)[:_MOST_IN_DRAFT]
    return tuple(found.values())


def _draft(value: Mapping[str, Any]) -> WithFiles | None:
    slot, updated = value.get("slot"), moment(value.get("updated_at"))
    if isinstance(slot, str) and slot.startswith(_WAITING):
        slot = slot.removeprefix(_WAITING).partition(":")[0]
    thread_id = None if slot == "new" else _id(slot)
    if (slot != "new" and thread_id is None) or updated is None:
        return None
    text = text_of(value.get("text"))
    row = {
        "slot": thread_id or "new",
        "thread_id": thread_id,
        "text": text,
        "cursor": min(count_of(value.get("cursor")) or 0, len(text)),
        "updated_at": updated,
    }
    return row, _files(value.get("attachments"))


def _id(value: object) -> str | None:
    try:
        return checked_id(value)
    except InvalidId:
        return None
