"""Notifications as freedesktop.org describes them, over the session bus:
https://specifications.freedesktop.org/notification/latest/

Through jeepney and not Qt's own D-Bus: ``Notify`` wants an unsigned number, and PySide sends every number as a signed
one; and everything here is awaited on the loop, so that nothing stands still until the desktop answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from html import escape
from typing import Any

from jeepney import DBusAddress, HeaderFields, MatchRule, Message, MessageType, message_bus, new_method_call
from jeepney.io.asyncio import DBusConnection, DBusRouter, Proxy, open_dbus_connection
from jeepney.wrappers import DBusErrorResponse

from chatdesk.core.texts import tr
from chatdesk.ui.features.desktop.notice import Notice

_NAME = "org.freedesktop.Notifications"
_NOTIFICATIONS = DBusAddress("/org/freedesktop/Notifications", _NAME, _NAME)
_WAIT_S = 5.0
_AS_THE_SERVER_LIKES = -1
_PRESSES = 20  # capacity for presses before the first is read


async def open_bus(press: Callable[[str], None]) -> DBusNotices:
    """Connect to the service that shows notifications. ``press`` gets the thread of a pressed notice. Raises
    ``OSError`` without such a service."""
    try:
        async with asyncio.timeout(_WAIT_S):
            connection = await open_dbus_connection("SESSION")
    except (TimeoutError, EOFError, KeyError, ValueError) as error:
        raise OSError(f"the session bus does not answer: {type(error).__name__}") from error
    backend = DBusNotices(connection, press)
    try:
        await backend.start()
    except BaseException:
        await backend.close()
        raise
    return backend


class DBusNotices:
    """An implementation of ``notice.NoticeBackend`` over D-Bus."""

    def __init__(self, connection: DBusConnection, press: Callable[[str], None]) -> None:
        self._connection = connection
        self._router = DBusRouter(connection)
        self._press = press
        self._ids: dict[str, int] = {}
        self._reads_markup = False
        self._listening: asyncio.Future[None] | None = None

    async def start(self) -> None:
        """Read the abilities of the desktop, and listen for presses."""
        (capabilities,) = await self._call("GetCapabilities", answer="as")
        self._reads_markup = "body-markup" in capabilities
        rule = MatchRule(type="signal", interface=_NAME, path=_NOTIFICATIONS.object_path)
        try:
            async with asyncio.timeout(_WAIT_S):
                await Proxy(message_bus, self._router).AddMatch(rule)
        except DBusErrorResponse as error:
            raise NotShown(f"AddMatch: {error.name}") from error
        self._listening = asyncio.ensure_future(self._listen(rule))

    async def show(self, notice: Notice) -> None:
        text = escape(notice.text, quote=False) if self._reads_markup else notice.text
        hints = {"desktop-entry": ("s", "chatdesk"), "category": ("s", "im.received")}
        (number,) = await self._call(
            "Notify",
            "susssasa{sv}i",
            (
                "ChatDesk",
                self._ids.get(notice.thread_id, 0),
                "chatdesk",
                notice.title,
                text,
                ["default", tr("Open")],
                hints,
                _AS_THE_SERVER_LIKES,
            ),
            answer="u",
        )
        self._ids[notice.thread_id] = number

    async def withdraw(self, thread_id: str) -> None:
        number = self._ids.pop(thread_id, None)
        if number is not None:
            with suppress(NotShown):  # it has closed by itself
                await self._call("CloseNotification", "u", (number,))

    async def close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        with suppress(OSError, EOFError):  # the connection may have failed already
            await self._router.__aexit__(None, None, None)
        with suppress(OSError):
            await self._connection.close()

    async def _listen(self, rule: MatchRule) -> None:
        with self._router.filter(rule, bufsize=_PRESSES) as heard:
            while True:
                message: Message = await heard.get()
                member, body = message.header.fields.get(3), message.body
                thread_id = next((key for key, number in self._ids.items() if body and number == body[0]), None)
                if thread_id is None:
                    continue
                if member == "NotificationClosed":
                    del self._ids[thread_id]
                elif member == "ActionInvoked":
                    self._press(thread_id)

    async def _call(
        self, method: str, signature: str | None = None, body: tuple[object, ...] = (), *, answer: str | None = None
    ) -> tuple[Any, ...]:
        """Return the answer of the desktop, of the types that ``answer`` names. Raises ``NotShown``."""
        try:
            async with asyncio.timeout(_WAIT_S):
                reply = await self._router.send_and_get_reply(new_method_call(_NOTIFICATIONS, method, signature, body))
        except Exception as error:
            raise NotShown(f"{method}: {type(error).__name__}") from error
        if reply.header.message_type is MessageType.error:
            raise NotShown(f"{method}: {DBusErrorResponse(reply).name}")
        if answer is not None and reply.header.fields.get(HeaderFields.signature) != answer:
            raise NotShown(f"{method}: it answers in a form of its own")
        return tuple(reply.body)


class NotShown(OSError):
    """The desktop refused a request, or did not answer it."""
