"""Defines the sources behind an answer, as a vendor or ChatDesk names them."""

from __future__ import annotations

from dataclasses import dataclass

from chatdesk.core.domain.knowledge import FilesOutcome


@dataclass(frozen=True, slots=True)
class NamedSource:
    """A web page that the vendor names as a source, or a passage of a file that was sent. Its fields are unchecked."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class SourcesNamed:
    """The sources from which an answer comes, in the order in which its text counts them. ``files_outcome`` is that of
    looking for the question in the project's files, None where there are none."""

    sources: tuple[NamedSource, ...]
    files_outcome: FilesOutcome | None = None
