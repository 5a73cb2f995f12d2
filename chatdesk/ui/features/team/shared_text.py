"""The sentences of a window about a team: why one may not write, what became of a share, who wrote. No Qt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from chatdesk.core.domain.sharing.team import EndReason, MemberStatus, SyncStatus, TeamMember, TeamRole, ended_text
from chatdesk.core.plurals import counted

_COPY_STAYS: Final = "Everything in it stays on this computer as a private copy."
_OWN_PROJECT: Final = "What you had not sent is in your own project."
_ROLES: Final[Mapping[TeamRole, str]] = {
    TeamRole.VIEWER: "shared, you can only read",
    TeamRole.EDITOR: "shared",
    TeamRole.ADMIN: "shared, you manage it",
    TeamRole.OWNER: "shared by you",
}


def refused_here_words(count: int) -> str:
    """Return the text above a thread of which the server refused something; empty for none."""
    if not count:
        return ""
    was, them = ("was", "it") if count == 1 else ("were", "them")
    return (
        f"{counted(count, 'change')} in this thread {was} not taken by the team's server, so only you see {them}. Press"
        f" the line below the threads to read why, to copy {them} out or to try again."
    )


def role_words(role: TeamRole) -> str:
    """Return the text about a shared project in the list of projects."""
    return _ROLES[role]


def ended_words(name: str, reason: EndReason) -> str:
    """Return the text that is shown once, when a project is no longer shared."""
    rest = _OWN_PROJECT if reason is EndReason.ERASED else _COPY_STAYS
    return f"{ended_text(reason, f'“{name}”')} {rest}"


def let_in_words(name: str) -> str:
    """Return the text that is shown once, when a private copy could be shared again."""
    return (
        f"“{name}” is open to you again. Nothing of it was sent, because you wrote in your own copy meanwhile: choose"
        " Share… in its menu, and that goes up too."
    )


def closed_words(workspace: str) -> str:
    """Return the text that is shown once, when this person is no member of a workspace any more."""
    return (
        f"You are no longer a member of “{workspace}”. Its projects stay on this computer with everything in them, and"
        " what you write there now waits here. To come back, ask its owner for a new invitation."
    )


def too_old_words(workspace: str, status: SyncStatus) -> str:
    """Return the text that is shown once, when a workspace wants a newer ChatDesk."""
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
    return f"{names[0]}, {names[1]} and {counted(others, 'other')}"


def arrived_words(names: Sequence[str], count: int) -> str:
    """ "Ana wrote 3 messages"."""
    return f"{authors_words(names)} wrote {'a message' if count == 1 else counted(count, 'message')}"
