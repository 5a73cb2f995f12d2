"""Parameters and the usage tab in the real window."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QPushButton, QTableView, QWidget

from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.window import ask, play, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")


def _dialog(application: WindowApplication) -> QWidget | None:
    return application.panes.window.findChild(QWidget, "parametersDialog")


async def _save(application: WindowApplication, temperature: str) -> None:
    await until(lambda: _dialog(application) is not None)
    dialog = _dialog(application)
    assert dialog is not None
    field = dialog.findChild(QLineEdit, "parameter_temperature")
    field.clear()
    QTest.keyClicks(field, temperature)
    dialog.findChild(QPushButton, "parametersSave").click()
    await until(lambda: _dialog(application) is None)


def test_parameters_are_set_by_the_chip_and_by_command(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        chat = (await application.services()).chat
        chip = lambda: application.panes.window.findChild(QAbstractButton, "parametersChip")  # noqa: E731
        assert chip() is None, "nothing is set yet"
        application.panes.commands.trigger("project.parameters")
        await _save(application, "0.5")
        project = (await chat.projects.default()).id

        async def is_there() -> bool:
            return (await chat.context.steering.project_parameters(project)).temperature == 0.5

        await until(is_there)
        answer = await ask(application, "hello")
        application.panes.window.activateWindow()
        await until(lambda: chip() is not None and chip().isVisible() and chip().text() == "Temperature 0.5")
        chip().setFocus()
        QTest.keyClick(chip(), Qt.Key.Key_Return)
        await _save(application, "0.7")

        async def is_there() -> bool:
            own, wider = await chat.context.steering.own_parameters(answer.thread_id)
            return own.over(wider) == Parameters(temperature=0.7)

        await until(is_there)
        await until(lambda: chip().text() == "Temperature 0.7")
        assert chip().accessibleName() == "Parameters: Temperature 0.7"
        application.panes.commands.trigger("project.parameters")
        await until(lambda: _dialog(application) is not None)
        assert _dialog(application).findChild(QLineEdit, "parameter_temperature").text() == "0.5"
        _dialog(application).findChild(QPushButton, "parametersCancel").click()

    play(paths, script)


def test_parameters_of_a_new_chat_are_its_own_and_keep_its_text(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        chat = (await application.services()).chat
        type_text(application, "half a question")
        application.panes.commands.trigger("thread.parameters")
        await until(lambda: _dialog(application) is not None)
        assert _dialog(application).windowTitle() == "Parameters of this thread"
        await _save(application, "0.5")
        await until(lambda: application.threads.thread_id is not None)
        thread_id = application.threads.thread_id

        async def is_there() -> bool:
            own, wider = await chat.context.steering.own_parameters(thread_id)
            return (own, wider) == (Parameters(temperature=0.5), Parameters())

        await until(is_there)
        assert application.panes.composer.text() == "half a question"
        application.panes.commands.trigger("thread.new")
        await until(lambda: application.threads.thread_id is None)
        assert application.panes.composer.text() == ""
        application.threads.open_soon(thread_id)
        await until(lambda: application.panes.composer.text() == "half a question")

    play(paths, script)


def test_the_usage_tab_follows_the_answers(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        window = application.panes.window
        application.panes.commands.trigger("view.usage")
        about = window.findChild(QLabel, "usageAbout")
        await until(lambda: about.text() == "Nothing yet: ask something.")
        await ask(application, "hello")
        table = window.findChild(QTableView, "usageTable")
        await until(lambda: table.model().rowCount() == 2)
        assert table.model().index(0, 0).data() == "Answers · offline-demo · 1 request"
        await ask(application, "hello again")
        await until(lambda: table.model().index(0, 0).data() == "Answers · offline-demo · 2 requests")
        assert " in 2 requests, $0." in about.text()

    play(paths, script)
