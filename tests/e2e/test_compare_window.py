"""Several models asked at once in the real window."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QDialog, QPushButton

from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.message import Status
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.compare.view import CompareView
from tests.helpers.window import ask, play, press, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")
MODELS = [("offline", "offline-demo"), ("offline", "offline-echo")]


async def _compare(application: WindowApplication, text: str, models: Sequence[tuple[str, str]] = MODELS) -> None:
    await application.services()
    application.messages.models.compare(models)
    type_text(application, text)
    press(application, Qt.Key.Key_Return)
    await until(lambda: application.bindings.comparison.view is not None)


def _places(view: CompareView) -> list[tuple[int, int]]:
    """Row and place in it of each column, told from where they are."""
    tops = sorted({column.y() for column in view.columns})
    lefts = sorted({column.x() for column in view.columns})
    return [(tops.index(column.y()), lefts.index(column.x())) for column in view.columns]


async def _ended(application: WindowApplication) -> None:
    chat = (await application.services()).chat
    await until(lambda: not chat.is_answering(application.threads.thread_id or ""))


def test_answers_stand_side_by_side_and_one_is_kept(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await _compare(application, "which one?")
        await _ended(application)
        view = application.bindings.comparison.view
        assert view is not None and view.isVisible()
        assert application.panes.header.model_picker.text() == "Comparing 2 models"
        await until(lambda: all(column.answer.status is Status.COMPLETE for column in view.columns))
        await until(lambda: all(len(column.view.entries) == 1 for column in view.columns))
        texts = [column.view.entries[0].message.text for column in view.columns]
        assert texts[1].strip() == "You wrote: which one?"
        view.columns[1].keep_button.click()
        await until(lambda: application.bindings.comparison.view is None)
        chat = (await application.services()).chat
        shown = (await chat.reader.get_thread_messages(application.threads.thread_id)).messages
        assert (shown[1].model, shown[1].version_count) == ("offline-echo", 2)
        await until(lambda: application.threads.open_thread.model == "offline-echo")
        assert application.panes.transcript.isVisible()
        assert application.messages.models.compared == ()

    play(paths, script)


@pytest.mark.parametrize(
    ("width", "places"),
    [
        (1_300, [(0, 0), (0, 1), (0, 2), (0, 3)]),
        (1_000, [(0, 0), (0, 1), (1, 0), (1, 1)]),
        (700, [(0, 0), (0, 1), (1, 0), (1, 1)]),
        (500, [(0, 0), (1, 0), (2, 0), (3, 0)]),
    ],
)
def test_four_stand_in_as_few_rows_as_there_is_room_for(
    paths: AppPaths, width: int, places: list[tuple[int, int]]
) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        application.messages.models.compare([*MODELS, *MODELS])
        type_text(application, "which one?")
        press(application, Qt.Key.Key_Return)
        await until(lambda: application.bindings.comparison.view is not None)
        await _ended(application)
        view = application.bindings.comparison.view
        assert view is not None
        view.resize(width, 700)
        await until(lambda: _places(view) == places)
        await until(lambda: all(column.answer.status is Status.COMPLETE for column in view.columns))
        keep = view.columns[-1].keep_button
        assert keep.mapTo(view.columns[-1], keep.rect().topLeft()).x() >= 23

    play(paths, script)


def test_answers_that_ended_before_they_were_shown_are_shown_whole(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        first = await ask(application, "first")
        chat = (await application.services()).chat
        compared = await chat.compare(first.thread_id, "which one?", MODELS)
        await _ended(application)
        application.messages.compared.emit(compared)  # with the answers as they were when they were asked for
        view = application.bindings.comparison.view
        assert view is not None
        await until(lambda: all(column.answer.status is Status.COMPLETE for column in view.columns))
        await until(lambda: all(column.view.entries and column.view.entries[0].text for column in view.columns))

    play(paths, script)


def test_one_is_stopped_and_goes_on_alone(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "first")
        await _compare(application, "/demo slow", [MODELS[0], MODELS[0]])
        view = application.bindings.comparison.view
        first, second = view.columns
        await until(lambda: first.view.entries and first.view.entries[0].text)
        first.stop_button.click()
        await until(lambda: first.answer.status is Status.STOPPED)
        assert second.answer.status is not Status.STOPPED
        assert not first.stop_button.isVisible() and second.stop_button.isVisible()
        first.view.actionRequested.emit("continue", first.answer.id)
        await until(lambda: first.answer.status is Status.STREAMING)
        application.panes.commands.trigger("message.stop")
        await _ended(application)
        await until(lambda: (first.answer.status, second.answer.status) == (Status.STOPPED, Status.STOPPED))

    play(paths, script)


def test_versions_are_compared_later_and_escape_leads_back(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        answer = await ask(application, "hello")
        chat = (await application.services()).chat
        again = await chat.regenerate_response(answer.id)
        await _ended(application)
        application.panes.transcript.actionRequested.emit("compare", again.id)
        await until(lambda: application.bindings.comparison.view is not None)
        view = application.bindings.comparison.view
        assert [column.answer.id for column in view.columns] == [answer.id, again.id]
        await until(lambda: all(len(column.view.entries) == 1 for column in view.columns))
        view.resize(420, 700)
        assert view.columns[0].minimumHeight() > 0
        await until(lambda: _places(view) == [(0, 0), (1, 0)])
        view.resize(1_000, 700)
        await until(lambda: _places(view) == [(0, 0), (0, 1)])
        assert view.columns[0].minimumHeight() == 0
        QTest.keyClick(view, Qt.Key.Key_Escape)
        assert application.bindings.comparison.view is None

    play(paths, script)


def test_the_models_are_chosen_in_a_dialog(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        window = application.panes.window
        await until(lambda: sum(len(row[2]) for row in application.panes.header.models) >= 2)
        application.panes.header.compareRequested.emit()
        dialog = window.findChild(QDialog, "compareModelsDialog")
        accept = dialog.findChild(QPushButton, "compareAccept")
        assert not accept.isEnabled()
        for box in dialog.findChildren(QCheckBox):
            box.setChecked(True)
        accept.click()
        assert len(application.messages.models.compared) == 2
        application.panes.header.modelChosen.emit("offline", "offline-demo")
        assert application.messages.models.compared == ()

    play(paths, script)


def test_leaving_the_thread_leaves_the_comparison(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await _compare(application, "which one?")
        application.panes.commands.trigger("thread.new")
        await until(lambda: application.bindings.comparison.view is None)
        assert application.panes.empty_state.isVisible()
        services = await application.services()
        thread = (await services.library.list_threads(ThreadQuery())).threads[0]
        await until(lambda: not services.chat.is_answering(thread.id))

    play(paths, script)
