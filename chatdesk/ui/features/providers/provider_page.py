"""Shows the page *Providers* of the settings: configured providers, servers found on this computer, and test results.
Its work is done by ``ui/features/providers/provider_binding.py``."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk.core.chat.provider_setup.provider_service import ShownProvider
from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import announce, show_checked
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import plain_label, thin_line
from chatdesk.ui.features.providers.found_servers import FoundServers
from chatdesk.ui.features.providers.provider_row import ProviderRow
from chatdesk.ui.features.settings.settings_row import SettingsRow
from chatdesk.ui.theme.icons import icon
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import ICON_PX
from chatdesk.ui.widgets.fields.switch import Switch
from chatdesk.ui.widgets.layouts import bare_column


class ProviderPage(QWidget):
    """The *Providers* settings page. ``rowMade`` carries each new row, which has requests of its own."""

    rowMade = Signal(object)  # ProviderRow
    addRequested = Signal()
    findingToggled = Signal(bool)
    unlockRequested = Signal()
    passphraseRequested = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows: dict[str, ProviderRow] = {}
        self.setObjectName("providerPage")
        self._notice = plain_label("", "muted", wraps=True, name="providerNotice")
        self._notice.hide()
        self._unlock = push_button(tr("Enter the passphrase…"), "providerUnlock", self.unlockRequested.emit)
        self._unlock.hide()
        self._change = push_button(
            tr("Change the passphrase…"), "providerPassphraseChange", self.passphraseRequested.emit
        )
        self._change.hide()
        self._list = bare_column(spacing_px=0)
        self.found = FoundServers()
        self.found.setContentsMargins(0, 8, 0, 0)
        self.add_button = push_button(tr("Add provider"), "providerAdd", self.addRequested.emit)
        self._on_theme_changed()
        self.finding = Switch(theme, object_name="providerFinding")
        finding_row = SettingsRow(
            tr("Look for servers on this computer"),
            tr("Only this computer is asked, at the usual ports, and no key is sent."),
            self.finding,
        )
        self.finding.toggled.connect(self.findingToggled)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 10)
        column.setSpacing(0)
        column.addWidget(self._notice)
        column.addWidget(self._unlock, 0, Qt.AlignmentFlag.AlignLeft)
        column.addLayout(self._list)
        column.addWidget(self.found)
        column.addSpacing(8)
        column.addWidget(self.add_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addSpacing(8)
        column.addWidget(finding_row)
        column.addSpacing(8)
        column.addWidget(self._change, 0, Qt.AlignmentFlag.AlignLeft)
        theme.changed.connect(self._on_theme_changed)

    def row(self, provider: str) -> ProviderRow:
        return self._rows[provider]

    @property
    def has_rows(self) -> bool:
        return bool(self._rows)

    def show_providers(self, providers: Sequence[ShownProvider]) -> None:
        """Show these providers in their order. A row that exists already keeps its test result and the focus."""
        names = [each.profile.id for each in providers]
        gone = [self._rows.pop(name) for name in list(self._rows) if name not in names]
        is_same_order = [name for name in names if name in self._rows] == list(self._rows)
        for provider in providers:
            name = provider.profile.id
            if name in self._rows:
                self._rows[name].refresh(provider)
            else:
                row = self._rows[name] = ProviderRow(self._theme, provider)
                self.rowMade.emit(row)
        if gone or not is_same_order or self._list.count() != 2 * len(names) + 2:
            self._arrange(names)
        for row in gone:
            row.hide()
            row.deleteLater()

    def _arrange(self, names: Sequence[str]) -> None:
        """Arrange the rows in this order, the offline model last, with lines between them."""
        focused = self.focusWidget()
        while (item := self._list.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None and not isinstance(widget, ProviderRow):
                widget.hide()
                widget.deleteLater()
        self._rows = {name: self._rows[name] for name in names}
        for row in self._rows.values():
            self._list.addWidget(row)
            self._list.addWidget(thin_line())
        self._list.addWidget(_offline_row())
        self._list.addWidget(thin_line())
        if focused is not None and any(row.isAncestorOf(focused) for row in self._rows.values()):
            focused.setFocus()

    def show_notice(self, text: str) -> None:
        """Show a sentence above the list; an empty one hides it."""
        self._notice.setText(text)
        self._notice.setVisible(bool(text))
        announce(self, text)

    def show_locked(self, is_locked: bool, *, is_open: bool = False) -> None:
        """Show whether the key file is still locked in this run, or open."""
        self._unlock.setVisible(is_locked)
        self._change.setVisible(is_open)
        if is_locked and not self._notice.text():
            self.show_notice(tr("Your keys are in a locked file. Enter its passphrase to use them."))

    def show_finding(self, is_on: bool) -> None:
        self.finding.blockSignals(True)
        show_checked(self.finding, is_on)
        self.finding.blockSignals(False)

    def _on_theme_changed(self) -> None:
        side = round(ICON_PX * max(1.0, self._theme.scale))
        self.add_button.setIcon(icon("plus", self._theme.colour("text")))
        self.add_button.setIconSize(QSize(side, side))


def _offline_row() -> QWidget:
    always = plain_label(tr("Always available"), "text")
    always.setProperty("isQuiet", True)
    words = tr("Offline demo"), tr("Needs no network, for trying things out")
    return SettingsRow(*words, always, has_field_name=False)
