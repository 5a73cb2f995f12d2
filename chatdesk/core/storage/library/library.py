"""Changes many threads in one transaction, so that all of a selection changes or none of it."""

# ruff: noqa: S608 - statements are assembled from constants of this package; values are always bound

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.engine import Connection

from chatdesk.core.domain.library import GONE, Column, DeletedMessage, LibraryChange, ThreadQuery, Value
from chatdesk.core.domain.thread import Thread, ThreadPage
from chatdesk.core.errors import NotPossible, ThreadInTrash
from chatdesk.core.ids import checked_id
from chatdesk.core.storage.chat import projects, tags, thread_lists, trash
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.rows import THREAD_COLUMNS, batches, marks, thread_from
from chatdesk.core.storage.library import removal
from chatdesk.core.storage.library.library_changes import carry_out, check_moves
from chatdesk.core.texts import Text, plural

Found = Mapping[str, tuple[str, Value, int | None]]


class LibraryRepository:
    """Lists and changes many threads. A change returns its own description, which also serves to undo it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # Lists

    async def page(self, query: ThreadQuery, *, limit: int, cursor: str | None = None) -> ThreadPage:
        return await self._db.read(lambda conn: thread_lists.page(conn, query, limit=limit, cursor=cursor))

    async def ids(self, query: ThreadQuery, *, limit: int) -> tuple[str, ...]:
        return await self._db.read(lambda conn: thread_lists.ids(conn, query, limit=limit))

    async def count(self, query: ThreadQuery) -> int:
        return await self._db.read(lambda conn: thread_lists.count(conn, query))

    async def count_by_project(self) -> dict[str, int]:
        return await self._db.read(thread_lists.count_by_project)

    async def threads(self, thread_ids: Sequence[str]) -> tuple[Thread, ...]:
        """Return these threads as they are."""
        return await self._db.read(lambda conn: read_threads(conn, thread_ids))

    async def deleted_messages(self, *, limit: int, preview: int) -> tuple[DeletedMessage, ...]:
        return await self._db.read(lambda conn: trash.deleted_messages(conn, limit=limit, preview=preview))

    # Changes

    async def set_flag(self, thread_ids: Sequence[str], column: Column, value: Value, label: str) -> LibraryChange:
        """Set one column of all these threads to one value: ``pinned_at``, ``archived_at`` or ``project_id``. Raises
        ``NotPossible`` when one of them is gone, ``ThreadInTrash`` when one is in the trash."""

        def plan(conn: Connection, found: Found) -> LibraryChange:
            if any(deleted_at is not None for _, _, deleted_at in found.values()):
                raise _in_trash(found)
            if column == "project_id":
                projects.live_project(conn, str(value))
                check_moves(conn, found.items(), str(value))
            return LibraryChange(
                label,
                column,
                # A flag is a time: threads that have it keep their time.
                threads={
                    key: (before, value)
                    for key, (_, before, _) in found.items()
                    if (before != value if column == "project_id" else (before is None) is not (value is None))
                },
            )

        return await self._planned(thread_ids, column, plan)

    async def delete(self, thread_ids: Sequence[str]) -> LibraryChange:
        """Move threads to the trash; those that are there already stay as they are."""
        now = self._db.origin.now()

        def plan(_conn: Connection, found: Found) -> LibraryChange:
            live = [key for key, (_, before, _) in found.items() if before is None]
            return LibraryChange(
                plural("delete {count} threads", "delete thread", len(live)),
                "deleted_at",
                threads=dict.fromkeys(live, (None, now)),
            )

        return await self._planned(thread_ids, "deleted_at", plan)

    async def restore(self, thread_ids: Sequence[str]) -> LibraryChange:
        """Bring threads back from the trash, with the projects they are in where these were deleted too."""

        def plan(conn: Connection, found: Found) -> LibraryChange:
            back = {key: (before, None) for key, (_, before, _) in found.items() if before is not None}
            owners = {project_id for key, (project_id, _, _) in found.items() if key in back}
            return LibraryChange(
                plural("restore {count} threads", "restore thread", len(back)),
                "deleted_at",
                threads=back,
                projects={
                    owner: (deleted_at, None)
                    for owner in owners
                    if (deleted_at := projects.get_project(conn, owner).deleted_at) is not None
                },
            )

        return await self._planned(thread_ids, "deleted_at", plan)

    async def tag(self, thread_ids: Sequence[str], *, add: Sequence[str], remove: Sequence[str]) -> LibraryChange:
        """Add tags (by name; unknown ones are made) to all these threads and remove others (by id) from them."""
        taken_off = [checked_id(tag_id) for tag_id in remove]

        def plan(conn: Connection, found: Found) -> LibraryChange:
            if any(deleted_at is not None for _, _, deleted_at in found.values()):
                raise _in_trash(found)
            known, new = tags.find_or_plan(conn, add)
            there = tags.pairs_of(conn, tuple(found))
            return LibraryChange(
                plural("tag {count} threads", "tag thread", len(found)),
                tags_added=tuple((key, tag) for key in found for tag in known if (key, tag) not in there),
                tags_removed=tuple((key, tag) for key in found for tag in taken_off if (key, tag) in there),
                new_tags=new,
            )

        return await self._planned(thread_ids, "pinned_at", plan)

    async def delete_tag(self, tag_id: str) -> LibraryChange:
        """Delete a tag and remove it from all its threads."""
        wanted = checked_id(tag_id)

        def work(conn: Connection) -> LibraryChange:
            tag = tags.get_tag(conn, wanted)
            change = LibraryChange(
                Text("delete tag {name}", name=tag.name),
                tags_removed=tuple((key, wanted) for key in tags.threads_of(conn, wanted)),
                old_tags={wanted: tag.name},
            )
            return carry_out(conn, self._db.origin, change)

        return await self._db.write(work)

    async def delete_project(self, project_id: str) -> LibraryChange:
        """Move a project to the trash with all its threads. They carry the moment of the project, by which they come
        back with it."""
        wanted = checked_id(project_id)

        def work(conn: Connection) -> LibraryChange:
            project = projects.live_project(conn, wanted)
            projects.check_not_last(conn, wanted)
            moment = projects.own_moment(conn, wanted, self._db.origin.now())
            change = LibraryChange(
                Text("delete project {name}", name=project.name),
                "deleted_at",
                threads=dict.fromkeys(projects.live_threads(conn, wanted), (None, moment)),
                projects={wanted: (None, moment)},
            )
            return carry_out(conn, self._db.origin, change)

        return await self._db.write(work)

    async def restore_project(self, project_id: str) -> LibraryChange:
        """Bring a project back, with the threads that went to the trash with it."""
        wanted = checked_id(project_id)

        def work(conn: Connection) -> LibraryChange:
            project = projects.get_project(conn, wanted)
            change = LibraryChange(Text("restore project {name}", name=project.name))
            if project.deleted_at is None:
                return change
            moment = project.deleted_at
            together = conn.exec_driver_sql(
                "SELECT id FROM threads WHERE project_id = ? AND deleted_at = ?", (wanted, moment)
            )
            change = LibraryChange(
                change.label,
                "deleted_at",
                threads={row[0]: (moment, None) for row in together},
                projects={wanted: (moment, None)},
            )
            return carry_out(conn, self._db.origin, change)

        return await self._db.write(work)

    async def carry_out(self, change: LibraryChange, *, is_back: bool = False) -> LibraryChange:
        """Redo or undo a whole change and return it. Raises ``NotPossible`` without changing anything."""

        def work(conn: Connection) -> LibraryChange:
            wanted = change.inverse() if is_back else change
            find(conn, tuple(wanted.threads), "deleted_at")
            return carry_out(conn, self._db.origin, wanted)

        return await self._db.write(work)

    async def mark_gone(self, thread_ids: Sequence[str] | None) -> int:
        """Mark threads of the trash (None: all of them) as gone for good. From here on nothing shows them and nothing
        brings them back; their rows are removed by ``TrashRepository.purge_expired``. Returns how many."""

        def work(conn: Connection) -> int:
            wanted = None if thread_ids is None else [checked_id(each) for each in dict.fromkeys(thread_ids)]
            return removal.mark_gone(conn, wanted)

        return await self._db.write(work)

    async def _planned(
        self, thread_ids: Sequence[str], column: Column, plan: Callable[[Connection, Found], LibraryChange]
    ) -> LibraryChange:
        def work(conn: Connection) -> LibraryChange:
            wanted = [checked_id(each) for each in dict.fromkeys(thread_ids)]
            return carry_out(conn, self._db.origin, plan(conn, find(conn, wanted, column)))

        return await self._db.write(work)


def find(conn: Connection, thread_ids: Sequence[str], column: Column) -> Found:
    """Return project, value of ``column`` and ``deleted_at`` of each thread. Raises ``NotPossible`` when some are gone
    for good."""
    found: dict[str, tuple[str, Value, int | None]] = {}
    for batch in batches(thread_ids):
        for row in conn.exec_driver_sql(
            f"SELECT id, project_id, {column}, deleted_at FROM threads"
            f" WHERE id IN ({marks(batch)}) AND deleted_at IS NOT {GONE}",
            tuple(batch),
        ):
            found[row[0]] = (row[1], row[2], row[3])
    missing = len(thread_ids) - len(found)
    if missing:
        raise NotPossible(
            Text("This thread is gone for good.")
            if len(thread_ids) == 1
            else Text(
                "{missing} of {thread_ids} threads are gone for good.",
                missing=str(missing),
                thread_ids=str(len(thread_ids)),
            ),
            next_step=Text("Select those that are left and try again.") if found else "",
        )
    return {thread_id: found[thread_id] for thread_id in thread_ids}


def read_threads(conn: Connection, thread_ids: Sequence[str]) -> tuple[Thread, ...]:
    return tuple(
        thread_from(row)
        for batch in batches(thread_ids)
        for row in conn.exec_driver_sql(
            f"SELECT {THREAD_COLUMNS} FROM threads WHERE id IN ({marks(batch)})", tuple(batch)
        )
    )


def _in_trash(found: Found) -> ThreadInTrash:
    count = sum(deleted_at is not None for _, _, deleted_at in found.values())
    if len(found) == 1:
        return ThreadInTrash()
    return ThreadInTrash(
        plural(
            "{count} of {all} threads are in the trash.",
            "{count} of {all} threads is in the trash.",
            count,
            all=len(found),
        ),
        next_step=Text("Restore them first, or select the others only."),
    )
