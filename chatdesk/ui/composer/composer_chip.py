"""The chip of something that is on for what is asked in a composer."""

from __future__ import annotations

from chatdesk.ui.widgets.buttons import PillButton


class ComposerChip(PillButton):
    """A chip below the text: something that is on for what is asked here. Its menu opens above it."""

    _RADIUS_PX = 8.0
    _OPENS_UP = True
