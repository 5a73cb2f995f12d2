"""Defines the terms of team sync: workspaces, members, roles, shared projects and the status of sync."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Final

from chatdesk.core.domain.sharing.lost_changes import LostChanges
from chatdesk.core.moments import moment_text
from chatdesk.core.texts import Text

# The schema that this ChatDesk sets up and upgrades team databases to.
TEAM_SCHEMA: Final = 2
# The oldest schema that it syncs with.
OLDEST_TEAM_SCHEMA: Final = 2
# The longest time that a shared project can be told to keep its messages for; else it keeps them for ever.
LONGEST_RETENTION_DAYS: Final = 36_500


class TeamRole(StrEnum):
    """A member's role in one project; each includes the rights of those before it."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"
    OWNER = "owner"

    @property
    def can_write(self) -> bool:
        return self is not TeamRole.VIEWER

    @property
    def can_manage(self) -> bool:
        """Return whether the role may change others' messages, the project's settings, and members below it."""
        return self in (TeamRole.ADMIN, TeamRole.OWNER)


class MemberStatus(StrEnum):
    INVITED = "invited"
    ACTIVE = "active"
    REMOVED = "removed"


class ChangeState(IntEnum):
    """The state of a row of the change log. Numbers are stored."""

    PENDING = 0
    CONFIRMED = 1  # came back in a pull, so that all members can have it
    REFUSED = 2  # refused by the server; kept here and shown
    ORPHANED = 3  # another member's change that the server lacks or has lost
    ACKNOWLEDGED = 4  # accepted by the server, not yet seen in a pull
    PRIVATE = 5  # never sent: personal, or of a project whose sharing has ended


class ShareState(StrEnum):
    """The state of a project's share. ``SHARING``: its earlier contents are still being entered into the log.
    ``ENDED``: it is a private copy by now."""

    SHARING = "sharing"
    SHARED = "shared"
    ENDED = "ended"


class Misfit(StrEnum):
    """The way in which the server's log of a project contradicts the rows received before."""

    MISSING = "missing"
    ALTERED = "altered"
    EMPTIED = "emptied"
    WITHHELD = "withheld"


_MISFITS: Final = {
    Misfit.MISSING: Text("Since {since}, changes of “{project}” are missing on the team's server."),
    Misfit.ALTERED: Text("Since {since}, the team's server has other changes of “{project}” than it took."),
    Misfit.EMPTIED: Text(
        "Since {since}, changes of “{project}” are emptied on the team's server, and nobody asked for that."
    ),
    Misfit.WITHHELD: Text("Since {since}, the team's server does not send all changes of “{project}” that it has."),
}


def misfit_text(misfit: Misfit, name: str, since_ms: int) -> Text:
    """Return a sentence that says what does not fit, in which project and since when."""
    since = moment_text(since_ms, lambda moment: f"{moment:%Y-%m-%d %H:%M}")
    return _MISFITS[misfit].filled(project=name, since=since)


class EndReason(StrEnum):
    """The reason why sharing of a project ended."""

    UNSHARED = "unshared"
    LEFT = "left"
    REMOVED = "removed"
    DELETED = "deleted"
    ERASED = "erased"  # by its owner, with its whole content


_ENDED: Final = {
    EndReason.UNSHARED: Text("It is no longer shared."),
    EndReason.LEFT: Text("You left it."),
    EndReason.REMOVED: Text("You were removed from it."),
    EndReason.DELETED: Text("It was deleted from the team by its owner."),
    EndReason.ERASED: Text("It was erased for everybody by its owner."),
}


def ended_text(reason: EndReason, name: str = "") -> Text:
    """Return a sentence about why sharing of a project ended, with its name or without."""
    if not name:
        return _ENDED[reason]
    match reason:
        case EndReason.UNSHARED:
            return Text("“{name}” is no longer shared.", name=name)
        case EndReason.LEFT:
            return Text("You left “{name}”.", name=name)
        case EndReason.REMOVED:
            return Text("You were removed from “{name}”.", name=name)
        case EndReason.DELETED:
            return Text("“{name}” was deleted from the team by its owner.", name=name)
        case EndReason.ERASED:
            return Text("“{name}” was erased for everybody by its owner.", name=name)


class SyncMode(StrEnum):
    """The access that the server grants to this version of ChatDesk."""

    READ_WRITE = "rw"
    READ_ONLY = "read_only"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """The address of a team's database; the password is kept with the keys. ``ca``: PEM text, empty for the system's
    own. ``tls``: as libpq's ``sslmode``, ``verify-full`` unless the person chose otherwise."""

    host: str
    port: int
    database: str
    user: str
    tls: str = "verify-full"
    ca: str = ""


NOWHERE: Final = ServerAddress("", 0, "", "")


@dataclass(frozen=True, slots=True)
class Workspace:
    """A team's database, as this profile knows it. Times are milliseconds UTC. ``member_name``: this person's name
    there, where the server was just asked; not stored with the rest. ``place``: the folder of this person's own
    computers, which stands in for a server; ``address`` is ``NOWHERE`` then. ``is_paused``: nothing is read there or
    written."""

    id: str
    name: str
    address: ServerAddress
    member_id: str
    is_owner: bool
    joined_at: int
    clock_offset_ms: int = 0
    member_name: str = field(default="", compare=False)
    place: str = ""
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class TeamMember:
    """A member of a team. ``roles``: by project id, of the projects that are shared with them. ``invited_by``: a
    member's id."""

    id: str
    name: str
    is_owner: bool
    status: MemberStatus
    invited_at: int | None = None
    roles: dict[str, TeamRole] = field(default_factory=dict)
    invited_by: str | None = None


@dataclass(frozen=True, slots=True)
class Blocker:
    """A member whose unfinished change blocks others, for how many seconds, and whether the server has ended it.
    ``name`` is empty where this person does not know the member."""

    member_id: str | None
    name: str
    seconds: int
    is_ended: bool


@dataclass(frozen=True, slots=True)
class WorkspacePolicy:
    """The rights and quotas in a workspace; bytes are those of a day (UTC). ``who_invites``: owners, or admins as well;
    ``who_creates``: owners, or members as well."""

    who_invites: str
    who_creates: str
    members: int
    invitations: int
    projects_each: int
    connections_each: int
    changes_each_minute: int
    bytes_each: int
    bytes_project: int
    file_bytes_each: int
    file_bytes_project: int


@dataclass(frozen=True, slots=True)
class TeamDevice:
    """A computer of a member. ``last_seen_at``: by the server's clock; None while it was never here."""

    id: str
    member_id: str
    name: str
    app_version: str
    last_seen_at: int | None
    is_this: bool = False


@dataclass(frozen=True, slots=True)
class SharedProject:
    """A project of this profile that is or was shared. ``seq`` is the newest pulled change. ``waiting`` counts changes
    that the server does not have, ``refused`` those that it did not accept. ``is_let_in``: the team lets this person
    into a private copy's project again, and what they wrote in it in the meantime waits for their *Share…*. ``misfit``
    is a sentence on what of the server's log does not fit, for which the project is not synced."""

    project_id: str
    workspace_id: str
    role: TeamRole
    state: ShareState
    seq: int = 0
    waiting: int = 0
    refused: int = 0
    ended: EndReason | None = None
    is_let_in: bool = False
    misfit: str = ""


@dataclass(frozen=True, slots=True)
class ShareCount:
    """The size of the upload when a project is shared; ``attachment_bytes`` counts equal files once."""

    threads: int
    messages: int
    attachments: int
    attachment_bytes: int


@dataclass(frozen=True, slots=True)
class Erasure:
    """The extent of erasing a thread or message for everybody: ``messages`` with words that this person may erase, and
    ``others``, those of other members that stay. ``may_write``: whether the project lets this person write at all."""

    messages: int
    others: int
    may_write: bool = True


@dataclass(frozen=True, slots=True)
class RefusedChange:
    """A change that the server refused. ``status`` is the server's word for it, ``sentence`` the person's sentence,
    ``text`` the text that can be copied out; times are milliseconds UTC."""

    id: str
    project_id: str
    thread_id: str | None
    kind: str
    at: int
    status: str
    sentence: str
    text: str


class PresenceState(StrEnum):
    HERE = "here"
    TYPING = "typing"


@dataclass(frozen=True, slots=True)
class Presence:
    """Another member who has a shared project open right now; ``thread_id`` is the open thread, if any."""

    project_id: str
    member_id: str
    name: str
    thread_id: str | None
    state: PresenceState


class SyncPhase(StrEnum):
    """The phase of the sync of a workspace."""

    OFF = "off"
    CONNECTING = "connecting"
    SYNCING = "syncing"
    SYNCED = "synced"
    OFFLINE = "offline"  # the server cannot be reached; tried again at ``next_try_at``
    REFUSED = "refused"  # the server refused; ``problem`` says why
    READ_ONLY = "read_only"  # this ChatDesk is too old to write


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """The status of one workspace. Times are milliseconds UTC, None: never, or not planned. ``done`` of ``total`` rows
    of a first pull or of a first push; None when there is none. ``problem`` is a whole sentence, ``code`` its error's.
    ``is_outdated``: the database is of an older schema than ``TEAM_SCHEMA``, and sync continues all the same."""

    workspace_id: str
    phase: SyncPhase
    synced_at: int | None = None
    waiting: int = 0
    refused: int = 0
    problem: str = ""
    next_step: str = ""
    next_try_at: int | None = None
    done: int | None = None
    total: int | None = None
    code: str = ""
    is_outdated: bool = False


@dataclass(frozen=True, slots=True)
class SyncRound:
    """A line of the log of rounds. ``took_ms`` is its duration."""

    at: int
    workspace_id: str
    sent: int
    received: int
    took_ms: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ServerCheck:
    """The result of *Check against the server*. ``lost``: the changes that the server has lost; ``accepted``: sentences
    about losses that an owner accepted."""

    lost: tuple[LostChanges, ...] = ()
    accepted: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """The sentences beside the list of losses."""
        return self.accepted if self.lost else (Text("The server has lost nothing."), *self.accepted)


@dataclass(frozen=True, slots=True)
class TeamNote:
    """A note to a member about a thread: something deleted came back, or another member brought a change back after the
    server was restored."""

    at: int
    thread_id: str
    sentence: str
