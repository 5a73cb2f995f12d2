"""Endpoint of the state of a person's own computers, which a program can only read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from chatdesk.core.texts import shown
from chatdesk.service.declaration import Call, Endpoint
from chatdesk.service.rest.times import iso

if TYPE_CHECKING:  # imported only with a folder
    from chatdesk.core.sync.computers.own_computers import ComputersState


@dataclass(frozen=True, slots=True)
class ComputerAnswer:
    """A computer: when it was last there by its own clock, how many of its files have not arrived, and its bytes."""

    id: str
    name: str
    version: str
    last_seen_at: str
    is_this: bool
    waiting: int
    size: int
    is_rolled_back: bool


@dataclass(frozen=True, slots=True)
class ComputersAnswer:
    """The exchange with a person's own computers. ``state``: none, joined, paused, parked (the profile was restored) or
    removed (this computer or another one was). ``waiting``: changes that are not in the folder; ``unreadable``: files
    there that are incomplete or were changed."""

    state: str
    waiting: int = 0
    refused: int = 0
    is_moving_files: bool = False
    unreadable: int = 0
    problem: str | None = None
    synced_at: str | None = None
    computers: tuple[ComputerAnswer, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    state: ComputersState | None = None


async def _read(call: Call[Any, Any]) -> _Found:
    call.caller.require_all_projects()
    if not await call.services.team_is_joined():
        return _Found("none")
    computers = (await call.services.load_team()).computers
    workspace = await computers.joined()
    if workspace is None:
        return _Found("parked" if await computers.is_parked() else "none")
    state = await computers.state(workspace)
    return _Found("removed" if state.removed else "paused" if workspace.is_paused else "joined", state)


def _answer(found: _Found) -> ComputersAnswer:
    state = found.state
    if state is None:
        return ComputersAnswer(found.name)
    problem = state.problem if state.was_removed is None else state.was_removed.what
    return ComputersAnswer(
        found.name,
        state.waiting,
        state.refused,
        state.files,
        len(state.unreadable),
        shown(problem) or None,
        iso(state.synced_at) if state.synced_at is not None else None,
        tuple(
            ComputerAnswer(
                each.id,
                each.name,
                each.version,
                iso(each.at),
                each.is_this,
                each.waiting,
                each.size,
                each.is_rolled_back,
            )
            for each in state.computers
        ),
    )


ENDPOINTS: Final = (Endpoint("GET", "/api/v1/computers", _read, "Read the state of own computers", _answer),)
