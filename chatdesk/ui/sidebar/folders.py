"""The projects of the list as folders that open and close: which there are, which are open, how far each is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from chatdesk.core.texts import plural, shown
from chatdesk.ui.local_forms import number_text
from chatdesk.ui.sidebar.grouping import folder_group

# ``next_cursor`` of a folder of which nothing was read.
UNREAD: Final = ""


@dataclass(slots=True)
class Folder:
    """A project in the list. ``count`` is the number of threads in it when it is open; ``next_cursor`` is where the
    next page begins, None once all threads were read."""

    project_id: str
    title: str
    count: int = 0
    next_cursor: str | None = UNREAD


class PaintedFolder(NamedTuple):
    """The values that are painted of a folder."""

    title: str
    threads: str
    is_open: bool


class Folders:
    """The folders from the top. Which of them are open is kept by project, also for projects that are not listed."""

    def __init__(self, folders: Sequence[Folder], open_ids: set[str]) -> None:
        self._folders = list(folders)
        self._open_ids = open_ids
        self.places: Mapping[str, int] = {folder.project_id: place for place, folder in enumerate(folders)}

    def __iter__(self) -> Iterator[Folder]:
        return iter(self._folders)

    def find(self, project_id: str) -> Folder | None:
        place = self.places.get(project_id)
        return None if place is None else self._folders[place]

    def group_of(self, folder: Folder) -> int:
        return folder_group(self.places[folder.project_id])

    def is_open(self, project_id: str) -> bool:
        return project_id in self._open_ids and project_id in self.places

    def unfinished(self) -> Iterator[Folder]:
        """Open folders of which more can be read, from the top."""
        return (
            folder for folder in self._folders if self.is_open(folder.project_id) and folder.next_cursor is not None
        )

    def update(self, newer: Iterable[Folder]) -> list[Folder] | None:
        """Set titles and counts, and return the folders that changed. Return None and change nothing if ``newer`` has
        other folders than are listed, or another order."""
        news = list(newer)
        if [each.project_id for each in news] != [each.project_id for each in self._folders]:
            return None
        changed = []
        for folder, new in zip(self._folders, news, strict=True):
            if (folder.title, folder.count) != (new.title, new.count):
                folder.title, folder.count = new.title, new.count
                changed.append(folder)
        return changed

    def painted(self, folder: Folder) -> PaintedFolder:
        return PaintedFolder(folder.title, number_text(folder.count), self.is_open(folder.project_id))

    def spoken(self, folder: Folder) -> str:
        return shown(
            plural(
                "{title}, project folder, {count} threads",
                "{title}, project folder, {count} thread",
                folder.count,
                title=folder.title,
            )
        )
