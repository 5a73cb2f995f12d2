"""A thread's questions and days lead to their messages in the real window."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QDate, Qt
from PySide6.QtTest import QTest

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.chat.jump_to_date import JumpToDateDialog
from chatdesk.ui.features.inspector.questions_tab import QuestionsTab
from tests.helpers.window import ask, play, until


def _open(application: WindowApplication, kind: type) -> object | None:
    return next((each for each in application.panes.window.findChildren(kind) if each.isVisible()), None)


def test_questions_and_days_lead_to_their_messages(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        panes = application.panes
        panes.commands.trigger("go.outline")
        assert not panes.header.outline_button.isVisible()
        long = "apples " + "and so on " * 60 + "quinces"  # beyond what is shown of a question
        for words in (long, "pears", "plums"):
            await ask(application, words)
        await until(lambda: len(panes.transcript.entries) == 6)
        first = panes.transcript.entries[0].message
        QTest.mouseClick(panes.header.outline_button, Qt.MouseButton.LeftButton)
        tab = panes.window.findChild(QuestionsTab)
        await until(lambda: tab.questions.rowCount() == 3)
        assert tab.count.text() == "3 questions"
        assert panes.window.focusWidget() is tab.field
        QTest.keyClicks(tab.field, "QUINCES app")
        await until(lambda: tab.questions.rowCount() == 1)
        QTest.keyClick(tab.field, Qt.Key.Key_Return)
        await until(lambda: panes.transcript.current_message_id() == first.id)
        assert tab.isVisible(), "one may go on to the next"
        tab.field.clear()
        await until(lambda: tab.questions.rowCount() == 3)
        last = tab.list.visualRect(tab.questions.index(2, 0))
        QTest.mouseClick(tab.list.viewport(), Qt.MouseButton.LeftButton, pos=last.center())
        await until(lambda: panes.transcript.current_message_id() != first.id)
        await ask(application, "cherries")  # comes at the end of the list
        await until(lambda: tab.questions.rowCount() == 4)
        panes.window.resize(500, 600)  # where the inspector covers the thread
        panes.commands.trigger("go.outline")
        QTest.keyClicks(tab.field, "plums")
        await until(lambda: tab.questions.rowCount() == 1)
        QTest.keyClick(tab.field, Qt.Key.Key_Return)
        await until(lambda: panes.transcript.isVisible() and not tab.isVisible())
        panes.window.resize(1000, 700)
        panes.transcript.scrolling.to_end()
        panes.commands.trigger("go.date")
        await until(lambda: _open(application, JumpToDateDialog) is not None)
        dates = _open(application, JumpToDateDialog)
        asked = datetime.fromtimestamp(first.created_at / 1000)
        assert dates.field.minimumDate() == QDate(asked.year, asked.month, asked.day)
        QTest.keyClick(dates.field, Qt.Key.Key_Return)
        await until(lambda: panes.transcript.current_message_id() == first.id)

    play(AppPaths.find(tmp_path / "data"), script)
