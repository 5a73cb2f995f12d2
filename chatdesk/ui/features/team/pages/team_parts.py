"""The parts of the dialogs of team sync: buttons, marks of a state, a panel that says what it does and what failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLayout,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from chatdesk.core.domain.sharing.team_setup import CheckState
from chatdesk.ui.accessibility.announce import announce
from chatdesk.ui.dialogs.panel import Panel, plain_label
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX

_CHECKS: Final = {
    CheckState.OK: ("circle-check", "accent"),
    CheckState.WARNING: ("triangle-alert", "warning"),
    CheckState.FAILED: ("circle-x", "danger"),
}


class TeamPanel(Panel):
    """A dialog with room for its own content (``body``, which scrolls), a line for what is being done or has failed,
    and a row of buttons. While it is busy only *Cancel* can be pressed."""

    def __init__(
        self, theme: Theme, title: str, *, object_name: str, size_px: tuple[int, int], parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, title, parent=parent)
        self.setObjectName(object_name)
        self._size_px = size_px
        space = theme.tokens.space
        self.head = plain_label(title, "strong", wraps=True)
        inside = QWidget()
        inside.setObjectName("teamBody")
        self.body = QVBoxLayout(inside)
        self.body.setContentsMargins(0, 0, space.s, 0)
        self.body.setSpacing(space.s)
        self.area = QScrollArea()
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setWidgetResizable(True)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setWidget(inside)
        self.problem = plain_label("", "text", wraps=True)
        self.problem.setObjectName("teamProblem")
        self.problem.setProperty("isDanger", True)
        self.problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.problem.hide()
        self.busy_text = plain_label("", "muted", wraps=True)
        self.busy_text.setObjectName("teamBusy")
        self.bar = QProgressBar()
        self.bar.setObjectName("teamProgress")
        self.bar.setAccessibleName(title)
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(space.s)
        self.buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(space.xl, space.xl, space.xl, space.l)
        column.setSpacing(space.s)
        column.addWidget(self.head)
        column.addWidget(self.area, 1)
        column.addWidget(self.problem)
        column.addWidget(self.busy_text)
        column.addWidget(self.bar)
        column.addLayout(self.buttons)
        self._locked: list[QWidget] = []
        self._had_focus: QWidget | None = None
        self.busy_text.hide()
        self.bar.hide()
        theme.changed.connect(self._dress)
        self._dress()

    @property
    def is_busy(self) -> bool:
        return bool(self._locked)

    def add_heading(self, text: str) -> None:
        """Add a heading to the body, with some room above it."""
        self.body.addSpacing(self.theme.tokens.space.xs)
        self.body.addWidget(plain_label(text, "strong", wraps=True))

    def add_button(self, button: QPushButton) -> QPushButton:
        self.buttons.addWidget(button)
        return button

    def show_busy(self, text: str) -> None:
        """Show that something is being done; nothing else can be begun."""
        self.show_problem("")
        if not self._locked:
            self._had_focus = self.focusWidget()
            self._locked = [
                each
                for each in self.findChildren(QWidget)
                if each.isEnabledTo(self) and each.focusPolicy() != Qt.FocusPolicy.NoFocus and not _is_way_out(each)
            ]
        self.busy_text.setText(text)
        self.busy_text.show()
        self.bar.setAccessibleName(text)
        self.bar.show()
        if self._had_focus is not None and not _is_way_out(self._had_focus):  # else the focus would go on to Cancel,
            self.bar.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # which a second Enter would press
            self.bar.setFocus(Qt.FocusReason.OtherFocusReason)
        for widget in filter(isValid, self._locked):
            widget.setEnabled(False)
        announce(self, text)

    def end_busy(self) -> None:
        locked, self._locked = self._locked, []
        for widget in locked:
            if isValid(widget):  # a row may have gone meanwhile
                widget.setEnabled(True)
        self.busy_text.hide()
        self.bar.hide()
        self.bar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        had_focus, self._had_focus = self._had_focus, None
        if had_focus in locked and isValid(had_focus):  # what is disabled loses the keyboard
            had_focus.setFocus()

    def show_problem(self, sentence: str) -> None:
        """Show what failed; an empty text hides it."""
        if sentence:
            self.end_busy()
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))
        announce(self, sentence, is_assertive=True)

    def _dress(self) -> None:
        self.setStyleSheet(line_style(self.theme) + "QScrollArea, #teamBody { background: transparent; }")
        self.fit(*self._size_px)


class Mark(QWidget):
    """An icon in one of the theme's colours; the words beside it say the same."""

    def __init__(self, theme: Theme, icon_name: str = "", colour: str = "muted") -> None:
        super().__init__()
        self._theme = theme
        self._icon_name, self._colour = icon_name, colour
        side = round(ICON_PX * max(1.0, theme.scale))
        self.setFixedSize(QSize(side, side))
        theme.changed.connect(self.update)

    def show_icon(self, icon_name: str, colour: str) -> None:
        self._icon_name, self._colour = icon_name, colour
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self._icon_name:
            return
        painter = QPainter(self)
        paint_icon(painter, QRectF(self.rect()), self._icon_name, self._theme.colour(self._colour))
        painter.end()


def check_mark(theme: Theme, state: CheckState) -> Mark:
    """Return the mark of a check: a tick, a warning or a cross."""
    return Mark(theme, *_CHECKS[state])


class _PushButton(QPushButton):
    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter presses it, as Space does."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.isAutoRepeat():
            self.click()
        else:
            super().keyPressEvent(event)


def push_button(
    text: str,
    object_name: str,
    run: Callable[[], object],
    *,
    name: str = "",
    is_primary: bool = False,
    is_danger: bool = False,
) -> QPushButton:
    """``name``: what a screen reader says where the text alone does not say enough."""
    button = _PushButton(text)
    button.setObjectName(object_name)
    button.setAccessibleName(name or text)
    button.setAutoDefault(False)
    if is_primary:
        button.setProperty("isPrimary", True)
    if is_danger:
        button.setProperty("isDanger", True)
    button.clicked.connect(lambda _is_checked: run())
    return button


def line() -> QFrame:
    """Return a thin line between rows; ``line_style`` colours it."""
    made = QFrame()
    made.setObjectName("settingsLine")
    made.setFixedHeight(1)
    return made


def line_style(theme: Theme) -> str:
    return f"#settingsLine {{ background: {theme.tokens.line}; }}"


def clear(layout: QLayout) -> None:
    """Take everything out of a layout, for good."""
    while (item := layout.takeAt(0)) is not None:
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()
        elif inner is not None:
            clear(inner)


def _is_way_out(widget: QWidget) -> bool:
    return isinstance(widget, QPushButton) and bool(widget.property("isWayOut"))
