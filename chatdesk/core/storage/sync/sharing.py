"""Sharing a project that was private, taking up one that another member shared, and the end of a share.

What was there before is entered into the log afresh (``sync_entering``): the old log of a private project says much
that others need not know. Until all is entered nothing is sent: what the person writes meanwhile is logged as usual,
and is either entered with its thread or follows it.
"""

# ruff: noqa: S608 - statements are put together from constants of this package; values are always bound

from __future__ import annotations

import json
from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.library import GONE
from chatdesk.core.domain.sharing.sync_wire import ProjectHead
from chatdesk.core.domain.sharing.team import ChangeState, EndReason, ShareCount, ShareState, TeamRole
from chatdesk.core.errors import NotPossible
from chatdesk.core.storage.chat import projects
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.plain_text import from_json
from chatdesk.core.storage.sync import outbox
from chatdesk.core.storage.sync.entering import ENTERED, NOT_PERSONAL, PERSONAL_REGS, enter_project

PLACEHOLDER: Final = "Shared project"

_OWN_WISHES: Final = (EndReason.UNSHARED, EndReason.LEFT)
_PENDING, _PRIVATE = int(ChangeState.PENDING), int(ChangeState.PRIVATE)


# Before


def count(conn: Connection, project_id: str) -> ShareCount:
    """What goes up when a project is shared, what lies in its trash included."""
    threads, messages = conn.exec_driver_sql(
        f"SELECT (SELECT count(*) FROM threads WHERE project_id = :project AND deleted_at IS NOT {GONE}),"
        " (SELECT count(*) FROM messages m JOIN threads t ON t.id = m.thread_id WHERE t.project_id = :project"
        f"  AND t.deleted_at IS NOT {GONE})",
        {"project": project_id},
    ).one()
    files = conn.exec_driver_sql(
        "SELECT count(*), coalesce(sum(size), 0) FROM (SELECT max(a.size_bytes) AS size FROM artifacts a"
        " JOIN message_parts p ON p.id = a.part_id JOIN messages m ON m.id = p.message_id"
        f" JOIN threads t ON t.id = m.thread_id WHERE t.project_id = ? AND t.deleted_at IS NOT {GONE}"
        " GROUP BY a.sha256)",
        (project_id,),
    ).one()
    return ShareCount(threads=threads, messages=messages, attachments=files[0], attachment_bytes=files[1])


def begin(
    conn: Connection,
    origin: Origin,
    project_id: str,
    workspace_id: str,
    role: TeamRole,
    channel: str,
    *,
    joined_seq: int = 0,
) -> None:
    """This project is shared from now on; ``step`` enters what is there. Raises ``ProjectNotFound``, ``NotPossible``.
    ``joined_seq``: how much of it others wrote before."""
    projects.live_project(conn, project_id)
    before = conn.exec_driver_sql(
        "SELECT workspace_id, state, progress FROM shared_projects WHERE project_id = ?", (project_id,)
    ).first()
    if before is not None and before.state != ShareState.ENDED:
        raise NotPossible("This project is shared already.")
    is_again = (
        before is not None and before.workspace_id == workspace_id and not from_json(before.progress).get("until")
    )
    if before is not None and not is_again:
        # What another team knew of it means nothing to this one; what was never all entered is nobody's business.
        conn.exec_driver_sql(
            f"UPDATE changes SET state = {_PRIVATE}, problem = ?, seq = NULL WHERE project_id = ?",
            (ENTERED, project_id),
        )
        conn.exec_driver_sql("DELETE FROM seen_changes WHERE project_id = ?", (project_id,))
        conn.exec_driver_sql("DELETE FROM shared_files WHERE project_id = ?", (project_id,))
    newest = conn.exec_driver_sql("SELECT coalesce(max(n), 0) FROM changes").scalar_one()
    size = count(conn, project_id)
    progress = {
        "until": 0 if is_again else newest,
        "done": 0,
        "total": size.threads + size.messages,
        "joined_seq": joined_seq,
    }
    conn.exec_driver_sql("DELETE FROM shared_projects WHERE project_id = ?", (project_id,))
    conn.exec_driver_sql(
        "INSERT INTO shared_projects (project_id, workspace_id, role, channel, state, progress, shared_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (project_id, workspace_id, role.value, channel, ShareState.SHARING.value, json.dumps(progress), origin.now()),
    )
    if is_again:
        _go_on(conn, project_id)
    else:
        enter_project(conn, origin, project_id, workspace_id)
    origin.watch.record(project_id)


def may_adopt(conn: Connection, head: ProjectHead, *, is_ended: bool) -> bool:
    """Whether a project that the server tells of may be taken up without asking the person: nothing here goes up with
    it that they did not share. ``is_ended``: it was shared with this team before. A private project under its id goes
    up only where this member shared it from another computer; a private copy of what was shared, only as long as
    nothing was written in it. Everything else waits for *Share…*."""
    row = conn.exec_driver_sql("SELECT 1 FROM projects WHERE id = ?", (head.project_id,)).first()
    if row is None:
        return True
    if not is_ended:
        return head.is_own
    written = conn.exec_driver_sql(
        f"SELECT 1 FROM changes WHERE project_id = ? AND state IN ({_PENDING}, {_PRIVATE}) AND mine = 1"
        f" AND problem IS NULL AND {NOT_PERSONAL} LIMIT 1",
        (head.project_id, *PERSONAL_REGS),
    ).first()
    return written is None


def note_let_in(conn: Connection, project_id: str, *, is_let_in: bool) -> bool:
    """Keep whether the team lets this person into the project of a private copy again; True where that is new."""
    changed = conn.exec_driver_sql(
        "UPDATE shared_projects SET progress = json_set(progress, '$.let_in', ?1)"
        " WHERE project_id = ?2 AND state = 'ended' AND coalesce(json_extract(progress, '$.let_in'), 0) <> ?1",
        (int(is_let_in), project_id),
    )
    return changed.rowcount > 0


def adopt(conn: Connection, origin: Origin, head: ProjectHead, workspace_id: str) -> None:
    """A project that another member, or another computer, shared is here from now on. What this profile has of it
    already is entered, as in ``begin``."""
    row = conn.exec_driver_sql("SELECT deleted_at FROM projects WHERE id = ?", (head.project_id,)).first()
    if row is not None:
        if row.deleted_at is not None:
            conn.exec_driver_sql("UPDATE projects SET deleted_at = NULL WHERE id = ?", (head.project_id,))
        begin(conn, origin, head.project_id, workspace_id, TeamRole(head.role), head.channel, joined_seq=head.seq)
        return
    _forget(conn, head.project_id)
    now = origin.now()
    conn.exec_driver_sql(
        "INSERT INTO projects (id, name, colour, created_at) VALUES (?, ?, ?, ?)",
        (head.project_id, PLACEHOLDER, projects.DEFAULT_COLOUR, now),
    )
    conn.exec_driver_sql("DELETE FROM shared_projects WHERE project_id = ?", (head.project_id,))
    conn.exec_driver_sql(
        "INSERT INTO shared_projects (project_id, workspace_id, role, channel, state, progress, shared_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            head.project_id,
            workspace_id,
            head.role,
            head.channel,
            ShareState.SHARED.value,
            json.dumps({"joined_seq": head.seq}),
            now,
        ),
    )


def _forget(conn: Connection, project_id: str) -> None:
    """What the log says of a project that was removed here for good: all of it comes again."""
    conn.exec_driver_sql(
        "DELETE FROM register_heads WHERE change_id IN (SELECT id FROM changes WHERE project_id = ?)", (project_id,)
    )
    for table in ("changes", "seen_changes", "shared_files"):
        conn.exec_driver_sql(f"DELETE FROM {table} WHERE project_id = ?", (project_id,))


def _go_on(conn: Connection, project_id: str) -> None:
    """Shared with the same team as before: its log is compared with what this profile has, and what was changed while
    it was private follows."""
    conn.exec_driver_sql(
        f"UPDATE changes SET state = {_PENDING} WHERE project_id = ? AND state = {_PRIVATE} AND mine = 1"
        f" AND problem IS NULL AND {NOT_PERSONAL}",
        (project_id, *PERSONAL_REGS),
    )
    outbox.begin_again(conn, project_id)


def is_shared(conn: Connection, project_id: str) -> bool:
    """Whether others have this project, or are about to."""
    return (
        conn.exec_driver_sql(
            "SELECT 1 FROM shared_projects WHERE project_id = ? AND state <> 'ended'", (project_id,)
        ).first()
        is not None
    )


# The end


def end(conn: Connection, project_id: str, reason: EndReason) -> None:
    """The project stays here as a private copy. What was not sent yet stays private; so does what comes from now on."""
    conn.exec_driver_sql(
        f"UPDATE changes SET state = {_PRIVATE} WHERE project_id = ? AND mine = 1"
        f" AND state IN ({_PENDING}, {int(ChangeState.ACKNOWLEDGED)})",
        (project_id,),
    )
    before = conn.exec_driver_sql(
        "SELECT state, progress, ended FROM shared_projects WHERE project_id = ?", (project_id,)
    ).first()
    if before is not None and before.state == ShareState.ENDED and before.ended in _OWN_WISHES:
        reason = EndReason(before.ended)  # the server, which tells it afterwards, does not say whose wish it was
    is_entered = before is None or before.state != ShareState.SHARING
    # Where it ended before all was entered, the log from before this is as private as ever, and is entered anew.
    until = 0 if before is None or is_entered else from_json(before.progress).get("until", 0)
    conn.exec_driver_sql(
        "UPDATE shared_projects SET state = ?, ended = ?, channel = '', progress = ? WHERE project_id = ?",
        (ShareState.ENDED.value, reason.value, json.dumps({"until": until} if until else {}), project_id),
    )
    conn.exec_driver_sql("DELETE FROM team_roles WHERE project_id = ?", (project_id,))
    conn.exec_driver_sql(
        "DELETE FROM shared_files WHERE project_id = ? AND state IN ('to_send', 'to_fetch')", (project_id,)
    )
    conn.exec_driver_sql(
        "DELETE FROM unread_threads WHERE thread_id IN (SELECT id FROM threads WHERE project_id = ?)", (project_id,)
    )
