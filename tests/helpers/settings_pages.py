"""Finds what the settings dialog shows on its pages, which it builds when they are first shown."""

from __future__ import annotations

from chatdesk.core.settings.schema import all_settings
from chatdesk.ui.features.providers.provider_page import ProviderPage
from chatdesk.ui.features.settings.data_page import DataPage
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.settings.settings_page import SettingsPage
from chatdesk.ui.features.settings.settings_row import SettingsRow


def shown_page(dialog: SettingsDialog, title: str) -> SettingsPage:
    """Show a page, and build all of it at once."""
    dialog.show_page(title)
    [page] = [each for each in dialog.findChildren(SettingsPage) if not each.isHidden()]
    page.finish()
    return page


def row_of(dialog: SettingsDialog, name: str) -> SettingsRow:
    """Show the page of a setting, and return its row."""
    [setting] = [each for each in all_settings() if each.name == name]
    return shown_page(dialog, setting.shown.page).rows[name]


def provider_page(dialog: SettingsDialog) -> ProviderPage:
    page = shown_page(dialog, "Providers").findChild(ProviderPage)
    assert page is not None
    return page


def data_page(dialog: SettingsDialog) -> DataPage:
    page = shown_page(dialog, "Data and backup").findChild(DataPage)
    assert page is not None
    return page
