"""The guard that everything fetched goes through: where it may go, and how much may come."""

from __future__ import annotations

import gzip
import socket
import zlib
from typing import Any

import pytest

from chatdesk.core.fetching.addresses import any_scope
from chatdesk.core.fetching.guarded_fetch import (
    Ask,
    Fetched,
    FetchFailed,
    FetchRules,
    GuardedFetcher,
    PlaceElsewhere,
    RefusedByServer,
)
from tests.helpers.site import Site, as_open, endless, redirect, sent

RULES = FetchRules(1024 * 1024, stays=False, may_be_packed=True)


def fetch(url: str, rules: FetchRules = RULES, **more: Any) -> Fetched:
    return GuardedFetcher(scope_of=as_open).fetch(Ask(url, **more), rules)


def test_what_came_is_described(site: Site) -> None:
    site.answers["/a"] = redirect("/b?c=1")
    site.answers["/b"] = sent(b"<p>hi", "Text/HTML; Charset=ISO-8859-1")
    found = fetch(site.url("/a"))
    assert (found.url, found.mime, found.charset) == (site.url("/b?c=1"), "text/html", "iso-8859-1")
    assert found.body == b"<p>hi"


@pytest.mark.parametrize(
    ("packing", "body"),
    [("gzip", gzip.compress(b"words", mtime=0)), ("deflate", zlib.compress(b"words")), ("identity", b"words")],
)
def test_a_packed_body_is_unpacked(site: Site, packing: str, body: bytes) -> None:
    site.answers["/"] = sent(body, "text/plain", Content_Encoding=packing)
    assert fetch(site.url("/")).body == b"words"
    assert site.headers[0]["Accept-Encoding"] == "gzip, deflate"


def test_a_bomb_is_cut_off_before_it_unfolds(site: Site) -> None:
    site.answers["/"] = sent(gzip.compress(b"\0" * 50_000_000, 1, mtime=0), "text/html", Content_Encoding="gzip")
    with pytest.raises(FetchFailed, match="larger than 1 MB"):
        fetch(site.url("/"))


@pytest.mark.parametrize(
    ("packing", "body"),
    [("br", b"x"), ("gzip, gzip", b"x"), ("gzip", gzip.compress(b"words", mtime=0)[:-9]), ("gzip", b"plain")],
)
def test_a_body_that_cannot_be_unpacked_is_refused(site: Site, packing: str, body: bytes) -> None:
    site.answers["/"] = sent(body, "text/plain", Content_Encoding=packing)
    with pytest.raises(FetchFailed):
        fetch(site.url("/"))


@pytest.mark.parametrize("piece", [b"x" * 65_536, b"<p>more</p>" * 100])
def test_an_endless_body_is_cut_off(site: Site, piece: bytes) -> None:
    site.answers["/"] = endless("text/html", piece)
    with pytest.raises(FetchFailed, match="larger than 1 MB"):
        fetch(site.url("/"))


def test_a_body_that_says_it_is_large_is_not_read(site: Site) -> None:
    site.answers["/"] = sent(b"x", "text/html", length=20 * 1024 * 1024)
    with pytest.raises(FetchFailed, match="larger than 1 MB"):
        fetch(site.url("/"))


@pytest.mark.parametrize("host", ["10.0.0.1", "127.0.0.2", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]"])
def test_a_redirect_into_a_private_network_is_refused(site: Site, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    site.answers["/"] = redirect(f"http://{host}/secret")
    real, asked = socket.create_connection, []

    def connect(address: tuple[str, int], timeout_s: float) -> socket.socket:
        asked.append(address[0])
        return real(address, timeout_s)

    monkeypatch.setattr(socket, "create_connection", connect)
    fetcher = GuardedFetcher(scope_of=lambda address: as_open(address if address == "127.0.0.1" else "10.0.0.1"))
    with pytest.raises(FetchFailed, match="own network"):
        fetcher.fetch(Ask(site.url("/")), RULES)
    assert asked == ["127.0.0.1"]


def test_a_redirect_to_a_name_inside_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.answers["/"] = redirect("http://intranet.test/")

    real = socket.getaddrinfo

    def resolve(host: str, *arguments: Any, **more: Any) -> Any:
        return real("10.0.0.1" if host == "intranet.test" else host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(FetchFailed, match="private network"):
        fetch(site.url("/"))


def test_a_name_is_looked_up_once_and_that_address_is_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of names that answers with another address the second time gains nothing."""
    site.answers["/"] = sent(b"ok", "text/plain")
    real = socket.getaddrinfo
    names: list[str] = []

    def resolve(host: str, port: int, *arguments: Any, **more: Any) -> Any:
        if host != "rebound.test":
            return real(host, port, *arguments, **more)
        names.append(host)
        address = "127.0.0.1" if len(names) == 1 else "10.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert fetch(site.url("/", "rebound.test")).body == b"ok"
    assert names == ["rebound.test"]


def test_other_hosts_are_followed_only_where_rules_say_so(site: Site) -> None:
    site.answers["/"] = redirect(site.url("/there", "localhost"))
    site.answers["/there"] = sent(b"ok", "text/plain")
    assert fetch(site.url("/")).url == site.url("/there", "localhost")
    with pytest.raises(PlaceElsewhere, match="localhost"):
        fetch(site.url("/"), FetchRules(1000))


def test_a_key_is_sent_once_and_never_onwards(site: Site) -> None:
    site.answers["/search"] = redirect("/elsewhere")
    site.answers["/elsewhere"] = sent(b"{}", "application/json")
    rules = FetchRules(1000, max_redirects=0)
    with pytest.raises(FetchFailed, match="redirects to another"):
        fetch(site.url("/search"), rules, headers={"X-Key": "sk-1"}, body=b'{"q": 1}')
    assert site.asked == ["/search"]
    assert (site.headers[0]["X-Key"], site.bodies[0]) == ("sk-1", b'{"q": 1}')


def test_schemes_are_those_of_the_rules(site: Site) -> None:
    site.answers["/"] = sent(b"ok", "text/plain")
    with pytest.raises(FetchFailed, match="Nothing can be loaded from"):
        fetch(site.url("/"), FetchRules(1000, schemes=("https",)))
    assert site.asked == []


def test_a_refusal_has_its_number(site: Site) -> None:
    with pytest.raises(RefusedByServer, match="the error 404") as caught:
        fetch(site.url("/none"))
    assert caught.value.status == 404


def test_a_server_that_the_person_named_may_be_on_this_computer(site: Site) -> None:
    site.answers["/"] = sent(b"ok", "text/plain")
    with pytest.raises(FetchFailed, match="this computer"):
        GuardedFetcher().fetch(Ask(site.url("/")), RULES)
    assert GuardedFetcher(scope_of=any_scope).fetch(Ask(site.url("/")), RULES).body == b"ok"
