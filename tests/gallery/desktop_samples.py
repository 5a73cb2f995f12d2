"""What stands at hand on the desktop: the keys of the quick window in the settings."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from chatdesk.ui.features.desktop.quick_keys import KeysReport, KeysState
from chatdesk.ui.features.desktop.quick_keys_row import QuickKeysRow
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.theme.theme import Theme


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    return [
        ("quick-keys-working", _settings(theme, KeysReport(KeysState.WORKING))),
        ("quick-keys-taken", _settings(theme, KeysReport(KeysState.TAKEN))),
    ]


def _settings(theme: Theme, report: KeysReport) -> SettingsDialog:
    dialog = SettingsDialog(theme, {})

    def make() -> QWidget:
        row = QuickKeysRow("Ctrl+Alt+Space", "chatdesk quick")
        row.show_report(report)
        return row

    dialog.fill_page("Shortcuts", make)
    dialog.show_page("Shortcuts")
    return dialog
