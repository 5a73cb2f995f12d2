"""A real PostgreSQL on loopback, made for this process and gone with it, also after a crash.

    server = cluster()                    # one a process and version; the newest there is
    empty = server.empty_database()       # with an owner of its own: no superuser, may make roles
    team = server.workspace_database()    # the same with a workspace in it

Passwords are checked (SCRAM), there is no socket file, and nothing is synced to the disk. Run as root, the server runs
as ``nobody``. ``NoPostgres`` where no programs are found.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from chatdesk.core.domain.sharing.team import ServerAddress
from chatdesk.core.sync.members.scram import verifier_of
from tests.helpers import memory, postgres_binaries
from tests.helpers.certificates import Authority
from tests.helpers.postgres_binaries import Binaries, NoPostgres
from tests.helpers.system_processes import children_of, is_running

__all__ = ["Cluster", "NoPostgres", "TeamDatabase", "cluster"]

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "2GB",
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "log_min_messages": "warning",
    "timezone": "UTC",
}
_START_S = 60.0
_A_VERIFIER = verifier_of("replaced at once")
# By copying files: half the work of copying through the log, which there is nobody to read.
_COPY = "CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY file_copy"
# The switch of a run: CHATDESK_TEST_PARTITIONS=16 gives every workspace of it so many parts.
PARTITIONS = int(os.environ.get("CHATDESK_TEST_PARTITIONS", "0"))
# Runs beside the cluster and ends it when this process is gone, however it went: then the pipe closes.
_GUARD = """
import os, shutil, signal, sys, time
folder, pid_file = sys.argv[1:3]
sys.stdin.read()
for sent in (signal.SIGCONT, signal.SIGQUIT, signal.SIGKILL):
    try:
        pid = int(open(pid_file).readline())
        os.kill(pid, sent)
    except (OSError, ValueError):
        break
    for _ in range(0 if sent == signal.SIGCONT else 50):
        try:
            os.kill(pid, 0)
        except OSError:
            break
        time.sleep(0.1)
shutil.rmtree(folder, ignore_errors=True)
"""
_running: dict[int, Cluster] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class TeamDatabase:
    """``account`` owns the database; ``user`` is who one logs in as: in a workspace its first member, who owns it."""

    cluster: Cluster
    name: str
    account: str
    account_password: str
    user: str
    password: str
    workspace_id: str = ""

    @property
    def address(self) -> ServerAddress:
        return self.cluster.address(self.name, self.user)

    @property
    def account_address(self) -> ServerAddress:
        return self.cluster.address(self.name, self.account)

    def connect(self, user: str | None = None, password: str | None = None, **options: Any) -> psycopg.Connection[Any]:
        """As ``user`` unless said otherwise; every statement is committed by itself."""
        return self.cluster.connect(self.name, user or self.user, password or self.password, **options)

    def as_superuser(self, **options: Any) -> psycopg.Connection[Any]:
        return self.cluster.connect(self.name, **options)


def cluster(version: int | None = None) -> Cluster:
    """The running cluster of this process; started by the first call. ``version``: 15, 16 or 18."""
    binaries = postgres_binaries.find(version)
    with _lock:
        if binaries.version not in _running:
            _running[binaries.version] = Cluster(binaries)
        return _running[binaries.version]


class Cluster:
    """One server; ``stop``, ``kill``, ``pause`` and their counterparts are for tests of failures."""

    def __init__(self, binaries: Binaries, settings: Mapping[str, str] | None = None) -> None:
        self.version = binaries.version
        self.has_tls = binaries.has_tls
        self.port = 0
        self.password = secrets.token_urlsafe(16)
        self.folder = Path(tempfile.mkdtemp(prefix="chatdesk-pg-", dir=memory.folder()))
        self.data = self.folder / "data"
        self._programs = binaries.folder
        self._user = other_user()
        self._settings = {**_SETTINGS, **(settings or {})}
        self._postmaster: subprocess.Popen[bytes] | None = None
        self._templates: dict[int, TeamDatabase] = {}
        self._numbers = itertools.count(1)
        self._making = threading.RLock()
        self._maker: psycopg.Connection[Any] | None = None
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _GUARD, self.folder, self.data / "postmaster.pid"],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        atexit.register(self.remove)
        try:
            self._prepare(binaries)
            self._make()
            self.start()
        except BaseException:
            self.remove()
            raise

    # -- databases ---------------------------------------------------------------------------------------------------

    def address(self, database: str, user: str) -> ServerAddress:
        """``ca`` and ``tls`` as the server has it: proven where it can be, else plain."""
        if self.has_tls:
            ca = self.authority.ca_file.read_text()
            return ServerAddress("127.0.0.1", self.port, database, user, "verify-full", ca)
        return ServerAddress("127.0.0.1", self.port, database, user, "disable")

    def connect(
        self, database: str = "postgres", user: str = "postgres", password: str | None = None, **options: Any
    ) -> psycopg.Connection[Any]:
        """A plain connection, without TLS; every statement is committed by itself."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            dbname=database,
            user=user,
            password=password or self.password,
            **{"autocommit": True, "connect_timeout": 10, "sslmode": "disable", **options},
        )

    def empty_database(self) -> TeamDatabase:
        """As a team gets it from whoever runs its PostgreSQL."""
        name, password = self._new_name(), secrets.token_urlsafe(16)
        superuser = self._superuser()
        _run(superuser, "CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}", name, password=_verifier_of(password))
        _run(superuser, _COPY, name, "template1", name)
        return TeamDatabase(self, name, name, password, name, password)

    def workspace_database(self, *, partitions: int | None = None) -> TeamDatabase:
        """A copy of a database with a fresh workspace, whose only member is its owner, with a login of their own. Roles
        are the cluster's: names of members have to be new ones. ``partitions``: as many as the run's switch says."""
        parts = PARTITIONS if partitions is None else partitions
        with self._making:
            if parts not in self._templates:
                self._templates[parts] = self._new_template(parts)
            template = self._templates[parts]
        name, password = self._new_name(), secrets.token_urlsafe(16)
        group = template.user.rsplit("_", 1)[0]
        login = f"{group}_olga_{secrets.token_hex(4)}"
        _run(self._superuser(), _COPY, name, template.name, template.account)
        copy = replace(template, name=name, user=login, password=password, workspace_id=str(uuid.uuid4()))
        with copy.as_superuser() as superuser:
            _run(superuser, "REVOKE ALL ON DATABASE {} FROM PUBLIC", name)
            _run(superuser, "GRANT CONNECT ON DATABASE {} TO {}", name, group)
            _run(superuser, "SET ROLE {}", f"{group}_owner")
            superuser.execute("SELECT cd.make_login(%s, %s, 'infinity')", [login, _A_VERIFIER])
            superuser.execute("UPDATE cd.member SET role_name = %s", [login])
            superuser.execute("UPDATE cd.meta SET workspace_id = %s", [copy.workspace_id])
            _run(superuser, "RESET ROLE")
            _run(superuser, "ALTER ROLE {} PASSWORD {}", login, password=_verifier_of(password))
        return copy

    def drop(self, database: TeamDatabase) -> None:
        """With its connections; roles stay."""
        _run(self._superuser(), "DROP DATABASE IF EXISTS {} WITH (FORCE)", database.name)

    def _superuser(self) -> psycopg.Connection[Any]:
        """A connection that stays: tests make and drop hundreds of databases."""
        with self._making:
            if self._maker is None or self._maker.closed:
                self._maker = self.connect()
            return self._maker

    def _disconnect(self) -> None:
        if self._maker is not None:
            self._maker.close()

    def _new_name(self) -> str:
        return f"team_{next(self._numbers)}_{secrets.token_hex(3)}"

    def _new_template(self, partitions: int) -> TeamDatabase:
        from chatdesk.core.sync.team_store import setup

        made = self.empty_database()
        workspace_id, password = str(uuid.uuid4()), secrets.token_urlsafe(16)
        login = f"{setup.role_prefix(workspace_id)}_olga"
        setup.set_up(
            made.account_address,
            made.password,
            workspace_id=workspace_id,
            name="Desk",
            my_name="Olga Owner",
            login=login,
            verifier=verifier_of(password),
            partitions=partitions,
        )
        return replace(made, user=login, password=password)

    # -- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Start, or start again; the port stays the same."""
        if self._postmaster is not None:
            return
        for _attempt in range(5):
            self.port = self.port or free_port()
            with (self.folder / "server.log").open("ab") as log:
                self._postmaster = subprocess.Popen(
                    [self._programs / "postgres", "-D", self.data, "-p", str(self.port)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.folder,
                    start_new_session=True,
                    **self._user,
                )
            if self._is_ready():
                return
            self._postmaster = None
            self.port = 0 if not self._templates else self.port
        raise RuntimeError((self.folder / "server.log").read_text(errors="replace")[-2000:])

    def stop(self) -> None:
        """An orderly end: connections are cut, everything is written."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """The postmaster and everything it started, without a chance to write."""
        server = self._postmaster
        if server is None:
            return
        self._disconnect()
        everyone = [server.pid, *children_of(server.pid)]
        _send(signal.SIGKILL, everyone)
        server.wait(20)
        self._postmaster = None
        deadline = time.monotonic() + 10
        while any(is_running(pid) for pid in everyone[1:]) and time.monotonic() < deadline:
            time.sleep(0.01)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """As a server that hangs: connections stay, and nothing answers."""
        assert self._postmaster is not None
        everyone = [self._postmaster.pid, *children_of(self._postmaster.pid)]
        _send(signal.SIGSTOP, everyone)
        try:
            yield
        finally:
            _send(signal.SIGCONT, everyone)

    def remove(self) -> None:
        """The server and its files."""
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            self._end(signal.SIGQUIT)
        if self._guard.stdin is not None and not self._guard.stdin.closed:
            self._guard.stdin.close()
            self._guard.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.remove)

    def _end(self, sent: signal.Signals) -> None:
        if self._postmaster is None:
            return
        self._disconnect()
        self._postmaster.send_signal(sent)
        self._postmaster.wait(30)
        self._postmaster = None

    # -- making ------------------------------------------------------------------------------------------------------

    def _prepare(self, binaries: Binaries) -> None:
        if self._user and binaries.root is not None and not _is_open_to_others(binaries.root):
            package = binaries.root.parent
            copy = self.folder / package.name / binaries.root.name
            shutil.copytree(binaries.root, copy, symlinks=True)
            libraries = package.with_name(f"{package.name}.libs")  # found from the programs by a relative path
            if libraries.is_dir():
                shutil.copytree(libraries, self.folder / libraries.name, symlinks=True)
            self._programs = copy / "bin"
        if self.has_tls:
            self.authority = Authority(self.folder)
            shutil.copy(self.authority.server_file("127.0.0.1"), self.folder / "server.pem")
            (self.folder / "server.pem").chmod(0o600)
        (self.folder / "password").write_text(_verifier_of(self.password))
        if self._user:
            for path in (self.folder, self.folder / "password", self.folder / "server.pem"):
                if path.exists():
                    os.chown(path, self._user["user"], self._user["group"])

    def _make(self) -> None:
        subprocess.run(
            [
                *(self._programs / "initdb", "-D", self.data, "-U", "postgres", "-E", "UTF8", "--no-locale"),
                *("-A", "scram-sha-256", "--pwfile", self.folder / "password", "--no-sync", "--no-instructions"),
            ],
            check=True,
            capture_output=True,
            cwd=self.folder,
            env={"PATH": os.defpath, "LANG": "C"},
            **self._user,
        )
        lines = [f"{name} = '{value}'" for name, value in self._settings.items()]
        if self.has_tls:
            pem = self.folder / "server.pem"
            lines += ["ssl = on", f"ssl_cert_file = '{pem}'", f"ssl_key_file = '{pem}'"]
        with (self.data / "postgresql.conf").open("a") as file:
            file.write("\n".join(["", *lines, ""]))

    def _is_ready(self) -> bool:
        assert self._postmaster is not None
        deadline = time.monotonic() + _START_S
        while self._postmaster.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError, IndexError):
                lines = (self.data / "postmaster.pid").read_text().splitlines()
                if lines[0] == str(self._postmaster.pid) and lines[7].strip() == "ready":
                    return True
            time.sleep(0.01)
        return False


def _verifier_of(password: str) -> str:
    """For one round, where a workspace takes no fewer than 4,096: random passwords need none against guessing, and the
    thousands of connections of a run would take seconds for them."""
    return verifier_of(password, iterations=1)


def _run(conn: psycopg.Connection[Any], statement: str, *names: str, password: str | None = None) -> None:
    values: list[sql.Composable] = [sql.Identifier(name) for name in names]
    if password is not None:
        values.append(sql.Literal(password))
    conn.execute(sql.SQL(statement).format(*values))  # type: ignore[arg-type]


def other_user() -> dict[str, Any]:
    """The user to start PostgreSQL as, which refuses to run as root: options of ``Popen``."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return {}
    import pwd

    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}


def _is_open_to_others(path: Path) -> bool:
    """Whether any user may read it, as the folders above allow."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.resolve().parents)) and bool(
        (path / "bin" / "postgres").stat().st_mode & 0o005
    )


def free_port() -> int:
    """A port of this computer that nobody listens to now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _send(what: signal.Signals, pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, what)
