"""Reads LM Studio's conversations: one file each, with versions of every message.

The format is undocumented; this follows the public programs that read and write it. Messages have no ids, so a
message's key is made of all text up to it: an edited or cut message there becomes a version here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from chatdesk.core.domain.imported import ImportedMessage, ImportedPart, ImportedThread
from chatdesk.core.domain.message import Role, Status
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
    list_of,
    moment,
    text_of,
    without_empty_values,
    words_of,
)

SOURCE: Final = "lm_studio"
_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}
_SYSTEM_PROMPT = "llm.prediction.systemPrompt"
_STOPPED = frozenset(("userStopped", "modelUnloaded"))


def is_conversation(value: Mapping[str, Any]) -> bool:
    return any(isinstance(dict_of(each).get("versions"), list) for each in list_of(value.get("messages"))[:5])


def read_conversation(value: Mapping[str, Any], fallback_ms: int) -> ImportedThread:
    """Return the thread of one conversation."""
    created = moment(value.get("createdAt"))
    last = dict_of(value.get("lastUsedModel"))
    model = text_of(last.get("identifier")) or text_of(last.get("indexedModelIdentifier"))
    nodes: list[Node] = []
    above: str | None = None
    first = ""
    for each in list_of(value.get("messages")):
        raw = dict_of(each)
        versions = [_message(dict_of(version), above, model) for version in list_of(raw.get("versions"))]
        chosen = count_of(raw.get("currentlySelected")) or 0
        nodes.extend(Node(message.key, above, message, message.created_at or None) for message in versions)
        if versions:
            above = versions[min(chosen, len(versions) - 1)].key
            first = first or versions[0].key
    said_last = (moment(value.get("userLastMessagedAt")), moment(value.get("assistantLastMessagedAt")))
    return thread_of(
        SOURCE,
        # Its id is only the name of its file; copies made in the same moment differ in how they begin.
        fingerprint(str(created), first),
        [Node(node.key, node.parent_key, _kept(node), node.created_at) for node in nodes],
        title=value.get("name"),
        current_key=above,
        created=created,
        updated=max((at for at in said_last if at is not None), default=None),
        fallback_ms=fallback_ms,
        values={
            "system_prompt": _system_prompt(value),
            "pinned_at": (created or fallback_ms) if value.get("pinned") is True else None,
        },
    )


def _kept(node: Node) -> ImportedMessage | None:
    return node.message if node.message is not None and node.message.parts else None


def _system_prompt(value: Mapping[str, Any]) -> str:
    for each in list_of(dict_of(value.get("perChatPredictionConfig")).get("fields")):
        field = dict_of(each)
        if field.get("key") == _SYSTEM_PROMPT and text_of(field.get("value")).strip():
            return text_of(field.get("value"))
    return text_of(value.get("systemPrompt"))


def _message(version: Mapping[str, Any], above: str | None, model: str) -> ImportedMessage:
    steps = [dict_of(each) for each in list_of(version.get("steps"))]
    role = _ROLES.get(text_of(version.get("role")), Role.ASSISTANT if steps else Role.USER)
    names: dict[str, str] = {}
    parts: list[ImportedPart] = []
    for step in [version, *steps]:
        parts.extend(_blocks(step, role, names))
    at = next((found for step in steps if (found := _moment_of(step)) is not None), None)
    status, values = _outcome(version, steps, model) if role is Role.ASSISTANT else (Status.COMPLETE, {})
    said = (f"{part.type.value} {text_of(part.content.get('text'))}{part.content.get('name', '')}" for part in parts)
    key = fingerprint(above or "", role.value, *said)
    return ImportedMessage(key, above, role, at or 0, tuple(parts), status=status, keys=(key,), values=values)


def _blocks(step: Mapping[str, Any], role: Role, names: dict[str, str]) -> Iterator[ImportedPart]:
    is_thought = text_of(dict_of(step.get("style")).get("type")) == "thinking"
    content = step.get("content")
    yield from _cited(step)
    for each in list_of(content) or [content or ""]:
        piece = dict_of(each)
        kind = text_of(piece.get("type")) or "text"
        call_id = text_of(piece.get("toolCallRequestId")) or piece.get("callId")
        if kind == "text":
            text = words_of(each)
            yield from thought_parts(text) if is_thought else said_parts(text, role)
        elif kind == "toolCallRequest":
            names[str(call_id)] = text_of(piece.get("name"))
            yield tool_call_part(names[str(call_id)], call_id, piece.get("arguments", piece.get("parameters")))
        elif kind == "toolCallResult":
            name = text_of(piece.get("name")) or names.get(str(call_id), "")
            yield from tool_result_parts(name, call_id, piece.get("content"))
        elif kind == "file":
            name = text_of(piece.get("fileIdentifier")).rsplit("/", 1)[-1]
            yield file_part(name, name, is_image=text_of(piece.get("fileType")) == "image")
        else:
            yield from unknown_parts(piece)


def _cited(step: Mapping[str, Any]) -> Iterator[ImportedPart]:
    """Yield the words of a file that an answer cites, as a quotation."""
    cited = words_of(step.get("citedText")).strip()
    if cited:
        named = text_of(dict_of(step.get("citedSource")).get("fileName"))
        yield from text_parts("\n".join(f"> {line}".rstrip() for line in [*cited.splitlines(), *filter(None, [named])]))


def _moment_of(step: Mapping[str, Any]) -> int | None:
    """Return the time in a step's name, which is the moment when it began; None if there is none."""
    number = text_of(step.get("stepIdentifier")).split("-", 1)[0]
    return moment(int(number)) if len(number) == 13 and number.isascii() and number.isdigit() else None


def _outcome(version: Mapping[str, Any], steps: list[dict[str, Any]], last: str) -> tuple[Status, dict[str, Any]]:
    made = [dict_of(step.get("genInfo")) for step in steps if isinstance(step.get("genInfo"), dict)]
    stats = [dict_of(each.get("stats")) for each in made]
    asked = next((found for each in reversed(stats) if (found := count_of(each.get("promptTokensCount")))), None)
    counts = [count_of(each.get("predictedTokensCount")) for each in stats]
    answered = sum(each for each in counts if each is not None) or None
    models = [text_of(each.get("identifier")) or text_of(each.get("indexedModelIdentifier")) for each in made]
    sender = text_of(dict_of(version.get("senderInfo")).get("senderName"))
    reasons = [text_of(each.get("stopReason")) for each in stats]
    status = Status.STOPPED if reasons and reasons[-1] in _STOPPED else Status.COMPLETE
    values = {
        "model": next((model for model in reversed(models) if model), sender or last)[:200],
        "prompt_tokens": asked,
        "completion_tokens": answered,
        "total_tokens": None if asked is None or answered is None else asked + answered,
    }
    return status, without_empty_values(values)
