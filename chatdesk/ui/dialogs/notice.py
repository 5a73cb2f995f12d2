"""A message with one button: something a person must have read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from chatdesk.ui.accessibility.announce import announce
from chatdesk.ui.dialogs.panel import Panel, plain_label
from chatdesk.ui.theme.theme import Theme

_WIDTH_PX = 440
_MOST_COPIED: Final = 200_000


class NoticeDialog(Panel):
    def __init__(
        self,
        theme: Theme,
        title: str,
        text: str,
        *,
        button_text: str = "Close",
        file: Path | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """``file`` can be copied and shown in its folder."""
        super().__init__(theme, title, parent=parent)
        self.setObjectName("noticeDialog")
        self.setAccessibleDescription(text)
        body = plain_label(text, "text", wraps=True)
        body.setObjectName("noticeText")
        body.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.buttons = QHBoxLayout()
        self._file = file
        if file is not None:
            self._add_button("noticeCopy", "Copy report", self._copy)
            self._add_button("noticeShow", "Show file", self._show_file)
        self.buttons.addStretch(1)
        close = QPushButton(button_text)
        close.setObjectName("noticeClose")
        close.clicked.connect(self.accept)
        self.buttons.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(10)
        column.addWidget(plain_label(title, "strong", wraps=True))
        column.addWidget(body, 1)
        column.addSpacing(6)
        column.addLayout(self.buttons)
        self.setFixedWidth(round(_WIDTH_PX * max(1.0, theme.scale)))
        close.setDefault(True)
        close.setFocus()

    def _add_button(self, name: str, words: str, run: Callable[[], None]) -> None:
        button = QPushButton(words)
        button.setObjectName(name)
        button.setAutoDefault(False)
        button.clicked.connect(run)
        self.buttons.addWidget(button)

    def _copy(self) -> None:
        assert self._file is not None
        try:
            with self._file.open(encoding="utf-8", errors="replace") as report:
                text = report.read(_MOST_COPIED)
        except OSError as error:
            announce(self, f"The report could not be read: {error.strerror}.")
            return
        QGuiApplication.clipboard().setText(text)
        announce(self, "Copied")

    def _show_file(self) -> None:
        assert self._file is not None
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._file.parent)))
