"""Reads the rows of a damaged table, skipping unreadable parts.

The table is read from its beginning and, when that fails somewhere, from its end, as any reader would; then from each
row number that can be found in between. So the rows may be in any order, some twice, and never fewer than a plain
reader sees. The file decides how much work that can be: a damaged tree may lead in circles.
"""

# ruff: noqa: S608 - names come from our own tables and from the file's list of columns, both quoted

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Table

from chatdesk.core.storage.engine.failures import sqlite_code

_LARGEST_NUMBER: Final = 2**63 - 1
# So many numbers are tried one by one, which finds the next page; then in steps that double.
_TRIED_NUMBERS: Final = 1000
_READINGS: Final = 4
_NO_DAMAGE: Final = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    )
)
Row = Sequence[Any]


class ReadableRows:
    """The rows of ``table`` that can be read, with the columns ``names``. ``file_bytes`` is the size of the file.

    ``gaps`` counts the places that could not be read.
    """

    def __init__(self, source: sqlite3.Connection, table: Table, names: Sequence[str], *, file_bytes: int) -> None:
        self.gaps = 0
        self._source = source
        self._is_numbered = bool(table.dialect_options["sqlite"]["with_rowid"])
        keys = ["rowid"] if self._is_numbered else [f'"{column.name}"' for column in table.primary_key.columns]
        self._columns = [f'"{name}"' for name in names]
        self._from = f'"{table.name}" NOT INDEXED'
        self._select = f"SELECT {keys[0]}, {', '.join(self._columns)} FROM {self._from}"
        self._order = ", ".join(keys)
        self._backwards = ", ".join(f"{key} DESC" for key in keys)
        # A row has a byte for each column, one for their number, and a place in its page. So many fit into the file.
        self._left = _READINGS * (file_bytes // (len(names) + 5) + _TRIED_NUMBERS)

    def __iter__(self) -> Iterator[Row]:
        highest = yield from self._read(f"ORDER BY {self._order}")
        if not self.gaps:
            return
        yield from self._read(f"ORDER BY {self._backwards}")
        while self._is_numbered:
            row = self._next_from(highest + 1)
            if row is None:
                return
            yield row[1:]
            gaps = self.gaps
            last = yield from self._read(f"WHERE rowid >= ? ORDER BY {self._order}", row[0])
            highest = max(row[0], last)
            if self.gaps == gaps:
                return

    def _read(self, order: str, *values: int) -> Generator[Row, None, int]:
        """Yield rows until one cannot be read, which is a gap. Returns the number of the last one."""
        count, number = 0, 0
        try:
            for row in self._source.execute(f"{self._select} {order}", values):
                yield row[1:]
                count += 1
                number = row[0] if self._is_numbered else 0
                self._left -= 1
                if self._left < 0:
                    self.gaps += 1
                    break
            return number
        except sqlite3.DatabaseError as error:
            raise_unless_damage(error)
        self.gaps += 1
        # The sqlite3 module reads one row ahead, and drops the last good one when that fails.
        row = self._one(f"{order} LIMIT 1 OFFSET {count}", *values)
        if row is not None:
            yield row[1:]
            number = row[0] if self._is_numbered else 0
        return number

    def _next_from(self, start: int) -> Row | None:
        """Return the row with the smallest number from ``start`` on that can be found."""
        for number in range(start, min(start + _TRIED_NUMBERS, _LARGEST_NUMBER + 1)):
            row = self._first_from(number, start)
            if row is not None:
                return row
        low, step = start, _TRIED_NUMBERS
        while low < _LARGEST_NUMBER:
            high = min(start + step, _LARGEST_NUMBER)
            found = self._first_from(high, start)
            if found is not None:
                return self._nearest(low, high, start)
            low, step = high, step * 2
        return None

    def _nearest(self, low: int, high: int, start: int) -> Row | None:
        """Return the first row that can be read from a number between ``low``, where none can, and ``high``."""
        while high - low > 1:
            middle = (low + high) // 2
            if self._first_from(middle, start) is None:
                low = middle
            else:
                high = middle
        return self._first_from(high, start)

    def _first_from(self, number: int, start: int) -> Row | None:
        """Return the first row from ``number`` on. In a damaged tree the result may be a row before ``start``; that
        counts as none, so that rows are not read again and again."""
        self._left -= 1
        row = None if self._left < 0 else self._first_whole(number) or self._first_in_pieces(number)
        return row if row is not None and row[0] >= start else None

    def _first_whole(self, number: int) -> Row | None:
        return self._one(f"WHERE rowid >= ? ORDER BY {self._order} LIMIT 1", number)

    def _first_in_pieces(self, number: int) -> Row | None:
        """Return the first row from ``number`` on with None for columns that cannot be read."""
        found = self._ask(f"SELECT rowid FROM {self._from} WHERE rowid >= ? ORDER BY rowid LIMIT 1", number)
        if found is None:
            return None
        pieces = [self._ask(f"SELECT {column} FROM {self._from} WHERE rowid = ?", found[0]) for column in self._columns]
        return [found[0], *(None if piece is None else piece[0] for piece in pieces)] if any(pieces) else None

    def _one(self, order: str, *values: int) -> Row | None:
        return self._ask(f"{self._select} {order}", *values)

    def _ask(self, statement: str, *values: int) -> Row | None:
        try:
            found: Row | None = self._source.execute(statement, values).fetchone()
        except sqlite3.DatabaseError as error:
            raise_unless_damage(error)
            return None
        return found


def raise_unless_damage(error: sqlite3.DatabaseError) -> None:
    """Raise ``error`` again when it says nothing about the file, such as that it is locked or that the work was
    interrupted."""
    code = sqlite_code(error)
    if code is not None and code & 0xFF in _NO_DAMAGE:
        raise error
