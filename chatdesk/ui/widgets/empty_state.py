"""What stands in the transcript's place while a thread has no message: a question and four prompts to try."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.prompt_card import ExamplePrompt, PromptCard

_WIDTH_PX = 640
_ONE_COLUMN_BELOW_PX = 480

EXAMPLE_PROMPTS: Final = (
    ExamplePrompt(
        "code",
        "Explain an error",
        "Get the cause and the fix",
        'Explain the SQLite error "database is locked": what causes it, and how do I fix it?',
    ),
    ExamplePrompt(
        "table",
        "Make a comparison table",
        "Options against criteria",
        "Make a table that compares SQLite, PostgreSQL and DuckDB for a desktop application.",
    ),
    ExamplePrompt(
        "terminal",
        "Write a small program",
        "With a test and an explanation",
        "Write a Python function that parses ISO 8601 durations, with a test, and explain how it works.",
    ),
    ExamplePrompt(
        "list-checks",
        "Plan a piece of work",
        "Steps, order and risks",
        "Plan the move of a small team's notes from e-mail to a shared wiki: steps, their order and the risks.",
    ),
)


class EmptyState(QScrollArea):
    """Emits ``promptChosen`` with the whole text of the prompt."""

    promptChosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("emptyState")
        self.setAccessibleName("New thread")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.title = _text_label("emptyStateTitle", "title")
        self.title.setText("What are you working on?")
        self.sub_text = _text_label("emptyStateText", "text")
        self.sub_text.setProperty("isQuiet", True)
        self.cards = tuple(
            PromptCard(theme, prompt, object_name=f"promptCard{number}")
            for number, prompt in enumerate(EXAMPLE_PROMPTS, start=1)
        )
        for card in self.cards:
            card.clicked.connect(lambda _checked=False, text=card.prompt.text: self.promptChosen.emit(text))
        self._grid = QGridLayout()
        self._grid.setSpacing(10)
        self.setWidget(self._build_page())
        self._columns = 0
        self._place_cards(2)
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()

    def set_sub_text(self, text: str) -> None:
        """One or two plain sentences below the title; empty hides the line."""
        self.sub_text.setText(text)
        self.sub_text.setVisible(bool(text))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_cards(1 if self.viewport().width() < _ONE_COLUMN_BELOW_PX * self._theme.scale else 2)

    def _build_page(self) -> QWidget:
        self._column = QWidget()
        column = QVBoxLayout(self._column)
        column.setContentsMargins(0, 24, 0, 24)
        column.setSpacing(0)
        column.addWidget(self.title)
        column.addSpacing(10)
        column.addWidget(self.sub_text)
        column.addSpacing(22)
        column.addLayout(self._grid)
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

    def _on_theme_changed(self) -> None:
        self._column.setMaximumWidth(round(_WIDTH_PX * max(1.0, self._theme.scale)))


def _text_label(object_name: str, role: str) -> QLabel:
    label = QLabel()
    label.setObjectName(object_name)
    label.setProperty("textRole", role)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label
