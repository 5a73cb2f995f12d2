"""Exporting, backing up, restoring and repairing from the window."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel, QListWidget, QPushButton, QWidget

from chatdesk import app
from chatdesk.core.domain.exports import Choice
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.notice import NoticeDialog
from chatdesk.ui.features.settings.data_page import DataPage
from chatdesk.ui.features.settings.restore import RestoreDialog
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.transfer.export_dialog import ExportDialog
from chatdesk.ui.widgets.toast import Toast
from tests.helpers.settings_pages import data_page
from tests.helpers.window import ask, play, until

pytestmark = pytest.mark.usefixtures("qapp")


def _press(parent: QWidget, name: str) -> None:
    button = parent.findChild(QPushButton, name)
    assert button is not None
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def _shown(application: WindowApplication, kind: type[Any]) -> Any:
    return next((each for each in application.panes.window.findChildren(kind) if each.isVisible()), None)


async def _open_data_page(application: WindowApplication) -> DataPage:
    application.panes.commands.trigger("app.settings")
    await until(lambda: _shown(application, SettingsDialog))
    dialog = _shown(application, SettingsDialog)
    dialog.show_page("Data and backup")
    page: DataPage = data_page(dialog)
    return page


def _result(page: DataPage) -> str:
    label = page.findChild(QLabel, "dataResult")
    assert label is not None
    return label.text()


def test_backing_up_checking_and_repairing_have_commands(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "a question to keep")
        toast = application.panes.window.findChild(Toast)
        application.panes.commands.trigger("app.backup")
        await until(lambda: toast.text.startswith("The backup was made: "))
        services = await application.services()
        assert len(await services.backups.list()) == 1
        application.panes.commands.trigger("app.check")
        await until(lambda: toast.text == "Nothing is wrong.")
        application.panes.commands.trigger("app.restore")
        await until(lambda: _shown(application, RestoreDialog))
        _shown(application, RestoreDialog).reject()
        with closing(sqlite3.connect(paths.database)) as conn:
            conn.execute("UPDATE threads SET message_count = 77")
            conn.commit()
        application.panes.commands.trigger("app.repair")
        await until(lambda: "orrected" in _said(application) or "ounter" in _said(application))

    play(paths, script)


def _said(application: WindowApplication) -> str:
    notice = _shown(application, NoticeDialog)
    toast = application.panes.window.findChild(Toast)
    return str(notice.accessibleDescription() if notice is not None else toast.text)


@pytest.mark.parametrize("kind", ["md", "html", "json", "pdf"])
def test_the_dialog_exports_the_open_thread(paths: AppPaths, tmp_path: Path, kind: str) -> None:
    target = tmp_path / f"out.{'zip' if kind == 'json' else kind}"

    async def script(application: WindowApplication) -> None:
        await ask(application, "/demo code")
        application.panes.commands.trigger("thread.export")
        await until(lambda: _shown(application, ExportDialog))
        dialog = _shown(application, ExportDialog)
        assert not dialog.trash.isEnabled()
        button = dialog.findChild(QWidget, f"exportFormat_{kind}")
        button.click()
        await until(lambda: not dialog.is_unread)
        _press(dialog, "exportGo")
        await until(lambda: application.panes.window.findChild(QFileDialog, "exportPlace"))
        chooser = application.panes.window.findChild(QFileDialog, "exportPlace")
        chooser.fileSelected.emit(str(target))
        chooser.reject()
        # Two processes that give way to others: on a busy computer they take their time, and nothing else does.
        await until(target.exists, within_s=100)

    play(paths, script, timeout_s=110)
    data = target.read_bytes()
    if kind == "json":
        with zipfile.ZipFile(target) as archive:
            assert len(json.loads(archive.read("chatdesk.json"))["threads"][0]["messages"]) == 2
    elif kind == "pdf":
        assert data.startswith(b"%PDF-")
        assert len(data) > 5000
    else:
        assert b"demo code" in data


def test_a_folder_of_everything_is_written_and_nothing_overwritten(paths: AppPaths, tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "one")
        for _ in range(2):
            await application.bindings.export.export(Choice(), "md", tmp_path)

    play(paths, script)
    folders = sorted(tmp_path.glob("ChatDesk export *"))
    assert len(folders) == 2
    assert [path.name for path in folders[0].iterdir()] == ["one.md"]


def test_backup_check_and_repair_say_what_they_did(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "kept")
        page = await _open_data_page(application)
        _press(page, "data_backup")
        await until(lambda: "The backup was made" in _result(page))
        _press(page, "data_check")
        await until(lambda: _result(page) == "Nothing is wrong.")
        services = await application.services()
        await services.database.write(lambda conn: conn.exec_driver_sql("UPDATE threads SET message_count = 77"))
        _press(page, "data_check")
        await until(lambda: "counters" in _result(page))
        _press(page, "data_repair")
        await until(lambda: "were corrected" in _result(page))
        assert (await services.library.list_threads(ThreadQuery())).threads[0].message_count == 2

    play(paths, script)
    assert list(paths.backup_dir.glob("chatdesk-*.db.gz"))
    assert list(paths.backup_dir.glob("before-repair-*.db.gz"))


def test_everything_is_saved_as_a_zip(paths: AppPaths, tmp_path: Path) -> None:
    target = tmp_path / "all.zip"

    async def script(application: WindowApplication) -> None:
        await ask(application, "kept")
        page = await _open_data_page(application)
        _press(page, "data_zip")
        await until(lambda: application.panes.window.findChild(QFileDialog, "zipPlace"))
        chooser = application.panes.window.findChild(QFileDialog, "zipPlace")
        chooser.fileSelected.emit(str(target))
        chooser.reject()
        await until(lambda: "Everything was saved" in _result(page))

    play(paths, script)
    assert zipfile.is_zipfile(target)


def test_a_restore_shows_what_is_inside_closes_and_asks_for_a_new_start(
    paths: AppPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: list[int] = []
    monkeypatch.setattr(app, "start_again", lambda: starts.append(1))

    async def script(application: WindowApplication) -> None:
        await ask(application, "old")
        services = await application.services()
        backup = await services.maintenance.back_up_now()
        await ask(application, "new")
        page = await _open_data_page(application)
        _press(page, "data_restore")
        await until(lambda: _shown(application, RestoreDialog))
        dialog = _shown(application, RestoreDialog)
        assert dialog.path == str(backup)
        await until(dialog.restore_button.isEnabled)
        text = dialog.findChild(QLabel, "restoreContents").text()
        assert "1 thread, 2 messages" in text
        assert "• old" in text
        bad = tmp_path / "bad.zip"
        bad.write_text("x")
        dialog.add_file(bad)
        await until(lambda: "is not a complete backup" in dialog.findChild(QLabel, "restoreContents").text())
        assert not dialog.restore_button.isEnabled()
        dialog.findChild(QListWidget).setCurrentRow(0)
        await until(dialog.restore_button.isEnabled)
        closed: list[None] = []
        application.panes.window.closing.connect(lambda: closed.append(None))
        await until(lambda: not dialog.is_unread)
        _press(dialog, "restoreGo")
        await until(lambda: closed)

    play(paths, script)
    assert starts == [1]
    with closing(sqlite3.connect(paths.database)) as conn:
        assert conn.execute("SELECT count(*) FROM messages").fetchone() == (2,)
    assert list(paths.backup_dir.glob("before-restore-*.db.gz"))

    async def again(application: WindowApplication) -> None:
        services = await application.services()
        assert services.report.warning is None
        assert len((await services.library.list_threads(ThreadQuery())).threads) == 1

    play(paths, again)
