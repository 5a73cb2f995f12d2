"""Writes the sentences about roles, members, computers and shared projects of a team. No widgets here."""

from __future__ import annotations

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
from chatdesk.core.moments import moment_text
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.features.team.sync_status_text import moment, waiting_words
from chatdesk.ui.local_forms import day_and_time_text
from chatdesk.ui.widgets.words import listed, size_text, with_capital, with_commas

_HERE_WITHIN_MS: Final = 90_000

ROLE_NAMES: Final = {
    TeamRole.VIEWER: Text("Viewer"),
    TeamRole.EDITOR: Text("Editor"),
    TeamRole.ADMIN: Text("Admin"),
    TeamRole.OWNER: Text("Owner"),
}
ROLE_HINTS: Final = {
    TeamRole.VIEWER: Text("reads"),
    TeamRole.EDITOR: Text("reads and writes, changes and deletes their own"),
    TeamRole.ADMIN: Text("changes and deletes everything, and manages members"),
    TeamRole.OWNER: Text("does everything, and may end the sharing for everybody"),
}
WHAT_LEAVES: Final = Text(
    "Only projects that you share leave this computer: their threads, messages, attachments and summaries. Keys, "
    "drafts, pins, the prompt library and everything else stay here."
)
CANNOT_TAKE_BACK: Final = Text(
    "What others have read, copied or exported, and private copies of those who leave. Threads and messages can be"
    " erased for everyone later, on the server and on each computer when it syncs; backups keep them until they are"
    " replaced. Stopping to share removes nothing from the server unless you choose to erase the project."
)
OUTDATED: Final = Text(
    "This version of ChatDesk brings a newer form of the team's database. Everyone can go on working with the present"
    " one until you upgrade it: 'chatdesk team upgrade'."
)
WHO_CAN_READ: Final = Text(
    "Anyone who administers the database can read all that is shared, whatever roles people have."
)


def day(at_ms: int) -> str:
    return shown(moment_text(at_ms, day_and_time_text))


def project_words(project: SharedProject) -> str:
    """Return the role and the state of sync, on one line."""
    if project.is_let_in:
        return tr("Shared with you again; choose Share… to send this copy")
    if project.state is ShareState.ENDED:
        ended = ended_text(project.ended or EndReason.UNSHARED)
        return " ".join((shown(ended), tr("This is a private copy.")))
    is_going_up = project.state is ShareState.SHARING
    return with_commas((ROLE_NAMES[project.role], tr("being sent") if is_going_up else "", open_words(project)))


def open_words(project: SharedProject) -> str:
    """Return a text on the parts of a project that are only on this computer; empty if there are none."""
    words = []
    if project.waiting:
        words.append(waiting_words(project.waiting))
    if project.refused:
        words.append(shown(plural("{count} changes refused", "{count} change refused", project.refused)))
    if project.misfit:
        words.append(tr("not in sync: what the server has does not fit"))
    return with_commas(words)


def share_words(count: ShareCount) -> str:
    """Return a sentence on the upload."""
    parts: list[str] = [
        plural("{count} threads", "{count} thread", count.threads),
        plural("{count} messages", "{count} message", count.messages),
    ]
    if count.attachments:
        size = size_text(count.attachment_bytes)
        parts.append(
            plural("{count} attachments ({size})", "{count} attachment ({size})", count.attachments, size=size)
        )
    return tr("{parts} are sent now; what is written later is sent by itself.", parts=listed(parts))


def member_words(member: TeamMember, *, is_me: bool) -> str:
    """Return the standing of a person in the workspace, on one line."""
    if member.status is MemberStatus.REMOVED:
        return tr("Removed; what they wrote stays")
    words = [tr("you", "beside a name")] if is_me else []
    if member.is_owner:
        words.append(tr("owner of the workspace"))
    if member.status is MemberStatus.INVITED:
        if member.invited_at is None:
            words.append(tr("invited, has not joined yet"))
        else:
            words.append(tr("invited on {day}, has not joined yet", day=day(member.invited_at)))
    elif not member.roles and not member.is_owner:
        words.append(tr("in no project of yours"))
    return with_capital(with_commas(words))


def device_words(device: TeamDevice, *, owner: str, now_ms: int) -> str:
    """Return the owner of a computer and when it was last seen, for one line."""
    words = [owner]
    if device.is_this:
        words.append(tr("this computer"))
    elif device.last_seen_at is None:
        words.append(tr("never connected"))
    elif now_ms - device.last_seen_at < _HERE_WITHIN_MS:
        words.append(tr("connected now"))
    else:
        words.append(tr("last connected {moment}", moment=moment(device.last_seen_at)))
    if device.app_version:
        words.append(f"ChatDesk {device.app_version}")
    return with_commas(words)


def round_words(round_: SyncRound) -> str:
    """Return a sentence on the result of one round of sync."""
    if round_.problem:
        return shown(round_.problem)
    if not (round_.sent or round_.received):
        return tr("Nothing was new.")
    return tr("{sent} sent, {received} received.", sent=round_.sent, received=round_.received)


def address_words(address: ServerAddress) -> str:
    """Return the address of a workspace's database, for one line."""
    host = address.host if address.port == 5432 else f"{address.host}:{address.port}"
    return tr("{database} on {host}", database=address.database, host=host)


def ended_connections_words(count: int, name: str) -> str:
    """Return the sentence for connections of a member that were ended."""
    return shown(
        plural(
            "{count} connections of {name} were ended. The server dropped what was unfinished; their computer "
            "sends it again.",
            "{count} connection of {name} was ended. The server dropped what was unfinished; their computer "
            "sends it again.",
            count,
            name=name,
        )
    )


def removed_with_words(count: int, name: str) -> str:
    """Return the sentence for members who were removed with the one who had invited them."""
    return shown(
        plural(
            "{count} people {name} invited were removed.",
            "{count} person {name} invited was removed.",
            count,
            name=name,
        )
    )
