"""Writes the bodies of messages: JSON text made from rows, without nulls and default values.

``wire/rows`` reads the format, and has its limits: values that it would drop are not sent.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.attachment import clean_mime
from chatdesk.core.domain.message import PartType
from chatdesk.core.storage.engine.message_columns import BY_NAME, TRAVELLING, Form, travelling
from chatdesk.core.storage.engine.plain_text import from_json, to_json
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.storage.sync.wire.rows import (
    FILES,
    LONGEST_WORD,
    MOST_FILES,
    PART_READERS,
    VALUE_READERS,
    is_id,
    kept_content,
    kept_details,
    known_part,
    named_file,
)

_FRAME: Final = ("thread_id", "parent_id", "role", "status", "created_at")
_PLAIN_MESSAGE: Final = (
    *_FRAME,
    *travelling(Form.MOMENT, Form.COUNT),
    *(name for name in travelling(Form.WORD) if not BY_NAME[name].is_rare),
)
# In SQL: whether a message has anything else.
_IS_ODD: Final = " OR ".join(
    f"{name} IS NOT NULL" for name in ("purged_at", *TRAVELLING) if name not in ("id", *_PLAIN_MESSAGE)
)
_PLAIN_KINDS: Final = frozenset(kind.value for kind in PartType) - FILES
_PLAIN_PART: Final = (
    "id", "step_index", "started_at", "completed_at", "tool_duration_ms", "tool_name", "tool_call_id",
)  # fmt: skip
_PART_NAMES: Final = ("id", "message_id", "type", "content", *PART_READERS)
_USUAL: Final = frozenset(("step_index",))
_FILE_NAMES: Final = ("part_id", "id", "kind", "mime", "size_bytes", "sha256")


@dataclass(frozen=True, slots=True)
class FileBody:
    """An attached file; ``kind`` is that of its part."""

    id: str
    kind: str
    mime: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class MessageBody:
    """A message as it is sent. ``values``: the values of its body besides the parts, by name; ``parts``: the values of
    each part; ``files``: the files of the parts, in order. ``is_purged``: the content was removed before it was sent,
    and only the position is left."""

    values: dict[str, Any]
    parts: list[dict[str, Any]] = field(default_factory=list)
    files: list[FileBody] = field(default_factory=list)
    is_purged: bool = False

    def text(self) -> str:
        """Return the message as text, in canonical form."""
        return to_json(self.values | ({"is_purged": True} if self.is_purged else {"parts": self.parts}))

    def parts_file(self) -> bytes:
        """Return the content of a file for parts that are too large for a body."""
        return f"[{','.join(map(to_json, self.parts))}]".encode()

    def text_beside(self, file: FileBody) -> str:
        """Return the text for parts that are in a file. It names their files, of which the server would not learn
        otherwise, and leaves out the details of an error, which may be the large part."""
        values = {name: value for name, value in self.values.items() if name != "error_details"}
        values["parts_file"] = {"sha256": file.sha256, "size_bytes": file.size_bytes}
        if self.files:
            values["files"] = list(dict.fromkeys(each.sha256 for each in self.files))
        return to_json(values)


def make_messages(conn: Connection, message_ids: Sequence[str]) -> dict[str, MessageBody]:
    """Return finished messages from their rows, by id; missing and unfinished ones are left out."""
    made: dict[str, MessageBody] = {}
    names = (*TRAVELLING, "purged_at")
    for batch in batches(message_ids):
        rows = conn.exec_driver_sql(
            f"SELECT {', '.join(names)} FROM messages WHERE id IN ({marks(batch)})"
            " AND status NOT IN ('pending', 'streaming')",
            tuple(batch),
        ).all()
        parts = _parts_of(conn, batch)
        for row in rows:
            value = dict(zip(names, row, strict=True))
            made[value["id"]] = _message(value, parts.get(value["id"], []))
    return made


def _message(row: Mapping[str, Any], stored_parts: Sequence[dict[str, Any]]) -> MessageBody:
    values = {name: row[name] for name in _FRAME if row[name] is not None}
    if row["purged_at"] is not None:
        return MessageBody(values, is_purged=True)
    for name, read in VALUE_READERS.items():
        is_object = BY_NAME[name].form is Form.DETAILS
        value = kept_details(from_json(row[name])) if is_object else read(row[name])
        if value is not None:
            values[name] = value
    body = MessageBody(values)
    for each in stored_parts:
        _add_part(body, each)
    return body


def _add_part(body: MessageBody, row: Mapping[str, Any]) -> None:
    known = known_part(row["type"], row["content"])
    if known is None:
        return
    kind, content = known
    part = {"id": row["id"], "type": kind, "content": kept_content(kind, content)}
    for name, read in PART_READERS.items():
        value = read(row[name])
        if value is not None and (value or name not in _USUAL):
            part[name] = value
    files = _files(row.get("artifacts", ()), kind)
    if files:
        part["artifacts"] = [
            {"id": file.id, "kind": kind, "mime": file.mime, "size_bytes": file.size_bytes, "sha256": file.sha256}
            for file in files
        ]
    body.parts.append(part)
    body.files.extend(files)


def _files(rows: Sequence[dict[str, Any]], kind: str) -> list[FileBody]:
    files = []
    for row in rows[:MOST_FILES]:
        named = named_file(row)
        if named is not None and is_id(row["id"]):
            files.append(FileBody(row["id"], kind, clean_mime(row["mime"]), named[1], named[0]))
    return files


def message_texts(conn: Connection, message_ids: Sequence[str]) -> dict[str, tuple[str, list[FileBody]]]:
    """Return ``MessageBody.text`` and the files of each message, by id. Plain messages, nearly all, are assembled
    from the stored texts, because many are sent at once."""
    made: dict[str, tuple[str, list[FileBody]]] = {}
    for batch in batches(message_ids):
        parts: dict[str, list[str] | None] = {}
        for message_id, kind, content, *values in conn.exec_driver_sql(
            f"SELECT message_id, type, content, {', '.join(_PLAIN_PART)} FROM message_parts"
            f" WHERE message_id IN ({marks(batch)}) ORDER BY message_id, part_index",
            tuple(batch),
        ):
            text = _plain_part(kind, content, values)
            texts = parts.setdefault(message_id, [])
            if text is None or texts is None:
                parts[message_id] = None
            else:
                texts.append(text)
        odd = []
        for message_id, is_odd, *values in conn.exec_driver_sql(
            f"SELECT id, {_IS_ODD}, {', '.join(_PLAIN_MESSAGE)} FROM messages WHERE id IN ({marks(batch)})"
            " AND status NOT IN ('pending', 'streaming')",
            tuple(batch),
        ):
            texts = parts.get(message_id, [])
            frame = None if is_odd or texts is None else _pairs(_PLAIN_MESSAGE, values)
            if texts is None or frame is None:
                odd.append(message_id)
            else:
                made[message_id] = f'{{{frame},"parts":[{",".join(texts)}]}}', []
        for message_id, body in make_messages(conn, odd).items():
            made[message_id] = body.text(), body.files
    return made


def _plain_part(kind: str, content: str, values: Sequence[Any]) -> str | None:
    """Return the JSON of a plain part; None if it is not plain."""
    frame = _pairs(_PLAIN_PART, values)
    if frame is None or kind not in _PLAIN_KINDS or not isinstance(_loaded(content), dict):
        return None
    return f'{{"content":{content},"type":"{kind}",{frame}}}'


def _pairs(names: Sequence[str], values: Sequence[Any]) -> str | None:
    """Return numbers and short words as pairs of JSON; None if a word is too long."""
    pairs = []
    for name, value in zip(names, values, strict=True):
        if isinstance(value, str):
            if len(value) > LONGEST_WORD:
                return None
            pairs.append(f'"{name}":{encode_basestring(value)}')
        elif value is not None and (value or name not in _USUAL):
            pairs.append(f'"{name}":{value}')
    return ",".join(pairs)


def _parts_of(conn: Connection, message_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    parts: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with_bytes: dict[str, dict[str, Any]] = {}
    for row in conn.exec_driver_sql(
        f"SELECT {', '.join(_PART_NAMES)} FROM message_parts WHERE message_id IN ({marks(message_ids)})"
        " ORDER BY message_id, part_index",
        tuple(message_ids),
    ):
        value = dict(zip(_PART_NAMES, row, strict=True))
        value["content"] = from_json(value["content"])
        parts[value["message_id"]].append(value)
        if value["type"] in FILES:
            with_bytes[value["id"]] = value
    for batch in batches(list(with_bytes)):
        for row in conn.exec_driver_sql(
            f"SELECT {', '.join(_FILE_NAMES)} FROM artifacts WHERE part_id IN ({marks(batch)})"
            " AND document_id IS NULL ORDER BY part_id, id",
            tuple(batch),
        ):
            with_bytes[row[0]].setdefault("artifacts", []).append(dict(zip(_FILE_NAMES, row, strict=True)))
    return parts


def _loaded(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(word: str) -> None:
    raise ValueError(word)
