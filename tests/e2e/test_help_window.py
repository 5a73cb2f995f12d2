"""*Help* opens the pages that came with ChatDesk: files of this computer, never an address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices

from chatdesk.core.paths import AppPaths, help_page
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.notice import NoticeDialog
from chatdesk.ui.features.help import help_binding
from tests.helpers.window import play, press, until

pytestmark = pytest.mark.usefixtures("qapp")


class _Browser(QObject):
    """Hears what is opened in place of a browser."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[QUrl] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.opened.append(url)


@pytest.fixture
def browser() -> Iterator[_Browser]:
    made = _Browser()
    for scheme in ("file", "http", "https"):
        QDesktopServices.setUrlHandler(scheme, made, "open")
    yield made
    for scheme in ("file", "http", "https"):
        QDesktopServices.unsetUrlHandler(scheme)


def test_f1_opens_the_pages_from_the_disk(tmp_path: Path, browser: _Browser) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        press(application, Qt.Key.Key_F1)
        await until(lambda: browser.opened)
        assert str(help_page()) in application.panes.pane.toast.text, "a browser that never comes is no dead end"

    play(AppPaths.find(tmp_path), script)
    assert [url.isLocalFile() for url in browser.opened] == [True]
    assert Path(browser.opened[0].toLocalFile()) == help_page()


def test_an_installation_without_the_pages_says_so(
    tmp_path: Path, browser: _Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(help_binding, "help_page", lambda: None)

    async def script(application: WindowApplication) -> None:
        await application.services()
        assert application.panes.commands.trigger("app.help")
        (notice,) = application.panes.window.findChildren(NoticeDialog)
        assert "not in this installation" in notice.accessibleDescription()
        notice.reject()

    play(AppPaths.find(tmp_path), script)
    assert not browser.opened
