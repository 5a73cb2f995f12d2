"""Opens the page on which a person signs in to a tool server."""

from __future__ import annotations

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from chatdesk.core.texts import tr


def open_sign_in_page(address: str) -> str:
    """Open the page in the browser, because a person pressed a button. Return the sentence that is shown in the
    meantime; the host in it is in ASCII, so that it cannot look like another one."""
    url = QUrl(address, QUrl.ParsingMode.StrictMode)
    QDesktopServices.openUrl(url)
    host = url.host(QUrl.ComponentFormattingOption.EncodeUnicode)
    return tr("Sign in at {host} in your browser, within five minutes.", host=host)
