"""What is at hand on the desktop: the quick window with a picture, and its keys in the settings."""

from __future__ import annotations

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

from chatdesk.ui.features.desktop.quick_keys import KeysReport, KeysState
from chatdesk.ui.features.desktop.quick_keys_row import QuickKeysRow
from chatdesk.ui.features.quick.quick_window import QuickWindow
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.view import TranscriptView
from tests.gallery.transcript_samples import build_view, sample_answer


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    return [
        ("quick-window", _quick_window(theme)),
        ("quick-keys-working", _settings(theme, KeysReport(KeysState.WORKING))),
        ("quick-keys-denied", _settings(theme, KeysReport(KeysState.DENIED))),
    ]


def _quick_window(theme: Theme) -> QuickWindow:
    def make_view() -> TranscriptView:
        _name, messages, blocks = sample_answer()
        return build_view(theme, messages, blocks)

    window = QuickWindow(theme, make_view)
    window.editor.replace_all("Why is this chart empty?")
    picture = QImage(640, 360, QImage.Format.Format_RGB32)
    picture.fill(theme.colour("selected"))
    window.show_context("Screenshot", picture)
    return window


def _settings(theme: Theme, report: KeysReport) -> SettingsDialog:
    dialog = SettingsDialog(theme, {})

    def make() -> QWidget:
        row = QuickKeysRow("Ctrl+Alt+Space", "chatdesk quick")
        row.show_report(report)
        return row

    dialog.fill_page("Shortcuts", make)
    dialog.show_page("Shortcuts")
    return dialog
