"""Defines the base of dialogs for longer work, such as requests to a server: they show its progress and its failure."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QProgressBar, QPushButton, QVBoxLayout, QWidget
from shiboken6 import isValid

from chatdesk.core.texts import shown
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.dialogs.form_panel import FormPanel
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.scrolled_page import FittedArea, ScrolledPage

_WAY_OUT: Final = "isWayOut"


class TaskPanel(FormPanel):
    """A form whose ``body`` scrolls where the window has no room for all of it, with a line that names the present
    work. While it is busy nothing can be pressed but a button with the property ``isWayOut``."""

    def __init__(
        self, theme: Theme, title: str, *, object_name: str, width_px: int, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, title, object_name=object_name, width_px=width_px, parent=parent)
        inside = ScrolledPage()
        inside.setObjectName("panelBody")
        around, self.body = self.body, QVBoxLayout(inside)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(theme.tokens.space.s)
        self.area = FittedArea(inside)
        around.addWidget(self.area)
        self.busy_text = plain_label("", "muted", wraps=True, name="panelBusy")
        self.bar = named(QProgressBar(), "panelProgress", shown(title))
        self.bar.setRange(0, 0)
        self.bar.setTextVisible(False)
        for widget in (self.busy_text, self.bar):
            widget.hide()
            self.column.insertWidget(self.column.count() - 1, widget)
        self._locked: list[QWidget] = []
        self._had_focus: QWidget | None = None
        theme.changed.connect(self._dress)
        self._dress()

    @property
    def is_busy(self) -> bool:
        return bool(self._locked)

    def unsaved(self) -> object:
        return None if self.is_busy else super().unsaved()

    def add_heading(self, text: str) -> None:
        """Add a heading to the body, with some room above it."""
        self.body.addSpacing(self.theme.tokens.space.xs)
        self.body.addWidget(plain_label(text, "strong", wraps=True))

    def show_busy(self, text: str) -> None:
        """Show that work is under way; nothing else can be started."""
        self.show_problem("")
        if not self._locked:
            self._had_focus = self.focusWidget()
            self._locked = [
                each
                for each in self.findChildren(QWidget)
                if each.isEnabledTo(self) and each.focusPolicy() != Qt.FocusPolicy.NoFocus and not _is_way_out(each)
            ]
        self.busy_text.setText(shown(text))
        self.busy_text.show()
        self.bar.setAccessibleName(shown(text))
        self.bar.show()
        # else the focus would go on to Cancel, and a second Enter would press it
        if self._had_focus is not None and not _is_way_out(self._had_focus):
            self.bar.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.bar.setFocus(Qt.FocusReason.OtherFocusReason)
        for widget in filter(isValid, self._locked):
            widget.setEnabled(False)
        announce(self, text)

    def end_busy(self) -> None:
        locked, self._locked = self._locked, []
        for widget in locked:
            if isValid(widget):  # a row may have gone in the meantime
                widget.setEnabled(True)
        self.busy_text.hide()
        self.bar.hide()
        self.bar.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        had_focus, self._had_focus = self._had_focus, None
        if had_focus in locked and isValid(had_focus):  # disabling took its focus
            had_focus.setFocus()

    def show_problem(self, sentence: str) -> None:
        if sentence:
            self.end_busy()
        super().show_problem(sentence)

    def _dress(self) -> None:
        line = self.theme.tokens.line
        self.setStyleSheet(
            f"#settingsLine {{ background: {line}; }} QScrollArea, #panelBody {{ background: transparent; }}"
        )
        self.refit()


def _is_way_out(widget: QWidget) -> bool:
    return isinstance(widget, QPushButton) and bool(widget.property(_WAY_OUT))
