"""Makes databases as a newer ChatDesk may leave them."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

REVISION = "0042"
# Everything that a migration may add. The trigger would leave a trace of any write.
CHANGES = (
    "ALTER TABLE messages ADD COLUMN mood TEXT",
    "ALTER TABLE threads ADD COLUMN seal INTEGER NOT NULL DEFAULT 7",
    "CREATE TABLE moods (id TEXT PRIMARY KEY, words TEXT NOT NULL)",
    "CREATE INDEX ix_messages_mood ON messages (mood) WHERE mood IS NOT NULL",
    "CREATE VIEW loud_messages AS SELECT id, upper(mood) AS mood FROM messages",
    "CREATE TRIGGER moods_noted AFTER UPDATE ON threads BEGIN INSERT INTO moods VALUES (new.id, 'written'); END",
)


def make_newer(path: Path, *changes: str) -> None:
    """Give a database that nobody has open the schema of a newer version; ``changes`` come after what it adds."""
    with closing(sqlite3.connect(path)) as conn:
        for statement in (*CHANGES, *changes, f"UPDATE alembic_version SET version_num = '{REVISION}'"):
            conn.execute(statement)
        conn.commit()


def sums(path: Path) -> dict[str, str]:
    """Return a sum for each file of a database that holds something, but the one that readers share their locks by."""
    return {
        each.name: hashlib.sha256(each.read_bytes()).hexdigest()
        for each in sorted(path.parent.glob(f"{path.name}*"))
        if not each.name.endswith("-shm") and each.stat().st_size > 0
    }
