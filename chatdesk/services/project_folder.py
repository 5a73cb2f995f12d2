"""Implements the tools with which a model lists, finds and reads the files of a project's folder, and proposes changes.

A call gets the folder of the project whose thread makes it, from the person's own store; no argument names a project.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from threading import Event
from typing import Any, Final

from chatdesk.core.domain.artifacts.file_change import FILE_DIFF
from chatdesk.core.domain.tools import Caller, ToolFile, ToolResult
from chatdesk.core.errors import ChatDeskError, InvalidInput, NotPossible
from chatdesk.core.texts import Text
from chatdesk.core.tools.built_in import BuiltInServer, BuiltInTool
from chatdesk.core.tools.folder import edits, reading
from chatdesk.core.tools.folder.beneath import CAN_OPEN_BENEATH
from chatdesk.core.tools.folder.file_changes import FileChanges

ID: Final = "chatdesk-folder"
_LONGEST_ARGUMENT: Final = 1_000
_AT_ONCE: Final = 2
# The part of a diff that the transcript stores.
_SHOWN_CHARACTERS: Final = 16_000
_TEXT: Final[Mapping[str, Any]] = {"type": "string"}
_PATH: Final[Mapping[str, Any]] = {"type": "string", "description": "path from the project's folder, with /"}
_PAGE: Final[Mapping[str, Any]] = {"type": "integer", "minimum": 1}
_EDITS: Final[Mapping[str, Any]] = {
    "type": "array",
    "description": "pieces to replace; each old text stands once in the file",
    "items": {"type": "object", "properties": {"old": _TEXT, "new": _TEXT}, "required": ["old", "new"]},
}


def project_folder(project_of: Callable[[str], Awaitable[str]], changes: Callable[[], FileChanges]) -> BuiltInServer:
    """Return the server of these tools. ``project_of`` returns the project of a thread as it is now."""
    tools = _FolderTools(project_of, changes)
    return BuiltInServer(
        ID,
        Text("Project folder"),
        (
            BuiltInTool(
                "list_folder",
                Text("List a folder of the project"),
                "List what is in the project's folder, or in a folder below it.",
                {"path": _PATH, "page": _PAGE},
                (),
                tools.list_folder,
            ),
            BuiltInTool(
                "find_files",
                Text("Find files of the project"),
                "Find files of the project's folder by name (a part of it, or a pattern like *.py), by a text that"
                " stands in them, or both.",
                {"name": _TEXT, "text": _TEXT, "path": _PATH},
                (),
                tools.find_files,
            ),
            BuiltInTool(
                "read_file",
                Text("Read a file of the project"),
                "Read a text file of the project's folder, page by page. Tells the version that propose_change needs.",
                {"path": _PATH, "page": _PAGE},
                ("path",),
                tools.read_file,
            ),
            BuiltInTool(
                "propose_change",
                Text("Propose a change to a file of the project"),
                "Propose a change to one file of the project's folder. Nothing is written: the person looks at the"
                " difference and applies it, or not. Give edits, or the whole new content, or delete; version is what"
                " read_file told, and is left out for a new file.",
                {
                    "path": _PATH,
                    "version": _TEXT,
                    "edits": _EDITS,
                    "content": _TEXT,
                    "delete": {"type": "boolean"},
                },
                ("path",),
                tools.propose_change,
                only_proposes=True,
            ),
        ),
        is_of_project=True,
    )


_PROPOSED: Final = (
    "The proposal was passed on. Nothing is written: the person sees the difference below this call and decides. If it"
    " does not fit the file as it is, for example because version is not what read_file told, the person sees that"
    " instead. Do not propose it again."
)


class _FolderTools:
    def __init__(self, project_of: Callable[[str], Awaitable[str]], changes: Callable[[], FileChanges]) -> None:
        self._project_of = project_of
        self._changes = changes
        # A folder on a drive that does not answer holds up its own calls, not whatever else waits for threads.
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def list_folder(self, arguments: Mapping[str, Any], caller: Caller) -> str:
        path = _text(arguments, "path")
        return await self._run(caller, lambda folder, _stop: reading.list_folder(folder, path, arguments.get("page")))

    async def find_files(self, arguments: Mapping[str, Any], caller: Caller) -> str:
        name, text, path = (_text(arguments, each) for each in ("name", "text", "path"))
        return await self._run(
            caller, lambda folder, stop: reading.find(folder, name=name, text=text, path=path, stop=stop)
        )

    async def read_file(self, arguments: Mapping[str, Any], caller: Caller) -> str:
        path = _text(arguments, "path")
        return await self._run(caller, lambda folder, _stop: reading.read_page(folder, path, arguments.get("page")))

    async def propose_change(self, arguments: Mapping[str, Any], caller: Caller) -> ToolResult:
        if not caller.keeps_files:
            raise NotPossible(Text("A temporary chat keeps nothing, so no change is proposed in it."))
        path = _text(arguments, "path")
        wanted = edits.wanted_from(arguments)
        folder = await self._folder(caller)
        try:
            async with self._places:
                made = await self._changes().propose(caller.project_id, folder, path, wanted)
        except ChatDeskError as error:  # the sentence reveals no content of the folder: reading it needs permission
            return ToolResult(_PROPOSED, problem=error.sentence, size_bytes=len(_PROPOSED))
        change = made.change
        shown = made.diff[:_SHOWN_CHARACTERS].decode("utf-8", "ignore")
        more = {FILE_DIFF: {**change.as_content(), "text": shown}}
        name = f"{change.path.rpartition('/')[2]}.diff"
        file = ToolFile(name, "text/x-diff", made.diff, more, is_told=False)
        return ToolResult(_PROPOSED, (file,), size_bytes=len(_PROPOSED))

    async def _run(self, caller: Caller, work: Callable[[Path, Event], str]) -> str:
        folder = await self._folder(caller)
        stop = Event()
        try:
            async with self._places:
                return await asyncio.to_thread(work, folder, stop)
        finally:
            stop.set()

    async def _folder(self, caller: Caller) -> Path:
        """Return the folder of the caller's project. Raises ``NotPossible``, also where the thread was moved to another
        project since its answer began."""
        if not CAN_OPEN_BENEATH:
            raise NotPossible(
                Text("Files of a folder can be used on Linux and macOS only."), safe=Text("Nothing was read.")
            )
        if caller.folder is None or await self._project_of(caller.thread_id) != caller.project_id:
            raise NotPossible(
                Text("The project of this thread has no folder on this computer."), safe=Text("Nothing was read.")
            )
        return caller.folder


def _text(arguments: Mapping[str, Any], name: str) -> str:
    value = arguments.get(name) or ""
    if not isinstance(value, str) or len(value) > _LONGEST_ARGUMENT:
        raise InvalidInput(f"“{name}” is to be a short text.", safe=Text("Nothing was read."))
    return value.strip()
