"""The server of one page: who gets it, how often and for how long."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from chatdesk.core.attachments.sandboxed_pages import SandboxedPages
from chatdesk.core.errors import InvalidInput
from tests.helpers.waiting import wait_until

PAGE = "<h1>A page</h1>"


@pytest.fixture
async def pages() -> AsyncIterator[SandboxedPages]:
    made = SandboxedPages()
    yield made
    made.close()


def get(address: str, *, method: str = "GET", **headers: str) -> tuple[int, str, http.client.HTTPMessage]:
    """Return status, body and headers; a header without a value is left out."""
    split = urlsplit(address)
    connection = http.client.HTTPConnection("127.0.0.1", split.port or 0, timeout=10)
    connection.putrequest(method, split.path, skip_host=True, skip_accept_encoding=True)
    sent = {"Host": split.netloc, **{name.replace("_", "-"): value for name, value in headers.items()}}
    for name, value in sent.items():
        if value:
            connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), answer.headers
    connection.close()
    return found


def inner_of(address: str, body: str) -> str:
    """Return the address of the page in the frame."""
    found = re.search(r'<iframe [^>]*src="([^"]+)"', body)
    assert found is not None
    return address.rpartition("/")[0] + found[1]


def is_gone(address: str) -> bool:
    try:
        socket.create_connection(("127.0.0.1", urlsplit(address).port or 0), timeout=5).close()
    except OSError:
        return True
    return False


async def test_a_page_is_read_once_and_its_server_ends(pages: SandboxedPages) -> None:
    address = await pages.serve(PAGE, "Draft")
    status, body, headers = get(address)
    assert status == 200 and "<title>Draft</title>" in body and PAGE not in body
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer" and headers["Server"].strip() == "ChatDesk"
    assert get(address)[0] == 404, "once"
    inner = inner_of(address, body)
    status, body, headers = get(inner)
    assert status == 200 and body.endswith(PAGE)
    assert headers["Content-Security-Policy"].startswith("sandbox allow-scripts; default-src 'none'")
    wait_until(lambda: is_gone(address))


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": ""},
        {"Host": "localhost"},
        {"Host": "evil.test"},
        {"Host": "127.0.0.1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Dest": "iframe"},
        {"Sec_Fetch_Dest": "script"},
    ],
)
async def test_who_asks_for_another_host_or_from_another_page_gets_nothing(
    pages: SandboxedPages, headers: dict[str, str]
) -> None:
    address = await pages.serve(PAGE)
    status, body, _ = get(address, **headers)
    assert status >= 400 and PAGE not in body and "iframe" not in body
    assert get(address, Sec_Fetch_Site="none", Sec_Fetch_Dest="document")[0] == 200, "it was not used up"


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/..", "/%2e%2e/", "//"])
async def test_there_is_nothing_else_to_be_had(pages: SandboxedPages, path: str) -> None:
    address = await pages.serve(PAGE)
    assert get(address.rpartition("/")[0] + path)[0] == 404
    assert get(address, method="POST")[0] == 501
    assert get(address)[0] == 200


async def test_other_computers_cannot_connect(pages: SandboxedPages) -> None:
    address = await pages.serve(PAGE)
    assert urlsplit(address).hostname == "127.0.0.1"
    assert len(urlsplit(address).path) > 40
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", urlsplit(address).port or 0), timeout=5)


async def test_an_unread_page_is_removed_after_its_time() -> None:
    pages = SandboxedPages(life_s=0.05)
    address = await pages.serve(PAGE)
    wait_until(lambda: is_gone(address))
    pages.close()


async def test_the_end_of_chatdesk_ends_all(pages: SandboxedPages) -> None:
    addresses = [await pages.serve(PAGE) for _ in range(3)]
    pages.close()
    for address in addresses:
        wait_until(lambda address=address: is_gone(address))


async def test_the_oldest_make_room(pages: SandboxedPages) -> None:
    addresses = [await pages.serve(PAGE) for _ in range(10)]
    wait_until(lambda: is_gone(addresses[0]) and is_gone(addresses[1]))
    assert not any(map(is_gone, addresses[2:]))


async def test_idle_connections_block_no_other_request(pages: SandboxedPages) -> None:
    address = await pages.serve(PAGE)
    idle = [socket.create_connection(("127.0.0.1", urlsplit(address).port or 0)) for _ in range(10)]
    assert get(address)[0] == 200
    for each in idle:
        each.close()


async def test_an_empty_page_is_refused(pages: SandboxedPages) -> None:
    with pytest.raises(InvalidInput):
        await pages.serve(" ")
