"""The words for roles, members, computers and shared projects of a team. No widgets here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from chatdesk.core.domain.sharing.team import (
    EndReason,
    MemberStatus,
    ServerAddress,
    ShareCount,
    SharedProject,
    ShareState,
    SyncRound,
    TeamDevice,
    TeamMember,
    TeamRole,
    ended_text,
)
from chatdesk.core.plurals import counted
from chatdesk.ui.features.team.sync_status_text import moment, waiting_words
from chatdesk.ui.widgets.file_size import size_text

_MS_PER_S: Final = 1000
_HERE_WITHIN_MS: Final = 90_000

ROLE_NAMES: Final = {
    TeamRole.VIEWER: "Viewer",
    TeamRole.EDITOR: "Editor",
    TeamRole.ADMIN: "Admin",
    TeamRole.OWNER: "Owner",
}
ROLE_HINTS: Final = {
    TeamRole.VIEWER: "reads",
    TeamRole.EDITOR: "reads and writes, changes and deletes their own",
    TeamRole.ADMIN: "changes and deletes everything, and manages members",
    TeamRole.OWNER: "does everything, and may end the sharing for everybody",
}
WHAT_LEAVES: Final = (
    "Only projects that you share leave this computer: their threads, messages, attachments and summaries. Keys, "
    "drafts, pins, the prompt library and everything else stay here."
)
CANNOT_TAKE_BACK: Final = (
    "What others have read, copied or exported, and private copies of those who leave. Threads and messages can be"
    " erased for everyone later, on the server and on each computer when it syncs; backups keep them until they are"
    " replaced. Stopping to share removes nothing from the server unless you choose to erase the project."
)
WHO_CAN_READ: Final = "Anyone who administers the database can read all that is shared, whatever roles people have."


def day(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / _MS_PER_S, tz=UTC).astimezone()
    return f"{at.day} {at:%B} {at.year}, {at:%H:%M}"


def project_words(project: SharedProject) -> str:
    """Role and what is to be done, for one line."""
    if project.is_let_in:
        return "Open to you again; this copy waits for Share…"
    if project.state is ShareState.ENDED:
        return f"{ended_text(project.ended or EndReason.UNSHARED, 'it')} This is a private copy."
    is_going_up = project.state is ShareState.SHARING
    return ", ".join(filter(None, (ROLE_NAMES[project.role], "going up" if is_going_up else "", open_words(project))))


def open_words(project: SharedProject) -> str:
    """Return what of a project is only on this computer; empty when nothing is."""
    words = []
    if project.waiting:
        words.append(waiting_words(project.waiting))
    if project.refused:
        words.append(f"{counted(project.refused, 'change')} refused")
    if project.missing:
        words.append(f"{counted(project.missing, 'change')} missing on the server")
    if project.altered:
        words.append(f"{counted(project.altered, 'change')} rewritten on the server")
    return ", ".join(words)


def share_words(count: ShareCount) -> str:
    """Return a sentence on what is uploaded."""
    parts = [counted(count.threads, "thread"), counted(count.messages, "message")]
    if count.attachments:
        parts.append(f"{counted(count.attachments, 'attachment')} ({size_text(count.attachment_bytes)})")
    return f"{', '.join(parts[:-1])} and {parts[-1]} go up now; what is written later follows by itself."


def member_words(member: TeamMember, *, is_me: bool) -> str:
    """Return what a person is in the workspace, for one line."""
    if member.status is MemberStatus.REMOVED:
        return "removed; what they wrote stays"
    words = ["you"] if is_me else []
    if member.is_owner:
        words.append("owner of the workspace")
    if member.status is MemberStatus.INVITED:
        invited = "" if member.invited_at is None else f" on {day(member.invited_at)}"
        words.append(f"invited{invited}, has not joined yet")
    elif not member.roles and not member.is_owner:
        words.append("in no project of yours")
    return ", ".join(words)


def device_words(device: TeamDevice, *, owner: str, now_ms: int) -> str:
    """Return the owner of a computer and when it was last seen, for one line."""
    words = [owner]
    if device.is_this:
        words.append("this computer")
    elif device.last_seen_at is None:
        words.append("was never here")
    elif now_ms - device.last_seen_at < _HERE_WITHIN_MS:
        words.append("here now")
    else:
        words.append(f"last here {moment(device.last_seen_at)}")
    if device.app_version:
        words.append(f"ChatDesk {device.app_version}")
    return ", ".join(words)


def round_words(round_: SyncRound) -> str:
    """Return a sentence on the result of one round of sync."""
    if round_.problem:
        return round_.problem
    if not (round_.sent or round_.received):
        return "Nothing was new."
    return f"{round_.sent:,} sent, {round_.received:,} received."


def address_words(address: ServerAddress) -> str:
    """Return the address of a workspace's database, for one line."""
    port = "" if address.port == 5432 else f":{address.port}"
    return f"{address.database} on {address.host}{port}"
