"""Turns the content of one message of ChatGPT's export into parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from chatdesk.core.domain.imported import ImportedFile, ImportedPart
from chatdesk.core.domain.message import PartType, Role
from chatdesk.core.transfer.imports.canvas import Canvas
from chatdesk.core.transfer.imports.chatgpt_marks import Marks
from chatdesk.core.transfer.imports.parts import pages_in, with_sources
from chatdesk.core.transfer.imports.values import as_json, dict_of, fenced, list_of, text_of, words_of

ROLES: Final = {"system": Role.SYSTEM, "user": Role.USER, "assistant": Role.ASSISTANT, "tool": Role.TOOL}
_CUSTOM = "user_editable_context"
_OF_MEMORY = frozenset(("model_editable_context",))
_IMAGE_POINTERS = frozenset(("image_asset_pointer",))
_REAL_TIME = "real_time_user_audio_video_asset_pointer"
_SOUND_POINTERS = frozenset(("audio_asset_pointer", "video_container_asset_pointer"))


def role_of(message: Mapping[str, Any]) -> Role | None:
    """Return the role of a message; None without a message. An unknown role counts as the assistant's, so that
    nothing foreign is taken for the person's words."""
    return ROLES.get(text_of(dict_of(message.get("author")).get("role")), Role.ASSISTANT) if message else None


def instructions_of(message: Mapping[str, Any]) -> str:
    """Return custom instructions, which the vendor keeps as a hidden message at the top; empty for other messages."""
    body = dict_of(message.get("content"))
    if body.get("content_type") == _CUSTOM:
        texts = (text_of(body.get("user_profile")), text_of(body.get("user_instructions")))
        return "\n\n".join(text.strip() for text in texts if text.strip())
    metadata = dict_of(message.get("metadata"))
    if metadata.get("is_user_system_message") is True:
        data = dict_of(metadata.get("user_context_message_data"))
        texts = (text_of(data.get("about_user_message")), text_of(data.get("about_model_message")))
        return "\n\n".join(text.strip() for text in texts if text.strip())
    return ""


def parts_of(message: Mapping[str, Any], role: Role, key: str, marks: Marks) -> Iterator[ImportedPart]:
    """Yield everything that a message holds; nothing for an empty one."""
    body = dict_of(message.get("content"))
    kind = text_of(body.get("content_type"))
    recipient = text_of(message.get("recipient")) or "all"
    if kind == "thoughts":
        yield from _text(marks.readable(_thoughts(body)), key, PartType.REASONING)
    elif kind == "reasoning_recap":
        yield from _text(marks.readable(words_of(body.get("content"))), key, PartType.REASONING)
    elif kind in _OF_MEMORY:
        return
    elif role is Role.ASSISTANT and recipient != "all":
        yield from _call(message, key)
    elif role is Role.TOOL:
        yield from _result(message, body, key)
    elif kind == "code":
        text = words_of(body.get("text"))
        yield from _text(fenced(text, body.get("language")) if text.strip() else "", key)
    else:
        yield from with_sources(_pieces(body, key, marks), pages_in(_footnotes(message)))
    yield from _attachments(message, body, key)


def _footnotes(message: Mapping[str, Any]) -> list[Any]:
    """Return the pages listed below an answer that have no mark in its text."""
    references = map(dict_of, list_of(dict_of(message.get("metadata")).get("content_references")))
    return [each.get("sources") for each in references]


def joined(parts: Sequence[ImportedPart]) -> Iterable[ImportedPart]:
    """Yield the parts of one turn, with each result bound to the call before it."""
    call_id = ""
    for part in parts:
        if part.type is PartType.TOOL_CALL:
            call_id = part.key
            yield _with_call(part, call_id)
        elif part.type is PartType.TOOL_RESULT and call_id:
            yield _with_call(part, call_id)
            call_id = ""
        else:
            yield part


def _with_call(part: ImportedPart, call_id: str) -> ImportedPart:
    return ImportedPart(part.type, part.content, part.key, part.file, {**part.values, "tool_call_id": call_id})


def _text(text: str, key: str, kind: PartType = PartType.TEXT) -> Iterator[ImportedPart]:
    if text.strip():
        yield ImportedPart(kind, {"text": text}, key)


def _pieces(body: Mapping[str, Any], key: str, marks: Marks | None = None) -> Iterator[ImportedPart]:
    """Yield texts and pictures in their order; ``marks`` replaces sources' marks by their shown text."""
    texts: list[str] = []

    def flush() -> Iterator[ImportedPart]:
        text = "\n".join(text for text in texts if text)
        texts.clear()
        yield from _text(marks.readable(text) if marks is not None else text, key)

    for each in list_of(body.get("parts")):
        if isinstance(each, str):
            texts.append(each)
            continue
        piece = dict_of(each)
        kind = text_of(piece.get("content_type"))
        pointer = text_of(piece.get("asset_pointer"))
        if kind in _IMAGE_POINTERS and pointer:
            yield from flush()
            yield _image(piece, pointer, key)
        elif kind in _SOUND_POINTERS or kind == _REAL_TIME:
            yield from flush()
            yield from _sound(piece, key)
        elif words_of(piece):
            texts.append(words_of(piece))
        elif piece:
            texts.append(fenced(as_json(piece), "json"))
    if not list_of(body.get("parts")):
        texts.append(_whatever(body))
    yield from flush()


def _whatever(body: Mapping[str, Any]) -> str:
    """Return the text of an unknown kind of content, so that nothing is lost."""
    texts = [words_of(body.get(name)) for name in ("text", "result", "content", "summary", "snippet")]
    if any(text.strip() for text in texts):
        head = " ".join(filter(None, (text_of(body.get(name)) for name in ("name", "title", "url"))))
        return "\n\n".join(dict.fromkeys(filter(None, (head, *texts))))
    known = {"content_type", "language", "parts", "response_format_name"}
    rest = {name: value for name, value in body.items() if name not in known and value not in (None, "", [], {})}
    return fenced(as_json(rest), "json") if rest else ""


def _image(piece: Mapping[str, Any], pointer: str, key: str) -> ImportedPart:
    dalle = dict_of(dict_of(piece.get("metadata")).get("dalle"))
    name = text_of(dalle.get("prompt"))[:80] or "image"
    size = {side: piece[side] for side in ("width", "height") if isinstance(piece.get(side), int)}
    return ImportedPart(PartType.IMAGE, {"name": name, **size}, key, ImportedFile(name, pointer))


def _sound(piece: Mapping[str, Any], key: str) -> Iterator[ImportedPart]:
    """Yield a recording as a file; its words are a piece of their own beside it."""
    pieces = [piece]
    if piece.get("content_type") == _REAL_TIME:
        pieces = [dict_of(piece.get(name)) for name in ("audio_asset_pointer", "video_container_asset_pointer")]
    pointers = [(text_of(each.get("asset_pointer")), text_of(each.get("format"))) for each in pieces]
    if not any(pointer for pointer, _format in pointers):
        yield from _text("*(Sound or video, which is not shown here.)*", key)
    for pointer, ending in pointers:
        if pointer:
            name = f"recording.{ending}" if ending.isalnum() and len(ending) < 6 else "recording"
            yield ImportedPart(PartType.FILE, {"name": name}, key, ImportedFile(name, pointer))


def _attachments(message: Mapping[str, Any], body: Mapping[str, Any], key: str) -> Iterator[ImportedPart]:
    """Yield files that came with a question, except the pictures that are in it."""
    shown = {
        text_of(dict_of(piece).get("asset_pointer")).rsplit("/", 1)[-1]
        for piece in list_of(body.get("parts"))
        if isinstance(piece, dict)
    }
    for each in list_of(dict_of(message.get("metadata")).get("attachments")):
        file = dict_of(each)
        pointer = text_of(file.get("id"))
        if not pointer or pointer in shown:
            continue
        name = text_of(file.get("name")) or "file"
        mime = text_of(file.get("mime_type")) or text_of(file.get("mimeType"))
        kind = PartType.IMAGE if mime.startswith("image/") else PartType.FILE
        yield ImportedPart(kind, {"name": name}, key, ImportedFile(text_of(file.get("name")), pointer))


def _thoughts(body: Mapping[str, Any]) -> str:
    thoughts = body.get("thoughts")
    texts = []
    for each in list_of(thoughts) or [thoughts]:
        thought = dict_of(each) or {"content": each}
        head = text_of(thought.get("summary")).strip()
        text = (words_of(thought.get("content")) or words_of(thought.get("chunks"))).strip()
        texts.append("\n\n".join(filter(None, (f"**{head}**" if head else "", text))))
    return "\n\n".join(filter(None, texts))


def call_of(message: Mapping[str, Any]) -> tuple[str, str]:
    """Return the tool that a message of the model calls, and the arguments."""
    body = dict_of(message.get("content"))
    text = words_of(body.get("text")) or words_of(body.get("content")) or words_of(body.get("parts"))
    return text_of(message.get("recipient")), text


def with_canvas(parts: Sequence[ImportedPart], canvas: Canvas, key: str, *, is_whole: bool) -> tuple[ImportedPart, ...]:
    """Return the parts of a call that changed a canvas, with the resulting document; a call that holds all of the
    document is replaced by it."""
    others = [part for part in parts if not (is_whole and part.type is PartType.TOOL_CALL)]
    return (*others, *_text(canvas.as_text, key))


def _call(message: Mapping[str, Any], key: str) -> Iterator[ImportedPart]:
    recipient, text = call_of(message)
    name = recipient[:200]
    yield ImportedPart(PartType.TOOL_CALL, {"name": name, "arguments": text}, key, None, {"tool_name": name})


def _result(message: Mapping[str, Any], body: Mapping[str, Any], key: str) -> Iterator[ImportedPart]:
    tool = text_of(dict_of(message.get("author")).get("name"))[:200]
    texts: list[str] = []
    others: list[ImportedPart] = []
    for part in _pieces(body, key):
        if part.type is PartType.TEXT:
            texts.append(text_of(part.content.get("text")))
        else:
            others.append(part)
    text = "\n".join(texts)
    if text.strip():
        values = {"tool_name": tool} if tool else {}
        yield ImportedPart(PartType.TOOL_RESULT, {"text": text}, key, None, values)
    yield from others
