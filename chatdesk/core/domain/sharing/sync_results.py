"""Defines the results that this profile's side of sync returns to the steps of a round."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Cursor:
    """The newest pulled change of a project (its ``seq``), and the chain up to it (32 bytes; None at 0)."""

    project_id: str
    seq: int
    chain: bytes | None


@dataclass(frozen=True, slots=True)
class ShareMark:
    """Tells one share of a project from the next: it stays equal until a share ends or begins. ``began_at``: in ms."""

    workspace_id: str
    is_ended: bool
    began_at: int


@dataclass(frozen=True, slots=True)
class PushOutcome:
    """The outcome of a push. ``is_forked``: this device's sequence is used by a copy of the profile."""

    acknowledged: int
    refused: tuple[str, ...] = ()
    is_forked: bool = False


@dataclass(frozen=True, slots=True)
class Applied:
    """The local changes that a pulled page made. ``new_messages``: (thread, message) of messages that became part of
    the shown path, in order; ``versions``: (thread, message) of those that did not. ``paths``: threads whose shown path
    differs otherwise than by growing at its end (a deletion, a return); ``contexts``: threads whose next request
    differs (summaries, prompts, parameters). ``is_foreign_mine``: the page has a change of this device that the profile
    does not know, so the profile was copied or restored. ``is_cut``: only the first ``rows`` of the page fit."""

    threads: frozenset[str] = frozenset()
    new_threads: frozenset[str] = frozenset()
    projects: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()
    contexts: frozenset[str] = frozenset()
    new_messages: tuple[tuple[str, str], ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    has_tags: bool = False
    wanted_files: frozenset[str] = frozenset()
    confirmed: int = 0
    rows: int = 0
    is_foreign_mine: bool = False
    is_cut: bool = False
    notes: tuple[str, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Tending:
    """The upkeep that is due about once a day for a shared project. ``days``: how long its messages are kept; None: for
    ever."""

    days: int | None
