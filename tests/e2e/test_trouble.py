"""The window when something is wrong: it opens all the same, and says what, what is safe and what to do."""

from __future__ import annotations

import errno
import fcntl
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import IO
from zipfile import ZipFile

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel

from chatdesk import app
from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.domain.message import Status
from chatdesk.core.errors import ChatDeskError, StorageError, StorageFull, StorageReadOnly
from chatdesk.core.local_api import client
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.core.storage.engine import pending_restore, tables
from chatdesk.services import building, upkeep
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.help.bug_report import BugReportDialog
from chatdesk.ui.features.settings.restore import RestoreDialog
from tests.helpers.asked_team import shown
from tests.helpers.make_old_database import MIGRATIONS, make
from tests.helpers.window import ask, play, until

pytestmark = pytest.mark.usefixtures("qapp")


def _banner(application: WindowApplication) -> str:
    label = application.panes.window.findChild(QLabel, "bannerText")
    return label.text() if label is not None and label.isVisible() else ""


def test_after_a_failed_upgrade_everything_can_be_read_and_the_banner_says_why(
    paths: AppPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths.make_directories()
    make(paths.database, "0013")
    bad = tmp_path / "migrations"
    (bad / "versions").mkdir(parents=True)
    for name in ("env.py", "versions/0013_first_schema.py", "versions/0013_first_schema.sql"):
        (bad / name).write_text((MIGRATIONS / name).read_text("utf-8"), "utf-8")
    (bad / "versions" / "0014_bad.py").write_text(
        "revision = '0014'\ndown_revision = '0013'\ndef upgrade():\n    raise ZeroDivisionError\n", "utf-8"
    )
    monkeypatch.setattr(building, "migrations_dir", lambda: bad)

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        assert services.read_only_reason is not None
        await until(lambda: _banner(application))
        banner = _banner(application)
        assert "could not be upgraded from schema version 0013" in banner
        assert str(paths.backup_dir) in banner
        assert not application.panes.composer.editor.isEnabled() or application.panes.composer.editor.isReadOnly()
        await until(lambda: application.panes.sidebar.thread_list.model().rowCount() > 3)
        threads = (await services.library.list_threads(ThreadQuery())).threads
        await application.threads.open(threads[0].id)
        await until(lambda: application.panes.transcript.total == 10)
        await until(lambda: application.panes.transcript.entries)
        assert application.panes.transcript.entries[-1].message.status is Status.INTERRUPTED

    play(paths, script)
    with closing(sqlite3.connect(paths.database)) as conn:
        assert conn.execute("SELECT version_num FROM alembic_version").fetchone() == ("0013",)


def test_where_files_cannot_be_locked_the_window_opens_to_read(
    paths: AppPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def write(application: WindowApplication) -> None:
        await ask(application, "kept")

    async def read(application: WindowApplication) -> None:
        services = await application.services()
        await until(lambda: "cannot lock files" in _banner(application))
        assert not services.has_other_owner
        assert [thread.title for thread in (await services.library.list_threads(ThreadQuery())).threads] == ["kept"]
        await until(lambda: application.panes.transcript.total == 2)

    def no_locks(*_arguments: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    play(paths, write)
    monkeypatch.setattr(fcntl, "flock", no_locks)
    play(paths, read)


@pytest.mark.parametrize("trouble", [StorageFull, StorageReadOnly])
@pytest.mark.parametrize("revision", ["0013", tables.HEAD_REVISION])
def test_a_start_that_could_only_read_goes_on_to_write_once_it_can(
    paths: AppPaths, monkeypatch: pytest.MonkeyPatch, trouble: type[StorageError], revision: str
) -> None:
    paths.make_directories()
    make(paths.database, revision)
    finish = pending_restore.finish
    is_in_the_way = True

    def finish_if_it_can_be_written(database: Path) -> None:
        """What is done first when a database is opened to write."""
        if is_in_the_way:
            raise trouble
        finish(database)

    monkeypatch.setattr(pending_restore, "finish", finish_if_it_can_be_written)
    monkeypatch.setattr(upkeep, "_TRY_AGAIN_S", 0.02)

    async def script(application: WindowApplication) -> None:
        nonlocal is_in_the_way
        services = await application.services()
        composer = application.panes.composer
        assert isinstance(services.read_only_reason, trouble)
        (paths.data_dir / "instance.json").unlink()  # as where there was no room for it
        await until(lambda: _banner(application))
        assert composer.editor.isReadOnly()
        assert not services.chat.context.summaries.can_be_made
        is_in_the_way = False
        await until(lambda: services.read_only_reason is None)
        await until(lambda: not _banner(application))
        assert not composer.editor.isReadOnly()
        assert services.chat.context.summaries.can_be_made
        assert await client.show_owner_window(paths.data_dir)
        answer = await ask(application, "Is there room again?")
        assert answer.status is Status.COMPLETE
        await services.search.fill()
        found = [group async for group in services.search.search("room again", is_typing=False)]
        assert any(group.count for group in found)

    play(paths, script)
    with closing(sqlite3.connect(paths.database)) as conn:
        assert conn.execute("SELECT version_num FROM alembic_version").fetchone() == (tables.HEAD_REVISION,)
        assert conn.execute("SELECT count(*) FROM messages WHERE status IN ('pending', 'streaming')").fetchone() == (0,)


def test_a_directory_that_could_not_be_owned_is_owned_once_it_can(
    paths: AppPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock
    is_in_the_way = True

    def lock(file: IO[bytes], operation: int) -> None:
        if is_in_the_way:
            raise OSError(errno.ENOLCK, "No locks available")
        flock(file, operation)

    monkeypatch.setattr(fcntl, "flock", lock)
    monkeypatch.setattr(upkeep, "_TRY_AGAIN_S", 0.02)
    paths.make_directories()
    make(paths.database, tables.HEAD_REVISION)

    async def script(application: WindowApplication) -> None:
        nonlocal is_in_the_way
        services = await application.services()
        await until(lambda: _banner(application))
        assert not await client.show_owner_window(paths.data_dir)
        is_in_the_way = False
        await until(lambda: not _banner(application))
        assert await client.show_owner_window(paths.data_dir)
        assert services.lock.is_held

    play(paths, script)


def test_what_the_daily_upkeep_finds_is_shown(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "run_upkeep", partial(upkeep.run_upkeep, settle_s=0))
    monkeypatch.setattr("chatdesk.core.storage.upkeep.backup_directory._SPARE_BYTES", 10**18)

    async def script(application: WindowApplication) -> None:
        await application.services()
        await until(lambda: "The daily backup was not made" in _banner(application))

    play(paths, script)


def test_a_window_that_is_open_makes_a_backup(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "run_upkeep", partial(upkeep.run_upkeep, settle_s=0))

    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        await until(lambda: list(paths.backup_dir.glob("chatdesk-000001-*.db.gz")))

    play(paths, script)
    assert not list(paths.backup_dir.glob("*.new"))


def test_a_server_without_a_key_is_not_answered_for_by_the_offline_model(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        texts = [label.text() for label in application.panes.empty_state.findChildren(QLabel)]
        assert any("OpenAI has no key yet" in text for text in texts)
        answer = await ask(application, "who are you?")
        assert (answer.provider, answer.status) == ("openai", Status.ERROR)
        assert "OPENAI_API_KEY" in (answer.error or "")
        assert answer.text == ""

    play(paths, script, Settings(provider="openai"))


def test_a_start_that_fails_for_an_unforeseen_reason_says_so_and_can_be_closed(
    paths: AppPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_values: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(building, "build_services", fail)

    async def script(application: WindowApplication) -> None:
        await _failed(application, "needs to start")

    play(paths, script)


def _damage(path: Path) -> None:
    """Write rubbish over the pages of a database, its first one with the schema included."""
    size = path.stat().st_size
    path.with_name(f"{path.name}-wal").unlink(missing_ok=True)
    path.write_bytes(b"SQLite format 3\0" + b"damaged" * (size // len("damaged")))


def _usable(application: WindowApplication) -> list[QAbstractButton]:
    buttons = application.panes.window.findChildren(QAbstractButton)
    return [each for each in buttons if each.isVisible() and each.isEnabled()]


async def _failed(application: WindowApplication, words: str) -> list[QAbstractButton]:
    """Wait for the end of a start that fails, and return the ways out."""
    with pytest.raises(ChatDeskError, match=words):
        await application.services()
    assert words in _banner(application)
    return [each for each in _usable(application) if each.accessibleName() != "Close this notice"]


def test_a_damaged_database_leaves_no_control_that_does_nothing(paths: AppPaths) -> None:
    paths.make_directories()
    paths.database.write_bytes(b"SQLite format 3\0" + b"damaged" * 3000)

    async def script(application: WindowApplication) -> None:
        ways = await _failed(application, "is damaged")
        assert [each.text() for each in ways] == ["Restore a backup…", "Report a problem…", "Quit"]
        ways[1].click()
        report = await shown(BugReportDialog)
        report.reject()
        ways[2].click()
        await application.closed()

    play(paths, script)


@pytest.mark.parametrize("has_mouse", [True, False], ids=["mouse", "keyboard"])
def test_a_backup_is_restored_from_the_window_that_could_not_open(
    paths: AppPaths, has_mouse: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: list[int] = []
    monkeypatch.setattr(app, "start_again", lambda: starts.append(1))

    async def write(application: WindowApplication) -> None:
        await ask(application, "kept")
        await (await application.services()).maintenance.back_up_now()

    async def restore(application: WindowApplication) -> None:
        ways = await _failed(application, "is damaged")
        if has_mouse:
            QTest.mouseClick(ways[0], Qt.MouseButton.LeftButton)
        else:
            assert application.panes.window.focusWidget() is ways[0]
            QTest.keyClick(ways[0], Qt.Key.Key_Return)
        dialog = await shown(RestoreDialog)
        go = dialog.restore_button
        await until(go.isEnabled)
        await until(lambda: not dialog.is_unread)
        if has_mouse:
            QTest.mouseClick(go, Qt.MouseButton.LeftButton)
        else:
            while dialog.focusWidget() is not go:
                QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
            QTest.keyClick(go, Qt.Key.Key_Return)
        await application.closed()

    async def again(application: WindowApplication) -> None:
        services = await application.services()
        assert [each.title for each in (await services.library.list_threads(ThreadQuery())).threads] == ["kept"]

    play(paths, write)
    _damage(paths.database)
    damaged = paths.database.read_bytes()
    play(paths, restore)
    assert starts == [1]
    (kept,) = paths.backup_dir.glob("before-restore-*.zip")
    with ZipFile(kept) as archive:
        assert archive.read("damaged/chatdesk.db") == damaged
    play(paths, again)


def test_a_restore_that_fails_leaves_the_damaged_database_and_the_ways_out(paths: AppPaths, tmp_path: Path) -> None:
    paths.make_directories()
    damaged = b"SQLite format 3\0" + b"damaged" * 3000
    paths.database.write_bytes(damaged)
    bad = tmp_path / "bad.zip"
    bad.write_text("no backup")

    async def script(application: WindowApplication) -> None:
        ways = await _failed(application, "is damaged")
        ways[0].click()
        dialog = await shown(RestoreDialog)
        contents = dialog.findChild(QLabel, "restoreContents")
        assert contents.text() == "There is no backup yet."
        dialog.add_file(bad)
        await until(lambda: "is not a complete backup" in contents.text())
        assert not dialog.restore_button.isEnabled()
        dialog.reject()
        assert all(each.isEnabled() for each in ways)

    play(paths, script)
    assert paths.database.read_bytes() == damaged
