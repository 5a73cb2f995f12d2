"""Describes artifacts: the files of a thread's messages, and documents that a person opened from an answer, with their
versions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from chatdesk.core.domain.attachment import IMAGE_MIMES, Attachment
from chatdesk.core.domain.message import Role

# The kind of an artifact that is a version of a document. Any other kind is that of a file which a part names.
DOCUMENT: Final = "document"
# Code of so many lines offers to be opened as an artifact.
LEAST_LINES: Final = 15


class ArtifactView(StrEnum):
    """The ways in which an artifact can be drawn; ``SOURCE`` is its text, ``NONE`` a file without one."""

    PICTURE = "picture"
    MARKDOWN = "markdown"
    TABLE = "table"
    MERMAID = "mermaid"
    SVG = "svg"
    SOURCE = "source"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ArtifactVersion:
    """A version of an artifact: bytes with a name, and the message where they come from.

    ``artifact_id`` is what its versions share. ``number`` counts from 1 and may leave gaps. ``tool_name`` is the tool
    that returned the file. ``is_on_path`` says that its message is shown. Times are milliseconds UTC.
    """

    id: str
    artifact_id: str
    part_id: str
    message_id: str
    kind: str
    name: str
    mime: str
    sha256: str
    size_bytes: int
    created_at: int
    role: Role
    language: str = ""
    number: int = 1
    is_by_hand: bool = False
    tool_name: str = ""
    is_on_path: bool = True
    width: int | None = None
    height: int | None = None

    @property
    def file(self) -> Attachment:
        """The version as a file, to be saved, opened or attached."""
        return Attachment(self.name, self.mime, self.sha256, self.size_bytes, self.width, self.height)

    @property
    def view(self) -> ArtifactView:
        return view_of(self.mime, self.language, self.name)


@dataclass(frozen=True, slots=True)
class Artifact:
    """An artifact with its versions, the oldest first; there is at least one."""

    id: str
    versions: tuple[ArtifactVersion, ...]

    @property
    def newest(self) -> ArtifactVersion:
        return self.versions[-1]

    @property
    def name(self) -> str:
        return self.newest.name


_BY_MIME: Final = {
    "text/markdown": ArtifactView.MARKDOWN,
    "text/csv": ArtifactView.TABLE,
    "text/tab-separated-values": ArtifactView.TABLE,
    "image/svg+xml": ArtifactView.SVG,
}
# By the language of code, and by the ending of a file's name.
_BY_WORD: Final = {
    "markdown": ArtifactView.MARKDOWN,
    "md": ArtifactView.MARKDOWN,
    "csv": ArtifactView.TABLE,
    "tsv": ArtifactView.TABLE,
    "mermaid": ArtifactView.MERMAID,
    "mmd": ArtifactView.MERMAID,
    "svg": ArtifactView.SVG,
}
_TEXT_MIMES: Final = frozenset(("application/json", "application/xml", "image/svg+xml"))


def view_of(mime: str, language: str, name: str) -> ArtifactView:
    """Return how a file of this type and name, or code in this language, is drawn."""
    if mime in IMAGE_MIMES:
        return ArtifactView.PICTURE
    if not (mime.startswith("text/") or mime in _TEXT_MIMES):
        return ArtifactView.NONE
    ending = name.rpartition(".")[2].lower()
    return _BY_WORD.get(language.lower() or ending) or _BY_MIME.get(mime) or ArtifactView.SOURCE


def grouped(versions: Iterable[ArtifactVersion]) -> tuple[Artifact, ...]:
    """Return artifacts from their versions, those with the newest version first.

    A file from which a document was opened stands for itself no longer, and neither does a file that was sent because
    it is a version of a document.
    """
    groups: dict[str, list[ArtifactVersion]] = {}
    for version in versions:
        groups.setdefault(version.artifact_id, []).append(version)
    documents = [each for group in groups.values() for each in group if each.kind == DOCUMENT]
    opened = {(each.part_id, each.sha256) for each in documents}
    sums = {each.sha256 for each in documents}
    made = [
        Artifact(key, tuple(sorted(group, key=lambda each: (each.number, each.id))))
        for key, group in groups.items()
        if group[0].kind == DOCUMENT or not _is_version(group[0], opened, sums)
    ]
    return tuple(sorted(made, key=lambda each: (each.newest.created_at, each.newest.id), reverse=True))


def _is_version(file: ArtifactVersion, opened: set[tuple[str, str]], sums: set[str]) -> bool:
    return (file.part_id, file.sha256) in opened or (file.role is Role.USER and file.sha256 in sums)
