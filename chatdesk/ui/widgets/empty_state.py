"""Shows a view in the transcript's place while a thread has no message: a question and four suggestions, or on the
first start the ways to connect a model. While loading it is blank, and after a moment says that the thread is
opening."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.theme.icons import paint_icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import COMPOSER_WIDTH_PX, ICON_PX
from chatdesk.ui.widgets.buttons import ThemedButton
from chatdesk.ui.widgets.layouts import bare_column
from chatdesk.ui.widgets.painting import draw_line, paint_box, paint_focus_ring

_PADDING_PX = 14


class StartKind(StrEnum):
    """The effect of choosing a card on its text: write it into the composer, write it and ask for a file, or send it at
    once; or the text is a command's id."""

    WRITE = "write"
    ATTACH = "attach"
    ASK = "ask"
    COMMAND = "command"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Start:
    """The title and the detail are on the card; all three texts are shown in the language of the program."""

    icon_name: str
    title: str
    detail: str
    kind: StartKind
    text: str


class PromptCard(ThemedButton):
    def __init__(self, theme: Theme, start: Start, *, object_name: str) -> None:
        title, detail = shown(start.title), shown(start.detail)
        name = tr("{title}: {detail}", title=title, detail=detail)
        super().__init__(theme, name=name, object_name=object_name)
        self.start = start
        self._detail = detail
        self.setText(title)
        tooltip = "" if start.kind is StartKind.COMMAND else shown(start.text).strip()
        self.set_name(name, tooltip=tooltip)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        line = QFontMetrics(self._theme.font("strong")).height()
        detail = QFontMetrics(self._theme.font("note")).height()
        return QSize(200, 2 * _PADDING_PX + line + 4 + detail)

    def minimumSizeHint(self) -> QSize:
        return QSize(140, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        area = QRectF(self.rect())
        radius = theme.tokens.radius.card - 2
        fill = theme.colour("hover" if self._is_hot() else "card")
        paint_box(painter, area, radius, fill=fill, border=theme.colour("line"))
        inner = area.adjusted(_PADDING_PX, _PADDING_PX, -_PADDING_PX, -_PADDING_PX)
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        side = ICON_PX * max(1.0, theme.scale)
        line = QFontMetrics(theme.font("strong")).height()
        left = inner.right() - side if is_mirrored else inner.left()
        ink = theme.colour("text")
        paint_icon(painter, QRectF(left, inner.top() + (line - side) / 2, side, side), self.start.icon_name, ink)
        taken = side + 5
        title = inner.adjusted(0, 0, -taken, 0) if is_mirrored else inner.adjusted(taken, 0, 0, 0)
        title.setHeight(line)
        self._paint_line(painter, title, self.text(), "strong", "text")
        detail = QRectF(inner.left(), inner.top() + line + 4, inner.width(), inner.height() - line - 4)
        self._paint_line(painter, detail, self._detail, "note", "muted")
        if self.shows_ring:
            paint_focus_ring(painter, area, radius, theme.colour("accent"))

    def _paint_line(self, painter: QPainter, area: QRectF, text: str, role: str, colour: str) -> None:
        painter.setFont(self._theme.font("strong" if role == "strong" else "note"))
        painter.setPen(self._theme.colour(colour))
        elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(area.width()))
        draw_line(painter, area, elided, self.layoutDirection())


_ONE_COLUMN_BELOW_PX = 480
_OPENING_AFTER_MS = 600  # a start that is quicker says nothing

STARTS: Final = (
    Start(
        "code",
        Text("Explain a stack trace"),
        Text("Paste it; get the cause and the fix"),
        StartKind.WRITE,
        Text("Explain this error. What causes it, and how do I fix it?\n\n"),
    ),
    Start(
        "file-text",
        Text("Summarise a document"),
        Text("Drop a PDF or a text file"),
        StartKind.ATTACH,
        Text("Summarise this document: the main points first, then what is left open."),
    ),
    Start(
        "table",
        Text("Make a comparison table"),
        Text("Options against criteria"),
        StartKind.WRITE,
        Text("Compare these options in a table, by cost, effort and risk:\n- "),
    ),
    Start(
        "download", Text("Import your chats"), Text("From a ChatGPT or Claude export"), StartKind.COMMAND, "app.import"
    ),
)
OFFLINE_STARTS: Final = (
    Start("sparkles", Text("Take the tour"), Text("What ChatDesk can do"), StartKind.ASK, "What can ChatDesk do?"),
    Start(
        "table",
        Text("See an answer"),
        Text("With code, a table and a formula"),
        StartKind.ASK,
        "Show me code, a table and a formula",
    ),
    Start(
        "plug",
        Text("Connect a provider"),
        Text("A key, or a server of your own"),
        StartKind.COMMAND,
        "app.add_provider",
    ),
    Start(
        "download", Text("Import your chats"), Text("From a ChatGPT or Claude export"), StartKind.COMMAND, "app.import"
    ),
)

_REPORT = Start(
    "info", Text("Report a problem…"), Text("See what goes with it, and save it"), StartKind.COMMAND, "app.report"
)
_QUIT = Start("log-out", Text("Quit"), Text("Nothing is changed"), StartKind.COMMAND, "app.quit")
_RESTORE = Start(
    "archive-restore", Text("Restore a backup…"), Text("See what is in it first"), StartKind.COMMAND, "app.restore"
)


class EmptyState(QScrollArea):
    """The placeholder of a chat without messages. ``promptChosen`` has the text for the composer, ``attachChosen`` too
    and asks for a file, ``questionAsked`` has what is asked at once, ``commandChosen`` a command's id."""

    promptChosen = Signal(str)
    attachChosen = Signal(str)
    questionAsked = Signal(str)
    commandChosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._first_screen: QWidget | None = None
        self._is_loading = False
        self.setObjectName("emptyState")
        self.setAccessibleName(tr("New thread"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.title = _text_label("emptyStateTitle", "title")
        self.title.setText(tr("What are you working on?"))
        self.sub_text = _text_label("emptyStateText", "text")
        self.sub_text.setProperty("isQuiet", True)
        self._opening = _text_label("emptyStateOpening", "text")
        self._opening.setProperty("isQuiet", True)
        self._opening.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._opening.setVisible(False)
        self._opening_timer = QTimer(self, singleShot=True, interval=_OPENING_AFTER_MS)
        self._opening_timer.timeout.connect(self._on_opening_timer_timeout)
        self._columns = 0
        self._grid = QGridLayout()
        self._grid.setSpacing(10)
        self.cards: tuple[PromptCard, ...] = ()
        self.setWidget(self._build_page())
        self.set_starts(STARTS)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def set_sub_text(self, text: str) -> None:
        """Set one or two plain sentences below the title; empty hides the line."""
        self.sub_text.setText(shown(text))
        self.sub_text.setVisible(bool(text))

    def set_starts(self, starts: Sequence[Start]) -> None:
        """Set the cards, in the order of reading."""
        if tuple(starts) == tuple(card.start for card in self.cards):
            return
        for card in self.cards:
            self._grid.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards = tuple(
            PromptCard(self._theme, start, object_name=f"promptCard{number}")
            for number, start in enumerate(starts, start=1)
        )
        for card in self.cards:
            card.clicked.connect(lambda _checked=False, start=card.start: self._on_start_clicked(start))
        columns, self._columns = self._columns or 2, 0
        self._place_cards(columns)

    # The first start

    @property
    def first_screen(self) -> QWidget | None:
        """The widget that ``show_first_screen`` was given."""
        return self._first_screen

    def show_first_screen(self, first_screen: QWidget) -> None:
        """Show the widget of the first start, in place of the question and the cards."""
        self._first_screen = first_screen
        self._column_rows.addWidget(first_screen)
        self._show_content(is_shown=not self._is_loading)

    def remove_first_screen(self) -> None:
        """Show the question and the cards again."""
        first_screen, self._first_screen = self._first_screen, None
        if first_screen is not None:
            self._column_rows.removeWidget(first_screen)
            first_screen.hide()
            first_screen.deleteLater()
            self._show_content(is_shown=not self._is_loading)

    # Loading

    def show_loading(self) -> None:
        """Show that nothing is loaded yet: blank, and after a moment a word."""
        self._is_loading = True
        self._show_content(is_shown=False)
        self._opening_timer.start()

    def end_loading(self) -> None:
        self._is_loading = False
        self._opening_timer.stop()
        self._opening.setVisible(False)
        self._show_content(is_shown=True)

    def show_failure(self, *, can_restore: bool) -> None:
        """Show buttons for help because opening failed; the reason is shown elsewhere."""
        self.title.setText(tr("Your threads could not be opened"))
        self.setAccessibleName(self.title.text())
        self.set_sub_text(tr("If you restore a backup, the database as it is now is kept.") if can_restore else "")
        self.set_starts((_RESTORE, _REPORT, _QUIT) if can_restore else (_REPORT, _QUIT))
        self.end_loading()
        self.cards[0].setFocus()

    def _on_opening_timer_timeout(self) -> None:
        self._opening.setText(tr("Opening your threads…"))
        self._opening.setVisible(True)

    def _show_content(self, *, is_shown: bool) -> None:
        self._question.setVisible(is_shown and self._first_screen is None)
        if self._first_screen is not None:
            self._first_screen.setVisible(is_shown)

    # Layout

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_cards(1 if event.size().width() < _ONE_COLUMN_BELOW_PX * self._theme.scale else 2)

    def _build_page(self) -> QWidget:
        self._question = QWidget()
        rows = bare_column(self._question, spacing_px=0)
        rows.addWidget(self.title)
        rows.addSpacing(10)
        rows.addWidget(self.sub_text)
        rows.addSpacing(22)
        rows.addLayout(self._grid)
        self._column = QWidget()
        self._column_rows = QVBoxLayout(self._column)
        self._column_rows.setContentsMargins(0, 24, 0, 24)
        self._column_rows.setSpacing(0)
        self._column_rows.addWidget(self._opening)
        self._column_rows.addWidget(self._question)
        page = QWidget()
        page.setObjectName("emptyStatePage")
        rows = QVBoxLayout(page)
        rows.setContentsMargins(24, 0, 24, 0)
        centre = QHBoxLayout()
        centre.addStretch(1)
        centre.addWidget(self._column, 1000)
        centre.addStretch(1)
        rows.addStretch(2)
        rows.addLayout(centre)
        rows.addStretch(4)
        return page

    def _place_cards(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        for place, card in enumerate(self.cards):
            self._grid.addWidget(card, place // columns, place % columns)

    def _on_start_clicked(self, start: Start) -> None:
        signals = {
            StartKind.WRITE: self.promptChosen,
            StartKind.ATTACH: self.attachChosen,
            StartKind.ASK: self.questionAsked,
            StartKind.COMMAND: self.commandChosen,
        }
        signals[start.kind].emit(shown(start.text))

    def _on_theme_changed(self) -> None:
        self._column.setMaximumWidth(round(COMPOSER_WIDTH_PX * max(1.0, self._theme.scale)))


def _text_label(object_name: str, role: str) -> QLabel:
    label = QLabel()
    label.setObjectName(object_name)
    label.setProperty("textRole", role)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label
