"""Turns a server's descriptions of tools, and the answers of tools, into plain values within bounds."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, Final

import mcp_types as types

from chatdesk.core.domain.tools import LeftOut

MOST_TOOLS: Final = 500
LONGEST_NAME: Final = 128
LONGEST_DESCRIPTION: Final = 4_000
LARGEST_SCHEMA_BYTES: Final = 64 * 1024
LONGEST_RESULT_BYTES: Final = 1024 * 1024
_MOST_COMPARED: Final = 200
MOST_FILES, LARGEST_FILES_BYTES = 20, 20 * 1024 * 1024

# name, title, description, schema as JSON, read-only, destructive, open world, digest.
ToolRow = tuple[str, str, str, str, bool, bool, bool, str]
# A ``LeftOut``, and the name of the tool; empty where it is about the list.
LeftOutRow = tuple[str, str]
# name, type, bytes.
FileRow = tuple[str, str, bytes]
# text, files, whether the tool calls it an error, bytes on the wire.
ResultRow = tuple[str, tuple[FileRow, ...], bool, int]


def tool_rows(
    tools: Sequence[types.Tool], as_sent: Mapping[str, str] | None = None
) -> tuple[tuple[ToolRow, ...], tuple[LeftOutRow, ...]]:
    """Return the tools that can be offered, and those that are left out: at most ``MOST_TOOLS``, each name once,
    without names and schemas that are too large. The digest is over everything as the server sent it; ``as_sent`` has
    those of tools that were mended, by their names."""
    rows: dict[str, ToolRow] = {}
    left_out: list[LeftOutRow] = []
    for tool in tools:
        row = _tool_row(tool, (as_sent or {}).get(tool.name, ""))
        if row is None:
            left_out.append((LeftOut.TOO_LARGE.value, tool.name[:LONGEST_NAME]))
        elif row[0] in rows:
            if row != rows[row[0]]:  # a page that came again brings the same
                left_out.append((LeftOut.NAMED_TWICE.value, row[0]))
        elif len(rows) < MOST_TOOLS:
            rows[row[0]] = row
        else:
            left_out.append((LeftOut.TOO_MANY.value, row[0]))
    return tuple(rows.values()), tuple(left_out)


def _tool_row(tool: types.Tool, as_sent: str = "") -> ToolRow | None:
    schema = json.dumps(tool.input_schema, ensure_ascii=False, sort_keys=True)
    if not tool.name or len(tool.name) > LONGEST_NAME or len(schema.encode()) > LARGEST_SCHEMA_BYTES:
        return None
    hints = tool.annotations
    title = tool.title or (hints.title if hints is not None else None) or ""
    said = [tool.name, title, tool.description or "", schema]
    said.append("" if hints is None else hints.model_dump_json(exclude_none=True))
    said += [as_sent] if as_sent else []
    digest = hashlib.sha256("\x00".join(said).encode("utf-8", "surrogatepass")).hexdigest()
    return (
        tool.name,
        title[:LONGEST_NAME],
        (tool.description or "")[:LONGEST_DESCRIPTION],
        schema,
        bool(hints is not None and hints.read_only_hint),
        not (hints is not None and hints.destructive_hint is False),
        not (hints is not None and hints.open_world_hint is False),
        digest,
    )


def result_row(result: types.CallToolResult) -> ResultRow:
    """Return the answer of a tool: its texts joined, and images, sounds and embedded files as files."""
    texts: list[str] = []
    files: list[FileRow] = []
    size = 0
    for place, block in enumerate(result.content):
        text, file = read_block(block, place)
        if text is not None:
            size += len(text.encode("utf-8", "replace"))
            texts.append(text)
        if file is not None:
            size += len(file[2])
            files.append(file)
    if result.structured_content is not None and not _is_said(result.structured_content, texts):
        text = json.dumps(result.structured_content, ensure_ascii=False, indent=1)
        size += len(text.encode("utf-8", "replace"))
        texts.append(text)
    return _cut("\n\n".join(texts)), tuple(_within_bounds(files)), bool(result.is_error), size


def _is_said(structured: Any, texts: Sequence[str]) -> bool:
    """Return whether the texts of an answer say what its structured content does: as JSON, or each of its values.
    Some servers repeat it there, and some write a summary."""
    for text in texts:
        with suppress(ValueError, RecursionError):
            if json.loads(text) == structured:
                return True
    values = list(islice(_values(structured), _MOST_COMPARED + 1))
    said = "\n".join(texts).casefold()
    return bool(texts) and len(values) <= _MOST_COMPARED and all(each in said for each in values)


def _values(structured: Any) -> Iterator[str]:
    inside = structured.values() if isinstance(structured, dict) else structured
    for each in inside if isinstance(structured, dict | list) else ():
        yield from _values(each)
    if isinstance(structured, str):
        yield structured.casefold()
    elif not isinstance(structured, dict | list):
        yield json.dumps(structured)


def read_block(block: Any, place: int) -> tuple[str | None, FileRow | None]:
    """Return the text of a block of content, or its file."""
    if isinstance(block, types.TextContent):
        return block.text, None
    if isinstance(block, types.ImageContent | types.AudioContent):
        kind = "image" if isinstance(block, types.ImageContent) else "sound"
        return None, _file(f"{kind} {place + 1}", block.mime_type, block.data)
    if isinstance(block, types.EmbeddedResource):
        resource = block.resource
        if isinstance(resource, types.TextResourceContents):
            return f"{resource.uri}:\n{resource.text}", None
        return None, _file(str(resource.uri), resource.mime_type or "", resource.blob)
    if isinstance(block, types.ResourceLink):
        return f"[{block.name}: {block.uri}]", None
    return None, None


def _file(name: str, mime: str, data: str) -> FileRow | None:
    try:
        return name[:LONGEST_NAME], mime[:LONGEST_NAME], base64.b64decode(data, validate=True)
    except (ValueError, binascii.Error):
        return None


def _within_bounds(files: Iterable[FileRow]) -> Iterable[FileRow]:
    room = LARGEST_FILES_BYTES
    for number, file in enumerate(files):
        if number >= MOST_FILES or len(file[2]) > room:
            return
        room -= len(file[2])
        yield file


def _cut(text: str) -> str:
    """Return ``text``, or its beginning and a line that says how much is missing."""
    data = text.encode("utf-8", "replace")
    if len(data) <= LONGEST_RESULT_BYTES:
        return data.decode()
    kept = data[:LONGEST_RESULT_BYTES].decode("utf-8", "ignore")
    return f"{kept}\n[{len(data) - LONGEST_RESULT_BYTES:,} more bytes were cut off.]"
