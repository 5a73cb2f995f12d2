"""Keeps the folders on this computer that belong to projects: where their tools work.

They lie with the tool servers in the configuration directory, not in the database: rows of a backup, an import or a
team never say where tools work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from chatdesk.core.errors import InvalidInput


class FolderNotUsable(InvalidInput):
    code = "project_folder_not_usable"
    what = "There is no such folder."
    safe = "Nothing was changed."
    next_step = "Choose a folder that exists on this computer."


class ProjectFolders:
    """Reached as ``ToolService.folders``. ``keep`` stores all folders, by the ids of their projects."""

    def __init__(self, folders: Mapping[str, str], keep: Callable[[Mapping[str, str]], Awaitable[None]]) -> None:
        self._folders = dict(folders)
        self._keep = keep

    def of(self, project_id: str) -> Path | None:
        """Return the folder of a project; None where none was chosen, or it is gone."""
        path = self._folders.get(project_id)
        return Path(path) if path is not None and Path(path).is_dir() else None

    async def set(self, project_id: str, folder: Path | None) -> None:
        """Set the folder of a project; None: it has none. Raises ``FolderNotUsable`` and ``ServersNotSaved``."""
        path = None if folder is None else await asyncio.to_thread(_checked, folder)
        if self._folders.get(project_id) == path:
            return
        self._folders.pop(project_id, None)
        if path is not None:
            self._folders[project_id] = path
        await self._keep(dict(self._folders))


def _checked(folder: Path) -> str:
    path = folder.expanduser()
    if not path.is_absolute() or not path.is_dir():
        raise FolderNotUsable(f"There is no folder {path}.")
    return str(path)
