"""*Updates…*: how this copy is updated, what a new version brings, and what installing it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.announce import announce
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.task_panel import TaskPanel

if TYPE_CHECKING:
    from chatdesk.core.updates.release import Release
    from chatdesk.ui.theme.theme import Theme

# At scale 1: without notes, and with them.
_SMALL_PX, _LARGE_PX = (480, 190), (560, 440)
_MB: Final = 1_000_000


class UpdateDialog(TaskPanel):
    """A dialog that checks for updates and installs them. ``checkRequested`` asks the feed, ``installRequested``
    installs the release that is shown, ``settingsRequested`` opens the setting."""

    checkRequested = Signal()
    installRequested = Signal()
    settingsRequested = Signal()

    def __init__(
        self, theme: Theme, version: str, summary: str, *, has_feed: bool, parent: QWidget | None = None
    ) -> None:
        """Make the dialog. ``version`` is the one that runs, ``summary`` says how this copy is updated."""
        super().__init__(theme, tr("Updates"), object_name="updateDialog", size_px=_SMALL_PX, parent=parent)
        self._version = version
        self.release: Release | None = None  # that is shown, and installed by its button
        self._state = plain_label(
            tr("This is ChatDesk {version}.", version=version), "text", wraps=True, name="updateState"
        )
        self._summary = plain_label(summary, "muted", wraps=True, name="updateSummary")
        self._heading = plain_label("", "strong", wraps=True)
        self._heading.setContentsMargins(0, theme.tokens.space.s, 0, 0)
        self._notes = plain_label("", "text", wraps=True, name="updateNotes")
        self._notes.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._what_happens = plain_label("", "muted", wraps=True, name="updateWhatHappens")
        for label in (self._state, self._summary, self._heading, self._notes, self._what_happens):
            self.body.addWidget(label)
        self.body.addStretch(1)
        for label in (self._heading, self._notes, self._what_happens):
            label.hide()
        self._settings_button = push_button(tr("Settings…"), "updateSettings", self.settingsRequested.emit)
        self.add_button(self._settings_button, is_first=True)
        self._settings_button.setVisible(has_feed)
        self.close_button = self.add_button(push_button(tr("Close"), "updateClose", self.reject, is_way_out=True))
        self.check_button = self.add_button(push_button(tr("Look now"), "updateCheck", self.checkRequested.emit))
        self.install_button = self.add_button(
            push_button(tr("Install"), "updateInstall", self.installRequested.emit, is_primary=True)
        )
        self.check_button.setVisible(has_feed)
        self.install_button.hide()
        self.close_button.setFocus()

    def show_release(self, release: Release | None) -> None:
        """Show the release that the feed offers; None means that nothing is newer."""
        self._end_busy()
        self.show_problem("")
        self.release, is_new = release, release is not None
        if release is None:
            self._state.setText(tr("ChatDesk {version} is the newest version.", version=self._version))
        else:
            words = tr(
                "ChatDesk {new} is available; you have {version}.", new=str(release.version), version=self._version
            )
            self._state.setText(words)
            self._heading.setText(tr("What is new"))
            self._notes.setText(release.notes or tr("There are no notes about this version."))
            self._what_happens.setText(_what_happens(release))
        for label in (self._heading, self._notes, self._what_happens):
            label.setVisible(is_new)
        self.install_button.setVisible(is_new)
        self.check_button.setVisible(not is_new)
        self._resize(_LARGE_PX if is_new else _SMALL_PX)
        announce(self, self._state.text())

    def show_step(self, step: str, percent: int) -> None:
        """Show the current step, and the percentage of a download."""
        words = _step_words(step)
        if self.busy_text.text() != words or not self.is_busy:
            self.show_busy(words)
            self._name_close(tr("Cancel"))
        self.bar.setRange(0, 100 if percent >= 0 else 0)
        self.bar.setValue(max(percent, 0))

    def show_failed(self, sentence: str) -> None:
        """Show why the update failed; it can be tried again."""
        self._end_busy()
        self.show_problem(sentence)

    def show_installed(self) -> None:
        """Show that the new version starts next time."""
        self._end_busy()
        for label in (self._heading, self._notes, self._what_happens):
            label.hide()
        for button in (self.install_button, self.check_button, self._settings_button):
            button.hide()
        self._resize(_SMALL_PX)
        self._state.setText(tr("The new version is installed. It starts the next time you open ChatDesk."))
        self._summary.setText(
            tr(
                "The previous version is kept; Help, Upgrades and the way back, says how to return to it. Your data "
                "was backed up."
            )
        )
        self.close_button.setFocus()
        announce(self, self._state.text())

    def _end_busy(self) -> None:
        self.end_busy()
        self._name_close(tr("Close"))

    def _name_close(self, text: str) -> None:
        self.close_button.setText(text)
        self.close_button.setAccessibleName(text)

    def _resize(self, size_px: tuple[int, int]) -> None:
        self._size_px = size_px
        self.fit(*size_px)


def _what_happens(release: Release) -> str:
    return tr(
        "Install downloads {size} MB, backs up your data and tries the new version with a copy of it. The new version "
        "starts the next time you open ChatDesk; until then nothing changes.",
        size=max(1, round(release.download_bytes / _MB)),
    )


def _step_words(step: str) -> str:
    if step == "check":
        return tr("Looking for a new version…")
    if step == "backup":
        return tr("Backing up your data…")
    if step == "download":
        return tr("Downloading the new version…")
    if step == "unpack":
        return tr("Unpacking it…")
    return tr("Trying it with a copy of your data…")
