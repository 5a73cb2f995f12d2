"""Listens on a named pipe of Windows, as ``sockets`` does on other systems. It has never been run.

The pipe's name cannot be guessed but can be listed, and Windows lets other users open it to read. So opening it proves
nothing: owner and caller prove their identity by the secret alone, which is in the person's own profile. Needs the
default event loop of Windows.
"""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

from chatdesk.core.local_api.incoming_connection import Admit, IncomingConnection, RoomIn, Streams
from chatdesk.core.local_api.instance import PRIVATE_PREFIX


class PipeTransport:
    """A named pipe that accepts connections."""

    def __init__(self, admit: Admit, room_in_s: RoomIn) -> None:
        self._admit = admit
        self._room_in_s = room_in_s
        self._servers: list[asyncio.AbstractServer] = []

    async def open(self, wanted: Path) -> str:
        """Listen at a new name; ``wanted`` is ignored. Raises ``OSError``."""
        del wanted
        name = rf"\\.\pipe\{PRIVATE_PREFIX}{secrets.token_hex(16)}"

        def arrive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            async def open_streams() -> Streams:
                return reader, writer

            if self._room_in_s() > 0:  # it is here already
                writer.close()
                return
            self._admit(IncomingConnection(open_streams, writer.close))

        def protocol() -> asyncio.StreamReaderProtocol:
            return asyncio.StreamReaderProtocol(asyncio.StreamReader(), arrive)

        loop = asyncio.get_running_loop()
        self._servers = await loop.start_serving_pipe(protocol, name)  # type: ignore[attr-defined]
        return name

    def close(self) -> None:
        for server in self._servers:
            server.close()
        self._servers = []


async def reach(address: str, owner_pid: int) -> Streams:
    """Connect to the process that listens at ``address``; the secret proves later that it is the owner. Raises
    ``OSError``."""
    del owner_pid
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.create_pipe_connection(lambda: protocol, address)  # type: ignore[attr-defined]
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)
