"""Asks the person before a message goes to another provider that another member chose for the thread."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from chatdesk.core.domain.sharing.shared_choice import AnotherProvider
from chatdesk.core.texts import shown, tr
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.window.window_context import WindowContext

P = ParamSpec("P")
T = TypeVar("T")


class ProviderConsent:
    """A guard that runs work once the person has agreed, where a service asks for that."""

    def __init__(self, context: WindowContext) -> None:
        self._panes = context.panes
        self._open_thread = context.open_thread
        self._dialog: ConfirmDialog | None = None

    def refuse(self) -> None:
        """Answer an open question with no, because the window closes."""
        if self._dialog is not None:
            self._dialog.reject()

    async def run(self, work: Callable[P, Awaitable[T]], *args: P.args, **options: P.kwargs) -> T | None:
        """Return the result of ``work``, or None when the person refuses to use another provider and nothing was
        done."""
        try:
            return await work(*args, **options)
        except AnotherProvider as asked:
            if not await self._is_agreed(asked):
                return None
            self._open_thread.chat.choices.agree(asked)
        return await work(*args, **options)

    async def _is_agreed(self, asked: AnotherProvider) -> bool:
        dialog = self._dialog = ConfirmDialog(
            self._panes.theme,
            shown(asked.title),
            shown(asked.what),
            yes_text=tr("Send it there"),
            parent=self._panes.window,
        )
        try:
            return await dialog.ask()
        finally:
            self._dialog = None
