"""Writes the prompts and drafts of an export of everything. Existing ones are not changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Connection

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.prompt import AssistantSetup, PromptKind
from chatdesk.core.storage.chat.artifacts import draft_json
from chatdesk.core.storage.engine import tables
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.connection import insert_row
from chatdesk.core.storage.engine.plain_text import clean, folded, to_json


def add_prompts(
    conn: Connection, origin: Origin, prompts: Sequence[tuple[Mapping[str, Any], Sequence[Attachment]]]
) -> int:
    """Add prompts whose id was never here, and that nobody has to the letter. Returns how many. An assistant comes with
    its files; which model answers and which tools are on is chosen here."""
    count = 0
    for prompt, files in prompts:
        name, text = clean(prompt["name"]), clean(prompt["text"])
        known = conn.exec_driver_sql(
            "SELECT 1 FROM prompts WHERE id = ? OR (kind = ? AND name = ? AND text = ? AND deleted_at IS NULL)",
            (prompt["id"], prompt["kind"], name, text),
        ).first()
        if known is None:
            setup = ""
            if prompt["kind"] == PromptKind.ASSISTANT:
                kept = AssistantSetup(icon=prompt["icon"], parameters=prompt["parameters"], files=tuple(files))
                setup = to_json(kept.as_json())
            columns = {name: value for name, value in prompt.items() if name not in ("icon", "parameters")}
            row = {**columns, "name": name, "name_folded": folded(name), "text": text, "setup": setup}
            row |= origin.stamp()
            insert_row(conn, tables.prompts, **row)
            count += 1
    return count


def add_drafts(conn: Connection, drafts: Sequence[tuple[Mapping[str, Any], Sequence[Attachment]]]) -> int:
    """Add drafts of threads that are here and have none: what a person is typing is never replaced. Returns how
    many."""
    count = 0
    for draft, attachments in drafts:
        thread_id = draft["thread_id"]
        here = conn.exec_driver_sql("SELECT 1 FROM threads WHERE id = ?", (thread_id,)).first()
        taken = conn.exec_driver_sql("SELECT text, attachments FROM drafts WHERE slot = ?", (draft["slot"],)).first()
        if (thread_id is not None and here is None) or (taken is not None and (taken[0] or taken[1] != "[]")):
            continue
        conn.exec_driver_sql("DELETE FROM drafts WHERE slot = ?", (draft["slot"],))
        row = {**draft, "text": clean(draft["text"]), "attachments": draft_json(attachments)}
        insert_row(conn, tables.drafts, **row)
        count += 1
    return count
