"""Shows the passages of files that an answer or a question names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from chatdesk.core.attachments.file_kinds import can_open_in_place
from chatdesk.core.domain.knowledge import FoundPassage, KnowledgeSource, SourceKind
from chatdesk.core.errors import InvalidInput
from chatdesk.core.knowledge.enclosing import title_of
from chatdesk.core.knowledge.knowledge_service import KnowledgeService
from chatdesk.core.links import PassageLink, read_link
from chatdesk.core.texts import Text
from chatdesk.ui.features.knowledge.passage_dialog import PassageDialog
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.widgets.outside import open_outside
from chatdesk.ui.window.window_context import Controller, WindowContext


class PassageBinding(Controller):
    """Opens the dialog of a passage, in the window of one chat."""

    def __init__(self, context: WindowContext, knowledge: KnowledgeService) -> None:
        super().__init__(context)
        self._knowledge = knowledge

    @in_task("show a passage")
    async def show(self, found: FoundPassage, parent: QWidget) -> None:
        """Show a passage over a dialog."""
        around = await self._knowledge.around_place(found.source.id, found.file.path, found.passage.start)
        if isValid(parent):
            self._open(found.source, around or [found], (found.passage.start, found.passage.end), parent)

    @in_task("show a passage")
    async def open_link(self, address: str) -> None:
        """Show the passage that a source of an answer leads to."""
        link = read_link(address)
        if not isinstance(link, PassageLink):
            return
        source = await self._knowledge.repository.get(link.source_id)
        around = await self._knowledge.around_place(link.source_id, link.path, link.start)
        if not around:
            raise _PassageGone
        self._open(source, around, (link.start, link.end), self._panes.window)

    def _open(
        self, source: KnowledgeSource, around: Sequence[FoundPassage], lit_part: tuple[int, int], parent: QWidget
    ) -> None:
        start, end = lit_part
        lit = next((each for each in around if each.passage.start < end and each.passage.end > start), around[0])
        dialog = PassageDialog(
            self._panes.theme,
            title_of(lit),
            around,
            start=start,
            end=end,
            can_open=source.kind is SourceKind.PAGE or can_open_in_place(lit.file.path, lit.file.mime),
            parent=parent,
        )
        dialog.openRequested.connect(lambda: self._open_file(source, lit.file.path, dialog))
        dialog.open()

    def _open_file(self, source: KnowledgeSource, path: str, dialog: PassageDialog) -> None:
        place = Path(source.place)
        whole = place / path if source.kind is SourceKind.FOLDER else place
        target = source.place if source.kind is SourceKind.PAGE else whole
        dialog.show_problem(open_outside(target))


class _PassageGone(InvalidInput):
    code = "passage_gone"
    what = Text("This passage is no longer in the files of the project: the file changed, or was removed.")
    safe = Text("The answer is unchanged.")
    next_step = Text("Ask again to search the files as they are now.")
