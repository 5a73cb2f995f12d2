"""Makes rows of a message that another device sent, outside of the writing thread.

The text may hold anything: values that are too large, of a wrong type or unknown are dropped or become defaults, and
never raise. The rows equal those of the author; a test compares them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import Any, Final, TypeAlias

from chatdesk.core.domain.attachment import attachment_from, clean_mime, clean_name
from chatdesk.core.domain.message import NOTE, ContextMark, PartType, Role, Status
from chatdesk.core.domain.sharing.sync_wire import MAX_AHEAD_MS, MAX_BODY_BYTES, OWN_DETAILS
from chatdesk.core.storage.chat.thread_counters import Tally
from chatdesk.core.storage.engine import search_text
from chatdesk.core.storage.engine.content_digest import digest
from chatdesk.core.storage.engine.json_bounds import MOST_IN_BODY, is_bounded
from chatdesk.core.storage.engine.plain_text import clean, to_json
from chatdesk.core.storage.sync.wire.bodies import BODY_NAMES, DEEPEST, LONGEST_WORD, MOST_FILES, MOST_PARTS, PART_NAMES

#: Characters of one body; a body that is larger came by another way than the limits of the log allow.
LONGEST_BODY: Final = 2 * MAX_BODY_BYTES
#: Characters of parts that travel as a file.
LONGEST_PARTS: Final = 256 * 1024 * 1024
#: 2200-01-01, in milliseconds: later moments are mistakes, and calendars end somewhere.
LAST_MOMENT: Final = 7_258_118_400_000
_LARGEST: Final = 2**53
_LONGEST_ERROR: Final = 20_000

#: In the order of ``MessageRows.message``.
MESSAGE_COLUMNS: Final = (
    "id", "thread_id", "parent_id", "role", "status", "provider", "model", "created_at", "completed_at", "latency_ms",
    "time_to_first_token_ms", "prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens", "reasoning_tokens",
    "error", "error_type", "error_details", "finish_reason", "content_digest", "hlc", "origin_device", "char_count",
    "line_count", "context_mark",
)  # fmt: skip
PART_COLUMNS: Final = (
    "id", "message_id", "part_index", "step_index", "type", "content", "started_at", "completed_at", "tool_name",
    "tool_call_id", "tool_duration_ms", "hlc", "origin_device",
)  # fmt: skip
ARTIFACT_COLUMNS: Final = (
    "id", "part_id", "kind", "path", "mime", "size_bytes", "sha256", "hlc", "origin_device",
)  # fmt: skip

_decoded = json.JSONDecoder().decode
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z").match
_SHA256 = re.compile(r"[0-9a-f]{64}\Z").match
#: The digest of a message without parts.
NO_PARTS: Final = digest(())
# Of an enumeration of Python 3.11, a member and its value take longer to look up than the rest of a line.
_INTERRUPTED: Final = Status.INTERRUPTED.value
_USER: Final = Role.USER.value
_EXCLUDED, _UNMARKED = ContextMark.EXCLUDED.value, ContextMark.NONE.value
_TEXT: Final = PartType.TEXT.value
_ROLES: Final = frozenset(role.value for role in Role)
_FINAL: Final = frozenset(status.value for status in Status if status.is_final)
_TYPES: Final = frozenset(kind.value for kind in PartType)
_FILES: Final = frozenset((PartType.IMAGE.value, PartType.FILE.value))


@dataclass(slots=True)
class PartRows:
    """The parts of one message, and the columns of its row that depend on them. ``files``: (SHA-256, bytes) that they
    name. ``words``: the text for the search index; None without a text part. ``is_exact``: nothing that arrived was
    dropped, as far as names of values and kinds of parts go."""

    parts: list[tuple[Any, ...]] = field(default_factory=list)
    artifacts: list[tuple[Any, ...]] = field(default_factory=list)
    files: list[tuple[str, int]] = field(default_factory=list)
    content_digest: str = ""
    char_count: int = 0
    line_count: int = 0
    words: str | None = None
    is_exact: bool = True
    tally: Tally = field(default_factory=Tally)


@dataclass(slots=True)
class MessageRows:
    """A message with its rows, except for its position. ``ended_at`` is its latest time in milliseconds. ``is_purged``:
    its author has no text of it any more. ``parts_file``: (SHA-256, bytes) of the file in which its parts are sent."""

    id: str
    thread_id: str
    parent_id: str | None
    message: tuple[Any, ...]
    own: PartRows
    ended_at: int
    is_purged: bool = False
    parts_file: tuple[str, int] | None = None
    is_exact: bool = True


def is_id(value: object) -> bool:
    """Return whether this is an id as ChatDesk writes them."""
    return isinstance(value, str) and _ID(value) is not None


def read_object(text: str | None) -> dict[str, Any] | None:
    """Return the JSON object in a text of bounded size; None for anything else."""
    if text is None or len(text) > LONGEST_BODY or not is_bounded(text, MOST_IN_BODY):
        return None
    try:
        value = _decoded(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def latest_of(at: int) -> int:
    """Return the latest time that a change may name which the server accepted at ``at`` (milliseconds; 0 if unknown).
    There is no earliest one, as chats are imported and people work offline."""
    return at + MAX_AHEAD_MS if at > 0 else LAST_MOMENT


def read_message(text: str | None, *, message_id: str, hlc: int, device: str, at: int = 0) -> MessageRows | None:
    """Return the rows of the message in a body; None if it is invalid. ``at``: when the server accepted it, in
    milliseconds."""
    body = read_object(text)
    if body is None:
        return None
    thread_id, parent_id, role = body.get("thread_id"), body.get("parent_id"), body.get("role")
    if not is_id(thread_id) or (parent_id is not None and not is_id(parent_id)) or role not in _ROLES:
        return None
    if parent_id == message_id or not isinstance(role, str):
        return None
    assert isinstance(thread_id, str)  # checked above
    is_purged = body.get("is_purged") is True
    parts, latest = body.get("parts"), latest_of(at)
    if isinstance(parts, list) and not is_purged:
        own = read_parts(parts, message_id=message_id, hlc=hlc, device=device, latest=latest)
    else:
        own = PartRows(content_digest=NO_PARTS)
    row: list[Any] = [None] * len(MESSAGE_COLUMNS)
    row[_STATUS] = _INTERRUPTED
    for name, value in body.items():  # most columns of most messages are empty
        column = _MESSAGE_READERS.get(name)
        if column is not None:
            row[column[0]] = column[1](value)
    said = row[_CREATED_AT] or 0, row[_COMPLETED_AT]
    created_at, completed_at = min(said[0], latest), None if said[1] is None else min(said[1], latest)
    row[:4] = message_id, thread_id, parent_id, role
    row[_CREATED_AT], row[_COMPLETED_AT] = created_at, completed_at
    row[_OWN:] = (
        None if is_purged else own.content_digest,
        hlc,
        device,
        own.char_count,
        own.line_count,
        _mark(role, body.get("finish_reason")),
    )
    tally = own.tally
    tally.message_count = 1
    tally.input_tokens, tally.output_tokens = row[_TOKENS] or 0, row[_TOKENS + 1] or 0
    tally.cached_tokens, tally.reasoning_tokens = row[_TOKENS + 3] or 0, row[_TOKENS + 4] or 0
    return MessageRows(
        id=message_id,
        thread_id=thread_id,
        parent_id=parent_id,
        message=tuple(row),
        own=own,
        ended_at=max(created_at, completed_at or 0),
        is_purged=is_purged,
        parts_file=_file(body.get("parts_file")),
        is_exact=own.is_exact and body.keys() <= BODY_NAMES and (created_at, completed_at) == said,
    )


def _mark(role: str, finish_reason: object) -> str:
    """Return the context mark: another member's note is left out of the context until this person includes it."""
    return _EXCLUDED if finish_reason == NOTE and role == _USER else _UNMARKED


def read_parts(parts: list[Any], *, message_id: str, hlc: int, device: str, latest: int = LAST_MOMENT) -> PartRows:
    """Return the rows of the valid parts, in their order. ``latest``: later times are replaced by it."""
    found = PartRows()
    texts: list[str] = []
    stored: list[tuple[int, str, str]] = []
    for part in parts[:MOST_PARTS]:
        if not isinstance(part, dict):
            found.is_exact = False
            continue
        kind, content, part_id = part.get("type"), part.get("content"), part.get("id")
        if not isinstance(kind, str) or not isinstance(content, dict) or not is_id(part_id):
            found.is_exact = False
            continue
        if kind not in _TYPES or not part.keys() <= PART_NAMES:
            found.is_exact = False
        if kind not in _TYPES:  # only a newer ChatDesk knows it: shown as the text that it has
            if not isinstance(content.get("text"), str):
                continue
            kind, content = _TEXT, {"text": content["text"]}
        index = len(found.parts)
        shown, text = _content(kind, content)
        found.char_count += len(shown)
        found.line_count += 1 + shown.count("\n")
        if kind == "text":
            texts.append(shown)
        row: list[Any] = [part_id, message_id, index, 0, kind, text, None, None, None, None, None, hlc, device]
        if not _read_columns(row, part, latest):
            found.is_exact = False
        if kind == "tool_result":
            found.tally.tool_counts[row[_TOOL_NAME] or ""] += 1
        found.tally.tool_time_ms += row[_TOOL_DURATION] or 0
        stored.append((index, kind, text))
        found.parts.append(tuple(row))
        artifacts = part.get("artifacts")
        if isinstance(artifacts, list):
            _read_artifacts(found, artifacts, str(part_id), hlc, device)
    found.content_digest = digest(stored)
    found.words = search_text.of_message(texts) if texts else None
    return found


def _read_columns(row: list[Any], part: Mapping[str, Any], latest: int) -> bool:
    """Read the values of a part beside its content into its row. Returns whether its times are no later than
    ``latest``."""
    for name, value in part.items():
        column = _PART_READERS.get(name)
        if column is not None:
            row[column[0]] = column[1](value)
    is_exact = True
    for place in _PART_TIMES:
        said = row[place]
        if said is not None and said > latest:
            row[place] = latest
            is_exact = False
    return is_exact


def _read_artifacts(found: PartRows, artifacts: list[Any], part_id: str, hlc: int, device: str) -> None:
    """Read artifacts. The path of a file follows from its SHA-256; one that another member names is never used."""
    for artifact in artifacts[:MOST_FILES]:
        if not isinstance(artifact, dict) or not is_id(artifact.get("id")):
            continue
        named = _file(artifact)
        if named is None:
            continue
        sha256, size = named
        kind = artifact.get("kind")
        found.artifacts.append(
            (
                artifact["id"],
                part_id,
                kind if kind in _FILES else PartType.FILE.value,
                f"{sha256[:2]}/{sha256}",
                clean_mime(artifact.get("mime")),
                size,
                sha256,
                hlc,
                device,
            )
        )
        found.files.append(named)


def _content(kind: str, content: dict[str, Any]) -> tuple[str, str]:
    """Return the shown text of a part, and its content as it is stored."""
    text = content.get("text")
    if isinstance(text, str) and len(content) == 1:
        text = clean(text)
        return text, f'{{"text":{encode_basestring(text)}}}'
    if kind in _FILES:
        attachment = attachment_from(content)
        name = content.get("name")
        kept: Any = (
            attachment.as_content()
            if attachment is not None
            else {"name": clean_name(name if isinstance(name, str) else "")}
        )
    else:
        kept = _plain(content, 0)
    shown = kept.get("text", kept.get("arguments", kept.get("name", "")))
    return clean(shown) if isinstance(shown, str) else str(shown), _stored(kept)


def _stored(content: Mapping[str, Any]) -> str:
    return to_json(content)


def _details(details: object) -> str | None:
    if not isinstance(details, dict):
        return None
    kept = {name: each for name, each in details.items() if name not in OWN_DETAILS}
    return _stored(_plain(kept, 0)) if kept else None


def _plain(value: Any, depth: int) -> Any:
    """Return the value as JSON that can be stored and shown; too deep levels are dropped."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < _LARGEST else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if depth >= DEEPEST:
        return None
    if isinstance(value, list):
        return [_plain(item, depth + 1) for item in value]
    return {str(key): _plain(item, depth + 1) for key, item in value.items()}


def _file(value: object) -> tuple[str, int] | None:
    """Return (SHA-256, bytes) of the file that a value names, or None."""
    if not isinstance(value, dict):
        return None
    sha256, size = value.get("sha256"), whole(value.get("size_bytes"))
    return (sha256, size) if isinstance(sha256, str) and _SHA256(sha256) and size is not None else None


def whole(value: object) -> int | None:
    """Return a whole number that is not negative; None for anything else."""
    return value if type(value) is int and 0 <= value < _LARGEST else None


def moment(value: object, latest: int = LAST_MOMENT) -> int | None:
    """Return a time in milliseconds UTC, at most ``latest``; None for anything else."""
    return min(value, latest) if type(value) is int and 0 <= value <= LAST_MOMENT else None


def word(value: object, longest: int = LONGEST_WORD) -> str | None:
    """Return a text, cut to ``longest`` characters; None for anything but a string."""
    return clean(value[:longest]) if isinstance(value, str) else None


def _status(value: object) -> str:
    return value if isinstance(value, str) and value in _FINAL else _INTERRUPTED


def _error(value: object) -> str | None:
    return word(value, _LONGEST_ERROR)


def _step(value: object) -> int:
    return whole(value) or 0


_Readers: TypeAlias = Mapping[str, tuple[int, Callable[[Any], Any]]]


def _readers(columns: Sequence[str], **readers: Callable[[Any], Any]) -> _Readers:
    return {name: (columns.index(name), read) for name, read in readers.items()}


#: Where a value of a body goes in its row, and what it must be.
_MESSAGE_READERS: Final = _readers(
    MESSAGE_COLUMNS, status=_status, provider=word, model=word, created_at=moment, completed_at=moment,
    latency_ms=whole, time_to_first_token_ms=whole, prompt_tokens=whole, completion_tokens=whole, total_tokens=whole,
    cached_tokens=whole, reasoning_tokens=whole, error=_error, error_type=word, error_details=_details,
    finish_reason=word,
)  # fmt: skip
_PART_READERS: Final = _readers(
    PART_COLUMNS, step_index=_step, started_at=moment, completed_at=moment, tool_name=word, tool_call_id=word,
    tool_duration_ms=whole,
)  # fmt: skip
_STATUS, _CREATED_AT, _COMPLETED_AT = map(MESSAGE_COLUMNS.index, ("status", "created_at", "completed_at"))
_TOKENS: Final = MESSAGE_COLUMNS.index("prompt_tokens")  # and the four after it
_OWN: Final = MESSAGE_COLUMNS.index("content_digest")  # from here on: nothing of what a body says
_PART_TIMES: Final = tuple(map(PART_COLUMNS.index, ("started_at", "completed_at")))
_TOOL_NAME, _TOOL_DURATION = map(PART_COLUMNS.index, ("tool_name", "tool_duration_ms"))
