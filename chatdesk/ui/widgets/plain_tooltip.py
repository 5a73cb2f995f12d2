"""Tooltips show text that others wrote; Qt would read some of it as HTML."""

from __future__ import annotations

from textwrap import wrap
from typing import Final

from PySide6.QtWidgets import QWidget

from chatdesk.core.texts import shown

_LINE_LETTERS: Final = 60


def set_plain_tooltip(widget: QWidget, text: str) -> None:
    """Show ``text`` as it is. Screen readers get the words, too: Qt gives them the tooltip, marks and all, as the
    description of a widget that has none."""
    text = shown(text)
    described = widget.accessibleDescription()
    if not described or plain_tooltip(described) == widget.toolTip():
        widget.setAccessibleDescription(text)
    widget.setToolTip(plain_tooltip(text))


def plain_tooltip(text: str) -> str:
    """Return ``text`` for a tooltip, in lines of a readable length: Qt would make lines of two words each."""
    lines = [line for each in text.split("\n") for line in wrap(each, _LINE_LETTERS) or [""]]
    return f"<p style='white-space:pre'>{_escaped(chr(10).join(lines))}</p>" if text else ""


def _escaped(text: str) -> str:
    # Not ``html.escape``: with it comes a table of 2,000 names of characters, which the first paint would wait for.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
