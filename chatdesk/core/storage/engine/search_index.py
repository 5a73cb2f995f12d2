"""Keeps the search index up to date: changes enter it in their own transaction, older texts a batch at a time.

``search_schema`` describes the tables. ``search_backlog`` has the waiting work: names one by one, messages as the id
below which they may have no number yet. In ``meta`` there is ``search.floor`` while the index is rebuilt (messages with
a lower number are not in it yet), ``search.damaged`` from when damage was met until it is rebuilt, and
``search.traces`` from when texts were erased until no file names their words: the parts of the index that do are
rewritten, and then the log is emptied, which still holds what both were before.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager

from chatdesk.core.storage.engine import search_schema
from chatdesk.core.storage.engine.bulk import insert_rows
from chatdesk.core.storage.engine.connection import connect, trusting
from chatdesk.core.storage.engine.rows import batches, marks

_log = logging.getLogger(__name__)

BATCH = 400
FLOOR, DAMAGED, TRACES = "search.floor", "search.damaged", "search.traces"
_TOTAL = "search.total"
_ERASED, _REWRITING, _REWRITTEN = "1", "2", "3"  # successive values of ``search.traces``
# Pages of the index that one batch rewrites.
_PAGES = 200
# The keys of the index in ``meta``.
META_KEYS = (FLOOR, DAMAGED, TRACES, _TOTAL)
_DAMAGE = frozenset((1, 11, 19))  # error, corrupt, and a constraint, which only FTS5's own tables can fail here
_IS_SEARCHED = (
    "m.status NOT IN ('pending', 'streaming') AND m.purged_at IS NULL"
    " AND EXISTS (SELECT 1 FROM message_parts p WHERE p.message_id = m.id AND p.type = 'text')"
)


class IndexFailed(Exception):
    """Damage of the index rolled back the whole transaction: record the damage, and do the work again."""


def drain(conn: sqlite3.Connection) -> None:
    """Bring the index up to what changed in this transaction. Damage of the index does not stop the change: it is
    recorded, and the index waits to be rebuilt. Raises ``IndexFailed``."""
    if conn.execute("SELECT 1 FROM search_queue LIMIT 1").fetchone() is None or read_meta(conn, DAMAGED) is not None:
        return
    with _indexing(conn):
        _drain(conn)


def first_free(conn: sqlite3.Connection) -> int | None:
    """Return the next number for a message; None while the index waits to be rebuilt."""
    if read_meta(conn, DAMAGED) is not None:
        return None
    # Below the floor a number would wait to be indexed, and be so twice.
    return max(_end(conn, "max") or 0, (_floor(conn) or 1) - 1) + 1


def index_new(conn: sqlite3.Connection, entries: Sequence[tuple[int, str]]) -> None:
    """Index messages that are new in this transaction and carry their numbers, which rise from ``first_free``, with the
    texts that the index's view has for them. Damage is recorded, as in ``drain``. Raises ``IndexFailed``."""
    with _indexing(conn):
        insert_rows(conn, "INSERT INTO search_index (rowid, text)", entries)


@contextmanager
def _indexing(conn: sqlite3.Connection) -> Iterator[None]:
    """Undo and record damage of the index that is met inside the block; it goes no further."""
    conn.execute("SAVEPOINT search")
    try:
        yield
        # A savepoint within has FTS5 write what it still holds in memory. That may fail, and must not while the outer
        # one is released, which is gone then and cannot be gone back to.
        conn.execute("SAVEPOINT search_written")
        conn.execute("RELEASE search_written")
    except sqlite3.Error as error:
        if not conn.in_transaction and getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
            raise
        if not conn.in_transaction:
            raise IndexFailed from error
        conn.execute("ROLLBACK TO search")
        conn.execute("RELEASE search")
        if not is_damage(error):
            raise
        mark_damaged(conn)
    else:
        conn.execute("RELEASE search")


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether ``error`` reports damage of the index itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


def mark_damaged(conn: sqlite3.Connection) -> None:
    _log.error("the search index is damaged; it will be made anew")
    _write_meta(conn, DAMAGED, "1")


def _drain(conn: sqlite3.Connection) -> None:
    removed = _remove_outdated(conn)
    queue = conn.execute("SELECT kind, entity FROM search_queue").fetchall()
    messages = [entity for kind, entity in queue if kind == "message"]
    for batch in batches(messages):
        _index_messages(conn, batch, removed["message"])
    _index_entries(conn, [(kind, entity) for kind, entity in queue if kind != "message"])
    conn.execute("DELETE FROM search_queue")


def _remove_outdated(conn: sqlite3.Connection) -> dict[str, set[int]]:
    """Remove the entries of changed and deleted texts from the index. Returns their numbers, by source."""
    removed: dict[str, set[int]] = {"message": set(), "entry": set()}
    floor = _floor(conn)
    for source, n in conn.execute("SELECT source, n FROM search_removed").fetchall():
        removed[source].add(n)
    for source, table in (("message", "search_index"), ("entry", "search_names")):
        if removed[source]:
            conn.execute(
                f"INSERT INTO {table} ({table}, rowid, text) SELECT 'delete', n, search_words(CAST(text AS BLOB))"
                " FROM search_removed WHERE source = ? AND (? IS NULL OR source <> 'message' OR n >= ?)",
                (source, floor, floor),
            )
    if removed["message"] or removed["entry"]:
        conn.execute("DELETE FROM search_removed")
    return removed


def _index_messages(conn: sqlite3.Connection, ids: Sequence[str], removed: set[int]) -> None:
    floor = _floor(conn)
    rows = conn.execute(
        f"SELECT m.id, m.search_n, {_IS_SEARCHED} FROM messages m WHERE m.id IN ({marks(ids)}) ORDER BY m.id", ids
    ).fetchall()
    gone = [row[0] for row in rows if row[1] is not None and not row[2]]
    if gone:
        conn.execute(f"UPDATE messages SET search_n = NULL WHERE id IN ({marks(gone)})", gone)
    fresh = [row[0] for row in rows if row[1] is None and row[2]]
    numbers = [row[1] for row in rows if row[2] and row[1] in removed and (floor is None or row[1] >= floor)]
    _insert_messages(conn, numbers + _number(conn, fresh))


def _number(conn: sqlite3.Connection, ids: Iterable[str]) -> list[int]:
    """Assign the next higher numbers to messages, in their order."""
    first = first_free(conn) or (_end(conn, "max") or 0) + 1
    numbered = [(first + place, message_id) for place, message_id in enumerate(ids)]
    conn.executemany("UPDATE messages SET search_n = ? WHERE id = ?", numbered)
    return [number for number, _ in numbered]


def _insert_messages(conn: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Insert in rising order, a statement for each batch: FTS5 writes a segment whenever a number falls."""
    for start in range(0, len(numbers), BATCH):
        batch = sorted(numbers)[start : start + BATCH]
        conn.execute(
            f"INSERT INTO search_index (rowid, text) SELECT n, text FROM ({search_schema.MESSAGE_TEXTS})"
            f" WHERE n IN ({','.join('?' * len(batch))}) ORDER BY n",
            batch,
        )


def _index_entries(conn: sqlite3.Connection, entries: Iterable[tuple[str, str]]) -> None:
    """Number entries that have no number yet and index those with a text; an entry without one is forgotten."""
    for kind, entity in entries:
        conn.execute("DELETE FROM search_entries WHERE kind = ? AND entity = ?", (kind, entity))
        n = conn.execute("INSERT INTO search_entries (kind, entity) VALUES (?, ?)", (kind, entity)).lastrowid
        text = conn.execute(f"SELECT text FROM ({search_schema.ENTRY_TEXTS}) WHERE n = ?", (n,)).fetchone()[0]
        if text:
            conn.execute("INSERT INTO search_names (rowid, text) VALUES (?, ?)", (n, text))
        else:
            conn.execute("DELETE FROM search_entries WHERE n = ?", (n,))


def rebuild(conn: sqlite3.Connection) -> None:
    """Empty the index; ``fill_batch`` fills it again."""
    for table in search_schema.VIRTUAL_TABLES:
        try:
            conn.execute(f"INSERT INTO {table} ({table}) VALUES ('delete-all')")
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            with trusting(conn):
                _replace_table(conn, table)
    waiting = [row[0] for row in conn.execute("SELECT entity FROM search_queue WHERE kind = 'message'")]
    for batch in batches(waiting):
        rows = conn.execute(
            f"SELECT m.id FROM messages m WHERE m.id IN ({marks(batch)}) AND m.search_n IS NULL AND {_IS_SEARCHED}"
            " ORDER BY m.id",
            batch,
        ).fetchall()
        _number(conn, [row[0] for row in rows])
    conn.execute("DELETE FROM search_queue")
    conn.execute("DELETE FROM search_removed")
    conn.execute("INSERT OR IGNORE INTO search_backlog (kind, entity) SELECT kind, entity FROM search_entries")
    conn.execute("DELETE FROM search_entries")
    conn.execute("DELETE FROM search_backlog WHERE kind = 'message'")
    conn.execute(search_schema.BACKLOG)
    highest = _end(conn, "max")
    if highest is not None:
        _write_meta(conn, FLOOR, str(highest + 1))
    conn.execute("DELETE FROM meta WHERE key IN (?, ?)", (DAMAGED, _TOTAL))


def _replace_table(conn: sqlite3.Connection, table: str) -> None:
    """Replace an index that cannot even be opened, which ``DROP TABLE`` would have to, with an empty one."""
    with closing(connect(None, "write")) as fresh:
        fresh.execute(search_schema.FTS_TABLES[table])
        for shadow in (f"{table}_{shadow}" for shadow in search_schema.SHADOWS):
            made = fresh.execute("SELECT sql FROM sqlite_master WHERE name = ?", (shadow,)).fetchone()[0]
            conn.execute(made.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1))
            conn.execute(f"DELETE FROM {shadow}")
            for row in fresh.execute(f"SELECT * FROM {shadow}"):
                conn.execute(f"INSERT INTO {shadow} VALUES ({marks(row)})", row)
    # Also resets the connection's cached state.
    conn.execute(f"INSERT INTO {table} ({table}) VALUES ('delete-all')")


def fill_batch(conn: sqlite3.Connection, size: int = BATCH) -> int | None:
    """Index some of the waiting rows, the newest first. Returns the percentage done; None once none is left."""
    if read_meta(conn, DAMAGED) is not None:
        rebuild(conn)
    if not (_fill_names(conn, size) or _fill_numbered(conn, size) or _fill_unnumbered(conn, size)):
        conn.execute("DELETE FROM meta WHERE key IN (?, ?)", (FLOOR, _TOTAL))
        return percent(conn) if _rewrite(conn) else None
    return percent(conn)


def mark_erased(conn: sqlite3.Connection) -> None:
    """Record that texts were erased: a batch of ``fill_batch`` after this transaction begins to rewrite the index."""
    _write_meta(conn, TRACES, _ERASED)


def is_rewritten(conn: sqlite3.Connection) -> bool:
    """Return whether erased words are left in the log only, since the whole index was rewritten."""
    return read_meta(conn, TRACES) == _REWRITTEN


def forget_erased(conn: sqlite3.Connection) -> None:
    """Record that the log was emptied after ``is_rewritten``, unless texts were erased since."""
    conn.execute("DELETE FROM meta WHERE key = ? AND value = ?", (TRACES, _REWRITTEN))


def _rewrite(conn: sqlite3.Connection) -> bool:
    """Rewrite some of an index that names erased words, as FTS5 drops them only where it merges its parts. Returns
    whether there was something left to do."""
    step = read_meta(conn, TRACES)
    if step is None or step == _REWRITTEN:
        return False
    is_done = True
    with _indexing(conn):
        for table in search_schema.VIRTUAL_TABLES:
            before = conn.total_changes
            # A negative number begins: all parts become one.
            conn.execute(
                f"INSERT INTO {table} ({table}, rank) VALUES ('merge', ?)", (-_PAGES if step == _ERASED else _PAGES,)
            )
            is_done = is_done and conn.total_changes - before < 2
    _write_meta(conn, TRACES, _REWRITTEN if is_done else _REWRITING)
    return True


def _fill_names(conn: sqlite3.Connection, size: int) -> bool:
    entries = conn.execute(
        "SELECT kind, entity FROM search_backlog WHERE kind <> 'message' LIMIT ?", (size,)
    ).fetchall()
    known = "SELECT 1 FROM search_entries WHERE kind = ? AND entity = ?"
    _index_entries(conn, [entry for entry in entries if conn.execute(known, entry).fetchone() is None])
    conn.executemany("DELETE FROM search_backlog WHERE kind = ? AND entity = ?", entries)
    return bool(entries)


def _fill_numbered(conn: sqlite3.Connection, size: int) -> bool:
    floor = _floor(conn)
    if floor is None:
        return False
    rows = conn.execute(
        "SELECT search_n FROM messages WHERE search_n < ? ORDER BY search_n DESC LIMIT ?", (floor, size)
    ).fetchall()
    if rows:
        _insert_messages(conn, [row[0] for row in rows])
        _write_meta(conn, FLOOR, str(rows[-1][0]))
    else:
        conn.execute("DELETE FROM meta WHERE key = ?", (FLOOR,))
    return bool(rows)


def _fill_unnumbered(conn: sqlite3.Connection, size: int) -> bool:
    cursor = _cursor(conn)
    if cursor is None:
        return False
    rows = conn.execute(
        f"SELECT m.id, m.search_n IS NULL AND {_IS_SEARCHED} FROM messages m WHERE m.id < ? ORDER BY m.id DESC LIMIT ?",
        (cursor, size),
    ).fetchall()
    conn.execute("DELETE FROM search_backlog WHERE kind = 'message'")
    if not rows:
        return False
    wanted = [row[0] for row in rows if row[1]]
    # Below all others, so that higher numbers are newer here as well.
    lowest = _end(conn, "min")
    numbered = [
        ((1 if lowest is None else min(lowest, 1)) - place, message_id)
        for place, message_id in enumerate(wanted, start=1)
    ]
    conn.executemany("UPDATE messages SET search_n = ? WHERE id = ?", numbered)
    _insert_messages(conn, [n for n, _ in numbered])
    for batch in batches(wanted):
        files = conn.execute(
            f"SELECT 'file', id FROM message_parts WHERE message_id IN ({marks(batch)}) AND type IN ('image', 'file')",
            batch,
        ).fetchall()
        _index_entries(conn, files)
    conn.execute("INSERT INTO search_backlog (kind, entity) VALUES ('message', ?)", (rows[-1][0],))
    return True


def percent(conn: sqlite3.Connection) -> int:
    """Return the percentage of messages that can be found, estimated from the numbers that are left; 100 when nothing
    waits."""
    floor, cursor = _floor(conn), _cursor(conn)
    if floor is None and cursor is None:
        waiting = conn.execute("SELECT 1 FROM search_backlog LIMIT 1").fetchone()
        return 100 if waiting is None else 99
    total = read_meta(conn, _TOTAL)
    if total is None:
        total = str(conn.execute("SELECT count(*) FROM messages").fetchone()[0])
        if conn.in_transaction and not conn.execute("PRAGMA query_only").fetchone()[0]:
            _write_meta(conn, _TOTAL, total)
    low, high = _end(conn, "min"), _end(conn, "max")
    if low is None or high is None:
        return 0
    done = high - max(low, low if floor is None else floor) + 1
    return min(99, 100 * int(done) // max(1, int(total)))


def _end(conn: sqlite3.Connection, which: str) -> int | None:
    """Return the lowest or highest number. One at a time: asked for both, SQLite walks through the whole index."""
    is_number = "search_n IS NOT NULL AND search_n < 1e300"  # words are greater than any number
    found = conn.execute(f"SELECT {which}(search_n) FROM messages WHERE {is_number}").fetchone()[0]
    return None if found is None else int(found)


def _cursor(conn: sqlite3.Connection) -> str | None:
    row = conn.execute("SELECT entity FROM search_backlog WHERE kind = 'message'").fetchone()
    return None if row is None else str(row[0])


def _floor(conn: sqlite3.Connection) -> int | None:
    value = read_meta(conn, FLOOR)
    return None if value is None else int(value)


def read_meta(conn: sqlite3.Connection, key: str) -> str | None:
    row = conn.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def _write_meta(conn: sqlite3.Connection, key: str, value: str) -> None:
    conn.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


def check(conn: sqlite3.Connection) -> list[str]:
    """Return the faults of the index, in plain words. While messages wait to be indexed, only the index's own structure
    is checked, because it does not hold all messages yet."""
    if read_meta(conn, DAMAGED) is not None:
        return ["the search index is damaged and waits to be made anew"]
    is_whole = int(_floor(conn) is None and conn.execute("SELECT 1 FROM search_backlog LIMIT 1").fetchone() is None)
    found = []
    for table in search_schema.VIRTUAL_TABLES:
        try:
            with trusting(conn):
                conn.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('integrity-check', ?)", (is_whole,))
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            found.append(f"the words in {table} are not those of the texts")
    return found
