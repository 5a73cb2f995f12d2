"""Opens the database of a profile, which is checked, upgraded and recovered before anything else reads or writes it."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from chatdesk.core.clock import Clock
from chatdesk.core.errors import (
    SchemaTooNew,
    StorageError,
    StorageFull,
    StorageMissing,
    StorageReadOnly,
    UpgradeFailed,
)
from chatdesk.core.paths import migrations_dir
from chatdesk.core.storage.chat import recovery
from chatdesk.core.storage.chat.projects import ensure_default_project, read_only_projects
from chatdesk.core.storage.engine import (
    high_water,
    other_schemas,
    pending_restore,
    schema_guard,
    schema_upgrade,
    search_index,
    tables,
    unfinished_files,
)
from chatdesk.core.storage.engine.connection import (
    connect,
    driver,
    identity,
    make_private_directory,
    make_private_file,
    open_to_read,
    open_to_write,
)
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.engine.failures import translating
from chatdesk.core.storage.upkeep import reachability
from chatdesk.core.texts import Text

_log = logging.getLogger(__name__)

_UNREAD_LOG = Text(
    "The last changes cannot be shown: they are in the database's log, which can only be read where files can be "
    "created. Nothing was changed. Make the data directory writable, or copy it to a place that is, and start "
    "ChatDesk again."
)


def _no_room(directory: Path) -> StorageFull:
    return StorageFull(
        Text("The disk of {directory} is full, so ChatDesk can only read.", directory=directory),
        safe=Text("Everything saved before is unchanged."),
        next_step=Text("Free some space; ChatDesk then continues by itself."),
    )


@dataclass(frozen=True, slots=True)
class OpenReport:
    """The result of opening. ``upgraded_from`` is None when no upgrade was needed; ``warning`` is for the user."""

    upgraded_from: str | None
    upgraded_to: str
    recovered_turns: int
    warning: str | None = None


class ProfileDatabase(Database):
    """The database of a data directory. ``read_only`` opens one that another process may be writing, and never changes
    it; ``refusal`` is what a write then raises.

    A database that cannot be written, not be upgraded, or is of a newer ChatDesk, is opened to read: ``is_read_only``
    and ``refusal`` tell.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        backup_dir: Path,
        read_only: bool = False,
        refusal: StorageError | None = None,
        migrations_dir: Path | None = None,
    ) -> None:
        super().__init__(path, clock=clock, backup_dir=backup_dir, read_only=read_only, refusal=refusal)
        self._migrations_dir = migrations_dir

    async def open(self) -> OpenReport:
        """Check, create or upgrade the file, recover turns without an owner, and get ready."""
        report = None if self.is_read_only else await self._open_to_write()
        if report is None:
            report = await self._reader.run(self._open_read_only)
        else:
            await self._reader.run(lambda: self._reader.connect(lambda: open_to_read(self.path)))
        return report

    async def _open_to_write(self) -> OpenReport | None:
        """Open for writing. Returns None where reading is still possible, which is then all that this database is good
        for."""
        try:
            return await self._writer.run(self._open_with_room)
        except (UpgradeFailed, StorageFull, StorageReadOnly, SchemaTooNew) as error:
            if not self._holds_something():
                raise
            _log.warning("the database is opened to read only: %s", error.code)
            self.is_read_only = True
            is_sqlites = isinstance(error, StorageFull) and error.__cause__ is not None  # not the want of an upgrade
            self.refusal = _no_room(self.path.parent) if is_sqlites else error
            return None

    async def write_again(self) -> bool:
        """Open for writing what could only be opened for reading. Returns whether that succeeded. Only for the one
        process that may write here."""
        if not self.is_read_only:
            return True
        try:
            await self._writer.run(self._open_with_room)
            await self._reader.run(lambda: self._reader.connect(lambda: open_to_read(self.path)))
        except StorageError as error:
            _log.info("still only to be read: %s", error.code)
            return False
        _log.info("the database can be written again")
        self.is_read_only = False
        return True

    # On the storage threads from here on.

    def _open_with_room(self) -> OpenReport:
        try:
            try:
                return self._open()
            except StorageFull:
                if not self._ballast.release():
                    raise
                _log.warning("the disk is full; the ballast was given up to open the database")
                return self._open()
        except BaseException:
            self._writer.disconnect()  # the next reader must not meet a half-open writer
            raise

    def _holds_something(self) -> bool:
        try:
            return self.path.stat().st_size > 0
        except OSError:
            return False

    def _open(self) -> OpenReport:
        with translating(self.path):
            make_private_directory(self.path.parent)
            pending_restore.finish(self.path)
            self._refuse_newer()
            for directory in (self.path.parent, self.backup_dir):
                unfinished_files.clear(directory)
            was_missing = self._refuse_lost_file()
            make_private_file(self.path)
            revision = None if was_missing else self._revision()
            upgraded_from = None if revision == tables.HEAD_REVISION else revision
            if upgraded_from is not None:
                schema_upgrade.upgrade(
                    self.path, upgraded_from, backup_dir=self.backup_dir, migrations_dir=self._find_migrations()
                )
            self._writer.connect(lambda: open_to_write(self.path))
            self._identity = identity(self.path)
            conn = self._writer.connection
            with conn.begin():
                if revision is None:
                    schema_upgrade.create(conn)
                self._load_device(conn)
                reachability.bring_projects_back(conn, self.origin)
                ensure_default_project(conn, self.origin)
                recovered = recovery.recover_turns(conn, self.origin, self.owner_token)
                self.log_watch.read_only = read_only_projects(conn)
                search_index.drain(driver(conn))
                # Compared before this start counts itself, which would make up for exactly one lost commit.
                lost = high_water.lost_messages(high_water.read(self.path), high_water.found_in(driver(conn)))
                before = high_water.untold_loss(self.path)
                self._lost = before if lost is None else lost + (before or 0)
                found = self._count_commit(conn)
            self._committed = found
            self._write_mark(found)
        return OpenReport(
            upgraded_from=upgraded_from,
            upgraded_to=tables.HEAD_REVISION,
            recovered_turns=recovered,
            warning=high_water.warning(self._lost),
        )

    def _refuse_lost_file(self) -> bool:
        """Return whether there is no database yet. Raises ``StorageMissing`` if there was one, instead of
        replacing it with an empty file."""
        try:
            size = self.path.stat().st_size
        except FileNotFoundError:
            size = 0
        if size:
            return False
        if high_water.exists(self.path) or high_water.has_log(self.path):
            raise StorageMissing
        return True

    def _refuse_newer(self) -> None:
        """Raise ``SchemaTooNew`` before anything opens such a file to write: even closing it would move its log into
        it."""
        if not self._holds_something():
            return
        try:
            with closing(connect(self.path, "read")) as conn:
                revision = schema_upgrade.current_revision(conn)
        except sqlite3.Error:
            return  # opening it for writing reports the fault
        if revision is not None:
            schema_upgrade.check_revision(revision)

    def _revision(self) -> str | None:
        """Return the schema version, learnt without changing the file; unknown ones are refused."""
        with closing(connect(self.path, "write")) as conn:
            conn.execute("PRAGMA query_only=ON")
            revision = schema_upgrade.current_revision(conn)
            schema_guard.check(conn)
        if revision is None:
            if high_water.exists(self.path):
                raise StorageMissing
            return None
        schema_upgrade.check_revision(revision)
        return revision

    def _find_migrations(self) -> Path:
        if self._migrations_dir is not None:
            return self._migrations_dir

        return migrations_dir()

    def _open_read_only(self) -> OpenReport:
        if not self.path.exists() or self.path.stat().st_size == 0:
            raise StorageMissing(
                Text("There is no database at {path}.", path=self.path),
                safe=Text("Nothing was created."),
                next_step=Text("Start ChatDesk once, or choose another --data-dir."),
            )
        with translating(self.path):
            mark, before = (
                high_water.read(self.path),
                high_water.untold_loss(self.path),
            )  # first: another process may go on writing, and the mark follows
            warning = self._connect_reader()
            conn = self._reader.connection
            revision = schema_upgrade.current_revision(driver(conn))
            if revision is None:
                raise StorageMissing
            if revision not in tables.REVISIONS:
                other_schemas.check(driver(conn), revision)
                self.refusal = other_schemas.refusal(revision)
            else:
                schema_guard.check(driver(conn))
                if revision != tables.HEAD_REVISION:
                    other_schemas.stand_in(driver(conn))
            lost = high_water.lost_messages(mark, high_water.found_in(driver(conn)))
            warning = warning or high_water.warning(before if lost is None else lost)
            with conn.begin():
                self.device_id = conn.exec_driver_sql("SELECT id FROM devices WHERE is_mine = 1").scalar() or ""
        return OpenReport(None, revision, 0, warning)

    def _connect_reader(self) -> str | None:
        """Connect to a file that may be where nothing can be made. Returns the sentence to show when that leaves a
        gap."""
        try:
            self._reader.connect(lambda: open_to_read(self.path))
        except (SQLAlchemyError, sqlite3.Error):
            self._reader.connect(lambda: open_to_read(self.path, is_only_user=True))
            return _UNREAD_LOG if high_water.has_log(self.path) else None
        return None
