"""Describes the ways into a team: checks of a server, invitations, codes for a person's further computers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from chatdesk.core.domain.sharing.team import ServerAddress, TeamRole
from chatdesk.core.texts import Text


class CheckState(StrEnum):
    OK = "ok"
    WARNING = "warning"  # a workspace can be made all the same
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SetupCheck:
    """A requirement of a workspace on its server. ``name`` is a short word for a list, ``sentence`` a whole one."""

    name: Text
    state: CheckState
    sentence: Text


class CodeKind(StrEnum):
    """The kind of a code. ``MEMBER``: it invites a person. ``COMPUTER``: it adds another computer of the same
    person."""

    MEMBER = "member"
    COMPUTER = "computer"


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation in three forms, of which any can be used, once. ``expires_at``: milliseconds UTC."""

    code: str = field(repr=False)
    link: str = field(repr=False)
    file_text: str = field(repr=False)
    expires_at: int
    member_id: str
    member_name: str


@dataclass(frozen=True, slots=True)
class ComputerCode:
    """A person's login, sealed; the passphrase is sent by another way than the code. ``expires_at``: milliseconds
    UTC."""

    code: str = field(repr=False)
    link: str = field(repr=False)
    file_text: str = field(repr=False)
    passphrase: str = field(repr=False)
    expires_at: int


@dataclass(frozen=True, slots=True)
class InvitationView:
    """The contents of a code, before anything is sent. ``address`` is None while a passphrase seals it. ``projects``:
    names and roles, as the one who invited called them; the server has the last word."""

    kind: CodeKind
    workspace_id: str
    workspace_name: str
    address: ServerAddress | None
    expires_at: int
    is_expired: bool
    member_name: str = ""
    invited_by: str = ""
    projects: tuple[tuple[str, TeamRole], ...] = ()

    @property
    def needs_passphrase(self) -> bool:
        return self.kind is CodeKind.COMPUTER

    @property
    def is_unencrypted(self) -> bool:
        """Return whether the connection would be unencrypted, to which a person has to agree."""
        return self.address is not None and self.address.tls == "disable"
