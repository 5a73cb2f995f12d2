"""Asks the desktop's portal to start ChatDesk at login, where a sandbox hides the folder that desktops read:
https://flatpak.github.io/xdg-desktop-portal/docs/doc-org.freedesktop.portal.Background.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chatdesk.core.texts import tr
from chatdesk.ui.features.desktop.autostart import NoStartAtLogin
from chatdesk.ui.features.desktop.portal import PERSON_S, NoPortal, open_portal

_NAME: Final = "org.freedesktop.portal.Background"
_PROGRAM: Final = "chatdesk"  # as the sandbox calls it


async def ask_for_start_at_login(*, is_on: bool, arguments: Sequence[str] = ()) -> None:
    """Ask the desktop to start ChatDesk at login, or to stop that; ``arguments`` are those of the command. The desktop
    may ask the person, and cancelling takes its question away. Raises ``NoStartAtLogin``."""
    options: dict[str, tuple[str, object]] = {
        "reason": ("s", tr("Start when you log in")),
        "autostart": ("b", is_on),
        "commandline": ("as", [_PROGRAM, *arguments]),
    }
    try:
        portal = await open_portal()
        try:
            found = await portal.request(_NAME, "RequestBackground", "sa{sv}", "", options=options, wait_s=PERSON_S)
        finally:
            await portal.close()
    except NoPortal as error:
        raise NoStartAtLogin from error
    if found.get("autostart") is not is_on:
        raise NoStartAtLogin
