"""Shares a private project, adds one that another member shared, and ends a share.

The content is written into the log afresh (``entering``): the old log of a private project contains much that others
need not know. Nothing is sent until that is complete: changes in the meantime are logged as usual, and are either
written with their thread or follow it.
"""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

import json
from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.library import GONE
from chatdesk.core.domain.sharing.sync_wire import ProjectHead
from chatdesk.core.domain.sharing.team import ChangeState, EndReason, ShareCount, ShareState, TeamRole
from chatdesk.core.domain.thread import DEFAULT_COLOUR
from chatdesk.core.errors import NotPossible
from chatdesk.core.storage.chat import projects, quoting
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.plain_text import from_json, json_value, object_in
from chatdesk.core.storage.sync import outbox, own_carrying
from chatdesk.core.storage.sync.entering import ENTERED, NOT_PERSONAL, PERSONAL_REGS, log_project
from chatdesk.core.texts import Text, shown

PLACEHOLDER: Final = Text("Shared project")

_OWN_WISHES: Final = (EndReason.UNSHARED, EndReason.LEFT)
_PENDING, _PRIVATE = int(ChangeState.PENDING), int(ChangeState.PRIVATE)


# Before


def count(conn: Connection, project_id: str) -> ShareCount:
    """Return how much is sent when a project is shared, its trash included."""
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
        " AND a.document_id IS NULL GROUP BY a.sha256)",
        (project_id,),
    ).one()
    return ShareCount(threads=threads, messages=messages, attachments=files[0], attachment_bytes=files[1])


def start(
    conn: Connection,
    origin: Origin,
    project_id: str,
    workspace_id: str,
    role: TeamRole,
    channel: str,
    *,
    joined_seq: int = 0,
) -> None:
    """Start to share a project; ``entering.log_batch`` writes its content into the log. Raises
    ``ProjectNotFound``, ``NotPossible``. ``joined_seq``: the number of changes that others wrote before."""
    projects.live_project(conn, project_id)
    before = conn.exec_driver_sql(
        "SELECT workspace_id, state, progress FROM shared_projects WHERE project_id = ?", (project_id,)
    ).first()
    if before is not None and before.state != ShareState.ENDED:
        raise NotPossible(Text("This project is shared already."))
    is_again = (
        before is not None and before.workspace_id == workspace_id and not from_json(before.progress).get("until")
    )
    if before is not None and not is_again:
        # The numbers of another team's log mean nothing to this team, and a share that never finished stays private.
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
        _go_on(conn, origin, project_id)
    else:
        log_project(conn, origin, project_id)
    origin.watch.record(project_id)


def may_adopt(conn: Connection, head: ProjectHead, *, is_ended: bool) -> bool:
    """Return whether a project that the server names may be added without asking the person, because nothing is sent
    that they did not share. ``is_ended``: it was shared with this team before. A private project with its id is sent
    only if this member shared it from another computer; a private copy of a former share, only if nothing was written
    in it since. Everything else waits for *Share…*. No project is called as a workspace is: that name is for the log of
    own computers, which all private projects go into."""
    if conn.exec_driver_sql("SELECT 1 FROM workspaces WHERE id = ?", (head.project_id,)).first() is not None:
        return False
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


def record_admission(conn: Connection, project_id: str, *, is_let_in: bool) -> bool:
    """Store whether the team admits this person to the project of a private copy again. Returns whether that
    changed."""
    changed = conn.exec_driver_sql(
        f"UPDATE shared_projects SET progress = json_set({object_in('progress')}, '$.let_in', ?1)"
        f" WHERE project_id = ?2 AND state = 'ended' AND coalesce({json_value('progress', 'let_in')}, 0) <> ?1",
        (int(is_let_in), project_id),
    )
    return changed.rowcount > 0


def adopt(conn: Connection, origin: Origin, head: ProjectHead, workspace_id: str) -> None:
    """Add a project that another member, or another computer, shared. Content that this profile has already is written
    into the log, as in ``start``."""
    row = conn.exec_driver_sql("SELECT deleted_at FROM projects WHERE id = ?", (head.project_id,)).first()
    if row is not None:
        if row.deleted_at is not None:
            conn.exec_driver_sql("UPDATE projects SET deleted_at = NULL WHERE id = ?", (head.project_id,))
        start(conn, origin, head.project_id, workspace_id, TeamRole(head.role), head.channel, joined_seq=head.seq)
        return
    forget(conn, head.project_id)
    now = origin.now()
    conn.exec_driver_sql(
        "INSERT INTO projects (id, name, colour, created_at) VALUES (?, ?, ?, ?)",
        (head.project_id, shown(PLACEHOLDER), DEFAULT_COLOUR, now),
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


def forget(conn: Connection, project_id: str) -> None:
    """Remove the log of a project that was purged here, because all of it is pulled again."""
    conn.exec_driver_sql(
        "DELETE FROM register_heads WHERE change_id IN (SELECT id FROM changes WHERE project_id = ?)", (project_id,)
    )
    for table in ("changes", "seen_changes", "shared_files"):
        conn.exec_driver_sql(f"DELETE FROM {table} WHERE project_id = ?", (project_id,))


def _go_on(conn: Connection, origin: Origin, project_id: str) -> None:
    """Continue a share with the same team as before: the log is compared with this profile, and changes made while it
    was private are sent."""
    copied = conn.exec_driver_sql(  # branches by an earlier ChatDesk, which quoted nothing
        "SELECT m.id FROM changes c JOIN messages m ON m.id = c.entity WHERE c.project_id = ? AND c.mine = 1"
        f" AND c.state IN ({_PENDING}, {_PRIVATE}) AND c.problem IS NULL AND c.kind = 'message' AND c.op = 'new'"
        " AND m.author_id IS NOT NULL",
        (project_id,),
    )
    quoting.quote_messages(conn, origin, quoting.of_others(conn, [row[0] for row in copied]))
    conn.exec_driver_sql(
        f"UPDATE changes SET state = {_PENDING} WHERE project_id = ? AND state = {_PRIVATE} AND mine = 1"
        f" AND problem IS NULL AND {NOT_PERSONAL}",
        (project_id, *PERSONAL_REGS),
    )
    outbox.start_over(conn, project_id)


# The end


def running(conn: Connection, workspace_id: str) -> list[str]:
    """Return the projects of a workspace that are shared."""
    rows = conn.exec_driver_sql(
        "SELECT project_id FROM shared_projects WHERE workspace_id = ? AND state <> ?",
        (workspace_id, ShareState.ENDED.value),
    )
    return [row[0] for row in rows]


def update(conn: Connection, head: ProjectHead) -> None:
    """Store the server's state of a running share."""
    conn.exec_driver_sql(
        f"UPDATE shared_projects SET role = ?, channel = ?, progress = CASE WHEN {json_value('progress', 'doubted')}"
        f" THEN json_remove({object_in('progress')}, '$.wish', '$.doubted') ELSE progress END WHERE project_id = ?",
        (head.role, head.channel, head.project_id),
    )


def record_wish(conn: Connection, project_id: str, reason: EndReason) -> None:
    """Record, before the server is asked, that this person ends or leaves a share. The server reports the end without
    saying who wanted it, perhaps after a restart. The record holds until ``doubt_wishes``."""
    conn.exec_driver_sql(
        f"UPDATE shared_projects SET progress = json_remove(json_set({object_in('progress')}, '$.wish', ?),"
        " '$.doubted')"
        " WHERE project_id = ? AND state <> ?",
        (reason.value, project_id, ShareState.ENDED.value),
    )


def doubt_wishes(conn: Connection) -> None:
    """Let each wish lapse when the server names its project as shared again. To be called when no request is under
    way: as long as one is, what the server says may be older than the request."""
    conn.exec_driver_sql(
        f"UPDATE shared_projects SET progress = json_set({object_in('progress')}, '$.doubted', 1)"
        f" WHERE state <> ? AND {json_value('progress', 'wish')} IS NOT NULL",
        (ShareState.ENDED.value,),
    )


def record_leaving(conn: Connection, workspace_id: str) -> None:
    """Record that this person leaves a workspace, as ``record_wish`` for each of its projects."""
    for project_id in running(conn, workspace_id):
        record_wish(conn, project_id, EndReason.LEFT)


def end(conn: Connection, project_id: str, reason: EndReason) -> None:
    """End a share. The project stays as a private copy; changes that were not sent, and all later ones, stay
    private."""
    conn.exec_driver_sql(
        f"UPDATE changes SET state = {_PRIVATE} WHERE project_id = ? AND mine = 1"
        f" AND state IN ({_PENDING}, {int(ChangeState.ACKNOWLEDGED)})",
        (project_id,),
    )
    before = conn.exec_driver_sql(
        "SELECT workspace_id, state, progress, ended FROM shared_projects WHERE project_id = ?", (project_id,)
    ).first()
    if before is not None and reason in (EndReason.REMOVED, EndReason.DELETED):
        # The server reports the end later, without the wish behind it, which was recorded before.
        wish = before.ended if before.state == ShareState.ENDED else from_json(before.progress).get("wish")
        reason = EndReason(wish) if wish in _OWN_WISHES else reason
    is_entered = before is None or before.state != ShareState.SHARING
    # If the share ended before all rows were entered, the older part of the log is private again, and is entered again
    # when the project is shared once more.
    until = 0 if before is None or is_entered else from_json(before.progress).get("until", 0)
    kept = {"until": until} if until else {}
    if before is not None and before.workspace_id == project_id:  # the log of own computers
        kept = {"left": conn.exec_driver_sql("SELECT coalesce(max(n), 0) FROM changes").scalar_one()}
    elif before is not None:
        own_carrying.forget_entered(conn, project_id)
    conn.exec_driver_sql(
        "UPDATE shared_projects SET state = ?, ended = ?, channel = '', progress = ? WHERE project_id = ?",
        (ShareState.ENDED.value, reason.value, json.dumps(kept), project_id),
    )
    conn.exec_driver_sql("DELETE FROM team_roles WHERE project_id = ?", (project_id,))
    conn.exec_driver_sql(
        "DELETE FROM shared_files WHERE project_id = ? AND state IN ('to_send', 'to_fetch')", (project_id,)
    )
    conn.exec_driver_sql(
        "DELETE FROM unread_threads WHERE thread_id IN (SELECT id FROM threads WHERE project_id = ?)", (project_id,)
    )
