"""Keeps the logs of a person's own projects in the place of a team's server, in a small database beside the profile.

Each computer numbers the changes for itself, in the order in which it learned of them. The database can be removed: it
is filled again from the folder of the computers, and the profile starts its projects over.
"""

# ruff: noqa: S608 - statements are assembled from constants of this module; values are always bound

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from chatdesk.core.domain.sharing.sync_wire import (
    MAX_AHEAD_MS,
    MAX_BODY_BYTES,
    PULL_BYTES,
    ProjectChange,
    PulledChange,
    PushResult,
    PushStatus,
    WireChange,
    body_digest,
)
from chatdesk.core.paths import make_private_folder
from chatdesk.core.storage.engine.change_log import CONTENT
from chatdesk.core.storage.engine.connection import connect
from chatdesk.core.storage.engine.failures import translating

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS log (
    project TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL UNIQUE, device TEXT NOT NULL, dseq INTEGER NOT NULL,
    author TEXT NOT NULL, kind TEXT NOT NULL, op TEXT NOT NULL, entity TEXT NOT NULL, reg TEXT NOT NULL,
    parents TEXT NOT NULL, hlc INTEGER NOT NULL, body TEXT, chain BLOB NOT NULL, at INTEGER NOT NULL,
    v INTEGER NOT NULL, number INTEGER NOT NULL, digest BLOB NOT NULL, is_erased INTEGER NOT NULL,
    is_sent INTEGER NOT NULL, PRIMARY KEY (project, seq));
CREATE INDEX IF NOT EXISTS log_unsent ON log (project, seq) WHERE is_sent = 0;
CREATE INDEX IF NOT EXISTS log_made ON log (entity, kind) WHERE op = 'new';
CREATE INDEX IF NOT EXISTS log_place ON log (device, dseq);
CREATE INDEX IF NOT EXISTS log_number ON log (project, device, number);
CREATE TABLE IF NOT EXISTS projects (project TEXT PRIMARY KEY, generation INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS segments (
    computer TEXT NOT NULL, number INTEGER NOT NULL, chain BLOB NOT NULL, data BLOB,
    PRIMARY KEY (computer, number, chain));
CREATE TABLE IF NOT EXISTS computers (
    computer TEXT PRIMARY KEY, device TEXT NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, at INTEGER NOT NULL,
    number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS seen (computer TEXT PRIMARY KEY, said TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS merged (
    computer TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY (computer, first));
CREATE TABLE IF NOT EXISTS looks (n INTEGER PRIMARY KEY CHECK (n = 0), said TEXT NOT NULL);
"""
_COLUMNS: Final = (
    "id, seq, device, dseq, author, kind, op, entity, reg, parents, hlc, body, chain, at, v, number, digest, is_erased"
)
_INSERT: Final = f"INSERT INTO log (project, is_sent, {_COLUMNS}) VALUES ({', '.join('?' * 20)})"

# The numbers of the first and of the last segment that a file has.
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ComputerRow:
    """A computer, as the newest of its head files that was read says. ``computer`` is its name in the folder;
    ``number`` counts the segments that it has written; ``seen``: how many of each other computer it had read."""

    computer: str
    device: str
    name: str
    version: str
    at: int
    number: int
    seen: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Looks:
    """Records the last look into the folder. ``waiting``: how many segments of each other computer are known of and
    were not read yet; ``unreadable``: files that are incomplete, or were changed; ``rolled_back``: computers whose
    newest files are older than those that were there before."""

    waiting: dict[str, int] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    rolled_back: set[str] = field(default_factory=set)


class PrivateLog:
    """The logs of one library. Used by one thread. Raises ``StorageError``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with translating(path):
            make_private_folder(path.parent)
            self._raw = connect(path, "write", is_raw=True)
            self._raw.execute("PRAGMA journal_mode=WAL")
            self._raw.execute("PRAGMA synchronous=FULL")
            for statement in _SCHEMA.split(";"):
                self._raw.execute(statement)

    def close(self) -> None:
        self._raw.close()

    # What the engine asks for

    def enter(
        self, device: str, project_id: str, changes: Sequence[WireChange], *, author: str, now: int
    ) -> list[PushResult]:
        """Append changes of this computer, in one transaction."""
        with self._transaction():
            return [self._enter(device, project_id, change, author, now) for change in changes]

    def pull(self, project_id: str, after_seq: int, *, limit: int) -> list[PulledChange]:
        """Return the changes after ``after_seq``, up to the size of a page."""
        found: list[PulledChange] = []
        size = 0
        with translating(self._path):
            rows = self._raw.execute(
                f"SELECT {_COLUMNS} FROM log WHERE project = ? AND seq > ? ORDER BY seq LIMIT ?",
                (project_id, after_seq, limit),
            )
            for row in rows:
                found.append(_change(row))
                size += len(row[11] or "")
                if size >= PULL_BYTES:
                    break
        return found

    def chain_at(self, project_id: str, seq: int) -> bytes | None:
        row = self._one("SELECT chain FROM log WHERE project = ? AND seq = ?", project_id, seq)
        return None if row is None else row[0]

    def heads(self) -> dict[str, tuple[int, int]]:
        """Return the newest number of each project, and how often its log was written anew."""
        rows = self._all(
            "SELECT p.project, p.generation, (SELECT max(seq) FROM log l WHERE l.project = p.project) FROM projects p"
        )
        return {project: (seq or 0, generation) for project, generation, seq in rows}

    # Segments

    def read_numbers(self) -> dict[str, int]:
        """Return how many segments of each computer are in the logs."""
        return dict(self._all("SELECT computer, max(number) FROM segments GROUP BY computer"))

    def chains(self, computer: str, number: int) -> set[bytes]:
        """Return the chains up to the segments with this number: two of them after a copy of a profile wrote, too."""
        rows = self._all("SELECT chain FROM segments WHERE computer = ? AND number = ?", computer, number)
        return {row[0] for row in rows}

    def append_segment(
        self,
        computer: str,
        number: int,
        chain: bytes,
        rows: Sequence[ProjectChange],
        *,
        data: bytes | None = None,
    ) -> None:
        """Append the changes of a segment, in one transaction. ``data``: the bytes of an own one."""
        with self._transaction():
            for project_id, change in rows:
                self._append_foreign(project_id, change)
            self._raw.execute("INSERT OR IGNORE INTO segments VALUES (?, ?, ?, ?)", (computer, number, chain, data))

    def unsent(self, *, max_bytes: int) -> list[ProjectChange]:
        """Return the next changes of this computer that are in no segment yet."""
        found: list[ProjectChange] = []
        size = 0
        with translating(self._path):
            rows = self._raw.execute(f"SELECT project, {_COLUMNS} FROM log WHERE is_sent = 0 ORDER BY rowid")
            for project_id, *row in rows:
                found.append((project_id, _change(row)))
                size += len(found[-1][1].body or "")
                if size >= max_bytes:
                    break
        return found

    def add_own(self, computer: str, number: int, chain: bytes, data: bytes, rows: Sequence[ProjectChange]) -> None:
        """Store a segment of this computer before it is written into the folder."""
        with self._transaction():
            self._raw.execute("INSERT INTO segments VALUES (?, ?, ?, ?)", (computer, number, chain, data))
            self._raw.executemany("UPDATE log SET is_sent = 1 WHERE id = ?", [(change.id,) for _, change in rows])

    def add_merged(self, computer: str, span: Span, data: bytes) -> None:
        """Store a merged segment of this computer in the place of those that it covers."""
        values = (computer, *span)
        with self._transaction():
            self._raw.execute("DELETE FROM merged WHERE computer = ? AND first >= ? AND last <= ?", values)
            self._raw.execute("INSERT INTO merged VALUES (?, ?, ?, ?)", (*values, data))
            self._raw.execute("UPDATE segments SET data = NULL WHERE computer = ? AND number BETWEEN ? AND ?", values)

    def own_sizes(self, computer: str) -> dict[Span, int]:
        """Return the sizes of the files of segments that this computer has written, in their order."""
        rows = self._all(
            "SELECT number, number, length(data) FROM segments WHERE computer = ?1 AND data IS NOT NULL"
            " UNION ALL SELECT first, last, length(data) FROM merged WHERE computer = ?1 ORDER BY 1",
            computer,
        )
        return {(first, last): size for first, last, size in rows}

    def own_data(self, computer: str, span: Span) -> bytes | None:
        """Return the bytes of a file of segments that this computer has written."""
        row = self._one(
            "SELECT data FROM segments WHERE computer = ?1 AND number = ?2 AND ?2 = ?3 AND data IS NOT NULL"
            " UNION ALL SELECT data FROM merged WHERE computer = ?1 AND first = ?2 AND last = ?3",
            computer,
            *span,
        )
        return None if row is None else row[0]

    # Computers

    def record_computer(self, row: ComputerRow) -> None:
        values = (row.computer, row.device, row.name, row.version, row.at, row.number)
        with self._transaction():
            self._raw.execute("INSERT OR REPLACE INTO computers VALUES (?, ?, ?, ?, ?, ?)", values)
            self._raw.execute("INSERT OR REPLACE INTO seen VALUES (?, ?)", (row.computer, json.dumps(dict(row.seen))))

    def computers(self) -> dict[str, ComputerRow]:
        rows = self._all(
            "SELECT computer, device, name, version, at, number, coalesce(said, '{}') FROM computers"
            " LEFT JOIN seen USING (computer) ORDER BY name, computer"
        )
        return {row[0]: ComputerRow(*(*row[:-1], json.loads(row[-1]))) for row in rows}

    def count_unsent(self) -> int:
        row = self._one("SELECT count(*) FROM log WHERE is_sent = 0")
        return 0 if row is None else int(row[0])

    def record_looks(self, looks: Looks) -> None:
        said = [looks.waiting, sorted(looks.unreadable), sorted(looks.rolled_back)]
        text = json.dumps(said)
        if self._one("SELECT 1 FROM looks WHERE said = ?", text) is None:
            with self._transaction():
                self._raw.execute("INSERT OR REPLACE INTO looks VALUES (0, ?)", (text,))

    def looks(self) -> Looks:
        row = self._one("SELECT said FROM looks")
        if row is None:
            return Looks()
        waiting, unreadable, rolled_back = json.loads(row[0])
        return Looks(waiting, set(unreadable), set(rolled_back))

    # Single changes

    def _enter(self, device: str, project_id: str, change: WireChange, author: str, now: int) -> PushResult:
        row = _row_of(change, change.device or device, author, now)
        if row is None:
            return PushResult(change.id, PushStatus.DENIED)
        if len((change.body or "").encode()) > MAX_BODY_BYTES:
            return PushResult(change.id, PushStatus.TOO_BIG)
        known = self._rival(row)
        if known is not None:
            if not _is_same(known, project_id, row):
                return PushResult(change.id, PushStatus.ID_TAKEN)
            return PushResult(change.id, PushStatus.DUP, known[1].seq, known[1].hlc)
        if self._one("SELECT 1 FROM log WHERE device = ? AND dseq = ? AND dseq > 0", row.device, row.dseq) is not None:
            if row.device == device:
                return PushResult(change.id, PushStatus.FORKED)
            row = replace(row, device=change.id, dseq=0)
        row = self._append(project_id, row, is_sent=False)
        return PushResult(change.id, PushStatus.OK, row.seq, row.hlc)

    def _append_foreign(self, project_id: str, row: PulledChange) -> None:
        """Append a change of another computer. Where two computers that did not know of each other gave one id to two
        things, as copies of a profile do, the same one stays on all of them."""
        known = self._rival(row)
        if known is None:
            self._append(project_id, row, is_sent=True)
        elif known[0] == project_id and (row.id, row.digest) < (known[1].id, known[1].digest):
            self._replace(project_id, known[1].seq, row)

    def _rival(self, row: PulledChange) -> ProjectChange | None:
        """Return the change in the logs that has the same id, or makes the same thing."""
        found = self._one(f"SELECT project, {_COLUMNS} FROM log WHERE id = ?", row.id)
        if found is None and (row.op, row.reg) == ("new", CONTENT):
            found = self._one(
                f"SELECT project, {_COLUMNS} FROM log WHERE entity = ? AND kind = ? AND op = 'new' AND reg = ?",
                *(row.entity, row.kind, CONTENT),
            )
        return None if found is None else (found[0], _change(found[1:]))

    def _append(self, project_id: str, row: PulledChange, *, is_sent: bool) -> PulledChange:
        last = self._one("SELECT seq, chain FROM log WHERE project = ? ORDER BY seq DESC LIMIT 1", project_id)
        newest = self._one("SELECT max(number) FROM log WHERE project = ? AND device = ?", project_id, row.device)
        if last is None:
            self._raw.execute("INSERT OR IGNORE INTO projects VALUES (?, 0)", (project_id,))
        seq, chain = last or (0, None)
        row = replace(row, seq=seq + 1, number=(newest[0] if newest and newest[0] else 0) + 1)
        row = replace(row, chain=row.chain_after(chain))
        self._raw.execute(_INSERT, (project_id, int(is_sent), *_stored(row)))
        return row

    def _replace(self, project_id: str, seq: int, row: PulledChange) -> None:
        """Put a change in the place of another one: the log becomes another one from there on."""
        self._raw.execute("DELETE FROM log WHERE project = ? AND seq = ?", (project_id, seq))
        before = replace(row, seq=seq)
        self._raw.execute(_INSERT, (project_id, 1, *_stored(before)))
        numbers: dict[str, int] = {}
        chain: bytes | None = None
        rows = self._raw.execute(f"SELECT {_COLUMNS} FROM log WHERE project = ? ORDER BY seq", (project_id,)).fetchall()
        for each in map(_change, rows):
            numbers[each.device] = numbers.get(each.device, 0) + 1
            chain = replace(each, number=numbers[each.device]).chain_after(chain)
            self._raw.execute(
                "UPDATE log SET number = ?, chain = ? WHERE project = ? AND seq = ?",
                (numbers[each.device], chain, project_id, each.seq),
            )
        self._raw.execute("UPDATE projects SET generation = generation + 1 WHERE project = ?", (project_id,))

    # The database

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with translating(self._path):
            self._raw.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._raw.execute("COMMIT")
            except BaseException:
                if self._raw.in_transaction:
                    self._raw.execute("ROLLBACK")
                raise

    def _one(self, query: str, *values: object) -> tuple[Any, ...] | None:
        with translating(self._path):
            found: tuple[Any, ...] | None = self._raw.execute(query, values).fetchone()
        return found

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with translating(self._path):
            return self._raw.execute(query, values).fetchall()


def _row_of(change: WireChange, device: str, author: str, now: int) -> PulledChange | None:
    """Return a change of this computer as a row; None where no log can hold it."""
    try:
        digest = change.erased or body_digest(change.body)
        (change.body or "").encode()
        row = PulledChange(
            id=change.id,
            seq=0,
            device=device,
            dseq=change.dseq,
            author=author,
            kind=change.kind,
            op=change.op,
            entity=change.entity,
            reg=change.reg,
            parents=change.parents,
            hlc=change.hlc,
            body=change.body,
            chain=b"",
            # Never before the moment of the change, by a clock that may have been set back since.
            at=max(now, min(change.hlc >> 16, now + MAX_AHEAD_MS)),
            v=change.v,
            digest=digest,
            is_erased=change.erased is not None,
        )
        row.chain_after(None)
    except ValueError:  # an id that is none, or text that is no Unicode
        return None
    return row


def _is_same(known: ProjectChange, project_id: str, row: PulledChange) -> bool:
    mine = known[1]
    is_deletion = (row.op, row.reg) == ("del", CONTENT)  # its body grows with what the computer had seen
    return (known[0], mine.id, mine.kind, mine.op, mine.entity, mine.reg) == (
        project_id, row.id, row.kind, row.op, row.entity, row.reg,
    ) and (mine.digest == row.digest or is_deletion)  # fmt: skip


def _change(row: Sequence[Any]) -> PulledChange:
    change = PulledChange(*row)
    change.parents = tuple(json.loads(row[9]))
    change.is_erased = bool(row[17])
    return change


def _stored(row: PulledChange) -> tuple[object, ...]:
    return (
        row.id, row.seq, row.device, row.dseq, row.author, row.kind, row.op, row.entity, row.reg,
        json.dumps(row.parents), row.hlc, row.body, row.chain, row.at, row.v, row.number, row.digest,
        int(row.is_erased),
    )  # fmt: skip
