"""Manages the directory of regular backups: their names, when the next one is due, and which ones are removed.

Backups are numbered, and the numbers say which is newer: a clock that jumps must not make old ones look new, nor have
all of them thrown away at once.
"""

from __future__ import annotations

import logging
import re
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from chatdesk.core.errors import StorageFull
from chatdesk.core.moments import utc_moment
from chatdesk.core.storage.engine import backup, unfinished_files
from chatdesk.core.storage.engine.failures import translating
from chatdesk.core.storage.upkeep import backup_files
from chatdesk.core.texts import Text

_log = logging.getLogger(__name__)

_DAY_MS = 24 * 60 * 60 * 1000
_TIME_FORMAT = "%Y%m%dT%H%M%SZ"
# The copy, what becomes of it when it is packed, and some room so that it is not the backup that fills the disk.
_SPACE_FACTOR, _SPARE_BYTES = 1.6, 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class KeptBackup:
    """A regular backup; ``at_ms`` is the clock's time when it was made."""

    path: Path
    number: int
    at_ms: int


class BackupDirectory:
    """The directory of regular backups of the database called ``stem``. Used on one thread at a time."""

    def __init__(self, directory: Path, stem: str, *, daily: int, weekly: int) -> None:
        self.directory = directory
        self._stem = stem
        self._daily = daily
        self._weekly = weekly
        self._name = re.compile(re.escape(stem) + r"-(\d{6,})-(\d{8}T\d{6}Z)\.db(?:\.gz)?")

    def set_retention(self, *, daily: int, weekly: int) -> None:
        """Set how many backups are kept, from the next one on."""
        self._daily, self._weekly = daily, weekly

    def kept(self) -> list[KeptBackup]:
        """Return all regular backups, the oldest first. A file that is none, whatever its name, is not among them."""
        return [each for each in self._named() if is_begun(each.path)]

    def _named(self) -> list[KeptBackup]:
        found = []
        with suppress(FileNotFoundError):
            for path in self.directory.iterdir():
                match = self._name.fullmatch(path.name)
                if match is not None:
                    with suppress(ValueError):
                        found.append(KeptBackup(path, int(match[1]), _milliseconds(match[2])))
        return sorted(found, key=lambda each: each.number)

    def is_due(self, now_ms: int) -> bool:
        """Return whether no backup was made within a day of ``now_ms``, before it or, where the clock was wrong, after
        it."""
        return all(abs(now_ms - each.at_ms) >= _DAY_MS for each in self.kept())

    def add(self, source: sqlite3.Connection, now_ms: int) -> Path:
        """Make a verified backup of ``source``; older ones that are one too many go. Raises ``StorageError``."""
        self._clear_unfinished()
        self._check_space(source)
        number = max((each.number for each in self._named()), default=0) + 1
        at = utc_moment(now_ms).strftime(_TIME_FORMAT)
        packed = self.directory / f"{self._stem}-{number:06d}-{at}.db{backup_files.PACKED}"
        plain = backup.back_up(source, unfinished_files.name_for(packed), named=packed)
        try:
            with translating(packed):
                made = backup_files.pack(plain, packed, named=backup_files.names_of(plain))
        finally:
            plain.unlink(missing_ok=True)
        for each in superfluous(self.kept(), daily=self._daily, weekly=self._weekly):
            try:
                each.path.unlink(missing_ok=True)
                each.path.with_name(each.path.name + backup.FILES_ENDING).unlink(missing_ok=True)
            except OSError as error:
                _log.warning("an old backup was not removed: errno %s", error.errno)
        return made

    def _clear_unfinished(self) -> None:
        """Remove the files of a process that was killed while it copied; such files never have a backup's name."""
        unfinished_files.clear(self.directory)
        for path in self.directory.glob(f"{self._stem}-*.db*{backup.FILES_ENDING}"):
            if not path.with_name(path.name.removesuffix(backup.FILES_ENDING)).exists():
                with suppress(OSError):
                    path.unlink()

    def named_files(self) -> set[str]:
        """Return the names of all stored files that a kept backup refers to, which a clean-up must leave."""
        found: set[str] = set()
        for path in restorable(self.directory, self._stem):
            found |= backup_files.names_in(path)
        return found

    def room(self, source: sqlite3.Connection) -> tuple[int, int]:
        """Return how many bytes a backup of ``source`` needs here while it is made, and how many are free."""
        pages, page_bytes = (source.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        place = next(each for each in (self.directory, *self.directory.parents) if each.is_dir())
        return int(pages * page_bytes * _SPACE_FACTOR) + _SPARE_BYTES, shutil.disk_usage(place).free

    def _check_space(self, source: sqlite3.Connection) -> None:
        needed, free = self.room(source)
        if free < needed:
            raise StorageFull(
                Text(
                    "The daily backup was not made: it needs {needed} MB, {free} MB are free.",
                    needed=str(needed // 1000000),
                    free=str(free // 1000000),
                ),
                safe=Text("Your messages are kept, and so are the older backups."),
                next_step=Text("Free some space; ChatDesk tries again within the hour."),
            )


def is_begun(path: Path) -> bool:
    """Return whether a file begins and ends as a backup does."""
    try:
        if not path.is_file():  # a pipe would be waited for
            return False
        return backup_files.looks_whole(path)
    except OSError:
        return False


def fault_of(path: Path) -> str:
    """Return a word for the fault of a file that is called a backup; empty where it begins and ends as one does."""
    if is_begun(path):
        return ""
    return Text("empty") if path.is_file() and path.stat().st_size == 0 else Text("no backup")


def restorable(directory: Path, stem: str) -> list[Path]:
    """Return every backup of the database called ``stem``, also those made before upgrades and restores; the newest
    first."""
    found: list[tuple[float, Path]] = []
    with suppress(FileNotFoundError):
        for path in directory.iterdir():
            is_ours = path.name.startswith((f"{stem}-", "before-"))
            if is_ours and path.name.endswith((".db", ".db.gz", ".zip")):
                with suppress(OSError):
                    found.append((path.stat().st_mtime, path))
    return [path for _, path in sorted(found, reverse=True)]


def superfluous(kept: Sequence[KeptBackup], *, daily: int, weekly: int) -> list[KeptBackup]:
    """Return the backups to remove: all but the newest ``daily`` and, before them, the last one of each of ``weekly``
    weeks."""
    newest_first = sorted(kept, key=lambda each: each.number, reverse=True)
    weeks: set[tuple[int, int]] = set()
    given_up = []
    for each in newest_first[max(1, daily) :]:
        week = utc_moment(each.at_ms).isocalendar()[:2]
        if week in weeks or len(weeks) >= weekly:
            given_up.append(each)
        else:
            weeks.add(week)
    return given_up


def _milliseconds(text: str) -> int:
    return int(datetime.strptime(text, _TIME_FORMAT).replace(tzinfo=UTC).timestamp() * 1000)
