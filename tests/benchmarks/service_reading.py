"""Rows of the local service as others read from it: pages and messages of a long thread beside bare SQL and JSON, what
goes over the wire beside the content, a flood of connections, and the start of a window that serves."""

from __future__ import annotations

import asyncio
import gzip
import json
import resource
import socket
import sqlite3
import statistics
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect

from tests.benchmarks.foundation import start
from tests.benchmarks.processes import python
from tests.benchmarks.table import Row, against
from tests.helpers.served_process import ServedProcess, serving

_PAGE: Final = 100
_LONG: Final = 100_000
_FLOOD: Final = 10_000
_FEWEST_READS: Final = 1_000
_STREAMS: Final = 100
_MOST_FLOOD_MB: Final = 40.0
_MOST_OF_TEXT: Final = 1.3
_PACKED: Final = "Accept-Encoding: gzip\r\n"


def reading(folder: Path, is_quick: bool) -> list[Row]:
    folder.mkdir(parents=True)
    count = _LONG // 10 if is_quick else _LONG
    python("-m", "tests.benchmarks.service_reading", str(folder / "chatdesk.db"), str(count))
    rows = []
    with serving(folder, {"CHATDESK_OFFLINE_SPEED_TOKENS_PER_S": "100"}) as service:
        with closing(_Caller(service)) as caller:
            rows += _pages(service, caller, folder / "chatdesk.db", 60 if is_quick else 400)
            rows += _reads(service, caller, 500 if is_quick else 5_000)
            rows += _on_the_wire(caller)
        rows += asyncio.run(_followed(service, is_quick))
        rows += _flood(service, 1_000 if is_quick else _FLOOD)
    return [*rows, *_window_start(folder.with_name("window"), 3 if is_quick else 9)]


def beside_window(folder: Path, is_quick: bool) -> list[Row]:
    """The window that serves, while a hundred answers are written for another program."""
    count = 10 if is_quick else _STREAMS
    found = json.loads(python("-m", "tests.benchmarks.service_window_probe", str(folder), str(count)).splitlines()[-1])
    slices = sorted(found["cpu_ms"])
    p99 = slices[int(len(slices) * 0.99)]
    name = f"window's slices (CPU) while it serves {count} answers at once"
    return [
        Row(f"{name}, p99", p99, "ms", "at most 8 ms", p99 <= 8),
        Row(f"{name}, largest turn", max(found["turns_ms"]), "ms", "told only", True),
        Row("answers of them that did not arrive whole", found["lost"], "", "none", found["lost"] == 0),
    ]


class _Caller:
    """A connection that is kept, on which requests are written by hand: the CPU that is measured is the service's, and
    every byte is counted."""

    def __init__(self, service: ServedProcess) -> None:
        self._socket = socket.create_connection(("127.0.0.1", service.port), timeout=60)
        self._head = f"Host: 127.0.0.1:{service.port}\r\nAuthorization: Bearer {service.token}\r\n"
        self.sent = self.received = 0

    def get(self, path: str, headers: str = "") -> Any:
        """What an address answers, of which the status has to be 200."""
        request = f"GET {path} HTTP/1.1\r\n{self._head}{headers}\r\n".encode()
        self._socket.sendall(request)
        self.sent += len(request)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._socket.recv(1 << 20)
        head, _, body = data.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        pieces = [body]
        left = length - len(body)
        while left:
            pieces.append(self._socket.recv(1 << 20))
            left -= len(pieces[-1])
        self.received += len(head) + 4 + length
        whole = b"".join(pieces)
        return json.loads(gzip.decompress(whole) if b"content-encoding: gzip" in head else whole)

    def close(self) -> None:
        self._socket.close()


def _thread_of(caller: _Caller) -> str:
    (thread,) = caller.get("/api/v1/threads?limit=1")["threads"]
    return str(thread["id"])


def _pages(service: ServedProcess, caller: _Caller, database: Path, count: int) -> list[Row]:
    """A page of the service beside the same rows by SQL and the same answer by ``json``, in turns."""
    thread_id = _thread_of(caller)
    path = f"/api/v1/threads/{thread_id}/messages?limit={_PAGE}"
    answer = caller.get(path)
    assert len(answer["messages"]) == _PAGE
    ids = [each["id"] for each in answer["messages"]]
    bare_s = served_s = 0.0
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as conn:
        for _ in range(10):
            began_s = time.process_time()
            for _ in range(count // 10):
                _bare_page(conn, thread_id)
                json.dumps(answer).encode()
            bare_s += time.process_time() - began_s
            began_s = service.cpu_s
            for _ in range(count // 10):
                assert [each["id"] for each in caller.get(path)["messages"]] == ids
            served_s += service.cpu_s - began_s
    return [
        against(
            f"page of {_PAGE} messages of {answer['total']:,}, CPU of the service",
            served_s / count * 1000,
            bare_s / count * 1000,
            unit="ms",
            most=2.0,
            goal="at most 2 times bare SQL and JSON",
        )
    ]


def _bare_page(conn: sqlite3.Connection, thread_id: str) -> None:
    """Fetch what the answer says, each thing by one statement: messages, parts, versions, costs and the path's ends."""
    rows = conn.execute(
        "SELECT * FROM messages WHERE thread_id = ? AND on_path = 1 AND deleted_at IS NULL ORDER BY position DESC"
        f" LIMIT {_PAGE}",
        (thread_id,),
    ).fetchall()
    ids, marks = [row[0] for row in rows], ",".join("?" * len(rows))
    for statement in (
        f"SELECT * FROM message_parts WHERE message_id IN ({marks}) ORDER BY message_id",
        f"SELECT id, parent_id, role FROM messages WHERE parent_id IN ({marks}) AND deleted_at IS NULL",
        f"SELECT message_id, sum(cost_usd) FROM usage_events WHERE message_id IN ({marks}) GROUP BY message_id",
    ):
        conn.execute(statement, ids).fetchall()
    ends = "SELECT count(*), min(position), max(position) FROM messages WHERE id IN (?, ?)"
    conn.execute(ends, (ids[0], ids[-1])).fetchall()


def _reads(service: ServedProcess, caller: _Caller, count: int) -> list[Row]:
    page = caller.get(f"/api/v1/threads/{_thread_of(caller)}/messages?limit=1")
    path = f"/api/v1/messages/{page['messages'][0]['id']}"
    began_s = service.cpu_s
    for _ in range(count):
        caller.get(path)
    per_second = count / (service.cpu_s - began_s)
    goal = f"at least {_FEWEST_READS:,} a second of one core"
    return [Row("messages read one by one, by CPU", per_second, "/s", goal, per_second >= _FEWEST_READS)]


def _on_the_wire(caller: _Caller) -> list[Row]:
    """What a program of today takes, which is packed; and beside it what one takes that asks for nothing."""
    path = f"/api/v1/threads/{_thread_of(caller)}/messages?limit={_PAGE}"
    rows = []
    for words, headers in (("", _PACKED), (", not packed", "")):
        before = caller.sent + caller.received
        page = caller.get(path, headers)
        wire = caller.sent + caller.received - before
        content = sum(len((part["text"] or "").encode()) for each in page["messages"] for part in each["parts"])
        name = f"bytes of a page of {_PAGE} messages of {content // _PAGE} bytes each{words}"
        rows.append(_of_text(name, wire, content, is_told=not headers))
    return rows


def _of_text(name: str, wire_bytes: int, text_bytes: int, *, is_told: bool = False) -> Row:
    if is_told:
        return Row(name, wire_bytes / 1024, "KB", "told only", True, text_bytes / 1024, wire_bytes / text_bytes)
    return against(
        name, wire_bytes / 1024, text_bytes / 1024, unit="KB", most=_MOST_OF_TEXT, goal="at most 1.3 times the text"
    )


async def _followed(service: ServedProcess, is_quick: bool) -> list[Row]:
    """What goes over a WebSocket while an answer is written, when its client comes back later, and while nothing
    happens, both ways, packed as clients ask for it by default; TCP's own bytes are left out. Ids and states are the
    most of a short answer; the goal for text is held against a long one."""
    rows: list[Row] = []
    idle = 0.0
    async with _Relay(service.port) as relay:
        for words, question in (("short", "Hello"), ("long", "/demo long"))[: 1 if is_quick else 2]:
            with service.client() as http:
                thread_id = http.post("/api/v1/threads", json={"title": "Wire"}).json()["id"]
            url = f"ws://127.0.0.1:{service.port}/ws/chat/{thread_id}"
            options: dict[str, Any] = {
                "additional_headers": {"Authorization": f"Bearer {service.token}"},
                "proxy": None,
                "max_size": None,
                "host": "127.0.0.1",
                "port": relay.port,
            }
            async with connect(url, **options) as client:
                first = json.loads(await client.recv())["number"]
                relay.count = 0
                asked = {"op": "SEND_MESSAGE", "id": "1", "thread_id": thread_id, "text": question}
                await client.send(json.dumps(asked))
                content = await _text_of_answer(client)
                turn = relay.count
                if words == "short":
                    idle = await _idle_hour(client, relay)
            relay.count = 0
            async with connect(f"{url}?after={first}", **options) as client:
                assert await _text_of_answer(client) == content
                pull = relay.count
            size = len(content.encode())
            for name, found in (("as it is written", turn), ("the same, caught up on later", pull)):
                title = f"bytes of a {words} turn, {name}"
                rows.append(_of_text(title, found, size, is_told=words == "short"))
    return [*rows, Row("bytes of an idle hour", idle / 1024, "KB", "at most 100 KB", idle <= 100 * 1024)]


async def _idle_hour(client: ClientConnection, relay: _Relay) -> float:
    """Return the bytes of an hour in which nothing happens, from those between three heartbeats."""
    async with asyncio.timeout(100):
        while json.loads(await client.recv())["type"] != "HEARTBEAT":
            pass
        relay.count, began_s = 0, time.monotonic()
        for _ in range(2):
            await client.recv()
    return relay.count / (time.monotonic() - began_s) * 3600


async def _text_of_answer(client: ClientConnection) -> str:
    """Take what arrives until an answer has ended; returns its text."""
    async with asyncio.timeout(300):
        while True:
            for event in json.loads(await client.recv()).get("events", ()):
                if event["type"] == "AnswerFinished":
                    return "".join(part["text"] or "" for part in event["message"]["parts"])


class _Relay:
    """Passes bytes on to a port and back, and counts them."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.count = 0
        self.port = 0

    async def __aenter__(self) -> _Relay:
        self._server = await asyncio.start_server(self._passed, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self._server.close()

    async def _passed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection("127.0.0.1", self._target)
        await asyncio.gather(self._pump(reader, there[1]), self._pump(there[0], writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                self.count += len(data)
                writer.write(data)
                await writer.drain()
        writer.close()


def _flood(service: ServedProcess, count: int) -> list[Row]:
    """So many connections that say nothing, while a program with a token goes on and another one comes."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(hard, count + 500), max(hard, count + 500)))
    before_mb = service.resident_mb
    flood: list[socket.socket] = []
    try:
        with service.client() as known:
            known.get("/health").raise_for_status()
            for _ in range(count):
                each = socket.socket()
                each.setblocking(False)
                with suppress(BlockingIOError):
                    each.connect(("127.0.0.1", service.port))
                flood.append(each)
            waited_ms = []
            for _ in range(50):
                began_s = time.monotonic()
                known.get("/api/v1/threads?limit=1").raise_for_status()
                waited_ms.append((time.monotonic() - began_s) * 1000)
        grown_mb = service.resident_mb - before_mb
    finally:
        for each in flood:
            each.close()
    with service.client() as another:
        another.get("/api/v1/threads?limit=1").raise_for_status()
    goal = f"at most {_MOST_FLOOD_MB:.0f} MB"
    median_ms = statistics.median(waited_ms)
    return [
        Row(f"{count:,} connections that say nothing: growth", grown_mb, "MB", goal, grown_mb <= _MOST_FLOOD_MB),
        Row("a read meanwhile by a program that was there (median)", median_ms, "ms", "under 100 ms", median_ms < 100),
    ]


def _window_start(folder: Path, rounds: int) -> list[Row]:
    """Starts in turn, with the service and without."""
    found: dict[str, list[Any]] = {"0": [], "1": []}
    for value in found:
        (folder / value).mkdir(parents=True)
    for _ in range(rounds + 1):
        for value, starts in found.items():
            starts.append(start("app", str(folder / value), more={"CHATDESK_SERVICE_ON": value}))

    def median(value: str, key: str) -> float:
        return statistics.median(each[key] for each in found[value][1:]) * 1000

    return [
        against(
            f"start to typing with the service on ({words})",
            median("1", key),
            median("0", key),
            unit="ms",
            most=1.05,
            goal="at most 1.05 times one without",
        )
        for words, key in (("wall", "seconds"), ("CPU", "cpu_seconds"))
    ]


if __name__ == "__main__":
    import sys

    from tests.helpers.bulk_data import make_database

    asyncio.run(make_database(Path(sys.argv[1]), threads=1, messages_per_thread=int(sys.argv[2])))
