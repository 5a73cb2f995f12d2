"""Defines the common layout of dialogs: a title, the content, a line for failures, a row of buttons.

The simplest such dialog asks for confirmation before an action that is hard to undo.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.dialogs.panel import Panel, plain_label
from chatdesk.ui.qt.unread_guard import UnreadGuard, UnreadMoment
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import FontRole
from chatdesk.ui.widgets.focus_chain import previous_in_chain

_GAP_PX, _BUTTON_GAP_PX = 12, 8
_ABOVE_BUTTONS_PX = 4  # besides the gap
_QUESTION_WIDTH_PX = 440


class FormPanel(Panel):
    """A dialog with a title, a content, a line for problems and a row of buttons. The content goes into ``body``. With
    ``width_px`` the dialog is as high as its content needs; with ``size_px`` it has that size as far as the window has
    room. Both are given at scale 1.

    The first Esc in a form that something was typed into says that the second leaves it.

    For a moment a mouse can press none of its buttons that are primary or dangerous: it may appear by itself and under
    the pointer.
    """

    def __init__(
        self,
        theme: Theme,
        title: str,
        *,
        object_name: str,
        width_px: int = 0,
        size_px: tuple[int, int] | None = None,
        title_role: FontRole = "strong",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, title, parent=parent)
        self.setObjectName(object_name)
        self.head = plain_label(title, title_role, wraps=True)
        self.body = QVBoxLayout()
        self.body.setSpacing(_GAP_PX)
        self.problem = plain_label("", "text", wraps=True, name="panelProblem")
        self.problem.setProperty("isDanger", True)
        self.problem.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.problem.hide()
        self.guard = UnreadGuard((), self)
        self._first_count = 0
        self._warned_of: object = None
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(_BUTTON_GAP_PX)
        self.buttons.setContentsMargins(0, _ABOVE_BUTTONS_PX, 0, 0)
        self.buttons.addStretch(1)
        self.column = self.form_column()
        self.column.addWidget(self.head)
        self.column.addLayout(self.body, 1)
        self.column.addWidget(self.problem)
        self.column.addLayout(self.buttons)
        if width_px:
            # Qt would keep it as high as wrapped text is in its narrowest form.
            self.column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)
            self.fit_height(width_px)
        if size_px is not None:
            self.fit(*size_px)

    def setVisible(self, visible: bool) -> None:
        """Fit the height of the window to its words before it is shown: a click may come in the same turn of the
        loop."""
        if visible and self._width_px is not None and not self.isVisible():
            for label in self.findChildren(QLabel):
                label.ensurePolished()  # gives it its font
            self.refit()
        super().setVisible(visible)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() != Qt.Key.Key_Escape or not self.warns_of_unsaved():
            super().keyPressEvent(event)

    def unsaved(self) -> object:
        """Return the typed words that would be lost with the dialog; anything false if there are none."""
        lines = [each for each in self.findChildren(QLineEdit) if each.isModified() and _is_kept(each)]
        pages = [each for each in self.findChildren(QPlainTextEdit) if each.document().isModified()]
        texts = (*(each.text() for each in lines), *(each.toPlainText() for each in pages))
        return [each for each in texts if each.strip()]

    def warns_of_unsaved(self) -> bool:
        """Return whether words would be lost of which the person was not told before; they are told now."""
        unsaved = self.unsaved()
        if not unsaved or unsaved == self._warned_of:
            return False
        self._warned_of = unsaved
        self.show_problem(tr("What you typed is not saved. Press Esc again to leave without it."))
        return True

    def showEvent(self, event: QShowEvent) -> None:
        """Put the buttons last in the order of Tab, whatever was added first."""
        super().showEvent(event)
        self.guard.restart()
        for place in range(self.buttons.count()):
            widget, last = self.buttons.itemAt(place).widget(), previous_in_chain(self)  # type: ignore[union-attr]
            if isinstance(widget, QWidget) and last is not None and last is not widget:
                QWidget.setTabOrder(last, widget)

    @property
    def is_unread(self) -> bool:
        """Return whether the dialog is there too short to be read."""
        return self.guard.is_unread

    def add_text(self, text: str, role: FontRole = "muted") -> None:
        """Add a paragraph to the body."""
        self.body.addWidget(plain_label(text, role, wraps=True))

    def add_button(self, button: QPushButton, *, is_first: bool = False) -> QPushButton:
        """Add a button at the right end of the row, or with ``is_first`` at its left end, after others there."""
        if is_first:
            self.buttons.insertWidget(self._first_count, button)
            self._first_count += 1
        else:
            self.buttons.addWidget(button)
        acts = button.property("isPrimary") or button.property("isDanger")
        self.guard.watch([button] if acts else [], [] if acts else [button])
        return button

    @property
    def is_open(self) -> bool:
        """Return whether the dialog is still in view; also after Qt has deleted it."""
        return isValid(self) and self.isVisible()

    @contextmanager
    def saying_failure(self) -> Iterator[None]:
        """Say in the dialog why work failed. It is raised instead when the dialog is closed by then."""
        try:
            yield
        except ChatDeskError as error:
            if not self.is_open:
                raise
            self.show_problem(shown(error.sentence))

    def show_problem(self, sentence: str) -> None:
        """Show a failure below the form; an empty text hides it."""
        self.problem.setText(shown(sentence))
        self.problem.setVisible(bool(sentence))
        self.refit()
        announce(self, sentence, is_assertive=True)


def _is_kept(field: QLineEdit) -> bool:
    """Return whether what is typed into a field is to be kept: it neither searches nor is a number or a day."""
    return not field.property("isSearch") and not isinstance(field.parent(), QAbstractSpinBox)


class _PushButton(QPushButton):
    """A button that a double click presses once: its second half may be over what took the place of another button.
    One that ``acts`` lets no mouse press it for a moment after it appeared."""

    acts = False

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._moment = UnreadMoment()

    @property
    def is_unread(self) -> bool:
        """Return whether the button is there too short to be pressed with a mouse."""
        return self.acts and self._moment.is_unread

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._moment.restart()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not (self.acts and self._moment.swallows_press()):
            super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        event.accept()


def push_button(
    text: str,
    object_name: str,
    run: Callable[[], object],
    *,
    name: str = "",
    is_primary: bool = False,
    is_danger: bool = False,
    is_default: bool = False,
    is_way_out: bool = False,
    acts: bool = False,
) -> QPushButton:
    """Return a button that calls ``run``. ``name`` is the screen reader's label if the text alone is not enough. A
    button that ``acts`` has an immediate cost and is outside of the buttons of a ``FormPanel`` or card, which are
    guarded there. Enter in a field presses the one with ``is_default``; one with ``is_way_out`` stays enabled while the
    dialog is busy."""
    button = _PushButton(shown(text))
    named(button, object_name, shown(name or text))
    button.acts = acts
    button.setAutoDefault(False)
    button.setDefault(is_default)
    for each, is_so in (("isPrimary", is_primary), ("isDanger", is_danger), ("isWayOut", is_way_out)):
        if is_so:
            button.setProperty(each, True)
    button.clicked.connect(lambda _is_checked: run())
    return button


class ConfirmDialog(FormPanel):
    """A dialog that asks a yes-or-no question. ``answered(bool)`` comes exactly once; Esc and closing mean no. The safe
    button has the focus."""

    answered = Signal(bool)

    def __init__(
        self,
        theme: Theme,
        question: str,
        text: str,
        *,
        yes_text: str,
        no_text: str = Text("Cancel"),
        is_dangerous: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, question, object_name="confirmDialog", width_px=_QUESTION_WIDTH_PX, parent=parent)
        self.setAccessibleDescription(shown(text))
        self.add_text(text, "text")
        self.body.addSpacing(6)
        no = self.add_button(push_button(no_text, "confirmNo", self.reject))
        yes = push_button(yes_text, "confirmYes", self.accept, is_danger=is_dangerous, is_primary=not is_dangerous)
        self.add_button(yes)
        self.finished.connect(lambda result: self.answered.emit(result == FormPanel.DialogCode.Accepted.value))
        no.setFocus()

    async def ask(self) -> bool:
        """Open the dialog, and return whether the person said yes."""
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.answered.connect(lambda is_yes: None if answer.done() else answer.set_result(is_yes))
        self.open()
        return await answer
