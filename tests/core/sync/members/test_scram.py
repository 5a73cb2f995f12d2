"""Verifiers of passwords, against the standard's own example and a real server."""

from __future__ import annotations

import base64

import pytest

from chatdesk.core.sync.members.scram import verifier_of

# RFC 7677, section 3: user "user", password "pencil".
SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")


def test_the_keys_are_those_of_the_standards_example() -> None:
    """The example's client proof and server signature follow from these two keys."""
    import hashlib
    import hmac

    verifier = verifier_of("pencil", salt=SALT, iterations=4096)
    stored, server = (base64.b64decode(each) for each in verifier.split("$")[2].split(":"))
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    message = (f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}").encode()
    signature = hmac.new(server, message, hashlib.sha256).digest()
    assert base64.b64encode(signature) == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    client = hmac.new(stored, message, hashlib.sha256).digest()
    client_key = bytes(one ^ other for one, other in zip(proof, client, strict=True))
    assert hashlib.sha256(client_key).digest() == stored


def test_each_verifier_has_its_own_salt_and_fits_its_password_only() -> None:
    first, second = verifier_of("a password"), verifier_of("a password")
    assert first != second
    salt = base64.b64decode(first.split("$")[1].split(":")[1])
    assert verifier_of("a password", salt=salt) == first
    assert verifier_of("another", salt=salt) != first


@pytest.mark.parametrize("password", ["", "pässword", "a\tb", "a\x00b"])
def test_passwords_that_a_server_might_prepare_otherwise_are_refused(password: str) -> None:
    with pytest.raises(ValueError, match="ASCII"):
        verifier_of(password)
