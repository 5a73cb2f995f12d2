"""Asks before a key goes to another server than the one it was given for, or unencrypted."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.key_origin import KeyNotAgreed
from chatdesk.core.texts import shown, tr
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.theme.theme import Theme


def agreement_dialog(theme: Theme, asked: KeyNotAgreed, *, parent: QWidget | None = None) -> ConfirmDialog:
    return ConfirmDialog(
        theme,
        shown(asked.title),
        tr("{what} Agree only if you made this change yourself and trust that server.", what=asked.what),
        yes_text=tr("Send it there"),
        is_dangerous=True,
        parent=parent,
    )
