"""Answers over HTTP in the forms that servers write them, and faults of answers: each costs its own request at most,
with a sentence of ChatDesk or of the server, and the request after it is answered in the same session."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chatdesk.core.clock import Clock
from chatdesk.core.domain.tools import ServerKind, ToolServer
from chatdesk.core.tools.host import offers
from chatdesk.core.tools.host.failures import HostFailure
from chatdesk.core.tools.host.http_transport import SESSION_ID
from chatdesk.core.tools.host.server_connection import Connection, SessionLost
from chatdesk.core.tools.host_client import ToolHost
from tests.helpers.threaded_server import in_thread

RESULTS: dict[str, dict[str, Any]] = {
    "tools/list": {"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]},
    "tools/call": {"content": [{"type": "text", "text": "grüße"}]},
    "prompts/list": {"prompts": [{"name": "review"}]},
    "prompts/get": {"messages": [{"role": "user", "content": {"type": "text", "text": "grüße"}}]},
    "resources/list": {"resources": [{"uri": "note://a", "name": "a"}]},
    "resources/read": {"contents": [{"uri": "note://a", "text": "grüße"}]},
}
OWN_WORDS = "No more space in the archive."
MALFORMED = "Its answer does not follow the protocol."
ENDED = "The connection ended before it answered."
ADDRESS = "Is its address right?"
LOST = "It no longer knows the session."


class _Reply:
    """What a server writes. ``short`` is how much more its length says than comes; a ``status`` of 0 is no answer."""

    def __init__(self, status: int = 200, body: object = b"", kind: str = "application/json", short: int = 0) -> None:
        self.status, self.kind, self.short = status, kind, short
        self.body = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()


def _events(*pieces: object) -> _Reply:
    written = [each if isinstance(each, bytes) else b"data: " + json.dumps(each).encode() + b"\n\n" for each in pieces]
    return _Reply(body=b"".join(written), kind="text/event-stream")


def _without(answer: dict[str, Any], name: str, **more: Any) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != name} | more


def _error(answer: dict[str, Any], error: object, **more: Any) -> dict[str, Any]:
    return _without(answer, "result", error=error, **more)


_NEWS = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x"}}
_UNKNOWN = {"code": -32001, "message": "Session not found"}
# What is written for a right answer, and what comes of it: the answer ("") or words.
FORMS: dict[str, tuple[Callable[[dict[str, Any]], _Reply], str]] = {
    "as it should be": (lambda right: _Reply(body=right), ""),
    "with a byte order mark": (lambda right: _Reply(body=b"\xef\xbb\xbf" + json.dumps(right).encode()), ""),
    "of no type": (lambda right: _Reply(body=right, kind=""), ""),
    "as text": (lambda right: _Reply(body=right, kind="text/plain"), ""),
    "in a list": (lambda right: _Reply(body=[_NEWS, right]), ""),
    "with an id as text": (lambda right: _Reply(body=right | {"id": str(right["id"])}), ""),
    "with another id": (lambda right: _Reply(body=right | {"id": 999}), ""),
    "with no id": (lambda right: _Reply(body=right | {"id": None}), ""),
    "without its version": (lambda right: _Reply(body=_without(right, "jsonrpc")), ""),
    "with an error of null": (lambda right: _Reply(body=right | {"error": None}), ""),
    "nothing": (lambda _right: _Reply(), MALFORMED),
    "nothing of no type": (lambda _right: _Reply(kind=""), ADDRESS),
    "accepted": (lambda _right: _Reply(202, kind=""), MALFORMED),
    "no content": (lambda _right: _Reply(204, kind=""), ADDRESS),
    "null": (lambda _right: _Reply(body=None), MALFORMED),
    "a page": (lambda _right: _Reply(body=b"<html>", kind="text/html"), ADDRESS),
    "a message that is no answer": (lambda _right: _Reply(body=_NEWS), MALFORMED),
    "a result of null": (lambda right: _Reply(body=right | {"result": None}), MALFORMED),
    "a result that is a list": (lambda right: _Reply(body=right | {"result": [1]}), MALFORMED),
    "an error": (lambda right: _Reply(body=_error(right, {"code": -1, "message": OWN_WORDS})), OWN_WORDS),
    "an error with a code of letters": (
        lambda right: _Reply(body=_error(right, {"code": "E_FULL", "message": OWN_WORDS})),
        OWN_WORDS,
    ),
    "an error of words": (lambda right: _Reply(body=_error(right, OWN_WORDS)), OWN_WORDS),
    "an error beside a result": (
        lambda right: _Reply(body=right | {"result": None, "error": {"code": -1, "message": OWN_WORDS}}),
        OWN_WORDS,
    ),
    "an error with a status": (lambda right: _Reply(500, _error(right, OWN_WORDS, id=None)), OWN_WORDS),
    "an error of a framework": (lambda _right: _Reply(500, {"error": OWN_WORDS}), OWN_WORDS),
    **{
        f"status {status}": (lambda _right, status=status: _Reply(status, kind=""), f"status {status}")  # type: ignore[misc]
        for status in (400, 401, 403, 429, 500, 503)
    },
    "a refused token": (lambda _right: _Reply(401, {"error": "invalid_token"}), "status 401"),
    "a lost session": (lambda _right: _Reply(404, {"jsonrpc": "2.0", "id": None, "error": _UNKNOWN}), LOST),
    "a lost session, no words": (lambda _right: _Reply(404, kind=""), LOST),
    "a lost session, gone": (lambda _right: _Reply(410, kind=""), LOST),
    "a lost session, as text": (lambda _right: _Reply(400, b"Invalid session ID", "text/plain"), LOST),
    "a lost session, as JSON": (lambda _right: _Reply(400, {"error": "Missing session ID"}), LOST),
    "a lost session, with success": (lambda right: _Reply(body=_error(right, _UNKNOWN)), LOST),
    "a lost session, as an event": (lambda right: _events(_error(right, _UNKNOWN)), LOST),
    "as an event": (lambda right: _events(b": hello\n\n", right), ""),
    "as an event with long line ends": (
        lambda right: _events(b"event: message\r\ndata: " + json.dumps(right).encode() + b"\r\n\r\n"),
        "",
    ),
    "as an event of several lines": (
        lambda right: _events(b"data: " + json.dumps(right, indent=1).replace("\n", "\ndata: ").encode() + b"\n\n"),
        "",
    ),
    "as a large event": (
        lambda right: _events(right | {"result": right["result"] | {"_meta": {"x": "y" * 2**21}}}),
        "",
    ),
    "in a list, as an event": (lambda right: _events([_NEWS, right]), ""),
    "after words": (lambda right: _events(b"data: ping\n\n", right), ""),
    "after news": (lambda right: _events(_NEWS, right), ""),
    "after news of nothing": (lambda right: _events({"jsonrpc": "2.0", "method": "notifications/x"}, right), ""),
    "after malformed news": (lambda right: _events(_NEWS | {"params": 7}, right), ""),
    "after another event": (lambda right: _events(b"event: endpoint\ndata: /x\n\n", right), ""),
    "no event": (lambda _right: _events(), ENDED),
    "a comment alone": (lambda _right: _events(b": hello\n\n"), ENDED),
    "half an event": (lambda right: _events(b"data: " + json.dumps(right).encode()[:20]), ENDED),
    "an event without its end": (lambda right: _events(b"data: " + json.dumps(right).encode()), ENDED),
    "a connection that ends": (lambda _right: _Reply(0), ENDED),
    "half an answer": (lambda right: _Reply(body=right, short=50), ENDED),
}


class _Server(ThreadingHTTPServer):
    """Answers the first request of the method ``at`` in a form, and all others rightly."""

    daemon_threads = True

    def __init__(self, form: str, at: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.form, self.at = FORMS[form][0], at
        self.is_over = False
        self.asked: list[str] = []
        self.session = ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/mcp"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._send(_Reply(405, kind=""))

    def do_DELETE(self) -> None:
        self._send(_Reply(kind=""))

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        method = asked.get("method", "")
        self.server.asked.append(method)
        right = {"jsonrpc": "2.0", "id": asked.get("id"), "result": RESULTS.get(method, {})}
        if "id" not in asked:
            self._send(_Reply(202, kind=""))
        elif method == "initialize":
            self.server.session = f"session-{len(self.server.asked)}"
            right["result"] = {
                "protocolVersion": asked["params"]["protocolVersion"],
                "capabilities": {"tools": {}, "prompts": {}, "resources": {}},
                "serverInfo": {"name": "forms", "version": "1"},
            }
            self._send(_Reply(body=right))
        elif self.headers.get(SESSION_ID) != self.server.session:
            self._send(_Reply(404, {"jsonrpc": "2.0", "id": None, "error": _UNKNOWN}))
        elif method == self.server.at and not self.server.is_over:
            self.server.is_over = True
            self._send(self.server.form(right))
        else:
            self._send(_Reply(body=right))

    def _send(self, reply: _Reply) -> None:
        if not reply.status:
            self.close_connection = True
            return
        self.send_response(reply.status)
        self.send_header(SESSION_ID, self.server.session)
        if reply.kind:
            self.send_header("Content-Type", reply.kind)
        if reply.kind == "text/event-stream" or reply.short:
            self.send_header("Connection", "close")
        if reply.kind != "text/event-stream":
            self.send_header("Content-Length", str(len(reply.body) + reply.short))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def _serving(form: str, at: str) -> Iterator[_Server]:
    with in_thread(_Server(form, at)) as server:
        yield server


async def _nobody(_kind: str, _values: tuple[Any, ...]) -> tuple[str, Any]:
    return "decline", None


# Each request that a connection makes, by its method.
REQUESTS: dict[str, Callable[[Connection], Awaitable[Any]]] = {
    "tools/list": lambda connection: connection.tools(),
    "tools/call": lambda connection: connection.call("echo", "{}", 60, lambda *_said: None, _nobody),
    "prompts/list": lambda connection: connection.listed("prompts", offers.asked("prompts", ())),
    "prompts/get": lambda connection: connection.ask(offers.asked("prompt", ("review", "{}"))),
    "resources/list": lambda connection: connection.listed("resources", offers.asked("resources", ())),
    "resources/read": lambda connection: connection.ask(offers.asked("resource", ("note://a",))),
}


async def _outcome(request: Awaitable[Any]) -> tuple[HostFailure | None, Any]:
    try:
        return None, await request
    except HostFailure as failure:
        return failure, None


@pytest.mark.parametrize("form", FORMS)
async def test_an_answer_is_read_in_any_form_and_its_fault_costs_no_other(form: str) -> None:
    words = FORMS[form][1]
    for method, request in REQUESTS.items():
        with _serving(form, method) as server:
            connection = Connection("notes", {"address": server.address, "headers": {}}, lambda *_news: None)
            try:
                failure, answer = await _outcome(request(connection))
                said = failure.sentence if failure is not None else ""
                assert words in said and bool(words) is bool(said), (method, said)
                assert isinstance(failure, SessionLost) is (words == LOST)
                assert server.asked.count(method) == 1, "none runs twice"
                again = await request(connection)
                assert again and answer in (None, again)
                assert server.asked.count("initialize") == 1
            finally:
                await connection.end()


@pytest.mark.parametrize("form", [form for form, (_write, words) in FORMS.items() if words == LOST])
async def test_a_lost_session_is_opened_again_for_every_request(form: str) -> None:
    async def launch(wanted: ToolServer) -> dict[str, Any]:
        return {"address": wanted.address, "headers": {}}

    host = ToolHost(launch, Clock())
    try:
        for method in REQUESTS:
            with _serving(form, method) as server:
                notes = ToolServer(method, "Notes", ServerKind.ADDRESS, address=server.address)
                answers = {
                    "tools/list": lambda notes=notes: host.tools([notes]),
                    "tools/call": lambda notes=notes: host.call(notes, "echo", {}, timeout_s=60),
                    "prompts/list": lambda notes=notes: host.ask(notes, "prompts", about=""),
                    "prompts/get": lambda notes=notes: host.ask(notes, "prompt", "review", "{}", about=""),
                    "resources/list": lambda notes=notes: host.ask(notes, "resources", about=""),
                    "resources/read": lambda notes=notes: host.ask(notes, "resource", "note://a", about=""),
                }
                assert await answers[method]()
                assert server.asked.count(method) == 2 and server.asked.count("initialize") == 2
                await host.end(method)
    finally:
        await host.close()
