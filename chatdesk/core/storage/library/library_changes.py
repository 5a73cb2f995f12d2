"""Carries out a change of many threads: their values, their tags and the projects that come and go with them."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy.engine import Connection

from chatdesk.core.domain.library import Column, LibraryChange, Value
from chatdesk.core.errors import NotPossible, ProjectNotFound
from chatdesk.core.storage.chat import projects, tags
from chatdesk.core.storage.engine import change_log
from chatdesk.core.storage.engine.change_log import Origin, log_threads
from chatdesk.core.storage.engine.own_log import log_of
from chatdesk.core.storage.engine.rows import batches, marks
from chatdesk.core.storage.sync import entering
from chatdesk.core.texts import Text

_REGISTERS: Final = {
    "pinned_at": change_log.PINNED,
    "archived_at": change_log.ARCHIVED,
    "deleted_at": change_log.CONTENT,
    "project_id": change_log.PROJECT,
}


def carry_out(conn: Connection, origin: Origin, change: LibraryChange) -> LibraryChange:
    """Apply ``change`` to the present rows, and return what was done.

    Other things may have happened since the change was made. A project therefore goes to the trash only when no live
    thread is left in it and another project is in use, and a thread that comes back brings its project along.
    """
    for project_id, (_, deleted_at) in change.projects.items():
        if deleted_at is None:
            projects.get_project(conn, project_id)
            projects.set_deleted(conn, origin, project_id, None)
    done = dict(change.projects)
    touched = set(change.projects)
    if change.column is not None and change.threads:
        values = {key: after for key, (_, after) in change.threads.items()}
        owners, revived = _set_values(conn, origin, change.column, values)
        touched |= owners
        done |= {owner: (deleted_at, None) for owner, deleted_at in revived.items()}
    for project_id, (_, deleted_at) in change.projects.items():
        if deleted_at is not None:
            _check_deletion(conn, project_id)
            if _may_go(conn, project_id):
                projects.set_deleted(conn, origin, project_id, deleted_at)
            else:
                del done[project_id]
    for tag_id, name in change.new_tags.items():
        tags.insert(conn, origin, tag_id, name)
    _set_tags(conn, origin, change)
    for tag_id in change.old_tags:
        tags.remove(conn, origin, tag_id)
    if change.column in ("deleted_at", "project_id"):
        for project_id in touched:
            projects.refresh_last_chat(conn, project_id)
    return replace(change, projects=done)


def _may_go(conn: Connection, project_id: str) -> bool:
    """Return whether a project can go to the trash: it is not there yet, all its threads are, and new ones have
    another."""
    if projects.get_project(conn, project_id).deleted_at is not None:
        return False
    live = "SELECT 1 FROM threads WHERE project_id = ? AND deleted_at IS NULL LIMIT 1"
    return conn.exec_driver_sql(live, (project_id,)).first() is None and not projects.is_last(conn, project_id)


def _set_values(
    conn: Connection, origin: Origin, column: Column, values: Mapping[str, Value]
) -> tuple[set[str], dict[str, int]]:
    """Write one column of many threads and log it. Returns the projects they are and were in, and which of these came
    back from the trash, with the moment at which they had gone there."""
    owners = _owners(conn, tuple(values))
    targets = {str(value) for value in values.values()} if column == "project_id" else set()
    if column == "project_id":
        for key, value in values.items():
            check_moves(conn, [(key, (owners[key], None, None))], str(value))
    for target in targets:
        if projects.get_project(conn, target).deleted_at is not None:
            raise ProjectNotFound
    stamps = {key: origin.stamp() for key in values}
    conn.exec_driver_sql(
        f"UPDATE threads SET {column} = ?, hlc = ?, origin_device = ? WHERE id = ?",
        [(value, stamps[key]["hlc"], origin.device_id, key) for key, value in values.items()],
    )

    def entries(keys: Iterable[str], body: Callable[[str], Mapping[str, Any] | None]) -> list[tuple[Any, ...]]:
        return [(key, owners[key], stamps[key]["hlc"], body(key)) for key in keys]

    reg = _REGISTERS[column]
    revived: dict[str, int] = {}
    if column == "deleted_at":
        dead = [key for key, value in values.items() if value is not None]
        covers = {owner: change_log.seen(conn, origin, owner) for owner in {owners[key] for key in dead}}
        log_threads(
            conn,
            origin,
            op="del",
            reg=reg,
            entries=entries(dead, lambda key: {"covers": covers[owners[key]], "deleted_at": values[key]}),
        )
        alive = [key for key, value in values.items() if value is None]
        for owner in {owners[key] for key in alive}:  # a project that was deleted since comes back with its thread
            gone_at = projects.bring_back(conn, origin, owner)
            if gone_at is not None:
                revived[owner] = gone_at
        log_threads(conn, origin, op="edit", reg=reg, entries=entries(alive, lambda _key: None))
    else:
        rows = entries(values, lambda key: {column: values[key]})
        log_threads(conn, origin, op="edit", reg=reg, entries=rows)
        if column == "project_id":
            logs = {each: log_of(conn, each) for each in {*targets, *owners.values()}}
            arrived = [
                (key, str(values[key]), stamp, body)
                for key, owner, stamp, body in rows
                if logs[owner] != logs[str(values[key])]
            ]
            log_threads(conn, origin, op="edit", reg=reg, entries=arrived)
            for target in targets:
                _enter(conn, origin, target, [key for key in values if target == values[key] != owners[key]])
    return set(owners.values()) | targets, revived


def _set_tags(conn: Connection, origin: Origin, change: LibraryChange) -> None:
    if not (change.tags_added or change.tags_removed):
        return
    owners = _owners(conn, change.thread_ids)  # without threads that are gone for good since
    tags.set_pairs(conn, change.tags_added, change.tags_removed)
    for pairs, is_on in ((change.tags_removed, False), (change.tags_added, True)):
        by_tag: dict[str, list[str]] = defaultdict(list)
        for thread_id, tag_id in pairs:
            if thread_id in owners:
                by_tag[tag_id].append(thread_id)
        for tag_id, thread_ids in by_tag.items():
            # Tags are personal: other members only learn the name of this one.
            name = conn.exec_driver_sql("SELECT name FROM tags WHERE id = ?", (tag_id,)).scalar()
            body = {"is_on": is_on, "name": name}
            log_threads(
                conn,
                origin,
                op="edit",
                reg=f"{change_log.TAG}{tag_id}",
                entries=[(key, owners[key], origin.stamp()["hlc"], body) for key in thread_ids],
            )


def check_moves(conn: Connection, found: Iterable[tuple[str, tuple[str, Value, int | None]]], target: str) -> None:
    """Raise ``NotPossible`` for threads that others have, too: a thread belongs to the project it was shared in."""
    shares = {owner: projects.share_of(conn, owner) for owner in {entry[0] for _key, entry in found}}
    if any(owner != target and share is not None for owner, share in shares.items()):
        raise NotPossible(
            Text("A thread of a shared project cannot be moved out of it, because others have it, too."),
            next_step=Text("Export it, and import it into the other project."),
        )
    into = projects.share_of(conn, target)
    for owner in shares if into is not None else ():
        former = conn.exec_driver_sql(
            "SELECT 1 FROM shared_projects WHERE project_id = ? AND workspace_id = ? AND state = 'ended'",
            (owner, into[0] if into else ""),
        ).first()
        if owner != target and former is not None:
            raise NotPossible(
                Text("The team knows this thread from the project it was shared in before."),
                next_step=Text("Branch it at its last message, and move the branch."),
            )


def _enter(conn: Connection, origin: Origin, project_id: str, thread_ids: Sequence[str]) -> None:
    """Log threads that were moved into a shared project, so that its members learn of them there."""
    if projects.share_of(conn, project_id) is not None:
        origin.watch.check(project_id)
        entering.log_threads(conn, origin, project_id, thread_ids)


def _check_deletion(conn: Connection, project_id: str) -> None:
    share = projects.share_of(conn, project_id)
    if share is not None:
        is_owner = share[1] == "owner"
        if is_owner:
            raise NotPossible(
                Text("This project is shared, so you cannot delete it."),
                next_step=Text("Stop sharing it first; then delete your copy."),
            )
        raise NotPossible(
            Text("This project is shared by others, so you cannot delete it."),
            next_step=Text("Leave it first; then delete your copy."),
        )


def _owners(conn: Connection, thread_ids: Sequence[str]) -> dict[str, str]:
    return {
        row[0]: row[1]
        for batch in batches(thread_ids)
        for row in conn.exec_driver_sql(
            f"SELECT id, project_id FROM threads WHERE id IN ({marks(batch)})", tuple(batch)
        )
    }
