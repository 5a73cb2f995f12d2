"""Inserts messages of others into their threads, a page at a time: positions, the shown path, counters, the search
index.

A reader's position never jumps: the shown path continues where it ended, and everything else becomes a version beside
it. Only among messages from before this person joined, the newest version is shown.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from chatdesk.core.domain.sharing.sync_wire import PulledChange
from chatdesk.core.ids import new_id
from chatdesk.core.storage.chat import shown_path, thread_counters
from chatdesk.core.storage.engine import search_index
from chatdesk.core.storage.engine.bulk import insert_rows
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.storage.sync.inbox.page import Page
from chatdesk.core.storage.sync.projection import projection
from chatdesk.core.storage.sync.wire.rows import ARTIFACT_COLUMNS, MESSAGE_COLUMNS, PART_COLUMNS, MessageRows, PartRows

_PLACE_COLUMNS: Final = ("position", "on_path", "chosen_child_id", "deleted_at", "purged_at", "search_n", "author_id")
_ALL_COLUMNS: Final = MESSAGE_COLUMNS + _PLACE_COLUMNS
_INSERT_MESSAGE = f"INSERT INTO messages ({', '.join(_ALL_COLUMNS)})"
_INSERT_PART = f"INSERT INTO message_parts ({', '.join(PART_COLUMNS)})"
_INSERT_ARTIFACT = f"INSERT INTO artifacts ({', '.join(ARTIFACT_COLUMNS)})"
# The message that the path shows at each position, by the index of the path; whichever is in the trash, too.
_SHOWN_AT = " UNION ALL ".join(
    "SELECT position, parent_id, id FROM messages WHERE thread_id = ? AND on_path = 1 AND deleted_at"
    f" IS {condition} AND position IN ({{places}})"
    for condition in ("NULL", "NOT NULL")
)


# Not frozen for the same reason as ``PulledChange``.
@dataclass(slots=True)
class Incoming:
    """A message and the change that brings it."""

    change: PulledChange
    rows: MessageRows


@dataclass(slots=True)
class Outcome:
    """The result for each message, by change id: ``waiting`` (for the id of a message or thread), ``foreign`` (never
    applied, with the reason). ``done`` are stored, now or before; ``fresh`` are the ids of those stored now, and
    ``emptied`` of those that were stored before and whose words were purged here."""

    done: list[Incoming] = field(default_factory=list)
    fresh: list[str] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)
    foreign: dict[str, str] = field(default_factory=dict)
    emptied: set[str] = field(default_factory=set)
    deleted_parents: set[str] = field(default_factory=set)

    def join(self, more: Outcome) -> None:
        """Add the result of messages that were tried again."""
        self.done += more.done
        self.fresh += more.fresh
        self.waiting.update(more.waiting)
        self.foreign.update(more.foreign)
        self.emptied |= more.emptied
        self.deleted_parents |= more.deleted_parents


@dataclass(slots=True)
class _AddedMessages:
    """The messages that a page adds to one thread."""

    tip: str | None
    shown: int = 0
    leaf: str | None = None
    root: str | None = None
    last_at: int = 0
    unread: int = 0
    beside: list[tuple[int, str | None, str]] = field(default_factory=list)
    tally: thread_counters.Tally = field(default_factory=thread_counters.Tally)


def insert(page: Page, incoming: Sequence[Incoming]) -> Outcome:
    """Store messages in the given order. A message whose thread or parent is missing waits; a message that would
    touch another project, or whose id is in another thread, is foreign."""
    return _Insertion(page).insert(incoming)


class _Insertion:
    def __init__(self, page: Page) -> None:
        self._page = page
        self._raw = page.raw
        self._effects = page.effects
        self._grown: dict[str, _AddedMessages] = {}
        self._places: dict[str, tuple[str, int]] = {}  # thread and position of every message that matters
        self._chosen: dict[str, str] = {}
        self._placed: list[tuple[Incoming, int, bool]] = []
        self._outcome = Outcome()

    def insert(self, incoming: Sequence[Incoming]) -> Outcome:
        homes = projection.homes(self._raw, "thread", (each.rows.thread_id for each in incoming))
        here = self._look_up(incoming)
        for each in incoming:
            self._place(each, homes, here)
        if self._placed:
            self._write()
        return self._outcome

    def _look_up(self, incoming: Sequence[Incoming]) -> dict[str, str]:
        """Return the thread of each of these messages and of their parents, if they exist."""
        own = {each.rows.id for each in incoming}
        wanted = own | {each.rows.parent_id for each in incoming if each.rows.parent_id is not None}
        found = self._page.rows(
            "SELECT id, thread_id, position, deleted_at, purged_at FROM messages WHERE id IN", wanted
        )
        for message_id, thread_id, position, deleted_at, purged_at in found.values():
            self._places[message_id] = thread_id, position
            if deleted_at is not None:
                self._outcome.deleted_parents.add(message_id)
            if purged_at is not None and message_id in own:
                self._outcome.emptied.add(message_id)
        return {key: row[1] for key, row in found.items()}

    def _place(self, each: Incoming, homes: dict[str, str], here: dict[str, str]) -> None:
        rows, outcome = each.rows, self._outcome
        home = homes.get(rows.thread_id)
        if home is not None and home != self._page.project_id:
            outcome.foreign[each.change.id] = "the thread lies in another project"
            return
        if rows.id in here:
            if here[rows.id] == rows.thread_id:
                outcome.done.append(each)
            else:
                outcome.foreign[each.change.id] = "the message lies in another thread"
            return
        if rows.id in self._places:
            outcome.foreign[each.change.id] = "the message was made twice"
            return
        if home is None:
            outcome.waiting[each.change.id] = rows.thread_id
            return
        position = 0
        if rows.parent_id is not None:
            above = self._places.get(rows.parent_id)
            if above is None:
                outcome.waiting[each.change.id] = rows.parent_id
                return
            if above[0] != rows.thread_id:
                outcome.foreign[each.change.id] = "the parent lies in another thread"
                return
            position = above[1] + 1
        self._places[rows.id] = rows.thread_id, position
        outcome.done.append(each)
        outcome.fresh.append(rows.id)
        self._placed.append((each, position, self._grow(each, position)))

    def _grow(self, each: Incoming, position: int) -> bool:
        """Count a message for its thread. Returns whether it is shown."""
        rows, is_first = each.rows, each.change.seq <= self._page.joined_seq
        grown = self._grown.get(rows.thread_id)
        if grown is None:
            tip = shown_path.tip(self._page.conn, rows.thread_id)
            grown = self._grown[rows.thread_id] = _AddedMessages(None if tip is None else tip.id)
        is_shown = grown.tip == rows.parent_id
        if is_shown:
            grown.tip = rows.id
            if rows.parent_id is None:
                grown.root = rows.id
            else:
                self._chosen[rows.parent_id] = rows.id
        elif is_first and not rows.is_purged:
            grown.beside.append((position, rows.parent_id, rows.id))
        if not rows.is_purged:
            if is_shown:
                grown.shown += 1
                grown.leaf = rows.id
            grown.tally.add(rows.own.tally)
            grown.last_at = max(grown.last_at, rows.ended_at)
            if not is_first:
                self._report(each, grown, is_shown=is_shown)
        return is_shown

    def _report(self, each: Incoming, grown: _AddedMessages, *, is_shown: bool) -> None:
        (self._effects.new_messages if is_shown else self._effects.versions).append((each.rows.thread_id, each.rows.id))
        if self._effects.member(each.change.author) is not None:
            grown.unread += 1

    def _write(self) -> None:
        raw = self._raw
        raw.execute("PRAGMA defer_foreign_keys=ON")  # until this transaction ends
        first = search_index.first_free(raw)
        found = [each.rows for each, _, _ in self._placed if each.rows.own.words is not None]
        found.sort(key=lambda rows: rows.id)
        numbers = {} if first is None else {rows.id: n for n, rows in enumerate(found, start=first)}
        # Parts come first, because the index's triggers note nothing for a message that is not there yet.
        insert_parts(raw, [each.rows.own for each, _, _ in self._placed])
        now = self._page.origin.now()
        insert_rows(
            raw,
            _INSERT_MESSAGE,
            [
                (
                    *each.rows.message,
                    position,
                    int(is_shown),
                    self._chosen.get(each.rows.id),
                    now if each.rows.is_purged else None,
                    now if each.rows.is_purged else None,
                    numbers.get(each.rows.id),
                    self._effects.member(each.change.author),
                )
                for each, position, is_shown in self._placed
            ],
        )
        if numbers:
            search_index.index_new(raw, [(numbers[rows.id], rows.own.words or "") for rows in found])
        elif found:
            raw.executemany(
                "INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('message', ?)",
                [(rows.id,) for rows in found],
            )
        raw.execute(
            "UPDATE devices SET message_count = message_count + ? WHERE id = ?",
            (len(self._placed), self._page.origin.device_id),
        )
        fresh = set(self._outcome.fresh)
        raw.executemany(
            "UPDATE messages SET chosen_child_id = ? WHERE id = ?",
            [(child, parent) for parent, child in self._chosen.items() if parent not in fresh],
        )
        self._want_files()
        for thread_id, grown in self._grown.items():
            self._update_thread(thread_id, grown)

    def _want_files(self) -> None:
        files: dict[str, int] = {}
        for each, _, _ in self._placed:
            files.update(each.rows.own.files)
            if each.rows.parts_file is not None:
                files.update((each.rows.parts_file,))
        want_files(self._page, files)

    def _update_thread(self, thread_id: str, grown: _AddedMessages) -> None:
        raw, effects = self._raw, self._effects
        raw.execute(
            "UPDATE threads SET shown_count = shown_count + ?, current_leaf_id = coalesce(?, current_leaf_id),"
            " chosen_root_id = coalesce(?, chosen_root_id), last_activity_at = max(last_activity_at, ?) WHERE id = ?",
            (grown.shown, grown.leaf, grown.root, grown.last_at, thread_id),
        )
        thread_counters.change(self._page.conn, thread_id, grown.tally)
        effects.threads.add(thread_id)
        if grown.unread:
            raw.execute(
                "INSERT INTO unread_threads (thread_id, messages) VALUES (?, ?)"
                " ON CONFLICT (thread_id) DO UPDATE SET messages = messages + excluded.messages",
                (thread_id, grown.unread),
            )
        if grown.beside and self._show_newest(thread_id, grown.beside) and thread_id not in effects.new_threads:
            effects.paths.add(thread_id)

    def _show_newest(self, thread_id: str, beside: Iterable[tuple[int, str | None, str]]) -> bool:
        """Show the newest version at every place, for messages from before this person joined, given as (position,
        parent, id). Returns whether the path changed."""
        newest: dict[int, dict[str | None, str]] = defaultdict(dict)
        for position, parent_id, message_id in beside:
            newest[position][parent_id] = max(message_id, newest[position].get(parent_id, ""))
        has_moved = False
        while (newer := self._newer(thread_id, newest)) is not None:
            position, message_id = newer
            node = shown_path.find_node(self._page.conn, message_id)
            assert node is not None  # inserted above
            shown_path.show(self._page.conn, node)
            has_moved = True
            newest = {place: found for place, found in newest.items() if place > position}
        return has_moved

    def _newer(self, thread_id: str, newest: Mapping[int, Mapping[str | None, str]]) -> tuple[int, str] | None:
        """Return the topmost place where the path leads to an older version than one of these, and that version: below
        it the path is another then."""
        for batch in batches(sorted(newest)):
            query = _SHOWN_AT.format(places=marks(batch))
            for position, parent_id, shown in sorted(self._raw.execute(query, (thread_id, *batch) * 2)):
                if (found := newest[position].get(parent_id, "")) > shown:
                    return position, found
        return None


def insert_parts(raw: sqlite3.Connection, owns: Sequence[PartRows]) -> None:
    """Insert parts and their artifacts. An id that is in use already is replaced by a new one."""
    taken = _taken(raw, "message_parts", [part[0] for own in owns for part in own.parts])
    if taken:
        for own in owns:
            names: dict[str, str] = {}
            for place, part in enumerate(own.parts):
                if part[0] in taken:
                    # Several parts share one id, so the owner of an artifact is unknown: the last part keeps it.
                    names[part[0]] = new_id()
                    own.parts[place] = (names[part[0]], *part[1:])
            own.artifacts = [(row[0], names.get(row[1], row[1]), *row[2:]) for row in own.artifacts]
    taken = _taken(raw, "artifacts", [row[0] for own in owns for row in own.artifacts])
    if taken:
        for own in owns:
            own.artifacts = [(new_id() if row[0] in taken else row[0], *row[1:]) for row in own.artifacts]
    insert_rows(raw, _INSERT_PART, [part for own in owns for part in own.parts])
    insert_rows(raw, _INSERT_ARTIFACT, [row for own in owns for row in own.artifacts])


def _taken(raw: sqlite3.Connection, table: str, ids: Sequence[str]) -> set[str]:
    """Return the ids that exist already or occur twice."""
    taken = {each for each, count in Counter(ids).items() if count > 1} if len(set(ids)) != len(ids) else set()
    for batch in batches(sorted(set(ids))):
        taken |= {row[0] for row in raw.execute(f"SELECT id FROM {table} WHERE id IN ({marks(batch)})", batch)}
    return taken


def want_files(page: Page, files: Mapping[str, int]) -> None:
    """Queue files to be fetched, by SHA-256 and size, unless they are known."""
    for sha256, size in files.items():
        if page.raw.execute(
            "INSERT OR IGNORE INTO shared_files (project_id, sha256, state, size_bytes) VALUES (?, ?, 'to_fetch', ?)",
            (page.project_id, sha256, size),
        ).rowcount:
            page.effects.wanted_files.add(sha256)


def want_again(page: Page, file: tuple[str, int]) -> None:
    """Queue a file, given as (SHA-256, bytes), to be fetched whatever its state."""
    want_files(page, dict([file]))
    page.raw.execute(
        "UPDATE shared_files SET state = 'to_fetch', problem = NULL, tried_at = NULL"
        " WHERE project_id = ? AND sha256 = ?",
        (page.project_id, file[0]),
    )
    page.effects.wanted_files.add(file[0])
