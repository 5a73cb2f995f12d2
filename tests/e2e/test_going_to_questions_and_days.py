"""A thread's questions and days lead to their messages in the real window."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QDate, Qt
from PySide6.QtTest import QTest

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.jump_to_date import JumpToDateDialog
from chatdesk.ui.dialogs.outline import OutlineDialog
from tests.helpers.window import ask, play, until


def _open(application: WindowApplication, kind: type) -> object | None:
    return next((each for each in application.panes.window.findChildren(kind) if each.isVisible()), None)


def test_questions_and_days_lead_to_their_messages(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        panes = application.panes
        panes.commands.trigger("go.outline")
        assert not panes.header.outline_button.isVisible()
        for words in ("apples", "pears", "plums"):
            await ask(application, words)
        await until(lambda: len(panes.transcript.entries) == 6)
        first = panes.transcript.entries[0].message
        panes.header.outline_button.click()
        await until(lambda: _open(application, OutlineDialog) is not None)
        outline = _open(application, OutlineDialog)
        await until(lambda: outline.questions.rowCount() == 3)
        assert outline.count.text() == "3 questions"
        panes.commands.trigger("go.outline")  # is open already
        assert len([each for each in panes.window.findChildren(OutlineDialog) if each.isVisible()]) == 1
        QTest.keyClicks(outline.field, "app")
        QTest.keyClick(outline.field, Qt.Key.Key_Return)
        await until(lambda: panes.transcript.current_message_id() == first.id)
        await until(lambda: panes.window.focusWidget() is panes.transcript)
        panes.transcript.scroll_to_end()
        panes.commands.trigger("go.date")
        await until(lambda: _open(application, JumpToDateDialog) is not None)
        dates = _open(application, JumpToDateDialog)
        asked = datetime.fromtimestamp(first.created_at / 1000)
        assert dates.field.minimumDate() == QDate(asked.year, asked.month, asked.day)
        QTest.keyClick(dates.field, Qt.Key.Key_Return)
        await until(lambda: panes.transcript.current_message_id() == first.id)

    play(AppPaths.find(tmp_path / "data"), script)
