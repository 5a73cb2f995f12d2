"""Checks whether the system asks programs to reduce motion. On Linux only the desktop portal tells it, not Qt.

Asked once, without waiting, and followed from then on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import SLOT, QObject, Signal, Slot
from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusPendingCallWatcher, QDBusVariant

SERVICE: Final = "org.freedesktop.portal.Desktop"
PATH: Final = "/org/freedesktop/portal/desktop"
INTERFACE: Final = "org.freedesktop.portal.Settings"
_ANSWER_WITHIN_MS: Final = 3_000

# Where desktops keep the wish, and how it reads there.
_WISHES: Final[dict[tuple[str, str], Callable[[Any], bool]]] = {
    ("org.freedesktop.appearance", "reduced-motion"): lambda value: value == 1,
    ("org.gnome.desktop.interface", "enable-animations"): lambda value: value is False,
}


class SystemMotion(QObject):
    """The system's own setting for reduced motion. ``changed`` carries whether motion is unwanted."""

    changed = Signal(bool)

    def __init__(self, parent: QObject | None = None, connection: QDBusConnection | None = None) -> None:
        super().__init__(parent)
        self._bus = connection or QDBusConnection.sessionBus()
        self._wishes = dict.fromkeys(_WISHES, False)
        self._watchers: list[QDBusPendingCallWatcher] = []

    def ask(self) -> None:
        """Ask the portal, and listen for changes."""
        if not self._bus.isConnected():
            return
        slot = SLOT("_on_portal_setting_changed(QDBusMessage)")
        # The stub wants bytes, the function a str.
        self._bus.connect(SERVICE, PATH, INTERFACE, "SettingChanged", self, slot)  # type: ignore[call-overload]
        for place in _WISHES:
            # ``ReadOne`` came with version 2 of the interface; Debian 12 has the first, and all still answer this.
            message = QDBusMessage.createMethodCall(SERVICE, PATH, INTERFACE, "Read")
            message.setArguments(list(place))
            watcher = QDBusPendingCallWatcher(self._bus.asyncCall(message, _ANSWER_WITHIN_MS), self)
            watcher.finished.connect(lambda call, place=place: self._on_call_finished(call, place))
            self._watchers.append(watcher)

    def _on_call_finished(self, call: QDBusPendingCallWatcher, place: tuple[str, str]) -> None:
        if not call.isError():
            self._apply(place, call.reply().arguments()[0])
        self._watchers = [each for each in self._watchers if each is not call]

    @Slot(QDBusMessage)
    def _on_portal_setting_changed(self, message: QDBusMessage) -> None:
        arguments = message.arguments()
        if len(arguments) == 3 and (arguments[0], arguments[1]) in _WISHES:
            self._apply((arguments[0], arguments[1]), arguments[2])

    def _apply(self, place: tuple[str, str], value: object) -> None:
        before = any(self._wishes.values())
        while isinstance(value, QDBusVariant):  # an answer of ``Read`` is one in another
            value = value.variant()
        self._wishes[place] = _WISHES[place](value)
        now = any(self._wishes.values())
        if now != before:
            self.changed.emit(now)
