"""Lists the files and folders of the open thread's project after an @ in the composer, for one question, and says
which names in a question lead to none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Final

from PySide6.QtCore import QTimer

from chatdesk.core.domain.prompt import PromptHead, PromptKind
from chatdesk.core.events import ProjectFilesChanged
from chatdesk.core.knowledge.knowledge_service import KnowledgeService
from chatdesk.core.knowledge.mentions import mention_of, shown_name
from chatdesk.core.knowledge.unmet_names import UnmetNames
from chatdesk.core.name_order import name_key
from chatdesk.core.texts import shown, tr
from chatdesk.ui.composer.text_editor import AT, mark_query, select_mark_query
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.window.window_context import Controller, WindowContext

# The prefix of ids of files; ids of the library have no colon.
_MARK: Final = "project-file:"
_MOST_LISTED: Final = 1_000
_SETTLE_MS: Final = 150


class FileMentions(Controller):
    """Names files for ``AssistantBinding``, whose menu lists what may stand after an @. ``asked`` returns the
    providers that the next question goes to: their names, by id."""

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        knowledge: KnowledgeService,
        asked: Callable[[], Mapping[str, str]],
    ) -> None:
        super().__init__(context, context.panes.pane)
        self._threads = threads
        self._knowledge = knowledge
        self._asked = asked
        self._unmet = UnmetNames(knowledge)
        self._listed: dict[str, str] = {}
        self._settle = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._settle.timeout.connect(self._look)
        context.panes.composer.textChanged.connect(self._settle.start)
        threads.opened.connect(lambda _thread: self._settle.start())
        context.events.subscribe(self, ProjectFilesChanged, lambda _event: self._settle.start())

    async def heads(self) -> list[PromptHead]:
        """Return the folders and files of the project, the folders first."""
        files = await self._knowledge.repository.named_files(await self._project_id())
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

    async def _project_id(self) -> str:
        thread = self._threads.open_thread
        if thread is not None:
            return thread.project_id
        return (self._threads.new_project or await self._open_thread.stored_chat.projects.default()).id

    def _look(self) -> None:
        """Look up the names in the text, if there are any."""
        composer = self._panes.composer
        text = composer.text()
        if "@" in text:
            self._remark(text, mark_query(composer.editor, AT))
        else:
            composer.above.set_remark("")

    @in_task("look for the names in a question", replaces=True)
    async def _remark(self, text: str, writing: str | None) -> None:
        """Say above the text which names in it lead to no file that goes with the question."""
        said = await self._unmet.sentences(await self._project_id(), text, self._asked(), writing=writing)
        if text == self._panes.composer.text():
            self._panes.composer.above.set_remark(" ".join(map(shown, said)))
