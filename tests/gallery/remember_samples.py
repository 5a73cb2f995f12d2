"""The dialog that makes a memory of a selection."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from chatdesk.ui.features.memory.remember_dialog import RememberDialog
from chatdesk.ui.theme.theme import Theme


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    return [
        ("remember-on", _dialog(theme, is_on=True)),
        ("remember-off", _dialog(theme, is_on=False)),
        ("remember-fixed-off", _dialog(theme, is_on=False, is_fixed=True)),
    ]


def _dialog(theme: Theme, *, is_on: bool, is_fixed: bool = False) -> QWidget:
    words = "The harbour closes at six in winter."
    return RememberDialog(theme, words, project_id="project", has_message=True, is_on=is_on, is_fixed=is_fixed)
