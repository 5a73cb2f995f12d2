"""Shows one chat or two side by side; in a narrow window one of the two, and tabs to switch between them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSplitter, QTabBar, QWidget

from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import THREAD_LEAST_PX
from chatdesk.ui.widgets.focus_ring import frame_tab
from chatdesk.ui.widgets.layouts import bare_column
from chatdesk.ui.window.chat_pane import ChatPane

_LONGEST_TITLE = 40
_LEAST_PX = 340  # of each of two


class ChatPair(QWidget):
    """The chats of the main window. ``chosen``: a tab was pressed; ``moved``: the border between them."""

    chosen = Signal(object)  # ChatPane
    moved = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._tabs: QTabBar | None = None
        self._share = 0.5
        self._rows = bare_column(self, spacing_px=0)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.setObjectName("chatSplitter")
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        self._rows.addWidget(self.splitter, 1)

    def panes(self) -> Sequence[ChatPane]:
        """Return the chats from left to right."""
        found = (self.splitter.widget(place) for place in range(self.splitter.count()))
        return tuple(each for each in found if isinstance(each, ChatPane))

    @property
    def share(self) -> float:
        """The part of the width that the second chat has, or had."""
        return self._share

    def add(self, pane: ChatPane, *, share: float) -> None:
        """Show a second chat at the right."""
        self._share = share
        if self._tabs is None:
            self._tabs = self._make_tabs()
            self._dress()
            self.splitter.splitterMoved.connect(self._on_splitter_moved)
        self.splitter.addWidget(pane)
        self.splitter.handle(1).setAccessibleName(tr("Border between the two chats"))

    def needs_switch(self, room_px: int) -> bool:
        """Return whether ``room_px`` are too few for two chats."""
        return len(self.panes()) > 1 and room_px < 2 * _LEAST_PX * max(1.0, self._theme.scale)

    def arrange(self, active: ChatPane, *, is_switched: bool) -> None:
        """Show both chats, or ``active`` alone with tabs above it."""
        panes = self.panes()
        is_pair = len(panes) > 1
        for place, pane in enumerate(panes):
            is_active = pane is active
            pane.setVisible(is_active or not is_switched)
            pane.setMinimumWidth(round(THREAD_LEAST_PX * max(1.0, self._theme.scale)) if is_pair else 0)
            pane.set_active(is_active, is_marked=is_pair and not is_switched)
            side = tr("Chat at the left") if place == 0 else tr("Chat at the right")
            pane.setAccessibleName(side if is_pair else "")
            pane.setAccessibleDescription(tr("Active: commands act here") if is_pair and is_active else "")
            pane.header.set_closable(is_pair)
        if self._tabs is not None:
            self._tabs.setVisible(is_pair and is_switched)
            if is_pair:
                self._tabs.blockSignals(True)
                self._tabs.setCurrentIndex(panes.index(active))
                self._tabs.blockSignals(False)
        if is_pair and not is_switched:
            width = self.splitter.width()
            self.splitter.setSizes([round(width * (1 - self._share)), round(width * self._share)])

    def show_titles(self, titles: Sequence[str]) -> None:
        """Show the titles of the chats on the tabs."""
        if self._tabs is not None:
            for place, title in enumerate(titles):
                self._tabs.setTabText(place, clean_line(title)[:_LONGEST_TITLE].replace("&", "&&"))

    def _make_tabs(self) -> QTabBar:
        from PySide6.QtWidgets import QTabBar  # after the first paint

        tabs = named(QTabBar(self), "chatTabs", tr("Chats of this window"))
        tabs.setDrawBase(False)
        tabs.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        tabs.setUsesScrollButtons(False)
        tabs.setExpanding(True)
        tabs.setElideMode(Qt.TextElideMode.ElideRight)
        frame_tab(self._theme, tabs)
        for _ in range(2):
            tabs.addTab("")
        tabs.currentChanged.connect(self._on_tabs_current_changed)
        self._rows.insertWidget(0, tabs)
        self._theme.changed.connect(self._dress)
        return tabs

    def _dress(self) -> None:
        if self._tabs is not None:
            text, muted, accent, ground = (
                self._theme.colour(name).name() for name in ("text", "muted", "accent", "background")
            )
            self._tabs.setFont(self._theme.font("table"))
            self._tabs.setStyleSheet(
                f"QTabBar {{ background: {ground}; }}"
                f"QTabBar::tab {{ background: transparent; color: {muted}; border: none; padding: 8px 12px;"
                " border-bottom: 2px solid transparent; }"
                f"QTabBar::tab:selected {{ color: {text}; border-bottom-color: {accent}; }}"
                f"QTabBar::tab:focus {{ color: {text}; }}"
            )

    def _on_tabs_current_changed(self, place: int) -> None:
        panes = self.panes()
        if place < len(panes):
            self.chosen.emit(panes[place])

    def _on_splitter_moved(self, _position: int, _index: int) -> None:
        sizes = self.splitter.sizes()
        if len(sizes) == 2 and all(sizes):
            self._share = sizes[1] / sum(sizes)
            self.moved.emit()
