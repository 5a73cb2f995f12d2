"""The page of own computers in its states, and its dialogs."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.sharing.team_setup import CheckState, SetupCheck
from chatdesk.core.settings.schema import all_settings
from chatdesk.core.texts import Text
from chatdesk.ui.features.computers.computers_dialogs import (
    JoinComputersDialog,
    RemoveComputerDialog,
    StartComputersDialog,
)
from chatdesk.ui.features.computers.computers_page import ComputerLine, ComputersPage, ComputersView
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.theme.theme import Theme

_AT = 1_763_000_000_000
_FOLDER = "/home/ana/Sync/ChatDesk"
_PHRASE = "7Q2M-XK4D-90VT-HB3C-ENW6-8JZR-5FYA"
_LINES = (
    ComputerLine("d1", "ana-desk", _AT, True, size=48_300_000),
    ComputerLine("d2", "ana-laptop", _AT - 7_200_000, waiting=2, size=31_000_000),
    ComputerLine("d3", "Notebook von Ana-Sophie \u202eim Wohnzimmer neben dem Fenster", _AT - 9 * 86_400_000, size=900),
    ComputerLine("d4", "ana-laptop", _AT - 300 * 86_400_000, is_rolled_back=True),
)
_SYNCED = ComputersView(_FOLDER, "Synced at 10:13:20.", ("circle-check", "accent"), _LINES)
_UNREACHABLE = ComputersView(
    _FOLDER,
    "The folder of your computers cannot be reached. 3 changes wait here to be sent. Connect the disk, or start the "
    "program that carries the folder. ChatDesk tries again by itself. Everything you wrote is kept on this computer.",
    ("triangle-alert", "warning"),
    _LINES[:2],
)
_PAUSED = ComputersView(
    _FOLDER,
    "Paused: nothing is read or written in the folder. What you write waits on this computer.",
    ("circle-alert", "muted"),
    _LINES[:2],
    is_paused=True,
)
_REMOVED = ComputersView(
    _FOLDER,
    "This computer was removed on ana-desk. Everything that you wrote here is kept on this computer, also what had not "
    "been sent. Join again with the new recovery phrase, or forget the folder.",
    ("circle-alert", "danger"),
    _LINES[:2],
    is_ended=True,
)
_CHECKS = (
    SetupCheck(Text("Folder"), CheckState.OK, Text("It is there.")),
    SetupCheck(Text("Writing"), CheckState.OK, Text("It can be written.")),
)
_EMPTY = SetupCheck(Text("Contents"), CheckState.OK, Text("The folder is empty."))
_TAKEN = SetupCheck(
    Text("Contents"), CheckState.FAILED, Text("It has other files. Choose an empty folder, or a new one inside.")
)


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    return [
        ("settings-computers-none", _page(theme, None)),
        ("settings-computers", _page(theme, _SYNCED)),
        ("settings-computers-unreachable", _page(theme, _UNREACHABLE)),
        ("settings-computers-paused", _page(theme, _PAUSED)),
        ("settings-computers-removed", _page(theme, _REMOVED)),
        ("computers-start", StartComputersDialog(theme, _PHRASE)),
        ("computers-start-phrase", _starting(theme, _EMPTY)),
        ("computers-start-taken", _starting(theme, _TAKEN)),
        ("computers-join", _joining(theme, is_found=False)),
        ("computers-join-found", _joining(theme, is_found=True)),
        ("computers-remove", RemoveComputerDialog(theme, "ana-laptop", _PHRASE)),
    ]


def _page(theme: Theme, view: ComputersView | None) -> QWidget:
    dialog = SettingsDialog(theme, {setting.name: setting.default for setting in all_settings()})
    page = ComputersPage(theme)
    page.show_view(view)
    dialog.fill_page("My computers", lambda: page)
    dialog.show_page("My computers")
    return dialog


def _starting(theme: Theme, last: SetupCheck) -> QWidget:
    dialog = StartComputersDialog(theme, _PHRASE)
    dialog.place.field.setText(str(Path(_FOLDER)))
    dialog.show_checks((*_CHECKS, last))
    return dialog


def _joining(theme: Theme, *, is_found: bool) -> QWidget:
    dialog = JoinComputersDialog(theme)
    dialog.place.field.setText(_FOLDER)
    dialog.phrase.setText(_PHRASE)
    if is_found:
        dialog.place.show_checks(
            (*_CHECKS, SetupCheck(Text("Contents"), CheckState.OK, Text("It is a folder of ChatDesk.")))
        )
        dialog.show_found(
            "The folder has 46 MB and is used by: ana-desk (today 10:13), ana-laptop (today 08:13). Its chats and "
            "those of this computer are merged when you join; nothing is lost."
        )
    return dialog
