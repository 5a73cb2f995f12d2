"""Decides whether animations run: a setting does, or the system where the setting leaves it to that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from PySide6 import QtWidgets  # QStyle is built when it is first used: it takes 4 ms
from PySide6.QtCore import SLOT, QObject, Signal, Slot
from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusPendingCallWatcher, QDBusVariant
from PySide6.QtWidgets import QApplication

from chatdesk.ui.theme.session_bus import has_session_bus


class Motion(QObject):
    """The setting for motion; ``Theme.motion`` exposes it."""

    def __init__(self, application: QApplication, parent: QObject) -> None:
        super().__init__(parent)
        self._application = application
        self._is_reduced: bool | None = None
        self._does_system_keep_still = False

    @property
    def is_reduced(self) -> bool:
        """True when nothing may move, because a setting or the system asks for it."""
        if self._is_reduced is not None:
            return self._is_reduced
        if self._does_system_keep_still:
            return True
        duration = self._application.style().styleHint(QtWidgets.QStyle.StyleHint.SH_Widget_Animation_Duration)
        return duration == 0

    def set_reduced(self, is_reduced: bool | None) -> None:
        """Follow a setting; None follows the system."""
        self._is_reduced = is_reduced

    def follow_system(self) -> None:
        """Ask the desktop whether motion is wanted, once the window is there and at rest."""
        if has_session_bus():
            motion = SystemMotion(self)
            motion.changed.connect(self._on_system_changed)
            motion.ask()

    def _on_system_changed(self, is_unwanted: bool) -> None:
        self._does_system_keep_still = is_unwanted


# A check for whether the system asks programs to reduce motion. Qt does not know it on Linux; the desktop portal does.
#
# Asked once, without waiting, and followed from then on.

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
