"""The composer in its states."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk.ui.composer.composer import Composer
from chatdesk.ui.theme.theme import Theme


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    streaming = _composer(theme, "and what about synchronous=FULL?", tokens="1,412 tokens")
    streaming[1].set_streaming(True)
    focused = _composer(theme, "Hello", tokens="1 token")
    focused[0].setProperty("focusOn", "composer")
    large = _composer(theme, "x" * 2000)
    large[1].set_size_limit(1000)
    mirrored = _composer(theme, "مرحبا بالعالم", tokens="4 tokens")
    mirrored[0].setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    return [
        ("composer-empty", _composer(theme, "", tokens="0 tokens")[0]),
        ("composer-focus", focused[0]),
        ("composer-streaming", streaming[0]),
        ("composer-tall", _composer(theme, "\n".join(f"line {number}" for number in range(40)))[0]),
        ("composer-too-large", large[0]),
        ("composer-right-to-left", mirrored[0]),
    ]


def _composer(theme: Theme, text: str, *, tokens: str = "") -> tuple[QWidget, Composer]:
    page = QWidget()
    page.resize(776, 600)
    column = QVBoxLayout(page)
    column.addStretch(1)
    composer = Composer(theme)
    composer.set_placeholder("Message Research — / for prompts")
    composer.set_text(text)
    composer.set_token_count(tokens)
    column.addWidget(composer)
    return page, composer
