"""Plays a script in the real window: keys in, pixels out, the database in between."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from unittest.mock import patch

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from chatdesk.app import run_window
from chatdesk.core.domain.message import Message
from chatdesk.core.events import AnswerFinished
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.tools.card_frame import CardFrame
from tests.helpers.left_windows import delete_windows
from tests.helpers.waiting import PATIENCE_S
from tests.helpers.waiting import until as until

ROOT = Path(__file__).parents[2]
#: As after the tour: the demo model answers, and no first screen is built in each window.
FAST = Settings(offline_speed_tokens_per_s=0, provider="offline")
FIRST_START = Settings(offline_speed_tokens_per_s=0)


def play(
    paths: AppPaths,
    script: Callable[[WindowApplication], Awaitable[None]],
    settings: Settings = FAST,
    *,
    timeout_s: float = 100,
) -> None:
    """Open the window, run the script in it, close it; a failed assertion in the script fails the test."""
    failures: list[BaseException] = []

    async def guarded(application: WindowApplication) -> int:
        try:
            async with asyncio.timeout(timeout_s):
                await script(application)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failures.append(error)
        return 0

    before = QApplication.topLevelWidgets()
    try:
        with patch.object(gc, "freeze"):  # what lives as long as a window would stay for good: this process goes on
            assert run_window(paths, settings, script=guarded) == 0
    finally:
        delete_windows(before)
    if failures:
        raise failures[0]


def type_text(application: WindowApplication, text: str) -> None:
    QTest.keyClicks(application.panes.composer.editor, text)


def press(application: WindowApplication, key: Qt.Key) -> None:
    QTest.keyClick(application.panes.composer.editor, key)


async def click_once_read(card: CardFrame, button: QPushButton) -> None:
    """Click a button that agrees as soon as the card takes that for an answer to its question."""
    await until(lambda: not card.is_unread)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


async def answered(application: WindowApplication, act: Callable[[], object], *, wait_s: float = PATIENCE_S) -> Message:
    services = await application.services()
    done: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
    subscription = services.events.subscribe(
        AnswerFinished, lambda event: None if done.done() else done.set_result(event.message)
    )
    try:
        act()
        async with asyncio.timeout(wait_s):
            return await done
    finally:
        subscription.cancel()


async def ask(application: WindowApplication, text: str) -> Message:
    await application.services()
    type_text(application, text)
    return await answered(application, lambda: press(application, Qt.Key.Key_Return))


async def run_beside(paths: AppPaths, *arguments: str) -> tuple[int | None, str, str]:
    """Start ChatDesk in a process of its own on the same data; return its exit code and what it wrote."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chatdesk", "--data-dir", str(paths.data_dir), *arguments,
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()
