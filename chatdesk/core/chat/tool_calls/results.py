"""Turns a tool's result into a text of bounded length for the model, and files that are kept beside it."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from chatdesk.core.chat.tool_calls.port import KeepFile
from chatdesk.core.domain.attachment import Attachment, clean_name
from chatdesk.core.domain.tools import Tool, ToolFile, ToolResult
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.rendering.sources import MOST_OF_A_RESULT, SOURCES, Source, source_of

# A result of more bytes (UTF-8) may take more than 8,000 tokens: where each sign is a token, it takes three bytes.
LONG_BYTES = 24_000
_BEGINNING_CHARACTERS, _END_CHARACTERS = 6_000, 1_500
_CUT_CHARACTERS = 32_000


async def shortened(result: ToolResult, tool: Tool, keep: KeepFile | None) -> tuple[str, tuple[Attachment, ...]]:
    """Return the text for the model, and the files that were kept. A long text is kept whole, in a file, and the model
    gets its beginning and its end. Where nothing can be kept, the text is cut and the files are left out."""
    data, files = result.text.encode("utf-8", "replace"), list(result.files)
    text = data.decode()  # without halves of characters, which could not be stored or sent
    kept: list[Attachment] = []
    lines: list[str] = []
    if len(data) > LONG_BYTES and keep is not None:
        name = clean_name(f"{tool.name} result.txt")
        try:
            kept.append(await keep(data, name))
        except ChatDeskError as error:
            lines.append(f"[The whole result was not kept: {error.what}]")
        else:
            text = _excerpt(text, name)
    text = _cut(text)
    for file in files:
        line = await _keep(file, kept, keep)
        lines += [line] if file.is_told else []
    return "\n".join(filter(None, (text, *lines))) or "The tool returned nothing.", tuple(kept)


def about_files(result: ToolResult) -> dict[str, Mapping[str, Any]]:
    """Return further fields for the parts of a result's files, by the SHA-256 of the files."""
    return {hashlib.sha256(each.data).hexdigest(): each.more for each in result.files if each.more}


async def _keep(file: ToolFile, kept: list[Attachment], keep: KeepFile | None) -> str:
    """Keep a file and return a line about it for the model."""
    name = clean_name(file.name)
    if "." not in name:
        name += mimetypes.guess_extension(file.mime) or ""
    if keep is None:
        return f"[The tool also returned the file {name}, which was left out.]"
    try:
        attachment = await keep(file.data, name)
    except ChatDeskError as error:
        return f"[The tool also returned the file {name}, which was not kept: {error.what}]"
    kept.append(attachment)
    size = f"{attachment.mime}, {attachment.size_bytes:,} bytes"
    return f"[The tool also returned the file {name} ({size}). The person sees it below this call; you do not.]"


def _excerpt(text: str, name: str) -> str:
    left_out = len(text) - _BEGINNING_CHARACTERS - _END_CHARACTERS
    between = f"[{left_out:,} characters are left out here. The person has the whole result in the file {name}.]"
    return f"{text[:_BEGINNING_CHARACTERS]}\n{between}\n{text[-_END_CHARACTERS:]}"


def _cut(text: str) -> str:
    if len(text) <= _CUT_CHARACTERS:
        return text
    return f"{text[:_CUT_CHARACTERS]}\n[{len(text) - _CUT_CHARACTERS:,} more characters were left out.]"


class SourceNumbers:
    """Numbers the web sources of one answer; ``known`` are the sources of its earlier steps. A page that comes again
    keeps its number."""

    def __init__(self, known: Iterable[Source] = ()) -> None:
        self._numbers = {each.url: each.number for each in known}

    def number(self, result: ToolResult) -> tuple[ToolResult, dict[str, Any]]:
        """Return the result with its sources as numbered text, and the list of sources to store with it."""
        texts, kept = [result.text] if result.text else [], []
        for each in result.sources[:MOST_OF_A_RESULT]:
            number = self._numbers.get(each.url) or max(self._numbers.values(), default=0) + 1
            source = source_of(number, each.title, each.url)
            if source is None:
                continue
            self._numbers[each.url] = number
            kept.append(source.as_content())
            texts.append("\n".join(filter(None, (f"[{number}] {source.title}", source.url, each.text))))
        return replace(result, text="\n\n".join(texts)), {SOURCES: kept} if kept else {}
