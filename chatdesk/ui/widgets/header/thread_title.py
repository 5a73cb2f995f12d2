"""Shows the title of the open thread, and edits it in place."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy, QStackedLayout, QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import IconButton
from chatdesk.ui.widgets.elided_label import ElidedLabel
from chatdesk.ui.widgets.layouts import bare_row

_MAX_TITLE_CHARACTERS = 200
_GAP_PX, _LEAST_PX = 4, 24
_STAYS_OPEN = (Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason)


class ThreadTitle(QWidget):
    """The title of the open thread, with a field to edit it. A click, the pencil or ``start_edit`` opens the field.
    Enter and leaving the field keep the text, Esc does not; an empty title is never kept."""

    titleEdited = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._is_editable = True
        self._is_editing = False
        self._is_narrow = False
        self._title_before = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.label = _ClickableTitle(theme, role="header")
        self.label.setObjectName("threadTitle")
        self.label.clicked.connect(self.start_edit)
        self.pencil = IconButton(theme, "pencil", name=tr("Rename thread"), object_name="renameThreadButton")
        self.pencil.clicked.connect(self.start_edit)
        self.field = named(_TitleField(), "threadTitleField", tr("Thread title"))
        self.field.setMaxLength(_MAX_TITLE_CHARACTERS)
        self.field.setMinimumWidth(_LEAST_PX)  # the hidden field must not widen the title
        self.field.ended.connect(self._on_field_ended)
        shown = QWidget()
        row = bare_row(shown, spacing_px=_GAP_PX)
        row.addWidget(self.label)
        row.addWidget(self.pencil)
        row.addStretch(1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(shown)
        self._stack.addWidget(self.field)

    @property
    def is_editing(self) -> bool:
        return self._is_editing

    def set_title(self, title: str, *, is_editable: bool = True, keeps_edit: bool = False) -> None:
        """Set the title. An edit that is under way ends without being kept, unless only the same title is set again.
        ``keeps_edit``: it is the same thread, which got another title while a person types one."""
        if self.is_editing and is_editable and (keeps_edit or title == self.label.text()):
            self.label.setText(title)
            return
        self._is_editable = is_editable
        self._show_pencil()
        self.label.setText(title)
        self.label.setCursor(Qt.CursorShape.IBeamCursor if is_editable else Qt.CursorShape.ArrowCursor)
        self._is_editing = False
        self._stack.setCurrentIndex(0)

    def set_narrow(self, is_narrow: bool) -> None:
        """Hide the pencil in a narrow header; the title itself, F2 and the menus still rename."""
        if is_narrow is not self._is_narrow:
            self._is_narrow = is_narrow
            self._show_pencil()

    def missing_width(self) -> int:
        """Return the width in pixels that a hidden pencil would need; 0 when it is not hidden."""
        return self.pencil.sizeHint().width() + _GAP_PX if self._is_editable and self._is_narrow else 0

    def wanted_width(self, most: int) -> int:
        """Return the width in pixels that shows the whole title, at most ``most``, and the pencil where it is shown."""
        pencil = 0 if self.pencil.isHidden() else self.pencil.sizeHint().width() + _GAP_PX
        return min(most, self.label.sizeHint().width()) + pencil

    def _show_pencil(self) -> None:
        self.pencil.setVisible(self._is_editable and not self._is_narrow)

    def start_edit(self) -> None:
        if not self._is_editable or self.is_editing:
            return
        self._is_editing = True
        self._title_before = self.label.text()
        self.field.setText(self._title_before)
        self._stack.setCurrentWidget(self.field)
        self.field.selectAll()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _on_field_ended(self, is_kept: bool) -> None:
        if not self.is_editing:
            return
        title = " ".join(self.field.text().split())
        old = self._title_before  # the label may show a newer one, which an untouched field must not take back
        # Before the field is hidden: hiding takes its focus, which would end the edit a second time.
        self._is_editing = False
        self._stack.setCurrentIndex(0)
        if is_kept and title and title != old:
            self.label.setText(title)
            self.titleEdited.emit(title)


class _ClickableTitle(ElidedLabel):
    clicked = Signal()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.clicked.emit()


class _TitleField(QLineEdit):
    ended = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # Esc and Enter belong to the field while it is open, not to the window's shortcuts.
        is_override = event.type() is QEvent.Type.ShortcutOverride
        if (
            is_override
            and isinstance(event, QKeyEvent)
            and event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter)
        ):
            event.accept()
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.ended.emit(True)
        elif event.key() == Qt.Key.Key_Escape:
            self.ended.emit(False)
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() not in _STAYS_OPEN:
            self.ended.emit(True)
