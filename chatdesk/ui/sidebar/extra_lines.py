"""Shows the lines of the sidebar that appear only with something to report: the temporary chat above the list, and
below it sync and waiting messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.sidebar.sidebar_base import SidebarBase
from chatdesk.ui.sidebar.status_row import StatusRow
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX
from chatdesk.ui.widgets.buttons import ThemedButton
from chatdesk.ui.widgets.elided_label import set_plain_tooltip
from chatdesk.ui.widgets.painting import draw_line, mirrored, paint_box, paint_focus_ring


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


# A line with one sentence, which opens more when pressed: sync of a joined workspace, questions that wait to be sent,
# or a temporary chat.

# By tone: the icon, and the colours of icon and words. Tones never differ by colour alone.
_TONES: Final = {
    "calm": ("cloud", "muted", "muted"),
    "offline": ("cloud-off", "muted", "text"),
    "waiting": ("clock", "muted", "text"),
    "temporary": ("eye-off", "muted", "text"),
    "refused": ("circle-alert", "danger", "danger"),
}
_PAD_PX = 8  # aligns the line with the status of saving


class TeamLine(ThemedButton):
    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        what: str = Text("Sync"),
        object_name: str = "teamStatus",
        opens: str = Text("Opens the details of sync"),
    ) -> None:
        super().__init__(theme, name=shown(what), object_name=object_name, parent=parent)
        self.tone = "calm"
        self._said_tone = "calm"
        self._what = shown(what)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setAccessibleDescription(shown(opens))

    def show_status(self, text: str, *, tone: str, tip: str, is_under_way: bool = False) -> None:
        """Show the state of sync; the tooltip ``tip`` has what does not fit. It is announced only when its tone differs
        from the one announced last, and not while a try is under way (``is_under_way``), which may fail as the one
        before."""
        is_other = tone != self._said_tone and bool(self.text()) and not is_under_way
        if not is_under_way:
            self._said_tone = tone
        self.tone = tone
        self.setText(text)
        self.setAccessibleName(tr("{what}: {text}", what=self._what, text=text))
        set_plain_tooltip(self, tip or text)
        self.update()
        if is_other:
            announce(self, text)

    def sizeHint(self) -> QSize:
        return QSize(80, self._theme.target_px())

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, tokens = self._theme, self._theme.tokens
        name, icon_colour, text_colour = _TONES[self.tone]
        painter = QPainter(self)
        whole, direction = QRectF(self.rect()), self.layoutDirection()
        if self._is_hot():
            paint_box(painter, whole, tokens.radius.row, fill=theme.colour("hover"))
        side = ICON_PX * max(1.0, theme.scale)
        sign = QRectF(_PAD_PX, (self.height() - side) / 2, side, side)
        paint_icon(painter, mirrored(sign, whole, direction), name, theme.colour(icon_colour))
        painter.setFont(theme.font("muted"))
        painter.setPen(theme.colour(text_colour))
        left = sign.right() + tokens.space.s
        area = QRectF(left, 0, max(0.0, whole.width() - left - _PAD_PX), whole.height())
        text = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, int(area.width()))
        draw_line(painter, mirrored(area, whole, direction), text, direction)
        if self.shows_ring:
            paint_focus_ring(painter, whole, tokens.radius.row, theme.colour("accent"))
        painter.end()
