"""Keeps the rows of the list in order. Bisection by key finds a row, so the list is never sorted again.

Independent of Qt: the model tells the view which rows were inserted, removed and moved.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from chatdesk.core.texts import shown
from chatdesk.ui.sidebar.grouping import Folder, RowKey

if TYPE_CHECKING:  # keeps the first paint fast
    from chatdesk.core.domain.thread import Thread

# The identity of a listed row: a thread's id, or the key of a heading or folder.
RowName = str | RowKey

_MOST_LOOKED_AT: Final = 5_000  # titles per key press of type-ahead, which must not cost a frame
_FREED_AT_ONCE: Final = 500  # rows of a replaced list that are freed per step: freeing thousands takes a frame


@dataclass(slots=True, eq=False, repr=False)
class ListedRow:
    """A row of the list: a thread, a folder of threads, or a heading."""

    title: str
    thread: Thread | None  # None: a heading
    folder: Folder | None = None


Entry = tuple[RowKey, ListedRow]


class ListedRows:
    """The keys and the rows, in step; ``group_sizes`` counts the threads of each group."""

    def __init__(self) -> None:
        self.keys: list[RowKey] = []
        self.rows: list[ListedRow] = []
        self.group_sizes: Counter[int] = Counter()
        self._key_of: dict[str, RowKey] = {}
        # Rows that are gone, with the dict that still has their keys; ``free_some`` takes them out of it.
        self._gone: list[tuple[list[RowKey], list[ListedRow], dict[str, RowKey]]] = []

    def __len__(self) -> int:
        return len(self.rows)

    # Finding

    def key_of(self, thread_id: str) -> RowKey | None:
        """Return the key of a thread that is listed."""
        key = self._key_of.get(thread_id)
        return key if key is None or not self._gone or self.place_of_key(key) is not None else None

    def place_of(self, thread_id: str) -> int | None:
        key = self.key_of(thread_id)
        return None if key is None else bisect_left(self.keys, key)

    def place_for(self, key: RowKey) -> int:
        """Return where a row with that key is, or would be."""
        return bisect_left(self.keys, key)

    def place_of_key(self, key: RowKey) -> int | None:
        place = bisect_left(self.keys, key)
        return place if place < len(self.keys) and self.keys[place] == key else None

    def name(self, place: int) -> RowName | None:
        """Return the identity of a row; None if there is no such row."""
        if not 0 <= place < len(self.rows):
            return None
        thread = self.rows[place].thread
        return self.keys[place] if thread is None else thread.id

    def ids_between(self, first: int, last: int) -> list[str]:
        """Return the threads from one place to another, either way round, headings left out."""
        low, high = sorted((first, last))
        return [row.thread.id for row in self.rows[max(0, low) : high + 1] if row.thread is not None]

    def neighbour(self, thread_id: str, step: int) -> str | None:
        """Return the thread ``step`` threads below (negative: above), headings not counted; None past the ends."""
        place = self.place_of(thread_id)
        row = (-1 if step > 0 else len(self.rows)) if place is None else place
        left = abs(step)
        while left:
            row += 1 if step > 0 else -1
            if not 0 <= row < len(self.rows):
                return None
            left -= self.rows[row].thread is not None
        thread = self.rows[row].thread
        return None if thread is None else thread.id

    def find_title(self, prefix: str, after: int) -> int | None:
        """Return the next place whose title begins with ``prefix``, from ``after`` on and around the end."""
        wanted = prefix.casefold()
        start, count = max(after, 0), len(self.rows)
        for step in range(min(count, _MOST_LOOKED_AT)):
            place = (start + step) % count
            found = self.rows[place]
            if (found.thread or found.folder) is not None and found.title.casefold().startswith(wanted):
                return place
        return None

    # Changing

    def replace_all(self, entries: Sequence[Entry]) -> None:
        """List exactly these, which are sorted; ``forget_all`` was called before."""
        self.count_in(entries)
        self.keys = [key for key, _ in entries]
        self.rows = [row for _, row in entries]

    def count_in(self, entries: Iterable[Entry]) -> None:
        """Count the keys and groups of threads that are put in next."""
        for key, row in entries:
            if row.thread is not None:
                self._key_of[row.thread.id] = key
                self.group_sizes[key[0]] += 1

    def insert(self, place: int, entries: Sequence[Entry]) -> None:
        self.keys[place:place] = [key for key, _ in entries]
        self.rows[place:place] = [row for _, row in entries]

    def remove(self, place: int, count: int) -> None:
        del self.keys[place : place + count]
        del self.rows[place : place + count]

    def forget_key(self, thread_id: str) -> None:
        del self._key_of[thread_id]

    def move(self, thread: Thread, source: int, key: RowKey) -> tuple[int, int]:
        """Move a thread's row to its new key. Returns the destination as Qt counts rows to move, and the new index."""
        target = bisect_left(self.keys, key)
        self._key_of[thread.id] = key
        del self.keys[source], self.rows[source]
        place = target if target <= source else target - 1
        self.keys.insert(place, key)
        self.rows.insert(place, ListedRow(shown(thread.name), thread))
        return target, place

    # Removing rows

    def forget_all(self) -> None:
        """Empty the list; its rows are freed by ``free_some``."""
        self._gone.append((self.keys, self.rows, self._key_of))
        self.keys, self.rows, self._key_of = [], [], {}
        self.group_sizes.clear()

    def forget_later(self, first: int, end: int) -> None:
        """Leave these rows, which are taken out next, to ``free_some``."""
        self._gone.append((self.keys[first:end], self.rows[first:end], self._key_of))

    def free_some(self) -> bool:
        """Free a few rows that are gone, as freeing 100,000 keys takes several frames; returns whether more are."""
        keys, rows, key_of = self._gone[-1]
        for key, row in zip(keys[-_FREED_AT_ONCE:], rows[-_FREED_AT_ONCE:], strict=True):
            # A thread that is listed again by now has another key, though it may be equal.
            if row.thread is not None and key_of.get(row.thread.id) is key:
                del key_of[row.thread.id]
        del keys[-_FREED_AT_ONCE:], rows[-_FREED_AT_ONCE:]
        if not keys:
            self._gone.pop()
        return bool(self._gone)
