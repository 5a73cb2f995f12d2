"""Shows the inspector pane at the right, with a tab for each aspect of the open thread."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QStackedWidget, QTabBar, QVBoxLayout, QWidget

from chatdesk.core.texts import shown, tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import INSPECTOR_WIDTH_PX, THREAD_LEAST_PX
from chatdesk.ui.widgets.buttons import IconButton
from chatdesk.ui.widgets.focus_ring import frame_tab
from chatdesk.ui.widgets.layouts import bare_row

_NO_LIMIT = 16_777_215  # Qt's own
_MARGIN_PX, _ROOM_FOR_TABS = 12, 1.25
_WIDE_SHARE = 0.44
_WIDEST_PX = 760
_LEAST_PAD_PX, _MOST_PAD_PX = 3, 7  # at each side of a tab


class Inspector(QWidget):
    """The pane on the right, with tabs that are identified by name. ``tabShown(name)`` is emitted when a tab becomes
    visible, so that it can be filled."""

    closed = Signal()
    tabShown = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._names: list[str] = []
        self._is_filling = False
        self._is_wide = False
        self._window_px = 0
        self._pad_px = _LEAST_PAD_PX
        self.setObjectName("inspector")
        self.setAccessibleName(tr("Inspector"))
        self._bar = named(QTabBar(), "inspectorTabs", tr("Inspector tabs"))
        self._bar.setDrawBase(False)
        self._bar.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click shows the tab and leaves the keys where they are
        self._bar.setExpanding(False)
        self._bar.setUsesScrollButtons(False)
        self._bar.setElideMode(Qt.TextElideMode.ElideRight)  # where large text leaves too little room
        frame_tab(theme, self._bar)
        self._stack = QStackedWidget()
        self.close_button = IconButton(theme, "x", name=tr("Close the inspector"), object_name="closeInspectorButton")
        self.close_button.clicked.connect(self.closed)
        top = bare_row()
        top.addWidget(self._bar)
        top.addStretch(1)
        top.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN_PX, _MARGIN_PX, _MARGIN_PX, 8)
        column.addLayout(top)
        column.addWidget(self._stack, 1)
        self._bar.currentChanged.connect(self._on_bar_current_changed)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def add_tab(self, name: str, pane: QWidget) -> None:
        """Add a tab that is known by the English words of ``name``."""
        self._names.append(name)
        self._stack.addWidget(pane)
        self._bar.setTabToolTip(self._bar.addTab(shown(name)), shown(name))
        self._fit()

    @property
    def tab(self) -> str:
        """The name of the current tab."""
        return self._names[self._bar.currentIndex()] if self._names else ""

    def show_tab(self, name: str) -> None:
        self._bar.setCurrentIndex(self._names.index(name))

    @property
    def is_filling(self) -> bool:
        """Return whether the inspector takes all of a narrow window."""
        return self._is_filling

    def set_filling(self, is_filling: bool, *, window_px: int = 0) -> None:
        """Set whether the inspector fills all of a narrow window. ``window_px`` is the width of which a wide inspector
        takes a share."""
        self._is_filling, self._window_px = is_filling, window_px
        self._fit()

    def set_wide(self, is_wide: bool) -> None:
        """Widen the inspector for reading, or make it narrow again; the window has to place it afterwards."""
        self._is_wide = is_wide
        self._fit()

    def focus(self, reason: Qt.FocusReason) -> None:
        self._bar.setFocus(reason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.colour("surface"))
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        painter.fillRect(self.width() - 1 if is_mirrored else 0, 0, 1, self.height(), self._theme.colour("line"))

    def _on_bar_current_changed(self, index: int) -> None:
        self._stack.setCurrentIndex(index)
        self.tabShown.emit(self.tab)

    def _fit(self) -> None:
        scale = max(1.0, self._theme.scale)
        width = round(INSPECTOR_WIDTH_PX * scale)
        self._space_tabs(width)
        self._bar.ensurePolished()  # tabs that were measured before would keep a height of their own
        tabs = self._bar.sizeHint().width() + self.close_button.sizeHint().width() + 3 * _MARGIN_PX
        width = max(width, min(tabs, round(width * _ROOM_FOR_TABS)))  # some languages need more for their tabs
        if self._is_wide:
            share = min(self._window_px * _WIDE_SHARE, self._window_px - THREAD_LEAST_PX * scale, _WIDEST_PX * scale)
            width = max(width, round(share))
        self.setMinimumWidth(0 if self._is_filling else width)
        self.setMaximumWidth(_NO_LIMIT if self._is_filling else width)

    def _space_tabs(self, width: int) -> None:
        """Move the tabs apart as far as they all fit into ``width`` pixels."""
        metrics = QFontMetrics(self._theme.font("table"))
        texts = sum(metrics.horizontalAdvance(self._bar.tabText(place)) for place in range(self._bar.count()))
        room = width - self.close_button.sizeHint().width() - 3 * _MARGIN_PX - texts
        pad = room // (2 * max(1, self._bar.count()))
        pad = min(max(pad, _LEAST_PAD_PX), _MOST_PAD_PX)
        if pad != self._pad_px:
            self._pad_px = pad
            self._dress_tabs()

    def _on_theme_changed(self) -> None:
        self._dress_tabs()
        self._fit()
        self.update()

    def _dress_tabs(self) -> None:
        theme = self._theme
        text, muted, accent = (theme.colour(name).name() for name in ("text", "muted", "accent"))
        self._bar.setFont(theme.font("table"))
        self._bar.setStyleSheet(
            f"QTabBar::tab {{ background: transparent; color: {muted}; border: none; padding: 6px {self._pad_px}px;"
            " border-bottom: 2px solid transparent; }"
            f"QTabBar::tab:selected {{ color: {text}; border-bottom-color: {accent}; }}"
        )
