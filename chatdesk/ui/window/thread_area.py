"""The part of the window beside the sidebar: header, notices, the open thread and the composer, one below the other."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import COMPOSER_WIDTH_PX
from chatdesk.ui.widgets.banner import Banner
from chatdesk.ui.widgets.toast import Toast

_TOAST_GAP_PX = 12
_NO_LIMIT = 10_000
_COMPOSER_BOTTOM_PX = 14
_BAR_GAP_PX = 8

Run = Callable[[], object]


class ThreadArea(QWidget):
    """Places these parts, and shows a banner above the thread and a toast above the composer."""

    def __init__(self, theme: Theme, header: QWidget, empty_state: QWidget, composer: QWidget, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("threadArea")
        self._header = header
        self._composer = composer
        self._bars: list[QWidget] = []
        self._run_banner: Run | None = None
        self._run_toast: Run | None = None
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(0)
        self.banner = Banner(theme, self)
        banner_row = _centred(self.banner, self, top_px=_BAR_GAP_PX, bottom_px=0)
        self._stack = QStackedWidget(self)
        self._composer_row = _centred(composer, self, top_px=0, bottom_px=_COMPOSER_BOTTOM_PX)
        self._rows.addWidget(header)
        self._rows.addWidget(banner_row)
        self._rows.addWidget(self._stack, 1)
        self._rows.addWidget(self._composer_row)
        self._stack.addWidget(empty_state)
        self.toast = Toast(theme, self)
        self._composer_row.installEventFilter(self)
        self.banner.actionTriggered.connect(self._on_banner_action_triggered)
        self.toast.actionTriggered.connect(self._on_toast_action_triggered)

    def panes(self) -> tuple[QWidget, ...]:
        """Return the parts that can take the focus, from the top down."""
        return (self._header, self.banner, *self._bars, self._stack, self.toast, self._composer)

    def add_pane(self, pane: QWidget) -> None:
        """Add what may be shown in the thread's place."""
        self._stack.addWidget(pane)

    def show_pane(self, pane: QWidget) -> bool:
        """Show ``pane`` in the thread's place. Return whether it is new there."""
        is_new = self._stack.indexOf(pane) < 0
        if is_new:
            self.add_pane(pane)
        self._stack.setCurrentWidget(pane)
        return is_new

    def put_beside(self, bar: QWidget, *, is_below: bool = False) -> None:
        """Give ``bar`` a place above or below the messages; it shows and hides itself."""
        top_px, bottom_px = (0, _BAR_GAP_PX) if is_below else (_BAR_GAP_PX, 0)
        row = _centred(bar, self, top_px=top_px, bottom_px=bottom_px)
        self._rows.insertWidget(self._rows.indexOf(self._stack) + is_below, row)
        self._bars.append(bar)

    def show_toast(self, text: str, action_text: str | None, run: Run | None) -> None:
        """Show a short message with at most one button; it replaces the one before."""
        self._run_toast = run
        self._place_toast()
        self.toast.show_message(text, action_text=action_text)

    def show_banner(self, text: str, *, is_danger: bool, action_text: str | None, run: Run | None) -> None:
        """Show a message above the thread, until it is closed or replaced."""
        self._run_banner = run
        kind = "danger" if is_danger else "warning"
        self.banner.show_message(text, kind=kind, action_text=action_text, is_closable=True)  # type: ignore[arg-type]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._composer_row and event.type() == QEvent.Type.Resize:
            self._place_toast()
        return super().eventFilter(watched, event)

    def _place_toast(self) -> None:
        self.toast.set_bottom(self._composer_row.height() + _TOAST_GAP_PX)

    def _on_banner_action_triggered(self) -> None:
        self.banner.setVisible(False)
        if self._run_banner is not None:
            self._run_banner()

    def _on_toast_action_triggered(self) -> None:
        run, self._run_toast = self._run_toast, None
        if run is not None:
            run()


def _centred(widget: QWidget, area: QWidget, *, top_px: int, bottom_px: int) -> QWidget:
    """Return a row that keeps ``widget`` in the middle, as wide as it may become: as the composer, unless it says."""
    if widget.maximumWidth() > _NO_LIMIT:
        widget.setMaximumWidth(COMPOSER_WIDTH_PX)
    row = QWidget(area)
    line = QHBoxLayout(row)
    line.setContentsMargins(12, top_px, 12, bottom_px)
    line.addStretch(1)
    line.addWidget(widget, 1000)
    line.addStretch(1)
    return row
