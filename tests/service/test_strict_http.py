"""The strict reader of HTTP, and what it writes."""

from __future__ import annotations

import h11
import pytest

from chatdesk.service.strict_http import StrictConnection


def asked(method: bytes = b"GET") -> StrictConnection:
    connection = StrictConnection(h11.SERVER)
    connection.receive_data(method + b" / HTTP/1.1\r\nHost: here\r\n\r\n")
    connection.next_event()
    connection.next_event()
    return connection


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_the_head_of_an_answer_goes_out_with_what_follows(method: bytes) -> None:
    connection = asked(method)
    body = b"five!" if method == b"GET" else b""
    assert connection.send(h11.Response(status_code=200, headers=[("Content-Length", "5")])) == b""
    first = connection.send(h11.Data(data=body))
    assert first is not None
    head, _, rest = first.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert rest == body
    assert connection.send(h11.EndOfMessage()) == b""


def test_the_head_of_an_answer_without_a_length_goes_out_at_once() -> None:
    connection = asked()
    head = connection.send(h11.Response(status_code=200, headers=[]))
    assert head is not None
    assert head.startswith(b"HTTP/1.1 200")
    assert connection.send(h11.Data(data=b"x")) == b"1\r\nx\r\n"


def test_the_second_answer_of_a_connection_has_its_own_head() -> None:
    connection = asked()
    for number in (b"1", b"2"):
        connection.send(h11.Response(status_code=200, headers=[("Content-Length", "1")]))
        sent = connection.send(h11.Data(data=number))
        connection.send(h11.EndOfMessage())
        assert sent is not None
        assert sent.count(b"HTTP/1.1") == 1
        assert sent.endswith(number)
        connection.start_next_cycle()
        connection.receive_data(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        connection.next_event()
        connection.next_event()
