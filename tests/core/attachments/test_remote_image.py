"""Fetching an image: one request, to the host that was named, with limits on everything."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from chatdesk.core.attachments import remote_image
from chatdesk.core.attachments.remote_image import (
    ImageElsewhere,
    ImageFetcher,
    ImageInOwnNetwork,
    ImageNotLoaded,
)
from chatdesk.core.fetching.addresses import AddressScope, address_scope
from tests.helpers.site import Answer, Site, as_open, redirect, sent

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100


def image(body: bytes = PNG, kind: str = "image/png", status: int = 200, length: int | None = None) -> Answer:
    return sent(body, kind, status=status, length=length)


def fetch_image(url: str, *, timeout_s: float = 30.0) -> bytes:
    return ImageFetcher(timeout_s=timeout_s, scope_of=as_open).fetch(url)


def test_an_image_is_fetched_by_one_plain_request(site: Site) -> None:
    site.answers["/a%20b.png?q=1"] = image()
    assert fetch_image(site.url("/a%20b.png?q=1")) == PNG
    assert site.asked == ["/a%20b.png?q=1"]
    assert not {"Cookie", "Referer", "Authorization"} & site.headers[0].keys()


@pytest.mark.parametrize("found", [["127.0.0.1"], ["::1", "127.0.0.1"], ["127.0.0.1", "::1"]])
def test_a_name_is_looked_up_and_its_first_address_that_answers_is_used(
    site: Site, found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = socket.getaddrinfo

    def look_up(host: str, *rest: Any, **more: Any) -> list[Any]:
        return [each for name in (found if host == "localhost" else [host]) for each in looked_up(name, *rest, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    site.answers["/"] = image()
    assert fetch_image(site.url("", "localhost")) == PNG


def test_a_redirect_on_the_same_host_is_followed(site: Site) -> None:
    site.answers["/a"] = redirect("/b")
    site.answers["/b"] = image()
    assert fetch_image(site.url("/a")) == PNG


def test_another_host_is_named_and_not_asked(site: Site) -> None:
    site.answers["/a"] = redirect(site.url("/b", "localhost"))
    with pytest.raises(ImageElsewhere) as caught:
        fetch_image(site.url("/a"))
    assert caught.value.host == "localhost"
    assert caught.value.url == site.url("/b", "localhost")
    assert site.asked == ["/a"]


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://x.test/a", "http://", ""])
def test_a_redirect_leads_nowhere_else(site: Site, target: str) -> None:
    site.answers["/a"] = redirect(target)
    with pytest.raises(ImageNotLoaded):
        fetch_image(site.url("/a"))


def test_circles_end(site: Site) -> None:
    site.answers["/a"] = redirect("/a")
    with pytest.raises(ImageNotLoaded, match="in a circle"):
        fetch_image(site.url("/a"))
    assert len(site.asked) <= 5


@pytest.mark.parametrize(
    "answer",
    [
        image(kind="text/html"),
        image(kind="image/svg+xml"),
        image(status=404),
        image(length=remote_image.MAX_IMAGE_BYTES + 1),
        image(length=len(PNG) + 5),
    ],
    ids=["page", "svg", "missing", "too large", "cut"],
)
def test_a_partial_or_large_image_is_refused(site: Site, answer: Answer) -> None:
    site.answers["/a"] = answer
    with pytest.raises(ImageNotLoaded):
        fetch_image(site.url("/a"))


def test_an_image_that_never_says_its_size_is_cut_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_image, "MAX_IMAGE_BYTES", 1000)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "image/png")
        handler.end_headers()
        handler.wfile.write(b"x" * 5000)

    site.answers["/a"] = answer
    with pytest.raises(ImageNotLoaded):
        fetch_image(site.url("/a"))


def _drip_body(handler: BaseHTTPRequestHandler, gone: threading.Event) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "image/png")
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while not gone.wait(0.02):
        handler.wfile.write(b"x")


def _drip_headers(handler: BaseHTTPRequestHandler, gone: threading.Event) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not gone.wait(0.02):
        handler.wfile.write(b"X-Line: y\r\n"[:5])


def _continue_for_ever(handler: BaseHTTPRequestHandler, gone: threading.Event) -> None:
    while not gone.wait(0.02):
        handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")


@pytest.mark.parametrize("drip", [_drip_body, _drip_headers, _continue_for_ever])
def test_the_deadline_is_absolute_and_the_connection_ends_with_it(
    site: Site, drip: Callable[[BaseHTTPRequestHandler, threading.Event], None]
) -> None:
    gone, ended = threading.Event(), threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.log_error = lambda *_words: None  # type: ignore[method-assign]
        try:
            drip(handler, gone)
        except OSError:
            ended.set()

    site.answers["/a"] = answer
    began = time.monotonic()
    with pytest.raises(ImageNotLoaded, match="in time"):
        fetch_image(site.url("/a"), timeout_s=0.3)
    assert time.monotonic() - began < 30
    assert ended.wait(30)
    gone.set()


def test_an_endless_name_lookup_blocks_no_other_request(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = threading.Event()

    def resolve(*_arguments: object, **_more: object) -> list[Any]:
        gone.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(ImageNotLoaded, match="in time"):
        fetch_image("http://slow.test/a.png", timeout_s=0.1)
    gone.set()


def test_closing_gives_up_what_is_under_way_and_begins_nothing(site: Site) -> None:
    asked, gone = threading.Event(), threading.Event()

    def answer(_handler: BaseHTTPRequestHandler) -> None:
        asked.set()
        gone.wait(30)

    site.answers["/a"] = answer
    fetcher = ImageFetcher(scope_of=as_open)
    failures: list[Exception] = []

    def fetch() -> None:
        try:
            fetcher.fetch(site.url("/a"))
        except ImageNotLoaded as error:
            failures.append(error)

    thread = threading.Thread(target=fetch)
    thread.start()
    assert asked.wait(30)
    fetcher.close()
    thread.join(8)
    assert not thread.is_alive()
    assert len(failures) == 1
    with pytest.raises(ImageNotLoaded):
        fetcher.fetch(site.url("/a"))
    gone.set()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "198.18.0.1",
        "[::1]",
        "[::]",
        "[::127.0.0.1]",
        "[::8.8.8.8]",
        "[::ffff:127.0.0.1]",
        "[::ffff:8.8.8.8]",
        "[::ffff:0:8.8.8.8]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::c0a8:101]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[2002:808:808::]",
        "[2001:0:1:2::]",
        "[fe80::1]",
        "[ff02::1]",
    ],
)
def test_this_computer_and_services_for_machines_are_refused_also_when_agreed(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "create_connection", _no_connection)
    for is_agreed in (False, True):
        with pytest.raises(ImageNotLoaded, match="nothing is loaded from there"):
            ImageFetcher().fetch(f"http://{host}/a.png", is_agreed=is_agreed)


def _no_connection(*_arguments: object) -> None:
    raise AssertionError("connected")


@pytest.mark.parametrize("host", ["10.0.0.1", "172.16.3.4", "192.168.1.1", "100.64.0.1", "[fd00::1]", "[fec0::1]"])
def test_the_readers_own_network_is_asked_about_once_more(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[object] = []

    def connect(address: tuple[str, int], _timeout_s: float) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    url = f"http://{host}/a.png?reboot"
    with pytest.raises(ImageInOwnNetwork) as caught:
        ImageFetcher().fetch(url)
    assert (caught.value.url, caught.value.host) == (url, host.strip("[]"))
    assert connected == []
    with pytest.raises(ImageNotLoaded, match="did not give an answer"):
        ImageFetcher().fetch(url, is_agreed=True)
    assert connected == [(host.strip("[]"), 80)]


@pytest.mark.parametrize("host", ["10.0.0.1", "127.0.0.2", "[::ffff:127.0.0.1]"])
def test_a_redirect_to_an_address_is_asked_about_and_checked_again(site: Site, host: str) -> None:
    site.answers["/a"] = redirect(f"http://{host}/b")
    with pytest.raises(ImageElsewhere) as caught:
        fetch_image(site.url("/a"))
    with pytest.raises(ImageNotLoaded, match=r"own network|nothing is loaded from there"):
        fetch_image(caught.value.url)


def test_a_redirect_behind_a_users_name_is_refused(site: Site) -> None:
    site.answers["/a"] = redirect("https://good.com@evil.test/")
    with pytest.raises(ImageNotLoaded, match="Nothing can be loaded from"):
        fetch_image(site.url("/a"))


def test_networks_that_translate_reach_the_open_network() -> None:
    assert address_scope("64:ff9b::808:808") is AddressScope.OPEN
    assert address_scope("8.8.8.8") is address_scope("2606:4700::1111") is AddressScope.OPEN


@pytest.mark.parametrize(
    "url", ["", "file:///etc/passwd", "javascript:1", "http://", "http://a:99999/", "http://a b/", "//example.org/a"]
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ImageNotLoaded):
        fetch_image(url)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "::1", "fe80::1%eth0", "64:ff9b::7f00:1"]
)
def test_a_name_may_not_lead_into_a_private_network(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    def resolve(*_arguments: object, **_more: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    for is_agreed in (False, True):
        with pytest.raises(ImageNotLoaded, match="private"):
            ImageFetcher().fetch("http://innocent.test/a.png", is_agreed=is_agreed)


@pytest.mark.parametrize("host", ["localhost", "127.1", "0x7f.1", "2130706433", "0"])
def test_other_spellings_of_this_computer_lead_nowhere(host: str) -> None:
    with pytest.raises(ImageNotLoaded, match=r"private|answer"):
        ImageFetcher().fetch(f"http://{host}:1/a.png")


def test_a_host_that_cannot_be_found_is_told() -> None:
    with pytest.raises(ImageNotLoaded, match=r"nowhere\.test"):
        fetch_image("https://nowhere.test/a.png")


def test_secure_connections_check_the_name(site: Site) -> None:
    with pytest.raises(ImageNotLoaded):
        fetch_image(site.url("/a").replace("http:", "https:"))
    assert site.asked == []
