"""Lists the files and folders of the open thread's project after an @ in the composer, for one question."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

from chatdesk.core.domain.prompt import PromptHead, PromptKind
from chatdesk.core.knowledge.knowledge_service import KnowledgeService
from chatdesk.core.knowledge.mentions import mention_of, shown_name
from chatdesk.core.name_order import name_key
from chatdesk.core.texts import tr
from chatdesk.ui.composer.text_editor import AT, select_mark_query
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.window.window_context import WindowContext

# The prefix of ids of files; ids of the library have no colon.
_MARK: Final = "project-file:"
_MOST_LISTED: Final = 1_000


class FileMentions:
    """Names files for ``AssistantBinding``, whose menu lists what may stand after an @."""

    def __init__(self, context: WindowContext, threads: ThreadBinding, knowledge: KnowledgeService) -> None:
        self._panes = context.panes
        self._open_thread = context.open_thread
        self._threads = threads
        self._knowledge = knowledge
        self._listed: dict[str, str] = {}

    async def heads(self) -> list[PromptHead]:
        """Return the folders and files of the project, the folders first."""
        thread = self._threads.open_thread
        if thread is not None:
            project_id = thread.project_id
        else:
            project_id = (self._threads.new_project or await self._open_thread.stored_chat.projects.default()).id
        files = await self._knowledge.repository.named_files(project_id)
        on_disk = [PurePosixPath(each.path) for each in files if "://" not in each.path]
        folders = {str(above) for each in on_disk for above in each.parents} - {"."}
        paths = [*sorted(folders, key=name_key), *(each.path for each in files)]
        self._listed = {f"{_MARK}{number}": path for number, path in enumerate(paths[:_MOST_LISTED])}
        return [
            PromptHead(
                id_,
                PromptKind.TEMPLATE,
                shown_name(path),
                tr("Folder") if path in folders else tr("File of the project"),
            )
            for id_, path in self._listed.items()
        ]

    def insert(self, chosen_id: str) -> bool:
        """Write the name of a file in the place of what was typed after the @. Return whether the id is one of a
        file."""
        path = self._listed.get(chosen_id)
        if path is None:
            return False
        editor = self._panes.composer.editor
        if select_mark_query(editor, AT):
            editor.textCursor().insertText(mention_of(path))
        return True
