"""Joins the form of the web search with the service of tools."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing

from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.settings.secrets import SecretNotKept
from chatdesk.core.texts import shown
from chatdesk.core.tools.tool_service import ToolService
from chatdesk.core.tools.web_search.choice import SearchChoice, SearchEngine
from chatdesk.core.tools.web_search.web_search import WebSearch
from chatdesk.ui.features.tools.search_form import SearchForm
from chatdesk.ui.qt.async_tasks import AsyncTasks
from chatdesk.ui.theme.theme import Theme


class WebSearchBinding:
    """Controller of the web search settings. ``show_problem`` shows a sentence on the page below the form."""

    def __init__(
        self,
        theme: Theme,
        tasks: AsyncTasks,
        *,
        load: Callable[[], Awaitable[ToolService]],
        show_problem: Callable[[str], None],
    ) -> None:
        self._theme = theme
        self._tasks = tasks
        self._load = load
        self._show_problem = show_problem

    async def open_form(self, parent: QWidget) -> None:
        """Open the form over the settings."""
        search = (await self._load()).search
        kept = frozenset([each for each in SearchEngine if each.needs_key and await search.has_key(each)])
        if not isValid(parent):
            return
        form = SearchForm(self._theme, search.choice, kept, parent=parent)
        form.testRequested.connect(
            lambda choice, key: self._tasks.replace(self._test(search, form, choice, key), "test the web search")
        )
        form.saved.connect(
            lambda choice, key: self._tasks.start(self._save(search, form, choice, key), "save the web search")
        )
        form.forgetRequested.connect(
            lambda engine: self._tasks.start(self._forget(search, form, engine), "forget a key of the web search")
        )
        form.open()

    async def _test(self, search: WebSearch, form: SearchForm, choice: SearchChoice, key: str) -> None:
        async with aclosing(search.check(choice, key)) as checks:  # type: ignore[type-var]
            async for check in checks:
                if not isValid(form):
                    return
                form.show_check(check)

    async def _save(self, search: WebSearch, form: SearchForm, choice: SearchChoice, key: str) -> None:
        try:
            await search.choose(choice, key)
        except SecretNotKept as error:
            self._show_problem(shown(error.sentence))
        except ChatDeskError as error:
            if isValid(form):
                form.show_problem(shown(error.sentence))
            return
        if isValid(form):
            form.end_busy()
            form.accept()

    async def _forget(self, search: WebSearch, form: SearchForm, engine: SearchEngine) -> None:
        try:
            await search.forget_key(engine)
        except ChatDeskError as error:
            if isValid(form):
                form.show_problem(shown(error.sentence))
            return
        if isValid(form):
            form.forget_key(engine)
