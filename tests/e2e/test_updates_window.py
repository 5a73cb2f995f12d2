"""*Updates…* says how a copy is updated, and a portable program where a newer version is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLabel

from chatdesk import __version__
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.fetching.guarded_fetch import FetchFailed
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.core.updates import Version
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.desktop import updates as window_updates
from chatdesk.ui.features.desktop.updates import UpdateDialog
from chatdesk.ui.widgets.banner import Banner
from tests.helpers.waiting import stays
from tests.helpers.window import play, until

pytestmark = pytest.mark.usefixtures("qapp")
PAGE = "https://releases.example/"


class Releases:
    """What the page of releases answers, and the pages that were opened."""

    answer: Version | ChatDeskError | None = Version(99, 0, 0)

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.opened: list[str] = []

    def newer_version(self, page: str) -> Version | None:
        self.asked.append(page)
        if isinstance(self.answer, ChatDeskError):
            raise self.answer
        return self.answer


@pytest.fixture
def releases(monkeypatch: pytest.MonkeyPatch) -> Iterator[Releases]:
    """A portable program that was built with a page of releases."""
    made = Releases()
    monkeypatch.setattr(window_updates, "releases_page", lambda _installation, _resources: PAGE)
    monkeypatch.setattr(window_updates, "newer_version", made.newer_version)
    monkeypatch.setattr(window_updates, "is_packaged", lambda: True)
    monkeypatch.setattr(window_updates, "_SETTLE_S", 0)
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: made.opened.append(url.toString()) or True)
    return made


def _dialog(application: WindowApplication) -> UpdateDialog | None:
    return next(iter(application.panes.window.findChildren(UpdateDialog)), None)


def _state(dialog: UpdateDialog) -> str:
    label = dialog.findChild(QLabel, "updateState")
    assert isinstance(label, QLabel)
    return label.text()


def test_a_copy_without_a_page_says_how_it_is_updated(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await until(lambda: application.panes.commands.trigger("app.updates"))
        await until(lambda: _dialog(application) is not None)
        dialog = _dialog(application)
        assert dialog is not None
        summary = dialog.findChild(QLabel, "updateSummary")
        assert isinstance(summary, QLabel)
        assert "git pull" in summary.text()
        assert dialog.check_button.isHidden()
        assert dialog.page_button.isHidden()

    play(AppPaths.find(tmp_path), script)


def test_the_dialog_looks_when_it_is_asked_and_opens_the_page(tmp_path: Path, releases: Releases) -> None:
    async def script(application: WindowApplication) -> None:
        await until(lambda: application.panes.commands.trigger("app.updates"))
        await until(lambda: _dialog(application) is not None)
        dialog = _dialog(application)
        assert dialog is not None
        assert not releases.asked
        for answer, words in (
            (None, f"ChatDesk {__version__} is the newest version."),
            (Version(99, 0, 0), f"ChatDesk 99.0.0 is available; you have {__version__}."),
        ):
            releases.answer = answer
            dialog.check_button.click()
            await until(lambda dialog=dialog, words=words: _state(dialog) == words)  # type: ignore[misc]
            assert dialog.page_button.isHidden() == (answer is None)
        dialog.page_button.click()
        assert releases.opened == [PAGE]
        releases.answer = FetchFailed()
        dialog.check_button.click()
        await until(lambda: "could not be loaded" in " ".join(each.text() for each in dialog.findChildren(QLabel)))

    play(AppPaths.find(tmp_path), script)


@pytest.mark.parametrize("is_wanted", [True, False])
def test_a_newer_version_is_told_where_the_person_wants_it(tmp_path: Path, releases: Releases, is_wanted: bool) -> None:
    def notice(application: WindowApplication) -> Banner | None:
        found = application.panes.window.findChild(Banner, "updateNotice")
        return found if isinstance(found, Banner) and not found.isHidden() else None

    async def script(application: WindowApplication) -> None:
        if not is_wanted:
            await stays(lambda: not releases.asked, for_s=0.3)
            return
        await until(lambda: notice(application) is not None)
        banner = notice(application)
        assert banner is not None
        assert "ChatDesk 99.0.0 is available." in banner.accessibleName()
        banner.actionTriggered.emit()
        assert releases.opened == [PAGE]
        banner.closed.emit()
        assert notice(application) is None

    settings = Settings(provider="offline", offline_speed_tokens_per_s=0, updates_check=is_wanted)
    play(AppPaths.find(tmp_path), script, settings)
