"""A session bus of a test's own, and on it a desktop that shows notifications: what it was sent is kept."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from jeepney import DBusAddress, Message, MessageType, message_bus, new_error, new_method_return, new_signal
from jeepney.io.asyncio import DBusConnection, DBusRouter, Proxy, open_dbus_connection

from tests.helpers.waiting import PATIENCE_S

NAME = "org.freedesktop.Notifications"
_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
</policy></busconfig>
"""


def what_is_missing() -> str:
    return "" if shutil.which("dbus-daemon") else "dbus-daemon"


@asynccontextmanager
async def session_bus(folder: Path) -> AsyncIterator[str]:
    """Its address."""
    socket, config = folder / "bus", folder / "bus.conf"
    config.write_text(_CONFIG.format(socket=socket), encoding="utf-8")
    command = ["dbus-daemon", f"--config-file={config}", "--nofork", "--nopidfile"]
    daemon = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await _answers(socket):
                await asyncio.sleep(0.01)
        yield f"unix:path={socket}"
    finally:
        daemon.terminate()
        daemon.wait(PATIENCE_S)


async def _answers(socket: Path) -> bool:
    """It is there a moment before it is listened on."""
    try:
        _reader, writer = await asyncio.open_unix_connection(socket)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


class Desktop:
    """``notices``: (number that was replaced, title, text) in order; ``refuses``: answers with errors; ``is_odd``: with
    other types than were published."""

    def __init__(self, capabilities: list[str]) -> None:
        self.notices: list[tuple[int, str, str]] = []
        self.closed: list[int] = []
        self.refuses = self.is_odd = False
        self._capabilities = capabilities
        self._numbers = iter(range(7, 1_000))
        self._connection: DBusConnection

    @asynccontextmanager
    async def on_bus(self) -> AsyncIterator[Desktop]:
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

    async def press(self, number: int) -> None:
        await self._signal("ActionInvoked", "us", (number, "default"))

    async def dismiss(self, number: int) -> None:
        await self._signal("NotificationClosed", "uu", (number, 2))

    async def _signal(self, name: str, signature: str, body: tuple[object, ...]) -> None:
        emitter = DBusAddress("/org/freedesktop/Notifications", interface=NAME)
        await self._connection.send(new_signal(emitter, name, signature, body))

    async def _serve(self) -> None:
        while True:
            message = await self._connection.receive()
            if message.header.message_type is MessageType.method_call:
                await self._connection.send(self._answer(message))

    def _answer(self, message: Message) -> Message:
        if self.refuses:
            return new_error(message, "org.freedesktop.DBus.Error.Failed")
        if self.is_odd:
            return new_method_return(message, "ss", ("yes", "no"))
        match message.header.fields.get(3):
            case "GetCapabilities":
                return new_method_return(message, "as", (self._capabilities,))
            case "Notify":
                replaced, title, text = message.body[1], message.body[3], message.body[4]
                self.notices.append((replaced, title, text))
                return new_method_return(message, "u", (replaced or next(self._numbers),))
            case "CloseNotification":
                self.closed.append(message.body[0])
        return new_method_return(message)
