"""Opens addresses, files and folders in other programs; the only place that does."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.texts import tr

_LONGEST = 200


def open_outside(target: str | Path) -> str:
    """Open an address, or the path of a file or folder, in the program that the system has for it. Return why nothing
    was opened, which somebody must show; empty when it was."""
    is_path = isinstance(target, Path)
    url = QUrl.fromLocalFile(str(target)) if is_path else QUrl(str(target), QUrl.ParsingMode.StrictMode)
    if url.isValid() and QDesktopServices.openUrl(url):
        return ""
    name = visible_controls(str(target))
    return tr("No program opened {address}.", address=name if len(name) <= _LONGEST else f"{name[:_LONGEST]}…")
