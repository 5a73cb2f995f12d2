"""Takes keys of a whole desktop through its portal, which asks the person:
https://flatpak.github.io/xdg-desktop-portal/docs/doc-org.freedesktop.portal.GlobalShortcuts.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.texts import tr
from chatdesk.ui.features.desktop.keys_backend import KeysDenied, Lost, NoKeys
from chatdesk.ui.features.desktop.keysyms import DesktopKey
from chatdesk.ui.features.desktop.portal import PERSON_S, NoPortal, Portal, PortalDenied, new_token, open_portal

_NAME: Final = "org.freedesktop.portal.GlobalShortcuts"
_SESSION: Final = "org.freedesktop.portal.Session"
_ID: Final = "quick-question"
_LONGEST_DESCRIPTION: Final = 60


class PortalKeys:
    """An implementation of ``KeysBackend``. ``pressed`` and ``lost`` are called on the loop; ``description`` is what
    the desktop shows for the keys."""

    def __init__(self, pressed: Callable[[], None], lost: Lost, description: str) -> None:
        self._pressed, self._lost = pressed, lost
        self._description = description
        self._portal: Portal | None = None
        self._session = ""

    async def bind(self, key: DesktopKey) -> str:
        try:
            portal = self._portal = await open_portal()
            await portal.listen(_NAME, self._on_signal)
            await portal.listen(_SESSION, self._on_session_signal)
            await portal.listen_for_end(lambda: self._lost(False))
            token = {"session_handle_token": ("s", new_token())}
            self._session = str(
                (await portal.request(_NAME, "CreateSession", "a{sv}", options=token)).get("session_handle", "")
            )
            wanted = {"description": ("s", self._description), "preferred_trigger": ("s", key.trigger)}
            found = await portal.request(
                _NAME, "BindShortcuts", "oa(sa{sv})sa{sv}", self._session, [(_ID, wanted)], "", wait_s=PERSON_S
            )
        except PortalDenied as error:
            raise KeysDenied(str(error)) from error
        except NoPortal as error:
            raise NoKeys(str(error)) from error
        try:
            bound = dict(found.get("shortcuts", ()))
            trigger = None if _ID not in bound else bound[_ID].get("trigger_description", ("s", ""))[1]
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise NoKeys("the portal names keys in a form of its own") from error
        if trigger is None:
            raise KeysDenied("the desktop left the keys out")
        return clean_line(str(trigger))[:_LONGEST_DESCRIPTION]

    async def close(self) -> None:
        if self._portal is not None:
            await self._portal.close()  # a session ends with its connection

    def _on_signal(self, name: str, values: tuple[Any, ...]) -> None:
        if name == "Activated" and values[:2] == (self._session, _ID):
            self._pressed()

    def _on_session_signal(self, name: str, _values: tuple[Any, ...]) -> None:
        if name == "Closed":
            self._lost(True)


def open_backend(pressed: Callable[[], None], lost: Lost) -> PortalKeys:
    """Return a backend that has not asked for anything yet."""
    return PortalKeys(pressed, lost, tr("Quick question"))
