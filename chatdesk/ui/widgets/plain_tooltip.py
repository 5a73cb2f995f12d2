"""Tooltips show text that others wrote; Qt would read some of it as HTML."""

from __future__ import annotations

from html import escape

from PySide6.QtWidgets import QWidget


def set_plain_tooltip(widget: QWidget, text: str) -> None:
    """Show ``text`` as it stands."""
    widget.setToolTip(f"<qt>{escape(text)}</qt>" if text else "")
