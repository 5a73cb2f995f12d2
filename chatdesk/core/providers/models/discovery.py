"""Finds model servers on this computer by their usual ports on loopback, and identifies them by their answers.

Only 127.0.0.1 is contacted, no key is sent, and other programs' ports are left alone.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from chatdesk.core.domain.provider_check import FoundServer
from chatdesk.core.settings.presets import PRESETS, preset_of
from chatdesk.core.texts import Text

_HOST = "127.0.0.1"
_CONNECT_S, _ANSWER_S = 0.4, 1.5
_LARGEST_BYTES = 1024 * 1024
_MOST_MODELS = 500
_LONGEST = 200
_CHUNKED = re.compile(rb"(?i)\r\ntransfer-encoding:\s{0,9}chunked")
_VERSION = re.compile(r"[\w.+-]{1,40}\Z")


def local_ports() -> tuple[int, ...]:
    """Return the ports at which servers are looked for."""
    return tuple(preset.port for preset in PRESETS.values() if preset.port)


async def find_local_servers(ports: Sequence[int] | None = None) -> tuple[FoundServer, ...]:
    """Return the servers that answer, in the order of ``ports``; takes at most some seconds. Raises nothing."""
    found = await asyncio.gather(*(_identify_server(port) for port in (local_ports() if ports is None else ports)))
    return tuple(server for server in found if server is not None)


async def _identify_server(port: int) -> FoundServer | None:
    # Asked first: a connection of asyncio would load OpenSSL, 5 MB, to find that nothing listens.
    if not await asyncio.to_thread(_is_listening, port):
        return None
    ollama = await _get(port, "/api/version")
    if ollama is None:
        return None
    tags = await _get(port, "/api/tags") if isinstance(ollama, Mapping) and "version" in ollama else None
    if isinstance(tags, Mapping) and isinstance(tags.get("models"), list):
        names = [each.get("name") for each in tags["models"] if isinstance(each, Mapping)]
        return _server("ollama", port, names, _mapping(ollama).get("version"))
    listed = await _get(port, "/v1/models")
    rows = listed.get("data") if isinstance(listed, Mapping) else None
    if not isinstance(rows, list) or _mapping(listed).get("object", "list") != "list":
        return None
    models = [each for each in rows[:_MOST_MODELS] if isinstance(each, Mapping)]
    return await _named(port, models)


async def _named(port: int, models: Sequence[Mapping[str, Any]]) -> FoundServer:
    """Identify a server that lists models in OpenAI's way."""
    names = [each.get("id") for each in models]
    owners = {str(each.get("owned_by", "")).lower() for each in models}
    if "vllm" in owners:
        return _server("vllm", port, names, _mapping(await _get(port, "/version")).get("version"))
    if "llamacpp" in owners or "build_info" in _mapping(await _get(port, "/props")):
        return _server("llama-cpp", port, names, None)
    if any("compatibility_type" in each or "publisher" in each for each in await _lm_studio_rows(port)):
        return _server("lm-studio", port, names, None)
    if any(owner in {"jan", "menlo", "janhq", "cortex"} for owner in owners):
        return _server("jan", port, names, None)
    return _server("other", port, names, None)


async def _lm_studio_rows(port: int) -> list[Mapping[str, Any]]:
    rows = _mapping(await _get(port, "/api/v0/models")).get("data")
    return [each for each in rows if isinstance(each, Mapping)] if isinstance(rows, list) else []


def _server(preset: str, port: int, names: Sequence[object], version: object) -> FoundServer:
    label = preset_of(preset).label if preset != "other" else Text("Server at port {port}", port=str(port))
    models = tuple(each[:_LONGEST] for each in names[:_MOST_MODELS] if isinstance(each, str) and each.isprintable())
    version_shown = version if isinstance(version, str) and _VERSION.match(version) else ""
    return FoundServer(preset, label, f"http://{_HOST}:{port}/v1", models, version_shown)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(_CONNECT_S)
        return probe.connect_ex((_HOST, port)) == 0


async def _get(port: int, path: str) -> object | None:
    """Return the JSON at ``path``; an empty mapping for any other answer, None if nothing listens."""
    try:
        async with asyncio.timeout(_CONNECT_S):
            reader, writer = await asyncio.open_connection(_HOST, port, limit=64 * 1024)
    except (OSError, TimeoutError):
        return None
    try:
        async with asyncio.timeout(_ANSWER_S):
            # HTTP/1.0: the answer comes in one piece and ends with the connection.
            head = (f"GET {path} HTTP/1.0", f"Host: localhost:{port}", "Accept: application/json", "Connection: close")
            writer.write("\r\n".join((*head, "", "")).encode())
            await writer.drain()
            received = bytearray()
            while len(received) <= _LARGEST_BYTES and (piece := await reader.read(64 * 1024)):
                received += piece
                if _is_whole(received):
                    break
        return await asyncio.to_thread(_document, bytes(received))
    except (OSError, TimeoutError):
        return {}
    finally:
        writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_CONNECT_S):
                await writer.wait_closed()


def _is_whole(received: bytearray) -> bool:
    """Return whether the whole body has come: some servers keep the connection open all the same."""
    head, gap, _ = bytes(received[: 64 * 1024]).partition(b"\r\n\r\n")
    if not gap:
        return False
    if _CHUNKED.search(head):
        return bytes(received[-5:]) == b"0\r\n\r\n"
    length = re.search(rb"(?i)\r\ncontent-length:\s{0,9}(\d{1,9})", head)
    return length is not None and len(received) - len(head) - 4 >= int(length[1])


def _document(received: bytes) -> object:
    head, _, body = received.partition(b"\r\n\r\n")
    if len(received) > _LARGEST_BYTES or not re.match(rb"HTTP/1\.[01] 200\b", head):
        return {}
    if _CHUNKED.search(head):
        body = _unchunked(body)
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document


def _unchunked(body: bytes) -> bytes:
    """Join a chunked body: some servers send chunks even in answer to HTTP/1.0."""
    pieces: list[bytes] = []
    place = 0
    while True:
        end = body.find(b"\r\n", place)
        try:
            size = int(body[place:end].split(b";")[0], 16) if end > 0 else 0
        except ValueError:
            size = 0
        if size <= 0:
            return b"".join(pieces)
        pieces.append(body[end + 2 : end + 2 + size])
        place = end + 4 + size
