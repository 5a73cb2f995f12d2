"""Checks whether a server can hold a workspace, before anything is changed there."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

from chatdesk.core.domain.sharing.team import ServerAddress
from chatdesk.core.domain.sharing.team_setup import CheckState, SetupCheck
from chatdesk.core.sync.errors import (
    TeamCertificateNotTrusted,
    TeamConnectionsUsedUp,
    TeamError,
    TeamHostUnknown,
    TeamLoginRefused,
    TeamServerFull,
    TeamUnreachable,
)
from chatdesk.core.sync.team_store.connection import Connection, open_connection
from chatdesk.core.sync.team_store.failures import our_errors
from chatdesk.core.texts import Sentences, Text, plural

OLDEST_SERVER: Final = 15
# Fewer leave too little for a team of five with two computers each, and for the server's administrator.
_FEW_CONNECTIONS: Final = 25
_NOTIFICATION_S: Final = 3.0
# Advice during set-up, when nothing is retried automatically and no inviter can help.
_STEPS: Final[tuple[tuple[type[TeamError], str], ...]] = (
    (TeamLoginRefused, Text("Check the user and the password.")),
    (TeamHostUnknown, Text("Check the host, and your network.")),
    (
        TeamCertificateNotTrusted,
        Text("Choose the certificate that whoever runs the server gives you. Nothing was sent."),
    ),
    (TeamConnectionsUsedUp, Text("Check again later. If it stays so, the server's max_connections is too small.")),
    (TeamServerFull, Text("Ask whoever runs the server for room, then check again.")),
    (TeamUnreachable, Text("Check host, port and network, and that the server runs; then check again.")),
)


def examine(address: ServerAddress, password: str) -> tuple[SetupCheck, ...]:
    """Run all checks with the login that owns the database. Changes nothing and does not raise: a failed question is a
    failed check, which ends the list."""
    checks: list[SetupCheck] = []
    try:
        conn = open_connection(address, password, is_members=False)
    except TeamError as error:
        return (SetupCheck(Text("Connection"), CheckState.FAILED, _sentence(error)),)
    checks.append(SetupCheck(Text("Connection"), CheckState.OK, Text("The server answers and takes the login.")))
    try:
        with our_errors(), conn:
            checks += [look(conn) for look in _LOOKS]
    except TeamError as error:
        checks.append(SetupCheck(Text("Connection"), CheckState.FAILED, _sentence(error)))
    return tuple(checks)


def foreign_things(conn: Connection) -> int:
    """Return how many tables and views in the database belong to no extension."""
    return _number(
        conn,
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
        " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')",
    )


def missing_rights(conn: Connection) -> tuple[str, ...]:
    """Return the rights that the login lacks to set up a workspace, in words; empty if it may create roles and owns the
    database."""
    row = conn.execute(
        "SELECT r.rolsuper OR r.rolcreaterole, r.rolsuper OR pg_has_role(d.datdba, 'USAGE')"
        " FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()"
    ).fetchone()
    may_make_roles, owns = row or (False, False)
    lacks = (
        (Text("create roles (CREATEROLE)"), may_make_roles),
        (Text("change the database, which belongs to another login"), owns),
    )
    return tuple(words for words, has in lacks if not has)


def _version(conn: Connection) -> SetupCheck:
    version = conn.info.server_version // 10_000
    if version < OLDEST_SERVER:
        return SetupCheck(
            Text("Version"),
            CheckState.FAILED,
            Text("PostgreSQL {version} is too old. Use a server with 15 or newer.", version=str(version)),
        )
    return SetupCheck(Text("Version"), CheckState.OK, Text("PostgreSQL {version}.", version=str(version)))


def _encryption(conn: Connection) -> SetupCheck:
    if conn.pgconn.ssl_in_use:
        return SetupCheck(Text("Encryption"), CheckState.OK, Text("The connection is encrypted (TLS)."))
    return SetupCheck(
        Text("Encryption"), CheckState.WARNING, Text("Not encrypted: anybody on the way can read everything.")
    )


def _emptiness(conn: Connection) -> SetupCheck:
    if _number(conn, "SELECT count(*) FROM pg_namespace WHERE nspname = 'cd'"):
        return SetupCheck(
            Text("Empty database"),
            CheckState.FAILED,
            Text(
                "There is a workspace in this database already. Make a new database, or ask its owner for an "
                "invitation."
            ),
        )
    if found := foreign_things(conn):
        return SetupCheck(
            Text("Empty database"),
            CheckState.FAILED,
            plural(
                "It is not empty: there are {count} tables and views in it. A workspace needs a database for itself; "
                "make a new one.",
                "It is not empty: there is {count} table or view in it. A workspace needs a database for itself; "
                "make a new one.",
                found,
            ),
        )
    return SetupCheck(Text("Empty database"), CheckState.OK, Text("The database is empty."))


def _rights(conn: Connection) -> SetupCheck:
    if lacks := missing_rights(conn):
        return SetupCheck(
            Text("Rights"),
            CheckState.FAILED,
            Text(
                "The login may not {lacks}. Use the one that owns the database, with CREATEROLE.",
                lacks=lacks[0] if len(lacks) == 1 else Text("{one} or {other}", one=lacks[0], other=lacks[1]),
            ),
        )
    return SetupCheck(Text("Rights"), CheckState.OK, Text("The login owns the database and may create roles."))


def _writing(conn: Connection) -> SetupCheck:
    if _text(conn, "SELECT current_setting('transaction_read_only')") == "on":
        return SetupCheck(
            Text("Changes"),
            CheckState.FAILED,
            Text("The server takes no changes: it is a standby, or read-only. Use its primary."),
        )
    encoding = _text(conn, "SELECT current_setting('server_encoding')")
    if encoding != "UTF8":
        return SetupCheck(
            Text("Changes"),
            CheckState.FAILED,
            Text("The database keeps text as {encoding}. Make one with UTF8.", encoding=encoding),
        )
    return SetupCheck(Text("Changes"), CheckState.OK, Text("The database takes changes, and text in every language."))


def _notifications(conn: Connection) -> SetupCheck:
    """Check that notifications arrive: a pooler that hands out connections for one transaction each accepts LISTEN and
    never delivers any."""
    channel = f"cd_probe_{secrets.token_hex(8)}"
    conn.execute(f"LISTEN {channel}".encode())
    before = conn.info.backend_pid
    conn.execute("SELECT pg_notify(%s, '')", [channel])
    came = any(note.channel == channel for note in conn.notifies(timeout=_NOTIFICATION_S, stop_after=1))
    conn.execute(f"UNLISTEN {channel}".encode())
    if not came or _number(conn, "SELECT pg_backend_pid()") != before:
        return SetupCheck(
            Text("Direct connection"),
            CheckState.FAILED,
            Text(
                "Notifications do not arrive: this seems to be a pooler. Use the server's direct port, or session "
                "pooling."
            ),
        )
    return SetupCheck(Text("Direct connection"), CheckState.OK, Text("Notifications arrive."))


def _connections(conn: Connection) -> SetupCheck:
    most = _number(
        conn,
        "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int",
    )
    if most < _FEW_CONNECTIONS:
        return SetupCheck(
            Text("Connections"),
            CheckState.WARNING,
            Text(
                "The server takes {most} connections; a computer needs up to three while ChatDesk runs.", most=str(most)
            ),
        )
    return SetupCheck(
        Text("Connections"),
        CheckState.OK,
        Text("The server takes {most} connections, up to three for each computer.", most=str(most)),
    )


_LOOKS: Final[tuple[Callable[[Connection], SetupCheck], ...]] = (
    *(_version, _encryption, _emptiness, _rights, _writing, _notifications, _connections),
)


def _sentence(error: TeamError) -> Text:
    return Sentences.of(error.what, next((words for kind, words in _STEPS if isinstance(error, kind)), error.next_step))


def _number(conn: Connection, query: str) -> int:
    return int(_text(conn, query))


def _text(conn: Connection, query: str) -> str:
    row = conn.execute(query.encode()).fetchone()
    return "" if row is None else str(row[0])
