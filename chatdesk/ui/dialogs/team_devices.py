"""The computers of a workspace, as a list on the page of team sync."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from chatdesk.core.domain.team import TeamDevice
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.team_parts import clear, line, push_button
from chatdesk.ui.dialogs.team_words import device_words


class DeviceList(QWidget):
    """``removeRequested`` has the id of a device."""

    removeRequested = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("teamDevices")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)

    def show_devices(
        self,
        devices: Sequence[TeamDevice],
        *,
        names: Callable[[str], str],
        removable: Callable[[str], bool],
        now_ms: int,
    ) -> None:
        """``names`` and ``removable`` take the id of a member. This computer first, then those that were here last."""
        clear(self._column)
        for device in sorted(devices, key=lambda each: (not each.is_this, -(each.last_seen_at or 0))):
            hint = device_words(device, owner=names(device.member_id), now_ms=now_ms)
            box = QWidget()
            box.setObjectName(f"teamDevice_{device.id}")
            words = QVBoxLayout()
            words.setSpacing(0)
            words.addWidget(plain_label(device.name or "A computer", "text", wraps=True))
            words.addWidget(plain_label(hint, "muted", wraps=True))
            row = QHBoxLayout(box)
            row.setContentsMargins(0, 8, 0, 8)
            row.addLayout(words, 1)
            if not device.is_this and removable(device.member_id):
                button = push_button(
                    "Take off the list…",
                    f"teamDeviceRemove_{device.id}",
                    partial(self.removeRequested.emit, device.id),
                    name=f"Take {device.name or 'a computer'} off the list",
                )
                button.setAccessibleDescription(hint)
                row.addWidget(button)
            self._column.addWidget(box)
            self._column.addWidget(line())


REMOVAL_TEXT = (
    "That computer is not let in again under this name and gets nothing new; what is on it stays there. Was it lost? "
    "Then also make a new password, under My name and roles: it holds for all your computers, which are added anew."
)
