"""Writes the window's sentences about a team: why a person may not write, how a share ended, who wrote a message. No
Qt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from chatdesk.core.domain.sharing.team import EndReason, MemberStatus, SyncStatus, TeamMember, TeamRole, ended_text
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.widgets.words import listed

_COPY_STAYS: Final = Text("Everything in it stays on this computer as a private copy.")
_OWN_PROJECT: Final = Text("What you had not sent is in your own project.")
_ROLES: Final[Mapping[TeamRole, str]] = {
    TeamRole.VIEWER: Text("shared, you can only read"),
    TeamRole.EDITOR: Text("shared"),
    TeamRole.ADMIN: Text("shared, you manage it"),
    TeamRole.OWNER: Text("shared by you"),
}


def refused_here_words(count: int) -> str:
    """Return the text above a thread of which the server refused something; empty for none."""
    if not count:
        return ""
    return shown(
        plural(
            "{count} changes in this thread were not taken by the team's server, so only you see them. Press"
            " the line below the threads to read why, to copy them out or to try again.",
            "{count} change in this thread was not taken by the team's server, so only you see it. Press"
            " the line below the threads to read why, to copy it out or to try again.",
            count,
        )
    )


def role_words(role: TeamRole) -> str:
    """Return the text about a shared project in the list of projects."""
    return shown(_ROLES[role])


def ended_words(name: str, reason: EndReason) -> str:
    """Return the text that is shown once after the sharing of a project ended."""
    rest = shown(_OWN_PROJECT if reason is EndReason.ERASED else _COPY_STAYS)
    return " ".join((shown(ended_text(reason, name)), rest))


def let_in_words(name: str) -> str:
    """Return the text that is shown once, when a private copy could be shared again."""
    return tr(
        "“{name}” is open to you again. Nothing of it was sent, because you wrote in your own copy meanwhile: choose"
        " Share… in its menu, and that goes up too.",
        name=name,
    )


def closed_words(workspace: str) -> str:
    """Return the text that is shown once after this person's membership of a workspace ended."""
    return tr(
        "You are no longer a member of “{workspace}”. Its projects stay on this computer with everything in them, and"
        " what you write there now waits here. To come back, ask its owner for a new invitation.",
        workspace=workspace,
    )


def too_old_words(workspace: str, status: SyncStatus) -> str:
    """Return the text that is shown once, when a workspace wants a newer ChatDesk."""
    return tr(
        "“{workspace}”: {problem} {next_step} Nothing that you write is lost meanwhile.",
        workspace=workspace,
        problem=status.problem,
        next_step=status.next_step,
    )


def refusal_words(managers: Sequence[str]) -> str:
    """Return the composer's sentence for a read-only member; ``managers`` are the members who can change the role."""
    if managers:
        return tr("You can read this project; ask {name} to let you write.", name=managers[0])
    return tr("You can read this project; ask its owner to let you write.")


def managers_of(project_id: str, members: Iterable[TeamMember], *, me: str) -> list[str]:
    """Return the names of the members who can grant write access, owners first."""
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
        return tr("Another member")
    if len(names) <= 2:
        return listed(names)
    others = len(names) - 2
    return shown(
        plural(
            "{first}, {second} and {count} others",
            "{first}, {second} and {count} other",
            others,
            first=names[0],
            second=names[1],
        )
    )


def arrived_words(names: Sequence[str], count: int) -> str:
    """ "Ana wrote 3 messages"."""
    return shown(plural("{names} wrote {count} messages", "{names} wrote a message", count, names=authors_words(names)))
