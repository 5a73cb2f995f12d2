"""Finding words in a long thread through the whole window: keys, the service, the database, the bar."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.bulk_data import load_many
from tests.helpers.window import play, until

pytestmark = pytest.mark.usefixtures("qapp")


def test_words_are_found_far_from_what_is_loaded_and_the_bar_is_true(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        view = application.panes.transcript
        thread_id = (await load_many(services.database, threads=1, messages_per_thread=600))[0]
        await application.threads.open(thread_id)
        await until(lambda: view.total == 600 and bool(view.entries))
        assert len(view.entries) < 200
        application.panes.commands.trigger("go.find")
        field = view.findChild(QLineEdit, "findField")
        assert field.isVisible()
        QTest.keyClicks(field, "7: A QUESTION")
        await until(lambda: view.parts.finding.bar.count_text == "60 of 60")
        application.panes.commands.trigger("go.find_next")
        await until(lambda: view.parts.finding.bar.count_text == "1 of 60")
        found = view.parts.finding.current.message_id
        await until(lambda: any(placed.entry.message.id == found for placed in view.parts.layout.placed))
        application.panes.commands.trigger("go.find_previous")
        await until(lambda: view.parts.finding.bar.count_text == "60 of 60")
        QTest.keyClick(field, Qt.Key.Key_Escape)
        assert not field.isVisible()

    play(AppPaths.find(tmp_path / "profile"), script)
