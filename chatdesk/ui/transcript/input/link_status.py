"""Shows the target of the link under the mouse or the keyboard at the foot of the transcript, as browsers do."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle

_PAD_PX = 8


class LinkStatus(QLabel):
    """A line of plain text that takes no clicks and is hidden when there is no link."""

    def __init__(self, area: QWidget) -> None:
        super().__init__(area)
        self._area = area
        self.setObjectName("linkStatus")
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def set_style(self, style: TranscriptStyle) -> None:
        tokens = style.tokens
        self.setFont(style.font("muted"))
        self.setStyleSheet(
            f"#linkStatus {{ background: {tokens.card}; color: {tokens.text}; border: 1px solid {tokens.line};"
            f" border-radius: {tokens.radius.inline_code}px; padding: 3px {_PAD_PX}px; }}"
        )

    def show_target(self, target: str) -> None:
        """Show ``target``; a long one loses its end, because its beginning names the host."""
        leads_out = bool(target) and not target.startswith("#")  # a footnote is in the message itself
        self.setVisible(leads_out)
        if not leads_out:
            return
        area = self._area.rect()
        most = area.width() - 4 * _PAD_PX
        self.setText(self.fontMetrics().elidedText(target, Qt.TextElideMode.ElideRight, most - 2 * _PAD_PX))
        self.adjustSize()
        self.move(_PAD_PX, area.height() - self.height() - _PAD_PX)
        self.raise_()
