"""The words that the commands about a team print in the language of the program; JSON has the codes."""

from __future__ import annotations

from typing import Final

from chatdesk.core.domain.sharing.team import MemberStatus, TeamRole
from chatdesk.core.domain.sharing.team_setup import CheckState
from chatdesk.core.texts import Text

ROLE_TEXTS: Final = {
    TeamRole.VIEWER: Text("viewer"),
    TeamRole.EDITOR: Text("editor"),
    TeamRole.ADMIN: Text("admin"),
    TeamRole.OWNER: Text("owner"),
}
STATUS_TEXTS: Final = {
    MemberStatus.INVITED: Text("invited"),
    MemberStatus.ACTIVE: Text("active"),
    MemberStatus.REMOVED: Text("removed"),
}
CHECK_TEXTS: Final = {
    CheckState.OK: Text("ok"),
    CheckState.WARNING: Text("warning"),
    CheckState.FAILED: Text("failed"),
}
POLICY_TEXTS: Final = {
    "who_invites": Text("who invites"),
    "who_creates": Text("who creates"),
    "members": Text("members"),
    "invitations": Text("invitations"),
    "projects_each": Text("projects each"),
    "connections_each": Text("connections each"),
    "changes_each_minute": Text("changes each minute"),
    "bytes_each": Text("bytes each"),
    "bytes_project": Text("bytes of a project"),
    "file_bytes_each": Text("bytes of files each"),
    "file_bytes_project": Text("bytes of files of a project"),
}
POLICY_VALUES: Final[dict[object, str]] = {
    "owners": Text("owners"),
    "admins": Text("admins"),
    "members": Text("members"),
}
