"""Shows the settings: pages, a search over all of them, and the changed ones.

The dialog receives values and signals each change at once; it reads and stores nothing. The settings, with their pages
and texts, are declared in ``core/settings/schema.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from PySide6.QtCore import QCoreApplication, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QSizeGrip,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.settings.schema import PAGES, InvalidValue, all_settings
from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import open_selected
from chatdesk.ui.dialogs.panel import Panel, plain_label
from chatdesk.ui.features.settings.data_page import DataPage
from chatdesk.ui.features.settings.model_fields import ModelFields
from chatdesk.ui.features.settings.settings_page import SettingsPage
from chatdesk.ui.features.settings.settings_search import Found, FoundList, page_title
from chatdesk.ui.qt.mirroring import set_margins
from chatdesk.ui.theme.icons import icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX
from chatdesk.ui.widgets.buttons import IconButton
from chatdesk.ui.widgets.focus_chain import previous_in_chain
from chatdesk.ui.widgets.models.model_rows import ProviderChoices
from chatdesk.ui.widgets.search_field import SearchField
from chatdesk.ui.widgets.stray_keys import begins_writing

_NAV_PX, _NAV_ROW_PX = 200, 36
_NAV_PAD_PX: Final = 62  # all that is not text or icon
_LEAST_PX: Final = QSize(880, 660)
_MOST_PX: Final = QSize(1080, 960)
_SHARE_OF_WINDOW: Final = 0.8
_FRAME_MS: Final = 16
_SLOTS: Final = frozenset(
    {"Usage and limits", "Team sync", "My computers"}
)  # hidden until another controller fills them
_ICONS: Final[Mapping[str, str]] = {
    "General": "sun-moon",
    "Providers": "plug",
    "Usage and limits": "gauge",
    "Context": "messages-square",
    "Team sync": "users",
    "My computers": "monitor",
    "Tools": "hammer",
    "Local service": "terminal",
    "Data and backup": "database",
    "Shortcuts": "keyboard",
}


class SettingsDialog(Panel):
    """The settings dialog. ``values`` holds the settings to offer by name (others are left out); ``choices`` replaces
    the choices of a setting, or gives it some; ``models`` are those that a setting can name. ``fixed`` names settings
    that a variable of the environment decides.

    A choice holds at once, a text on Enter or when its field is left: ``applied`` carries what changed.
    ``dataPageMade`` comes at the first look.
    """

    applied = Signal(dict)
    dataPageMade = Signal(object)  # DataPage

    def __init__(
        self,
        theme: Theme,
        values: Mapping[str, Any],
        *,
        fixed: frozenset[str] = frozenset(),
        choices: Mapping[str, Mapping[Any, str]] | None = None,
        models: Sequence[ProviderChoices] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, tr("Settings"), parent=parent)
        self.setObjectName("settingsDialog")
        self._values = dict(values)
        self._settings = {each.name: each for each in all_settings() if each.name in values and not each.shown.hidden}
        self._awaited: Found | None = None
        self._search = SearchField(theme, object_name="settingsSearch", placeholder=tr("Search"))
        self._nav, self._found = _PageList(), FoundList(self._search, self._settings.values())
        self._lists, self._pages = QStackedWidget(), QStackedWidget()
        self._side, self._heading = QWidget(), plain_label("", "heading")
        self._choices, self._fixed = choices or {}, fixed
        self._model_fields = ModelFields(theme, models) if models is not None else None
        self._made: dict[str, SettingsPage] = {}
        self._fillers: dict[str, list[Callable[[], QWidget]]] = {}
        self._build()
        theme.changed.connect(self._on_theme_changed)
        self._fit()
        self._nav.setFocus()

    @property
    def fixed(self) -> frozenset[str]:
        return self._fixed

    def show_page(self, title: str) -> None:
        self._nav.setCurrentRow(PAGES.index(title))

    def fill_page(self, title: str, make: Callable[[], QWidget]) -> None:
        """Add the widget that ``make`` returns to a page once the page is shown; list the page from now on."""
        if title in self._made:
            self._made[title].add_content(make)
        else:
            self._fillers.setdefault(title, []).append(make)
        self._nav.item(PAGES.index(title)).setHidden(False)

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: A002 - Qt's own name
        """Move the focus with the cross last: pages are built later, so Qt's order has them behind it."""
        last = previous_in_chain(self)
        while last is not None and last.focusPolicy() is Qt.FocusPolicy.NoFocus:
            last = previous_in_chain(last)
        if last is not None and self._pages.isAncestorOf(last):
            QWidget.setTabOrder(last, self._close)
        return super().focusNextPrevChild(next)

    def apply(self) -> bool:
        """Emit the values that no field has given yet. If one is not valid, show its page and why, and return False; a
        second call leaves it."""
        wrong = [name for page in self._made.values() for name in self._emit_new(page, tuple(page.rows))]
        if wrong:
            page_of_wrong = self._settings[wrong[0]].shown.page
            self.show_page(page_of_wrong)
            self._made[page_of_wrong].rows[wrong[0]].field.setFocus(Qt.FocusReason.OtherFocusReason)
        return not wrong

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Letters that no field wants are searched for."""
        if begins_writing(event) and self.focusWidget() is not self._search:
            self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)
            QCoreApplication.sendEvent(self._search, event)
        else:
            super().keyPressEvent(event)

    def done(self, result: int) -> None:
        """Keep the last changes before closing; a value that is refused is shown first."""
        if self.apply():
            super().done(result)

    def _emit_new(self, page: SettingsPage, names: Sequence[str]) -> list[str]:
        """Emit the values of fields that are new, and return the names of those that are refused for the first time."""
        changes: dict[str, Any] = {}
        refused = []
        for name in names:
            row, value = page.rows[name], page.fields[name].read()
            try:
                changes |= {name: self._settings[name].checked(value)} if value != self._values[name] else {}
            except InvalidValue as error:
                if not row.has_problem:
                    refused.append(name)
                    row.show_problem(tr("Not saved: {why}.", why=error.args[0]))
            else:
                row.show_problem("")
        if changes:
            self._values.update(changes)
            self.applied.emit(changes)
        return refused

    def showEvent(self, event: QShowEvent) -> None:
        """Fill the first page after the frame is shown, so that the window appears at once."""
        super().showEvent(event)
        QTimer.singleShot(_FRAME_MS, self, self._show_first_page)

    # Putting it together

    def _make_page(self, title: str) -> SettingsPage:
        page = SettingsPage(
            self.theme,
            [each for each in self._settings.values() if each.shown.page == title],
            self._values,
            choices=self._choices,
            fixed=self._fixed,
            is_content_first=title in ("Providers", "Tools", "Local service"),
            model_fields=self._model_fields,
        )
        page.settled.connect(lambda names: self._emit_new(page, names))
        page.built.connect(self._reveal_awaited)
        if title == "Data and backup" and "backup_dir" in self._values:
            page.add_content(self._make_data_page)
        for make in self._fillers.pop(title, ()):
            page.add_content(make)
        self._pages.addWidget(page)
        return page

    def _make_data_page(self) -> QWidget:
        made = DataPage(str(self._values["backup_dir"]))
        self.dataPageMade.emit(made)
        return made

    def _build(self) -> None:
        for each in (self._nav, self._found):
            each.setFrameShape(QFrame.Shape.NoFrame)
            each.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
            each.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            self._lists.addWidget(each)
            open_selected(each)
        self._nav.setObjectName("settingsPages")
        self._nav.setAccessibleName(tr("Pages of the settings"))
        for title in PAGES:
            QListWidgetItem(page_title(title), self._nav).setHidden(title in _SLOTS)
        self._nav.currentRowChanged.connect(self._on_nav_current_row_changed)
        self._found.currentRowChanged.connect(self._on_found_current_row_changed)
        self._found.chosen.connect(self._go_to)
        self._search.textChanged.connect(self._on_search_text_changed)
        self._close = IconButton(self.theme, "x", name=tr("Close"), object_name="settingsClose", parent=self)
        self._close.clicked.connect(self.reject)
        self._lay_out()
        self._dress()

    def _lay_out(self) -> None:
        self._side.setObjectName("settingsSide")
        self._side.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        side = QVBoxLayout(self._side)
        side.setContentsMargins(10, 14, 10, 14)
        side.setSpacing(10)
        side.addWidget(self._search)
        side.addWidget(self._lists)
        head = QHBoxLayout()
        head.addWidget(self._heading, 1)
        head.addWidget(self._close)
        right = QVBoxLayout()
        set_margins(right, 28, 16, 16, 16)
        right.setSpacing(8)
        right.addLayout(head)
        right.addWidget(self._pages, 1)
        columns = QGridLayout(self)
        columns.setContentsMargins(1, 1, 1, 1)
        columns.setSpacing(0)
        columns.addWidget(self._side, 0, 0)
        columns.addLayout(right, 0, 1)
        columns.setColumnStretch(1, 1)
        grip = QSizeGrip(self)
        columns.addWidget(grip, 0, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom)
        grip.raise_()

    def _dress(self) -> None:
        tokens = self.theme.tokens
        scale = max(1.0, self.theme.scale)
        icon_px, row_px = round(ICON_PX * scale), self.theme.target_px(_NAV_ROW_PX)
        self._nav.setIconSize(QSize(icon_px, icon_px))
        for place, title in enumerate(PAGES):
            item = self._nav.item(place)
            item.setIcon(icon(_ICONS[title], self.theme.colour("text")))
            item.setSizeHint(QSize(0, row_px))
        metrics = self._nav.fontMetrics()
        widest = max(metrics.horizontalAdvance(page_title(title)) for title in PAGES)
        bar_px = self._nav.verticalScrollBar().sizeHint().width()  # large text may need a scroll bar
        self._side.setFixedWidth(max(_NAV_PX, widest + icon_px + bar_px + _NAV_PAD_PX))  # grows with the text
        is_mirrored = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        outer, inner = ("right", "left") if is_mirrored else ("left", "right")
        self.setStyleSheet(
            f"#settingsSide {{ background: {tokens.surface}; border: none; border-{inner}: 1px solid {tokens.line};"
            f" border-top-{outer}-radius: {tokens.radius.card}px;"
            f" border-bottom-{outer}-radius: {tokens.radius.card}px;"
            "} #settingsPages, #settingsFound { background: transparent; border: none; outline: none; }"
            f"#settingsPages::item:focus, #settingsFound::item:focus {{ border: 2px solid {tokens.accent}; }}"
            "#settingsPages::item, #settingsFound::item { padding: 0 8px; border: 2px solid transparent;"
            f" border-radius: {tokens.radius.row}px; color: {tokens.text}; }}"
            "#settingsFound::item { padding: 4px 8px; }"
            f"#settingsPages::item:selected, #settingsFound::item:selected {{ background: {tokens.selected}; }}"
            f"#settingsLine {{ background: {tokens.line}; }} QSizeGrip {{ image: none; }}"
            f'QPushButton[isField="true"] {{ text-align: left; padding: 5px 10px; min-height: {row_px - 14}px; }}'
            'QPushButton[isField="true"]:focus { padding: 4px 9px; }'
            "QScrollArea, #settingsPage { background: transparent; }"
        )

    def _fit(self) -> None:
        """Make the dialog as large as the window allows, within limits."""
        parent = self.parentWidget()
        wanted = QSize(_LEAST_PX)
        if parent is not None:
            scale = max(1.0, self.theme.scale)
            room = parent.window().size() * (_SHARE_OF_WINDOW / scale)
            wanted = room.expandedTo(_LEAST_PX).boundedTo(_MOST_PX)
        self.fit(wanted.width(), wanted.height())

    # What is shown

    def _show_first_page(self) -> None:
        if self._nav.currentRow() < 0:
            self.show_page(PAGES[0])

    def _page(self, title: str) -> SettingsPage:
        """Return a page, made when it is first needed."""
        if title not in self._made:
            self._made[title] = self._make_page(title)
        return self._made[title]

    def _on_nav_current_row_changed(self, place: int) -> None:
        if place >= 0:
            self._heading.setText(page_title(PAGES[place]))
            page = self._page(PAGES[place])
            self._pages.setCurrentWidget(page)
            page.start_building()

    def _on_search_text_changed(self, text: str) -> None:
        offered = [title for place, title in enumerate(PAGES) if not self._nav.item(place).isHidden()]
        if text.strip():
            self._found.search(text, offered)
        self._lists.setCurrentWidget(self._found if text.strip() else self._nav)

    def _on_found_current_row_changed(self, _row: int) -> None:
        found = self._found.found()
        if found is not None:
            self._awaited = found
            self.show_page(found.page)
            if self._page(found.page).is_built:
                self._reveal_awaited()

    def _reveal_awaited(self) -> None:
        found, self._awaited = self._awaited, None
        widget = self._widget_of(found)
        if found is not None and widget is not None:
            self._page(found.page).ensureWidgetVisible(widget, 0, 60)

    def _go_to(self, found: Found) -> None:
        """Show a found setting and focus it."""
        self.show_page(found.page)
        self._page(found.page).finish()
        widget = self._widget_of(found)
        if widget is not None:
            self._page(found.page).ensureWidgetVisible(widget, 0, 60)
            widget.setFocus(Qt.FocusReason.TabFocusReason)

    def _widget_of(self, found: Found | None) -> QWidget | None:
        if found is None or not found.widget:
            return None
        page = self._page(found.page)
        row = page.rows.get(found.name)  # two settings may share a row
        return row.field if row is not None else page.findChild(QWidget, found.widget)

    def _on_theme_changed(self) -> None:
        self._dress()
        for page in self._made.values():
            page.measure()
        self._fit()


class _PageList(QListWidget):
    """The list of pages. Letters are for the search."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if begins_writing(event):
            event.ignore()
        else:
            super().keyPressEvent(event)
