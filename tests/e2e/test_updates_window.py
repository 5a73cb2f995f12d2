"""Updates in the window, with a real feed on loopback: one calm question, a daily look, and one click to install."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton

from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.core.updates.errors import NotDuringAnswers
from chatdesk.core.updates.update_service import DAY_MS
from chatdesk.services import updates
from chatdesk.services.services import Services
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.updates import update_binding
from chatdesk.ui.features.updates.update_dialog import UpdateDialog
from chatdesk.ui.widgets.banner import Banner
from tests.helpers.asked_team import shown
from tests.helpers.update_feed import INSTALLED, UpdateWorld, update_world
from tests.helpers.waiting import stays
from tests.helpers.window import FIRST_START, play, until

pytestmark = pytest.mark.usefixtures("qapp")
# Past the first screen.
USED = Settings(provider="offline", offline_speed_tokens_per_s=0)
LOOKS = replace(USED, updates_check=True)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[UpdateWorld]:
    with update_world(tmp_path) as made:
        made.publish()
        yield made


@pytest.fixture
def opened(
    world: UpdateWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[WindowApplication], Awaitable[None]], Settings], None]:
    """Play a script in the window of the installation of ``world``."""
    made: list[Services] = []

    def build(services: Services) -> object:
        made[:] = [services]
        world.made += 1
        world.is_busy = lambda: services.chat.is_writing
        return world.service()

    world_wants = property(lambda _world: bool(made) and made[0].settings.updates_check, lambda _world, _is_so: None)
    monkeypatch.setattr(UpdateWorld, "is_wanted", world_wants, raising=False)
    monkeypatch.setattr(updates, "build_updates", build)
    monkeypatch.setattr(update_binding, "is_packaged", lambda: True)
    monkeypatch.setattr(update_binding, "_SETTLE_S", 0)

    def opened(script: Callable[[WindowApplication], Awaitable[None]], settings: Settings) -> None:
        play(AppPaths.find(tmp_path / "profile"), script, settings)

    return opened


def _notice(application: WindowApplication) -> Banner | None:
    found = application.panes.window.findChild(Banner, "updateNotice")
    return found if found is not None and found.isVisible() else None


def _text(dialog: UpdateDialog, name: str) -> str:
    label = dialog.findChild(QLabel, name)
    return label.text() if label is not None else ""


async def _noticed(application: WindowApplication) -> Banner:
    await until(lambda: _notice(application))
    found = _notice(application)
    assert found is not None
    return found


def _press(parent: Banner | UpdateDialog, name: str) -> None:
    """Press a button by the key, as whoever has no mouse does."""
    button = next(each for each in parent.findChildren(QPushButton) if each.text() == name and each.isVisible())
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)


def test_it_is_asked_once_and_nothing_is_looked_for_before_a_yes(
    world: UpdateWorld, opened: Callable[..., None]
) -> None:
    async def first(application: WindowApplication) -> None:
        notice = await _noticed(application)
        assert notice.text == "Should ChatDesk look for new versions? It installs none by itself."
        assert world.requested == []
        _press(notice, "No")
        await until(lambda: _notice(application) is None)

    async def second(application: WindowApplication) -> None:
        await application.services()
        application.panes.commands.trigger("app.updates")
        dialog = await shown(UpdateDialog)
        assert "only when you ask for it" in _text(dialog, "updateSummary")
        assert _notice(application) is None
        assert world.requested == []
        dialog.reject()

    opened(first, USED)
    opened(second, USED)


def test_nothing_is_asked_on_the_first_screen(world: UpdateWorld, opened: Callable[..., None]) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        await until(lambda: application.panes.empty_state.first_screen is not None)
        await until(lambda: world.made)
        await stays(lambda: _notice(application) is None, for_s=0.3)

    opened(script, FIRST_START)
    opened(_asked_after_all, USED)


async def _asked_after_all(application: WindowApplication) -> None:
    await _noticed(application)


def test_a_yes_looks_once_a_day_and_the_setting_says_so(world: UpdateWorld, opened: Callable[..., None]) -> None:
    async def script(application: WindowApplication) -> None:
        _press(await _noticed(application), "Once a day")
        services = await application.services()
        await until(lambda: services.settings.updates_check)
        assert _notice(application) is None

    opened(script, USED)


def test_a_new_version_is_told_read_and_installed_by_keyboard(world: UpdateWorld, opened: Callable[..., None]) -> None:
    async def script(application: WindowApplication) -> None:
        notice = await _noticed(application)
        assert notice.text == "ChatDesk 0.3.0 is available."
        assert world.backed_up == []
        _press(notice, "What is new…")
        dialog = await shown(UpdateDialog)
        label = dialog.findChild(QLabel, "updateNotes")
        assert label is not None
        assert label.textFormat() == Qt.TextFormat.PlainText
        assert "Files open <b>sooner</b>." in label.text()
        assert "backs up your data" in _text(dialog, "updateWhatHappens")
        assert dialog.accessibleName() == "Updates"
        _press(dialog, "Install")
        await until(lambda: "is installed" in _text(dialog, "updateState"))
        assert world.starts() == "0.3.0"
        assert world.backed_up == ["0.3.0"]
        dialog.reject()

    opened(script, LOOKS)


def test_what_is_installed_is_what_was_read_about(
    world: UpdateWorld, opened: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(update_binding, "_LOOK_EVERY_S", 0.02)

    async def script(application: WindowApplication) -> None:
        notice = await _noticed(application)
        _press(notice, "What is new…")
        dialog = await shown(UpdateDialog)
        world.publish("0.4.0")
        world.clock.now += DAY_MS
        await until(lambda: notice.text == "ChatDesk 0.4.0 is available.")
        assert "0.3.0 is available" in _text(dialog, "updateState")
        _press(dialog, "Install")
        await until(lambda: dialog.problem.isVisible())
        assert "has changed in the meantime" in dialog.problem.text()
        assert world.starts() == INSTALLED
        dialog.reject()

    opened(script, LOOKS)


def test_during_an_answer_it_is_refused_with_a_sentence(world: UpdateWorld, opened: Callable[..., None]) -> None:
    async def script(application: WindowApplication) -> None:
        _press(await _noticed(application), "What is new…")
        dialog = await shown(UpdateDialog)
        world.is_busy = lambda: True
        _press(dialog, "Install")
        await until(lambda: dialog.problem.isVisible())
        assert dialog.problem.text() == NotDuringAnswers().sentence
        assert world.starts() == INSTALLED
        dialog.reject()

    opened(script, LOOKS)


def test_a_feed_that_fails_is_said_to_whoever_asks_and_to_nobody_else(
    world: UpdateWorld, opened: Callable[..., None]
) -> None:
    (world.feed_dir / "metadata" / "timestamp.json").unlink()

    async def script(application: WindowApplication) -> None:
        await application.services()
        await until(lambda: "/metadata/timestamp.json" in world.requested)
        application.panes.commands.trigger("app.updates")
        dialog = await shown(UpdateDialog)
        _press(dialog, "Look now")
        await until(lambda: dialog.problem.isVisible())
        assert "cannot be reached" in dialog.problem.text()
        assert _notice(application) is None
        dialog.reject()

    opened(script, LOOKS)


def test_closing_while_it_is_fetched_gives_up(world: UpdateWorld, opened: Callable[..., None]) -> None:
    async def script(application: WindowApplication) -> None:
        _press(await _noticed(application), "What is new…")
        dialog = await shown(UpdateDialog)
        _press(dialog, "Install")
        await until(lambda: dialog.is_busy)
        _press(dialog, "Cancel")
        await until(lambda: world.starts() == INSTALLED)

    opened(script, LOOKS)
    assert world.starts() == INSTALLED
