"""A link to a page of the web, which opens in the browser."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QPushButton

from chatdesk.core.texts import tr
from chatdesk.ui.widgets.plain_tooltip import set_plain_tooltip


class LinkButton(QPushButton):
    """A button that opens an address in the browser. ``url`` must come from ChatDesk itself: it is opened without
    asking."""

    def __init__(self, text: str, url: str, *, object_name: str) -> None:
        super().__init__(text)
        self._url = url
        self.setObjectName(object_name)
        self.setAccessibleName(text)
        self.setAccessibleDescription(tr("Opens {url} in the browser.", url=url))
        set_plain_tooltip(self, url)
        self.setProperty("isLink", True)
        self.setAutoDefault(False)
        self.setFlat(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.clicked.connect(lambda: QDesktopServices.openUrl(QUrl(self._url)))
