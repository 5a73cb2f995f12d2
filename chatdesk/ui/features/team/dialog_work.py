"""Runs the work of a team's dialog, and shows a failure where the person looks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from shiboken6 import isValid

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.texts import shown, tr
from chatdesk.ui.dialogs.task_panel import TaskPanel


async def run_in_dialog(
    dialog: TaskPanel, work: Callable[[], Awaitable[None]], on_failure: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Run ``work``; an error is shown in the dialog, or in the window when it is closed by then."""
    try:
        await work()
    except ChatDeskError as error:
        if on_failure is not None:
            await on_failure()
        if not isValid(dialog) or not dialog.isVisible():
            raise
        dialog.show_problem(sentence_of(error))
    except Exception:
        if isValid(dialog):
            dialog.end_busy()  # the window says that something failed; here one can go on
        raise


def sentence_of(error: ChatDeskError) -> str:
    """Return the error's sentence for an action a person asked for, which is not tried again automatically."""
    again = tr("ChatDesk tries again by itself.")
    return shown(error.sentence).replace(again, tr("Try again in a while."))
