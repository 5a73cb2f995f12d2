"""Shows a row on the page of providers: the place of its key, the result of a test, and a menu of actions."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QMouseEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from chatdesk.core.chat.provider_setup.provider_service import ShownProvider
from chatdesk.core.domain.provider_check import StepResult
from chatdesk.core.settings.presets import preset_of
from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.marks import Mark
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.features.providers.provider_steps import (
    ProviderSteps,
    address_text,
    fetched_text,
    is_at_its_vendor,
    models_text,
    where_the_key_lies,
)
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import LinkButton
from chatdesk.ui.widgets.danger_menu import DangerMenu
from chatdesk.ui.widgets.layouts import BesideOrBelow, bare_column

_WORDS_PX: Final = 180
_FIELDS_PX: Final = 320
_BELOW_PX: Final = 6
_STATUS_PX: Final = 130
_GAP_PX: Final = 8
_IN_LINE, _STACKED = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
# Larger text puts the buttons of a row below its label: beside it there would be no room for a test's result.
_LARGEST_IN_ONE_LINE: Final = 1.5


class ProviderRow(QWidget):
    """A provider's row on the settings page. A double click opens the form (``editRequested``), as *Edit* does; the
    menu offers the rest."""

    editRequested = Signal()
    testRequested = Signal()
    modelsRequested = Signal()
    switchRequested = Signal(bool)
    removeRequested = Signal()

    def __init__(self, theme: Theme, shown: ShownProvider) -> None:
        super().__init__()
        name = shown.profile.id
        self._theme = theme
        self._shown = shown
        self._is_testing = False
        self.said: tuple[str, bool | None] | None = None
        self.setObjectName(f"provider_{name}")
        self._title = plain_label("", "text", wraps=True)
        self._hint = plain_label("", "muted", wraps=True)
        self.place = plain_label("", "text", wraps=True, name=f"providerPlace_{name}")
        self.keys_link = LinkButton(
            tr("Get a key"), preset_of(shown.profile.preset).keys_url, object_name=f"getKey_{name}"
        )
        self.status = plain_label("", "muted", wraps=True, name=f"providerStatus_{name}")
        self._mark = Mark(theme)
        self._mark.hide()
        self.models = push_button("", f"providerModels_{name}", self.modelsRequested.emit)
        self.models.setProperty("isLink", True)
        self.test = push_button(tr("Test"), f"providerTest_{name}", self.testRequested.emit)
        self.edit = push_button("", f"providerEdit_{name}", self.editRequested.emit)
        self.steps = ProviderSteps(theme)
        self._lay_out()
        self.refresh(shown)

    @property
    def label(self) -> str:
        return self._shown.profile.label

    @property
    def provider(self) -> str:
        """The id of the provider."""
        return self._shown.profile.id

    def refresh(self, shown: ShownProvider) -> None:
        """Show the current state of the provider. The result of a test stays."""
        self._shown = shown
        profile, label = shown.profile, shown.profile.label
        has_no_key = shown.needs_key and not shown.key
        self._title.setText(label)
        hint = where_the_key_lies(shown) if profile.is_enabled else tr("Switched off")
        self._hint.setText(hint)
        self.place.setText(shown.key if is_at_its_vendor(shown) else address_text(shown))
        self.keys_link.setVisible(bool(preset_of(profile.preset).keys_url) and has_no_key)
        self.test.setAccessibleName(tr("Test {label}", label=label))
        self.edit.setText(tr("Enter a key") if has_no_key else tr("Edit"))
        self.edit.setAccessibleName(tr("Edit {label}", label=label))
        self.edit.setAccessibleDescription(f"{hint}. {address_text(shown)}")
        self._show_models()

    def show_test(self, text: str, is_well: bool | None) -> None:
        """Show the state of a test; ``is_well`` is None while it runs."""
        self.said = (text, is_well)
        colour = "muted" if is_well is None else "accent" if is_well else "danger"
        self.status.setText(text)
        self.status.setStyleSheet(f"color: {self._theme.colour(colour).name()};")
        self._mark.show_result(is_well)
        self._show_models()
        if is_well is not None:
            announce(self, f"{self.label}: {text}")

    def show_testing(self, is_testing: bool) -> None:
        """Show whether a test runs; while it does, its button ends it."""
        self._is_testing = is_testing
        self.test.setText(tr("Stop") if is_testing else tr("Test"))
        if is_testing:
            self.steps.reset()

    def show_step(self, result: StepResult) -> None:
        self.steps.show_result(result)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self.editRequested.emit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu().popup(event.globalPos())

    def menu(self) -> QMenu:
        """Return the menu of all actions for this provider."""
        menu = DangerMenu(self._theme.colour, self)
        menu.setObjectName("providerMenu")
        round_corners(menu, self._theme.tokens.radius.row)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        profile = self._shown.profile
        menu.set_icon(menu.addAction(tr("Edit…"), self.editRequested.emit), "pencil")
        menu.set_icon(menu.addAction(tr("Models…"), self.modelsRequested.emit), "list")
        test = menu.addAction(tr("Stop the test") if self._is_testing else tr("Test"), self.testRequested.emit)
        menu.set_icon(test, "square" if self._is_testing else "circle-check")
        words = tr("Switch off") if profile.is_enabled else tr("Switch on")
        switch = menu.addAction(words, lambda: self.switchRequested.emit(not profile.is_enabled))
        menu.set_icon(switch, "plug")
        if self._shown.is_kept:
            menu.addSeparator()
            remove = menu.addAction(tr("Remove…"), self.removeRequested.emit)
            menu.mark_danger(remove)
            menu.set_icon(remove, "trash-2")
        return menu

    def _lay_out(self) -> None:
        words = bare_column(spacing_px=0)
        words.addWidget(self._title)
        words.addWidget(self._hint)
        words.addWidget(self.keys_link, 0, Qt.AlignmentFlag.AlignLeft)
        words.addStretch(1)
        scale = max(1.0, self._theme.scale)
        fields = QBoxLayout(_STACKED if scale > _LARGEST_IN_ONE_LINE else _IN_LINE)
        fields.setContentsMargins(0, 0, 0, 0)
        fields.setSpacing(_GAP_PX)
        result = QHBoxLayout()
        result.setSpacing(_GAP_PX)
        for widget in (self._mark, self.models, self.status, self.test, self.edit):
            result.addWidget(widget)
        if fields.direction() is _STACKED:
            result.setStretchFactor(self.status, 1)
            result.insertStretch(result.indexOf(self.test))  # in place of an empty status
        fields.addWidget(self.place, 1)
        fields.addLayout(result)
        line = QWidget()
        row = BesideOrBelow(
            line,
            gap_px=_GAP_PX,
            below_px=_BELOW_PX,
            wanted_px=round(_FIELDS_PX * scale),
            words_px=round(_WORDS_PX * scale),
        )
        row.setContentsMargins(0, 0, 0, 0)
        row.add_layout(words)
        row.add_layout(fields)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 12, 0, 12)
        column.setSpacing(8)
        column.addWidget(line)
        column.addWidget(self.steps)

    def _show_models(self) -> None:
        """Show the button that opens the models and counts them; after a failed test only the failure is shown."""
        listed, said = self._shown.models, self.said
        text = said[0] if said is not None else ""
        is_free = said is None or bool(said[1])
        self.models.setVisible(is_free)
        if listed is None:
            self.models.setText(tr("Models…"))
            self.models.setAccessibleName(tr("Models of {label}", label=self.label))
        else:
            count = len(listed.models)
            self.models.setText(models_text(count))
            self.models.setAccessibleName(
                shown(plural("{count} models of {label}", "{count} model of {label}", count, label=self.label))
            )
            self.models.setToolTip(tr("Fetched {fetched}", fetched=fetched_text(listed.fetched_at_ms)))
        if is_free and said is not None and (listed is not None or ", " in text):
            self.models.setText(text)  # the count of the last test
            text = ""
        self.status.setVisible(bool(text))
        needed = self.status.fontMetrics().horizontalAdvance(text) + 2
        self.status.setMinimumWidth(min(needed, _STATUS_PX))
        self.status.setMaximumWidth(min(needed, round(_STATUS_PX * max(1.0, self._theme.scale))))
