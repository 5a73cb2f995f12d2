"""The window when something is wrong: it opens all the same, and says what, what is safe and what to do."""

from __future__ import annotations

import errno
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QLabel

from chatdesk import app
from chatdesk.core.domain.message import Status
from chatdesk.core.errors import ChatDeskError, StorageError, StorageFull, StorageReadOnly
from chatdesk.core.local_api import client, instance
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.core.storage.engine import tables
from chatdesk.core.storage.profile_database import ProfileDatabase
from chatdesk.services import building, upkeep
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.make_old_database import MIGRATIONS, make
from tests.helpers.window import ask, play, until

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def paths(tmp_path: Path) -> AppPaths:
    return AppPaths.find(tmp_path / "profile")


def _banner(application: WindowApplication) -> str:
    label = application.panes.window.findChild(QLabel, "bannerText")
    return label.text() if label is not None and label.isVisible() else ""


def test_after_a_failed_upgrade_everything_can_be_read_and_the_banner_says_why(
    paths: AppPaths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths.make_directories()
    make(paths.database, "0001")
    bad = tmp_path / "migrations"
    (bad / "versions").mkdir(parents=True)
    for name in ("env.py", "versions/0001_first_schema.py"):
        (bad / name).write_text((MIGRATIONS / name).read_text("utf-8"), "utf-8")
    (bad / "versions" / "0002_bad.py").write_text(
        "revision = '0002'\ndown_revision = '0001'\ndef upgrade():\n    raise ZeroDivisionError\n", "utf-8"
    )
    monkeypatch.setattr(building, "migrations_dir", lambda: bad)

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        assert services.read_only_reason is not None
        await until(lambda: _banner(application))
        banner = _banner(application)
        assert "could not be upgraded from schema version 0001" in banner
        assert str(paths.backup_dir) in banner
        assert not application.panes.composer.editor.isEnabled() or application.panes.composer.editor.isReadOnly()
        await until(lambda: application.panes.sidebar.thread_list.model().rowCount() > 3)
        threads = (await services.chat.list_threads()).threads
        await application.threads.open(threads[0].id)
        await until(lambda: application.panes.transcript.total == 10)
        await until(lambda: application.panes.transcript.entries)
        assert application.panes.transcript.entries[-1].message.status is Status.INTERRUPTED

    play(paths, script)
    with closing(sqlite3.connect(paths.database)) as conn:
        assert conn.execute("SELECT version_num FROM alembic_version").fetchone() == ("0001",)


def test_where_files_cannot_be_locked_the_window_opens_to_read(
    paths: AppPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def write(application: WindowApplication) -> None:
        await ask(application, "kept")

    async def read(application: WindowApplication) -> None:
        services = await application.services()
        await until(lambda: "cannot lock files" in _banner(application))
        assert not services.has_other_owner
        assert [thread.title for thread in (await services.chat.list_threads()).threads] == ["kept"]
        await until(lambda: application.panes.transcript.total == 2)

    def no_locks(*_arguments: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    play(paths, write)
    monkeypatch.setattr("chatdesk.core.local_api.instance._lock", no_locks)
    play(paths, read)


@pytest.mark.parametrize("trouble", [StorageFull, StorageReadOnly])
@pytest.mark.parametrize("revision", ["0001", tables.HEAD_REVISION])
def test_a_start_that_could_only_read_goes_on_to_write_once_it_can(
    paths: AppPaths, monkeypatch: pytest.MonkeyPatch, trouble: type[StorageError], revision: str
) -> None:
    paths.make_directories()
    make(paths.database, revision)
    real = ProfileDatabase._open
    is_in_the_way = True

    def opened(self: ProfileDatabase) -> object:
        if is_in_the_way:
            raise trouble
        return real(self)

    monkeypatch.setattr(ProfileDatabase, "_open", opened)
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
    real = instance._lock
    is_in_the_way = True

    def lock(*arguments: object) -> None:
        if is_in_the_way:
            raise OSError(errno.ENOLCK, "No locks available")
        real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(instance, "_lock", lock)
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
    monkeypatch.setattr(app, "run_upkeep", partial(app.run_upkeep, settle_s=0))
    monkeypatch.setattr("chatdesk.core.storage.upkeep.backup_directory._SPARE_BYTES", 10**18)

    async def script(application: WindowApplication) -> None:
        await application.services()
        await until(lambda: "The daily backup was not made" in _banner(application))

    play(paths, script)


def test_a_window_that_is_open_makes_a_backup(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "run_upkeep", partial(app.run_upkeep, settle_s=0))

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

    monkeypatch.setattr(app, "build_services", fail)

    async def script(application: WindowApplication) -> None:
        with pytest.raises(ChatDeskError, match="needs to start"):
            await application.services()
        await until(lambda: "needs to start" in _banner(application))

    play(paths, script)


def test_a_damaged_database_leaves_no_control_that_does_nothing(paths: AppPaths) -> None:
    paths.make_directories()
    paths.database.write_bytes(b"SQLite format 3\0" + b"damaged" * 3000)

    async def script(application: WindowApplication) -> None:
        with pytest.raises(ChatDeskError, match="is damaged"):
            await application.services()
        await until(lambda: "is damaged" in _banner(application))
        buttons = application.panes.window.findChildren(QAbstractButton)
        usable = {each.accessibleName() for each in buttons if each.isVisible() and each.isEnabled()}
        assert usable == {"Close this notice"}

    play(paths, script)
