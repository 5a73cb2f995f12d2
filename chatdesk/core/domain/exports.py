"""Describes an export: the chosen threads, the format, the progress and the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from chatdesk.core.texts import Sentences, Text, plural


@dataclass(frozen=True, slots=True)
class Choice:
    """The threads to export: those named, or all of a project, or all that exist."""

    thread_ids: tuple[str, ...] = ()
    project_id: str | None = None
    has_trash: bool = False

    @property
    def is_everything(self) -> bool:
        return not self.thread_ids and self.project_id is None


class ExportFormat(StrEnum):
    MARKDOWN = "md"
    JSON = "json"
    HTML = "html"
    PDF = "pdf"


@dataclass(frozen=True, slots=True)
class ExportProgress:
    """The messages that were written, and the number of all of them."""

    messages: int
    of_messages: int


@dataclass(frozen=True, slots=True)
class ExportReport:
    """The result of an export. ``path`` is the file, or the folder of several files. ``missing`` counts the
    attachments left out because their bytes are missing or damaged; ``lost`` names them in sentences."""

    path: Path
    threads: int
    messages: int
    attachments: int = 0
    missing: int = 0
    lost: Sequence[str] = ()

    @property
    def sentence(self) -> str:
        threads = plural("{count} threads", "{count} thread", self.threads)
        text: str = Text("Exported {threads} to {name}.", threads=threads, name=self.path.name)
        if self.missing:
            lost = " ".join(self.lost)
            missing = (
                plural(
                    "{count} attachments are missing or damaged; the export has only their names: {lost}",
                    "{count} attachment is missing or damaged; the export has only its name: {lost}",
                    self.missing,
                    lost=lost,
                )
                if lost
                else plural(
                    "{count} attachments are missing or damaged; the export has only their names",
                    "{count} attachment is missing or damaged; the export has only its name",
                    self.missing,
                )
            )
            text = Sentences.of(text, missing)
        return text


class Stopped(Exception):
    """The person cancelled the export."""
