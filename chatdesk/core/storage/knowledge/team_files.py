"""Reads and writes what a team knows of a shared project's files.

Both are registers of the project, which only its owners and admins may write: one for each source (its name and kind),
and, where the person shares text, one for each file, with its passages. They travel, merge and are erased like every
other register, so nothing else has to know of them. What arrives is of another member: nothing of it is believed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.knowledge import FileState, KnowledgeSource, Sharing, SourceKind
from chatdesk.core.domain.sharing.sync_wire import MAX_BODY_BYTES
from chatdesk.core.domain.sharing.team import ShareState
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.storage.engine import change_log, tables
from chatdesk.core.storage.engine.change_log import Origin, log_change
from chatdesk.core.storage.engine.connection import driver, insert_row
from chatdesk.core.storage.engine.plain_text import clean, json_value, to_json
from chatdesk.core.storage.sync import team
from chatdesk.core.storage.sync.wire.rows import is_id, read_object

# Per source: files whose text a team gets, and takes.
MOST_FILES: Final = 2_000
MOST_SOURCES: Final = 200
LONGEST_BODY: Final = MAX_BODY_BYTES - 50_000
TEAM_PLACE: Final = "team:"
_LONGEST_NAME: Final = 200
_LONGEST_PATH: Final = 1_000
_AT_ONCE: Final = 20
_END: Final = "\U0010ffff"
_HEADS: Final = (
    "SELECT h.reg, c.id, c.body FROM register_heads h JOIN changes c ON c.id = h.change_id"
    " WHERE h.entity = ? AND h.reg >= ? AND h.reg < ? AND c.kind = 'project' AND +c.project_id = ? AND c.op <> 'del'"
    " ORDER BY h.reg, c.hlc DESC, c.id DESC"
)
_PATHS: Final = (
    f"SELECT h.reg, c.id, {json_value('c.body', 'path')}, {json_value('c.body', 'stamp')}"
    f" {_HEADS[_HEADS.index('FROM') :]}"
)


def may_offer(conn: Connection, project_id: str) -> bool:
    """Return whether this person may share something of their files with the team of a project."""
    shared = team.shared_project(conn, project_id)
    return shared is not None and shared.state is ShareState.SHARED and shared.role.can_manage


def has_taken(conn: Connection, project_id: str) -> bool:
    """Return whether a project has sources that others share."""
    statement = "SELECT 1 FROM knowledge_sources WHERE project_id = ? AND kind = ? LIMIT 1"
    return conn.exec_driver_sql(statement, (project_id, SourceKind.TEAM.value)).first() is not None


def projects(conn: Connection) -> list[str]:
    """Return the projects that are shared, or have sources that others shared."""
    rows = conn.exec_driver_sql(
        "SELECT project_id FROM shared_projects WHERE state <> ? UNION"
        " SELECT project_id FROM knowledge_sources WHERE kind = ?",
        (ShareState.ENDED.value, SourceKind.TEAM.value),
    )
    return [row[0] for row in rows]


def is_shared(conn: Connection, project_id: str) -> bool:
    """Return whether a project is shared with a team now."""
    shared = team.shared_project(conn, project_id)
    return shared is not None and shared.state is not ShareState.ENDED


# What others offer.


def receive_sources(conn: Connection, origin: Origin, project_id: str) -> tuple[list[str], list[str]]:
    """Add the sources that others share with a project. Returns the ids of all that are here now, and of those that
    are no longer shared, which the caller removes."""
    offered = _offered(conn, project_id) if is_shared(conn, project_id) else {}
    here = {
        row[0]: row[1:]
        for row in conn.exec_driver_sql(
            "SELECT id, kind, place FROM knowledge_sources WHERE project_id = ?", (project_id,)
        )
    }
    kept = []
    for source_id, name in offered.items():
        place = f"{TEAM_PLACE}{name}"
        if source_id not in here:
            if conn.exec_driver_sql("SELECT 1 FROM knowledge_sources WHERE id = ?", (source_id,)).first():
                continue  # a source of another project: nobody but a hostile member gives its id
            values = {"project_id": project_id, "kind": SourceKind.TEAM.value, "place": place}
            values["sharing"] = Sharing.NOTHING.value
            insert_row(conn, tables.knowledge_sources, id=source_id, added_at=origin.now(), **values)
        elif here[source_id][0] != SourceKind.TEAM.value:
            continue  # this computer's own
        elif here[source_id][1] != place:
            conn.exec_driver_sql("UPDATE knowledge_sources SET place = ? WHERE id = ?", (place, source_id))
        kept.append(source_id)
    gone = [each for each, (kind, _) in here.items() if kind == SourceKind.TEAM.value and each not in kept]
    return kept, gone


def _offered(conn: Connection, project_id: str) -> dict[str, str]:
    """Return the names of the sources that the registers of a project name, by id."""
    found: dict[str, str] = {}
    seen = set()
    rows = driver(conn).execute(_HEADS, (project_id, change_log.FILES, change_log.FILES + _END, project_id))
    for reg, _, body in rows:
        said = (read_object(body) or {}).get("name")
        name = _line(said, _LONGEST_NAME).replace("/", "").replace("\\", "")
        source_id = reg.removeprefix(change_log.FILES)
        if reg not in seen and name and is_id(source_id) and len(found) < MOST_SOURCES:
            found[source_id] = name
        seen.add(reg)
    return found


def shared_texts(conn: Connection, source: KnowledgeSource) -> dict[str, str]:
    """Return the files of a source of the team whose text is here: the id of the change that has it, by path."""
    prefix = _prefix(source.id)
    found: dict[str, str] = {}
    seen = set()
    for reg, change_id, path, _ in driver(conn).execute(
        _PATHS, (source.project_id, prefix, prefix + _END, source.project_id)
    ):
        kept = _line(path, _LONGEST_PATH)
        if reg not in seen and kept and reg == _text_register(source.id, kept) and len(found) < MOST_FILES:
            found[kept] = change_id
        seen.add(reg)
    return found


def shared_text(conn: Connection, change_id: str) -> str | None:
    """Return the body that has the passages of a file, as another member wrote it."""
    row = conn.exec_driver_sql("SELECT body FROM changes WHERE id = ?", (change_id,)).first()
    return None if row is None else row[0]


# What this person offers.


def offer(
    conn: Connection,
    origin: Origin,
    source: KnowledgeSource,
    *,
    is_removed: bool = False,
    may_share: Callable[[str], bool],
) -> bool:
    """Write the next of what the team is to know of a source: nothing any more if it is removed, and no text of a path
    that it may not get. Returns whether there may be more to write. Raises ``SharedReadOnly``, ``SharedNotOwn``."""
    if source.kind is SourceKind.TEAM or not may_offer(conn, source.project_id):
        return False
    sharing = Sharing.NOTHING if is_removed else source.sharing
    body: dict[str, Any] = {}
    if sharing is not Sharing.NOTHING:
        body = {"name": name_of(source), "is_text": sharing is Sharing.TEXT}
    _write(conn, origin, source.project_id, f"{change_log.FILES}{source.id}", body)
    return _offer_texts(conn, origin, source, is_wanted=sharing is Sharing.TEXT, may_share=may_share)


def _offer_texts(
    conn: Connection, origin: Origin, source: KnowledgeSource, *, is_wanted: bool, may_share: Callable[[str], bool]
) -> bool:
    prefix, project_id = _prefix(source.id), source.project_id
    there: dict[str, str] = {}
    for reg, _, path, stamp in driver(conn).execute(_PATHS, (project_id, prefix, prefix + _END, project_id)):
        there.setdefault(reg, str(stamp or "") if path else "")
    files = (
        conn.exec_driver_sql(
            "SELECT id, path, stamp, mime, characters, read_at FROM knowledge_files WHERE source_id = ? AND state = ?"
            " AND characters < ? ORDER BY path LIMIT ?",
            (source.id, FileState.READ.value, LONGEST_BODY, MOST_FILES),
        ).all()
        if is_wanted
        else ()
    )
    wanted = {
        _text_register(source.id, row[1]): row for row in files if len(row[1]) <= _LONGEST_PATH and may_share(row[1])
    }
    old = [reg for reg, stamp in there.items() if stamp and reg not in wanted]
    new = [reg for reg, row in wanted.items() if there.get(reg) != _stamp(row)]
    written = 0
    for reg in [*old, *new]:
        body = _body_of(conn, wanted[reg]) if reg in wanted else {}
        if body or there.get(reg):
            _write(conn, origin, project_id, reg, body)
            written += 1
        if written == _AT_ONCE:
            return True
    return False


def _stamp(row: Any) -> str:
    """Return a digest that tells one reading of a file from another; the time itself is not for the team."""
    return hashlib.sha256(f"{row.stamp} {row.read_at}".encode()).hexdigest()[:16]


def _body_of(conn: Connection, row: Any) -> dict[str, Any]:
    """Return the body for a file; an empty one where it is too large to be shared."""
    passages = conn.exec_driver_sql(
        "SELECT begin_offset, end_offset, page, heading, text FROM knowledge_passages WHERE file_id = ?"
        " ORDER BY position",
        (row.id,),
    )
    body = {
        "path": row.path,
        "stamp": _stamp(row),
        "mime": row.mime,
        "characters": row.characters,
        "passages": [list(each) for each in passages],
    }
    return body if len(to_json(body).encode("utf-8", "replace")) <= LONGEST_BODY else {}


def _write(conn: Connection, origin: Origin, project_id: str, reg: str, body: Mapping[str, Any]) -> None:
    """Write a register, unless it says so already."""
    known = conn.exec_driver_sql(_HEADS, (project_id, reg, reg + "\0", project_id)).first()
    if (read_object(known[2] if known else None) or {}) == body:
        return
    stamp = origin.hybrid_clock.next()
    log_change(
        conn, origin, project_id=project_id, kind="project", op="edit", entity=project_id, reg=reg, hlc=stamp, body=body
    )


def name_of(source: KnowledgeSource) -> str:
    """Return the name by which a team knows a source: never the folders above it."""
    if source.kind is SourceKind.PAGE:
        return _line(source.place.partition("?")[0].split("://")[-1].replace("/", " "), _LONGEST_NAME)
    return _line(source.place.replace("\\", "/").rstrip("/").rpartition("/")[2], _LONGEST_NAME)


def _line(value: object, longest: int) -> str:
    return clean_line(clean(value[:longest])).strip() if isinstance(value, str) else ""


def _prefix(source_id: str) -> str:
    return f"{change_log.FILE_TEXT}{source_id}."


def _text_register(source_id: str, path: str) -> str:
    return f"{_prefix(source_id)}{hashlib.sha256(path.encode('utf-8', 'replace')).hexdigest()[:32]}"
