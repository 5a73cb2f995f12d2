"""The settings, page by page. The dialog is given values and gives changes; it reads and stores nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.settings.schema import InvalidValue, Setting, all_settings
from chatdesk.ui.dialogs.data_page import DataPage
from chatdesk.ui.dialogs.panel import Panel, plain_label
from chatdesk.ui.dialogs.provider_page import ProviderPage
from chatdesk.ui.dialogs.settings_row import SettingsRow, field_for
from chatdesk.ui.theme.icons import icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX

_NAV_PX: Final = 200
_NAV_ROW_PX: Final = 36
_NAV_PAD_PX: Final = 62  # all that is not text or icon
_WIDTH_PX, _HEIGHT_PX = 880, 600
_PAGES: Final[Mapping[str, tuple[str, ...]]] = {
    "General": (
        "theme",
        "text_scale",
        "send_on_enter",
        "plain_user_messages",
        "delete_messages",
        "send_when_back",
        "answers_on_close",
        "trash_days",
    ),
    "Providers": ("provider", "openai_model", "offline_speed_tokens_per_s"),
    "Usage and limits": ("rate_limit",),
    "Context": ("model_titles", "summaries", "background_tokens_per_day"),
    "Accessibility": ("motion", "read_answers"),
    "Tools": (),
    "Team sync": ("team_notifications",),
    "Data and backup": ("backups_daily", "backups_weekly"),
    "Shortcuts": (),
}
#: Shown when somebody fills them.
_SLOTS: Final = frozenset({"Usage and limits", "Tools", "Team sync"})
_ICONS: Final[Mapping[str, str]] = {
    "General": "sun-moon",
    "Providers": "plug",
    "Usage and limits": "gauge",
    "Context": "messages-square",
    "Accessibility": "eye",
    "Tools": "wrench",
    "Team sync": "users",
    "Data and backup": "database",
    "Shortcuts": "keyboard",
}
_TITLES: Final[Mapping[str, str]] = {
    "theme": "Theme",
    "text_scale": "Text size",
    "motion": "Movement",
    "read_answers": "Read answers aloud",
    "send_on_enter": "Send with",
    "plain_user_messages": "Show your messages as",
    "delete_messages": "Deleting a message",
    "send_when_back": "Unsent for want of a connection",
    "answers_on_close": "Answers when the window closes",
    "trash_days": "Keep the trash for",
    "model_titles": "Titles by the model",
    "summaries": "Summarise long threads",
    "background_tokens_per_day": "Tokens a day in the background",
    "rate_limit": "Messages at most",
    "team_notifications": "Notifications of others' messages",
    "backups_daily": "Daily backups",
    "backups_weekly": "Weekly backups",
    "provider": "Who answers new threads",
    "openai_model": "Model of new threads",
    "offline_speed_tokens_per_s": "Offline demo, tokens a second",
}
_CHOICES: Final[Mapping[str, dict[Any, str]]] = {
    "theme": {
        "system": "As the system",
        "light": "Light",
        "dark": "Dark",
        "light-contrast": "Light, high contrast",
        "dark-contrast": "Dark, high contrast",
    },
    "motion": {"system": "As the system", "full": "Yes", "none": "None"},
    "read_answers": {"off": "No", "end": "When they are complete", "sentences": "Sentence by sentence"},
    "text_scale": {0.75: "75 %", 0.9: "90 %", 1.0: "100 %", 1.1: "110 %", 1.25: "125 %", 1.5: "150 %", 2.0: "200 %"},
    "send_on_enter": {True: "Enter", False: "Ctrl+Enter"},
    "plain_user_messages": {False: "Markdown", True: "Plain text"},
    "send_when_back": {True: "Sent when it is back", False: "Wait for Try again"},
    "answers_on_close": {"end": "End, and can be continued", "finish": "Are finished first"},
    "team_notifications": {"off": "None", "names": "Who wrote, and where", "text": "With the text"},
    "delete_messages": {"ask": "Asks about later ones", "only": "Only that message", "later": "Later ones too"},
}
_WHO_ANSWERS: Final = {"auto": "The first that can", "offline": "The offline demo"}


class SettingsDialog(Panel):
    """``values`` holds the settings to offer by name (others are left out), ``providers`` the names of providers by
    their ids. ``fixed`` names settings that an environment variable decides. ``applied`` carries what changed; what is
    done on the page of providers holds at once."""

    applied = Signal(dict)
    shortcutsRequested = Signal()

    def __init__(
        self,
        theme: Theme,
        values: Mapping[str, Any],
        *,
        fixed: frozenset[str] = frozenset(),
        providers: Mapping[str, str] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, "Settings", parent=parent)
        self.setObjectName("settingsDialog")
        self._values = dict(values)
        self._settings = {setting.name: setting for setting in all_settings()}
        self._fixed = fixed
        self._rows: dict[str, SettingsRow] = {}
        self._who_answers = {**_WHO_ANSWERS, **(providers or {})}
        self.data_page: DataPage | None = None
        self.provider_page = ProviderPage(theme)
        self._nav = QListWidget()
        self._pages = QStackedWidget()
        self._build()
        self.fit(_WIDTH_PX, _HEIGHT_PX)
        self._nav.setFocus()

    def show_page(self, title: str) -> None:
        self._nav.setCurrentRow(list(_PAGES).index(title))

    def fill_page(self, title: str, content: QWidget) -> None:
        """Put ``content`` on one of the pages that have no settings of their own; it is offered from then on."""
        place = list(_PAGES).index(title)
        area = self._pages.widget(place)
        assert isinstance(area, QScrollArea)
        page = area.widget()
        column = page.layout() if page is not None else None
        assert isinstance(column, QVBoxLayout)
        column.insertWidget(column.count() - 1, content)
        self._nav.item(place).setHidden(False)

    def row(self, name: str) -> SettingsRow:
        return self._rows[name]

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: A002 - Qt's own name
        """What a page was filled with later stands behind the buttons in Qt's order, though it is above them."""
        last = self.previousInFocusChain()
        while last is not None and last.focusPolicy() is Qt.FocusPolicy.NoFocus:
            last = last.previousInFocusChain()
        if last is not None and self._pages.isAncestorOf(last):
            save, cancel = self._buttons
            QWidget.setTabOrder(last, cancel)
            QWidget.setTabOrder(cancel, save)
        return super().focusNextPrevChild(next)

    def apply(self) -> bool:
        """Emit what changed; false, and the reasons shown, when a value cannot be taken."""
        changes: dict[str, Any] = {}
        is_valid = True
        for name, row in self._rows.items():
            assert row.read is not None
            row.show_problem("", self.theme.tokens.danger)
            if row.read() == self._values[name]:
                continue
            try:
                changes[name] = self._settings[name].checked(row.read())
            except InvalidValue as error:
                if is_valid:
                    self.show_page(next(page for page, names in _PAGES.items() if name in names))
                    row.field.setFocus(Qt.FocusReason.OtherFocusReason)
                is_valid = False
                row.show_problem(f"Not taken: {error}.", self.theme.tokens.danger)
        if not is_valid:
            return False
        if changes:
            self._values.update(changes)
            self.applied.emit(changes)
        return True

    def _build(self) -> None:
        self._nav.setObjectName("settingsPages")
        self._nav.setAccessibleName("Pages of the settings")
        self._nav.setFrameShape(QFrame.Shape.NoFrame)
        icon_px = round(ICON_PX * max(1.0, self.theme.scale))
        self._nav.setIconSize(QSize(icon_px, icon_px))
        self._nav.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        side = QWidget()
        side.setObjectName("settingsSide")
        side.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        side_column = QVBoxLayout(side)
        side_column.setContentsMargins(10, 14, 10, 14)
        side_column.addWidget(self._nav)
        self._nav.currentRowChanged.connect(self._pages.setCurrentIndex)
        for title, names in _PAGES.items():
            self._pages.addWidget(self._build_page(title, names))
            item = QListWidgetItem(icon(_ICONS[title], self.theme.colour("text")), title, self._nav)
            item.setSizeHint(QSize(0, round(_NAV_ROW_PX * max(1.0, self.theme.scale))))
            item.setHidden(title in _SLOTS)
        self._nav.setCurrentRow(0)
        widest = max(self._nav.fontMetrics().horizontalAdvance(title) for title in _PAGES)
        side.setFixedWidth(max(_NAV_PX, widest + icon_px + _NAV_PAD_PX))  # large text leaves the page what it can
        save, cancel = self._buttons = QPushButton("Save"), QPushButton("Cancel")
        save.setObjectName("settingsSave")
        cancel.setObjectName("settingsCancel")
        save.setDefault(True)
        save.clicked.connect(self._on_save_clicked)
        cancel.clicked.connect(self.reject)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(save)
        right = QVBoxLayout()
        right.setContentsMargins(28, 24, 24, 20)
        right.addWidget(self._pages, 1)
        right.addLayout(buttons)
        columns = QHBoxLayout(self)
        columns.setContentsMargins(1, 1, 1, 1)
        columns.setSpacing(0)
        columns.addWidget(side)
        columns.addLayout(right, 1)
        self._dress()

    def _build_page(self, title: str, names: tuple[str, ...]) -> QWidget:
        page = QWidget()
        page.setObjectName("settingsPage")
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 12, 0)
        column.setSpacing(0)
        column.addWidget(plain_label(title, "strong"))
        column.addSpacing(8)
        if title == "Providers":
            column.addWidget(self.provider_page)
        for name in names:
            if name in self._values:
                self._add(column, self._editable_row(self._settings[name]))
        if title == "Data and backup" and "backup_dir" in self._values:
            self.data_page = DataPage(str(self._values["backup_dir"]))
            column.addWidget(self.data_page)
        if title == "Shortcuts":
            self._add_shortcuts(column)
        column.addStretch(1)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(page)
        return area

    def _editable_row(self, setting: Setting) -> SettingsRow:
        name = setting.name
        choices = self._who_answers if name == "provider" else _CHOICES.get(name)
        field, read = field_for(setting, self._values[name], choices)
        field.setObjectName(f"setting_{name}")
        hint = setting.help
        if name in self._fixed:
            field.setEnabled(False)
            hint = f"Set by the environment variable {setting.env}, so it cannot be changed here."
        row = self._rows[name] = SettingsRow(_TITLES[name], hint, field, read=read)
        return row

    def _add_shortcuts(self, column: QVBoxLayout) -> None:
        change = QPushButton("Show and Change…")
        change.setObjectName("settingsShortcuts")
        change.setAutoDefault(False)
        change.clicked.connect(self.shortcutsRequested)
        hint = "The keys of every command; F1 shows them at any time."
        self._add(column, SettingsRow("Keyboard shortcuts", hint, change))

    def _add(self, column: QVBoxLayout, row: SettingsRow) -> None:
        line = QFrame()
        line.setObjectName("settingsLine")
        line.setFixedHeight(1)
        column.addWidget(row)
        column.addWidget(line)

    def _dress(self) -> None:
        tokens = self.theme.tokens
        self.setStyleSheet(
            f"#settingsSide {{ background: {tokens.surface}; border: none; border-right: 1px solid {tokens.line};"
            f" border-top-left-radius: {tokens.radius.card}px; border-bottom-left-radius: {tokens.radius.card}px;"
            " }"
            "#settingsPages { background: transparent; border: none; outline: none; }"
            f"#settingsPages::item:focus {{ border: 2px solid {tokens.accent}; }}"
            f"#settingsPages::item {{ padding: 0 8px; border: 2px solid transparent;"
            f" border-radius: {tokens.radius.row}px; color: {tokens.text}; }}"
            f"#settingsPages::item:selected {{ background: {tokens.selected}; }}"
            f"#settingsLine {{ background: {tokens.line}; }}"
            f'QPushButton[isField="true"] {{ text-align: left; padding: 5px 10px; min-height: 22px; }}'
            'QPushButton[isField="true"]:focus { padding: 4px 9px; }'
            "QScrollArea, #settingsPage { background: transparent; }"
        )

    def _on_save_clicked(self) -> None:
        if self.apply():
            self.accept()
