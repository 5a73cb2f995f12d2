"""Shows the presence of others in a shared thread's header: who types, else who is here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtWidgets import QWidget

from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.elided_label import ElidedLabel
from chatdesk.ui.widgets.words import with_commas

_WIDEST_PX: Final = 260


class PresenceRow(ElidedLabel):
    """A line about the people at a thread. Its accessible name says all of it; it changes without being announced."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, role="muted", parent=parent)
        self.setObjectName("presence")
        self.setMaximumWidth(round(_WIDEST_PX * max(1.0, theme.scale)))
        self.setVisible(False)

    def set_people(self, here: Sequence[str], typing: Sequence[str]) -> None:
        """Set the names of all members who are here, and of those among them who type."""
        self.setText(typing_words(typing) or here_words(here))
        self.setAccessibleName(", ".join(filter(None, (here_words(here), typing_words(typing)))))
        self.setVisible(bool(here))


def typing_words(names: Sequence[str]) -> str:
    """Return "Ana is typing…" for the names; empty without names."""
    if not names:
        return ""
    if len(names) == 1:
        return tr("{first} is typing…", first=names[0])
    if len(names) == 2:
        return tr("{first} and {second} are typing…", first=names[0], second=names[1])
    return shown(plural("{count} people are typing…", "{count} person is typing…", len(names)))


def here_words(names: Sequence[str]) -> str:
    """Return "Here now: Ana, Ben" for the names; empty without names."""
    return tr("Here now: {names}", names=with_commas(names)) if names else ""
