"""Describes the contents of a backup, so that a person can judge it before it is restored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from chatdesk.core.texts import Text, plural


@dataclass(frozen=True, slots=True)
class BackupContents:
    """The contents of one backup. ``made_at`` is the file's own time and ``newest_at`` that of the newest message, both
    in milliseconds UTC; ``missing_files`` counts attachments whose bytes are neither in it nor in the data directory.
    ``unfinished`` counts answers that were being written or waited to be sent, ``workspaces`` has the names of some
    teams: neither goes on by itself. ``written_since`` counts messages of the present database that are newer than the
    backup, ``threads_since`` names some of their threads. Names are cleaned."""

    path: Path
    made_at: int
    newest_at: int | None
    schema: str
    threads: int
    messages: int
    titles: tuple[str, ...]
    missing_files: int = 0
    is_older_schema: bool = False
    unfinished: int = 0
    workspaces: tuple[str, ...] = ()
    written_since: int = 0
    threads_since: tuple[str, ...] = ()

    @property
    def consequences(self) -> tuple[str, ...]:
        """The sentences that a person should read before the backup is restored."""
        said = []
        if self.written_since:
            names = tuple(f"“{' '.join(each.split())[:60]}”" for each in self.threads_since)
            said.append(
                plural(
                    "Written since, and not in it: {count} messages, in {names}. Export them first to keep them at "
                    "hand.",
                    "Written since, and not in it: {count} message, in {names}. Export them first to keep them at "
                    "hand.",
                    self.written_since,
                    names=names,
                )
            )
        if self.is_older_schema:
            said.append(
                Text("From an older ChatDesk (schema {schema}); it is upgraded at the next start.", schema=self.schema)
            )
        if self.missing_files:
            said.append(
                plural(
                    "{count} attached files are neither in it nor in the data directory.",
                    "{count} attached file is neither in it nor in the data directory.",
                    self.missing_files,
                )
            )
        if self.unfinished:
            said.append(
                plural(
                    "{count} answers had not ended: they stay as interrupted, and nothing is sent.",
                    "{count} answer had not ended: they stay as interrupted, and nothing is sent.",
                    self.unfinished,
                )
            )
        if self.workspaces:
            more = (Text("others"),) if len(self.workspaces) > 3 else ()
            said.append(
                Text(
                    "Teams: {names}. ChatDesk does not connect to them until you join them again.",
                    names=(*self.workspaces[:3], *more),
                )
            )
        if self.messages:
            said.append(Text("Afterwards search fills up again in the background."))
        return tuple(said)
