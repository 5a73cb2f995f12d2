"""Defines the protocol of the formats that write a file for each thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from chatdesk.core.storage.transfer.export_reader import ExportReader
from chatdesk.core.transfer.exports.files import StoredFiles

# Called with how many messages were written since the last call; raises when the export is given up.
Tick = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class ThreadExport:
    """A thread to be written, its target, and the bytes of its attachments."""

    thread_id: str
    target: Path
    stored: StoredFiles


@dataclass(frozen=True, slots=True)
class Written:
    """Counts the attachments written, and those whose bytes were missing."""

    attachments: int = 0
    missing: int = 0


class ThreadWriter(Protocol):
    """A writer for one format, used on one thread of the program and closed when all threads are written. ``write``
    makes the target whole or leaves what was there; it raises ``OSError`` and ``ExportFailed``.
    """

    @property
    def ending(self) -> str: ...

    def write(self, reader: ExportReader, task: ThreadExport, tick: Tick) -> Written: ...

    def close(self) -> None: ...
