"""Opens a thread in a window of its own on the last screen, or prints as JSON where it came back:
``python -m tests.helpers.windows_on_screens leave|find FOLDER``. A process of its own, because Qt reads about
screens when it starts."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QGuiApplication

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.waiting import until
from tests.helpers.wayland_walk import cut_off
from tests.helpers.window import ask, play

SIZE = (640, 520)


async def leave(application: WindowApplication, paths: AppPaths) -> dict[str, object]:
    asked = await ask(application, "on the other screen")
    application.chats.open_window(asked.thread_id)
    await until(lambda: len(application.chats.windows) == 1 and application.chats.windows[0].panes.window.isVisible())
    window = application.chats.windows[0].panes.window
    screen = QGuiApplication.screens()[-1]
    window.windowHandle().setScreen(screen)
    window.move(screen.geometry().topLeft() + QPoint(700, 300))
    await asyncio.sleep(0)
    window.resize(*SIZE)
    await until(lambda: _is_stored(paths))
    return await _found(application)


def _is_stored(paths: AppPaths) -> bool:
    if not paths.window_state.exists():
        return False
    windows = json.loads(paths.window_state.read_text(encoding="utf-8"))["windows"]
    return [(each["width"], each["height"]) for each in windows] == [SIZE]


async def find(application: WindowApplication, _paths: AppPaths) -> dict[str, object]:
    await application.services()
    await until(lambda: len(application.chats.windows) == 1 and application.chats.windows[0].panes.window.isVisible())
    return await _found(application)


async def _found(application: WindowApplication) -> dict[str, object]:
    window = application.chats.windows[0].panes.window
    await until(lambda: len(application.chats.windows[0].panes.transcript.entries) == 2)
    return {
        "place": window.pos().toTuple(),
        "size": window.size().toTuple(),
        "screen": window.screen().name(),
        "ratio": window.devicePixelRatioF(),
        "is_on_screen": window.screen().availableGeometry().contains(QRect(window.pos(), window.size())),
        "cut": cut_off(window),
    }


def main(what: str, folder: Path) -> None:
    paths = AppPaths.find(folder)

    async def script(application: WindowApplication) -> None:
        sys.stdout.write(f"{json.dumps(await (leave if what == 'leave' else find)(application, paths))}\n")

    play(paths, script)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
