"""A row on the page of providers: the key or address in a field, the result of a test, and a menu of actions."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from chatdesk.core.chat.provider_setup.provider_service import ShownProvider
from chatdesk.core.domain.provider_check import StepResult
from chatdesk.core.settings.presets import preset_of
from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.marks import Mark
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.features.settings.provider_steps import (
    ProviderSteps,
    address_text,
    fetched_text,
    models_text,
    shows_key,
    where_the_key_lies,
)
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import LinkButton
from chatdesk.ui.widgets.elided_label import set_plain_tooltip
from chatdesk.ui.widgets.key_field import KeyField
from chatdesk.ui.widgets.layouts import BesideOrBelow

_WORDS_PX: Final = 180
_STATUS_PX: Final = 130
_GAP_PX, _BELOW_PX, _FIELDS_PX = 8, 6, 320
_IN_LINE, _STACKED = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
# Larger text puts the buttons of a row below its field: beside it there would be no room for what a test says.
_LARGEST_IN_ONE_LINE: Final = 1.5


class ProviderRow(QWidget):
    """A provider's row on the settings page. ``keyGiven`` and ``addressGiven`` carry what was entered in the row. A
    double click opens the form (``editRequested``), as *Edit* does; the menu offers the rest."""

    editRequested = Signal()
    testRequested = Signal()
    modelsRequested = Signal()
    keyGiven = Signal(str)
    addressGiven = Signal(str)
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
        self.key = KeyField(
            theme, name=tr("API key of {label}", label=shown.profile.label), object_name=f"providerKey_{name}"
        )
        self.address = AddressField(tr("Address of {label}", label=shown.profile.label), f"providerAddress_{name}")
        self._field = QStackedWidget()
        self._field.addWidget(self.key)
        self._field.addWidget(self.address)
        self._title = plain_label("", "text", wraps=True)
        self._hint = plain_label("", "muted", wraps=True)
        self.keys_link = LinkButton(
            tr("Get a key"), preset_of(shown.profile.preset).keys_url, object_name=f"getKey_{name}"
        )
        self.status = plain_label("", "muted", wraps=True, name=f"providerStatus_{name}")
        self._mark = Mark(theme)
        self._mark.hide()
        self.save = push_button(tr("Save"), f"providerKeep_{name}", self._on_save_clicked, is_primary=True)
        self.save.hide()
        self.models = push_button("", f"providerModels_{name}", self.modelsRequested.emit)
        self.models.setProperty("isLink", True)
        self.test = push_button(tr("Test"), f"providerTest_{name}", self.testRequested.emit)
        self.edit = push_button(tr("Edit"), f"providerEdit_{name}", self.editRequested.emit)
        self._steps: ProviderSteps | None = None
        self._lay_out()
        self._connect()
        self.refresh(shown)

    @property
    def label(self) -> str:
        return self._shown.profile.label

    @property
    def field(self) -> QLineEdit:
        """The one that is shown: for the key or for the address."""
        return self.key if self._field.currentWidget() is self.key else self.address

    @property
    def steps(self) -> ProviderSteps:
        """The steps of the last test, created hidden when first used."""
        if self._steps is None:
            self._steps = ProviderSteps(self._theme)
            column = self.layout()
            assert column is not None
            column.addWidget(self._steps)
        return self._steps

    def _show_kept_key(self, masked: str) -> None:
        self.key.show_kept(masked)
        set_plain_tooltip(self.key, tr("The key is sent to {address}.", address=address_text(self._shown)))

    def refresh(self, shown: ShownProvider) -> None:
        """Show the current state of the provider. What is being typed, and the result of a test, stay."""
        self._shown = shown
        profile, label = shown.profile, shown.profile.label
        self._title.setText(label)
        hint = where_the_key_lies(shown) if profile.is_enabled else tr("Switched off")
        self._hint.setText(hint)
        self._field.setCurrentWidget(self.key if shows_key(shown) else self.address)
        if not self.key.text():
            self._show_kept_key(shown.key)
        is_variables = shown.key_source.value == "environment"
        self.key.setReadOnly(is_variables)
        if is_variables:
            self.key.setAccessibleDescription(tr("The variable {variable} has the key.", variable=shown.variable))
        self.address.show_kept(address_text(shown))
        self.address.setReadOnly("base_url" in shown.fixed)
        self.keys_link.setVisible(bool(preset_of(profile.preset).keys_url) and shown.needs_key and not shown.key)
        self.test.setAccessibleName(tr("Test {label}", label=label))
        self.edit.setAccessibleName(tr("Edit {label}", label=label))
        self.save.setAccessibleName(tr("Save the key of {label}", label=label))
        self.edit.setAccessibleDescription(f"{hint}. {address_text(shown)}")
        self._show_models()

    def ask_for_key(self, words: str) -> None:
        """Show the field for the key in place of the address, because the server wants a key."""
        self._field.setCurrentWidget(self.key)
        self.key.set_hint(words)
        self._show_kept_key("")
        self.key.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_test(self, text: str, is_well: bool | None) -> None:
        """Show the state of a test; ``is_well`` is None while it runs."""
        self.said = (text, is_well)
        colour = "muted" if is_well is None else "accent" if is_well else "danger"
        self.status.setText(text)
        self.status.setStyleSheet(f"color: {self._theme.colour(colour).name()};")
        self._mark.show_result(is_well)
        self._show_models()

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
        menu = QMenu(self)
        menu.setObjectName("providerMenu")
        round_corners(menu, self._theme.tokens.radius.row)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        profile = self._shown.profile
        menu.addAction(tr("Edit…"), self.editRequested.emit)
        menu.addAction(tr("Models…"), self.modelsRequested.emit)
        menu.addAction(tr("Stop the test") if self._is_testing else tr("Test"), self.testRequested.emit)
        if shows_key(self._shown) and not self.key.isReadOnly():
            menu.addAction(tr("Replace the key") if self._shown.key else tr("Enter a key"), self.key.setFocus)
        menu.addSeparator()
        words = tr("Switch off") if profile.is_enabled else tr("Switch on")
        menu.addAction(words, lambda: self.switchRequested.emit(not profile.is_enabled))
        if self._shown.is_kept:
            menu.addAction(tr("Remove…"), self.removeRequested.emit)
        return menu

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(0)
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
        for widget in (self._mark, self.models, self.status, self.save, self.test, self.edit):
            result.addWidget(widget)
        if fields.direction() is _STACKED:
            result.setStretchFactor(self.status, 1)
            result.insertStretch(result.indexOf(self.save))  # where there are no words
        fields.addWidget(self._field, 1)
        fields.addLayout(result)
        self._field.setSizePolicy(self.key.sizePolicy())
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

    def _connect(self) -> None:
        self.key.submitted.connect(self.keyGiven)
        self.key.pasted.connect(self.keyGiven)
        self.key.textChanged.connect(self._show_save)
        self.address.submitted.connect(self.addressGiven)
        self.address.changed.connect(self._show_save)

    def _on_save_clicked(self) -> None:
        if self.field is self.key and self.key.key():
            self.keyGiven.emit(self.key.key())
        elif self.field is self.address:
            self.addressGiven.emit(self.address.text())

    def _show_save(self) -> None:
        """Show *Save* in place of *Test* while something was typed that is not stored yet."""
        is_typed = bool(self.key.key()) if self.field is self.key else self.address.is_changed
        had_focus = self.save.hasFocus()
        self.save.setVisible(is_typed)
        self.test.setVisible(not is_typed)
        if had_focus and not is_typed:
            self.test.setFocus(Qt.FocusReason.OtherFocusReason)

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
            self.models.setText(text)  # what the test has just counted
            text = ""
        self.status.setVisible(bool(text))
        needed = self.status.fontMetrics().horizontalAdvance(text) + 2
        self.status.setMinimumWidth(min(needed, _STATUS_PX))
        self.status.setMaximumWidth(min(needed, round(_STATUS_PX * max(1.0, self._theme.scale))))


class AddressField(QLineEdit):
    """A field for a server's address. ``submitted`` carries an address that Enter was pressed on, if it is another one
    than before; Esc brings that back. ``changed``: whether it is another one."""

    submitted = Signal(str)
    changed = Signal()

    def __init__(self, name: str, object_name: str) -> None:
        super().__init__()
        self._kept = ""
        self.setObjectName(object_name)
        self.setAccessibleName(name)
        self.setMinimumWidth(100)
        self.textChanged.connect(self.changed)

    @property
    def is_changed(self) -> bool:
        return self.text().strip() != self._kept and bool(self.text().strip())

    def show_kept(self, address: str) -> None:
        """Show the stored address, unless another is being typed."""
        was_changed = self.is_changed
        self._kept = address
        if not was_changed:
            self.setText(address)
            self.setCursorPosition(0)

    def restore(self) -> None:
        """Restore the stored address."""
        self.setText(self._kept)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.is_changed:
            event.accept()
            self.submitted.emit(self.text())
        elif event.key() == Qt.Key.Key_Escape and self.text() != self._kept:
            event.accept()
            self.restore()
        else:
            super().keyPressEvent(event)
