"""The titles of the settings' pages in the language of the program; a page is known by its English one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chatdesk.core.settings.declaration import Page
from chatdesk.core.texts import Text, shown

_TITLES: Final[Mapping[Page, Text]] = {
    "General": Text("General"),
    "Providers": Text("Providers"),
    "Usage and limits": Text("Usage and limits"),
    "Context": Text("Context"),
    "Team sync": Text("Team sync"),
    "Tools": Text("Tools"),
    "Local service": Text("Local service"),
    "Data and backup": Text("Data and backup"),
    "Shortcuts": Text("Shortcuts"),
}


def page_title(page: Page) -> str:
    """Return the title of a page as a person reads it."""
    return shown(_TITLES[page])
