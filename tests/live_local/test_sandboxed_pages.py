"""Pages of models in a real Chromium: whatever they try, nothing leaves; and without what holds them, nearly all of it
does."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from chatdesk.core.attachments.sandboxed_pages import SandboxedPages
from tests.helpers.chromium import chromium_page, find_chromium
from tests.helpers.leaking_pages import aimed, canary, leaking_pages

pytestmark = pytest.mark.skipif(find_chromium() is None, reason="Chromium is not installed")

_ALL = leaking_pages()
# Pages that reach no canary here even where nothing holds them: Chromium refuses them by itself, or wants a click.
_SILENT = {"drawing used", "name looked up for links", "report of the policy", "subtitles", "window"}
_HOSTS = {name: f"way{number}.localhost" for number, name in enumerate(_ALL)}
_LONG_ENOUGH_S = 0.7  # for what a page does after it has loaded; the pages without a policy show that it is


@contextmanager
def served_as_they_are() -> Iterator[tuple[dict[str, str], str]]:
    """Serve pages under no policy: put them into the mapping, by path."""
    pages: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path, "").encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield pages, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def looked_up(log: Path) -> set[str]:
    """Return the names that a browser looked up or spoke to, by the log of its network."""
    return set(re.findall(r"way\d+\.localhost", log.read_text("utf-8", "replace")))


@pytest.mark.timeout(600)
def test_no_page_sends_anything_out(tmp_path: Path) -> None:
    log, pages = tmp_path / "network.json", SandboxedPages()
    with canary() as ear:
        with chromium_page(names="EXCLUDE *.localhost", log=log) as page:
            for name, written in _ALL.items():
                sent = aimed(written, f"{_HOSTS[name]}:{ear.tcp_port}", udp_port=ear.udp_port)
                address = asyncio.run(pages.serve(sent))
                page.open(address)
                if name.startswith("click"):
                    page.click(300, 300)
                page.listen(_LONG_ENOUGH_S)
                assert ear.heard == [], name
                assert page.run("document.querySelector('iframe').getAttribute('sandbox')") == "allow-scripts"
        pages.close()
        assert ear.heard == []
    assert looked_up(log) == set()
    assert len(_ALL) >= 80


@pytest.mark.timeout(600)
def test_the_same_pages_send_something_where_nothing_holds_them(tmp_path: Path) -> None:
    """Else the test above would hear nothing because it cannot hear."""
    log = tmp_path / "network.json"
    with canary() as ear, served_as_they_are() as (pages, origin):
        with chromium_page(names="EXCLUDE *.localhost", log=log) as page:
            for number, (name, written) in enumerate(_ALL.items()):
                pages[f"/{number}"] = aimed(written, f"{_HOSTS[name]}:{ear.tcp_port}", udp_port=ear.udp_port)
                page.open(f"{origin}/{number}")
                if name.startswith("click"):
                    page.click(300, 300)
                page.listen(_LONG_ENOUGH_S)
        datagrams = [each for each in ear.heard if each[:2] == b"\x00\x01"]
    names = looked_up(log)
    spoke = {name for name in _ALL if _HOSTS[name] in names} | ({"calls"} if datagrams else set())
    assert set(_ALL) - spoke == _SILENT
