"""Times the storing of a person's typing."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QElapsedTimer, QObject, QTimer

AFTER_REST_MS: Final = 150
LATEST_MS: Final = 600  # the disk may take the rest of a second


class SaveTimer(QTimer):
    """Fires shortly after the last change, and also while a person goes on typing: no change waits longer than
    ``LATEST_MS``."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent, singleShot=True)
        self._since_first = QElapsedTimer()

    def record_change(self) -> None:
        """Start the timer for a change, or keep it from firing while one change follows another."""
        if not self.isActive():
            self._since_first.start()
        left_ms = LATEST_MS - self._since_first.elapsed()
        if left_ms > 0:  # else it is due
            self.start(min(AFTER_REST_MS, left_ms))
