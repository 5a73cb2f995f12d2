"""Implements the search in the settings: its entries with the titles of the pages, and the list of results."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QListWidget, QListWidgetItem

from chatdesk.core.settings.declaration import Page
from chatdesk.core.settings.schema import PAGES, Setting
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.accessibility.pressed_rows import offer_press
from chatdesk.ui.features.settings.data_page import ACTIONS
from chatdesk.ui.widgets.search_field import SearchField

_TITLES: Final[Mapping[Page, Text]] = {
    "General": Text("General"),
    "Providers": Text("Providers"),
    "Usage and limits": Text("Usage and limits"),
    "Context": Text("Context"),
    "Team sync": Text("Team sync"),
    "My computers": Text("My computers"),
    "Tools": Text("Tools"),
    "Local service": Text("Local service"),
    "Data and backup": Text("Data and backup"),
    "Shortcuts": Text("Shortcuts"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A search result in the settings. ``name`` is a setting or ``""``; ``widget`` the object name of the found
    widget."""

    page: Page
    title: str
    widget: str
    name: str = ""
    words: str = ""


def entries(settings: Collection[Setting]) -> tuple[Found, ...]:
    """Return all entries that can be found: the settings that have a row, and other content of the pages."""
    rows = tuple(_of_setting(each) for each in settings if not each.shown.hidden)
    data = tuple(
        Found("Data and backup", shown(words).rstrip("…"), f"data_{name}", words=f"{shown(title)} {shown(hint)}")
        for title, hint, actions in ACTIONS
        for name, words in actions
    )
    others = (
        Found("Providers", tr("Add a provider"), "providerAdd", words=tr("API key server model connect")),
        Found("Shortcuts", tr("Keyboard shortcuts"), "shortcutsFilter", words=tr("keys")),
        Found(
            "Shortcuts",
            tr("Keys for a quick question"),
            "quickKeys",
            words=tr("global shortcut hotkey quick window"),
        ),
        Found("Team sync", tr("Team sync"), "teamPage", words=tr("workspace join share invite")),
        Found("My computers", tr("My computers"), "computersPage", words=tr("sync folder recovery phrase laptop")),
        Found("Usage and limits", tr("Usage and limits"), "", words=tr("cost money tokens price spend")),
    )
    return rows + data + others


def find(text: str, among: Collection[Found]) -> list[Found]:
    """Return the entries that have every word of ``text``; those that have them in the title come first."""
    words = text.casefold().split()
    hits = [each for each in among if all(word in _searched(each) for word in words)]
    return sorted(hits, key=lambda each: (not _has_all(each.title, words), PAGES.index(each.page)))


class FoundList(QListWidget):
    """A list of search results, each with its page below it. The arrow keys and Return in ``field`` work in it;
    ``chosen`` carries the result that was clicked or confirmed."""

    chosen = Signal(object)  # Found

    def __init__(self, field: SearchField, settings: Collection[Setting]) -> None:
        super().__init__()
        offer_press(FoundList)
        self.setObjectName("settingsFound")
        self.setAccessibleName(tr("Found settings"))
        self._field = field
        self._entries = entries(settings)
        field.installEventFilter(self)
        self.itemActivated.connect(self._choose)
        self.itemClicked.connect(self._choose)

    def search(self, text: str, pages: Collection[str]) -> None:
        """List the settings and actions on ``pages`` that have every word of ``text``."""
        found = [each for each in find(text, self._entries) if each.page in pages]
        self.clear()
        for each in found:
            item = QListWidgetItem(f"{each.title}\n{page_title(each.page)}", self)
            item.setData(Qt.ItemDataRole.UserRole, each)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{each.title}, {page_title(each.page)}")
        if not found:
            item = QListWidgetItem(tr("Nothing found"), self)
            item.setFlags(Qt.ItemFlag.NoItemFlags)
        self.setCurrentRow(0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the arrow keys in the search field move through the results."""
        if watched is self._field and isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up) and self._field.text():
                step = 1 if event.key() == Qt.Key.Key_Down else -1
                self.setCurrentRow(max(0, min(self.count() - 1, self.currentRow() + step)))
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose()
                return True
        return super().eventFilter(watched, event)

    def found(self) -> Found | None:
        """Return the chosen result."""
        item = self.currentItem()
        found = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
        return found if isinstance(found, Found) else None

    def _choose(self) -> None:
        if (found := self.found()) is not None:
            self.chosen.emit(found)


def _of_setting(setting: Setting) -> Found:
    place = setting.shown
    words = " ".join(map(shown, (place.hint, place.section, *setting.choices.values(), place.also)))
    return Found(place.page, shown(place.title), f"setting_{setting.name}", name=setting.name, words=words)


def _searched(each: Found) -> str:
    return f"{each.title} {each.words}".casefold()


def _has_all(text: str, words: Collection[str]) -> bool:
    return all(word in text.casefold() for word in words)


def page_title(page: Page) -> str:
    """Return the title of a page as a person reads it."""
    return shown(_TITLES[page])
