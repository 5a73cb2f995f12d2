"""Turns the local service on and off: the one place where it starts and ends, in a window and for ``chatdesk serve``.

The service is a front end above these services, so the caller passes a function that loads it. Nothing of it is loaded
while it is off.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from chatdesk.core.errors import AlreadyRunning, ChatDeskError, NotPossible
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.core.settings.store import SettingsInForce
from chatdesk.core.texts import Text

MS_PER_DAY: Final = 24 * 3600 * 1000
# The permissions of a token, as a person sees them.
SCOPES: Final = {
    "read": Text("Read projects, threads and messages"),
    "write": Text("Create, change and trash threads and messages; write notes"),
    "ask": Text("Ask questions and stop answers"),
    "admin": Text("Administer ChatDesk"),
    "remote": Text("Connect from another computer"),
}


class _Services(Protocol):
    """The part of ``Services`` that the switch uses. A protocol, because ``Services`` imports the switch."""

    paths: AppPaths
    settings_in_force: SettingsInForce
    has_other_owner: bool


@dataclass(frozen=True, slots=True)
class ServiceState:
    """The state of the service. ``urls`` and ``socket`` are empty while it does not listen; ``problem`` says why it
    does not, though it should."""

    is_wanted: bool = False
    urls: tuple[str, ...] = ()
    socket: str = ""
    problem: ChatDeskError | None = None

    @property
    def is_on(self) -> bool:
        return bool(self.urls)


@dataclass(frozen=True, slots=True)
class ShownToken:
    """A token without its text. Times are milliseconds UTC."""

    id: str
    name: str
    scopes: tuple[str, ...]
    projects: tuple[str, ...]
    expires_at: int | None
    last_used_at: int | None


class ServiceSwitch:
    """The local service over ``services``. ``load`` imports ``chatdesk.service.opening`` beside the loop; ``port`` wins
    over the setting. Used on the loop of the services."""

    def __init__(self, services: _Services, load: Callable[[], Awaitable[Any]], *, port: int | None = None) -> None:
        self._services = services
        self._load = load
        self._port = port
        self._module: Any = None
        self._running: Any = None
        self._tried: tuple[object, ...] = ()  # the settings of the last start, whether it succeeded or not
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._followers: list[Callable[[ServiceState], None]] = []
        self._is_closed = False
        self.state = ServiceState()

    def follow(self, tell: Callable[[ServiceState], None]) -> None:
        """Call ``tell`` with the state, now and after each change."""
        self._followers.append(tell)
        tell(self.state)

    async def start(self) -> ServiceState:
        """Start the service, whatever the setting says. Raises a ``ChatDeskError`` where that is not possible."""
        async with self._turn:
            await self._start()
        if self.state.problem is not None:
            raise self.state.problem
        return self.state

    async def obey(self) -> ServiceState:
        """Start and stop the service as the settings say, now and after each change of them."""
        self._services.settings_in_force.follow(lambda _settings: self._obey_soon())
        await self._settled()
        return self.state

    def try_again(self) -> None:
        """Retry a failed start of the service."""
        self._tried = ()
        self._obey_soon()

    async def close(self) -> None:
        """End the service for good. Safe to call twice."""
        self._is_closed = True
        await self._settled()
        async with self._turn:
            await self._end()

    # Tokens: their files are read and written beside the loop.

    async def tokens(self) -> list[ShownToken]:
        """Return the tokens, the oldest first; none while the service is off."""
        if self._module is None:
            return []
        found = await asyncio.to_thread(self._book().all)
        return [
            ShownToken(
                each.id, each.name, tuple(map(str, each.scopes)), each.projects, each.expires_at, each.last_used_at
            )
            for each in found
        ]

    async def make_token(
        self, name: str, scopes: Sequence[str], *, projects: Sequence[str] = (), days: int | None = None
    ) -> str:
        """Make a token and return its text, which is kept nowhere. Raises ``InvalidInput``."""
        book, now_ms = self._book(), time.time_ns() // 1_000_000
        made = await asyncio.to_thread(
            book.make,
            name,
            [self._module.scope_of(each) for each in scopes],
            projects=projects,
            expires_at=None if days is None else now_ms + days * MS_PER_DAY,
            now_ms=now_ms,
        )
        return str(made[1])

    async def revoke_token(self, token_id: str) -> None:
        """Revoke a token and end its running requests."""
        await asyncio.to_thread(self._book().revoke, token_id)

    def _book(self) -> Any:
        if self._module is None:
            raise NotPossible(Text("The local service is off."), next_step=Text("Turn it on in the settings."))
        return self._module.tokens_of(self._services.paths)

    # Starting and ending

    def _obey_soon(self) -> None:
        if not self._is_closed:
            task = asyncio.ensure_future(self._obey())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _settled(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks)  # a cancelled waiter does not interrupt a start

    async def _obey(self) -> None:
        async with self._turn:  # several changes at once end in the state of the latest settings
            wanted = _places(self._services.settings_in_force.current)
            if self._is_closed or wanted == self._tried:
                return
            await self._end()
            if self._services.settings_in_force.current.service_on:
                await self._start()
            else:
                self._tried = wanted
                self._show(ServiceState())

    async def _start(self) -> None:
        settings = self._services.settings_in_force.current
        self._tried = _places(settings)
        self._show(ServiceState(is_wanted=True))
        try:
            if self._services.has_other_owner:
                raise AlreadyRunning(next_step=Text("Close it first, or choose another --data-dir."))
            self._module = self._module or await self._load()
            self._running, address = await self._module.open_service(
                self._services, settings, self._port, self._on_died
            )
        except ChatDeskError as error:
            self._show(ServiceState(is_wanted=True, problem=error))
        else:
            self._show(ServiceState(True, address.urls, address.socket))

    def _on_died(self) -> None:
        task = asyncio.ensure_future(self._report_death(self._running))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _report_death(self, died: object) -> None:
        async with self._turn:
            if died is None or self._running is not died:
                return  # it was being stopped anyway
            await self._end()
            problem = NotPossible(
                Text("The local service ended because of a fault in ChatDesk."),
                next_step=Text("Try again; the log says more."),
            )
            self._show(ServiceState(is_wanted=True, problem=problem))

    async def _end(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            await running.close()

    def _show(self, state: ServiceState) -> None:
        self.state = state
        for tell in self._followers:
            tell(state)


def _places(settings: Settings) -> tuple[object, ...]:
    """Return the settings at whose change the service has to restart, or to end."""
    return (
        settings.service_on,
        settings.service_port,
        settings.service_address,
        settings.service_certificate,
        settings.service_certificate_key,
        settings.service_origins,
    )
