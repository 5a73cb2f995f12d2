"""Answers a server that asks for roots: with the folder of the project for which it works."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import mcp_types as types

if TYPE_CHECKING:  # a large package, loaded when it is used
    from mcp.client.session import ClientRequestContext


class Roots:
    """The folders on whose behalf one server is called; an empty one stands for none. ``reported`` is the folder that
    the server got when it last asked; None: it never asked. ``idle`` is set while no call is running."""

    def __init__(self, root: str) -> None:
        self.reported: str | None = None
        self.idle = asyncio.Event()
        self.idle.set()
        self._last = root
        self._served: list[str] = []

    @contextmanager
    def serving(self, root: str) -> Iterator[None]:
        """Count a call on behalf of a folder as long as the block runs."""
        self._last = root
        self._served.append(root)
        self.idle.clear()
        try:
            yield
        finally:
            self._served.remove(root)
            if not self._served:
                self.idle.set()

    async def answer(self, context: ClientRequestContext) -> types.ListRootsResult:
        """Return the folder of the running calls, or of the last one; none where there are several folders, because
        nothing shows for which of them the server asks."""
        served = set(self._served) or {self._last}
        self.reported = served.pop() if len(served) == 1 else ""
        found = [{"uri": Path(self.reported).as_uri()}] if self.reported else []
        return types.ListRootsResult.model_validate({"roots": found})
