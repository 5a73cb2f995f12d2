"""Reads ChatGPT's export: ``conversations.json`` (or ``conversations-000.json`` and so on), a tree of nodes each.

The format is not documented by its maker; this follows its exports of 2023 to 2026. Thoughts, tool calls and their
results are messages of their own there; here they are parts of the answer that they led to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from chatdesk.core.domain.imported import ImportedMessage, ImportedPart, ImportedThread
from chatdesk.core.domain.message import ContextMark, Role, Status
from chatdesk.core.transfer.imports import chatgpt_content as content
from chatdesk.core.transfer.imports.canvas import Canvas, after_call
from chatdesk.core.transfer.imports.chatgpt_marks import Marks
from chatdesk.core.transfer.imports.memories import memories_of_messages
from chatdesk.core.transfer.imports.tree import Node, above_by_children, make_tree
from chatdesk.core.transfer.imports.values import (
    dict_of,
    fingerprint,
    first_text,
    key_of,
    moment,
    text_of,
    title_of,
    title_source_of,
    without_empty_values,
)

SOURCE: Final = "chatgpt"
_STATUS = {"finished_successfully": Status.COMPLETE, "in_progress": Status.INTERRUPTED}
_FINISH = {"stop": "stop", "max_tokens": "length", "interrupted": "stop"}
# Characters of canvases that are told again after a small change of theirs, in one conversation.
_MOST_OF_CANVASES = 4_000_000
_GIZMO = re.compile(r"g-[A-Za-z0-9-]{4,45}\Z")
_NAMES_OF_MODEL: Final = ("model_slug", "resolved_model_slug", "default_model_slug")
_HIDDEN = "is_visually_hidden_from_conversation"


@dataclass(frozen=True, slots=True)
class _Step:
    """A message of the vendor: one step of a turn."""

    key: str
    parent_key: str | None
    role: Role
    parts: tuple[ImportedPart, ...]
    created_at: int | None
    message: Mapping[str, Any]


def is_conversation(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("mapping"), dict)


def read_conversation(value: Mapping[str, Any], fallback_ms: int) -> ImportedThread:
    """Return the thread of one conversation. Never fails: anything strange in it is passed over or kept as text."""
    mapping = dict_of(value.get("mapping"))
    created = moment(value.get("create_time"))
    instructions: list[str] = []
    steps, empty, left_out, marks = _steps(mapping, instructions)
    nodes = _nodes(steps, empty, text_of(value.get("default_model_slug")))
    updated = moment(value.get("update_time"))
    tree = make_tree(
        nodes,
        current_key=_merged_key(nodes, key_of(value.get("current_node"))),
        fallback_ms=created or updated or fallback_ms,
    )
    times = [message.created_at for message in tree.messages]
    created_at = created or min(times, default=fallback_ms)
    last = max([updated or created_at, *times])
    return ImportedThread(
        source=SOURCE,
        key=key_of(value.get("conversation_id")) or key_of(value.get("id")) or fingerprint(*sorted(mapping)[:50]),
        title=title_of(value.get("title"), first_text(tree.messages)),
        created_at=created_at,
        last_activity_at=last,
        messages=tree.messages,
        chosen=tree.chosen,
        values=without_empty_values(
            {
                "title_source": title_source_of(value.get("title")),
                "system_prompt": "\n\n".join(dict.fromkeys(instructions)),
                "archived_at": last if value.get("is_archived") is True else None,
                "pinned_at": moment(value.get("pinned_time")) or (last if value.get("is_starred") is True else None),
            }
        ),
        tags=_assistant_names(value),
        left_out=left_out,
        marks_left_out=marks,
        memories=memories_of_messages(mapping),
    )


def _steps(mapping: Mapping[str, Any], instructions: list[str]) -> tuple[list[_Step], list[Node], int, int]:
    """Return the steps with content, the nodes without, how many with content the vendor hides from the reader, and
    how many marks of the steps say nothing."""
    steps: list[_Step] = []
    empty: list[Node] = []
    left_out = marks_left_out = 0
    above = above_by_children((key_of(name), dict_of(each).get("children")) for name, each in mapping.items())
    for name, each in mapping.items():
        node = dict_of(each)
        message = dict_of(node.get("message"))
        key = key_of(name)
        parent = key_of(node.get("parent")) or above.get(key)
        created = moment(message.get("create_time"))
        role = content.role_of(message)
        parts: tuple[ImportedPart, ...] = ()
        own = content.instructions_of(message)
        if own:
            instructions.append(own)
        elif role is not None:
            marks = Marks(message)
            parts = tuple(content.parts_of(message, role, key, marks))
        if parts and dict_of(message.get("metadata")).get(_HIDDEN) is True:
            parts, left_out = (), left_out + 1
        if role is None or not parts:
            empty.append(Node(key, parent, None, created))
        else:
            steps.append(_Step(key, parent, role, parts, created, message))
            marks_left_out += marks.without_words
    return _with_canvases(steps, empty), empty, left_out, marks_left_out


def _with_canvases(steps: list[_Step], empty: Sequence[Node]) -> list[_Step]:
    """Return the steps; each call of a canvas gets the document as it is after that call in its own branch."""
    calls = {
        step.key: content.call_of(step.message)
        for step in steps
        if step.role is Role.ASSISTANT and text_of(step.message.get("recipient")).startswith("canmore.")
    }
    if not calls:
        return steps
    by_key = {step.key: step for step in steps}
    above = {node.key: node.parent_key for node in empty} | {step.key: step.parent_key for step in steps}
    after: dict[str | None, Canvas | None] = {None: None}
    left = _MOST_OF_CANVASES
    for start in by_key:
        way: dict[str, None] = {}
        key: str | None = start
        while key is not None and key not in after and key not in way:
            way[key] = None
            key = above.get(key)
        canvas = after.get(key)
        for each in reversed(way):
            changed, is_whole = after_call(*calls.get(each, ("", "")), canvas) if left > 0 else (canvas, False)
            if changed is not None and left > 0 and (is_whole or changed is not canvas):
                left -= 0 if is_whole else len(changed.text)
                parts = content.with_canvas(by_key[each].parts, changed, each, is_whole=is_whole)
                by_key[each] = replace(by_key[each], parts=parts)
            canvas = after[each] = changed
    return list(by_key.values())


def _nodes(steps: Sequence[_Step], empty: Sequence[Node], default_model: str) -> list[Node]:
    """Return a node for each turn: steps of the model and its tools that follow one another without a branch become
    one."""
    above = {node.key: node.parent_key for node in empty}
    by_key: dict[str, _Step] = {}
    for step in steps:
        by_key.setdefault(step.key, step)
    parents = {key: _step_above(step.parent_key, by_key, above) for key, step in by_key.items()}
    below: dict[str, list[str]] = {}
    for key, parent in parents.items():
        if parent is not None:
            below.setdefault(parent, []).append(key)

    def goes_on(key: str) -> str | None:
        following = below.get(key, [])
        if len(following) != 1 or by_key[key].role not in _OF_MODEL or by_key[following[0]].role not in _OF_MODEL:
            return None
        return following[0]

    inner = {following for key in by_key if (following := goes_on(key)) is not None}
    nodes = list(empty)
    seen: set[str] = set()
    for key in [*(key for key in by_key if key not in inner), *by_key]:  # the second round is for circles
        together: list[_Step] = []
        each: str | None = key
        while each is not None and each not in seen:
            seen.add(each)
            together.append(by_key[each])
            each = goes_on(each)
        if together:
            nodes.append(_turn(together, parents[key], default_model))
    return _ends_for_parents(nodes)


_OF_MODEL: Final = frozenset((Role.ASSISTANT, Role.TOOL))


def _step_above(key: str | None, by_key: Mapping[str, _Step], above: Mapping[str, str | None]) -> str | None:
    seen: set[str] = set()
    while key is not None and key not in by_key:
        if key in seen:
            return None
        seen.add(key)
        key = above.get(key)
    return key


def _turn(steps: Sequence[_Step], parent_key: str | None, default_model: str) -> Node:
    first = steps[0]
    role = Role.ASSISTANT if any(step.role is Role.ASSISTANT for step in steps) else first.role
    parts = tuple(content.joined([part for step in steps for part in step.parts]))
    created = next((step.created_at for step in steps if step.created_at is not None), None)
    message = ImportedMessage(
        key=first.key,
        parent_key=parent_key,
        role=role,
        created_at=created or 0,
        parts=parts,
        status=_status(steps, role),
        keys=tuple(step.key for step in steps),
        values=_values(steps, role, default_model),
    )
    return Node(first.key, parent_key, message, created)


def _ends_for_parents(nodes: Sequence[Node]) -> list[Node]:
    """Return the nodes with turns as parents: a node below any step of a turn is below the turn."""
    turn_of = {key: node.key for node in nodes if node.message is not None for key in node.message.keys}
    return [
        Node(node.key, turn_of.get(node.parent_key or "", node.parent_key), node.message, node.created_at)
        for node in nodes
    ]


def _merged_key(nodes: Sequence[Node], current: str) -> str | None:
    for node in nodes:
        if node.message is not None and current in node.message.keys:
            return node.key
    return current or None


def _status(steps: Sequence[_Step], role: Role) -> Status:
    if role is not Role.ASSISTANT:
        return Status.COMPLETE
    last = steps[-1].message
    if text_of(_finish(last).get("type")) == "interrupted":
        return Status.STOPPED
    return _STATUS.get(text_of(last.get("status")), Status.COMPLETE)


def _finish(message: Mapping[str, Any]) -> dict[str, Any]:
    return dict_of(dict_of(message.get("metadata")).get("finish_details"))


def _values(steps: Sequence[_Step], role: Role, default_model: str) -> dict[str, Any]:
    weights = [step.message.get("weight") for step in steps]
    values: dict[str, Any] = {}
    if weights and all(weight == 0 and weight is not False for weight in weights):
        values["context_mark"] = ContextMark.EXCLUDED.value  # the vendor does not send it either
    if role is not Role.ASSISTANT:
        return values
    told = [dict_of(step.message.get("metadata")) for step in reversed(steps)]
    names = (text_of(each.get(name)) for name in _NAMES_OF_MODEL for each in told)
    values["model"] = next(filter(None, names), default_model)[:200]
    values["finish_reason"] = _FINISH.get(text_of(_finish(steps[-1].message).get("type")))
    ended = moment(steps[-1].message.get("update_time")) or moment(steps[-1].message.get("create_time"))
    values["completed_at"] = ended
    return without_empty_values(values)


def _assistant_names(value: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the name of the custom GPT or project as a tag, if the export has it. Newer exports have only the id,
    which still shows which threads belong together; a tag can be renamed."""
    gizmo = dict_of(value.get("gizmo"))
    found = (
        text_of(dict_of(gizmo.get("display")).get("name")),
        text_of(gizmo.get("name")),
        text_of(value.get("gizmo_name")),
        text_of(value.get("conversation_template_name")),
    )
    name = next((" ".join(each.split())[:60] for each in found if each.strip()), "")
    key = text_of(value.get("gizmo_id")) or text_of(value.get("conversation_template_id"))
    if not name and _GIZMO.match(key):
        name = f"Project {key}" if key.startswith("g-p-") else f"GPT {key}"
    return (name,) if name else ()
