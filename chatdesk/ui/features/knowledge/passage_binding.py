"""Shows the passages of files that an answer or a question names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from chatdesk.core.attachments.file_kinds import PDF, can_open_in_place
from chatdesk.core.domain.knowledge import FoundPassage, KnowledgeSource, SourceKind
from chatdesk.core.domain.pdf_page import WantedPassage
from chatdesk.core.errors import ChatDeskError, InvalidInput
from chatdesk.core.knowledge.enclosing import title_of
from chatdesk.core.knowledge.knowledge_service import KnowledgeService
from chatdesk.core.knowledge.passages import MARKDOWN_KINDS
from chatdesk.core.links import PassageLink, read_link
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.features.knowledge.passage_dialog import PassageDialog
from chatdesk.ui.features.knowledge.passage_pages import PassagePages
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.transcript.contract import MessageFetcher
from chatdesk.ui.transcript.view import TranscriptView
from chatdesk.ui.widgets.outside import open_outside
from chatdesk.ui.window.window_context import Controller, WindowContext


class PassageBinding(Controller):
    """Opens the dialog of a passage, in the window of one chat. ``make_view`` makes a transcript for its Markdown."""

    def __init__(
        self,
        context: WindowContext,
        knowledge: KnowledgeService,
        make_view: Callable[[MessageFetcher], TranscriptView],
    ) -> None:
        super().__init__(context)
        self._knowledge = knowledge
        self._make_view = make_view

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
        is_pdf = lit.file.mime == PDF and source.kind.is_on_disk
        pages = PassagePages(around, lit) if lit.file.mime in MARKDOWN_KINDS else None
        reader = self._make_view(pages.fetch) if pages is not None else None
        dialog = PassageDialog(
            self._panes.theme,
            title_of(lit),
            around,
            lit=lit_part,
            can_open=source.kind is SourceKind.PAGE
            or (source.kind.is_on_disk and can_open_in_place(lit.file.path, lit.file.mime)),
            reader=reader,
            has_pages=is_pdf,
            parent=parent,
        )
        dialog.openRequested.connect(lambda: self._open_file(source, lit.file.path, dialog))
        if pages is not None and reader is not None:
            pages.setParent(dialog)
            pages.show_in(reader)
        if is_pdf:
            wanted = _wanted(around, start, end)
            dialog.pageRequested.connect(
                lambda number, width_px: self._draw(source, lit.file.path, dialog, number, width_px, wanted)
            )
            dialog.finished.connect(lambda _result: self._rest())
        dialog.open()

    @in_task("draw a page")
    async def _draw(
        self,
        source: KnowledgeSource,
        path: str,
        dialog: PassageDialog,
        number: int,
        width_px: int,
        wanted: WantedPassage,
    ) -> None:
        try:
            page = await self._knowledge.draw(source, path, number, width_px, wanted)
        except ChatDeskError as error:
            if isValid(dialog):
                dialog.show_failure(number, shown(error.sentence))
            return
        is_missing = page.number == wanted.page and not page.lit
        note = tr("The passage is not on this page: the file may have changed since it was read.")
        if isValid(dialog):
            dialog.show_page(page, note if is_missing else "")

    @in_task("end drawing pages")
    async def _rest(self) -> None:
        await asyncio.to_thread(self._knowledge.drawer.rest)

    def _open_file(self, source: KnowledgeSource, path: str, dialog: PassageDialog) -> None:
        place = Path(source.place)
        whole = place / path if source.kind is SourceKind.FOLDER else place
        target = source.place if source.kind is SourceKind.PAGE else whole
        dialog.show_problem(open_outside(target))


def _wanted(around: Sequence[FoundPassage], start: int, end: int) -> WantedPassage:
    """Return the passage as a page has it: the lit part of what is around it."""
    text = ""
    places: list[tuple[int, int, int]] = []
    for each in around:
        if each.passage.start < end and each.passage.end > start:
            places.append((len(text), len(text) + len(each.passage.text), each.passage.page or 1))
        text += each.passage.text + "\n"
    first, last = places[0], places[-1]
    return WantedPassage(text, first[0], last[1], first[2])


class _PassageGone(InvalidInput):
    code = "passage_gone"
    what = Text("This passage is no longer in the files of the project: the file changed, or was removed.")
    safe = Text("The answer is unchanged.")
    next_step = Text("Ask again to search the files as they are now.")
