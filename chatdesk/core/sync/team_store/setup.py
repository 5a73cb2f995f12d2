"""Creates a workspace in an empty database, and upgrades it: Alembic's migrations of the team's branch.

Everything is one transaction, roles included, so that an interrupted set-up leaves nothing. Both need the login that
owns the database, which is not kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.pool import NullPool

from chatdesk.core.domain.sharing.team import ServerAddress
from chatdesk.core.paths import team_migrations_dir
from chatdesk.core.sync import errors
from chatdesk.core.sync.team_store import sql_files
from chatdesk.core.sync.team_store.connection import Connection, open_connection
from chatdesk.core.sync.team_store.failures import our_errors
from chatdesk.core.sync.team_store.setup_checks import OLDEST_SERVER, examine, foreign_things, missing_rights

__all__ = ["examine", "role_prefix", "set_up", "upgrade"]

# The advisory lock under which a workspace is set up: nobody but its administrator has a login of the database yet. An
# upgrade locks the row of its version, which no member can (``before_upgrade.sql``).
LOCK: Final = 0x43_44_54_45_41_4D
_LOCK_S: Final = 10
_IS_THERE: Final = "SELECT FROM pg_namespace WHERE nspname = 'cd'"
_STATEMENT_S: Final = 600


def role_prefix(workspace_id: str) -> str:
    """Return the prefix of the names of all roles of a workspace; the group of its members has this very name."""
    return f"cd_{re.sub('[^0-9a-f]', '', workspace_id)[-6:]}"


def set_up(
    address: ServerAddress,
    password: str,
    *,
    workspace_id: str,
    name: str,
    my_name: str,
    login: str,
    verifier: str,
    partitions: int = 0,
) -> None:
    """Create the workspace, and ``login`` (``role_prefix`` and more) of its first member, who owns it, with a password
    that is given as its SCRAM verifier. ``partitions``: into how many parts, by project, the growing tables are
    divided; 0 leaves them whole. If the workspace exists already, from a call whose answer was lost, and nobody has
    used it, login and verifier are set again. Raises ``TeamError``: ``TeamServerTooOld``, ``TeamDatabaseNotEmpty``,
    ``TeamNoRightForRoles`` and those of a connection."""
    with _transaction(address, password) as conn:
        if conn.info.server_version < OLDEST_SERVER * 10_000:
            raise errors.TeamServerTooOld
        if _has(conn, _IS_THERE):
            _set_up_again(conn, workspace_id, login=login, verifier=verifier, my_name=my_name, name=name)
            return
        if foreign_things(conn):
            raise errors.TeamDatabaseNotEmpty
        if missing_rights(conn):
            raise errors.TeamNoRightForRoles
        _settings(
            conn,
            {
                "prefix": role_prefix(workspace_id),
                "workspace_id": workspace_id,
                "workspace_name": name,
                "member_name": my_name,
                "login": login,
                "verifier": verifier,
                "partitions": str(partitions),
            },
        )
        run_file(conn, "before_setup.sql")
        migrate(conn)
        run_file(conn, "after_setup.sql")


def upgrade(address: ServerAddress, password: str, *, target: str = "head") -> None:
    """Run the missing migrations, with the address and password of the login that owns the database. Raises
    ``TeamServerTooNew`` if a newer ChatDesk upgraded it already, ``NoWorkspaceThere`` and those of a connection."""
    try:
        with _as_owner(address, password) as conn:
            migrate(conn, target)
    except errors.TeamBusy:
        # Whoever keeps a transaction open, be it one that only reads, keeps tables from being changed. ChatDesk's own
        # connections come again by themselves.
        with _as_owner(address, password) as conn:
            conn.execute("SELECT cd.end_backends(m.id) FROM cd.member m")
        with _as_owner(address, password) as conn:
            migrate(conn, target)


def migrate(conn: Connection, target: str = "head") -> None:
    """Run the missing migrations in the transaction of ``conn``, which is the schema's owner by now."""
    config = alembic_config()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if _has(conn, "SELECT FROM pg_tables WHERE schemaname = 'cd' AND tablename = 'alembic_version'"):
        row = conn.execute("SELECT version_num FROM cd.alembic_version").fetchone()
        if row is not None and row[0] not in known:
            raise errors.TeamServerTooNew
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: conn, poolclass=NullPool)
    # The transaction is ours: SQLAlchemy may neither end it nor close what it runs in.
    sa.event.listen(engine, "reset", lambda *_ignored: None)
    engine.dialect.do_commit = lambda *_ignored: None  # type: ignore[method-assign]
    engine.dialect.do_rollback = lambda *_ignored: None  # type: ignore[method-assign]
    engine.dialect.do_close = lambda *_ignored: None  # type: ignore[method-assign]
    with engine.connect() as shared:
        config.attributes["connection"] = shared
        try:
            command.upgrade(config, target)
        except sa.exc.DBAPIError as error:
            raise error.orig or error from error


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(team_migrations_dir()).replace("%", "%%"))
    return config


def run_file(conn: Connection, name: str) -> None:
    for statement in sql_files.statements((sql_files.sql_folder() / name).read_text(encoding="utf-8")):
        conn.execute(statement.encode())


def _set_up_again(conn: Connection, workspace_id: str, *, login: str, verifier: str, my_name: str, name: str) -> None:
    if not _has(conn, "SELECT FROM pg_tables WHERE schemaname = 'cd' AND tablename = 'meta'") or missing_rights(conn):
        raise errors.TeamDatabaseNotEmpty
    group = _group(conn)
    _settings(conn, {"prefix": group})
    run_file(conn, "before_upgrade.sql")
    row = conn.execute(
        "SELECT (SELECT workspace_id::text FROM cd.meta), (SELECT count(*) FROM cd.member),"
        " (SELECT count(*) FROM cd.project), (SELECT min(role_name) FROM cd.member)"
    ).fetchone()
    if row is None or row[1:3] != (1, 0) or role_prefix(workspace_id) != group:
        raise errors.TeamDatabaseNotEmpty
    if row[0] != workspace_id:
        raise errors.TeamDatabaseNotEmpty
    if row[3] == login:
        conn.execute("SELECT cd.need_verifier(%s)", [verifier])
        conn.execute(f"ALTER ROLE {login} PASSWORD '{verifier}'".encode())  # both were checked for their signs
    else:
        conn.execute("SELECT cd.make_login(%s, %s, 'infinity')", [login, verifier])
        conn.execute(f"ALTER ROLE {row[3]} NOLOGIN".encode())
    conn.execute("UPDATE cd.member SET role_name = %s, display_name = cd.clean_name(%s)", [login, my_name])
    conn.execute("UPDATE cd.meta SET name = cd.clean_name(%s)", [name])
    run_file(conn, "after_upgrade.sql")


@contextmanager
def _as_owner(address: ServerAddress, password: str) -> Iterator[Connection]:
    """Open a transaction as the owner of an existing schema; locks out other upgrades."""
    with _transaction(address, password) as conn:
        if not _has(conn, _IS_THERE):
            raise errors.NoWorkspaceThere
        if missing_rights(conn):
            raise errors.TeamNoRightForRoles
        _settings(conn, {"prefix": _group(conn)})
        run_file(conn, "before_upgrade.sql")
        yield conn
        run_file(conn, "after_upgrade.sql")


@contextmanager
def _transaction(address: ServerAddress, password: str) -> Iterator[Connection]:
    conn = open_connection(address, password, statement_s=_STATEMENT_S, is_members=False)
    with our_errors(), conn, conn.transaction():
        conn.execute(f"SET LOCAL lock_timeout = '{_LOCK_S}s'".encode())
        if not _has(conn, _IS_THERE):
            conn.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        yield conn


def _settings(conn: Connection, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        conn.execute("SELECT set_config(%s, %s, true)", [f"chatdesk.{name}", value])


def _group(conn: Connection) -> str:
    """Return the name of the group that may use the schema, which is the prefix of all of the workspace's roles."""
    row = conn.execute(
        "SELECT regexp_replace(r.rolname, '_owner$', '') FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner"
        " WHERE n.nspname = 'cd'"
    ).fetchone()
    return str(row[0]) if row else ""


def _has(conn: Connection, query: str) -> bool:
    return conn.execute(query.encode()).fetchone() is not None
