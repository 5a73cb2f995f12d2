"""What can go wrong between a profile and its team's database, in words for people."""

from __future__ import annotations

from chatdesk.core.errors import ChatDeskError

_SAFE = "Everything you wrote is kept on this computer."


class TeamError(ChatDeskError):
    """``is_passing``: trying again later may help, without anybody doing anything."""

    code = "team"
    what = "The team's database did not do what was asked."
    safe = _SAFE
    next_step = "Open Details in the status line to see what it said."
    is_passing = False


class TeamUnreachable(TeamError):
    code = "team_unreachable"
    what = "The team's database cannot be reached."
    next_step = "ChatDesk tries again by itself."
    is_passing = True


class TeamBusy(TeamError):
    code = "team_busy"
    what = "The team's database is busy with another member's change."
    next_step = "ChatDesk tries again by itself."
    is_passing = True


class HistoryChanged(TeamError):
    """The server's log is not the one that was pulled: it was restored from a backup, or replaced."""

    code = "team_history_changed"
    what = "The team's database was restored from a backup."
    next_step = "ChatDesk compares everything again and brings back what it has."
    is_passing = True
