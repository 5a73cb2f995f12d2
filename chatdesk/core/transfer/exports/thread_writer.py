"""What every format does that has a file for each thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from chatdesk.core.storage.transfer.export_reader import ExportReader
from chatdesk.core.transfer.exports.files import StoredFiles

#: Called with how many messages were written since the last call; raises when the export is given up.
Tick = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Task:
    """One thread to be written, where to, and where the bytes of its attachments are."""

    thread_id: str
    target: Path
    stored: StoredFiles


@dataclass(frozen=True, slots=True)
class Written:
    """Attachments that came along, and those whose bytes were not there."""

    attachments: int = 0
    missing: int = 0


class ThreadWriter(Protocol):
    """One format. Entered for a run of threads, used on one thread of the program, left when all are written.

    ``write`` makes the target whole or leaves what was there; it raises ``OSError`` and ``ExportFailed``.
    """

    @property
    def ending(self) -> str: ...

    def write(self, reader: ExportReader, task: Task, tick: Tick) -> Written: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
