"""A client of the service's WebSocket, and what it knows of messages from the events alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.helpers.local_service import ServedWorld

PATIENCE_S = 20.0


class Mirror:
    """Messages as a client has them that only applies events."""

    def __init__(self) -> None:
        self.number = ""
        self.messages: dict[str, dict[str, Any]] = {}
        self.kinds: list[str] = []
        self.frames: list[dict[str, Any]] = []

    def apply(self, frame: dict[str, Any]) -> None:
        self.frames.append(frame)
        self.number = frame["number"]
        for message in frame.get("messages", ()):
            self.messages[message["id"]] = message
        for event in frame.get("events", ()):
            self.kinds.append(event["type"])
            if "message" in event:
                self.messages[event["message"]["id"]] = event["message"]
            if event["type"] == "TextStreamed":
                self._append(event)

    def text(self, message_id: str) -> str:
        return "".join(part["text"] or "" for part in self.messages[message_id]["parts"] if part["type"] == "text")

    @property
    def streamed(self) -> str:
        """All text that arrived in pieces."""
        return "".join(event["delta"] for frame in self.frames for event in frame.get("events", ()) if "delta" in event)

    def is_finished(self, message_id: str) -> bool:
        return message_id in self.messages and self.messages[message_id]["status"] not in ("pending", "streaming")

    def _append(self, event: dict[str, Any]) -> None:
        parts = self.messages[event["message_id"]]["parts"]
        while len(parts) <= event["part_index"]:
            parts.append({"type": event["kind"], "text": ""})
        parts[event["part_index"]]["text"] += event["delta"]


class LiveClient:
    """A connection of a test. Acknowledgements are kept apart from what happens."""

    def __init__(self, socket: ClientConnection, mirror: Mirror) -> None:
        self.socket = socket
        self.mirror = mirror
        self.replies: dict[str | None, dict[str, Any]] = {}
        self._count = 0

    async def take(self) -> dict[str, Any]:
        """The next thing that arrives."""
        async with asyncio.timeout(PATIENCE_S):
            arrived: dict[str, Any] = json.loads(await self.socket.recv())
        if "number" in arrived:
            self.mirror.apply(arrived)
        else:
            self.replies[arrived["id"]] = arrived
        return arrived

    async def until(self, is_met: Callable[[], object]) -> None:
        """Take what arrives until the condition holds."""
        while not is_met():
            await self.take()

    async def do(self, op: str, **fields: Any) -> dict[str, Any]:
        """What an operation is answered with."""
        self._count += 1
        id_ = fields.pop("id", f"op {self._count}")
        await self.socket.send(json.dumps({"op": op, "id": id_, **fields}))
        await self.until(lambda: id_ in self.replies)
        return self.replies.pop(id_)


@asynccontextmanager
async def live_client(
    world: ServedWorld, path: str = "/api/v1/ws", *, mirror: Mirror | None = None, token: str = "", **options: Any
) -> AsyncIterator[LiveClient]:
    """A client that was welcomed; with a ``mirror`` it goes on where that one is."""
    mirror = mirror or Mirror()
    url = f"ws://{world.host}{path}" + (f"?after={mirror.number}" if mirror.number else "")
    headers = {"Authorization": f"Bearer {token or world.owner_token}"}
    async with connect(url, additional_headers=headers, proxy=None, max_size=None, **options) as socket:
        client = LiveClient(socket, mirror)
        await client.take()
        yield client
