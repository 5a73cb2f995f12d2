"""Defines the holder of a token: what it may do, where, and how much."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from chatdesk.core.errors import NotFound
from chatdesk.service.errors import NotAllowed, NoToken


class Scope(StrEnum):
    """A kind of thing that a token may do."""

    READ = "read"
    WRITE = "write"
    ASK = "ask"
    ADMIN = "admin"
    REMOTE = "remote"


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of a token. ``projects`` are the only ones that it reaches; none: all. A limit of 0 is none; money
    is in dollars."""

    id: str
    name: str
    scopes: frozenset[Scope]
    projects: frozenset[str] = frozenset()
    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    money_per_day: float = 0.0

    @property
    def is_owner(self) -> bool:
        """Return whether the caller is the owner of the data, rather than the holder of a token."""
        return self.id == OWNER.id

    def require(self, scope: Scope | None) -> None:
        """Raise ``NotAllowed`` unless the token has the scope, ``NoToken`` without a token."""
        if scope is not None and not self.id:
            raise NoToken
        if scope is not None and scope not in self.scopes:
            raise NotAllowed(f"The token “{self.name}” does not have the scope “{scope}”.")

    def require_all_projects(self) -> None:
        """Raise ``NotAllowed`` for a token that is for some projects only."""
        if self.projects:
            raise NotAllowed("This token is for some projects only, and this belongs to none or to all.")

    def check_project(self, project_id: str, missing: type[NotFound]) -> None:
        """Raise ``missing`` for a project that the token does not reach, as if it were not there."""
        if self.projects and project_id not in self.projects:
            raise missing


# Whoever asks without a token what everybody on this computer may ask.
NOBODY = Caller("", "", frozenset())
OWNER: Final = Caller("owner", "owner", frozenset(Scope))
