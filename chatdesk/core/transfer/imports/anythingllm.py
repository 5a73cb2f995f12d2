"""Reads AnythingLLM's exports of workspace chats: rows of one question and its answer each (JSON or CSV), or a line of
messages for each workspace (JSON Lines, which has neither times nor names).

The rows of all workspaces and people are in one list, so threads are made when all of them were read.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from chatdesk.core.domain.imported import ImportedMessage, ImportedPart, ImportedThread
from chatdesk.core.domain.message import Role
from chatdesk.core.errors import ImportRefused
from chatdesk.core.texts import Text
from chatdesk.core.transfer.imports.json_stream import LARGEST_IN_PARTS, Readable
from chatdesk.core.transfer.imports.parts import (
    answer_parts,
    file_part,
    said_parts,
    text_file_part,
    text_parts,
    thread_of,
    unknown_parts,
)
from chatdesk.core.transfer.imports.tree import linear
from chatdesk.core.transfer.imports.values import dict_of, fingerprint, key_of, list_of, moment, text_of, words_of

SOURCE: Final = "anythingllm"
_PIECE_BYTES = 256 * 1024
_LARGEST_FIELD = 16 * 1024 * 1024
_COLUMNS = frozenset(("id", "prompt", "response", "sent_at"))
_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}
_NOBODY = ("", "unknown user")
# How JavaScript writes a moment: "Tue Mar 05 2024 10:00:00 GMT+0000 (Coordinated Universal Time)".
_WRITTEN_OUT = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d\d) (\d{4}) (\d\d):(\d\d):(\d\d) GMT([+-]\d\d)(\d\d)")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def is_row(value: Mapping[str, Any]) -> bool:
    return "id" in value and "sent_at" in value and isinstance(value.get("prompt"), str)


@dataclass(slots=True)
class Rows:
    """Collects all rows of a document, by workspace and user."""

    _groups: dict[tuple[str, str | None], list[ImportedMessage]] = field(default_factory=dict)
    _size: int = 0

    def add(self, value: Mapping[str, Any], size: int) -> None:
        """Add a row. Raises ``ImportRefused`` when there are more than memory should hold."""
        self._size += size
        if self._size > LARGEST_IN_PARTS:
            raise ImportRefused(Text("This file contains more chats than can be read at once."))
        user = text_of(value.get("username")) if "username" in value else None
        group = self._groups.setdefault((text_of(value.get("workspace")), user), [])
        asked = text_of(value.get("prompt"))
        key = key_of(value.get("id")) or fingerprint(asked, text_of(value.get("sent_at")))
        at = _moment(value.get("sent_at")) or 0
        files = [_attached(dict_of(each)) for each in list_of(value.get("attachments"))]
        parts = (*text_parts(asked), *filter(None, files))
        answer = tuple(answer_parts(words_of(value.get("response"))))
        for mark, role, content in (("q", Role.USER, parts), ("a", Role.ASSISTANT, answer)):
            if content:
                own = f"{key}:{mark}"
                group.append(ImportedMessage(own, None, role, at, content, keys=(own,)))

    def threads(self, fallback_ms: int) -> Iterator[ImportedThread]:
        people: dict[str, set[str]] = {}
        for workspace, user in self._groups:
            people.setdefault(workspace, set()).add(user or "")
        for (workspace, user), messages in self._groups.items():
            title = workspace
            if len(people[workspace]) > 1 and user not in (None, *_NOBODY):
                title = f"{workspace}: {user}"
            nodes = linear(messages)
            yield thread_of(
                SOURCE,
                # Chats of a website's visitors have no user, and ids of their own.
                fingerprint(workspace, "user" if user is not None else "embed", user or ""),
                nodes,
                title=title,
                current_key=nodes[-1].key if nodes else None,
                created=None,
                updated=None,
                fallback_ms=fallback_ms,
            )


def _attached(file: Mapping[str, Any]) -> ImportedPart | None:
    name, url, text = text_of(file.get("name")), text_of(file.get("image")), words_of(file.get("contentString"))
    if url or text.startswith("data:image/"):
        return file_part(name, url or text, is_image=True)
    if text and not text.startswith("data:"):
        return text_file_part(name, text)
    return file_part(name, text, is_image=False) if name or text else None


def csv_rows(stream: Readable) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the rows of a CSV file with their sizes; nothing for another kind of file. Raises ``ImportRefused`` if it
    is cut off or damaged."""
    # The limit is one for the whole process, and nothing else of ChatDesk reads CSV of strangers.
    csv.field_size_limit(_LARGEST_FIELD)
    rows = csv.reader(_lines(stream), strict=True)
    try:
        names = next(rows, [])
    except csv.Error:
        return
    if not set(names) >= _COLUMNS:
        return
    try:
        for row in rows:
            if len(row) == len(names):
                yield dict(zip(names, row, strict=True)), sum(map(len, row))
            elif row:
                raise csv.Error
    except csv.Error as error:
        raise ImportRefused(
            Text("The CSV file is cut off or damaged."),
            next_step=Text("Export the chats again, then import that file."),
        ) from error


def _lines(stream: Readable) -> Iterator[str]:
    """Yield decoded lines with their ends. Raises ``csv.Error`` for a line longer than any export has."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
    rest = ""
    while data := stream.read(_PIECE_BYTES):
        *lines, rest = (rest + decoder.decode(data)).split("\n")
        yield from (f"{line}\n" for line in lines)
        if len(rest) > _LARGEST_FIELD:
            raise csv.Error
    if rest:
        yield rest


def is_dialogue(value: Mapping[str, Any]) -> bool:
    """Return whether ``value`` is a line of the JSON Lines export: nothing but messages."""
    messages = list_of(value.get("messages"))
    return len(value) == 1 and bool(messages) and {"role", "content"} <= set(dict_of(messages[0]))


def read_dialogue(value: Mapping[str, Any], fallback_ms: int) -> ImportedThread:
    """Return the thread of one workspace. Messages have no ids, so a message's key is made of everything said up to
    it."""
    messages: list[ImportedMessage] = []
    first, above = "", ""
    instructions: list[str] = []
    for each in list_of(value.get("messages")):
        raw = dict_of(each)
        role = _ROLES.get(text_of(raw.get("role")), Role.USER)
        parts = tuple(_content(raw.get("content"), role))
        said = "\n".join(text_of(part.content.get("text")) for part in parts)
        if role is Role.SYSTEM and not messages:
            instructions.append(said)
        elif parts:
            first = first or said
            above = fingerprint(above, role.value, said, *(part.type.value for part in parts))
            messages.append(ImportedMessage(above, None, role, 0, parts, keys=(above,)))
    nodes = linear(messages)
    return thread_of(
        SOURCE,
        fingerprint(instructions[0] if instructions else "", first),
        nodes,
        title=None,
        current_key=nodes[-1].key if nodes else None,
        created=None,
        updated=None,
        fallback_ms=fallback_ms,
        values={"system_prompt": "\n\n".join(filter(None, instructions))},
    )


def _content(content: object, role: Role) -> Iterable[ImportedPart]:
    for each in list_of(content) or [content]:
        piece = dict_of(each)
        if text_of(piece.get("image")):
            yield file_part("", text_of(piece.get("image")), is_image=True)
        if piece.get("type", "text") in ("text", "image"):
            yield from said_parts(words_of(each), role)
        else:
            yield from unknown_parts(each)


def _moment(value: object) -> int | None:
    match = _WRITTEN_OUT.match(text_of(value))
    if match is None or match.group(1) not in _MONTHS:
        return moment(value)
    month, day, year, hour, minute, second, off, more = match.groups()
    try:
        found = datetime(int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError:
        return None
    ahead_s = (int(off) * 60 + (-1 if off[0] == "-" else 1) * int(more)) * 60
    return moment((found.timestamp() - ahead_s) * 1000)
