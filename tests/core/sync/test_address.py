"""Addresses of servers, as people paste them."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from chatdesk.core.domain.sharing.team import ServerAddress
from chatdesk.core.sync.address import AddressUnusable, checked_address, is_private, read_address

GOOD = ServerAddress(host="db.example.org", port=5432, database="team", user="ana")


@pytest.mark.parametrize(
    ("text", "address", "password"),
    [
        ("postgresql://ana:s3cret@db.example.org/team", GOOD, "s3cret"),
        ("  postgres://ana@db.example.org:6000/team  ", replace(GOOD, port=6000), ""),
        ("psql 'postgresql://ana:a%40b%2Fc@db.example.org/team?sslmode=require'", GOOD, "a@b/c"),
        ("postgresql://ana@[::1]:5555/my%20team", replace(GOOD, host="::1", port=5555, database="my team"), ""),
        ("postgresql://ana@127.0.0.1/team?sslmode=disable", replace(GOOD, host="127.0.0.1", tls="disable"), ""),
    ],
)
def test_connection_strings_are_read(text: str, address: ServerAddress, password: str) -> None:
    assert read_address(text) == (address, password)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not the address"),
        ("x" * 5000, "not the address"),
        ("https://db.example.org/team", "not the address"),
        ("mysql://a@b/c", "not the address"),
        ("postgresql://ana@db.example.org:port/team", "not the address"),
        ("postgresql://ana@db.example.org:0x/team", "not the address"),
        ("postgresql://ana@[::1/team", "not the address"),
        ("postgresql:///team", "name nor the IP address of a server"),
        ("postgresql://ana@%2Fvar%2Frun/team", "name nor the IP address of a server"),
        ("postgresql://ana@db.example.org", "name of the database"),
        ("postgresql://ana@db.example.org/a%00b", "name of the database"),
        ("postgresql://db.example.org/team", "name of the login"),
        ("postgresql://%ff@db.example.org/team", "not the address"),
    ],
)
def test_invalid_addresses_are_told_apart(text: str, words: str) -> None:
    with pytest.raises(AddressUnusable, match=words):
        read_address(text)


def test_fields_that_were_typed_are_checked_as_well() -> None:
    assert checked_address(GOOD) == GOOD
    with pytest.raises(AddressUnusable, match="port is a number"):
        checked_address(replace(GOOD, port=0))
    with pytest.raises(AddressUnusable, match="encryption"):
        checked_address(replace(GOOD, tls="prefer"))


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        (["127.0.0.1"], True),
        (["::1"], True),
        (["192.168.1.5", "fe80::1%eth0"], True),
        (["100.100.1.1"], True),
        (["8.8.8.8"], False),
        (["10.0.0.1", "8.8.8.8"], False),
        ([], False),
    ],
)
def test_networks_of_ones_own_are_known(numbers: list[str], expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: [(0, 0, 0, "", (each, 0)) for each in numbers])
    assert is_private("db.example.org", 5432) is expected


def test_an_unknown_name_is_not_private() -> None:
    assert not is_private("nobody.invalid", 5432)
