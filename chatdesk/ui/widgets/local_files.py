"""Files that were dropped or pasted: those of this computer only."""

from __future__ import annotations

from PySide6 import QtCore  # QUrl is built when it is first used
from PySide6.QtCore import QMimeData


def path_here(url: QtCore.QUrl) -> str:
    """Return the path of a file on this computer; empty for anything else. ``file://host/share`` would be asked from
    another computer, which Windows does with the person's name and a proof of their password."""
    if not url.isLocalFile() or url.host().lower() not in ("", "localhost") or url.path().startswith("//"):
        return ""
    return QtCore.QUrl.fromLocalFile(url.path()).toLocalFile() if url.host() else url.toLocalFile()


def only_path_in(data: QMimeData | None) -> str:
    """Return the path of the only file in ``data``; empty for none or several."""
    urls = data.urls() if data is not None and data.hasUrls() else []
    return path_here(urls[0]) if len(urls) == 1 else ""
