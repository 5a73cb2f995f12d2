"""Finds the member who chose the model or system prompt of the next question, before anything is sent."""

from __future__ import annotations

import sqlite3
from typing import Final

from chatdesk.core.domain.sharing.shared_choice import ChosenByOther
from chatdesk.core.storage.engine.connection import driver
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.steering import MODEL, SYSTEM_PROMPT
from chatdesk.core.storage.sync import registers
from chatdesk.core.texts import Text

_NOBODY: Final = Text("Another member")
_TOUCHED = "SELECT 1 FROM changes WHERE entity = ? AND kind = ? AND reg IN (?, 'content') AND mine = 0 LIMIT 1"
_MADE = (
    "SELECT mine, author, n FROM changes WHERE entity = ? AND kind = ? AND reg = 'content' AND op = 'new'"
    " ORDER BY n LIMIT 1"
)
_PROMPTS = (
    "SELECT t.system_prompt, p.system_prompt FROM threads t JOIN projects p ON p.id = t.project_id WHERE t.id = ?"
)
_PLACE = "SELECT n FROM changes WHERE id = ?"
_NAME = (
    "SELECT m.name FROM team_members m JOIN shared_projects s ON s.workspace_id = m.workspace_id"
    " WHERE s.project_id = ? AND m.id = ?"
)
_LAST_PROVIDER = (
    "SELECT provider FROM usage_events WHERE thread_id = ? AND kind = 'answer'"
    " ORDER BY created_at DESC, id DESC LIMIT 1"
)
# Where the question of the last answer that this profile asked for is in the log.
_LAST_ASKED = (
    "SELECT max(c.n) FROM usage_events u JOIN messages m ON m.id = u.message_id"
    " JOIN changes c ON c.entity = m.parent_id AND c.reg = 'content' AND c.kind = 'message'"
    " WHERE u.thread_id = ? AND u.kind = 'answer'"
)


class SharedChoiceRepository:
    """Reads choices of other members. Cheap if nothing is shared."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def provider_by_other(self, project_id: str, thread_id: str | None) -> ChosenByOther | None:
        """Return the member who chose the provider of a thread, or of the project for a new thread; None if this person
        did."""
        return await self._db.read(lambda conn: _provider_by_other(driver(conn), project_id, thread_id))

    async def prompt_by_other(self, project_id: str, thread_id: str) -> str | None:
        """Return the member who changed the system prompt of the thread, or else of its project, since this person last
        asked in it; None if there is none."""
        return await self._db.read(lambda conn: _prompt_by_other(driver(conn), project_id, thread_id))


def _provider_by_other(raw: sqlite3.Connection, project_id: str, thread_id: str | None) -> ChosenByOther | None:
    kind, entity = ("thread", thread_id) if thread_id else ("project", project_id)
    found = _other(raw, kind, entity, project_id, MODEL)
    if found is None:
        return None
    last = raw.execute(_LAST_PROVIDER, (thread_id,)).fetchone() if thread_id else None
    return ChosenByOther(found[0], last[0] if last else None)


def _prompt_by_other(raw: sqlite3.Connection, project_id: str, thread_id: str) -> str | None:
    prompts = raw.execute(_PROMPTS, (thread_id,)).fetchone() or ("", "")
    for (kind, entity), prompt in zip((("thread", thread_id), ("project", project_id)), prompts, strict=True):
        if prompt.strip():  # the prompt that is sent
            found = _other(raw, kind, entity, project_id, SYSTEM_PROMPT)
            asked = raw.execute(_LAST_ASKED, (thread_id,)).fetchone()[0] or 0
            return found[0] if found is not None and found[1] > asked else None
    return None


def _other(raw: sqlite3.Connection, kind: str, entity: str, project_id: str, reg: str) -> tuple[str, int] | None:
    """Return the member whose change of a register is shown, and its place in the log; None if it is this person's, at
    whichever of their computers."""
    if raw.execute(_TOUCHED, (entity, kind, reg)).fetchone() is None:
        return None
    shown = registers.winner(registers.heads_of(registers.read(raw, project_id, kind, entity, reg)))
    if shown is not None:
        is_mine, author, place = shown.is_mine, shown.author, raw.execute(_PLACE, (shown.id,)).fetchone()[0]
    else:
        made = raw.execute(_MADE, (entity, kind)).fetchone()
        if made is None:
            return None
        is_mine, author, place = made
    if is_mine or (author is not None and author == registers.member_of(raw, project_id)):
        return None
    name = raw.execute(_NAME, (project_id, author)).fetchone()
    return (str(name[0]) if name and name[0] else _NOBODY), place
