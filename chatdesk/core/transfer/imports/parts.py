"""Makes parts and threads for every reader of a foreign export: texts, thoughts, tools and files."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from chatdesk.core.domain.imported import ImportedFile, ImportedPart, ImportedThread
from chatdesk.core.domain.message import PartType, Role
from chatdesk.core.rendering.sources import SOURCES
from chatdesk.core.transfer.imports.tree import Node, make_tree
from chatdesk.core.transfer.imports.values import (
    as_json,
    dict_of,
    fenced,
    first_text,
    key_of,
    list_of,
    marked_stretches,
    text_of,
    title_of,
    title_source_of,
    without_empty_values,
    words_of,
)

_DEEPEST: Final = 20
_ADDRESSES: Final = ("url", "link", "uri", "source", "sourceUrl")
_OF_THE_WEB: Final = ("https://", "http://")
_DATA_URL: Final = re.compile(r"data:([a-z]{1,20}/[a-zA-Z0-9.+-]{1,80})(?:;[^,;]{0,80})*;base64,")
_THOUGHT: Final = re.compile(r"<think>")
# Names of values that are for programs and not for readers.
_OF_PROGRAMS: Final = re.compile(r"type|data|b64_json|.*(?:id|Id|_at|At|[tT]imestamp|[sS]ignature|[sS]tatus)")


def thread_of(
    source: str,
    key: str,
    nodes: Sequence[Node],
    *,
    title: object,
    current_key: str | None,
    created: int | None,
    updated: int | None,
    fallback_ms: int,
    values: Mapping[str, Any] | None = None,
) -> ImportedThread:
    """Return a thread of a vendor's nodes; ``created`` and ``updated`` are in milliseconds, None if the export has
    none."""
    fallback = created or updated or fallback_ms
    tree = make_tree(nodes, current_key=current_key, fallback_ms=fallback)
    times = [message.created_at for message in tree.messages]
    created_at = created or min(times, default=fallback)
    return ImportedThread(
        source=source,
        key=key,
        title=title_of(title, first_text(tree.messages)),
        created_at=created_at,
        last_activity_at=max([updated or created_at, *times]),
        messages=tree.messages,
        chosen=tree.chosen,
        values=without_empty_values({"title_source": title_source_of(title), **(values or {})}),
    )


def text_parts(text: str) -> Iterator[ImportedPart]:
    if text.strip():
        yield ImportedPart(PartType.TEXT, {"text": text})


def thought_parts(text: str) -> Iterator[ImportedPart]:
    if text.strip():
        yield ImportedPart(PartType.REASONING, {"text": text})


def answer_parts(text: str) -> Iterator[ImportedPart]:
    """Yield the parts of an answer whose thoughts are in its text, as many local models write them."""
    if "<think>" not in text:
        yield from text_parts(text)
        return
    for before, mark, inside in marked_stretches(text, _THOUGHT, "</think>"):
        yield from text_parts(before.lstrip("\n"))
        if mark is not None:
            yield from thought_parts(inside.strip("\n"))


def said_parts(text: str, role: Role) -> Iterator[ImportedPart]:
    return answer_parts(text) if role is Role.ASSISTANT else text_parts(text)


def unknown_parts(piece: object) -> Iterator[ImportedPart]:
    """Yield the parts of a piece of unknown kind: its text, and the rest as data."""
    if not isinstance(piece, dict):
        yield from text_parts(words_of(piece))
        return
    name = next((name for name in ("text", "content") if text_of(piece.get(name)).strip()), "")
    yield from text_parts(text_of(piece.get(name)))
    rest = _readable({key: value for key, value in piece.items() if key != name})
    if rest:
        yield from text_parts(fenced(as_json(rest), "json"))


def _readable(value: object, depth: int = 0) -> Any:
    """Return data without values that only programs read: ids, times, switches, bytes and empty ones."""
    if depth > _DEEPEST or (isinstance(value, str) and _DATA_URL.match(value)):
        return None
    if isinstance(value, list):
        return [found for each in value if (found := _readable(each, depth + 1))]
    if isinstance(value, dict):
        named = ((name, _readable(each, depth + 1)) for name, each in value.items() if not _OF_PROGRAMS.fullmatch(name))
        return {name: found for name, found in named if found}
    return None if isinstance(value, bool) else value


def pages_in(value: object, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the title and the address of each web page that data names; vendors' lists of pages differ."""
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        titles = (text_of(value.get(name)).strip() for name in ("title", "name"))
        title = next(filter(None, titles), "")
        yield from ((title, url) for name in _ADDRESSES if (url := text_of(value.get(name))).startswith(_OF_THE_WEB))
    for each in value.values() if isinstance(value, dict) else list_of(value):
        yield from pages_in(each, depth + 1)


def with_sources(parts: Iterable[ImportedPart], pages: Iterable[tuple[str, str]]) -> tuple[ImportedPart, ...]:
    """Return the parts of an answer, of which the last text, else the last result, names ``pages`` as its sources."""
    made = list(parts)
    found = dict[str, str]()
    for title, url in pages:
        found[url] = found.get(url) or title
    places = [n for kind in (PartType.TOOL_RESULT, PartType.TEXT) for n in range(len(made)) if made[n].type is kind]
    at = places[-1] if places else None
    if found and at is None:
        made.extend(text_parts("\n".join(f"<{url}> {title}".rstrip() for url, title in found.items())))
    elif found and at is not None:
        rows = [{"number": n, "title": title, "url": url} for n, (url, title) in enumerate(found.items(), 1)]
        made[at] = replace(made[at], content={**made[at].content, SOURCES: rows})
    return tuple(made)


def tool_call_part(name: str, call_id: object, arguments: object) -> ImportedPart:
    shown = name[:200] or "tool"
    content = {"name": shown, "arguments": "" if arguments is None else as_json(arguments)}
    return ImportedPart(PartType.TOOL_CALL, content, values=_tool_values(shown, call_id))


def tool_result_parts(name: str, call_id: object, result: object) -> Iterator[ImportedPart]:
    text = _result_text(result)
    if text.strip():
        yield ImportedPart(PartType.TOOL_RESULT, {"text": text}, values=_tool_values(name[:200] or "tool", call_id))


def _tool_values(name: str, call_id: object) -> dict[str, Any]:
    return without_empty_values({"tool_name": name, "tool_call_id": key_of(call_id)})


def _result_text(result: object) -> str:
    """Return the text of a tool's result, which is a text, or MCP's list of contents, whose texts are joined."""
    contents = list_of(result) or list_of(dict_of(result).get("content"))
    texts = [words_of(each) for each in contents]
    if texts and all(texts):
        return "\n".join(texts)
    return "" if result is None else as_json(result)


def file_part(name: str, url: str, *, is_image: bool) -> ImportedPart:
    """Return the part for a file; ``url`` holds the bytes themselves, or names a file of the export."""
    kind = PartType.IMAGE if is_image else PartType.FILE
    shown = name or ("image" if is_image else "file")
    match = _DATA_URL.match(url)
    if match is None:
        return ImportedPart(kind, {"name": shown}, "", ImportedFile(shown, "" if url.startswith("data:") else url))
    try:
        data = base64.b64decode(url[match.end() :], validate=False)
    except (binascii.Error, ValueError):
        return ImportedPart(kind, {"name": shown}, "", ImportedFile(shown))
    return ImportedPart(kind, {"name": shown}, "", ImportedFile(shown, data=data))


def text_file_part(name: str, text: str) -> ImportedPart:
    """Return the part for a file of which the export has only the extracted text."""
    shown = name or "file"
    if not shown.lower().endswith((".txt", ".md", ".csv", ".json", ".html")):
        shown = f"{shown}.txt"
    data = text.encode("utf-8", "replace")
    return ImportedPart(PartType.FILE, {"name": shown}, "", ImportedFile(shown, data=data))
