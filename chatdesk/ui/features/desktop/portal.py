"""Asks the desktop's portal, which in turn asks the person: https://flatpak.github.io/xdg-desktop-portal/docs/requests.html

A request is answered by a signal of an object that is named before it is sent, so that no answer comes too early. Only
the process that owns the portal's name is listened to. Through jeepney, as ``notify_bus`` is, for the same reasons.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from jeepney import DBusAddress, HeaderFields, MatchRule, Message, MessageType, message_bus, new_method_call
from jeepney.io.asyncio import DBusConnection, DBusRouter, Proxy, open_dbus_connection
from jeepney.wrappers import DBusErrorResponse

_NAME: Final = "org.freedesktop.portal.Desktop"
_PATH: Final = "/org/freedesktop/portal/desktop"
_BUS: Final = "org.freedesktop.DBus"
_REQUEST: Final = "org.freedesktop.portal.Request"
_REGISTRY: Final = "org.freedesktop.host.portal.Registry"
_APPLICATION: Final = "chatdesk"
# How long a person may think about the dialog that a portal shows.
PERSON_S: Final = 300.0
_WAIT_S: Final = 5.0
_SIGNALS: Final = 50  # capacity for signals before the first is read
_CANCELLED: Final = 1
_ANSWER: Final = "ua{sv}"

Options = Mapping[str, tuple[str, object]]


class NoPortal(OSError):
    """The portal is missing or does not answer."""


class PortalDenied(NoPortal):
    """The person said no in the portal's dialog, or closed it."""


class Portal:
    """A connection to the portal, made by ``open_portal``."""

    def __init__(self, connection: DBusConnection, owner: str) -> None:
        self._connection = connection
        self._router = DBusRouter(connection)
        self._owner = owner
        self._listening: set[asyncio.Future[None]] = set()

    async def start(self) -> None:
        """Find out who owns the portal's name, which starts it, and say which application this is."""
        bus = Proxy(message_bus, self._router)
        try:
            async with asyncio.timeout(_WAIT_S):
                with suppress(DBusErrorResponse):  # the portal may run although no service file describes it
                    await bus.StartServiceByName(_NAME)
                (self._owner,) = await bus.GetNameOwner(_NAME)
        except (DBusErrorResponse, TimeoutError) as error:
            raise NoPortal(f"no portal: {type(error).__name__}") from error
        with suppress(NoPortal):  # a portal of before 2025 finds out by itself
            await self.call(_REGISTRY, "Register", "sa{sv}", (_APPLICATION, {}))

    async def call(self, interface: str, method: str, signature: str, body: tuple[object, ...]) -> tuple[Any, ...]:
        """Call a method that answers at once. Raises ``NoPortal``."""
        address = DBusAddress(_PATH, _NAME, interface)
        try:
            async with asyncio.timeout(_WAIT_S):
                reply = await self._router.send_and_get_reply(new_method_call(address, method, signature, body))
        except Exception as error:
            raise NoPortal(f"{method}: {type(error).__name__}") from error
        if reply.header.message_type is MessageType.error:
            raise NoPortal(f"{method}: {DBusErrorResponse(reply).name}")
        return tuple(reply.body)

    async def request(
        self,
        interface: str,
        method: str,
        signature: str,
        *values: object,
        options: Options | None = None,
        wait_s: float = _WAIT_S,
    ) -> Mapping[str, Any]:
        """Call a method whose last argument are options and that is answered by a signal; return the answer's values.
        Raises ``PortalDenied``, and ``NoPortal`` after ``wait_s``. Cancelling takes the portal's dialog away."""
        token = new_token()
        sender = self._connection.unique_name.removeprefix(":").replace(".", "_")
        handle = f"{_PATH}/request/{sender}/{token}"
        rule, end = self._rule(_REQUEST, path=handle, member="Response"), _end_rule()
        await self._add_match(rule)
        await self._add_match(end)
        with self._router.filter(rule, bufsize=2) as answers, self._router.filter(end, queue=answers):
            body = (*values, {**(options or {}), "handle_token": ("s", token)})
            try:
                await self.call(interface, method, signature, body)
                async with asyncio.timeout(wait_s):
                    answer: Message = await answers.get()
            except (TimeoutError, asyncio.CancelledError) as error:
                await self._close_request(handle)
                if isinstance(error, TimeoutError):
                    raise NoPortal(f"{method}: no answer") from error
                raise
        if answer.header.fields[HeaderFields.member] != "Response":
            raise NoPortal(f"{method}: the portal ended")
        if answer.header.fields.get(HeaderFields.signature) != _ANSWER:
            raise NoPortal(f"{method}: it answers in a form of its own")
        code, found = answer.body
        if code == _CANCELLED:
            raise PortalDenied(f"{method}: the person said no")
        if code:
            raise NoPortal(f"{method}: it failed")
        return {name: value for name, (_signature, value) in found.items()}

    async def listen(self, interface: str, heard: Callable[[str, tuple[Any, ...]], None]) -> None:
        """Call ``heard`` with the name and values of each signal of the portal, on the loop."""
        rule = self._rule(interface, path_namespace=_PATH)
        await self._add_match(rule)
        self._follow(rule, lambda message: heard(message.header.fields[HeaderFields.member], message.body))

    async def listen_for_end(self, ended: Callable[[], None]) -> None:
        """Call ``ended`` when the portal goes, and when another takes its place."""
        rule = _end_rule()
        await self._add_match(rule)
        self._follow(rule, lambda _message: ended())

    async def close(self) -> None:
        for each in self._listening:
            each.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)
        with suppress(OSError, EOFError):  # the connection may have failed already
            await self._router.__aexit__(None, None, None)
        with suppress(OSError):
            await self._connection.close()

    def _rule(self, interface: str, **more: str) -> MatchRule:
        return MatchRule(type="signal", sender=self._owner, interface=interface, **more)

    async def _add_match(self, rule: MatchRule) -> None:
        try:
            async with asyncio.timeout(_WAIT_S):
                await Proxy(message_bus, self._router).AddMatch(rule)
        except Exception as error:
            raise NoPortal(f"the session bus does not answer: {type(error).__name__}") from error

    def _follow(self, rule: MatchRule, heard: Callable[[Message], None]) -> None:
        async def follow() -> None:
            with self._router.filter(rule, bufsize=_SIGNALS) as messages:
                while True:
                    heard(await messages.get())

        self._listening.add(asyncio.ensure_future(follow()))

    async def _close_request(self, handle: str) -> None:
        close = new_method_call(DBusAddress(handle, _NAME, _REQUEST), "Close")
        with suppress(OSError, EOFError):
            await self._router.send(close)


def _end_rule() -> MatchRule:
    """Return the rule for the signal that the portal's name has another owner, or none."""
    rule = MatchRule(type="signal", sender=_BUS, interface=_BUS, member="NameOwnerChanged")
    rule.add_arg_condition(0, _NAME)
    return rule


async def open_portal() -> Portal:
    """Connect to the portal of the session. Raises ``NoPortal``."""
    try:
        async with asyncio.timeout(_WAIT_S):
            connection = await open_dbus_connection("SESSION")
    except (OSError, TimeoutError, EOFError, KeyError, ValueError) as error:
        raise NoPortal(f"no session bus: {type(error).__name__}") from error
    portal = Portal(connection, "")
    try:
        await portal.start()
    except BaseException:
        await portal.close()
        raise
    return portal


def new_token() -> str:
    """Return an unguessable name for a request or a session."""
    return f"chatdesk_{secrets.token_hex(8)}"
