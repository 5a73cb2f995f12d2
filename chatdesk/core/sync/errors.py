"""Errors of the connection to a team's database, with the sentences that people read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chatdesk.core.errors import HistoryChanged as HistoryChanged
from chatdesk.core.errors import TeamError as TeamError
from chatdesk.core.texts import Text

_LATER = Text("ChatDesk continues by itself tomorrow (UTC). An owner of the workspace can raise the limit.")
# By the setting's name: the failure, and the next step.
_LIMITS: Final = {
    "bytes_each": (Text("You have reached the workspace's daily limit of text for each member."), _LATER),
    "bytes_project": (
        Text("This project has reached the workspace's daily limit of text for each project."),
        _LATER,
    ),
    "file_bytes_each": (Text("You have reached the workspace's daily limit of files for each member."), _LATER),
    "file_bytes_project": (
        Text("This project has reached the workspace's daily limit of files for each project."),
        _LATER,
    ),
    "changes_each_minute": (
        Text("You have reached the workspace's limit of changes a minute for each member."),
        Text("ChatDesk continues by itself in a minute."),
    ),
    "members": (
        Text("The workspace has reached its limit of members."),
        Text("An owner of the workspace can raise the limit, or remove somebody."),
    ),
    "invitations": (
        Text("The workspace has reached its limit of open invitations."),
        Text("Withdraw some, or wait until they expire. An owner of the workspace can raise the limit."),
    ),
    "projects_each": (
        Text("You have reached the workspace's limit of shared projects for each member."),
        Text("An owner of the workspace can raise the limit."),
    ),
}
_DAILY_LIMITS: Final = frozenset(("bytes_each", "bytes_project", "file_bytes_each", "file_bytes_project"))
_PASSING_LIMITS: Final = _DAILY_LIMITS | {"changes_each_minute"}
_SAFE = Text("Everything you wrote is kept on this computer.")


class TeamLogBroken(TeamError):
    """The server's log of a project contradicts the rows received before. ``what`` says so, and since when."""

    code = "team_log_broken"
    what = Text("What the team's server sends does not fit what it sent before.")
    safe = Text("What was received before stays readable, and everything you wrote is kept on this computer.")
    next_step = Text("ChatDesk asks again by itself. Tell the people who run the server.")


class TeamUnreachable(TeamError):
    code = "team_unreachable"
    what = Text("The team's database cannot be reached.")
    next_step = Text("ChatDesk tries again by itself.")
    is_passing = True


class TeamBusy(TeamError):
    """The database waits for another transaction. ``by``: the names of the members whose transactions have been open
    for a while, as far as this login may know them."""

    code = "team_busy"
    what = Text("The team's database is busy with another member's change.")
    next_step = Text("ChatDesk tries again by itself.")
    is_passing = True

    def __init__(self, by: Sequence[str] = ()) -> None:
        self.by = tuple(by)
        if not self.by:
            super().__init__()
            return
        super().__init__(
            Text("The team's database waits for an unfinished change of {by}.", by=self.by),
            next_step=Text(
                "{next_step} If it stays so, an owner of the workspace can end their connections.",
                next_step=self.next_step,
            ),
        )


class TeamLimited(TeamError):
    """A limit of the workspace is reached. ``limit``: the name of the setting, as the server reports it. ``is_daily``:
    only a new day or an owner of the workspace makes room again."""

    code = "team_limited"
    what = Text("A limit of the workspace is reached.")
    next_step = Text("An owner of the workspace can change it.")

    def __init__(self, limit: str = "") -> None:
        self.limit = limit
        what, next_step = _LIMITS.get(limit, (None, None))
        super().__init__(what, next_step=next_step)
        self.is_passing = limit in _PASSING_LIMITS
        self.is_daily = limit in _DAILY_LIMITS

    @classmethod
    def from_sentence(cls, what: str) -> TeamLimited | None:
        """Return the error whose sentence is ``what`` (a status keeps only the sentence), or None."""
        name = next((name for name, (sentence, _) in _LIMITS.items() if sentence == what), None)
        return None if name is None else cls(name)


class TeamNameTaken(TeamError):
    code = "team_name_taken"
    what = Text("Another member of the workspace has this name.")
    safe = Text("Nothing was changed.")
    next_step = Text("Choose a name that tells you apart.")


class OtherWorkspace(TeamError):
    """The database belongs to another workspace than the joined one, so nothing is sent or accepted."""

    code = "team_other_workspace"
    what = Text("This address leads to another team's database than the one you joined.")
    next_step = Text("Ask the workspace's owner for the address, or join the other workspace on its own.")


class TeamPasswordMissing(TeamError):
    code = "team_password_missing"
    what = Text("The password for the team's database cannot be found on this computer.")
    next_step = Text("Unlock the keyring, or enter the password in Settings, Team sync.")


class TeamThroughPooler(TeamError):
    """A statement that was prepared on this connection is not there: each transaction runs on another one."""

    code = "team_through_pooler"
    what = Text("This address leads to a pooler that gives each transaction another connection.")
    next_step = Text("Use the server's direct port, or session pooling.")


class TeamTimeout(TeamUnreachable):
    code = "team_timeout"
    what = Text("The team's database did not answer in time.")


class TeamHostUnknown(TeamUnreachable):
    code = "team_host_unknown"
    what = Text("The server of the team's database was not found under its name.")
    next_step = Text("Check the name and your network. ChatDesk tries again by itself.")


class TeamConnectionsUsedUp(TeamUnreachable):
    code = "team_connections_used_up"
    what = Text("The team's database takes no more connections at the moment.")
    next_step = Text("ChatDesk tries again by itself. If it stays so, the server's max_connections is too small.")


class TeamServerReadOnly(TeamUnreachable):
    code = "team_server_read_only"
    what = Text(
        "The team's database cannot be written to at the moment: its server is a standby, or was made read-only."
    )
    next_step = Text("ChatDesk tries again by itself. If it stays so, tell whoever runs the server.")


class TeamServerFull(TeamUnreachable):
    code = "team_server_full"
    what = Text("The disk of the team's server is full.")
    next_step = Text("Tell whoever runs the server. ChatDesk tries again by itself.")


class TeamLoginRefused(TeamError):
    """The password is wrong or has expired; the server does not say which."""

    code = "team_login_refused"
    what = Text("The team's server did not take the password: it is wrong, or it has expired.")
    next_step = Text("Enter the password again, or ask the workspace's owner for a new invitation.")


class TeamLoginClosed(TeamError):
    code = "team_login_closed"
    what = Text("Your login to the team's database was closed: you are no longer a member of this workspace.")
    next_step = Text("If this is a mistake, ask the workspace's owner for a new invitation.")


class TeamNotInvited(TeamError):
    code = "team_not_invited"
    what = Text("This login is not a member of the workspace.")
    next_step = Text("Ask the workspace's owner for an invitation.")


class TeamInvitationEnded(TeamError):
    code = "team_invitation_ended"
    what = Text("The invitation was not accepted in time, or not at all.")
    next_step = Text("Accept it, or ask the workspace's owner for a new one.")


class TeamInvitationUsed(TeamError):
    """The invitation was used or withdrawn; also raised where the server rejects its secret before it expires."""

    code = "invitation_used"
    what = Text("The invitation was used already, or withdrawn; each is good once.")
    safe = Text("Nothing was changed.")
    next_step = Text(
        "If you joined on another computer, add this one there. If it was not you who used it, tell the workspace's"
        " owner, who can remove that member; then ask for a new one."
    )


class TeamTlsRefused(TeamError):
    code = "team_tls_refused"
    what = Text("The server of the team's database does not speak TLS, so what you write would be sent unencrypted.")
    next_step = Text("Ask whoever runs the server to turn TLS on. Nothing was sent.")


class TeamTlsRequired(TeamError):
    code = "team_tls_required"
    what = Text("The server of the team's database refuses connections of this kind from this computer.")
    next_step = Text("Turn TLS on for this address, or ask whoever runs the server to let this computer in.")


class TeamCertificateNotTrusted(TeamError):
    code = "team_certificate_not_trusted"
    what = Text("This computer does not trust the certificate of the team's server for that server's name.")
    next_step = Text(
        "Somebody may be intercepting the connection. Ask whoever runs the server for its certificate. "
        "Nothing was sent."
    )


class TeamPasswordAskedFor(TeamError):
    """The server asked for the password in plain text. ChatDesk only proves that it knows it (SCRAM)."""

    code = "team_password_asked_for"
    what = Text(
        "The server asked for the password itself instead of a proof that you know it, so ChatDesk did not send it."
    )
    next_step = Text("It may not be the team's server. Ask whoever runs it; its passwords have to be scram-sha-256.")


class TeamDatabaseMissing(TeamError):
    code = "team_database_missing"
    what = Text("There is no such database on the team's server.")
    next_step = Text("Check the name of the database.")


class NoWorkspaceThere(TeamError):
    code = "team_no_workspace"
    what = Text("There is no workspace of ChatDesk in this database.")
    next_step = Text("Check the address, or create a workspace there.")


class TeamDatabaseNotEmpty(TeamError):
    code = "team_database_not_empty"
    what = Text("The database is not empty, and a workspace needs one for itself.")
    next_step = Text("Create an empty database and give its address. Nothing was changed.")


class TeamServerTooOld(TeamError):
    code = "team_server_too_old"
    what = Text("The server is older than PostgreSQL 15.")
    next_step = Text("A workspace needs PostgreSQL 15 or newer. Nothing was changed.")


class TeamServerTooNew(TeamError):
    """The workspace was upgraded by a newer ChatDesk."""

    code = "team_server_too_new"
    what = Text("The workspace was upgraded by a newer ChatDesk than this one.")
    next_step = Text("Update ChatDesk to continue; until then, what you change waits here.")


class TeamNotUpgraded(TeamError):
    """The workspace is of a schema that this ChatDesk cannot sync with any more."""

    code = "team_not_upgraded"
    what = Text("The team's database is of an older ChatDesk than this one.")
    next_step = Text(
        "An owner upgrades it: 'chatdesk team upgrade', or upgrade.sql. Until then, what you change waits here."
    )


class TeamNoRightForRoles(TeamError):
    code = "team_no_right_for_roles"
    what = Text("This login may not do what setting up a workspace takes: own the database and create roles in it.")
    next_step = Text("Use a login that owns the database and has CREATEROLE. Nothing was changed.")


class TeamProjectDeleted(TeamError):
    code = "team_project_deleted"
    what = Text("The project was deleted for everybody by its owner.")
    next_step = Text("Your copy stays here as a private project.")


class TeamNotInProject(TeamError):
    code = "team_not_in_project"
    what = Text("You are no longer in this project.")
    next_step = Text("Your copy stays here as a private project. To come back, ask one of its owners.")


class TeamParked(TeamError):
    """The workspace is parked (``storage/sync/parked_workspaces``)."""

    code = "team_parked"
    what = Text("This profile, or a copy of it, was put in the place of another one, so it no longer syncs.")
    safe = _SAFE
    next_step = Text(
        "Press Connect again in Settings, Team sync, or run 'chatdesk team join'. What waits here is sent then."
    )


class TeamDeviceUnknown(TeamError):
    """The server does not know this device. The next ``hello`` registers it again, or reports that it belongs to
    another member."""

    code = "team_device_unknown"
    what = Text("The workspace does not, or no longer, know this computer.")
    next_step = Text("ChatDesk registers it again by itself.")
    is_passing = True


class TeamNotAllowed(TeamError):
    code = "team_not_allowed"
    what = Text("Your role does not permit this.")
    next_step = Text("Ask an owner of the project or of the workspace. Nothing was changed.")


class TeamLastOwner(TeamError):
    code = "team_last_owner"
    what = Text("There must always be an owner.")
    next_step = Text("Make somebody else owner first. Nothing was changed.")


class TeamNotTaken(TeamError):
    code = "team_not_taken"
    what = Text("The team's database did not take a value.")
    next_step = Text("Check what you typed. Nothing was changed.")


class TeamLossChanged(TeamError):
    code = "team_loss_changed"
    what = Text("By now the server misses other changes of this project than those, or none.")
    next_step = Text("Check against the server again. Nothing was changed.")


class TeamRowsChanged(TeamError):
    """Rows of a log were rewritten as well, and a log that is chained anew would hide that."""

    code = "team_rows_changed"
    what = Text("Changes of this project were not only lost on the server, but rewritten as well.")
    next_step = Text("Tell the people who run the server. Nothing was changed.")


class TeamMemberInvited(TeamError):
    """The member has not accepted the invitation, so there is no login yet that could correct this."""

    code = "team_member_invited"
    what = Text("This person has not accepted the invitation yet.")
    next_step = Text("Try it again when they have joined. Nothing was changed.")


class TeamMemberGone(TeamError):
    code = "team_member_gone"
    what = Text("This person is not, or no longer, a member of the workspace.")
    next_step = Text("Invite them first. Nothing was changed.")


class TeamTaken(TeamError):
    code = "team_taken"
    what = Text("That exists already and is another member's.")
    next_step = Text("Nothing was changed.")
