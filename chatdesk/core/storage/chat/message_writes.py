"""Inserts messages and versions of messages, inside a transaction of the caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.message import EDITED, NOTE, ContextMark, Message, PartType, Role, Status
from chatdesk.core.domain.summary import StaleReason
from chatdesk.core.domain.turn import AnswerPlan
from chatdesk.core.errors import MessageInTrash, MessageNotFound, NotPossible, TurnInProgress, UnknownParent
from chatdesk.core.ids import new_id
from chatdesk.core.storage.chat import (
    artifacts,
    branching,
    projects,
    quoting,
    shown_path,
    streaming,
    summaries,
    thread_counters,
    token_counts,
)
from chatdesk.core.storage.chat.shown_path import Node
from chatdesk.core.storage.chat.threads import live_thread, touch
from chatdesk.core.storage.engine import tables
from chatdesk.core.storage.engine.change_log import Origin, can_follow, is_logged, log_message
from chatdesk.core.storage.engine.connection import insert_row
from chatdesk.core.storage.engine.own_log import log_of
from chatdesk.core.storage.engine.plain_text import clean, to_json
from chatdesk.core.storage.engine.rows import get_message, get_thread
from chatdesk.core.texts import Text

# Stands for a parent: the end of the shown path when the transaction runs.
LEAF: Final = "leaf"


def add_question(
    conn: Connection,
    origin: Origin,
    owner: str,
    thread_id: str,
    text: str,
    parent_id: str | None,
    plan: AnswerPlan | None,
    attachments: Sequence[Attachment] = (),
) -> tuple[Message, Message | None]:
    live_thread(conn, thread_id)
    parent = shown_path.tip(conn, thread_id) if parent_id == LEAF else _parent(conn, thread_id, parent_id)
    return _ask(conn, origin, owner, thread_id, text, parent, plan, attachments)


def add_question_version(
    conn: Connection,
    origin: Origin,
    owner: str,
    message_id: str,
    text: str,
    plan: AnswerPlan | None,
    attachments: Sequence[Attachment] = (),
) -> tuple[Message, Message | None]:
    node = _live_node(conn, message_id)
    if node.role != Role.USER:
        raise NotPossible(Text("Only your own messages can be edited."))
    return _ask(conn, origin, owner, node.thread_id, text, _parent_of(conn, node), plan, attachments)


def add_note(
    conn: Connection,
    origin: Origin,
    thread_id: str,
    text: str,
    attachments: Sequence[Attachment] = (),
    *,
    instead_of: str | None = None,
) -> Message:
    """Add a note at the end of the shown path, or another version of one. The model does not see it until the person
    includes it."""
    live_thread(conn, thread_id)
    parent = shown_path.tip(conn, thread_id) if instead_of is None else _parent_of(conn, _live_node(conn, instead_of))
    note = _insert_written(
        conn,
        origin,
        thread_id,
        parent,
        clean(text),
        attachments,
        role=Role.USER,
        finish_reason=NOTE,
        context_mark=ContextMark.EXCLUDED.value,
    )
    touch(conn, thread_id, origin.now())
    return get_message(conn, note.id)


def add_edited_answer(
    conn: Connection, origin: Origin, message_id: str, text: str, attachments: Sequence[Attachment] = ()
) -> Message:
    """Add a person's words as another version of an answer. No provider and no model are named: none of them said
    it."""
    node = _live_node(conn, message_id)
    if node.role != Role.ASSISTANT:
        raise NotPossible(Text("Only an answer can get a version of this kind."))
    if not Status(node.status).is_final:
        raise TurnInProgress
    parent = _parent_of(conn, node)
    words = clean(text)
    made = _insert_written(
        conn, origin, node.thread_id, parent, words, attachments, role=Role.ASSISTANT, finish_reason=EDITED
    )
    touch(conn, node.thread_id, origin.now())
    return get_message(conn, made.id)


def add_answer(conn: Connection, origin: Origin, owner: str, parent_id: str, plan: AnswerPlan) -> Message:
    parent = _live_node(conn, parent_id)
    node = _insert_answer(conn, origin, owner, parent.thread_id, parent, plan)
    return get_message(conn, node.id)


def add_others(conn: Connection, origin: Origin, owner: str, first: Message, plans: Sequence[AnswerPlan]) -> list[str]:
    """Add more pending answers beside ``first``, which stays the shown one."""
    assert first.parent_id is not None  # an answer is below its question
    parent = _live_node(conn, first.parent_id)
    ids = [_insert_answer(conn, origin, owner, parent.thread_id, parent, plan).id for plan in plans]
    lead_path_to(conn, first.id)
    return ids


def resume(conn: Connection, origin: Origin, owner: str, message_id: str, plan: AnswerPlan) -> str:
    """Continue an answer where it is. A logged answer of a shared project does not change any more: another version
    continues there, which begins with the same parts. Returns the id of the answer that continues."""
    node = _live_node(conn, message_id)
    project_id = get_thread(conn, node.thread_id).project_id
    origin.watch.check(project_id)
    is_cut_off = get_message(conn, message_id).finish_reason == "length"
    if node.role != Role.ASSISTANT or not (Status(node.status).can_continue or is_cut_off):
        raise NotPossible(Text("Only an answer that stopped before its end can be continued."))
    is_shared = log_of(conn, project_id).is_own or projects.share_of(conn, project_id) is not None
    if is_shared and is_logged(conn, message_id):
        return _go_on_beside(conn, origin, owner, node, plan)
    before = thread_counters.of_messages(conn, [message_id])
    conn.execute(
        tables.messages.update()
        .where(tables.messages.c.id == message_id)
        .values(
            status=Status.PENDING.value,
            **plan.columns(),
            owner_pid_token=owner,
            completed_at=None,
            finish_reason=None,
            error=None,
            error_type=None,
            error_details=None,
            content_digest=None,
            **origin.stamp(),
        )
    )
    after = thread_counters.of_messages(conn, [message_id])
    thread_counters.change_by_difference(conn, node.thread_id, before, after)
    token_counts.forget(conn, message_id)
    summaries.mark_message_stale(conn, message_id, StaleReason.EDITED)
    return message_id


def _go_on_beside(conn: Connection, origin: Origin, owner: str, node: Node, plan: AnswerPlan) -> str:
    made = _insert_answer(conn, origin, owner, node.thread_id, _parent_of(conn, node), plan)
    branching.copy_parts(conn, origin, {node.id: made.id})
    is_imported = conn.exec_driver_sql("SELECT 1 FROM import_origins WHERE entity = ?", (node.id,)).first() is not None
    others = quoting.of_others(conn, [node.id])
    if is_imported or others:
        branching.close_calls(conn, [made.id])
    token_counts.forget(conn, made.id)
    conn.exec_driver_sql(
        "UPDATE messages SET (char_count, line_count) = (SELECT char_count, line_count FROM messages WHERE id = ?)"
        " WHERE id = ?",
        (node.id, made.id),
    )
    quoting.quote_messages(conn, origin, dict.fromkeys([made.id], others[node.id]) if others else {})
    return made.id


def select_version(conn: Connection, message_id: str) -> str:
    """Show a message. The choice is a person's own, so it is not logged. Returns the id of its thread."""
    node = _live_node(conn, message_id)
    shown_path.show(conn, node)
    return node.thread_id


def lead_path_to(conn: Connection, message_id: str) -> tuple[str, str | None]:
    """Make the path lead to a message, live or not. Returns its thread, and the last message that stays (None: not even
    the first)."""
    node = shown_path.find_node(conn, message_id)
    if node is None:
        raise MessageNotFound
    live_thread(conn, node.thread_id)
    fork = shown_path.show(conn, node)
    return node.thread_id, shown_path.id_at(conn, node.thread_id, fork - 1)


def _ask(
    conn: Connection,
    origin: Origin,
    owner: str,
    thread_id: str,
    text: str,
    parent: Node | None,
    plan: AnswerPlan | None,
    attachments: Sequence[Attachment],
) -> tuple[Message, Message | None]:
    question = _insert_written(conn, origin, thread_id, parent, clean(text), attachments, role=Role.USER)
    answer = None if plan is None else _insert_answer(conn, origin, owner, thread_id, question, plan)
    touch(conn, thread_id, origin.now())
    return get_message(conn, question.id), None if answer is None else get_message(conn, answer.id)


def _insert_written(
    conn: Connection,
    origin: Origin,
    thread_id: str,
    parent: Node | None,
    text: str,
    attachments: Sequence[Attachment],
    *,
    role: Role,
    **values: object,
) -> Node:
    """Insert a message that a person wrote, which is complete at once. Attachments come first; an empty text beside
    them is left out."""
    texts = [(len(attachments), PartType.TEXT.value, to_json({"text": text}))] if text or not attachments else []
    described = artifacts.described(attachments)
    now = origin.now()
    node = _insert(
        conn,
        origin,
        thread_id,
        parent,
        role=role,
        status=Status.COMPLETE,
        created_at=now,
        completed_at=now,
        **values,
        **streaming.sizes([*described, *texts]),
    )
    artifacts.add_attachments(conn, origin, node.id, attachments)
    for index, kind, content in texts:
        insert_row(
            conn,
            tables.message_parts,
            id=new_id(),
            message_id=node.id,
            part_index=index,
            type=kind,
            content=content,
            started_at=now,
            completed_at=now,
            **origin.stamp(),
        )
    project_id = live_thread(conn, thread_id).project_id
    origin.watch.check(project_id)
    if can_follow(conn, node.parent_id):
        log_message(conn, origin, project_id, node.id, parent_id=node.parent_id)
    return node


def _insert_answer(
    conn: Connection, origin: Origin, owner: str, thread_id: str, parent: Node | None, plan: AnswerPlan
) -> Node:
    origin.watch.check(get_thread(conn, thread_id).project_id)
    return _insert(
        conn,
        origin,
        thread_id,
        parent,
        role=Role.ASSISTANT,
        status=Status.PENDING,
        owner_pid_token=owner,
        created_at=origin.now(),
        **plan.columns(),
    )


def _insert(
    conn: Connection,
    origin: Origin,
    thread_id: str,
    parent: Node | None,
    *,
    role: Role,
    status: Status,
    created_at: int,
    **values: object,
) -> Node:
    message_id = new_id()
    position = 0 if parent is None else parent.position + 1
    end = shown_path.tip(conn, thread_id)
    insert_row(
        conn,
        tables.messages,
        id=message_id,
        thread_id=thread_id,
        parent_id=None if parent is None else parent.id,
        role=role.value,
        status=status.value,
        position=position,
        created_at=created_at,
        **values,
        **origin.stamp(),
    )
    conn.exec_driver_sql("UPDATE devices SET message_count = message_count + 1 WHERE id = ?", (origin.device_id,))
    thread_counters.change(conn, thread_id, thread_counters.Tally(message_count=1))
    node = Node(
        message_id, thread_id, None if parent is None else parent.id, role.value, status.value, position, False, None
    )
    if (None if end is None else end.id) == node.parent_id:
        shown_path.append(conn, node)
    else:
        shown_path.show(conn, node)
    return node


def _parent(conn: Connection, thread_id: str, parent_id: str | None) -> Node | None:
    if parent_id is None:
        return None
    node = shown_path.find_node(conn, parent_id)
    if node is None or node.thread_id != thread_id:
        raise UnknownParent
    if node.deleted_at is not None:
        raise MessageInTrash
    return node


def _parent_of(conn: Connection, node: Node) -> Node | None:
    return None if node.parent_id is None else shown_path.find_node(conn, node.parent_id)


def _live_node(conn: Connection, message_id: str) -> Node:
    node = shown_path.find_node(conn, message_id)
    if node is None:
        raise MessageNotFound
    live_thread(conn, node.thread_id)
    if node.deleted_at is not None:
        raise MessageInTrash
    return node
