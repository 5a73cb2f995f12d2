"""Chats that are only being opened: they count, they are not listed, and where opening fails nothing of them stays."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from chatdesk.core.errors import StorageBusy
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application import open_chats
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.window.chat_window import ThreadWindow
from tests.helpers.window import ask, play, until

pytestmark = pytest.mark.usefixtures("qapp")


def _thread_windows() -> list[ThreadWindow]:
    return [each for each in QApplication.topLevelWidgets() if isinstance(each, ThreadWindow)]


@pytest.mark.parametrize("place", ["window", "beside"])
def test_a_chat_whose_thread_cannot_be_read_is_not_opened(
    paths: AppPaths, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        services, chats, thread_id = await application.services(), application.chats, application.threads.thread_id
        open_chat = chats.open_window if place == "window" else chats.open_beside

        async def busy(*_: object) -> Any:
            raise StorageBusy

        with monkeypatch.context() as patched:
            patched.setattr(services.chat, "get_thread", busy)
            open_chat(thread_id)
            await until(application.panes.pane.toast.isVisible)
        assert chats.shown() == [application.bindings]
        await until(lambda: not _thread_windows())
        open_chat(thread_id)
        await until(lambda: len(chats.shown()) == 2)
        assert chats.shown()[1].threads.thread_id == thread_id

    play(paths, script)


@pytest.mark.parametrize("place", ["window", "beside"])
def test_a_chat_is_listed_when_its_thread_is_there(
    paths: AppPaths, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        services, chats, thread_id = await application.services(), application.chats, application.threads.thread_id
        is_asked, may_answer, get_thread = asyncio.Event(), asyncio.Event(), services.chat.get_thread

        async def late(thread_id: str) -> Any:
            is_asked.set()
            await may_answer.wait()
            return await get_thread(thread_id)

        monkeypatch.setattr(services.chat, "get_thread", late)
        (chats.open_window if place == "window" else chats.open_beside)(thread_id)
        await is_asked.wait()
        assert chats.shown() == [application.bindings]
        may_answer.set()
        await until(lambda: len(chats.shown()) == 2)
        assert chats.shown()[1].threads.thread_id == thread_id
        await until(lambda: application.bindings.active() is chats.shown()[1])
        if place == "window":
            assert chats.windows[0].panes.window.windowTitle().startswith("hello")

    play(paths, script)


def test_windows_that_are_being_opened_count_among_the_most(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_chats, "MAX_WINDOWS", 2)

    async def script(application: WindowApplication) -> None:
        await application.services()
        for _ in range(4):
            application.chats.open_window(None)
        assert application.panes.pane.toast.text == "Close a window first: 2 are open."
        await until(lambda: len(application.chats.windows) == 2)
        first = application.chats.windows[0].panes.window
        first.close()
        await until(lambda: len(application.chats.windows) == 1)
        application.chats.open_window(None)
        await until(lambda: len(application.chats.windows) == 2)

    play(paths, script)


def test_chats_that_a_person_opens_while_chatdesk_starts_stay(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[str | None] = []

    async def first(application: WindowApplication) -> None:
        await ask(application, "hello")
        left.append(application.threads.thread_id)
        application.chats.open_beside(left[0])
        await until(lambda: application.chats.beside is not None)
        application.chats.open_window(left[0])
        await until(lambda: len(application.chats.windows) == 1)

    async def second(application: WindowApplication) -> None:
        may_answer = asyncio.Event()

        async def late(*_: object) -> bool:
            await may_answer.wait()
            return True

        monkeypatch.setattr(open_chats, "is_there", late)
        await until(
            lambda: application.panes.registry.is_offered("thread.open_window") and application.threads.has_shown
        )
        application.chats.open_beside(None)
        await until(lambda: application.chats.beside is not None)
        application.chats.open_window(left[0])
        await until(lambda: len(application.chats.windows) == 1)
        may_answer.set()
        await application.services()  # all are restored by then
        assert application.chats.beside is not None and application.chats.beside.threads.thread_id is None
        assert [each.threads.thread_id for each in application.chats.windows] == left

    play(paths, first)
    play(paths, second)
