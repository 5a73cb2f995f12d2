"""Stores the record of a change that was proposed here and both states of the file, to apply and to undo it.

They are in a directory of this computer's own, under the seal of tool servers, never in the database: a row of a
backup, an import, a branch or a team is the text of a change and nothing that could be applied.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from chatdesk.core.system.file_writing import own_folder, remove_abandoned, remove_file, replacing
from chatdesk.core.tools.folder.exchange import MOST_CHANGED_BYTES, sum_of
from chatdesk.core.tools.seals import NoSealKey, Seals

_log = logging.getLogger(__name__)

_ID: Final = re.compile(r"[0-9a-f-]{32,36}\Z")
_MOST_RECORD_BYTES: Final = 64 * 1024
_MOST_RECORDS: Final = 1_000
MOST_BYTES: Final = 256 * 1024 * 1024
_SWEPT_EVERY: Final = 50
_KEPT_MS: Final = 90 * 24 * 60 * 60 * 1000
_FRESH_MS: Final = 60 * 60 * 1000
# No link is followed, and no pipe may block: the directory may be foreign.
_SAFELY: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
_BEFORE, _AFTER, _RECORD = ".before", ".after", ".json"


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """The record of one proposed change of a file. ``folder`` is the project's folder at that time. ``before`` and
    ``after`` are the checksums of the file's states, empty without a file; ``diff`` is that of the shown text. ``step``
    is the last action: ``proposed``, ``applying``, ``applied``, ``undoing`` or ``rejected``; the file itself shows its
    outcome. ``mode`` is that of the file before, ``made`` counts the folders made for it. ``edited`` is the checksum of
    a person's text in place of ``after``; empty without one."""

    id: str
    project_id: str
    folder: str
    path: str
    before: str
    after: str
    diff: str
    at_ms: int
    step: str = "proposed"
    mode: int | None = None
    made: int = 0
    edited: str = ""

    @property
    def written(self) -> str:
        """The checksum of the file once the change is applied."""
        return self.edited or self.after


class ChangeRecords:
    """All methods block, and are called in a thread. Nothing is made before the first ``add``."""

    def __init__(self, directory: Path, blob_dir: Path, seals: Seals, *, needs_seals: bool) -> None:
        """Read and write records in a directory. ``needs_seals``: the directory may be foreign, so records without this
        person's seal are ignored."""
        self._directory = directory
        self._blobs = blob_dir
        self._seals = seals
        self._needs_seals = needs_seals
        self._made_here: set[str] = set()
        self._added = 0

    def add(self, record: ChangeRecord, before: bytes | None, after: bytes | None) -> None:
        """Keep a new change. Raises ``OSError``."""
        own_folder(self._directory)
        if self._added % _SWEPT_EVERY == 0:
            self._sweep(record.at_ms)
        self._added += 1
        for ending, data in ((_BEFORE, before), (_AFTER, after)):
            if data is not None:
                self._write(record.id, ending, data)
        self._made_here.add(record.id)
        self.save(record)

    def save(self, record: ChangeRecord) -> None:
        """Replace a record; it is on the disk then. Raises ``OSError``."""
        data = _sealed_of(record)
        sealed = {**data, "seal": self._seal(data)} if self._needs_seals else data
        self._write(record.id, _RECORD, json.dumps(sealed).encode())

    def _seal(self, data: dict[str, Any]) -> str:
        """Return the seal; empty where no key can be kept: the change can be applied and undone in this run."""
        try:
            return self._seals.make(data)
        except NoSealKey:
            return ""

    def find(self, change_id: str) -> ChangeRecord | None:
        """Return a record; None if it is missing or was not written on this computer."""
        if not _ID.match(change_id):
            return None
        try:
            raw = self._read(change_id, _RECORD, _MOST_RECORD_BYTES)
            data = json.loads(raw)
            seal = data.pop("seal", None)
            record = ChangeRecord(**data)
        except (OSError, ValueError, TypeError, AttributeError, RecursionError):
            return None
        is_own = not self._needs_seals or change_id in self._made_here or self._seals.holds(_sealed_of(record), seal)
        return record if is_own and record.id == change_id and _is_well_formed(record) else None

    def state(self, record: ChangeRecord, *, after: bool) -> bytes | None:
        """Return the bytes of the file before or after a change; None: no file. Raises ``OSError`` for bytes that do
        not match the record."""
        wanted = record.after if after else record.before
        if not wanted:
            return None
        data = self._read(record.id, _AFTER if after else _BEFORE, MOST_CHANGED_BYTES)
        if sum_of(data) != wanted:
            raise OSError("the kept state of a file is damaged")
        return data

    def _write(self, change_id: str, ending: str, data: bytes) -> None:
        target = self._directory / f"{change_id}{ending}"
        remove_abandoned(target)
        with replacing(target) as file:
            file.write(data)

    def _read(self, change_id: str, ending: str, most: int) -> bytes:
        path = self._directory / f"{change_id}{ending}"
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | _SAFELY)) as file:
            data = file.read(most + 1)
        if len(data) > most:
            raise OSError("larger than it can be")
        return data

    def _sweep(self, now_ms: int) -> None:
        """Remove old records, records of changes whose text was removed for good with its message, and the oldest ones
        of those that use too much space."""
        kept = []
        for record in self._all():
            path = self._blobs / record.diff[:2] / record.diff
            age_ms = now_ms - record.at_ms
            if age_ms > _KEPT_MS or (age_ms > _FRESH_MS and not path.exists()):
                self._remove(record.id)
            else:
                kept.append((record.at_ms, record.id))
        room = MOST_BYTES
        for place, (_at_ms, change_id) in enumerate(sorted(kept, reverse=True)):
            room -= self._size_of(change_id)
            if place >= _MOST_RECORDS or room < 0:
                self._remove(change_id)

    def _all(self) -> Iterator[ChangeRecord]:
        with suppress(OSError), os.scandir(self._directory) as entries:
            names = [each.name for each in entries if each.name.endswith(_RECORD)]
            for name in names:
                found = self.find(name.removesuffix(_RECORD))
                if found is not None:
                    yield found

    def _size_of(self, change_id: str) -> int:
        size = 0
        for ending in (_RECORD, _BEFORE, _AFTER):
            with suppress(OSError):
                size += (self._directory / f"{change_id}{ending}").lstat().st_size
        return size

    def _remove(self, change_id: str) -> None:
        for ending in (_RECORD, _BEFORE, _AFTER):
            with suppress(OSError):
                remove_file(self._directory / f"{change_id}{ending}")


def with_step(record: ChangeRecord, step: str, **values: Any) -> ChangeRecord:
    """Return a record after another step."""
    return replace(record, step=step, **values)


def _sealed_of(record: ChangeRecord) -> dict[str, Any]:
    """Return the fields that a seal is over; without an edit they are those of earlier versions."""
    return {name: value for name, value in asdict(record).items() if name != "edited" or value}


def _is_well_formed(record: ChangeRecord) -> bool:
    texts = (record.id, record.project_id, record.folder, record.path, record.before, record.after, record.diff)
    return all(isinstance(each, str) for each in (*texts, record.step, record.edited)) and all(
        isinstance(each, int) for each in (record.at_ms, record.made, record.mode or 0)
    )
