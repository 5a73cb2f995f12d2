"""What is fetched goes through the proxy that the system names, and a proxy in the way is named."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatdesk.core.fetching.guarded_fetch import Ask, FetchFailed, FetchRules, GuardedFetcher
from tests.helpers.certificates import Authority
from tests.helpers.site import Site, as_open, sent

_RULES = FetchRules(1024 * 1024, stays=False)
_PAGE = "http://words.example/a?b=1"
_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_resolve = socket.getaddrinfo


def _resolved(host: str, *arguments: Any, **more: Any) -> Any:
    """Know only what is an address, and one name of the own network."""
    if host == "router.example":
        return _resolve("192.168.1.1", *arguments, **more)
    if not host[:1].isdigit():
        raise socket.gaierror(socket.EAI_NONAME, "unknown")
    return _resolve(host, *arguments, **more)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    made = Site()
    for name in _NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", _resolved)
    monkeypatch.setenv("HTTP_PROXY", made.url("").replace("//", "//zoe7:hidden3@"))
    yield made
    made.close()


def _fetch(url: str) -> bytes:
    return GuardedFetcher(scope_of=as_open).fetch(Ask(url), _RULES).body


def test_a_page_comes_through_the_proxy(proxy: Site) -> None:
    proxy.answers[_PAGE] = sent(b"words", "text/plain")
    assert _fetch(_PAGE) == b"words"
    (headers,) = proxy.headers
    assert headers["Host"] == "words.example"
    assert base64.b64decode(headers["Proxy-Authorization"].removeprefix("Basic ")) == b"zoe7:hidden3"


@pytest.mark.parametrize("url", ["http://router.example/", "http://printer/", "http://db.internal/"])
def test_a_proxy_opens_nothing_of_the_own_network(proxy: Site, url: str) -> None:
    with pytest.raises(FetchFailed):
        _fetch(url)
    assert proxy.asked == []


def test_a_secure_page_comes_through_a_tunnel(proxy: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority, heads = Authority(tmp_path), []

    def serve(listening: socket.socket) -> None:
        plain, _ = listening.accept()
        heads.append(plain.recv(4096))
        plain.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with authority.server("words.example").wrap_socket(plain, server_side=True) as secure:
            heads.append(secure.recv(4096))
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwords")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{listening.getsockname()[1]}")
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
        assert _fetch("https://words.example/a") == b"words"
        thread.join()
    assert heads[0].startswith(b"CONNECT words.example:443 HTTP/1.1\r\n") and heads[1].startswith(b"GET /a HTTP/1.1")


def test_this_computer_and_exceptions_are_reached_directly(proxy: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy.answers["/here"] = sent(b"here", "text/plain")
    assert _fetch(proxy.url("/here")) == b"here"
    monkeypatch.setenv("NO_PROXY", "words.example")
    with pytest.raises(FetchFailed, match=r"words\.example"):
        _fetch(_PAGE)
    assert proxy.asked == ["/here"]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("socks5://zoe7:hidden3@127.0.0.1:9", "cannot be used: HTTPS_PROXY=socks5://127.0.0.1:9"),
        ("http://zoe7:hidden3@127.0.0.1:9", "could not be reached: HTTPS_PROXY=http://127.0.0.1:9"),
        ("", r"let nothing through \(501\): HTTPS_PROXY="),
    ],
)
def test_a_proxy_in_the_way_is_named_without_its_password(
    proxy: Site, monkeypatch: pytest.MonkeyPatch, address: str, words: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address or proxy.url("").replace("//", "//zoe7:hidden3@"))
    with pytest.raises(FetchFailed, match=words) as caught:
        _fetch("https://words.example/")
    assert "hidden3" not in str(caught.value)


def test_a_proxy_that_wants_a_password_says_so(proxy: Site) -> None:
    proxy.answers[_PAGE] = sent(b"", "text/plain", status=407)
    with pytest.raises(FetchFailed, match="user name and a password"):
        _fetch(_PAGE)
