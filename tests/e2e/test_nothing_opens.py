"""Where the system has no program for an address, a file or a folder, whoever pressed something is told so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLabel, QPushButton, QToolTip, QWidget

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.paths import AppPaths, help_page
from chatdesk.core.updates import Version
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.notice import NoticeDialog
from chatdesk.ui.features.desktop.updates import UpdateDialog
from chatdesk.ui.features.settings.data_page import DataPage
from chatdesk.ui.features.tools.sign_in_binding import open_sign_in_page
from chatdesk.ui.widgets.buttons import LinkButton
from tests.helpers.waiting import until
from tests.helpers.window import play

pytestmark = pytest.mark.usefixtures("qapp")
_PAGE: Final = "https://pages.example/there"
Said = Callable[[], str]


def _in_toast(application: WindowApplication) -> Said:
    return lambda: application.panes.pane.toast.text


def _pressed(owner: QWidget, button: str, place: str) -> Said:
    for name, kind in ((button, QPushButton), (place, QLabel)):
        assert owner.findChild(kind, name) is not None, name
    owner.findChild(QPushButton, button).click()  # type: ignore[union-attr]
    return lambda: owner.findChild(QLabel, place).text()  # type: ignore[union-attr]


async def _link(application: WindowApplication) -> Said:
    application.panes.transcript.parts.actions.linkActivated.emit(_PAGE)
    return _in_toast(application)


async def _help(application: WindowApplication) -> Said:
    application.panes.commands.trigger("app.help")
    (notice,) = application.panes.window.findChildren(NoticeDialog)
    return notice.accessibleDescription


async def _file(application: WindowApplication, what: str = "file-open") -> Said:
    services = await application.services()
    stored = services.attachments.blobs.put(iter([b"words"]), max_bytes=100)
    file = Attachment("notes.txt", "text/plain", stored.sha256, 5)
    application.bindings.tasks.start(application.bindings.files.use(what, file), "use a file")
    return _in_toast(application)


async def _folder_of_file(application: WindowApplication) -> Said:
    return await _file(application, "file-folder")


async def _backups(application: WindowApplication) -> Said:
    application.bindings.settings.open("Data and backup")
    await until(lambda: application.panes.window.findChildren(DataPage))
    return _pressed(application.panes.window.findChildren(DataPage)[0], "data_folder", "dataResult")


async def _newer_version(application: WindowApplication) -> Said:
    dialog = UpdateDialog(application.panes.theme, "", _PAGE, parent=application.panes.window)
    dialog.show_found(Version(99, 0, 0))
    return _pressed(dialog, "updatePage", "panelProblem")


async def _newer_version_in_the_bar(application: WindowApplication) -> Said:
    application.bindings.updates.show_newer(Version(99, 0, 0), _PAGE)
    bar = application.panes.pane.findChild(QWidget, "updateNotice")
    assert bar is not None
    bar.actionTriggered.emit()  # type: ignore[attr-defined]
    return _in_toast(application)


async def _report(application: WindowApplication) -> Said:
    notice = NoticeDialog(application.panes.theme, "", "", file=Path("/there/report"), parent=application.panes.window)
    return _pressed(notice, "noticeShow", "panelProblem")


async def _key(application: WindowApplication) -> Said:
    button = LinkButton("Get a key", _PAGE, object_name="key")
    button.setParent(application.panes.window)
    button.show()
    button.click()
    return QToolTip.text


async def _sign_in(_application: WindowApplication) -> Said:
    said = open_sign_in_page(_PAGE)
    return lambda: said


TABLE: Final[dict[str, tuple[Callable[[WindowApplication], Awaitable[Said]], str]]] = {
    "a link": (_link, _PAGE),
    "help": (_help, str(help_page())),
    "an attached file": (_file, "notes.txt"),
    "the folder of a file": (_folder_of_file, "/"),
    "the folder of backups": (_backups, "backups"),
    "a newer version": (_newer_version, _PAGE),
    "a newer version, in the bar": (_newer_version_in_the_bar, _PAGE),
    "the folder of a report": (_report, "/there"),
    "where keys are": (_key, _PAGE),
    "a sign-in": (_sign_in, _PAGE),
}


@pytest.mark.parametrize("door", TABLE)
def test_what_no_program_opens_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, door: str) -> None:
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda _url: False)
    open_it, name = TABLE[door]

    async def script(application: WindowApplication) -> None:
        await application.services()
        said = await open_it(application)
        await until(lambda: "No program opened" in said() and name in said())

    play(AppPaths.find(tmp_path), script)
