"""Where passwords for teams are kept, and what happens where they cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatdesk.core.settings.key_file import KeyFile, KeyFileLocked
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import Secret, SecretSource, SecretStore
from chatdesk.core.sync.errors import TeamLoginRefused, TeamPasswordMissing
from chatdesk.core.sync.team_passwords import VARIABLE, PasswordNotKept, PasswordUnusable, TeamPasswords, check_password

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
        passwords.keep("w", made)
    file.create(PASSPHRASE)
    passwords.keep("w", made)
    again = KeyFile(tmp_path, work=2**10)
    again.unlock(PASSPHRASE)
    found = _passwords(KeyPlace.FILE, file=again).find("w")
    assert (found.value, found.source) == (made.value, SecretSource.FILE)
    passwords.keep_next("w", passwords.make())
    passwords.forget("w")
    assert not passwords.kept("w:next").value
    assert not passwords.find("w").value


def test_a_keyring_that_is_locked_stops_a_join_before_anything_is_changed() -> None:
    passwords = _passwords(KeyPlace.KEYRING)
    with pytest.raises(PasswordNotKept, match="cannot keep the password"):
        passwords.keep("w", passwords.make())
    with pytest.raises(PasswordNotKept, match="cannot keep"):
        _passwords(KeyPlace.MEMORY).keep("w", Secret("x" * 20))


def test_a_typed_one_holds_for_this_run_at_least() -> None:
    passwords = _passwords(KeyPlace.KEYRING)
    with pytest.raises(TeamPasswordMissing, match="cannot be found"):
        passwords.open_with("w", lambda password: password)
    passwords.hold("w", "typed-password")
    assert passwords.open_with("w", lambda password: password) == "typed-password"
    assert passwords.find("w").source is SecretSource.THIS_RUN


def test_the_variable_comes_first_and_is_kept_nowhere() -> None:
    passwords = _passwords(KeyPlace.MEMORY, environ={VARIABLE: "of-the-variable"})
    made = passwords.make()
    assert (made.value, made.source) == ("of-the-variable", SecretSource.ENVIRONMENT)
    passwords.keep("w", made)
    assert passwords.find("w") == made
    assert not passwords.kept("w").value


def test_a_wrong_one_without_another_is_told_as_such() -> None:
    passwords = _passwords(KeyPlace.KEYRING)
    passwords.hold("w", "typed-password")

    def refuse(_password: str) -> None:
        raise TeamLoginRefused

    with pytest.raises(TeamLoginRefused):
        passwords.open_with("w", refuse)
    passwords.promote("w")  # nothing waits


@pytest.mark.parametrize(
    "password", ["", "short", "with a space in it", "pässwörter-lang", "x" * 257, "a-tab\there-xx"]
)
def test_only_printable_ascii_of_some_length_is_a_password(password: str) -> None:
    with pytest.raises(PasswordUnusable, match="12 to 256"):
        check_password(password)
