"""Team sync as a window and scripts see it: workspaces, what is shared, how it stands, who is here.

One for all workspaces. Each has a thread of its own (``worker``), which this starts, stops, and hears from; coroutines
and events belong to the loop's thread. What is looked up while something is painted (unread counts, roles, names,
presence) is kept here, so that asking costs a look into a dictionary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from chatdesk.core.domain.team import (
    Disagreement,
    Presence,
    RefusedChange,
    ServerCheck,
    ShareCount,
    SharedProject,
    SyncRound,
    SyncStatus,
    TeamDevice,
    TeamMember,
    TeamNote,
    TeamRole,
    Workspace,
)
from chatdesk.core.domain.thread import Thread

if TYPE_CHECKING:
    from chatdesk.core.sync.membership import Membership


class TeamService:
    """See the module text. Made lazily (``Services.team``); does nothing before ``start``."""

    async def start(self) -> None:
        """Read what is known and begin to sync every workspace that was joined; nothing where there is none. Safe to
        call again, as after joining one."""
        raise NotImplementedError

    @property
    def membership(self) -> Membership:
        """Making, joining and leaving workspaces, and inviting."""
        raise NotImplementedError

    # How it stands

    async def workspaces(self) -> tuple[Workspace, ...]:
        """The joined ones, the oldest first."""
        raise NotImplementedError

    def status(self, workspace_id: str) -> SyncStatus:
        """How it stands right now; ``SyncPhase.OFF`` for one that is not known. Cheap."""
        raise NotImplementedError

    def statuses(self) -> tuple[SyncStatus, ...]:
        """Of all workspaces. Cheap."""
        raise NotImplementedError

    def sync_now(self, workspace_id: str | None = None) -> None:
        """Begin a round at once, whatever was waited for; None: in every workspace. Also what to call when the network
        changed or the computer woke up. Cheap."""
        raise NotImplementedError

    async def rounds(self, workspace_id: str, limit: int = 100) -> tuple[SyncRound, ...]:
        """The log of rounds, the newest first."""
        raise NotImplementedError

    async def check(self, workspace_id: str) -> ServerCheck:
        """Compare all that this profile took over with what the server has, change by change. Raises ``TeamError``."""
        raise NotImplementedError

    # People and projects

    async def members(self, workspace_id: str) -> tuple[TeamMember, ...]:
        """As of the last round; removed ones too, because they wrote things."""
        raise NotImplementedError

    async def devices(self, workspace_id: str) -> tuple[TeamDevice, ...]:
        """As of the last round."""
        raise NotImplementedError

    def member_name(self, member_id: str) -> str:
        """What to show for an author's id; a word for one that is not known. Cheap."""
        raise NotImplementedError

    async def projects(self) -> tuple[SharedProject, ...]:
        """All that are or were shared."""
        raise NotImplementedError

    def shared_project(self, project_id: str) -> SharedProject | None:
        """None for a private one. Counters as of the last round. Cheap."""
        raise NotImplementedError

    async def share_count(self, project_id: str) -> ShareCount:
        """What would go up."""
        raise NotImplementedError

    async def share(self, project_id: str, workspace_id: str) -> None:
        """Share a project with a workspace; sending goes on by itself, across restarts. Needs the server. Raises
        ``TeamError``, ``NotPossible``, ``StorageError``."""
        raise NotImplementedError

    async def unshare(self, project_id: str) -> None:
        """The owner ends it for everybody, anybody else leaves it; a private copy stays here. Needs the server. Raises
        ``TeamError``, ``NotPossible``, ``StorageError``."""
        raise NotImplementedError

    async def set_role(self, project_id: str, member_id: str, role: TeamRole | None) -> None:
        """None takes the project from the member. Raises ``TeamError``, ``NotPossible``."""
        raise NotImplementedError

    # What needs a person

    async def refused(self) -> tuple[RefusedChange, ...]:
        """Changes that the server did not take, the newest first."""
        raise NotImplementedError

    async def copy_refused(self, change_ids: Sequence[str]) -> Thread:
        """Copy what they say into a new thread of a private project, which is returned."""
        raise NotImplementedError

    async def retry_refused(self, change_ids: Sequence[str]) -> None:
        """Send them again."""
        raise NotImplementedError

    async def forget_refused(self, change_ids: Sequence[str]) -> None:
        """Show them no more."""
        raise NotImplementedError

    async def disagreements(self, project_id: str) -> tuple[Disagreement, ...]:
        """Titles, prompts and the like that two people wrote at once."""
        raise NotImplementedError

    async def choose(self, disagreement: Disagreement, change_id: str) -> None:
        """Settle it for everybody. Raises ``NotPossible`` where it is settled already."""
        raise NotImplementedError

    async def notes(self, thread_id: str) -> tuple[TeamNote, ...]:
        """What was not seen yet of what happened to a thread, the oldest first."""
        raise NotImplementedError

    async def note_seen(self, thread_id: str) -> None:
        """Its notes were read."""
        raise NotImplementedError

    # Unread and presence

    def unread(self) -> Mapping[str, int]:
        """Messages of others that were not seen, by thread; threads without any are left out. Cheap."""
        raise NotImplementedError

    async def mark_read(self, thread_id: str) -> None:
        """All of it was seen; ``UnreadChanged`` tells if that is news."""
        raise NotImplementedError

    def set_presence(self, project_id: str | None, thread_id: str | None, *, is_typing: bool = False) -> None:
        """Where the person is; None: at no shared project. Sent as often as is good, so that it may be called with
        every key. Cheap."""
        raise NotImplementedError

    def presence(self, project_id: str) -> tuple[Presence, ...]:
        """Who else is there, by name. Cheap."""
        raise NotImplementedError

    async def close(self) -> None:
        """Stop syncing, within a second. Safe to call twice."""
        raise NotImplementedError
