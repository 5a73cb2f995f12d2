"""Fetching an image: one request, to the host that was named, with limits on everything."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chatdesk.core.attachments import remote_image
from chatdesk.core.attachments.remote_image import ImageElsewhere, ImageNotLoaded, fetch_image

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100
Answer = Callable[[BaseHTTPRequestHandler], None]


class Site:
    """A server on loopback; ``answers`` by path, ``asked`` in order."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                site.headers.append(dict(self.headers.items()))
                site.answers[self.path](self)

            def log_message(self, *_arguments: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server.server_port}{path}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


def image(body: bytes = PNG, kind: str = "image/png", status: int = 200, length: int | None = None) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def redirect(target: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", target)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


def test_an_image_is_fetched_by_one_plain_request(site: Site) -> None:
    site.answers["/a%20b.png?q=1"] = image()
    assert fetch_image(site.url("/a%20b.png?q=1")) == PNG
    assert site.asked == ["/a%20b.png?q=1"]
    assert not {"Cookie", "Referer", "Authorization"} & site.headers[0].keys()


def test_localhost_may_be_spelt(site: Site) -> None:
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
    with pytest.raises(ImageNotLoaded, match="circles"):
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
def test_what_is_no_whole_small_image_is_refused(site: Site, answer: Answer) -> None:
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


def test_a_dripping_image_ends_at_the_deadline(site: Site) -> None:
    site.answers["/a"] = image()
    times = iter([0.0, 1e9])
    with pytest.raises(ImageNotLoaded, match="in time"):
        fetch_image(site.url("/a"), now=lambda: next(times))


@pytest.mark.parametrize(
    "url", ["", "file:///etc/passwd", "javascript:1", "http://", "http://a:99999/", "http://a b/", "//example.org/a"]
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ImageNotLoaded):
        fetch_image(url)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "::1", "fe80::1%eth0"])
def test_a_name_may_not_lead_into_a_private_network(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    def resolve(*_arguments: object, **_more: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(ImageNotLoaded, match="private"):
        fetch_image("http://innocent.test/a.png")


def test_a_host_that_cannot_be_found_is_told() -> None:
    with pytest.raises(ImageNotLoaded, match=r"nowhere\.test"):
        fetch_image("https://nowhere.test/a.png")


def test_secure_connections_check_the_name(site: Site) -> None:
    with pytest.raises(ImageNotLoaded):
        fetch_image(site.url("/a").replace("http:", "https:"))
    assert site.asked == []
