"""What the index costs in room and in time: ``python -m tests.benchmarks.search_price_probe FOLDER THREADS ROUNDS``."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import statistics
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from chatdesk.core.storage.engine.search_schema import VIRTUAL_TABLES
from tests.helpers.bulk_data import make_database
from tests.helpers.store import MovableClock, Store
from tests.helpers.zipf_texts import ZipfTexts

_MB = 1_000_000


async def measure(folder: Path, threads: int, rounds: int) -> dict[str, Any]:
    texts = ZipfTexts()
    path, bare = folder / "with" / "chatdesk.db", folder / "without" / "chatdesk.db"
    await make_database(path, threads=threads, messages_per_thread=50, text_of=texts.text)
    found: dict[str, Any] = {"messages": threads * 50, **_sizes(path, folder / "bare.db")}
    bare.parent.mkdir()
    shutil.copy(path, bare)
    with closing(sqlite3.connect(bare, isolation_level=None)) as conn:
        for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            conn.execute(f"DROP TRIGGER {name}")
        conn.execute("DROP INDEX ix_messages_search_n")
        for table in VIRTUAL_TABLES:
            conn.execute(f"DROP TABLE {table}")
    stores = {"": Store(path, MovableClock(time.time_ns() // 1_000_000)), "bare_": Store(bare, MovableClock())}
    times: dict[str, list[float]] = {f"{kind}{what}": [] for kind in stores for what in ("question_ms", "turn_ms")}
    ids = {}
    for kind, store in stores.items():
        await store.db.open()
        ids[kind] = await store.thread()
    for _ in range(rounds):
        question, answer = texts.text(), texts.text()
        for kind, store in stores.items():  # by turns, so that both meet the same machine
            began = time.perf_counter()
            await store.messages.add_question(ids[kind], question, with_answer=None)
            times[f"{kind}question_ms"].append(time.perf_counter() - began)
            began = time.perf_counter()
            await store.ask(ids[kind], answer)
            times[f"{kind}turn_ms"].append(time.perf_counter() - began)
    for store in stores.values():
        await store.db.close()
    # The mean: FTS5 merges now and then, which a median would not see.
    return found | {name: statistics.mean(taken) * 1000 for name, taken in times.items()}


def _sizes(path: Path, bare: Path) -> dict[str, float]:
    """The database, and its rows with a bare index of the same texts."""
    with closing(sqlite3.connect(path)) as conn, closing(sqlite3.connect(bare)) as plain:
        whole = _bytes(conn, "1")
        index = _bytes(conn, "name LIKE 'search!_%' ESCAPE '!' OR name LIKE '%!_search!_%' ESCAPE '!'")
        plain.executescript(
            "PRAGMA journal_mode=OFF; CREATE TABLE t (n INTEGER PRIMARY KEY, text);"
            " CREATE VIRTUAL TABLE f USING fts5(text, content='t', content_rowid='n',"
            " tokenize='unicode61 remove_diacritics 2')"
        )
        plain.executemany(
            "INSERT INTO t (text) VALUES (?)",
            conn.execute("SELECT json_extract(content, '$.text') FROM message_parts WHERE type = 'text'"),
        )
        plain.execute("INSERT INTO f (rowid, text) SELECT n, text FROM t ORDER BY n")
        plain.commit()
        bare_index = _bytes(plain, "name LIKE 'f!_%' ESCAPE '!'")
    return {"database_mb": whole / _MB, "bare_mb": (whole - index + bare_index) / _MB}


def _bytes(conn: sqlite3.Connection, condition: str) -> int:
    return int(conn.execute(f"SELECT sum(pgsize) FROM dbstat WHERE {condition}").fetchone()[0])


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))))
