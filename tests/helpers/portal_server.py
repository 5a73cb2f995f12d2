"""A desktop's portal on the session bus of a test: it answers as told, or not at all; what it was asked is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from jeepney import (
    DBusAddress,
    HeaderFields,
    Message,
    MessageType,
    message_bus,
    new_error,
    new_method_return,
    new_signal,
)
from jeepney.io.asyncio import DBusConnection, DBusRouter, Proxy, open_dbus_connection

from tests.helpers.published_portals import wrong_with_call, wrong_with_signal

NAME = "org.freedesktop.portal.Desktop"
PATH = "/org/freedesktop/portal/desktop"
SHORTCUTS = "org.freedesktop.portal.GlobalShortcuts"
SILENT = "silent"  # the request is taken, and nothing ever answers
BUSY = "busy"  # not even that is said
Answer = tuple[int, Mapping[str, tuple[str, Any]]]


class PortalServer:
    """``answers`` has for each method the code and the values of its answer, ``SILENT`` or ``BUSY``; a method that is
    not there is unknown to this desktop. All that is said has to be as the interfaces were published."""

    def __init__(self, answers: Mapping[str, Answer | str]) -> None:
        self.answers = dict(answers)
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.closed_requests: list[str] = []
        self.wrong: list[str] = []  # in what was said over the bus, on either side
        self.caller = ""
        self._connection: DBusConnection

    def asked(self, method: str) -> list[tuple[Any, ...]]:
        """The arguments of each call of a method."""
        return [body for name, body in self.calls if name == method]

    @asynccontextmanager
    async def on_bus(self) -> AsyncIterator[PortalServer]:
        self._connection = await open_dbus_connection("SESSION")
        async with DBusRouter(self._connection) as router:
            await Proxy(message_bus, router).RequestName(NAME)
        serving = asyncio.ensure_future(self._serve())
        try:
            yield self
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            await self._connection.close()
        assert self.wrong == []

    async def send(self, interface: str, member: str, signature: str, body: tuple[Any, ...], path: str = PATH) -> None:
        """Send a signal to whoever called last."""
        self.wrong += wrong_with_signal(interface, member, signature)
        signal = new_signal(DBusAddress(path, interface=interface), member, signature, body)
        signal.header.fields[HeaderFields.destination] = self.caller
        await self._connection.send(signal)

    async def activate(self, session: str, shortcut: str) -> None:
        """Say that keys were pressed."""
        await self.send(SHORTCUTS, "Activated", "osta{sv}", (session, shortcut, 1, {}))

    async def _serve(self) -> None:
        try:
            while True:
                message = await self._connection.receive()
                if message.header.message_type is MessageType.method_call:
                    await self._answer(message)
        except Exception as error:
            self.wrong.append(f"the portal of the test failed: {error!r}")
            raise

    async def _answer(self, message: Message) -> None:
        fields = message.header.fields
        method = fields[HeaderFields.member]
        signature = fields.get(HeaderFields.signature, "")
        self.wrong += wrong_with_call(fields[HeaderFields.interface], method, signature, message.body)
        if method == "Close":
            self.closed_requests.append(fields[HeaderFields.path])
            return
        answer = self.answers.get(method)
        if answer is None:
            await self._connection.send(new_error(message, "org.freedesktop.DBus.Error.UnknownMethod"))
            return
        self.calls.append((method, message.body))
        self.caller = fields[HeaderFields.sender]
        token = message.body[-1]["handle_token"][1]
        handle = f"{PATH}/request/{self.caller.removeprefix(':').replace('.', '_')}/{token}"
        if answer != BUSY:
            await self._connection.send(new_method_return(message, "o", (handle,)))
        if answer not in (SILENT, BUSY):
            await self.send("org.freedesktop.portal.Request", "Response", "ua{sv}", tuple(answer), path=handle)
