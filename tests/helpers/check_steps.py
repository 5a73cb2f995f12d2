"""Reads the steps of a test as a person sees them."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel

from chatdesk.ui.dialogs.marks import CheckSteps, Mark


def shown_steps(steps: CheckSteps) -> list[tuple[bool | None, str]]:
    """Return for each line whether it has a tick, None without a mark, and its words."""
    layout = steps.layout()
    assert layout is not None
    widgets = [layout.itemAt(place).widget() for place in range(layout.count())]
    marks = [each for each in widgets if isinstance(each, Mark)]
    words = [each.text() for each in widgets if isinstance(each, QLabel)]
    ticks = [None if each.isHidden() else each.accessibleName() == "Works" for each in marks]
    return list(zip(ticks, words, strict=True))
