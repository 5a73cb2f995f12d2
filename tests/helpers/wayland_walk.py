"""Walks through the window on the platform that the environment names, and prints as JSON what it finds: the platform
and what is cut off. ``tests/e2e/test_wayland.py`` runs it in a process of its own, since a process has one platform."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QRect
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget

from chatdesk.app import run_window
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.panel import Panel
from tests.helpers.waiting import until

_COMMANDS = ("app.settings", "app.shortcuts", "app.about", "app.import", "thread.export", "thread.parameters")


def cut_off(within: QWidget) -> list[str]:
    """Return the names of what is shown in a window and has no room there."""
    found = []
    for each in within.findChildren(QWidget):
        if not isinstance(each, QAbstractButton | QLabel) or not each.isVisibleTo(within) or not _text_of(each):
            continue
        wanted = each.minimumSizeHint()
        if each.width() < wanted.width() or each.height() < wanted.height() - 1:
            size = f"{each.width()}x{each.height()}"
            found.append(f"{each.objectName()} {_text_of(each)!r}: {size} of {wanted.width()}x{wanted.height()}")
    return found


def _text_of(widget: QWidget) -> str:
    return str(getattr(widget, "text", str)())


async def walk(application: WindowApplication, pictures: Path) -> dict[str, object]:
    """Ask, open each dialog, and look at all of them."""
    await application.services()
    panes = application.panes
    panes.composer.set_text("On this platform, too")
    panes.composer.send_button.click()
    await until(lambda: panes.transcript.total == 2 and not panes.composer.is_streaming)
    found = {"window": cut_off(panes.window)}
    outside = []
    panes.window.grab().save(str(pictures / "window.png"))
    for command in _COMMANDS:
        panes.commands.trigger(command)
        await until(lambda: any(each.isVisible() for each in panes.window.findChildren(Panel)))
        dialog = next(each for each in panes.window.findChildren(Panel) if each.isVisible())
        await asyncio.sleep(0)
        dialog.grab().save(str(pictures / f"{command}.png"))
        found[command] = cut_off(dialog)
        if not QRect(0, 0, panes.window.width(), panes.window.height()).contains(QRect(0, 0, *dialog.size().toTuple())):
            outside.append(command)
        dialog.close()
        await until(lambda: not any(each.isVisible() for each in panes.window.findChildren(Panel)))
    found |= await _two_more_chats(application, pictures)
    panes.commands.trigger("app.quick")
    quick = application.bindings.quick.window
    assert quick is not None
    await until(quick.isVisible)
    found["quick"] = cut_off(quick)
    return {
        "platform": QGuiApplication.platformName(),
        "ratio": panes.window.devicePixelRatioF(),
        "cut": {name: each for name, each in found.items() if each},
        "outside": outside,
    }


async def _two_more_chats(application: WindowApplication, pictures: Path) -> dict[str, list[str]]:
    """Open the thread at the right and in a window of its own, and look at both."""
    chats = application.chats
    chats.open_beside(application.threads.thread_id)
    await until(lambda: chats.beside is not None and len(chats.beside.panes.transcript.entries) == 2)
    chats.open_window(application.threads.thread_id)
    await until(lambda: bool(chats.windows) and len(chats.windows[0].panes.transcript.entries) == 2)
    own = chats.windows[0].panes.window
    await until(own.isVisible)
    own.grab().save(str(pictures / "own.png"))
    application.panes.window.grab().save(str(pictures / "beside.png"))
    found = {"own": cut_off(own), "beside": cut_off(application.panes.window)}
    own.close()
    await until(lambda: not chats.windows)
    chats.close_beside()
    await until(lambda: chats.beside is None)
    return found


def main(folder: Path) -> int:
    async def script(application: WindowApplication) -> int:
        sys.stdout.write(f"{json.dumps(await walk(application, folder))}\n")
        return 0

    settings = replace(Settings(), offline_speed_tokens_per_s=0)
    return run_window(AppPaths.find(folder / "profile"), settings, script=script)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
