"""Loads the service of tool servers when it is first needed, which in most windows is never."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from chatdesk.core.clock import Clock
from chatdesk.core.events import EventBus
from chatdesk.core.paths import AppPaths
from chatdesk.core.providers.accounts import AccountBook
from chatdesk.core.tools.built_in import BuiltInServer
from chatdesk.core.tools.tool_service import ToolService


class ToolLoader:
    """Loads the service of tool servers when it is first needed; ``Services.tools`` exposes it."""

    def __init__(
        self,
        paths: AppPaths,
        accounts: AccountBook,
        bus: EventBus,
        *,
        make_built_in: Callable[[], Sequence[BuiltInServer]],
        prepare: Callable[[ToolService], Awaitable[None]],
        start_s: Callable[[], float],
    ) -> None:
        self._paths = paths
        self._accounts = accounts
        self._bus = bus
        self._make_built_in = make_built_in
        self._prepare = prepare
        self._start_s = start_s
        self._made: ToolService | None = None
        self._one_at_a_time = asyncio.Lock()

    async def load(self) -> ToolService:
        """Return the service; made when first used, without blocking the loop."""
        async with self._one_at_a_time:
            if self._made is None:
                made = self._made = await asyncio.to_thread(self._make)
                await self._prepare(made)
            return self._made

    @property
    def made(self) -> ToolService:
        """The service, which is there once something was called."""
        assert self._made is not None
        return self._made

    def _make(self) -> ToolService:
        accounts = self._accounts
        return ToolService(
            self._paths,
            accounts.secrets,
            lambda: accounts.stored.key_place,
            bus=self._bus,
            clock=Clock(),
            built_in=self._make_built_in(),
            start_s=self._start_s,
        )

    async def in_use(self) -> ToolService | None:
        """Return the service; None, and load nothing, while no tool server was ever set up."""
        return None if self._made is None and not self._paths.tools_file.exists() else await self.load()

    async def close(self) -> None:
        """End all servers."""
        if self._made is not None:
            await self._made.close()
