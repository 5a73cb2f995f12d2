"""The sentences of a window about a team: the state of sync, why one may not write, what became of a share. Words only;
no Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chatdesk.core.domain.sharing.team import EndReason, MemberStatus, SyncPhase, SyncStatus, TeamMember, TeamRole

_COPY_STAYS: Final = "Everything in it stays on this computer as a private copy."
_ENDED: Final[Mapping[EndReason, str]] = {
    EndReason.UNSHARED: "“{name}” is shared no more.",
    EndReason.LEFT: "You left “{name}”.",
    EndReason.REMOVED: "You were removed from “{name}”.",
    EndReason.DELETED: "“{name}” was deleted from the team by its owner.",
    EndReason.ERASED: "“{name}” was erased for everybody by its owner. What you had not sent is in your own project.",
}
_ROLES: Final[Mapping[TeamRole, str]] = {
    TeamRole.VIEWER: "shared, you can only read",
    TeamRole.EDITOR: "shared",
    TeamRole.ADMIN: "shared, you manage it",
    TeamRole.OWNER: "shared by you",
}
# The more it needs somebody, the later it stands here.
_SEVERITY: Final = (
    SyncPhase.OFF,
    SyncPhase.SYNCED,
    SyncPhase.SYNCING,
    SyncPhase.CONNECTING,
    SyncPhase.OFFLINE,
    SyncPhase.READ_ONLY,
    SyncPhase.REFUSED,
)


@dataclass(frozen=True, slots=True)
class StatusLine:
    """``tone``: calm, offline or refused. ``tip`` has a sentence a workspace. ``is_under_way``: how it stands is being
    found out."""

    text: str
    tone: str
    tip: str
    is_under_way: bool = False


def status_line(statuses: Iterable[SyncStatus], names: Mapping[str, str], time_of: Callable[[int], str]) -> StatusLine:
    """Return the one sentence about all workspaces: the one that needs somebody most decides. ``names`` are the
    workspaces', ``time_of`` gives a moment (milliseconds UTC) as the clock shows it. Without any workspace the text is
    empty."""
    known = sorted(statuses, key=_severity, reverse=True)
    if not known:
        return StatusLine("", "calm", "")
    worst = known[0]
    tips = [f"{names.get(each.workspace_id, 'Workspace')}: {_long(each, time_of)}" for each in known]
    is_under_way = worst.phase in (SyncPhase.CONNECTING, SyncPhase.SYNCING)
    return StatusLine(_short(worst, time_of), tone_of(worst), "\n".join(tips), is_under_way)


def tone_of(status: SyncStatus) -> str:
    if status.phase in (SyncPhase.REFUSED, SyncPhase.READ_ONLY) or status.refused:
        return "refused"
    return "offline" if status.phase is SyncPhase.OFFLINE else "calm"


def changes(count: int) -> str:
    return "1 change" if count == 1 else f"{count:,} changes"


def waiting_words(count: int) -> str:
    """ "12 changes wait"; empty for none."""
    return f"{changes(count)} {'waits' if count == 1 else 'wait'}" if count else ""


def refused_here_words(count: int) -> str:
    """Return the text above a thread of which the server refused something; empty for none."""
    if not count:
        return ""
    was, them = ("was", "it") if count == 1 else ("were", "them")
    return (
        f"{changes(count)} in this thread {was} not taken by the team's server, so only you see {them}. Press the line "
        f"below the threads to read why, to copy {them} out or to try again."
    )


def role_words(role: TeamRole) -> str:
    """Return the text about a shared project in the list of projects."""
    return _ROLES[role]


def ended_words(name: str, reason: EndReason) -> str:
    """Told once, when a project is shared no more."""
    told = _ENDED[reason].format(name=name)
    return told if reason is EndReason.ERASED else f"{told} {_COPY_STAYS}"


def let_in_words(name: str) -> str:
    """Told once, when a private copy could be shared again."""
    return (
        f"“{name}” is open to you again. Nothing of it was sent, because you wrote in your own copy meanwhile: choose"
        " Share… in its menu, and that goes up too."
    )


def closed_words(workspace: str) -> str:
    """Told once, when this person is no member of a workspace any more."""
    return (
        f"You are no longer a member of “{workspace}”. Its projects stay on this computer with everything in them, and"
        " what you write there now waits here. To come back, ask its owner for a new invitation."
    )


def too_old_words(workspace: str, status: SyncStatus) -> str:
    """Told once, when a workspace wants a newer ChatDesk."""
    return f"“{workspace}”: {status.problem} {status.next_step} Nothing that you write is lost by that."


def refusal_words(managers: Sequence[str]) -> str:
    """Return the composer's sentence for somebody who may only read; ``managers`` are those who can change that."""
    who = managers[0] if managers else "its owner"
    return f"You can read this project; ask {who} to let you write."


def managers_of(project_id: str, members: Iterable[TeamMember], *, me: str) -> list[str]:
    """Return the names of those who can let somebody write, owners first."""
    found = [
        (member.roles[project_id] is not TeamRole.OWNER, member.name)
        for member in members
        if member.id != me
        and member.status is MemberStatus.ACTIVE
        and project_id in member.roles
        and member.roles[project_id].can_manage
    ]
    return [name for _order, name in sorted(found)]


def authors_words(names: Sequence[str]) -> str:
    """ "Ana", "Ana and Ben", "Ana, Ben and 2 others"."""
    if not names:
        return "Another member"
    if len(names) <= 2:
        return " and ".join(names)
    others = len(names) - 2
    return f"{names[0]}, {names[1]} and {others} other{'s' if others > 1 else ''}"


def arrived_words(names: Sequence[str], count: int) -> str:
    """ "Ana wrote 3 messages"."""
    return f"{authors_words(names)} wrote {'a message' if count == 1 else f'{count:,} messages'}"


def _severity(status: SyncStatus) -> tuple[bool, int]:
    return bool(status.refused) or status.phase is SyncPhase.REFUSED, _SEVERITY.index(status.phase)


def _short(status: SyncStatus, time_of: Callable[[int], str]) -> str:
    wait = waiting_words(status.waiting)
    synced = f"Synced {time_of(status.synced_at)}" if status.synced_at is not None else ""
    match status.phase:
        case SyncPhase.REFUSED:
            return f"Refused: {status.problem}" if status.problem else "Refused by the team's server"
        case SyncPhase.READ_ONLY:
            return f"Update ChatDesk to send: {wait}" if wait else "Update ChatDesk to send"
        case _ if status.refused:
            return f"Refused: {changes(status.refused)}"
        case SyncPhase.OFFLINE:
            return f"Offline: {wait}" if wait else "Offline"
        case SyncPhase.CONNECTING:
            return f"Connecting: {wait}" if wait else "Connecting…"
        case SyncPhase.SYNCING if status.total:
            return f"Syncing {status.done or 0:,} of {status.total:,}"
        case SyncPhase.SYNCING if wait:
            return f"Sending {changes(status.waiting)}"
        case SyncPhase.SYNCING:
            return synced or "Syncing…"
        case SyncPhase.SYNCED:
            return f"{synced or 'Synced'}: {wait}" if wait else synced or "Synced"
    return "Sync is off"


def _long(status: SyncStatus, time_of: Callable[[int], str]) -> str:
    words = [_short(status, time_of)]
    if status.problem and status.phase is not SyncPhase.REFUSED:
        words.append(status.problem)
    words.append(status.next_step)
    return " ".join(word if word.endswith((".", "…")) else f"{word}." for word in words if word)
