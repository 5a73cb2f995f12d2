"""A disk that takes nothing for a while: what was written stays in the window and gets in once it can."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.errors import NotPossible, StorageFull, StorageReadOnly
from chatdesk.core.events import StorageFailed, StorageRecovered
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.chat.unsaved import Unsaved
from chatdesk.ui.qt.async_tasks import AsyncTasks
from tests.helpers.full_disk import FullDisk
from tests.helpers.waiting import stays_in_window
from tests.helpers.window import answered, ask, play, press, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")


def _banner(application: WindowApplication) -> str:
    label = application.panes.window.findChild(QLabel, "bannerText")
    return label.text() if label is not None and label.isVisible() else ""


def _status(application: WindowApplication) -> list[str]:
    return [label.text() for label in application.panes.sidebar.findChildren(QLabel)]


@pytest.mark.parametrize("trouble", [StorageFull, StorageReadOnly])
@pytest.mark.parametrize("is_new", [True, False])
def test_a_question_that_cannot_be_stored_is_sent_once_it_can(
    paths: AppPaths, monkeypatch: pytest.MonkeyPatch, trouble: type[Exception], is_new: bool
) -> None:
    disk = FullDisk(monkeypatch)

    async def script(application: WindowApplication) -> None:
        await application.services()
        if not is_new:
            await ask(application, "first")
        application.bindings.unsaved.findChild(QTimer).setInterval(20)
        disk.trouble = trouble
        type_text(application, "precious")
        press(application, Qt.Key.Key_Return)
        await until(lambda: "Your question" in _banner(application) or "your question" in _banner(application))
        assert "kept here" in _banner(application)
        assert "Not saved" in _status(application)
        assert application.panes.composer.text() == "precious"

        def mend() -> None:
            disk.trouble = None
            application.bindings.unsaved.try_again()

        answer = await answered(application, mend)
        assert answer.status.value == "complete"
        await until(lambda: application.panes.composer.text() == "")
        await until(lambda: not _banner(application))
        assert "All changes saved" in _status(application)
        services = await application.services()
        thread = (await services.library.list_threads(ThreadQuery())).threads[0]
        page = await services.chat.reader.get_thread_messages(thread.id, 10)
        assert [message.text for message in page.messages if message.role.value == "user"][-1] == "precious"
        assert thread.message_count == (2 if is_new else 4)

    play(paths, script)


def test_a_draft_that_cannot_be_stored_is_stored_once_it_can(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FullDisk(monkeypatch)

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        application.bindings.unsaved.findChild(QTimer).setInterval(20)
        disk.trouble = StorageFull
        type_text(application, "half a thought")
        await until(lambda: "Your draft is not saved yet" in _banner(application))
        disk.trouble = None
        await until(lambda: not _banner(application))
        draft = await services.chat.drafts.get(None)
        assert draft is not None
        assert draft.text == "half a thought"

    play(paths, script)


@pytest.mark.parametrize("first", ["answer", "draft"])
def test_all_is_called_saved_once_answers_and_drafts_both_are(
    paths: AppPaths, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    disk = FullDisk(monkeypatch)

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        disk.trouble = StorageFull
        type_text(application, "half a thought")
        await until(lambda: "Not saved" in _status(application))
        services.events.publish(StorageFailed(StorageFull()))

        async def work_again(what: str) -> None:
            if what == "answer":
                services.events.publish(StorageRecovered())
                return
            disk.trouble = None
            application.bindings.unsaved.try_again()
            await until(lambda: not application.bindings.unsaved.is_waiting)

        await work_again(first)
        assert "Not saved" in _status(application)
        assert _banner(application)
        await work_again("draft" if first == "answer" else "answer")
        assert "All changes saved" in _status(application)
        assert not _banner(application)

    play(paths, script)


async def test_another_failure_is_shown_and_not_retried_forever() -> None:
    told: list[Exception] = []
    tasks = AsyncTasks(told.append)
    unsaved = Unsaved(tasks, first_ms=1)
    recovered: list[int] = []
    unsaved.recovered.connect(lambda: recovered.append(1))

    async def retry() -> None:
        raise NotPossible("The thread is gone.")

    unsaved.retry_later("question", StorageFull(), retry)
    unsaved.try_again()
    await until(lambda: told and recovered)
    assert [str(error) for error in told] == ["The thread is gone."]
    assert recovered == [1]
    await tasks.close()


async def test_what_is_being_tried_is_not_begun_a_second_time() -> None:
    tasks = AsyncTasks(lambda _error: None)
    unsaved = Unsaved(tasks, first_ms=1)
    recovered: list[int] = []
    unsaved.recovered.connect(lambda: recovered.append(1))
    go_on = asyncio.Event()
    tried: list[str] = []

    async def retry() -> None:
        tried.append("again")
        await go_on.wait()
        tried.append("done")

    async def another() -> None:
        tried.append("another")

    unsaved.retry_later("question", StorageFull(), retry)
    for _ in range(3):  # somebody is impatient
        unsaved.try_again()
        await asyncio.sleep(0)
    unsaved.retry_later("draft", StorageFull(), another)
    unsaved.try_again()
    go_on.set()

    def is_over() -> bool:
        QApplication.processEvents()  # the timer is Qt's
        return bool(recovered)

    await until(is_over)
    assert tried == ["again", "done", "another"]
    await tasks.close()


def test_nothing_is_tried_after_the_end(qtbot: QtBot) -> None:
    unsaved = Unsaved(AsyncTasks(lambda _error: None), first_ms=1)
    tried: list[str] = []

    async def retry() -> None:
        tried.append("again")

    unsaved.retry_later("draft", StorageFull(), retry)
    unsaved.end()
    unsaved.retry_later("draft", StorageFull(), retry)
    stays_in_window(qtbot, lambda: not tried, for_s=0.02)
