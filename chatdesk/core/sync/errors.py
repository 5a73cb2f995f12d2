"""What can go wrong between a profile and its team's database, in words for people."""

from __future__ import annotations

from chatdesk.core.errors import HistoryChanged as HistoryChanged
from chatdesk.core.errors import TeamError as TeamError

_SAFE = "Everything you wrote is kept on this computer."


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


class OtherWorkspace(TeamError):
    """Nothing is ever taken from, or given to, a database that is not the one that was joined."""

    code = "team_other_workspace"
    what = "This address leads to another team's database than the one you joined."
    next_step = "Ask the workspace's owner for the address, or join the other workspace on its own."


class TeamPasswordMissing(TeamError):
    code = "team_password_missing"
    what = "The password for the team's database cannot be found on this computer."
    next_step = "Unlock the keyring, or enter the password in Settings, Team sync."
