"""Opens connections to the team's database: encrypted and verified unless a person chose otherwise, with time
limits."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg

from chatdesk.core.domain.sharing.team import ServerAddress
from chatdesk.core.sync.team_store.failures import our_errors

CONNECT_S: Final = 5
STATEMENT_S: Final = 30
# A server that has not taken our bytes for so long is gone, whatever the network pretends.
_SILENCE_MS: Final = 20_000

Connection = psycopg.Connection[tuple[Any, ...]]


def open_connection(
    address: ServerAddress, password: str, *, statement_s: int = STATEMENT_S, is_members: bool = True
) -> Connection:
    """Return a new connection, on which each statement is a transaction. Blocks for at most ``CONNECT_S`` for each
    address of the host, and for one statement. Raises ``TeamError``. ``is_members``: a member's login, which only
    proves that it knows its password (SCRAM): an invitation may come from a stranger and lead anywhere."""
    with our_errors(), _trusted(address) as certificates:
        conn = psycopg.connect(
            host=address.host,
            port=address.port,
            dbname=address.database,
            user=address.user,
            password=password,
            sslmode=address.tls,
            connect_timeout=CONNECT_S,
            keepalives_idle=20,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=_SILENCE_MS,
            application_name="ChatDesk",
            client_encoding="utf8",
            gssencmode="disable",
            require_auth="scram-sha-256" if is_members else None,
            autocommit=True,
            sslrootcert=certificates,
        )
        try:
            conn.execute(f"SET statement_timeout = '{statement_s}s'")  # type: ignore[arg-type, unused-ignore]
        except BaseException:
            conn.close()
            raise
        return conn


@contextmanager
def _trusted(address: ServerAddress) -> Iterator[str | None]:
    """Yield the path of a file with the certificates to trust while the connection is made: the library takes no
    text."""
    if not address.tls.startswith("verify"):
        yield None
        return
    # Not "system" of the library: the OpenSSL inside its wheel looks in folders that few computers have.
    text = address.ca or _of_the_system()
    with tempfile.TemporaryDirectory(prefix="chatdesk-ca-") as folder:
        file = Path(folder) / "trusted.pem"
        file.write_text(text, encoding="ascii", errors="replace")
        yield str(file)


def _of_the_system() -> str:
    context = ssl.create_default_context()
    loaded = [ssl.DER_cert_to_PEM_cert(one) for one in context.get_ca_certs(binary_form=True)]
    if loaded:
        return "".join(loaded)
    file = ssl.get_default_verify_paths().cafile
    return Path(file).read_text(encoding="utf-8") if file else ""
