"""The format in which messages are sent: written from rows, and read from text that may hold anything.

For every text that was written here, ``write_message(read_message(x))`` is ``x``. Nulls and default values are left
out. The receiver makes rows of it with the same limits (``wire/rows``).
"""

# ruff: noqa: S608 - statements are put together from constants of this package; values are always bound

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from math import isfinite
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.attachment import attachment_from, clean_mime, clean_name
from chatdesk.core.domain.message import PartType, Role, Status
from chatdesk.core.domain.sharing.sync_wire import MAX_BODY_BYTES, OWN_DETAILS
from chatdesk.core.storage.engine.plain_text import clean, from_json
from chatdesk.core.storage.engine.rows import batches, marks

#: Parts that travel as a file of their own, in bytes.
MAX_PARTS_BYTES: Final = 64 * 1024 * 1024
MOST_PARTS: Final = 10_000
MOST_FILES: Final = 100
DEEPEST: Final = 32
_LARGEST_NUMBER: Final = 2**53
LONGEST_WORD: Final = 500
_LONGEST_ERROR: Final = 20_000

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_ROLES = frozenset(role.value for role in Role)
_FINAL = frozenset(status.value for status in Status if status.is_final)
_TYPES = frozenset(kind.value for kind in PartType)
_WITH_BYTES = frozenset((PartType.IMAGE.value, PartType.FILE.value))

NUMBERS: Final = (
    "completed_at", "latency_ms", "time_to_first_token_ms", "prompt_tokens", "completion_tokens", "total_tokens",
    "cached_tokens", "reasoning_tokens",
)  # fmt: skip
_WORDS: Final = ("provider", "model", "error_type", "finish_reason")
_PART_NUMBERS: Final = ("started_at", "completed_at", "tool_duration_ms")
_PART_WORDS: Final = ("tool_name", "tool_call_id")

_MESSAGE = "id, thread_id, parent_id, role, status, created_at, purged_at, error, error_details"
_MESSAGE_NAMES = (*_MESSAGE.split(", "), *NUMBERS, *_WORDS)
_PART_NAMES = ("id", "message_id", "step_index", "type", "content", *_PART_NUMBERS, *_PART_WORDS)
_PLAIN_MESSAGE: Final = (
    "thread_id", "parent_id", "role", "status", "created_at", *NUMBERS, "provider", "model", "finish_reason",
)  # fmt: skip
_PLAIN_PART: Final = ("id", "step_index", *_PART_NUMBERS, *_PART_WORDS)
_USUAL: Final = frozenset(("step_index",))
#: The names of all that a body, and a part in it, has of what is known here.
BODY_NAMES: Final = frozenset((
    "thread_id", "parent_id", "role", "status", "created_at", "error", "error_details", "is_purged", "parts",
    "parts_file", "files", *NUMBERS, *_WORDS,
))  # fmt: skip
PART_NAMES: Final = frozenset(("id", "type", "content", "step_index", "artifacts", *_PART_NUMBERS, *_PART_WORDS))
_FILE_NAMES = ("part_id", "id", "kind", "mime", "size_bytes", "sha256")


@dataclass(frozen=True, slots=True)
class FileBody:
    """An attached file; ``kind`` is that of its part."""

    id: str
    kind: str
    mime: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class PartBody:
    """A part of a message. ``content`` is clean and at most 32 levels deep."""

    id: str
    type: str
    content: dict[str, Any]
    step_index: int = 0
    values: dict[str, Any] = field(default_factory=dict)
    artifacts: tuple[FileBody, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageBody:
    """A message as it is sent. ``status`` is a final one. ``values``: columns of ``messages`` by name, of those that
    are not null, ``error_details`` as a mapping. ``parts_file``: SHA-256 and size of the file that holds the parts, and
    ``part_files`` the SHA-256 of the files that these name, which the server would not know of otherwise.
    ``is_purged``: the content was removed before it was sent, and only the position is left."""

    thread_id: str
    parent_id: str | None
    role: str
    status: str
    created_at: int
    values: dict[str, Any] = field(default_factory=dict)
    parts: tuple[PartBody, ...] = ()
    parts_file: tuple[str, int] | None = None
    part_files: tuple[str, ...] = ()
    is_purged: bool = False

    @property
    def files(self) -> list[FileBody]:
        """The files of the parts, in order."""
        return [file for part in self.parts for file in part.artifacts]


def read_message(text: str | None) -> MessageBody | None:
    """Return the message in a body; None if it is invalid."""
    if text is None or len(text) > MAX_BODY_BYTES:
        return None
    value = _loaded(text)
    return _message(value) if isinstance(value, dict) else None


def read_parts(data: bytes) -> tuple[PartBody, ...] | None:
    """Return the parts that a file holds; None if it is no such file."""
    if len(data) > MAX_PARTS_BYTES:
        return None
    try:
        value = _loaded(data.decode("utf-8"))
    except UnicodeDecodeError:
        return None
    return _parts(value) if isinstance(value, list) else None


def write_message(body: MessageBody) -> str:
    """Return the message as text, in canonical form."""
    wire: dict[str, Any] = {
        "thread_id": body.thread_id,
        "role": body.role,
        "status": body.status,
        "created_at": body.created_at,
        **body.values,
    }
    if body.parent_id is not None:
        wire["parent_id"] = body.parent_id
    if body.is_purged:
        wire["is_purged"] = True
    elif body.parts_file is not None:
        wire["parts_file"] = {"sha256": body.parts_file[0], "size_bytes": body.parts_file[1]}
        if body.part_files:
            wire["files"] = list(body.part_files)
    else:
        wire["parts"] = [_wire_part(part) for part in body.parts]
    return _dumped(wire)


def write_parts(parts: Sequence[PartBody]) -> bytes:
    """Return the content of a file for parts that are too large for a body."""
    return _dumped([_wire_part(part) for part in parts]).encode()


def make_messages(conn: Connection, message_ids: Sequence[str]) -> dict[str, MessageBody]:
    """Return finished messages from their rows, by id; missing and unfinished ones are left out."""
    made: dict[str, MessageBody] = {}
    for batch in batches(message_ids):
        rows = conn.exec_driver_sql(
            f"SELECT {', '.join(_MESSAGE_NAMES)} FROM messages WHERE id IN ({marks(batch)})"
            " AND status NOT IN ('pending', 'streaming')",
            tuple(batch),
        ).all()
        parts = _parts_of(conn, batch)
        for row in rows:
            value: dict[str, Any] = dict(zip(_MESSAGE_NAMES, row, strict=True))
            value["error_details"] = from_json(value["error_details"])
            value["is_purged"] = value["purged_at"] is not None
            value["parts"] = parts.get(row[0], [])
            body = _message(value)
            if body is not None:
                made[row[0]] = body
    return made


def message_texts(conn: Connection, message_ids: Sequence[str]) -> dict[str, tuple[str, list[FileBody]]]:
    """Return ``write_message(make_messages(…))`` and the files of each, by id. Plain messages, nearly all, are put
    together from the stored texts, because many are sent at once."""
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
            "SELECT id, purged_at IS NOT NULL OR error IS NOT NULL OR error_type IS NOT NULL"
            f" OR error_details IS NOT NULL, {', '.join(_PLAIN_MESSAGE)} FROM messages WHERE id IN ({marks(batch)})"
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
            made[message_id] = write_message(body), body.files
    return made


def _plain_part(kind: str, content: str, values: Sequence[Any]) -> str | None:
    """Return the JSON of a plain part; None if it is not plain."""
    frame = _pairs(_PLAIN_PART, values)
    if frame is None or kind not in _TYPES or kind in _WITH_BYTES or not isinstance(_loaded(content), dict):
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
        parts[row[1]].append(value)
        if value["type"] in _WITH_BYTES:
            with_bytes[row[0]] = value
    for batch in batches(list(with_bytes)):
        for row in conn.exec_driver_sql(
            f"SELECT {', '.join(_FILE_NAMES)} FROM artifacts WHERE part_id IN ({marks(batch)}) ORDER BY part_id, id",
            tuple(batch),
        ):
            with_bytes[row[0]].setdefault("artifacts", []).append(dict(zip(_FILE_NAMES, row, strict=True)))
    return parts


def _message(value: Mapping[str, Any]) -> MessageBody | None:
    thread_id, parent_id, created_at = value.get("thread_id"), value.get("parent_id"), _number(value.get("created_at"))
    role, status = value.get("role"), value.get("status")
    if not _is_id(thread_id) or not (parent_id is None or _is_id(parent_id)) or created_at is None:
        return None
    if not isinstance(role, str) or role not in _ROLES:
        return None
    final = status if isinstance(status, str) and status in _FINAL else Status.INTERRUPTED.value
    frame = (str(thread_id), parent_id, role, final, created_at)
    if value.get("is_purged") is True:
        return MessageBody(*frame, is_purged=True)
    values = _values(value, NUMBERS, _WORDS)
    error, details = value.get("error"), value.get("error_details")
    if isinstance(error, str):
        values["error"] = clean(error[:_LONGEST_ERROR])
    if isinstance(details, dict):
        kept = _content({name: each for name, each in details.items() if name not in OWN_DETAILS})
        if kept:
            values["error_details"] = kept
    file = value.get("parts_file")
    if isinstance(file, dict):
        size = _number(file.get("size_bytes"))
        if not _is_sum(file.get("sha256")) or size is None or size > MAX_PARTS_BYTES:
            return None
        return MessageBody(*frame, values, parts_file=(str(file["sha256"]), size), part_files=_sums(value.get("files")))
    parts = _parts(value.get("parts", []))
    return None if parts is None else MessageBody(*frame, values, parts)


def _sums(value: object) -> tuple[str, ...]:
    return tuple(each for each in value[:MOST_PARTS] if _is_sum(each)) if isinstance(value, list) else ()


def _values(value: Mapping[str, Any], numbers: Sequence[str], words: Sequence[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in numbers:
        if (number := _number(value.get(name))) is not None:
            values[name] = number
    for name in words:
        word = value.get(name)
        if isinstance(word, str):
            values[name] = clean(word[:LONGEST_WORD])
    return values


def _parts(value: object) -> tuple[PartBody, ...] | None:
    if not isinstance(value, list) or len(value) > MOST_PARTS:
        return None
    parts = [_part(each) for each in value if isinstance(each, dict)]
    return tuple(part for part in parts if part is not None)


def _part(value: Mapping[str, Any]) -> PartBody | None:
    """Return a part; None if it cannot be shown. A kind that only a newer ChatDesk knows becomes text."""
    part_id, kind, stored = value.get("id"), value.get("type"), value.get("content")
    if not _is_id(part_id) or not isinstance(kind, str) or not isinstance(stored, dict):
        return None
    content = _content(stored)
    if content is None:
        return None
    if kind not in _TYPES:
        if not isinstance(content.get("text"), str):
            return None
        kind, content = PartType.TEXT.value, {"text": content["text"]}
    files: tuple[FileBody, ...] = ()
    if kind in _WITH_BYTES:
        # Nothing else: a part from before there were sums, or from a file of others, may name a path.
        named, name = attachment_from(content), content.get("name")
        content = named.as_content() if named else {"name": clean_name(name if isinstance(name, str) else "")}
        files = _files(value.get("artifacts"), kind)
    return PartBody(
        str(part_id), kind, content, _number(value.get("step_index")) or 0, _values(value, _PART_NUMBERS, _PART_WORDS),
        files,
    )  # fmt: skip


def _files(value: object, kind: str) -> tuple[FileBody, ...]:
    if not isinstance(value, list):
        return ()
    files = []
    for each in value[:MOST_FILES]:
        if not isinstance(each, dict):
            continue
        size = _number(each.get("size_bytes"))
        if _is_id(each.get("id")) and _is_sum(each.get("sha256")) and size is not None:
            files.append(FileBody(each["id"], kind, clean_mime(each.get("mime")), size, each["sha256"]))
    return tuple(files)


def _content(value: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the content with clean text; None if it is nested too deeply."""
    content: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(item, str):
            content[clean(key)] = clean(item)
        else:
            kept = _plain(item, 1)
            if kept is _TOO_DEEP:
                return None
            content[clean(key)] = kept
    return content


_TOO_DEEP: Final = object()


def _plain(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if -_LARGEST_NUMBER < value < _LARGEST_NUMBER else 0
    if depth >= DEEPEST:
        return _TOO_DEEP
    if isinstance(value, dict):
        pairs = {clean(str(key)): _plain(item, depth + 1) for key, item in value.items()}
        return _TOO_DEEP if any(item is _TOO_DEEP for item in pairs.values()) else pairs
    items = [_plain(item, depth + 1) for item in value]
    return _TOO_DEEP if any(item is _TOO_DEEP for item in items) else items


def _wire_part(part: PartBody) -> dict[str, Any]:
    wire: dict[str, Any] = {"id": part.id, "type": part.type, "content": part.content, **part.values}
    if part.step_index:
        wire["step_index"] = part.step_index
    if part.artifacts:
        wire["artifacts"] = [
            {
                "id": file.id,
                "kind": file.kind,
                "mime": file.mime,
                "size_bytes": file.size_bytes,
                "sha256": file.sha256,
            }
            for file in part.artifacts
        ]
    return wire


def _number(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < _LARGEST_NUMBER else None


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _ID.match(value) is not None


def _is_sum(value: object) -> bool:
    return isinstance(value, str) and _SHA256.match(value) is not None


_dumped = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def _loaded(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(word: str) -> None:
    raise ValueError(word)
