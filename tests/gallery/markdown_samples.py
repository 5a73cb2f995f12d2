"""Golden answers as the parser and the transcript show them together."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.ui.theme.theme import Theme
from tests.gallery.transcript_samples import build_view, sample_message
from tests.helpers.golden_markdown import golden_text

_SHOWN = (
    "07-code-in-list",
    "16-chinese",
    "19-arabic",
    "24-quotes",
    "27-raw-html",
    "34-steps-with-everything",
    "42-regex-table",
    "60-hidden-characters",
    "62-footnotes-long",
    "72-callouts-and-tags",
)


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    return [(f"markdown {name[3:]}", _view(theme, golden_text(name))) for name in _SHOWN]


def _view(theme: Theme, text: str) -> QWidget:
    return build_view(theme, [sample_message(text)], {text: parse_markdown(text)})
