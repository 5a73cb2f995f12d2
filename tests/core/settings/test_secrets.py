from __future__ import annotations

import threading

import pytest

from chatdesk.core.settings.secrets import SecretNotKept, SecretSource, SecretStore

KEY = "sk-test-0123456789"


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
    backend: object, environ: dict[str, str] | None = None, seen: list[str] | None = None, timeout_s: float = 5.0
) -> SecretStore:
    register = (seen if seen is not None else []).append
    return SecretStore(register=register, environ=environ or {}, timeout_s=timeout_s, load_backend=lambda: backend)  # type: ignore[arg-type,return-value]


def test_the_environment_wins_over_the_keyring() -> None:
    backend, seen = FakeKeyring(), []
    backend.kept["chatdesk", "openai"] = "other"
    secret = _store(backend, {"OPENAI_API_KEY": f" {KEY}\n"}, seen).find("openai")
    assert (secret.value, secret.source) == (KEY, SecretSource.ENVIRONMENT)
    assert seen == [KEY]
    assert KEY not in repr(secret)


def test_a_kept_key_is_found_and_forgotten() -> None:
    store, seen = _store(FakeKeyring()), []
    store.keep("openai", KEY)
    assert store.find("openai").source is SecretSource.KEYRING
    store.forget("openai")
    assert store.find("openai").source is SecretSource.NONE
    store.forget("openai")
    assert seen == []


def test_a_key_that_cannot_be_kept_holds_for_this_run_only() -> None:
    store = _store(FakeKeyring(KeyringLocked(KEY)))
    with pytest.raises(SecretNotKept) as caught:
        store.keep("openai", KEY)
    assert KEY not in caught.value.sentence
    assert caught.value.__cause__ is None
    assert store.find("openai").source is SecretSource.THIS_RUN


@pytest.mark.parametrize(
    ("error", "words"),
    [(NoKeyringError("x"), "no keyring"), (KeyringLocked("x"), "locked"), (OSError("D-Bus"), "OSError")],
)
def test_a_keyring_that_fails_is_described_and_never_raises(error: Exception, words: str) -> None:
    store = _store(FakeKeyring(error))
    secret = store.find("openai")
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

    store = _store(Hanging(), timeout_s=0.05)
    try:
        assert "did not answer" in store.find("openai").problem
        assert not store.state().is_usable
    finally:
        release.set()


def test_a_working_keyring_is_named() -> None:
    state = _store(FakeKeyring()).state()
    assert state.is_usable
    assert state.detail == "FakeKeyring"


def test_the_system_keyring_is_asked_by_default() -> None:
    assert "no keyring" in SecretStore(register=lambda _value: None, environ={}).find("openai").problem
