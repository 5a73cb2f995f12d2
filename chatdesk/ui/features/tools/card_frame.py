"""Draws the frame of the cards above the text that ask for a decision: an icon, a title, a border."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Generic, Protocol, TypeVar

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QSpacerItem, QVBoxLayout, QWidget

from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.qt.unread_guard import UnreadGuard
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import COMPOSER_WIDTH_PX, ICON_PX
from chatdesk.ui.widgets.layouts import FlowRow
from chatdesk.ui.widgets.painting import paint_box

_PADDING_PX, _ICON_GAP_PX = 16, 4
_MOST_LINES: Final = 9
_FIELD_FRAME_PX: Final = 10  # the style sheet's padding and border, above and below


class Identified(Protocol):
    """A request that a person answers, told from others by its id."""

    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=Identified)


class CardFrame(QWidget, Generic[R]):
    """The frame of a card for requests of one kind. Content goes into ``column``, below the title. The objects in it
    are named after ``prefix``.

    For a moment after it appears, and after ``ask_anew``, a mouse can press nothing that agrees.
    """

    def __init__(self, theme: Theme, prefix: str, icon: str) -> None:
        super().__init__()
        self._theme = theme
        self._icon = icon
        self._request: R | None = None
        self._guard: UnreadGuard | None = None
        self.setObjectName(f"{prefix}Card")
        self._icon_room = QSpacerItem(0, 0)
        self.title = card_label("strong", f"{prefix}Title")
        self.problem = card_label("text", f"{prefix}Problem")
        self.problem.setProperty("isDanger", True)
        self.problem.hide()
        self._count = card_label("muted", f"{prefix}Count")
        head = QHBoxLayout()
        head.addSpacerItem(self._icon_room)
        head.addWidget(self.title, 1)
        head.addWidget(self._count, 0, Qt.AlignmentFlag.AlignTop)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(_PADDING_PX, 12, _PADDING_PX, 12)
        self.column.setSpacing(6)
        self.column.addLayout(head)
        theme.changed.connect(self.fit_to_theme)
        self.fit_to_theme()

    def add_buttons(self, *buttons: QPushButton, agreeing: Sequence[QPushButton]) -> None:
        """Put the buttons below the content; those in ``agreeing`` grant the request."""
        row = FlowRow(8)
        for each in buttons:
            row.addWidget(each)
        self._guard = UnreadGuard(agreeing, self, [each for each in buttons if each not in agreeing])
        self.column.addLayout(row)

    @property
    def request(self) -> R | None:
        """The request that the card shows."""
        return self._request

    def show_first(self, waiting: Sequence[R], *, leave: Callable[[], None]) -> None:
        """Show the first of the waiting requests, or hide the card where none waits. If the card has the focus then,
        ``leave`` moves it away."""
        has_focus = self.isVisible() and self.isAncestorOf(self.window().focusWidget())
        before = self._request
        self.setVisible(bool(waiting))
        if waiting:
            self.show_request(waiting[0], waiting=len(waiting))
            if has_focus and self._request is not before:
                self._focus_next()
        elif has_focus:
            leave()

    def show_request(self, request: R, *, waiting: int = 1) -> None:
        """Show a request; ``waiting`` counts this one and the ones behind it. Entered values stay while the request is
        the same."""
        if self._request is None or request.id != self._request.id:
            self._request = request
            self._fill(request)
            self.ask_anew()
        self.show_count(waiting)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.ask_anew()

    def _fill(self, request: R) -> None:
        """Fill the card with another request."""
        raise NotImplementedError

    def _focus_next(self) -> None:
        """Move the focus to the safest widget, because another request took the place of the one that had it."""

    def ask_anew(self) -> None:
        """Ignore clicks for a moment, because another question is shown, which a person cannot have read yet."""
        if self._guard is not None:
            self._guard.restart()

    @property
    def is_unread(self) -> bool:
        """Return whether the question is there too short to be read."""
        return self._guard is not None and self._guard.is_unread

    def show_count(self, waiting: int) -> None:
        """Show how many requests wait, with this one."""
        self._count.setText(tr("1 of {count}", count=waiting) if waiting > 1 else "")
        self._count.setVisible(waiting > 1)

    def show_problem(self, sentence: str) -> None:
        """Show why an answer is not accepted; an empty text hides it."""
        if sentence != self.problem.text():
            self.problem.setText(sentence)
            announce(self, sentence, is_assertive=True)
        self.problem.setVisible(bool(sentence))

    def fit_to_theme(self) -> None:
        """Apply the sizes of the theme."""
        scale = max(1.0, self._theme.scale)
        self.setMaximumWidth(round(COMPOSER_WIDTH_PX * scale))
        self._icon_room.changeSize(round(ICON_PX * scale) + _ICON_GAP_PX, 0)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        area = QRectF(self.rect())
        paint_box(painter, area, theme.tokens.radius.card, fill=theme.colour("card"), border=theme.colour("line"))
        side = ICON_PX * max(1.0, theme.scale)
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        left = area.right() - _PADDING_PX - side if is_mirrored else _PADDING_PX
        top = self.title.y() + (QFontMetrics(self.title.font()).height() - side) / 2
        paint_icon(painter, QRectF(left, top, side, side), self._icon, theme.colour("accent"))


class CodeField(QPlainTextEdit):
    """A field of code in a card: as high as its text, within limits; then it scrolls."""

    def __init__(self, theme: Theme, object_name: str) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName(object_name)
        self.setProperty("inCard", True)
        self.setTabChangesFocus(True)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def _on_theme_changed(self) -> None:
        self.setFont(self._theme.font("code"))

    def _fit(self, *_size: object) -> None:
        lines = round(self.document().size().height())  # a plain text document measures its height in lines
        is_scrolled = lines > _MOST_LINES
        policy = Qt.ScrollBarPolicy.ScrollBarAsNeeded if is_scrolled else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self.setVerticalScrollBarPolicy(policy)
        rest_px = 2 * round(self.document().documentMargin()) + _FIELD_FRAME_PX
        self.setFixedHeight(min(_MOST_LINES, lines) * self.fontMetrics().lineSpacing() + rest_px)


def card_label(role: str, object_name: str) -> QLabel:
    """Return an empty label whose text can be selected."""
    label = plain_label("", role, wraps=True, name=object_name)  # type: ignore[arg-type]
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
