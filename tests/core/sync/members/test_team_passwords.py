"""Where passwords for teams are kept, and what happens where they cannot be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chatdesk.core.domain.sharing.team import ServerAddress
from chatdesk.core.settings.key_file import KeyFile, KeyFileLocked
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import Secret, SecretSource, SecretStore
from chatdesk.core.sync.errors import TeamLoginRefused, TeamPasswordMissing
from chatdesk.core.sync.members.team_passwords import (
    SERVER_VARIABLE,
    VARIABLE,
    PasswordNotKept,
    PasswordUnusable,
    TeamPasswords,
    check_password,
    server_named,
)

HERE = ServerAddress("db.example", 5432, "team", "ana")
PASSPHRASE = "correct horse battery"


class Broken:
    """A keyring that is locked."""

    def get_password(self, _service: str, _name: str) -> str | None:
        raise RuntimeError("locked")

    def set_password(self, _service: str, _name: str, _value: str) -> None:
        raise RuntimeError("locked")

    def delete_password(self, _service: str, _name: str) -> None:
        raise RuntimeError("locked")


def _passwords(place: KeyPlace, *, file: KeyFile | None = None, environ: dict[str, str] | None = None) -> TeamPasswords:
    store = SecretStore(register=lambda _value: None, environ=environ or {}, load_backend=Broken, key_file=file)
    return TeamPasswords(store, lambda: place)


def test_the_encrypted_file_keeps_them_once_it_was_opened(tmp_path: Path) -> None:
    file = KeyFile(tmp_path, work=2**10)
    passwords = _passwords(KeyPlace.FILE, file=file)
    made = passwords.make()
    with pytest.raises(KeyFileLocked):
        passwords.keep("w", made, HERE)
    file.create(PASSPHRASE)
    passwords.keep("w", made, HERE)
    again = KeyFile(tmp_path, work=2**10)
    again.unlock(PASSPHRASE)
    found = _passwords(KeyPlace.FILE, file=again).find("w", HERE)
    assert (found.value, found.source) == (made.value, SecretSource.FILE)
    passwords.keep_next("w", passwords.make(), HERE)
    passwords.forget("w")
    assert not passwords.kept("w:next", HERE).value
    assert not passwords.find("w", HERE).value


def test_a_keyring_that_is_locked_stops_a_join_before_anything_is_changed() -> None:
    passwords = _passwords(KeyPlace.KEYRING)
    with pytest.raises(PasswordNotKept, match="cannot keep the password"):
        passwords.keep("w", passwords.make(), HERE)
    with pytest.raises(PasswordNotKept, match="cannot keep"):
        _passwords(KeyPlace.MEMORY).keep("w", Secret("x" * 20), HERE)


def test_a_typed_one_holds_for_this_run_at_least() -> None:
    passwords = _passwords(KeyPlace.KEYRING)
    with pytest.raises(TeamPasswordMissing, match="cannot be found"):
        passwords.open_with("w", HERE, lambda password: password)
    passwords.hold("w", "typed-password", HERE)
    assert passwords.open_with("w", HERE, lambda password: password) == "typed-password"
    assert passwords.find("w", HERE).source is SecretSource.THIS_RUN


def test_the_variable_comes_first_and_is_kept_nowhere() -> None:
    passwords = _passwords(KeyPlace.MEMORY, environ={VARIABLE: "of-the-variable"})
    made = passwords.make()
    assert (made.value, made.source) == ("of-the-variable", SecretSource.ENVIRONMENT)
    passwords.keep("w", made, HERE)
    assert passwords.find("w", HERE) == made
    assert not passwords.kept("w", HERE).value


def _other_addresses() -> list[ServerAddress]:
    return [
        replace(HERE, host="db.attacker.example"),
        replace(HERE, port=5433),
        replace(HERE, tls="disable"),
        replace(HERE, ca="-----BEGIN CERTIFICATE-----"),
        replace(HERE, host="db.example:5432/unencrypted"),
    ]


@pytest.mark.parametrize("named", [HERE, *_other_addresses()], ids=lambda each: server_named(each))
def test_a_password_of_the_variable_goes_to_the_server_that_a_variable_names(named: ServerAddress) -> None:
    environ = {VARIABLE: "of-the-variable", SERVER_VARIABLE: f"other:1, {server_named(named)}"}
    passwords = _passwords(KeyPlace.KEYRING, environ=environ)
    for address in (HERE, *_other_addresses()):
        sent: list[str] = []
        if address == named:
            passwords.open_with("w", address, sent.append)
        else:
            with pytest.raises(TeamPasswordMissing) as caught:
                passwords.open_with("w", address, sent.append)
            assert server_named(address) in caught.value.sentence
        assert sent == (["of-the-variable"] if address == named else [])


def test_a_workspace_that_a_data_directory_names_gets_no_password_of_the_variable(tmp_path: Path) -> None:
    file = KeyFile(tmp_path, work=2**10)
    file.create(PASSPHRASE)
    environ = {VARIABLE: "of-the-variable"}
    mine = _passwords(KeyPlace.FILE, file=file, environ=environ)
    mine.keep("w", mine.make(), HERE)  # the person joined
    later = KeyFile(tmp_path, work=2**10)
    later.unlock(PASSPHRASE)
    again = _passwords(KeyPlace.FILE, file=later, environ=environ)
    assert again.find("w", HERE).value == "of-the-variable"
    for workspace, address in [("w", each) for each in _other_addresses()] + [("of-somebody-else", HERE)]:
        assert not again.find(workspace, address).value
    moved = replace(HERE, host="db2.example")
    assert again.open_with("w", moved, str, is_agreed=True) == "of-the-variable"
    again.move("w", moved)
    assert again.find("w", moved).value == "of-the-variable"
    assert not again.find("w", HERE).value


def test_a_variable_for_another_server_leaves_the_kept_password_in_use() -> None:
    passwords = _passwords(KeyPlace.KEYRING, environ={VARIABLE: "of-the-variable", SERVER_VARIABLE: "other:5432"})
    passwords.hold("w", "typed-password", HERE)
    assert passwords.find("w", HERE).value == "typed-password"


def test_a_wrong_one_without_another_is_told_as_such() -> None:
    passwords = _passwords(KeyPlace.KEYRING)
    passwords.hold("w", "typed-password", HERE)

    def refuse(_password: str) -> None:
        raise TeamLoginRefused

    with pytest.raises(TeamLoginRefused):
        passwords.open_with("w", HERE, refuse)
    passwords.promote("w", HERE)  # nothing waits


def test_a_password_goes_to_the_server_it_was_made_for() -> None:
    passwords = _passwords(KeyPlace.KEYRING)
    passwords.hold("w", "typed-password", HERE)
    asked: list[str] = []
    for other in (
        replace(HERE, host="db.attacker.example"),
        replace(HERE, port=5433),
        replace(HERE, tls="disable"),
        replace(HERE, ca="-----BEGIN CERTIFICATE-----"),
    ):
        with pytest.raises(TeamPasswordMissing) as caught:
            passwords.open_with("w", other, asked.append)
        assert "given for postgresql://db.example:5432" in caught.value.sentence
    assert not asked
    moved = replace(HERE, host="db2.example")
    passwords.open_with("w", moved, asked.append, is_agreed=True)
    with pytest.raises(TeamPasswordMissing):
        passwords.open_with("w", moved, asked.append)
    passwords.move("w", moved)
    passwords.open_with("w", moved, asked.append)
    assert asked == ["typed-password"] * 2


@pytest.mark.parametrize(
    "password", ["", "short", "with a space in it", "pässwörter-lang", "x" * 257, "a-tab\there-xx"]
)
def test_only_printable_ascii_of_some_length_is_a_password(password: str) -> None:
    with pytest.raises(PasswordUnusable, match="12 to 256"):
        check_password(password)
