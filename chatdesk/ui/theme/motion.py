"""Decides whether animations run: a setting does, or the system where the setting leaves it to that."""

from __future__ import annotations

from PySide6 import QtWidgets  # QStyle is built when it is first used: it takes 4 ms
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from chatdesk.ui.theme.session_bus import has_session_bus


class Motion(QObject):
    """The setting for motion; ``Theme.motion`` exposes it."""

    def __init__(self, application: QApplication, parent: QObject) -> None:
        super().__init__(parent)
        self._application = application
        self._is_reduced: bool | None = None
        self._does_system_keep_still = False

    @property
    def is_reduced(self) -> bool:
        """True when nothing may move, because a setting or the system asks for it."""
        if self._is_reduced is not None:
            return self._is_reduced
        if self._does_system_keep_still:
            return True
        duration = self._application.style().styleHint(QtWidgets.QStyle.StyleHint.SH_Widget_Animation_Duration)
        return duration == 0

    def set_reduced(self, is_reduced: bool | None) -> None:
        """Follow a setting; None follows the system."""
        self._is_reduced = is_reduced

    def follow_system(self) -> None:
        """Ask the desktop whether motion is wanted, once the window is there and at rest."""
        if has_session_bus():
            from chatdesk.ui.theme.system_motion import (
                SystemMotion,  # brings QtDBus, which the first paint does without
            )

            motion = SystemMotion(self)
            motion.changed.connect(self._on_system_changed)
            motion.ask()

    def _on_system_changed(self, is_unwanted: bool) -> None:
        self._does_system_keep_still = is_unwanted
