"""A hundred and more ways to change a backup on purpose: what somebody else's, or a damaged one, may hold."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatdesk.core.storage.engine import tables
from chatdesk.core.storage.engine.search_schema import DERIVED_TABLES

EVIL_HOST = "evil.example"
WORKSPACE = "01900000-0000-7000-8000-00000000abcd"
_ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
_ROWS = [each.name for each in tables.metadata.sorted_tables if each.name not in DERIVED_TABLES]
_NOT_NEEDED = {"search_queue", "search_removed", "search_entries", "search_backlog"}
_NOT_NEEDED |= {"knowledge_files", "knowledge_passages", "knowledge_embeddings", "knowledge_vectors"}

Change = Callable[[Path], Path]


@dataclass(frozen=True)
class Hostile:
    """One changed backup. ``named``: it must be refused with these words; None: it must come back as data."""

    name: str
    change: Change
    named: str | None = None


def all_of_them() -> list[Hostile]:
    return [*_foreign_code(), *_missing(), *_self_acting(), *_odd_values(), *_other_shapes(), *_bombs(), *_flips()]


def _sql(*statements: str) -> Change:
    def change(path: Path) -> Path:
        with closing(sqlite3.connect(path, isolation_level=None)) as conn:
            conn.execute("PRAGMA foreign_keys=OFF")
            # The search index's own triggers call functions that only the application has.
            for statement in statements:
                conn.execute(statement)
        return path

    return change


def _written(statement: str, *values: Any) -> Change:
    """Write a row of ``sqlite_master`` by hand."""

    def change(path: Path) -> Path:
        with closing(sqlite3.connect(path, isolation_level=None)) as conn:
            conn.execute("PRAGMA writable_schema=ON")
            conn.execute(statement, values)
        return path

    return change


def _foreign_code() -> list[Hostile]:
    found = []
    for table in ("messages", "message_parts", "threads", "projects", "drafts", "prompts", "devices", "meta"):
        for event in ("INSERT", "UPDATE", "DELETE"):
            body = 'UPDATE message_parts SET content = \'{"text":"injected"}\''
            sql = f"CREATE TRIGGER zz AFTER {event} ON {table} BEGIN {body}; END"
            found.append(Hostile(f"trigger {event} {table}", _sql(sql), "the trigger zz"))
    found.append(
        Hostile(
            "our trigger with other words",
            _sql(
                "DROP TRIGGER search_tag_insert",
                "CREATE TRIGGER search_tag_insert BEFORE INSERT ON tags BEGIN DELETE FROM messages; END",
            ),
            "the trigger search_tag_insert",
        )
    )
    for table in ("threads", "messages", "drafts", "meta", "workspaces", "alembic_version"):
        view = (
            f"CREATE VIEW {table} AS {_ENDLESS} SELECT x AS id, x AS title, x AS version_num, NULL AS deleted_at FROM c"
        )
        found.append(Hostile(f"endless view {table}", _sql(f"DROP TABLE {table}", view), f"the view {table}"))
    found += [
        Hostile("view", _sql("CREATE VIEW zz AS SELECT 1"), "the view zz"),
        Hostile("table", _sql("CREATE TABLE zz (a)"), "the table zz"),
        Hostile("table with escapes", _sql('CREATE TABLE "\x1b]0;x\x07" (a)'), "the table \ufffd]0;x\ufffd"),
        Hostile("virtual table", _sql("CREATE VIRTUAL TABLE zz USING fts5(a)"), "the table zz"),
        Hostile("index", _sql("CREATE INDEX zz ON threads (lower(title))"), "the index zz"),
        Hostile("virtual column", _sql("ALTER TABLE threads ADD COLUMN zz AS (hex(title)) VIRTUAL"), "the column zz"),
        Hostile("column", _sql("ALTER TABLE messages ADD COLUMN zz DEFAULT 1"), "the column zz"),
        Hostile("default", _sql("ALTER TABLE messages ADD COLUMN yy DEFAULT 'x'"), "the column yy"),
        Hostile(
            "a trigger that calls itself an index",
            _written(
                "UPDATE sqlite_master SET sql = 'CREATE TRIGGER ix_threads_name AFTER INSERT ON threads BEGIN"
                " DELETE FROM threads; END' WHERE name = 'ix_threads_name'"
            ),
            "",
        ),
        Hostile(
            "a trigger without a table",
            _written("INSERT INTO sqlite_master VALUES ('trigger', 'sqlite_zz', 'threads', 0, 'CREATE TRIGGER x')"),
            "",
        ),
    ]
    return found


def _missing() -> list[Hostile]:
    found = [
        Hostile(f"without {table}", _sql(f"DROP TABLE {table}"), f"the table {table} is missing")
        for table in _ROWS
        if table not in _NOT_NEEDED and table not in ("threads", "messages")
    ]
    found += [Hostile(f"without {table}", _sql(f"DROP TABLE {table}"), "") for table in ("threads", "messages")]
    found.append(
        Hostile("without a column", _sql("ALTER TABLE summaries DROP COLUMN author_id"), "the column author_id")
    )
    found.append(Hostile("without a version", _sql("DELETE FROM alembic_version"), "not a complete backup"))
    found.append(Hostile("of another program", _sql("DROP TABLE alembic_version"), ""))
    return found


def _self_acting() -> list[Hostile]:
    address = json.dumps({"host": EVIL_HOST, "port": 5432, "database": "d", "user": "u", "tls": "disable"})
    waiting = "UPDATE messages SET status = '{}', owner_pid_token = {}, provider = 'openai', model = 'expensive'"
    ids = "(SELECT json_group_array(id) FROM messages)"
    return [
        Hostile("waiting answers", _sql(waiting.format("pending", "'waiting:000000'"))),
        Hostile("answers being written", _sql(waiting.format("streaming", "'1:1:x'"))),
        Hostile("answers of nobody", _sql(waiting.format("pending", "NULL"))),
        Hostile("answers of the init process", _sql(waiting.format("streaming", "'1:' || 0 || ':x'"))),
        Hostile(
            "questions that wait for an answer",
            _sql(
                "INSERT INTO drafts (slot, thread_id, text, cursor, updated_at) SELECT 'next:' || id || ':' || id, id,"
                " 'send me', 1, 1 FROM threads"
            ),
        ),
        Hostile(
            "questions that wait under no thread",
            _sql(
                "INSERT INTO drafts (slot, text, cursor, updated_at) VALUES ('next:', 'a', 1, 1), ('next:x', 'b', 2, 1)"
            ),
        ),
        Hostile("waits for the network", _sql(f"INSERT INTO meta VALUES ('waiting_for_network', {ids})")),
        Hostile("a team that is being made", _sql("INSERT INTO meta VALUES ('team.setup', '{}')")),
        Hostile(
            "a workspace",
            _sql(
                "INSERT INTO workspaces (id, name, address, member_id, joined_at)"
                f" VALUES ('{WORKSPACE}', 'Team \x1b[2J', '{address}', 'me', 1)",
                "INSERT INTO shared_projects (project_id, workspace_id, role, state, shared_at)"
                f" SELECT id, '{WORKSPACE}', 'editor', 'shared', 1 FROM projects",
            ),
        ),
        Hostile(
            "many workspaces",
            _sql(
                f"{_ENDLESS} INSERT INTO workspaces (id, name, address, member_id, joined_at)"
                f" SELECT 'w' || x, 'Team', '{address}', 'me', x FROM c LIMIT 300"
            ),
        ),
        Hostile("two own devices", _sql("INSERT INTO devices (id, is_mine, created_at) VALUES ('other', 1, 9e18)")),
        Hostile("no own device", _sql("DELETE FROM devices")),
        Hostile("a clock at its end", _sql("UPDATE devices SET last_hlc = 9223372036854775807, next_dseq = 1e300")),
        Hostile("counts at their end", _sql("UPDATE devices SET commit_count = 9223372036854775807")),
        Hostile("a thread in a deleted project", _sql("UPDATE projects SET deleted_at = 1")),
        Hostile("a circle of messages", _circle),
    ]


def _circle(path: Path) -> Path:
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        thread, last = conn.execute("SELECT thread_id, id FROM messages ORDER BY position DESC LIMIT 1").fetchone()
        conn.execute("UPDATE messages SET parent_id = ? WHERE thread_id = ? AND parent_id IS NULL", (last, thread))
    return path


def _odd_values() -> list[Hostile]:
    found = []
    for table, column in (
        ("threads", "title"),
        ("threads", "last_activity_at"),
        ("threads", "tool_counts"),
        ("messages", "created_at"),
        ("messages", "prompt_tokens"),
        ("messages", "model"),
        ("message_parts", "content"),
        ("projects", "name"),
        ("drafts", "attachments"),
    ):
        for value in ("x'00ff1b5d'", "'\x1b]0;x\x07\u202e'", "1e308", "9223372036854775807"):
            is_time = column.endswith("_at")  # which has to be there: without one the whole is refused
            change = _sql(f"UPDATE {table} SET {column} = {value}")
            found.append(Hostile(f"{table}.{column} is {ascii(value)[1:9]}", change, "?" if is_time else None))
    found.append(
        Hostile(
            "files elsewhere",
            _sql(
                "INSERT INTO artifacts (id, part_id, kind, path, mime, size_bytes, sha256) SELECT 'a', id, 'file',"
                " '../../../../etc/passwd', 'text/plain', 5, '../../../../etc/passwd' FROM message_parts LIMIT 1"
            ),
        )
    )
    return found


def _other_shapes() -> list[Hostile]:
    return [
        Hostile("UTF-16", _rebuilt("UTF-16le", ""), ""),
        Hostile("without row ids", _rebuilt("UTF-8", " WITHOUT ROWID")),
        Hostile("write-ahead log", _sql("PRAGMA journal_mode=WAL")),
        Hostile("statistics", _sql("ANALYZE")),
        Hostile("not a database", _bytes(b"SQLite format 3\x00" + b"\xff" * 5000), ""),
        Hostile("only a header", _bytes(b"SQLite format 3\x00"), ""),
        Hostile("nothing", _bytes(b""), ""),
    ]


def _rebuilt(encoding: str, ending: str) -> Change:
    """The same tables and rows in a file of another encoding, or with other tables behind the same names."""

    def change(path: Path) -> Path:
        made = path.with_name("rebuilt.db")
        with closing(sqlite3.connect(made, isolation_level=None)) as conn:
            conn.execute(f"PRAGMA encoding='{encoding}'")
            conn.execute("CREATE TABLE x (a)")
            conn.execute("DROP TABLE x")
            with closing(sqlite3.connect(path)) as old:
                for kind, name, sql in old.execute(
                    "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
                ):
                    if name in DERIVED_TABLES or kind in ("view", "trigger"):
                        continue
                    is_numbered = name in tables.metadata.tables and "n" in tables.metadata.tables[name].c
                    plain = kind == "table" and "WITHOUT ROWID" not in sql and not is_numbered
                    conn.execute(sql + (ending if plain else ""))
                    if kind == "table":
                        rows = old.execute(f"SELECT * FROM {name}").fetchall()
                        if rows:
                            conn.executemany(f"INSERT INTO {name} VALUES ({','.join('?' * len(rows[0]))})", rows)
        return made

    return change


def _bytes(data: bytes) -> Change:
    def change(path: Path) -> Path:
        path.write_bytes(data)
        return path

    return change


def _bombs() -> list[Hostile]:
    def packed(path: Path) -> Path:
        made = path.with_name("bomb.db.gz")
        with gzip.open(made, "wb", 9) as file:
            file.write(path.read_bytes())
            for _ in range(256):
                file.write(bytes(1024 * 1024))
        return made

    def zipped(path: Path) -> Path:
        made = path.with_name("bomb.zip")
        with (
            zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
            archive.open("chatdesk.db", "w") as file,
        ):
            file.write(path.read_bytes())
            for _ in range(256):
                file.write(bytes(1024 * 1024))
        return made

    def blob(path: Path) -> Path:
        zeros = bytes(64 * 1024 * 1024)
        name = hashlib.sha256(zeros).hexdigest()
        made = path.with_name("blob.zip")
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(path, "chatdesk.db")
            archive.writestr(f"blobs/{name}", zeros)  # which no message names
        return made

    return [
        Hostile("a packed bomb", packed, "would fill the disk"),
        Hostile("a bomb in a zip", zipped, "would fill the disk"),
        Hostile("a file that nothing names", blob),
    ]


def _flips() -> list[Hostile]:
    def flipped(seed: int) -> Change:
        def change(path: Path) -> Path:
            chance = random.Random(seed)
            data = bytearray(path.read_bytes())
            for _ in range(1 + seed % 40):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            path.write_bytes(data)
            return path

        return change

    return [Hostile(f"flipped bits {seed}", flipped(seed), "?") for seed in range(20)]
