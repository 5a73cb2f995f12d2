"""Shows the window after a failed start: everything that cannot work is off, and the ways out are offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.texts import Text
from chatdesk.ui.qt.async_tasks import AsyncTasks
from chatdesk.ui.window.window_context import Panes

if TYPE_CHECKING:  # keeps the first paint fast
    from chatdesk.services.parts import GetBackups
    from chatdesk.ui.features.settings.restore_binding import RestartAfter


def unforeseen_failure() -> ChatDeskError:
    """Return the error to show when the start failed for an unexpected reason."""
    return ChatDeskError(
        Text("Something failed that ChatDesk needs to start."),
        safe=Text("Everything saved before is unchanged."),
        next_step=Text("Start it again; “chatdesk doctor” and the log say more."),
    )


def offer_ways_out(
    panes: Panes, tasks: AsyncTasks, restart_after: RestartAfter, *, get_backups: GetBackups | None
) -> None:
    """Offer to restore a backup (where there are any to ask for), to report the problem and to quit."""
    if get_backups is not None:
        from chatdesk.ui.features.settings.restore_binding import RestoreBinding  # after the first paint

        RestoreBinding(panes, tasks, restart_after, get_backups=get_backups)
    panes.window.set_commands(panes.registry)
    panes.empty_state.commandChosen.connect(panes.commands.trigger)
    panes.empty_state.show_failure(can_restore=get_backups is not None)
