"""Shows the list of projects under the switcher: a popup, or, while threads are dragged, a part of the window."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragLeaveEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.features.library.project_chooser import ChooserEntry, ProjectChooser
from chatdesk.ui.sidebar.project_badge import THREADS_MIME
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.layouts import bare_column
from chatdesk.ui.widgets.painting import paint_floating

_WIDEST_PX, _HIGHEST_PX = 280, 460
_LOOK_FOR_BUTTONS_MS = 200


class ProjectMenu(QWidget):
    """A popup would take the mouse from a drag, so under a drag it is over the list instead, and goes with it."""

    chosen = Signal(object)
    dropped = Signal(str)
    closed = Signal()

    def __init__(
        self, theme: Theme, entries: Sequence[ChooserEntry], parent: QWidget, *, is_under_drag: bool = False
    ) -> None:
        super().__init__(parent, Qt.WindowType.Widget if is_under_drag else Qt.WindowType.Popup)
        self._theme = theme
        self._is_under_drag = is_under_drag
        self.setObjectName("projectMenu")
        self.setAccessibleName(tr("Projects"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if not is_under_drag:
            round_corners(self, theme.tokens.radius.code)
        self.chooser = ProjectChooser(theme, entries, mime=THREADS_MIME, parent=self)
        self.chooser.field.setVisible(not is_under_drag)
        column = bare_column(self)
        column.addWidget(self.chooser)
        self.chooser.chosen.connect(self._on_chosen)
        self.chooser.dropped.connect(self._on_dropped)

    def open_below(self, button: QWidget) -> None:
        parent = self.parentWidget()
        assert parent is not None
        scale = max(1.0, self._theme.scale)
        width = max(parent.width() - 20, round(_WIDEST_PX * scale)) if not self._is_under_drag else parent.width() - 16
        self.resize(width, min(self.chooser.wanted_height(), round(_HIGHEST_PX * scale)))
        is_mirrored = parent.layoutDirection() is Qt.LayoutDirection.RightToLeft
        below = QPoint(button.width() - self.width() if is_mirrored else 0, button.height() + 4)
        self.move(button.mapTo(parent, below) if self._is_under_drag else button.mapToGlobal(below))
        self.show()
        self.raise_()
        if self._is_under_drag:
            # No event reports here that a drag ended elsewhere.
            timer = QTimer(self, interval=_LOOK_FOR_BUTTONS_MS)
            timer.timeout.connect(self._close_on_release)
            timer.start()
        else:
            self.chooser.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.closed.emit()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        super().dragLeaveEvent(event)
        self.close()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_floating(painter, QRectF(self.rect()), self._theme.tokens.radius.code, self._theme)
        painter.end()

    def _close_on_release(self) -> None:
        from PySide6.QtGui import QGuiApplication

        if QGuiApplication.mouseButtons() == Qt.MouseButton.NoButton:
            self.close()

    def _on_chosen(self, entry: ChooserEntry) -> None:
        self.close()
        self.chosen.emit(entry)

    def _on_dropped(self, project_id: str) -> None:
        self.close()
        self.dropped.emit(project_id)
