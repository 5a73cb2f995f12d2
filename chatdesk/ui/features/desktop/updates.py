"""Shows *Updates…*: how this copy is updated; the portable program also tells of a newer version and where it is."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from chatdesk import __version__
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.paths import resources_dir
from chatdesk.core.system.child_process import is_packaged
from chatdesk.core.texts import shown, tr
from chatdesk.core.updates import Version, find_installation, newer_version, releases_page
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.banner import Banner
from chatdesk.ui.widgets.outside import open_outside
from chatdesk.ui.window.window_context import WindowContext

_log = logging.getLogger(__name__)

_WIDTH_PX: Final = 480  # at scale 1
_SETTLE_S, _LOOK_EVERY_S = 60.0, 24 * 3600.0


class UpdateDialog(TaskPanel):
    """A dialog that says how this copy is updated. With a ``page`` of releases it asks that for a newer version
    (``checkRequested``) and opens it."""

    checkRequested = Signal()

    def __init__(self, theme: Theme, summary: str, page: str = "", parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("Updates"), object_name="updateDialog", width_px=_WIDTH_PX, parent=parent)
        self._state = plain_label("", "text", wraps=True, name="updateState")
        self._state.setText(tr("This is ChatDesk {version}.", version=__version__))
        self.body.addWidget(self._state)
        self.body.addWidget(plain_label(summary, "muted", wraps=True, name="updateSummary"))
        close = self.add_button(push_button(tr("Close"), "updateClose", self.reject, is_way_out=True))
        self.check_button = self.add_button(push_button(tr("Look now"), "updateCheck", self.checkRequested.emit))
        self.page_button = self.add_button(
            push_button(
                tr("Open the page"), "updatePage", lambda: self.show_problem(open_outside(page)), is_primary=True
            )
        )
        self.check_button.setVisible(bool(page))
        self.page_button.hide()
        close.setFocus()

    def show_checking(self) -> None:
        """Show that the page is being asked."""
        self.show_busy(tr("Looking for a new version…"))

    def show_found(self, version: Version | None) -> None:
        """Show the newer version, None where this one is the newest."""
        self._end()
        if version is None:
            self._state.setText(tr("ChatDesk {version} is the newest version.", version=__version__))
        else:
            words = tr("ChatDesk {new} is available; you have {version}.", new=str(version), version=__version__)
            self._state.setText(words)
        self.page_button.setVisible(version is not None)
        announce(self, self._state.text())

    def show_failed(self, sentence: str) -> None:
        """Show why the page could not be asked; it can be tried again."""
        self._end()
        self.show_problem(sentence)

    def _end(self) -> None:
        self.end_busy()
        self.show_problem("")


class UpdateBinding(QObject):
    """Controller of updates."""

    def __init__(self, context: WindowContext, settings: SettingsBinding) -> None:
        super().__init__()
        self._context = context
        self._settings = settings
        self._notice: Banner | None = None
        context.panes.commands.bind("app.updates", self.open)

    def start(self) -> None:
        """Look for a newer version once a day from now on, while the person wants it. Only packages can."""
        if is_packaged():
            self._context.tasks.start(self._follow(), "look for updates")

    def open(self) -> None:
        """Open the dialog."""
        self._context.tasks.start_once(self._open(), "updates")

    async def _follow(self) -> None:
        await asyncio.sleep(_SETTLE_S)
        _, page = await _installation()
        while page:
            if self._settings.current.updates_check:
                try:
                    found = await _newer_version(page)
                except ChatDeskError as error:
                    found = None  # the dialog reports it on request; the next attempt is a day later
                    _log.info("updates: %s", error.code)
                if found is not None:
                    self.show_newer(found, page)
            await asyncio.sleep(_LOOK_EVERY_S)

    def show_newer(self, version: Version, page: str) -> None:
        if self._notice is None:
            self._notice = Banner(self._context.panes.theme)
            self._notice.setObjectName("updateNotice")
            self._notice.actionTriggered.connect(lambda: self._open_page(page))
            self._notice.closed.connect(self._notice.hide)
            self._context.panes.pane.add_bar(self._notice)
        words = tr("ChatDesk {version} is available.", version=str(version))
        self._notice.show_message(words, kind="info", action_text=tr("Open the page"))

    async def _open(self) -> None:
        summary, page = await _installation()
        dialog = UpdateDialog(self._context.panes.theme, summary, page, parent=self._context.panes.window)
        dialog.checkRequested.connect(
            lambda: self._context.tasks.start_once(self._check(dialog, page), "look for updates now")
        )
        dialog.finished.connect(lambda: self._context.tasks.cancel("look for updates now"))
        dialog.open()

    async def _check(self, dialog: UpdateDialog, page: str) -> None:
        dialog.show_checking()
        try:
            found = await _newer_version(page)
        except ChatDeskError as error:
            if isValid(dialog):
                dialog.show_failed(shown(error.sentence))
            return
        if isValid(dialog):
            dialog.show_found(found)

    def _open_page(self, page: str) -> None:
        if problem := open_outside(page):
            self._context.panes.window.show_failure(problem)


async def _installation() -> tuple[str, str]:
    """Return the sentence about how this copy is updated, and its page of releases, empty where it has none."""
    found = await asyncio.to_thread(find_installation)
    page: str = await asyncio.to_thread(releases_page, found, resources_dir())
    return shown(found.kind.how_updated), page


async def _newer_version(page: str) -> Version | None:
    found: Version | None = await asyncio.to_thread(newer_version, page)
    return found
