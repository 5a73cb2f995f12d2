from __future__ import annotations

import threading
from pathlib import Path

import pytest

from chatdesk.core.domain.key_origin import KeyOrigin, WithheldFor
from chatdesk.core.settings.profile_id import ProfileId
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import SecretNotKept, SecretSource, SecretStore, system_keyring

KEY = "sk-test-0123456789"
HERE = KeyOrigin.of("https://api.example/v1")


class FakeKeyring:
    def __init__(self, error: Exception | None = None) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self._error = error

    def _check(self) -> None:
        if self._error:
            raise self._error

    def get_password(self, service: str, name: str) -> str | None:
        self._check()
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, value: str) -> None:
        self._check()
        self.kept[service, name] = value

    def delete_password(self, service: str, name: str) -> None:
        self._check()
        del self.kept[service, name]


class NoKeyringError(RuntimeError):
    pass


class KeyringLocked(RuntimeError):
    pass


def _store(
    backend: object,
    environ: dict[str, str] | None = None,
    seen: list[str] | None = None,
    *,
    timeout_s: float = 5.0,
    profile: ProfileId | None = None,
    reads_old_names: bool = False,
) -> SecretStore:
    return SecretStore(
        register=(seen if seen is not None else []).append,
        environ=environ or {},
        timeout_s=timeout_s,
        load_backend=lambda: backend,  # type: ignore[arg-type,return-value]
        profile=profile,
        reads_old_names=reads_old_names,
    )


def test_a_key_of_the_environment_is_found_and_hidden() -> None:
    seen: list[str] = []
    secret = _store(FakeKeyring(), {"OPENAI_API_KEY": f" {KEY}\n"}, seen).from_environment("OPENAI_API_KEY")
    assert (secret.value, secret.source) == (KEY, SecretSource.ENVIRONMENT)
    assert seen == [KEY]
    assert KEY not in repr(secret)
    _store(FakeKeyring(), {"OPENAI_API_KEY": f'"{KEY}"'}, seen).from_environment("OPENAI_API_KEY")
    assert seen[1:].count(KEY) == 1, "it is hidden without its quotation marks too"


def test_a_kept_key_is_found_and_forgotten() -> None:
    store, seen = _store(FakeKeyring()), []
    store.keep("openai", KEY, HERE)
    assert store.find("openai", HERE).source is SecretSource.KEYRING
    store.forget("openai")
    assert store.find("openai", HERE).source is SecretSource.NONE
    store.forget("openai")
    assert seen == []


def test_a_key_that_cannot_be_kept_holds_for_this_run_only() -> None:
    store = _store(FakeKeyring(KeyringLocked(KEY)))
    with pytest.raises(SecretNotKept) as caught:
        store.keep("openai", KEY, HERE)
    assert KEY not in caught.value.sentence
    assert caught.value.__cause__ is None
    assert store.find("openai", HERE).source is SecretSource.THIS_RUN


@pytest.mark.parametrize(
    ("error", "words"),
    [(NoKeyringError("x"), "no keyring"), (KeyringLocked("x"), "locked"), (OSError("D-Bus"), "OSError")],
)
def test_a_keyring_that_fails_is_described_and_never_raises(error: Exception, words: str) -> None:
    store = _store(FakeKeyring(error), reads_old_names=True)
    secret = store.find("openai", HERE)
    assert secret.value == ""
    assert words in secret.problem
    state = store.state()
    assert not state.is_usable
    assert words in state.detail


def test_a_keyring_that_hangs_is_given_up() -> None:
    release = threading.Event()

    class Hanging(FakeKeyring):
        def get_password(self, service: str, name: str) -> str | None:
            release.wait(60)
            return None

    store = _store(Hanging(), timeout_s=0.05, reads_old_names=True)
    try:
        assert "did not answer" in store.find("openai", HERE).problem
        assert not store.state().is_usable
    finally:
        release.set()


def test_a_working_keyring_is_named() -> None:
    state = _store(FakeKeyring()).state()
    assert state.is_usable
    assert state.detail == "FakeKeyring"


def test_the_system_keyring_is_asked_by_default() -> None:
    store = SecretStore(register=lambda _value: None, environ={}, reads_old_names=True)
    assert "no keyring" in store.find("openai", HERE).problem


def test_a_key_is_for_the_origin_it_was_given_for(tmp_path: Path) -> None:
    backend = FakeKeyring()
    _store(backend, profile=ProfileId(tmp_path)).keep("openai", KEY, HERE)
    store = _store(backend, profile=ProfileId(tmp_path))
    assert store.find("openai", HERE).value == KEY
    others = (
        KeyOrigin.of("http://api.example/v1"),
        KeyOrigin.of("https://api.example:8443/v1"),
        KeyOrigin.of("https://api.example.org/v1"),
        KeyOrigin.of("https://api.example/v1", proxy="http://127.0.0.1:3128"),
        KeyOrigin.of("https://api.example/v1", proxy="none"),
        KeyOrigin.of("https://api.example/v1", ca="00" * 32),
        KeyOrigin.of("https://api.example\\@elsewhere.example/v1"),
        KeyOrigin.of("https://[::1/v1"),
    )
    for other in others:
        found = store.find("openai", other)
        assert found.value == ""
        assert found.withheld is not None
        assert found.withheld.kept == HERE
        assert KEY not in repr(found)
    store.agree("openai", others[3], place=KeyPlace.KEYRING)
    assert _store(backend, profile=ProfileId(tmp_path)).find("openai", others[3]).value == KEY
    assert store.find("openai", HERE).value == ""


def test_a_key_travels_unencrypted_only_where_that_was_agreed() -> None:
    store, lan, here = _store(FakeKeyring()), KeyOrigin.of("http://box.example"), KeyOrigin.of("http://127.0.0.1:8080")
    store.keep("openai", KEY, lan)
    withheld = store.find("openai", lan).withheld
    assert withheld is not None
    assert withheld.reason is WithheldFor.OPEN
    store.agree("openai", lan, place=KeyPlace.KEYRING)
    assert store.find("openai", lan).value == KEY
    store.keep("local", KEY, here)
    assert store.find("local", here).value == KEY


def test_another_profile_finds_no_key(tmp_path: Path) -> None:
    backend = FakeKeyring()
    (tmp_path / "one").mkdir()
    _store(backend, profile=ProfileId(tmp_path / "one")).keep("openai", KEY, HERE)
    assert _store(backend, profile=ProfileId(tmp_path / "two")).find("openai", HERE).value == ""
    assert not (tmp_path / "two").exists()


@pytest.mark.parametrize("text", ["", "x" * 32, "0" * 31, "../openai", "\xff" * 32])
def test_a_profile_of_another_form_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "profile-id").write_text(text)
    assert ProfileId(tmp_path).find() == ""
    assert len(ProfileId(tmp_path).make()) == 32


def test_what_an_earlier_version_kept_is_bound_to_the_vendor_or_asked_about(tmp_path: Path) -> None:
    backend = FakeKeyring()
    backend.kept["chatdesk", "openai"] = KEY
    assert _store(backend).find("openai", HERE, is_known=True).value == ""  # a directory that was named
    old = _store(backend, profile=ProfileId(tmp_path), reads_old_names=True)
    asked = old.find("openai", HERE).withheld
    assert asked is not None
    assert asked.reason is WithheldFor.UNKNOWN
    assert old.find("openai", HERE, is_known=True).value == KEY
    again = _store(backend, profile=ProfileId(tmp_path), reads_old_names=True)
    assert again.find("openai", HERE).value == KEY
    assert again.find("openai", KeyOrigin.of("https://elsewhere.example"), is_known=True).value == ""
    again.forget("openai")
    assert backend.kept == {}


def test_only_a_keyring_that_locks_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring
    from keyring.errors import NoKeyringError

    def backend(module: str, **attributes: object) -> object:
        return type("Keyring", (), {"__module__": module, **attributes})()

    real = backend("keyring.backends.SecretService")
    plain = backend("keyrings.alt.file")
    chosen = real
    monkeypatch.setattr(keyring, "get_keyring", lambda: chosen)
    assert system_keyring() is real
    chosen = backend("keyring.backends.chainer", backends=[plain, real])
    assert system_keyring() is real
    for module in (
        "keyrings.alt.file",
        "keyring.backends.null",
        "keyring.backends.fail",
        "keyring.backends.SecretServiceX",
    ):
        chosen = backend(module)
        with pytest.raises(NoKeyringError):
            system_keyring()
    chosen = backend("keyring.backends.chainer", backends=[plain])
    with pytest.raises(NoKeyringError):
        system_keyring()
