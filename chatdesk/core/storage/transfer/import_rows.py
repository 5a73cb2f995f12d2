"""Makes rows of an imported thread, away from the thread that writes: ids for moments long ago, places, sizes, digests.

A row that is made here equals one that is written when a person chats; a test compares them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from json.encoder import encode_basestring
from operator import itemgetter
from typing import Any, Final

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.imported import ImportedFile, ImportedMessage, ImportedPart, ImportedThread, ImportOutcome
from chatdesk.core.domain.message import PartType
from chatdesk.core.domain.tools import is_counted
from chatdesk.core.ids import id_of_moment, new_id, place_of_id
from chatdesk.core.storage.chat.artifacts import artifact_row
from chatdesk.core.storage.chat.documents import document_row
from chatdesk.core.storage.chat.thread_counters import Tally
from chatdesk.core.storage.engine import search_text
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.content_digest import digest
from chatdesk.core.storage.engine.message_columns import BY_NAME, Form, exported
from chatdesk.core.storage.engine.plain_text import clean, to_json

# Stores the bytes of a file and returns its description; None if the export lacks them.
KeepFile = Callable[[ImportedFile, Mapping[str, Any]], Attachment | None]

# ``search_n`` is added when the rows are written. Imported rows have no other author, no assistant of this profile and
# no process that writes their answers.
_NOT_IMPORTED: Final = ("search_n", "author_id", "assistant_id", "owner_pid_token")
MESSAGE_COLUMNS: Final = tuple(name for name in BY_NAME if name not in _NOT_IMPORTED)
_MESSAGE_VALUES: Final = itemgetter(*MESSAGE_COLUMNS)
PART_COLUMNS: Final = (
    "id", "message_id", "part_index", "step_index", "type", "content", "started_at", "completed_at", "tool_name",
    "tool_call_id", "tool_duration_ms", "hlc", "origin_device",
)  # fmt: skip
_DIGESTED: Final = itemgetter(*map(PART_COLUMNS.index, ("part_index", "type", "content")))
_WITH_TEXT: Final = frozenset((PartType.TEXT, PartType.REASONING, PartType.TOOL_RESULT))
_TEXT_VALUES: Final = frozenset(exported(Form.WORD))
_PLAIN_VALUES: Final = _TEXT_VALUES.union(exported(Form.MOMENT, Form.COUNT))
_USUAL_CHARS: Final = 4_000
_NO_VALUES: Final[Mapping[str, Any]] = dict.fromkeys(sorted(_PLAIN_VALUES))


@dataclass(frozen=True, slots=True)
class KnownMessage:
    """A message that came with an earlier import; ``position`` is None when it is gone for good."""

    id: str
    position: int | None


@dataclass(frozen=True, slots=True)
class KnownThread:
    """The parts of an imported thread that already exist. ``outcome`` is the action: NEW and EXTENDED are written.
    ``taken`` are wanted ids that are in use."""

    outcome: ImportOutcome
    thread_id: str | None = None
    messages: Mapping[str, KnownMessage] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()


@dataclass(slots=True)
class MessageRows:
    """The rows of one message with all that is its own. ``words``: its text as the search index keeps it; None where it
    has none, or one that the index has to read from the stored rows (``is_searched``)."""

    id: str
    message: tuple[Any, ...]
    parts: list[tuple[Any, ...]]
    artifacts: list[dict[str, Any]]
    keys: tuple[str, ...]
    parent_id: str | None
    position: int
    is_shown: bool
    is_live: bool
    created_at: int
    tally: Tally
    is_searched: bool
    words: str | None

    @property
    def weight(self) -> int:
        """The cost of writing the message: 1 for a usual one."""
        return 1 + len(self.words or "") // _USUAL_CHARS


@dataclass(slots=True)
class ThreadRows:
    """The rows of a thread to be written. ``path_start``: the first new message of the vendor's path, and its parent.
    ``choices``: (child, parent) for messages that had no children. ``ids``: of all messages, by key."""

    imported: ImportedThread
    thread_id: str
    is_new: bool
    digest: str
    messages: list[MessageRows]
    ids: Mapping[str, str]
    path_start: tuple[str, str | None] | None
    choices: list[tuple[str, str]]
    missing_files: int


def thread_digest(thread: ImportedThread) -> str:
    """Return a digest that shows whether an export has anything of a thread that an earlier one had not; the title
    comes last."""
    hasher = hashlib.blake2b(digest_size=12)
    for message in thread.messages:
        head = f"{message.keys}|{message.role}|{message.status}|{len(message.parts)}\n"
        hasher.update(head.encode("utf-8", "replace"))
        for part in message.parts:
            text = part.content.get("text", part.content.get("arguments", part.content.get("name", "")))
            hasher.update(str(text).encode("utf-8", "replace"))
    return f"{hasher.hexdigest()}:{title_mark(thread.title)}"


def title_mark(title: str) -> str:
    """Return a digest that recognises the title that was imported, so that one that a person gave is left alone."""
    return hashlib.blake2b(title.encode("utf-8", "replace"), digest_size=6).hexdigest()


def make_rows(thread: ImportedThread, known: KnownThread, origin: Origin, keep_file: KeepFile) -> ThreadRows:
    """Return the rows of every message that is not there yet."""
    return _Maker(thread, known, origin, keep_file).rows()


class _Maker:
    def __init__(self, thread: ImportedThread, known: KnownThread, origin: Origin, keep_file: KeepFile) -> None:
        self._thread = thread
        self._known = known
        self._origin = origin
        self._keep_file = keep_file
        self._ids: dict[str, str] = {}
        self._places: dict[str | None, tuple[str | None, int]] = {None: (None, -1)}
        self._last_places: dict[str | None, int] = {}
        self._choices: list[tuple[str, str]] = []
        self._parents: dict[str, str | None] = {}  # parents of new messages, by their ids
        self._missing = 0
        self._stamps = iter(origin.hybrid_clock.several(sum(1 + len(each.parts) for each in thread.messages)))

    def rows(self) -> ThreadRows:
        thread, known = self._thread, self._known
        is_new = known.thread_id is None
        thread_id = known.thread_id or self._free(thread.wanted_id) or id_of_moment(thread.created_at << 12)
        fresh = [message for message in map(self._place, thread.messages) if message is not None]
        shown = self._shown()
        rows = [self._message(message, thread_id, is_shown=is_new and message.key in shown) for message in fresh]
        new_ids = {row.id for row in rows}
        path_start = None
        if not is_new:
            first = next((message for message in fresh if message.key in shown), None)
            if first is not None:
                path_start = self._ids[first.key], self._places[first.parent_key][0]
        choices = [
            (self._ids[child], parent_id)
            for key, child in thread.chosen.items()
            if key is not None
            and self._ids.get(child) in new_ids
            and (parent_id := self._places.get(key, (None, 0))[0]) is not None
            and parent_id not in new_ids
            and self._parents.get(self._ids[child]) == parent_id
        ]
        return ThreadRows(
            imported=thread,
            thread_id=thread_id,
            is_new=is_new,
            digest=thread_digest(thread),
            messages=rows,
            ids=self._ids,
            path_start=path_start,
            choices=self._choices + choices,
            missing_files=self._missing,
        )

    def _free(self, wanted: str | None) -> str | None:
        return wanted if wanted is not None and wanted not in self._known.taken else None

    def _place(self, message: ImportedMessage) -> ImportedMessage | None:
        """Choose the id and place of a message. Returns the message to be written: None if all of it exists, and the
        rest of a turn that has grown."""
        known = self._known.messages
        found = [known[key] for key in message.keys if key in known]
        fresh = tuple(key for key in message.keys if key not in known)
        if found:
            parent = self._places.get(message.parent_key, (None, -1))
            last = found[-1]
            here = parent if last.position is None else (last.id, last.position)
            self._ids[message.key] = last.id
            self._places[message.key] = here
            parts = tuple(part for part in message.parts if part.key in fresh)
            if not fresh or not parts or last.position is None:
                return None
            above = f"{message.key} before"  # no vendor's key has a space
            self._places[above] = here
            rest = replace(message, parent_key=above, parts=parts, keys=fresh, wanted_id=None)
            self._give_id(rest)
            self._choices.append((self._ids[rest.key], last.id))
            return rest
        self._give_id(message)
        return message

    def _give_id(self, message: ImportedMessage) -> None:
        parent_id, position = self._places.get(message.parent_key, (None, -1))
        above = place_of_id(parent_id) if parent_id is not None else -1
        place = max(message.created_at << 12, above + 1, self._last_places.get(message.parent_key, -1) + 1)
        self._last_places[message.parent_key] = place
        self._ids[message.key] = self._free(message.wanted_id) or id_of_moment(place)
        self._places[message.key] = self._ids[message.key], position + 1
        self._parents[self._ids[message.key]] = parent_id

    def _shown(self) -> set[str]:
        """Return the keys on the path that the vendor showed."""
        shown: set[str] = set()
        key = self._thread.chosen.get(None)
        while key is not None and key not in shown:
            shown.add(key)
            key = self._thread.chosen.get(key)
        return shown

    def _message(self, message: ImportedMessage, thread_id: str, *, is_shown: bool) -> MessageRows:
        values = message.values
        message_id = self._ids[message.key]
        parent_id = self._places.get(message.parent_key, (None, -1))[0]
        ended = values.get("completed_at") or message.created_at
        parts, artifacts, texts, words, tally = self._parts(message, message_id, ended)
        is_live, purged = values.get("deleted_at") is None, values.get("purged_at")
        chosen = self._ids.get(self._thread.chosen.get(message.key, ""))
        error = values.get("error")
        details = values.get("error_details")
        row: dict[str, Any] = {
            **_NO_VALUES,
            "hlc": next(self._stamps),
            "origin_device": self._origin.device_id,
            "id": message_id,
            "thread_id": thread_id,
            "parent_id": parent_id,
            "role": message.role.value,
            "status": message.status.value,
            "position": self._places[message.key][1],
            "on_path": int(is_shown),
            "chosen_child_id": chosen if self._parents.get(chosen or "") == message_id else None,
            "created_at": message.created_at,
            "error": None if error is None else clean(str(error)),
            "error_details": to_json(details) if isinstance(details, dict) else None,
            "content_digest": None if purged is not None else digest(map(_DIGESTED, parts)),
            "deleted_at": values.get("deleted_at"),
            "deleted_with": self._ids.get(str(values.get("deleted_with"))),
            "purged_at": purged,
            "char_count": sum(map(len, texts)),
            "line_count": len(texts) + sum([text.count("\n") for text in texts]),
            "context_mark": values.get("context_mark") or "",
        }
        for name, value in values.items():
            if name in _PLAIN_VALUES and value is not None:
                row[name] = clean(str(value)) if name in _TEXT_VALUES else value
        row["completed_at"] = ended
        is_searched = words != [] and message.status.is_final and purged is None
        if is_live:
            tally.message_count = 1
            tally.input_tokens = values.get("prompt_tokens") or 0
            tally.output_tokens = values.get("completion_tokens") or 0
            tally.cached_tokens = values.get("cached_tokens") or 0
            tally.reasoning_tokens = values.get("reasoning_tokens") or 0
        return MessageRows(
            id=message_id,
            message=_MESSAGE_VALUES(row),
            parts=parts,
            artifacts=artifacts,
            keys=message.keys or (message.key,),
            parent_id=parent_id,
            position=self._places[message.key][1],
            is_shown=is_shown,
            is_live=is_live,
            created_at=message.created_at,
            tally=tally if is_live else Tally(),
            is_searched=is_searched,
            words=search_text.of_message(words) if is_searched and words is not None else None,
        )

    def _parts(
        self, message: ImportedMessage, message_id: str, ended: int
    ) -> tuple[list[tuple[Any, ...]], list[dict[str, Any]], list[str], list[str] | None, Tally]:
        """Return rows of parts and files, the text of each part, those of the parts that are searched (None: the index
        reads them itself), and the message's contribution to its thread."""
        rows: list[tuple[Any, ...]] = []
        artifacts: list[dict[str, Any]] = []
        texts: list[str] = []
        words: list[str] = []
        is_readable = True
        tally = Tally()
        for index, part in enumerate(message.parts):
            part_id = new_id()
            kind, content = part.type, part.content
            if part.file is not None:
                attachment = self._keep(part)
                if attachment is not None:
                    kind = PartType.IMAGE if attachment.is_image else PartType.FILE
                    content = attachment.as_content()
                    artifacts.append(artifact_row(part_id, attachment) | self._origin.stamp())
            artifacts += self._documents(part_id, part)
            text = content.get("text", content.get("arguments", ""))
            is_text = isinstance(text, str)
            text = clean(text if is_text else str(text))
            texts.append(text)
            if part.type is PartType.TEXT:
                is_readable = is_readable and is_text and "text" in content
                words.append(text)
            is_plain = is_text and kind in _WITH_TEXT and len(content) == 1 and "text" in content
            values = part.values
            rows.append(
                (
                    part_id,
                    message_id,
                    index,
                    values.get("step_index", 0),
                    kind.value,
                    f'{{"text":{encode_basestring(text)}}}' if is_plain else to_json(content),
                    values.get("started_at", message.created_at),
                    values.get("completed_at", ended),
                    _cleaned(values.get("tool_name")),
                    _cleaned(values.get("tool_call_id")),
                    values.get("tool_duration_ms"),
                    next(self._stamps),
                    self._origin.device_id,
                )
            )
            tally.tool_time_ms += values.get("tool_duration_ms") or 0
            if kind is PartType.TOOL_RESULT and is_counted(content, values.get("tool_duration_ms")):
                tally.tool_counts[clean(str(values.get("tool_name") or ""))] += 1
        return rows, artifacts, texts, words if is_readable else None, tally

    def _documents(self, part_id: str, part: ImportedPart) -> Iterator[dict[str, Any]]:
        """Yield the rows of documents that come from a part; versions whose bytes did not come along are missing."""
        for each in part.documents:
            found = self._kept(each.file, {})
            if found is not None:
                yield self._origin.stamp() | document_row(
                    part_id,
                    replace(found, name=each.file.name),
                    document_id=each.key,
                    language=clean(each.language),
                    number=each.number,
                    is_by_hand=each.is_by_hand,
                    created_at=each.created_at,
                )

    def _keep(self, part: ImportedPart) -> Attachment | None:
        assert part.file is not None
        return self._kept(part.file, part.content)

    def _kept(self, file: ImportedFile, content: Mapping[str, Any]) -> Attachment | None:
        attachment = self._keep_file(file, content)
        self._missing += attachment is None
        return attachment


def _cleaned(text: object) -> str | None:
    return None if text is None else clean(str(text))


def live_count(rows: Sequence[MessageRows]) -> int:
    """Return how many of these are on the shown path and not in the trash."""
    return sum(1 for row in rows if row.is_shown and row.is_live)


@dataclass(frozen=True, slots=True)
class Step:
    """A run of messages of one thread, in their order; ``is_last``: the thread is whole after it."""

    rows: ThreadRows
    project_id: str
    messages: Sequence[MessageRows]
    is_first: bool
    is_last: bool

    @property
    def is_whole(self) -> bool:
        """True when the step is all of a new thread, which then needs no second look."""
        return self.rows.is_new and self.is_first and self.is_last


def tally_of(rows: Sequence[MessageRows]) -> Tally:
    """Return the counts that these messages add to their thread."""
    total = Tally()
    for row in rows:
        total.add(row.tally)
    return total
