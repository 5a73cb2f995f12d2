"""The lines of the sidebar that are shown only when there is something to report: the temporary chat above the list,
and below it sync and what waits to be sent.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.sidebar.sidebar_base import SidebarBase
from chatdesk.ui.sidebar.status_row import StatusRow
from chatdesk.ui.sidebar.team_line import TeamLine


class ExtraLines:
    """The lines of the sidebar that are shown at times; each is made when it is first shown."""

    def __init__(
        self, sidebar: SidebarBase, column: QVBoxLayout, status: StatusRow, *, above_list: QWidget, below_list: QWidget
    ) -> None:
        """Make the lines on first use. ``above_list`` and ``below_list`` come before the list and after it in the order
        of Tab."""
        self._sidebar = sidebar
        self._column = column
        self._status = status
        self._above_list = above_list
        self._below_list = below_list
        self.team: TeamLine | None = None
        self.waiting: TeamLine | None = None
        self.temporary: TeamLine | None = None

    def show_waiting(self, text: str) -> None:
        """Show how many questions wait to be sent; an empty text hides the line. ``waitingPressed`` asks for the
        list."""
        if self.waiting is None and text:
            self.waiting = self._line(
                tr("Waiting to be sent"),
                "waitingStatus",
                tr("Opens the list of what waits"),
                pressed=self._sidebar.waitingPressed.emit,
                before=self._status,
                tab=(self.team or self._below_list, self._status.view_button),
            )
        if self.waiting is not None:
            self.waiting.show_status(text, tone="waiting", tip="")
            self.waiting.setVisible(bool(text))

    def show_temporary(self, title: str) -> None:
        """Show the temporary chat above the list; empty when there is none. ``temporaryPressed`` asks for it."""
        thread_list = self._sidebar.thread_list
        if self.temporary is None and title:
            self.temporary = self._line(
                tr("Temporary chat, not stored"),
                "temporaryLine",
                tr("Opens the temporary chat"),
                pressed=self._sidebar.temporaryPressed.emit,
                before=thread_list,
                tab=(self._above_list, thread_list),
            )
        if self.temporary is not None:
            if title:
                self.temporary.show_status(
                    title, tone="temporary", tip=tr("{title} (temporary: nothing is stored)", title=title)
                )
            self.temporary.setVisible(bool(title))

    def show_team(self, text: str, *, tone: str = "calm", tip: str = "", is_under_way: bool = False) -> None:
        """Show the state of sync in one sentence; an empty text hides the line. ``tone`` is calm, offline or refused;
        ``is_under_way`` marks a state that may return soon. ``teamPressed`` asks for more."""
        if self.team is None and text:
            self.team = self._line(
                tr("Sync"),
                "teamStatus",
                tr("Opens the details of sync"),
                pressed=self._sidebar.teamPressed.emit,
                before=self.waiting or self._status,
                tab=(self._below_list, self.waiting or self._status.view_button),
            )
        if self.team is not None:
            self.team.show_status(text, tone=tone, tip=tip, is_under_way=is_under_way)
            self.team.setVisible(bool(text))

    def _line(
        self,
        what: str,
        object_name: str,
        opens: str,
        *,
        pressed: Callable[[], None],
        before: QWidget,
        tab: tuple[QWidget, QWidget],
    ) -> TeamLine:
        line = TeamLine(self._sidebar.theme, self._sidebar, what=what, object_name=object_name, opens=opens)
        line.clicked.connect(pressed)
        self._column.insertWidget(self._column.indexOf(before), line)
        QWidget.setTabOrder(tab[0], line)
        QWidget.setTabOrder(line, tab[1])
        return line
