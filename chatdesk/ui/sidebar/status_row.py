"""Shows the bottom of the sidebar: the result of the last change, and the buttons of archive, trash and settings."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.qt.mirroring import set_margins
from chatdesk.ui.theme.icons import icon_pixmap
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX
from chatdesk.ui.widgets.buttons import IconButton
from chatdesk.ui.widgets.elided_label import ElidedLabel, set_plain_tooltip


class StatusRow(QWidget):
    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._is_error = False
        self._is_busy = False
        self._sign = QLabel(self)
        self._label = ElidedLabel(theme, role="muted", parent=self)
        self._label.setObjectName("statusText")
        self._label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.settings_button = IconButton(
            theme, "settings", name=tr("Settings"), object_name="settingsButton", parent=self
        )
        self.settings_button.set_name(tr("Settings"), tooltip=tr("Settings (Ctrl+,)"))
        self.view_button = IconButton(
            theme, "archive", name=tr("Threads, archive or trash"), object_name="threadViewButton", parent=self
        )
        row = QHBoxLayout(self)
        space = theme.tokens.space
        set_margins(row, space.s, space.xs, 2, space.xs)
        row.setSpacing(space.s)
        row.addWidget(self._sign)
        row.addWidget(self._label, 1)
        row.addWidget(self.view_button)
        row.addWidget(self.settings_button)
        theme.changed.connect(self._dress)
        self.set_text(tr("Opening…"), is_busy=True)

    @property
    def shown(self) -> tuple[str, bool, bool]:
        """The arguments of the last call of ``set_text``: text, error flag and busy flag."""
        return self.text, self._is_error, self._is_busy

    @property
    def text(self) -> str:
        return self._label.text()

    def set_text(self, text: str, *, is_error: bool = False, is_busy: bool = False) -> None:
        self._is_error, self._is_busy = is_error, is_busy
        self._label.setText(text)
        if is_error:
            set_plain_tooltip(self._label, text)
        self._label.setAccessibleName(tr("Status: {text}", text=text))
        self._dress()

    def _dress(self) -> None:
        tokens = self._theme.tokens
        colour = tokens.danger if self._is_error else tokens.muted
        name = "circle-alert" if self._is_error else "clock" if self._is_busy else "circle-check"
        side = round(ICON_PX * max(1.0, self._theme.scale))
        self._sign.setPixmap(icon_pixmap(name, colour, side, device_pixel_ratio=self.devicePixelRatioF()))
        self._label.setStyleSheet(f"color: {colour};" if self._is_error else "")
