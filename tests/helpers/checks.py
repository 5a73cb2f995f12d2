"""Looks for damage in an open database, as *doctor* does."""

from __future__ import annotations

from chatdesk.core.storage.engine import search_index
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.upkeep.db_check import check_database


async def quick_check(database: Database) -> list[str]:
    """SQLite's quick check; empty when all is well."""
    return await database.read(lambda conn: check_database(conn, is_thorough=False))


async def integrity_check(database: Database) -> list[str]:
    """The thorough check: SQLite's own, foreign keys, what nobody can reach, and the digest of every message."""
    return await database.read(lambda conn: check_database(conn, is_thorough=True))


async def search_faults(database: Database) -> list[str]:
    """What is wrong where the search index does not hold exactly the words of the texts."""
    return await database.write(lambda conn: search_index.check(driver(conn)), is_durable=False)
