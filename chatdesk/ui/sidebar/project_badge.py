"""Shows the project at the top of the sidebar: a button that leads to the others, and a place to drop threads on."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX
from chatdesk.ui.widgets.badges import SQUARE_PX, paint_project_square
from chatdesk.ui.widgets.buttons import ThemedButton
from chatdesk.ui.widgets.elided_label import set_plain_tooltip
from chatdesk.ui.widgets.painting import draw_line, mirrored, paint_box, paint_focus_ring

# The format of threads dragged from the list: their ids, one per line.
THREADS_MIME = "application/x-chatdesk-threads"
_HOVER_MS = 350


class ProjectBadge(ThemedButton):
    """Pressed, or with threads held over it for a moment, it asks for the list of projects."""

    listAsked = Signal()
    dragHeld = Signal()
    threadsDropped = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, name=tr("Projects"), object_name="projectBadge", parent=parent)
        self._title = ""
        self._colour: str | None = ""
        self._is_shared = False
        self.is_under_drag = False
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setAcceptDrops(True)
        self._timer = QTimer(self, singleShot=True, interval=_HOVER_MS)
        self._timer.timeout.connect(self.dragHeld)
        self.clicked.connect(self.listAsked)

    def set_project(self, name: str, colour: str | None, *, shared: str = "") -> None:
        """Show a project. ``colour`` is ``#RRGGBB``, anything else the accent; None: no single project, no square.
        ``shared`` describes a project of a team; empty: it is private."""
        self._title = name
        self._colour = colour
        self._is_shared = bool(shared)
        self.setAccessibleName(
            tr("Project {name}, {shared}", name=name, shared=shared) if shared else tr("Project {name}", name=name)
        )
        self.setAccessibleDescription(tr("Opens the list of projects"))
        set_plain_tooltip(self, f"{name} · {shared}" if shared else name)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(120, self._theme.target_px())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self.click()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasFormat(THREADS_MIME):
            event.acceptProposedAction()
            self._set_under_drag(True)
            self._timer.start()

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        self._set_under_drag(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self._set_under_drag(False)
        event.acceptProposedAction()
        self.threadsDropped.emit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self._title:
            return
        theme, tokens = self._theme, self._theme.tokens
        painter = QPainter(self)
        whole, direction = QRectF(self.rect()), self.layoutDirection()
        if self._is_hot() or self.is_under_drag:
            paint_box(painter, whole, tokens.radius.row, fill=theme.colour("hover"))
        left = 0.0
        if self._colour is not None:
            side = round(SQUARE_PX * max(1.0, theme.scale))
            square = mirrored(QRectF(0, (self.height() - side) / 2, side, side), whole, direction)
            paint_project_square(painter, square, self._title, colour=self._colour, theme=theme)
            left = side + tokens.space.s
        painter.setFont(theme.font("strong"))
        painter.setPen(theme.colour("text"))
        mark = ICON_PX * max(1.0, theme.scale)
        metrics = painter.fontMetrics()
        room = round(whole.width() - left - (mark + tokens.space.s) * (2 if self._is_shared else 1))
        name = metrics.elidedText(self._title, Qt.TextElideMode.ElideRight, room)
        width = metrics.horizontalAdvance(name)
        area = mirrored(QRectF(left, 0, width + 1, self.height()), whole, direction)
        draw_line(painter, area, name, direction)
        if self._is_shared:
            people = QRectF(left + width + tokens.space.s, (self.height() - mark) / 2, mark, mark)
            paint_icon(painter, mirrored(people, whole, direction), "users", theme.colour("muted"))
            left += mark + tokens.space.s
        chevrons = QRectF(left + width + tokens.space.s, (self.height() - mark) / 2, mark, mark)
        paint_icon(painter, mirrored(chevrons, whole, direction), "chevrons-up-down", theme.colour("muted"))
        if self.shows_ring:
            paint_focus_ring(painter, whole, tokens.radius.row, theme.colour("accent"))
        painter.end()

    def _set_under_drag(self, is_under: bool) -> None:
        self.is_under_drag = is_under
        self._timer.stop()
        self.update()
