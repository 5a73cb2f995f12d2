"""Describes a change of one file that a model proposed, as the part of its answer has it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from chatdesk.core.hidden_characters import clean_line

# The kind of an artifact that is the text of such a change; also the name of the change in a part's content.
FILE_DIFF: Final = "file_diff"
_ID: Final = re.compile(r"[0-9a-f-]{32,36}\Z")
_LONGEST_PATH: Final = 1_000
_MOST_LINES: Final = 1_000_000


class ChangeKind(StrEnum):
    NEW = "new"
    EDIT = "edit"
    DELETE = "delete"


class ChangeState(StrEnum):
    """The state of a change on this computer, as the file itself shows it."""

    PROPOSED = "proposed"
    APPLIED = "applied"
    REJECTED = "rejected"
    # The file differs from the version that the change was based on.
    OUTDATED = "outdated"
    # Applied, but the file has been changed since.
    CHANGED_SINCE = "changed_since"
    # The project has no folder on this computer, or a different one.
    NO_FOLDER = "no_folder"
    # Proposed on another computer, or too long ago.
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class FileChange:
    """A change of a file in a project's folder that a model proposes. ``id`` finds what applies it on the computer
    where it was proposed; it is nothing but a name. ``path`` begins at the project's folder. ``added`` and ``removed``
    count lines."""

    id: str
    path: str
    kind: ChangeKind
    added: int
    removed: int

    def as_content(self) -> dict[str, Any]:
        """Return the change as JSON data for a part's content; ``change_from`` reads it."""
        return {
            "id": self.id,
            "path": self.path,
            "kind": self.kind.value,
            "added": self.added,
            "removed": self.removed,
        }


def change_from(content: Mapping[str, Any]) -> FileChange | None:
    """Return the change that a part's content names; None for content of any other kind. Whoever wrote it."""
    value = content.get(FILE_DIFF)
    if not isinstance(value, Mapping):
        return None
    id_, path, kind = value.get("id"), value.get("path"), value.get("kind")
    counts = [value.get("added"), value.get("removed")]
    if not isinstance(id_, str) or not _ID.match(id_) or not isinstance(path, str) or kind not in set(ChangeKind):
        return None
    if not all(isinstance(each, int) and not isinstance(each, bool) and 0 <= each < _MOST_LINES for each in counts):
        return None
    shown = clean_line(path[:_LONGEST_PATH])
    return FileChange(id_, shown, ChangeKind(kind), *map(int, counts)) if shown else None  # type: ignore[arg-type]
