"""The dialog of updates, in its states."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from chatdesk.core.texts import shown
from chatdesk.core.updates import InstallKind, Version
from chatdesk.ui.features.desktop.updates import UpdateDialog
from chatdesk.ui.theme.theme import Theme


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    def dialog() -> UpdateDialog:
        return UpdateDialog(theme, shown(InstallKind.PORTABLE.how_updated), "https://releases.example/")

    offered, newest, failed, asking = dialog(), dialog(), dialog(), dialog()
    offered.show_found(Version(0, 3, 0))
    newest.show_found(None)
    failed.show_failed("releases.example did not answer.")
    asking.show_checking()
    return [
        ("updates", dialog()),
        ("updates-offered", offered),
        ("updates-asking", asking),
        ("updates-failed", failed),
        ("updates-newest", newest),
        ("updates-by-apt", UpdateDialog(theme, shown(InstallKind.APT.how_updated))),
    ]
