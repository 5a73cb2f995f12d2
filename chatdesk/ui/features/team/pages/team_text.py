"""Team sync in words: roles, how a workspace stands, counts and moments. No widgets here."""

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
    SyncPhase,
    SyncRound,
    SyncStatus,
    TeamDevice,
    TeamMember,
    TeamRole,
)
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
_PHASES: Final = {
    SyncPhase.OFF: "Not syncing.",
    SyncPhase.CONNECTING: "Connecting.",
    SyncPhase.SYNCING: "Syncing.",
    SyncPhase.OFFLINE: "Offline: the team's database cannot be reached.",
    SyncPhase.REFUSED: "The team's database did not let this computer in.",
    SyncPhase.READ_ONLY: "This ChatDesk is too old to send changes; it still receives those of others.",
}
_ENDS: Final = {
    EndReason.UNSHARED: "Its owner stopped sharing it; this is a private copy.",
    EndReason.LEFT: "You left it; this is a private copy.",
    EndReason.REMOVED: "You were taken off it; this is a private copy.",
    EndReason.DELETED: "Its owner deleted it; this is a private copy.",
    EndReason.ERASED: "Its owner erased it for everybody.",
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


def count_of(number: int, one: str, many: str = "") -> str:
    """``count_of(2, "thread")`` is *2 threads*."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def moment(at_ms: int | None, *, now: datetime | None = None) -> str:
    """Return a moment as local time, with its day where that is another one; *never* for None."""
    if at_ms is None:
        return "never"
    at = datetime.fromtimestamp(at_ms / _MS_PER_S, tz=UTC).astimezone()
    today = (now or datetime.now(tz=UTC)).astimezone()
    if at.date() == today.date():
        return f"{at:%H:%M:%S}"
    year = "" if at.year == today.year else f" {at.year}"
    return f"{at.day} {at:%B}{year}, {at:%H:%M}"


def day(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / _MS_PER_S, tz=UTC).astimezone()
    return f"{at.day} {at:%B} {at.year}, {at:%H:%M}"


def status_words(status: SyncStatus) -> str:
    """Return the state of a workspace as whole sentences."""
    words: list[str] = []
    if status.phase is SyncPhase.SYNCED:
        words.append(f"Synced at {moment(status.synced_at)}." if status.synced_at is not None else "Synced.")
        words.append(status.problem)
    elif status.done is not None and status.total:
        words.append(f"Syncing: {status.done:,} of {status.total:,}.")
    else:
        words.append(status.problem or _PHASES[status.phase])
    if status.phase is not SyncPhase.SYNCED and status.synced_at is not None:
        words.append(f"Synced last at {moment(status.synced_at)}.")
    if status.waiting:
        words.append(f"{count_of(status.waiting, 'change')} {_wait(status.waiting)} here until sent.")
    if status.refused:
        words.append(f"{count_of(status.refused, 'change')} {_was(status.refused)} refused.")
    if status.next_step:
        words.append(status.next_step)
    if status.next_try_at is not None and status.phase is SyncPhase.OFFLINE:
        words.append(f"The next try is at {moment(status.next_try_at)}.")
    return " ".join(filter(None, words))


def status_icon(status: SyncStatus) -> tuple[str, str]:
    """Icon and colour that go with ``status_words``."""
    if status.refused or status.phase is SyncPhase.REFUSED:
        return "circle-alert", "danger"
    if status.phase is SyncPhase.SYNCED:
        return "circle-check", "accent"
    if status.phase in (SyncPhase.OFFLINE, SyncPhase.READ_ONLY):
        return "triangle-alert", "warning"
    return "refresh-cw", "muted"


def project_words(project: SharedProject) -> str:
    """Role and what is to be done, for one line."""
    if project.is_let_in:
        return "Open to you again; this copy waits for Share…"
    if project.state is ShareState.ENDED:
        return _ENDS[project.ended or EndReason.UNSHARED]
    is_going_up = project.state is ShareState.SHARING
    return ", ".join(filter(None, (ROLE_NAMES[project.role], "going up" if is_going_up else "", open_words(project))))


def open_words(project: SharedProject) -> str:
    """Return what of a project is only on this computer; empty when nothing is."""
    words = []
    if project.waiting:
        words.append(f"{count_of(project.waiting, 'change')} {_wait(project.waiting)}")
    if project.refused:
        words.append(f"{count_of(project.refused, 'change')} refused")
    if project.missing:
        words.append(f"{count_of(project.missing, 'change')} missing on the server")
    if project.altered:
        words.append(f"{count_of(project.altered, 'change')} rewritten on the server")
    return ", ".join(words)


def share_words(count: ShareCount) -> str:
    """Return a sentence on what is uploaded."""
    parts = [count_of(count.threads, "thread"), count_of(count.messages, "message")]
    if count.attachments:
        parts.append(f"{count_of(count.attachments, 'attachment')} ({size_text(count.attachment_bytes)})")
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


def _wait(number: int) -> str:
    return "waits" if number == 1 else "wait"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
