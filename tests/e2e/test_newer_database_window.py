"""The window over a database of a newer version: everything can be read, and the banner says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.errors import SchemaTooNew
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.newer_database import REVISION, make_newer, sums
from tests.helpers.window import ask, play, until

pytestmark = pytest.mark.usefixtures("qapp")


def _banner(application: WindowApplication) -> str:
    label = application.panes.window.findChild(QLabel, "bannerText")
    return label.text() if label is not None and label.isVisible() else ""


def test_the_window_reads_a_newer_database_says_what_to_do_and_leaves_every_byte(tmp_path: Path) -> None:
    paths = AppPaths.find(tmp_path / "profile")

    async def write(application: WindowApplication) -> None:
        await ask(application, "How do herons fish?")
        await (await application.services()).search.fill()

    async def read(application: WindowApplication) -> None:
        services = await application.services()
        await until(lambda: _banner(application))
        for words in (
            f"belongs to a newer ChatDesk (schema {REVISION},",
            "You can read, search, copy and export your threads; nothing is changed.",
            "Update ChatDesk to continue writing",
            "restore the backup from before the upgrade",
        ):
            assert words in _banner(application)
        panes = application.panes
        assert panes.composer.editor.isReadOnly()
        (thread,) = (await services.library.list_threads(ThreadQuery())).threads
        await application.threads.open(thread.id)
        await until(lambda: panes.transcript.total == 2)
        await until(lambda: panes.transcript.entries)
        assert panes.transcript.entries[0].message.text == "How do herons fish?"
        for key in (Qt.Key.Key_A, Qt.Key.Key_C):
            QTest.keyClick(panes.transcript, key, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: "How do herons fish?" in QApplication.clipboard().text())
        found = [group async for group in services.search.search("herons", is_typing=False)]
        assert any(group.count for group in found)
        with pytest.raises(SchemaTooNew):
            await services.chat.rename_thread(thread.id, "Other")

    play(paths, write)
    make_newer(paths.database)
    before = sums(paths.database)
    play(paths, read)
    assert sums(paths.database) == before
