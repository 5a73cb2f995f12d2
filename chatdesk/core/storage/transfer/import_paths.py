"""Leads the shown path of a thread through messages that an import adds."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from chatdesk.core.storage.chat import shown_path
from chatdesk.core.storage.transfer.import_rows import Step, ThreadRows


def clear_path(conn: Connection, step: Step) -> None:
    """Remove messages from the path of a new thread where the shown messages of this step belong: versions that ended
    the path until now, and messages that a person wrote there in the meantime, which become versions beside them."""
    first = next((row for row in step.messages if row.is_shown), None)
    node = None if first is None else shown_path.find_place(conn, step.rows.thread_id, first.position)
    if first is not None and node is not None:
        shown_path.cut(conn, node, first.id)


def lead_on(conn: Connection, rows: ThreadRows) -> None:
    """Let the path go on below its end: as the vendor shows it, else as was chosen there, else through the newest
    message, which could not be reached otherwise. Where the person went another way, the new messages are versions
    beside it."""
    tip = shown_path.tip(conn, rows.thread_id)
    tip_id = None if tip is None else tip.id
    node = None
    if rows.path_start is not None and rows.path_start[1] == tip_id:
        node = shown_path.find_node(conn, rows.path_start[0])
    node = node or shown_path.next_below(conn, rows.thread_id, tip_id)
    if node is not None:
        shown_path.show(conn, node, is_choice=False)


def show_as_there(conn: Connection, rows: ThreadRows) -> None:
    """Let the path go the vendor's way, else the newest, where it goes on with messages of this import: an earlier step
    may have led it another way, because that came first."""
    new = {row.id for row in rows.messages}
    tops = [row for row in rows.messages if row.parent_id not in new]
    shown = next((row for row in tops if (node := shown_path.find_node(conn, row.id)) and node.is_on_path), None)
    if shown is None:
        return
    if rows.path_start is not None and rows.path_start[1] == shown.parent_id:
        wanted = rows.path_start[0]
    else:
        choices = {parent_id: child for child, parent_id in rows.choices}
        beside = [row.id for row in tops if row.parent_id == shown.parent_id and row.is_live]
        wanted = choices.get(shown.parent_id or "") or max(beside, default=shown.id)
    shown_path.cut(conn, _node(conn, shown.id), wanted)
    shown_path.show(conn, _node(conn, wanted))


def _node(conn: Connection, message_id: str) -> shown_path.Node:
    node = shown_path.find_node(conn, message_id)
    assert node is not None, message_id
    return node
