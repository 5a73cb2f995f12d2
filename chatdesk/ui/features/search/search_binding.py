"""Connects the palette and the sidebar's field with the search: searches during typing, and opens the chosen result."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing

from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from chatdesk.core.chat.library import LibraryService
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.search import FilterName, SearchHit, SearchKind
from chatdesk.core.search.search_service import SearchService
from chatdesk.core.texts import shown
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.features.search.listing import ONLY_COMMANDS, wants_commands_only
from chatdesk.ui.features.search.palette import Palette
from chatdesk.ui.widgets.found.results import Results
from chatdesk.ui.window.window_context import Controller, WindowContext

_RECENT = 6


class SearchBinding(Controller):
    """The controller of the palette and of its search. ``open_project`` and ``open_tag`` narrow the sidebar."""

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        undo: UndoBinding,
        *,
        open_project: Callable[[str], object],
        open_tag: Callable[[str], None],
        search: SearchService,
        library: LibraryService,
    ) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        self._undo = undo
        self._service = search
        self._library = library
        self._open_project = open_project
        self._open_tag = open_tag
        self._left_words = ""  # the text of a palette that was closed without a choice
        self.palette: Palette | None = None
        panes.commands.bind("go.search", self.open)
        panes.commands.bind("app.palette", self.open_commands)

    def open(self, text: str = "") -> None:
        """Show the palette with ``text`` in it, or with the words it was left with, selected."""
        if self.palette is not None:
            self.palette.show_words(text)
            return

        focus = QApplication.focusWidget()
        text = text or self._left_words
        palette = self.palette = Palette(self._panes.theme, self._panes.registry, text=text, parent=self._panes.window)
        palette.results.wanted.connect(lambda wanted: self.search(wanted, palette.results))
        palette.moreWanted.connect(lambda kind, cursor: self.search_on(palette.results, kind, cursor))
        palette.hitChosen.connect(self.show_hit)
        palette.finished.connect(lambda result: self._on_closed(focus, is_chosen=bool(result)))
        palette.open()
        self._tasks.start(self._fill(palette), "fill palette")

    def open_commands(self) -> None:
        self.open(ONLY_COMMANDS)

    def _on_closed(self, focus: QWidget | None, *, is_chosen: bool) -> None:
        palette, self.palette = self.palette, None
        text = "" if palette is None else palette.field.text()
        self._left_words = "" if is_chosen or wants_commands_only(text) else text
        if palette is not None:
            self._tasks.cancel(_task_of(palette.results))
        if focus is not None and isValid(focus) and focus.isVisible():  # the widget may have been in a closed menu
            focus.setFocus()

    async def _fill(self, palette: Palette) -> None:
        """Give the palette the recent threads, and the names that filters may use."""
        page = await self._library.list_threads(ThreadQuery(), limit=_RECENT)
        if palette is self.palette:
            palette.set_recent(page.threads)
        projects = await self._library.projects.list()
        tags = await self._library.list_tags()
        if palette is self.palette:
            palette.set_names(
                {
                    FilterName.PROJECT: [project.name for project in projects],
                    FilterName.TAG: [tag.name for tag in tags],
                }
            )

    # Searching

    def search(self, text: str, results: Results) -> None:
        """Search ``text`` for ``results``, in place of the previous search; an empty text only ends that."""
        if text:
            self._tasks.replace(self._find(text, results), _task_of(results))
        else:
            self._tasks.cancel(_task_of(results))

    async def _find(self, text: str, results: Results) -> None:
        async with aclosing(self._service.search(text, asker=results)) as groups:
            async for group in groups:
                if isValid(results):
                    results.show_group(text, group)
        state = await self._service.state()
        if isValid(results):
            results.finish(text, shown(state.problem or ""))

    def search_on(self, results: Results, kind: SearchKind, cursor: str) -> None:
        """Find the next hits of one kind."""
        text = results.searched

        async def work() -> None:
            async with aclosing(
                self._service.search(text, kinds=(kind,), cursor=cursor, asker=(results, kind))
            ) as groups:
                async for group in groups:
                    if isValid(results):
                        results.show_group(text, group, is_next_page=True)

        # Beside the search itself, which may still have groups of other kinds to bring.
        self._tasks.start_once(work(), f"search on for {kind}")

    # Opening

    def show_hit(self, hit: SearchHit, _text: str = "") -> None:
        if hit.kind in (SearchKind.PROJECT, SearchKind.TAG) and self._panes.window is not self._panes.main_window:
            self._panes.main_window.come_to_front()
            self._panes.main_window.place.reveal()
        if hit.kind is SearchKind.PROJECT:
            self._open_project(hit.id)
        elif hit.kind is SearchKind.TAG:
            self._open_tag(hit.id)
        elif hit.thread_id is not None and hit.message_id is not None:
            self._tasks.replace(self._open_message(hit, hit.thread_id, hit.message_id), "open found message")
        elif hit.thread_id is not None:
            self._threads.open_soon(hit.thread_id)

    async def _open_message(self, hit: SearchHit, thread_id: str, message_id: str) -> None:
        """Open a found message. Its branch is chosen first, so that the thread is painted once, at the message."""
        if not hit.is_on_path:
            await (await self._undo.stack()).select_version(message_id)
            self._panes.commands.refresh()
        await self._threads.open_at(thread_id, message_id)
        self._panes.transcript.setFocus()
        self._panes.transcript.show_found(message_id, hit.needle)


def _task_of(results: Results) -> str:
    return f"search for {results.objectName()}"
