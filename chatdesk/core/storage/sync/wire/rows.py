"""Makes rows of a message that another device sent, outside of the writing thread; holds the limits of the wire.

The text may hold anything: values that are too large, of a wrong type or unknown are dropped or become defaults, and
never raise. The rows equal those of the author; a test compares them. ``wire/bodies`` writes with the same limits.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from operator import itemgetter
from typing import Any, Final

from chatdesk.core.domain.attachment import attachment_from, clean_mime, clean_name
from chatdesk.core.domain.message import NOTE, ContextMark, PartType, Role, Status
from chatdesk.core.domain.sharing.sync_wire import MAX_AHEAD_MS, MAX_BODY_BYTES
from chatdesk.core.domain.tools import is_counted
from chatdesk.core.storage.chat.thread_counters import Tally
from chatdesk.core.storage.engine import search_text
from chatdesk.core.storage.engine.content_digest import digest
from chatdesk.core.storage.engine.message_columns import BY_NAME, TRAVELLING, Form
from chatdesk.core.storage.engine.plain_text import clean, to_json
from chatdesk.core.storage.engine.stored_bytes import MOST_IN_BODY, is_bounded

# Characters of one body; a body that is larger came by another way than the limits of the log allow.
LONGEST_BODY: Final = 2 * MAX_BODY_BYTES
# Characters of parts that travel as a file.
LONGEST_PARTS: Final = 256 * 1024 * 1024
# 2200-01-01, in milliseconds: later moments are mistakes, and calendars end somewhere.
LAST_MOMENT: Final = 7_258_118_400_000
LONGEST_WORD: Final = 500
LONGEST_TEXT: Final = 20_000
MOST_PARTS: Final = 10_000
MOST_FILES: Final = 100
# Levels of JSON in a content; deeper ones are dropped.
DEEPEST: Final = 32
_LARGEST: Final = 2**53

# In the order of ``MessageRows.message``: columns of the wire, then columns computed on arrival.
MESSAGE_COLUMNS: Final = (
    *TRAVELLING, "content_digest", "hlc", "origin_device", "char_count", "line_count", "context_mark",
)  # fmt: skip
_MESSAGE_VALUES: Final = itemgetter(*MESSAGE_COLUMNS)
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
# The digest of a message without parts, written down: to compute it here would load OpenSSL at each start.
NO_PARTS: Final = "cae66941d9efbd404e4d88758ea67670"
# Constants, because looking up an enumeration's member and value in Python 3.11 takes longer than the rest of a line.
_INTERRUPTED: Final = Status.INTERRUPTED.value
_USER: Final = Role.USER.value
_EXCLUDED, _UNMARKED = ContextMark.EXCLUDED.value, ContextMark.NONE.value
_TEXT: Final = PartType.TEXT.value
_ROLES: Final = frozenset(role.value for role in Role)
_FINAL: Final = frozenset(status.value for status in Status if status.is_final)
_TYPES: Final = frozenset(kind.value for kind in PartType)
FILES: Final = frozenset((PartType.IMAGE.value, PartType.FILE.value))


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
    if not is_id(thread_id) or (parent_id is not None and not is_id(parent_id)) or parent_id == message_id:
        return None
    if not isinstance(role, str) or role not in _ROLES:
        return None
    assert isinstance(thread_id, str)  # checked above
    is_purged = body.get("is_purged") is True
    parts, latest = body.get("parts"), latest_of(at)
    if isinstance(parts, list) and not is_purged:
        own = read_parts(parts, message_id=message_id, hlc=hlc, device=device, latest=latest)
    else:
        own = PartRows(content_digest=NO_PARTS)
    row = dict(_EMPTY_MESSAGE)
    for name, value in body.items():  # most columns of most messages are empty
        read = _MESSAGE_READERS.get(name)
        if read is not None:
            row[name] = read(value)
    said = row["created_at"] or 0, row["completed_at"]
    created_at, completed_at = min(said[0], latest), None if said[1] is None else min(said[1], latest)
    row["id"], row["thread_id"], row["parent_id"], row["role"] = message_id, thread_id, parent_id, role
    row["created_at"], row["completed_at"] = created_at, completed_at
    row["content_digest"] = None if is_purged else own.content_digest
    row["hlc"], row["origin_device"] = hlc, device
    row["char_count"], row["line_count"] = own.char_count, own.line_count
    row["context_mark"] = _mark(role, body.get("finish_reason"))
    tally = own.tally
    tally.message_count = 1
    tally.input_tokens, tally.output_tokens = row["prompt_tokens"] or 0, row["completion_tokens"] or 0
    tally.cached_tokens, tally.reasoning_tokens = row["cached_tokens"] or 0, row["reasoning_tokens"] or 0
    return MessageRows(
        id=message_id,
        thread_id=thread_id,
        parent_id=parent_id,
        message=_MESSAGE_VALUES(row),
        own=own,
        ended_at=max(created_at, completed_at or 0),
        is_purged=is_purged,
        parts_file=named_file(body.get("parts_file")),
        is_exact=own.is_exact and body.keys() <= _BODY_NAMES and (created_at, completed_at) == said,
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
        if kind not in _TYPES or not part.keys() <= _PART_NAMES:
            found.is_exact = False
        known = known_part(kind, content)
        if known is None:
            continue
        kind, content = known
        index = len(found.parts)
        shown, text = _content(kind, content)
        found.char_count += len(shown)
        found.line_count += 1 + shown.count("\n")
        if kind == "text":
            texts.append(shown)
        row: list[Any] = [part_id, message_id, index, 0, kind, text, None, None, None, None, None, hlc, device]
        if not _read_columns(row, part, latest):
            found.is_exact = False
        if kind == "tool_result" and is_counted(content, row[_TOOL_DURATION]):
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


def known_part(kind: str, content: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    """Return kind and content of a part. A kind that only a newer ChatDesk knows becomes the text that it has; None if
    it has none."""
    if kind in _TYPES:
        return kind, content
    return (_TEXT, {"text": content["text"]}) if isinstance(content.get("text"), str) else None


def _read_columns(row: list[Any], part: Mapping[str, Any], latest: int) -> bool:
    """Read the values of a part beside its content into its row. Returns whether its times are no later than
    ``latest``."""
    for name, value in part.items():
        read = PART_READERS.get(name)
        if read is not None:
            row[_PART_PLACES[name]] = read(value)
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
        named = named_file(artifact)
        if named is None:
            continue
        sha256, size = named
        kind = artifact.get("kind")
        found.artifacts.append(
            (
                artifact["id"],
                part_id,
                kind if kind in FILES else PartType.FILE.value,
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
    kept = kept_content(kind, content)
    shown = kept.get("text", kept.get("arguments", kept.get("name", "")))
    return clean(shown) if isinstance(shown, str) else str(shown), to_json(kept)


def kept_content(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a part that is sent and stored: never the path of a file, from any author."""
    if kind not in FILES:
        return dict(_plain(content, 0))
    attachment, name = attachment_from(content), content.get("name")
    if attachment is not None:
        return attachment.as_content()
    problem = content.get("problem")  # why an answer does not have this picture
    reason = {"problem": clean(problem[:LONGEST_WORD])} if isinstance(problem, str) else {}
    return {"name": clean_name(name if isinstance(name, str) else ""), **reason}


def kept_details(details: object) -> dict[str, Any] | None:
    """Return the details of a failure that are sent and stored; None if there are none."""
    return dict(_plain(details, 0)) if isinstance(details, dict) and details else None


def _details(details: object) -> str | None:
    kept = kept_details(details)
    return None if kept is None else to_json(kept)


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


def named_file(value: object) -> tuple[str, int] | None:
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


def _text(value: object) -> str | None:
    return word(value, LONGEST_TEXT)


def _step(value: object) -> int:
    return whole(value) or 0


Reader = Callable[[Any], Any]
_BY_FORM: Final[Mapping[Form, Reader]] = {
    Form.MOMENT: moment, Form.COUNT: whole, Form.WORD: word, Form.TEXT: _text, Form.DETAILS: _details,
}  # fmt: skip
# Readers that check the plain values of a message.
VALUE_READERS: Final[Mapping[str, Reader]] = {
    name: _BY_FORM[BY_NAME[name].form] for name in TRAVELLING if BY_NAME[name].form is not Form.FRAME
}
_MESSAGE_READERS: Final[Mapping[str, Reader]] = {**VALUE_READERS, "status": _status, "created_at": moment}
_EMPTY_MESSAGE: Final = dict.fromkeys(MESSAGE_COLUMNS) | {"status": _INTERRUPTED}
# The same of a part.
PART_READERS: Final[Mapping[str, Reader]] = {
    "step_index": _step, "started_at": moment, "completed_at": moment, "tool_name": word, "tool_call_id": word,
    "tool_duration_ms": whole,
}  # fmt: skip
_BODY_NAMES: Final = {*TRAVELLING, "is_purged", "parts", "parts_file", "files"} - {"id"}
_PART_NAMES: Final = {"id", "type", "content", "artifacts", *PART_READERS}
_PART_PLACES: Final = {name: PART_COLUMNS.index(name) for name in PART_READERS}
_PART_TIMES: Final = (_PART_PLACES["started_at"], _PART_PLACES["completed_at"])
_TOOL_NAME, _TOOL_DURATION = _PART_PLACES["tool_name"], _PART_PLACES["tool_duration_ms"]
