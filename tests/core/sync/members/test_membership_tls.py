"""Joining over TLS, with a server that has it (Debian's PostgreSQL 15), and one that has not."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.clock import Clock
from chatdesk.core.domain.sharing.team import ServerAddress
from chatdesk.core.domain.sharing.team_setup import CheckState
from chatdesk.core.ids import new_id
from chatdesk.core.paths import migrations_dir
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import SecretStore
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.profile_database import ProfileDatabase
from chatdesk.core.sync import errors
from chatdesk.core.sync.invitations import MemberCode, new_secret, write_member_code
from chatdesk.core.sync.members.membership import Membership
from chatdesk.core.sync.members.team_passwords import TeamPasswords
from tests.helpers import postgres_binaries
from tests.helpers.certificates import Authority
from tests.helpers.postgres import TeamDatabase, cluster


@pytest.fixture
def encrypted() -> Iterator[TeamDatabase]:
    found = [each.version for each in postgres_binaries.found() if each.has_tls]
    if not found:
        pytest.skip("no PostgreSQL with TLS here")
    server = cluster(found[0])
    made = server.empty_database()
    yield made
    server.drop(made)


@pytest.fixture
def plain() -> Iterator[TeamDatabase]:
    found = [each.version for each in postgres_binaries.found() if not each.has_tls]
    if not found:
        pytest.skip("every PostgreSQL here has TLS")
    server = cluster(found[0])
    made = server.empty_database()
    yield made
    server.drop(made)


async def _ignore(_workspace_id: str) -> None:
    pass


async def _profile(folder: Path) -> tuple[Database, Membership]:
    folder.mkdir()
    clock, kept = Clock(), dict[str, str]()

    class Keyring:
        def get_password(self, _service: str, name: str) -> str | None:
            return kept.get(name)

        def set_password(self, _service: str, name: str, value: str) -> None:
            kept[name] = value

        def delete_password(self, _service: str, name: str) -> None:
            del kept[name]

    database = ProfileDatabase(folder / "c.db", clock=clock, backup_dir=folder / "b", migrations_dir=migrations_dir())
    await database.open()
    secrets = SecretStore(register=lambda _value: None, environ={}, load_backend=Keyring)
    passwords = TeamPasswords(secrets, lambda: KeyPlace.KEYRING)
    return database, Membership(database, passwords, clock, on_changed=_ignore)


async def test_an_invitation_carries_the_authority_that_proves_the_server(
    encrypted: TeamDatabase, tmp_path: Path
) -> None:
    (one, ana), (other, ben) = await _profile(tmp_path / "ana"), await _profile(tmp_path / "ben")
    try:
        address, password = encrypted.account_address, encrypted.account_password
        assert address.tls == "verify-full"
        states = {each.name: each.state for each in await ana.examine(address, password)}
        assert set(states.values()) == {CheckState.OK}, states
        workspace = await ana.create_workspace("Research", "Ana", address, password=password)
        invitation = await ana.administration.invite(workspace.id, "Ben", roles={})
        view = ben.read_invitation(invitation.code)
        assert not view.is_unencrypted
        assert view.address is not None
        assert view.address.ca == address.ca
        joined = await ben.join(invitation.code, "Ben")  # nobody has to agree to anything
        assert joined.address.tls == "verify-full"
        with encrypted.as_superuser() as superuser:
            row = superuser.execute("SELECT current_setting('server_version_num')::int / 10000").fetchone()
        assert row is not None
        assert row[0] >= 15
    finally:
        await one.close()
        await other.close()


async def test_a_server_that_cannot_prove_itself_is_told_nothing(encrypted: TeamDatabase, tmp_path: Path) -> None:
    database, ana = await _profile(tmp_path / "ana")
    try:
        address, password = encrypted.account_address, encrypted.account_password
        (tmp_path / "other").mkdir()
        stranger = replace(address, ca=Authority(tmp_path / "other").ca_file.read_text())
        unknown = replace(address, ca="")
        elsewhere = replace(address, host="localhost")  # the certificate is for the number
        for wrong in (stranger, unknown, elsewhere):
            with pytest.raises(errors.TeamCertificateNotTrusted, match="does not trust the certificate"):
                await ana.create_workspace("Research", "Ana", wrong, password=password)
            (check,) = await ana.examine(wrong, password)
            assert check.state is CheckState.FAILED
    finally:
        await database.close()


async def test_a_server_without_tls_is_refused_unless_a_person_chose_so(plain: TeamDatabase, tmp_path: Path) -> None:
    database, ana = await _profile(tmp_path / "ana")
    try:
        address = replace(plain.account_address, tls="verify-full")
        with pytest.raises(errors.TeamTlsRefused, match="does not speak TLS"):
            await ana.create_workspace("Research", "Ana", address, password=plain.account_password)
        checks = await ana.examine(replace(address, tls="disable"), plain.account_password)
        assert {each.name for each in checks if each.state is CheckState.WARNING} == {"Encryption"}
    finally:
        await database.close()


async def test_a_server_that_asks_for_the_password_itself_is_not_told_it(tmp_path: Path) -> None:
    """An invitation of a stranger could lead to one."""
    heard: list[bytes] = []

    async def greedy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int.from_bytes(await reader.readexactly(4), "big")
        await reader.readexactly(size - 4)
        writer.write(b"R" + struct.pack(">ii", 8, 3))  # AuthenticationCleartextPassword
        await writer.drain()
        heard.append(await reader.read())
        writer.close()

    server = await asyncio.start_server(greedy, "127.0.0.1", 0)
    address = ServerAddress("127.0.0.1", server.sockets[0].getsockname()[1], "team", "cd_ab12cd_x", "disable")
    code = write_member_code(MemberCode(address, new_secret(), new_id(), "Research", 4_000_000_000_000))
    database, ben = await _profile(tmp_path / "ben")
    try:
        with pytest.raises(errors.TeamPasswordAskedFor, match="ChatDesk did not send it"):
            await ben.join(code, "Ben", allows_unencrypted=True)
    finally:
        await database.close()
        server.close()
        await server.wait_closed()
    assert heard == [b""]
