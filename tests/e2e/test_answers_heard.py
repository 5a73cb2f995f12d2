"""What is heard of an answer, by how it goes and where it is shown: each thing once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent

from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.window import ask, play, press, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")
_BEGINS = "Offline demo is answering"
# By how the answer goes: what is asked, and what is heard of it in order.
HEARD = {
    "finished": ("zebra", (_BEGINS, "Offline demo has answered")),
    "failed": ("/demo error", (_BEGINS, "The connection to the offline model was lost")),
    "stopped": ("/demo slow", (_BEGINS, "The answer was stopped")),
    "queued": ("/demo slow", (_BEGINS, "Sent when the answer is complete", "The answer was stopped")),
}


async def _alone(_application: WindowApplication) -> None:
    pass


async def _beside(application: WindowApplication) -> None:
    """The first chat is asked, and another thread is beside it."""
    other = application.threads.thread_id
    await application.threads.open(None)
    application.chats.open_beside(other)
    await until(lambda: application.chats.beside is not None)
    application.panes.window.pane.focus_composer()


async def _twice(application: WindowApplication) -> None:
    """The same thread is in a window of its own, too."""
    application.chats.open_window(application.threads.thread_id)
    await until(lambda: len(application.chats.windows) == 1)
    await until(lambda: application.chats.windows[0].threads.thread_id == application.threads.thread_id)


PLACES: dict[str, Callable[[WindowApplication], Awaitable[None]]] = {
    "alone": _alone,
    "beside": _beside,
    "twice": _twice,
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("how", HEARD)
def test_an_answer_is_heard_once(tmp_path: Path, how: str, place: str) -> None:
    said: list[str] = []
    question, expected = HEARD[how]

    def listen(event: Any) -> None:
        if isinstance(event, QAccessibleAnnouncementEvent):
            said.append(event.message())

    def heard() -> list[str]:
        return [words for each in said for words in expected if words in each]

    async def script(application: WindowApplication) -> None:
        await ask(application, "before")
        await PLACES[place](application)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(QAccessible, "isActive", staticmethod(lambda: True))
            patch.setattr(QAccessible, "updateAccessibility", staticmethod(listen))
            type_text(application, question)
            press(application, Qt.Key.Key_Return)
            await until(lambda: _BEGINS in said)
            if how == "queued":
                await until(lambda: not application.panes.composer.text())
                type_text(application, "afterwards")
                press(application, Qt.Key.Key_Return)
                await until(lambda: expected[1] in heard())
            if how in ("stopped", "queued"):
                application.panes.commands.trigger("message.stop")
            await until(lambda: expected[-1] in heard())
        assert heard()[: len(expected)] == list(expected)
        assert [heard().count(each) for each in expected[1:]] == [1] * (len(expected) - 1)

    play(AppPaths.find(tmp_path / "profile"), script, Settings(offline_speed_tokens_per_s=300))
