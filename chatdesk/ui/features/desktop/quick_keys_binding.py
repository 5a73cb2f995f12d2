"""Keeps the keys of the quick window, and fills their row in the settings."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from PySide6.QtCore import QObject
from shiboken6 import isValid

from chatdesk.ui.features.desktop.autostart import start_command
from chatdesk.ui.features.desktop.quick_keys import KeysReport, KeysState, QuickKeys
from chatdesk.ui.features.desktop.quick_keys_row import QuickKeysRow
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.window.window_context import WindowContext

_PAGE: Final = "Shortcuts"
_SETTING: Final = "quick_keys"
_VARIABLE: Final = "CHATDESK_QUICK_KEYS"


class QuickKeysBinding(QObject):
    """Asks the desktop for keys once a person has set some. ``arguments`` are those of a start of this ChatDesk."""

    def __init__(self, context: WindowContext, settings: SettingsBinding, arguments: Sequence[str]) -> None:
        super().__init__()
        self._context = context
        self._settings = settings
        self._arguments = arguments
        self._keys: QuickKeys | None = None
        self._row: QuickKeysRow | None = None
        settings.applied.connect(self._on_settings_applied)
        settings.dialogMade.connect(self._on_settings_dialog_made)

    async def end(self) -> None:
        """Release the keys, because the window closes."""
        if self._keys is not None:
            await self._keys.end()

    def _on_settings_applied(self) -> None:
        keys = self._settings.current.quick_keys
        if self._keys is None and keys:
            self._keys = QuickKeys(self._context.tasks)
            self._keys.pressed.connect(self._on_keys_pressed)
            self._keys.changed.connect(self._show_report)
        if self._keys is not None:
            self._keys.use(keys)

    def _on_keys_pressed(self) -> None:
        self._context.panes.commands.trigger("app.quick")

    def _on_settings_dialog_made(self, dialog: SettingsDialog) -> None:
        dialog.fill_page(_PAGE, partial(self._make_row, _VARIABLE if _SETTING in dialog.fixed else ""))

    def _make_row(self, fixed_by: str) -> QuickKeysRow:
        row = self._row = QuickKeysRow(self._settings.current.quick_keys, self._command(), fixed_by=fixed_by)
        row.keysChosen.connect(self._on_keys_chosen)
        row.tryAgainRequested.connect(self._on_try_again_requested)
        self._show_report()
        return row

    def _command(self) -> str:
        return shlex.join([*start_command(), "quick", *self._arguments])

    def _on_keys_chosen(self, keys: str) -> None:
        self._settings.change(replace(self._settings.current, quick_keys=keys))

    def _on_try_again_requested(self) -> None:
        if self._keys is not None:
            self._keys.ask_again()

    def _show_report(self) -> None:
        if self._row is None or not isValid(self._row):
            return

        self._row.show_report(KeysReport(KeysState.OFF) if self._keys is None else self._keys.report)
