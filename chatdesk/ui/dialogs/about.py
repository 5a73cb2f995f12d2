"""The dialog that says which ChatDesk this is."""

from __future__ import annotations

import platform

from PySide6.QtCore import qVersion
from PySide6.QtWidgets import QWidget

from chatdesk import __version__
from chatdesk.ui.dialogs.notice import NoticeDialog
from chatdesk.ui.theme.theme import Theme


class AboutDialog(NoticeDialog):
    def __init__(self, theme: Theme, *, parent: QWidget | None = None) -> None:
        text = (
            f"Version {__version__}, with Python {platform.python_version()} and Qt {qVersion()}.\n\n"
            "Inter and JetBrains Mono are used under the SIL Open Font License, the Lucide icons under the ISC licence."
        )
        super().__init__(theme, "ChatDesk", text, parent=parent)
        self.setObjectName("aboutDialog")
