"""Keeps the folders on this computer that belong to projects: where their tools work.

They are with the tool servers in the configuration directory, not in the database: rows of a backup, an import or a
team never say where tools work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path

from chatdesk.core.errors import InvalidInput
from chatdesk.core.paths import AppPaths
from chatdesk.core.texts import Text


class FolderNotUsable(InvalidInput):
    code = "project_folder_not_usable"
    what = Text("There is no such folder.")
    safe = Text("Nothing was changed.")
    next_step = Text("Choose a folder that exists on this computer.")


class ProjectFolders:
    """The folders of projects on this computer; ``ToolService.folders`` exposes it. ``keep`` stores all folders, by the
    ids of their projects; The directories of ChatDesk's own, which ``paths`` has, can be no project's."""

    def __init__(
        self,
        folders: Mapping[str, str],
        keep: Callable[[Mapping[str, str]], Awaitable[None]],
        paths: AppPaths,
    ) -> None:
        self._folders = dict(folders)
        self._keep = keep
        self._paths = paths

    @property
    def are_any(self) -> bool:
        return bool(self._folders)

    def of(self, project_id: str) -> Path | None:
        """Return the folder of a project; None where none was chosen, or it is gone."""
        path = self._folders.get(project_id)
        return Path(path) if path is not None and Path(path).is_dir() else None

    async def forget_others(self, project_ids: Collection[str]) -> None:
        """Forget the folders of all other projects, so that a later project with such an id gets none of them. Raises
        ``ServersNotSaved``."""
        gone = [each for each in self._folders if each not in project_ids]
        for each in gone:
            del self._folders[each]
        if gone:
            await self._keep(dict(self._folders))

    async def check(self, folder: Path) -> str:
        """Return the path of a folder that a project may have. Raises ``FolderNotUsable``."""
        return await asyncio.to_thread(checked_folder, folder, self._paths)

    async def set(self, project_id: str, folder: Path | None) -> None:
        """Set the folder of a project; None: it has none. Raises ``FolderNotUsable`` and ``ServersNotSaved``."""
        path = None if folder is None else await self.check(folder)
        # A folder under a seal that cannot be tested now seems to be none: its removal is written all the same.
        if path is not None and self._folders.get(project_id) == path:
            return
        self._folders.pop(project_id, None)
        if path is not None:
            self._folders[project_id] = path
        await self._keep(dict(self._folders))


def checked_folder(folder: Path, paths: AppPaths) -> str:
    """Return the path of a folder without links: a link on the path later was planted. Raises ``FolderNotUsable``."""
    path = folder.expanduser()
    if not path.is_absolute() or not path.is_dir():
        raise FolderNotUsable(Text("There is no folder {path}.", path=path))
    found = path.resolve()
    for each in _private_folders(paths):
        if found == each or found in each.parents or each in found.parents:
            raise _own_files(each)
    return str(found)


def checked_file(file: Path, paths: AppPaths) -> str:
    """Return the path of a file without links, which may be anywhere but in ChatDesk's own folders. Raises
    ``FolderNotUsable``."""
    found = file.resolve()
    for each in _private_folders(paths):
        if each in found.parents:
            raise _own_files(each)
    return str(found)


def _private_folders(paths: AppPaths) -> list[Path]:
    return [each.resolve() for each in (paths.config_dir, paths.data_dir, paths.backup_dir, paths.log_dir)]


def _own_files(folder: Path) -> FolderNotUsable:
    return FolderNotUsable(
        Text("ChatDesk keeps its own files in {each}, which models must not read.", each=folder),
        next_step=Text("Choose the folder of the project itself."),
    )
