"""Shows the sentence below the text: the reason why a message cannot be sent, or a short notice for a few seconds."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from chatdesk.core.texts import shown
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.elided_label import ElidedLabel

_NOTICE_MS: Final = 5000


class ComposerNotice(ElidedLabel):
    """Shows the most urgent notice: a text that is too large, a refusal, no connection, a reminder."""

    def __init__(self, theme: Theme, composer: QWidget) -> None:
        super().__init__(theme, role="muted")
        self._composer = composer
        self._too_large = ""
        self._refusal = ""
        self._offline = ""
        self._reminder = ""
        self.setObjectName("composerNotice")
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.show_standing)

    def show_passing(self, text: str) -> None:
        """Show a few words below the text for a few seconds."""
        self._set(text, is_danger=False)
        self._timer.start(_NOTICE_MS)
        announce(self._composer, text)

    def show_standing(self) -> None:
        """Show the lasting notice again, in place of one that is shown for a few seconds."""
        self._timer.stop()
        self._set(self._too_large or self._refusal or self._offline or self._reminder, is_danger=bool(self._too_large))

    def set_too_large(self, words: str) -> None:
        """Set the notice about a text that one message cannot hold; empty when it can."""
        before, self._too_large = self._too_large, words
        if words or before:
            self.show_standing()
        if words and not before:
            announce(self._composer, words)

    def set_refusal(self, sentence: str) -> None:
        """Set why nothing can be sent though something is written; empty when it can or nothing is."""
        self._refusal = sentence
        self.show_standing()

    def set_offline(self, words: str) -> None:
        """Show a sentence while there is no connection; empty with a connection."""
        if words == self._offline:
            return
        if words and not self._offline:
            announce(self._composer, words)
        self._offline = words
        self.show_standing()

    def set_reminder(self, words: str) -> None:
        """Set a reminder about the next question, shown while no other notice is; empty for none."""
        if words == self._reminder:
            return
        if words:
            announce(self._composer, words)
        self._reminder = words
        self.show_standing()

    def _set(self, text: str, *, is_danger: bool) -> None:
        self.setText(shown(text))
        self.setProperty("isDanger", is_danger)
        self.style().unpolish(self)
        self.style().polish(self)
