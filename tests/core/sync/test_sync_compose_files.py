"""The files for a team's own server, as far as they can be tried without containers: the certificates, the server's
settings and rules, and the login, with a PostgreSQL that has TLS."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chatdesk.core.domain.sharing.team import ServerAddress
from chatdesk.core.domain.sharing.team_setup import CheckState
from chatdesk.core.ids import new_id
from chatdesk.core.sync.members.scram import verifier_of
from chatdesk.core.sync.team_store import setup, setup_checks
from chatdesk.core.sync.team_store.administration import Administration
from tests.helpers import postgres, postgres_binaries
from tests.helpers.waiting import wait_until

ROOT = Path(__file__).parents[3]
TEAM = ROOT / "packaging" / "team"

pytestmark = pytest.mark.skipif(
    not (shutil.which("openssl") and shutil.which("sh") and shutil.which("psql")), reason="needs openssl, sh and psql"
)


def _prepare(folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    shutil.copytree(TEAM, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("certificates", "secrets"))
    return subprocess.run(["sh", str(folder / "prepare.sh"), *names], capture_output=True, text=True, check=False)


def _shown(folder: Path, *options: str) -> str:
    certificate = str(folder / "certificates" / "server.crt")
    done = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", *options], capture_output=True, check=True)
    return done.stdout.decode()


def _is_good(folder: Path, *options: str) -> bool:
    certificates = folder / "certificates"
    command = ["openssl", "verify", "-CAfile", str(certificates / "authority.crt"), *options]
    done = subprocess.run([*command, str(certificates / "server.crt")], capture_output=True, check=False)
    return done.returncode == 0


def test_certificates_are_made_for_every_name_and_made_anew_by_the_same_authority(tmp_path: Path) -> None:
    first = _prepare(tmp_path, "db.example.org", "127.0.0.1", "::1")
    assert first.returncode == 0, first.stderr
    assert "db.example.org" in first.stdout
    for proof in (("-verify_hostname", "db.example.org"), ("-verify_ip", "127.0.0.1"), ("-verify_ip", "::1")):
        assert _is_good(tmp_path, *proof)
    assert not _is_good(tmp_path, "-verify_hostname", "other.example.org")
    authority = (tmp_path / "certificates" / "authority.crt").read_bytes()
    password = (tmp_path / "secrets" / "setup_password").read_text()
    serial = _shown(tmp_path, "-serial")
    assert len(password) == 48
    assert password not in first.stdout

    assert _prepare(tmp_path, "team.example.org").returncode == 0
    assert _is_good(tmp_path, "-verify_hostname", "team.example.org")
    assert (tmp_path / "certificates" / "authority.crt").read_bytes() == authority
    assert (tmp_path / "secrets" / "setup_password").read_text() == password
    assert _shown(tmp_path, "-serial") != serial
    for secret in ("certificates/authority.key", "certificates/server.key", "secrets/setup_password"):
        assert (tmp_path / secret).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("names", [(), ("db.example.org", "a,DNS:b"), ("$(id)",), ("a b",)])
def test_an_invalid_name_makes_nothing(tmp_path: Path, names: tuple[str, ...]) -> None:
    assert _prepare(tmp_path, *names).returncode == 2
    assert not (tmp_path / "certificates").exists()


def test_the_composition_pins_the_major_version_and_is_open_to_this_computer_only() -> None:
    text = (TEAM / "compose.yaml").read_text(encoding="utf-8")
    assert re.search(r"^    image: postgres:\d\d$", text, re.MULTILINE)
    assert '"${CHATDESK_TEAM_BIND:-127.0.0.1}:${CHATDESK_TEAM_PORT:-5432}:5432"' in text
    assert "healthcheck:" in text
    for name in re.findall(r"\./([\w./]+)", text):
        assert (TEAM / name).exists() or name.split("/")[0] in ("certificates", "secrets"), name
    ignored = (TEAM / ".gitignore").read_text().split()
    assert {"certificates/", "secrets/"} <= set(ignored)


@dataclass
class Server:
    port: int
    folder: Path

    def connect(self, user: str = "chatdesk_setup", **options: Any) -> psycopg.Connection[Any]:
        wanted = {
            "host": "127.0.0.1",
            "port": self.port,
            "dbname": "team",
            "user": user,
            "password": (self.folder / "secrets" / "setup_password").read_text(),
            "sslmode": "verify-full",
            "sslrootcert": str(self.folder / "certificates" / "authority.crt"),
            "connect_timeout": 10,
        }
        return psycopg.connect(**{**wanted, **options})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """What the composition starts, with the paths of a container replaced by those of a folder."""
    found = [each for each in postgres_binaries.found() if each.has_tls]
    if not found:
        pytest.skip("no PostgreSQL with TLS here")
    folder = Path(postgres.tempfile.mkdtemp(prefix="chatdesk-compose-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        assert _prepare(folder, "127.0.0.1").returncode == 0
        run, etc = folder / "run", folder / "server"
        run.mkdir()
        shutil.copy(folder / "certificates" / "server.key", run)
        shutil.copy(folder / "certificates" / "server.crt", run)
        settings = (etc / "postgresql.conf").read_text()
        (etc / "postgresql.conf").write_text(
            settings.replace("/etc/chatdesk", str(etc)).replace("/run/chatdesk", str(run))
        )
        rules = (etc / "pg_hba.conf").read_text()
        (etc / "pg_hba.conf").write_text(rules.replace("peer", "trust"))  # who runs the tests is not postgres
        user = postgres.other_user()
        if user:
            folder.chmod(0o755)
            for path in (folder, run, *run.iterdir(), etc, *etc.iterdir()):
                os.chown(path, user["user"], user["group"])
        programs, data = found[0].folder, folder / "data"
        subprocess.run(
            [
                *(programs / "initdb", "-D", data, "-U", "postgres", "--auth=scram-sha-256", "--data-checksums"),
                *("--no-sync", f"--pwfile={etc / 'login.sh'}"),
            ],
            check=True,
            capture_output=True,
            cwd=folder,
            env={"PATH": os.defpath, "LANG": "C"},
            **user,
        )
        command = [programs / "postgres", "-D", data, "-c", f"config_file={etc / 'postgresql.conf'}"]
        extra = {"listen_addresses": "127.0.0.1", "unix_socket_directories": str(run), "fsync": "off"}
        options = [part for name, value in extra.items() for part in ("-c", f"{name}={value}")]

        def started(port: int) -> subprocess.Popen[bytes] | None:
            """The server on this port; None where another program took the port in the meantime."""
            with (folder / "log").open("wb") as log:
                running = subprocess.Popen(
                    [*command, *options, "-p", str(port)],
                    stdout=log, stderr=log, cwd=folder, start_new_session=True, **user,
                )  # fmt: skip
            wait_until(lambda: running.poll() is not None or (run / f".s.PGSQL.{port}").exists())
            return running if running.poll() is None else None

        for _attempt in range(5):
            port = postgres.free_port()
            running = started(port)
            if running is not None:
                break
        assert running is not None, (folder / "log").read_text("utf-8", "replace")
        stack.callback(running.wait, 30)
        stack.callback(running.send_signal, postgres.signal.SIGQUIT)
        environment = {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PGHOST": str(run),
            "PGPORT": str(port),
            "CHATDESK_LOGIN": "chatdesk_setup",
            "CHATDESK_DATABASE": "team",
            "CHATDESK_HARDEN_FILE": str(etc / "harden.sql"),
            "CHATDESK_SETUP_PASSWORD_FILE": str(folder / "secrets" / "setup_password"),
        }
        tried: list[subprocess.CompletedProcess[str]] = []

        def has_answered() -> bool:
            command = ["sh", etc / "login.sh"]
            tried.append(subprocess.run(command, env=environment, capture_output=True, text=True, check=False))
            return tried[-1].returncode == 0 or "starting up" not in tried[-1].stderr

        wait_until(has_answered)
        assert tried[-1].returncode == 0, tried[-1].stderr
        yield Server(port, folder)


def test_the_login_owns_its_database_and_is_not_a_superuser(server: Server) -> None:
    with server.connect() as conn:
        row = conn.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, rolpassword IS NOT NULL"
            " FROM pg_roles WHERE rolname = session_user"
        ).fetchone()
        assert row is not None
        assert row[:4] == (False, False, True, False)
        found = conn.execute("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
        assert found is not None
        assert found[0]
        assert found[1] in ("TLSv1.2", "TLSv1.3")
        owner = conn.execute("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'team'").fetchone()
        assert owner == ("chatdesk_setup",)


def test_a_workspace_is_made_there_and_its_members_come_in(server: Server) -> None:
    ca = (server.folder / "certificates" / "authority.crt").read_text()
    password = (server.folder / "secrets" / "setup_password").read_text()
    address = ServerAddress("127.0.0.1", server.port, "team", "chatdesk_setup", ca=ca)
    checks = setup_checks.examine(address, password)
    assert {each.state for each in checks} == {CheckState.OK}, checks
    workspace_id = new_id()
    login = f"{setup.role_prefix(workspace_id)}_first"
    setup.set_up(
        address,
        password,
        workspace_id=workspace_id,
        name="Research",
        my_name="Ana",
        login=login,
        verifier=verifier_of("a-password-of-hers"),
    )
    with Administration.connect(replace(address, user=login), "a-password-of-hers") as member:
        assert member.standing().workspace_id == workspace_id
    with server.connect(login, password="a-password-of-hers") as conn, pytest.raises(psycopg.Error) as caught:
        conn.execute("SELECT pg_advisory_lock(1)")
    assert caught.value.sqlstate == "42501"


def test_the_check_of_health_needs_no_password_and_leaves_no_noise(server: Server) -> None:
    found = re.search(r"^ +test: (\[.*\])$", (TEAM / "compose.yaml").read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    asks, program, *options = json.loads(found[1])
    # Not by the socket: there it would be answered while the first start is still setting up.
    assert (asks, program, options[options.index("-h") + 1]) == ("CMD", "pg_isready", "127.0.0.1")
    folder = next(each.folder for each in postgres_binaries.found() if each.has_tls)
    before = len((server.folder / "log").read_bytes())
    subprocess.run([folder / program, *options, "-p", str(server.port)], check=True)
    said = (server.folder / "log").read_bytes()[before:]
    assert b"FATAL" not in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"user": "postgres"}, "pg_hba.conf rejects"),
        ({"sslmode": "disable"}, "pg_hba.conf rejects"),
        ({"dbname": "postgres"}, "pg_hba.conf rejects"),
        ({"password": "wrong"}, "password authentication failed"),
        ({"sslrootcert": "system"}, "certificate verify failed"),
        ({"host": "localhost"}, "does not match host name"),
    ],
)
def test_everything_else_is_turned_away(server: Server, options: dict[str, Any], words: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=words):
        server.connect(**options)


def test_the_log_holds_neither_statements_nor_passwords(server: Server) -> None:
    with server.connect() as conn, pytest.raises(psycopg.Error):
        conn.execute("SELECT 'marked-text' FROM nowhere WHERE x = 'ALTER ROLE PASSWORD marked-text'")
    log = (server.folder / "log").read_text(errors="replace")
    assert "connection authorized" in log
    assert "marked-text" not in log
    assert (server.folder / "secrets" / "setup_password").read_text() not in log
