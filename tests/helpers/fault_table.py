"""docs/failures.md: plays every case and writes what a person saw. ``python -m tests.helpers.fault_table --write``."""

from __future__ import annotations

import asyncio
import ssl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from chatdesk.core.domain.message import Message, Status
from chatdesk.core.providers.stream_guard import StreamLimits
from tests.helpers.certificates import Authority
from tests.helpers.fault_cases import CASES, Case
from tests.helpers.fault_server import FaultServer, Unreachable, answer
from tests.helpers.fault_world import SHORT_LIMITS, WHO, FaultWorld, Seen, fault_world

TABLE = Path(__file__).resolve().parents[2] / "docs" / "failures.md"
NEXT = "And now it works"
_HEAD = """# What happens when a server misbehaves

Each row was recorded with a test server that fails in exactly this way; the tests repeat them
(`tests/core/providers/test_failure_texts.py`). After each failure the next message in the same thread was answered
normally.

*Continue* goes on from what is kept, *Try again* asks again. ChatDesk retries by itself only while no answer has begun,
with the same Idempotency-Key, and the thread shows how long it waits. It waits up to a minute if a server asks for
that, and tells you if the server asks for longer. Times are the defaults. Vendors' own words are quoted as plain text,
shortened and without secrets.

"""
_COLUMNS = "| The server … | What the person reads | What is kept | Tried again |\n|---|---|---|---|\n"


Played = tuple[Seen, Seen | str, FaultServer]


async def play(case: Case, directory: Path) -> Played:
    """What came of the case, and of the message after it: its answer, or why it waits."""
    authority = Authority(directory) if case.how in _CERTIFICATES else None
    tls = None if authority is None else _bad_certificate(case.how, authority, directory)
    async with FaultServer(*(case.scripts or [answer(NEXT)]), tls=tls) as server:
        with _trusting(authority):
            async with fault_world(directory, server.base_url, limits=case.limits) as world:
                return await _ask_twice(case, server, world, authority)


async def _ask_twice(case: Case, server: FaultServer, world: FaultWorld, authority: Authority | None) -> Played:
    if case.how:
        await _stand_in_the_way(case, server)
    if case.how == "unreachable":
        with Unreachable(server.port):
            first = await world.ask("What happens?")
    else:
        first = await world.ask("What happens?")
    if authority is not None:
        await server.go_away()
    if case.how:
        await server.come_back(tls=None if authority is None else authority.server())
    server.play(answer(NEXT))
    after = await (world.ask_too_early("And now?") if case.has_to_wait else world.ask("And now?"))
    return first, after, server


async def _stand_in_the_way(case: Case, server: FaultServer) -> None:
    if case.how in ("away", "unreachable"):
        await server.go_away()


_CERTIFICATES = ("self-signed", "untrusted", "wrong address", "expired")


def _bad_certificate(how: str, authority: Authority, directory: Path) -> ssl.SSLContext:
    match how:
        case "self-signed":
            return authority.server(is_self_signed=True)
        case "untrusted":
            other = directory / "other"
            other.mkdir()
            return Authority(other).server()
        case "expired":
            return authority.server(is_expired=True)
    return authority.server("127.0.0.9")


@contextmanager
def _trusting(authority: Authority | None) -> Iterator[None]:
    """As if the system trusted that authority."""
    found = ssl.get_default_verify_paths()
    if authority is not None:
        file = str(authority.ca_file)
        found = ssl.DefaultVerifyPaths(file, None, "SSL_CERT_FILE", file, "SSL_CERT_DIR", "")
    with patch.object(ssl, "get_default_verify_paths", lambda: found):
        yield


def row(case: Case, seen: Seen) -> str:
    """The line of the table."""
    cells = [case.does, _read(seen.answer), _kept(seen.answer), _tried(case, seen)]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _read(message: Message) -> str:
    if message.status is Status.COMPLETE:
        return "the answer"
    return _usual_times(message.error or "")


def _usual_times(text: str) -> str:
    """Sentences of a run with short times, with those that hold without a setting."""
    usual = StreamLimits()
    for short, long in (
        (SHORT_LIMITS.connect_s, usual.connect_s),
        (SHORT_LIMITS.first_byte_s, usual.first_byte_s),
        (SHORT_LIMITS.silence_s, usual.silence_s),
    ):
        text = text.replace(f" {short:g} s", f" {long:g} s")
    return text.replace(WHO, "*Provider*")


def _kept(message: Message) -> str:
    if message.status is Status.COMPLETE:
        return "question and answer"
    if message.parts and all(part.tool_name for part in message.parts):
        return "question and the calls, as they were written; nothing is run"
    return "question and the part that came" if message.parts else "question"


def _tried(case: Case, seen: Seen) -> str:
    if case.has_to_wait:
        return "no; what is sent before that time waits in sight"
    if not seen.waits:
        return "no"
    if case.asks:
        return f"once, after the time it asks for ({case.asks})"
    return {1: "once, after half a second", 2: "twice, after half a second and a second"}[len(seen.waits)]


def text_of(rows: dict[str, str]) -> str:
    """The whole page; ``rows`` by the names of cases."""
    lines = [_HEAD]
    group = ""
    for case in CASES:
        if case.group != group:
            group = case.group
            lines.append(f"{'' if len(lines) == 1 else chr(10)}## {group}\n\n{_COLUMNS}")
        lines.append(rows[case.name] + "\n")
    return "".join(lines)


async def main() -> None:
    rows = {}
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            seen, after, _server = await play(case, Path(folder))
        assert seen.answer.error_type == case.kind, case.name
        assert isinstance(after, str) or after.answer.text == NEXT, case.name
        rows[case.name] = row(case, seen)
    text = text_of(rows)
    if "--write" in sys.argv:
        TABLE.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    asyncio.run(main())
