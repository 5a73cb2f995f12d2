"""The card that says which tool server wants a person to sign in, where its tools are missed."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal

from chatdesk.core.domain.tools import ToolServer
from chatdesk.core.hidden_characters import clean_line, visible_controls
from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.announce import announce
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.features.tools.card_frame import CardFrame, card_label
from chatdesk.ui.theme.theme import Theme


class SignInCard(CardFrame[ToolServer]):
    """A card that offers to sign in to a tool server. ``signInRequested`` and ``dismissed`` have the id of the
    server."""

    signInRequested = Signal(str)
    dismissed = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, "signIn", "plug")
        self._words = card_label("muted", "signInWords")
        self.sign_in_button = push_button(tr("Sign in…"), "signInNow", self._on_sign_in, is_primary=True)
        self.later_button = push_button(tr("Not now"), "signInLater", self._on_later)
        self.column.addWidget(self._words)
        self.column.addWidget(self.problem)
        buttons = (self.sign_in_button, self.later_button)
        self.add_buttons(*buttons, agreeing=(self.sign_in_button,))
        self.show_count(1)

    def _fill(self, request: ToolServer) -> None:
        title = tr("{name} asks you to sign in", name=clean_line(request.name))
        self.title.setText(title)
        self.setAccessibleName(title)
        for button in (self.sign_in_button, self.later_button):
            button.setAccessibleName(f"{button.text()}: {title}")
        self.show_problem("")
        self.show_progress(
            tr(
                "The tools of {address} are left out until you have signed in.",
                address=visible_controls(request.address),
            )
        )

    def show_progress(self, words: str) -> None:
        """Show the progress of the sign-in."""
        self._words.setText(words)
        if self.isVisible():
            announce(self, words)

    def focus_answer(self) -> None:
        """Put the focus on the button that signs in."""
        self.sign_in_button.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _on_sign_in(self) -> None:
        if self._request is not None:
            self.signInRequested.emit(self._request.id)

    def _on_later(self) -> None:
        if self._request is not None:
            self.dismissed.emit(self._request.id)
