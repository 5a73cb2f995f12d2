"""Shows a text that a person must read, in a dialog with one button, and *About ChatDesk*, with the version."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from chatdesk import __version__
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import shown, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.outside import open_outside

_WIDTH_PX = 440
_MOST_COPIED: Final = 200_000


class NoticeDialog(FormPanel):
    def __init__(
        self,
        theme: Theme,
        title: str,
        text: str,
        *,
        file: Path | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """Make the dialog. The path ``file`` can be copied and shown in its folder."""
        super().__init__(theme, title, object_name="noticeDialog", width_px=_WIDTH_PX, parent=parent)
        self.setAccessibleDescription(shown(text))
        body = plain_label(text, "text", wraps=True, name="noticeText")
        body.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.body.addWidget(body, 1)
        self.body.addSpacing(6)
        self._file = file
        if file is not None:
            self.add_button(push_button(tr("Copy report"), "noticeCopy", self._copy), is_first=True)
            self.add_button(push_button(tr("Show file"), "noticeShow", self._show_file), is_first=True)
        self.add_button(push_button(tr("Close"), "noticeClose", self.accept)).setFocus()

    def _copy(self) -> None:
        assert self._file is not None
        try:
            with self._file.open(encoding="utf-8", errors="replace") as report:
                text = report.read(_MOST_COPIED)
        except OSError as error:
            announce(self, tr("The report could not be read: {reason}.", reason=reason_text(error)))
            return
        QGuiApplication.clipboard().setText(text)
        announce(self, tr("Copied"))

    def _show_file(self) -> None:
        assert self._file is not None
        self.show_problem(open_outside(self._file.parent))


class AboutDialog(NoticeDialog):
    def __init__(self, theme: Theme, *, parent: QWidget | None = None) -> None:
        text = tr(
            "Version {version}, with Python {python} and Qt {qt_version}.\n\n"
            "Inter and JetBrains Mono are used under the SIL Open Font License, the Lucide icons under the "
            "ISC licence.",
            version=__version__,
            python=sys.version.split()[0],
            qt_version=qVersion(),
        )
        super().__init__(theme, "ChatDesk", text, parent=parent)
        self.setObjectName("aboutDialog")
