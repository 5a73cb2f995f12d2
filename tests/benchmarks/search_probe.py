"""Times searches over a library of Zipf words: ``python -m tests.benchmarks.search_probe DATABASE THREADS ROUNDS``.

With DATABASE alone: fills its index again for some seconds.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from chatdesk.core.clock import Clock
from chatdesk.core.domain.search import SearchKind
from chatdesk.core.search.search_service import SearchService
from chatdesk.core.storage.engine import search_index, search_text
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.profile_database import ProfileDatabase
from chatdesk.core.storage.search.find import MOST_RANKED
from chatdesk.core.storage.search.store import SearchStore
from tests.helpers.bulk_data import make_database
from tests.helpers.zipf_texts import ZipfTexts

# How many messages hold both words: at least a page. The common words are in a tenth of all messages each.
_HITS = {"rare": (20, 200), "middling": (200, 1_000), "common": (1_000, sys.maxsize)}
_RANKS = {"rare": (300, 3_000), "middling": (100, 2_000), "common": (20, 65)}
_PAIRS = 4


async def measure(path: Path, threads: int, rounds: int) -> dict[str, Any]:
    texts = ZipfTexts()
    if not path.exists():
        await make_database(path, threads=threads, messages_per_thread=50, text_of=texts.text)
    db = ProfileDatabase(path, clock=Clock(), backup_dir=path.parent / "backups")
    await db.open()
    search = SearchService(SearchStore(db), Clock())
    bare = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    bare.execute("PRAGMA cache_size=-16000")
    search_text.register(bare)
    found: dict[str, Any] = {}
    for name in _HITS:
        pairs = _pairs(bare, texts, name)
        ours, theirs, ours_cpu, theirs_cpu, hits = [], [], [], [], []
        for number in range(rounds + 1):
            first, second = pairs[number % len(pairs)]
            began, cpu = time.perf_counter(), time.process_time()
            groups = [group async for group in search.search(f"{first} {second} ", kinds={SearchKind.MESSAGE})]
            ours.append(time.perf_counter() - began)
            ours_cpu.append(time.process_time() - cpu)
            hits.append(groups[0].count if groups else 0)
            began, cpu = time.perf_counter(), time.process_time()
            _bare_page(bare, f'"{first}" "{second}"', is_bounded=name == "common")
            theirs.append(time.perf_counter() - began)
            theirs_cpu.append(time.process_time() - cpu)
        count = f"{min(hits):,} to {max(hits):,}{' ranked' if max(hits) >= MOST_RANKED else ''} hits"
        found[name] = {
            "hits": count,
            "ours_ms": statistics.median(ours[1:]) * 1000,
            "bare_ms": statistics.median(theirs[1:]) * 1000,
            "ours_cpu_ms": statistics.median(ours_cpu[1:]) * 1000,
            "bare_cpu_ms": statistics.median(theirs_cpu[1:]) * 1000,
            "queries": [f"{first} {second} " for first, second in pairs],
        }
    found["newer_ms"] = await _newer(search, texts, rounds)
    bare.close()
    await search.close()
    await db.close()
    return found


def _pairs(conn: sqlite3.Connection, texts: ZipfTexts, name: str) -> list[tuple[str, str]]:
    choice = random.Random(7)
    words = texts.words[slice(*_RANKS[name])]
    least, most = _HITS[name]
    found: list[tuple[str, str]] = []
    while len(found) < _PAIRS:
        first, second = choice.sample(words, 2)
        hits = conn.execute(
            "SELECT count(*) FROM search_index WHERE search_index MATCH ?", (f'"{first}" "{second}"',)
        ).fetchone()[0]
        if least <= hits < most:
            found.append((first, second))
    return found


def _bare_page(conn: sqlite3.Connection, words: str, *, is_bounded: bool) -> None:
    snippet = "snippet(search_index, 0, '[', ']', '…', 24)"
    if not is_bounded:
        conn.execute(
            f"SELECT rowid, rank, {snippet} FROM search_index WHERE search_index MATCH ? ORDER BY rank LIMIT 20",
            (words,),
        ).fetchall()
        return
    rows = conn.execute(
        "SELECT rowid, bm25(search_index) FROM search_index WHERE search_index MATCH ? ORDER BY rowid DESC"
        f" LIMIT {MOST_RANKED}",
        (words,),
    ).fetchall()
    page = [row[0] for row in sorted(rows, key=lambda row: row[1])[:20]]
    conn.execute(
        f"SELECT rowid, {snippet} FROM search_index WHERE search_index MATCH ? AND rowid IN ({','.join('?' * len(page))})",
        (words, *page),
    ).fetchall()


async def _newer(search: SearchService, texts: ZipfTexts, rounds: int) -> float:
    """From a key that is pressed while a search for very common words runs to the end of its own search."""
    times = []
    for _ in range(min(rounds, 10)):
        older = asyncio.ensure_future(anext(search.search(f"{texts.words[0]} {texts.words[1]} ")))
        await asyncio.sleep(0.01)
        began = time.perf_counter()
        _ = [group async for group in search.search(f"{texts.words[2500]} {texts.words[900]} ")]
        times.append(time.perf_counter() - began)
        await asyncio.gather(older, return_exceptions=True)
    return statistics.median(times) * 1000


async def fill(path: Path) -> dict[str, float]:
    """Making the index again for some seconds, as after an upgrade; it stays unfinished."""
    db = ProfileDatabase(path, clock=Clock(), backup_dir=path.parent / "backups")
    await db.open()
    search = SearchService(SearchStore(db), Clock())
    await db.write(lambda conn: search_index.rebuild(driver(conn)))
    batches = []
    begun = time.perf_counter()
    while time.perf_counter() - begun < 5:
        began = time.perf_counter()
        if await search._store.fill_batch() is None:
            break
        batches.append(time.perf_counter() - began)
    from chatdesk.core.storage.engine.search_index import BATCH

    await search.close()
    await db.close()
    return {"batch_ms": max(batches) * 1000, "per_second": BATCH * len(batches) / sum(batches)}


if __name__ == "__main__":
    database, *sizes = sys.argv[1:]
    print(json.dumps(asyncio.run(measure(Path(database), *map(int, sizes)) if sizes else fill(Path(database)))))
