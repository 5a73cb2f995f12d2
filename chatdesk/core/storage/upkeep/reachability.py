"""Checks and repairs the invariants by which everything a person wrote can be found, also after undo, sync and purges.

- A thread that is not in the trash is in a project that is not there either.
- A message is below one of its own thread, one place further down; so every message has its place in the tree.
- The shown path of a thread is one way through that tree. It shows something where there is something, to its end.
- The version that is chosen below a message is one of the messages below it.
- A part that names a file has the row by which the file is kept, sent and backed up.

``unreachable`` reports violations, ``make_reachable`` repairs them. Dangling references are handled before, by
``db_check`` and ``repair``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.attachment import Attachment, attachment_from
from chatdesk.core.storage.chat import artifacts, projects, shown_path
from chatdesk.core.storage.engine import tables
from chatdesk.core.storage.engine.change_log import Origin
from chatdesk.core.storage.engine.connection import insert_row
from chatdesk.core.storage.engine.plain_text import from_json
from chatdesk.core.texts import Text, plural

# The conditions are spelt as in the partial indexes of threads, so that a start can afford to ask.
_HIDING_PROJECTS: Final = """
SELECT p.id FROM projects p WHERE p.deleted_at IS NOT NULL AND (
    EXISTS (SELECT 1 FROM threads t WHERE t.project_id = p.id AND t.deleted_at IS NULL AND t.archived_at IS NULL)
    OR EXISTS (SELECT 1 FROM threads t WHERE t.project_id = p.id AND t.archived_at IS NOT NULL AND t.deleted_at IS NULL)
)
"""
_MISPLACED: Final = """
SELECT DISTINCT m.thread_id FROM messages m JOIN messages p ON p.id = m.parent_id
WHERE p.thread_id <> m.thread_id OR m.position <> p.position + 1
"""
_WRONG_CHOICES: Final = """
SELECT m.thread_id FROM messages m JOIN messages c ON c.id = m.chosen_child_id WHERE c.parent_id IS NOT m.id
UNION SELECT t.id FROM threads t JOIN messages c ON c.id = t.chosen_root_id
    WHERE c.thread_id <> t.id OR c.parent_id IS NOT NULL
"""
_BROKEN_PATHS: Final = """
SELECT thread_id FROM messages WHERE on_path = 1 GROUP BY thread_id, position HAVING count(*) > 1
UNION SELECT m.thread_id FROM messages m JOIN messages p ON p.id = m.parent_id WHERE m.on_path = 1 AND p.on_path = 0
UNION SELECT p.thread_id FROM messages p JOIN messages m ON m.parent_id = p.id AND m.deleted_at IS NULL
    WHERE p.on_path = 1 AND NOT EXISTS (SELECT 1 FROM messages c WHERE c.parent_id = p.id AND c.on_path = 1)
UNION SELECT t.id FROM threads t
    WHERE EXISTS (SELECT 1 FROM messages m WHERE m.thread_id = t.id AND m.deleted_at IS NULL AND m.parent_id IS NULL)
    AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.thread_id = t.id AND m.on_path = 1)
"""
_UNNAMED_FILES: Final = """
SELECT p.id, p.content FROM message_parts p WHERE p.type IN ('image', 'file')
AND NOT EXISTS (SELECT 1 FROM artifacts a WHERE a.part_id = p.id AND a.document_id IS NULL)
"""


def unreachable(conn: Connection) -> list[Text]:
    """Return complaints in plain words, without contents; empty when all can be found."""
    return [
        *(
            Text("Project {project} is in the trash, but not all of its threads are.", project=each)
            for each in hiding_projects(conn)
        ),
        *(Text("Messages of thread {thread} are out of place.", thread=each) for each in _threads(conn, _MISPLACED)),
        *(
            Text("In thread {thread} a message that is chosen below another is not below it.", thread=each)
            for each in _threads(conn, _WRONG_CHOICES)
        ),
        *(
            Text("The choice of shown messages of thread {thread} is broken.", thread=each)
            for each in _threads(conn, _BROKEN_PATHS)
        ),
        *(
            Text("The file of part {part} is missing in the list of files.", part=part)
            for part, _file, _content in _unnamed_files(conn)
        ),
    ]


def make_reachable(conn: Connection, origin: Origin) -> list[str]:
    """Repair the findings of ``unreachable``, in the caller's transaction. Returns a sentence for each kind."""
    done: list[str] = []
    back = bring_projects_back(conn, origin)
    if back:
        done.append(
            plural(
                "{count} projects with threads outside the trash were taken out of the trash.",
                "{count} project with threads outside the trash was taken out of the trash.",
                back,
            )
        )
    misplaced = _threads(conn, _MISPLACED)
    for thread_id in misplaced:
        _place(conn, thread_id)
    if misplaced:
        done.append(
            plural(
                "The messages of {count} threads were put in their places again.",
                "The messages of {count} thread were put in their places again.",
                len(misplaced),
            )
        )
    chosen = _threads(conn, _WRONG_CHOICES)
    for thread_id in chosen:
        _forget_wrong_choices(conn, thread_id)
    if chosen:
        done.append(
            plural(
                "Choices of versions that led nowhere were removed in {count} threads.",
                "Choices of versions that led nowhere were removed in {count} thread.",
                len(chosen),
            )
        )
    broken = sorted({*misplaced, *_threads(conn, _BROKEN_PATHS)})
    for thread_id in broken:
        _lay_path(conn, thread_id)
    if broken:
        done.append(
            plural(
                "The choice of shown messages was repaired in {count} threads.",
                "The choice of shown messages was repaired in {count} thread.",
                len(broken),
            )
        )
    files = list(_unnamed_files(conn))
    for part_id, attachment, content in files:
        row = artifacts.artifact_row(part_id, attachment, content)
        insert_row(conn, tables.artifacts, **row, **origin.stamp())
    if files:
        done.append(
            plural(
                "{count} attached files were entered in the list of files again, from which they were missing.",
                "{count} attached file was entered in the list of files again, from which it was missing.",
                len(files),
            )
        )
    return done


def hiding_projects(conn: Connection) -> list[str]:
    """Return projects in the trash with threads that are not there. Quick enough for a start."""
    return _threads(conn, _HIDING_PROJECTS)


def bring_projects_back(conn: Connection, origin: Origin) -> int:
    """Bring projects out of the trash that have threads outside it. Returns how many."""
    found = hiding_projects(conn)
    for project_id in found:
        projects.set_deleted(conn, origin, project_id, None)
        projects.refresh_last_chat(conn, project_id)
    return len(found)


def _threads(conn: Connection, statement: str) -> list[str]:
    return sorted(row[0] for row in conn.exec_driver_sql(statement))


def _unnamed_files(conn: Connection) -> Iterator[tuple[str, Attachment, dict[str, Any]]]:
    for part_id, stored in conn.exec_driver_sql(_UNNAMED_FILES).all():
        content = from_json(stored)
        attachment = attachment_from(content)
        if attachment is not None:
            yield part_id, attachment, content


def _place(conn: Connection, thread_id: str) -> None:
    """Give every message of a thread its position again. One whose parent is of another thread, or is in a circle,
    begins a version of its own."""
    rows = conn.exec_driver_sql(
        "SELECT m.id, p.id FROM messages m LEFT JOIN messages p ON p.id = m.parent_id AND p.thread_id = m.thread_id"
        " WHERE m.thread_id = ? ORDER BY m.created_at, m.id",
        (thread_id,),
    ).all()
    below: dict[str | None, list[str]] = defaultdict(list)
    for message_id, parent_id in rows:
        below[parent_id].append(message_id)
    places: dict[str, int] = {}
    parents = {row[0]: row[1] for row in rows}
    roots = list(below[None])
    for message_id in [*roots, *parents]:
        if message_id in places:
            continue
        if parents[message_id] is not None:  # not below any root: a circle, which is opened here
            parents[message_id] = None
        level, position = [message_id], 0
        while level:
            places |= dict.fromkeys(level, position)
            level = [each for one in level for each in below[one] if each not in places]
            position += 1
    conn.exec_driver_sql(
        "UPDATE messages SET position = ?, parent_id = ?, on_path = 0 WHERE id = ?",
        [(places[each], parents[each], each) for each in places],
    )


def _forget_wrong_choices(conn: Connection, thread_id: str) -> None:
    conn.exec_driver_sql(
        "UPDATE messages SET chosen_child_id = NULL WHERE thread_id = ? AND NOT EXISTS"
        " (SELECT 1 FROM messages c WHERE c.id = messages.chosen_child_id AND c.parent_id = messages.id)",
        (thread_id,),
    )
    conn.exec_driver_sql(
        "UPDATE threads SET chosen_root_id = NULL WHERE id = ? AND NOT EXISTS (SELECT 1 FROM messages c"
        " WHERE c.id = threads.chosen_root_id AND c.thread_id = threads.id AND c.parent_id IS NULL)",
        (thread_id,),
    )


def _lay_path(conn: Connection, thread_id: str) -> None:
    """Let the path of a thread lead through the root that was chosen, or through the newest that is live."""
    root = conn.exec_driver_sql(
        "SELECT m.id FROM messages m JOIN threads t ON t.id = m.thread_id WHERE t.id = ? AND m.parent_id IS NULL"
        " ORDER BY m.deleted_at IS NOT NULL, m.id = t.chosen_root_id DESC, m.id DESC LIMIT 1",
        (thread_id,),
    ).scalar()
    conn.exec_driver_sql("UPDATE messages SET on_path = 0 WHERE thread_id = ? AND on_path = 1", (thread_id,))
    conn.exec_driver_sql("UPDATE threads SET shown_count = 0 WHERE id = ?", (thread_id,))
    node = None if root is None else shown_path.find_node(conn, root)
    if node is not None:
        shown_path.show(conn, node)
