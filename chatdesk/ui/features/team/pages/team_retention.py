"""Shows the retention of a shared project's messages: its managers choose it, the others read it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSpinBox, QWidget

from chatdesk.core.domain.sharing.team import LONGEST_RETENTION_DAYS
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import pad_spin_box, plain_label
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from chatdesk.ui.widgets.layouts import FlowRow, bare_column

_NAME: Final = Text("Keep messages")
_CHOICES: Final = (None, 30, 90, 365)
_OTHER: Final = -1
_WHAT_GOES: Final = Text("Older messages are erased for everybody, about once a day; that cannot be undone.")


class RetentionField(QWidget):
    """A field for how long messages are kept. ``days``: for how long messages are kept now; None: for ever. Nothing is
    asked for before *Set* is pressed: ``chosen`` has days or None."""

    chosen = Signal(object)

    def __init__(self, theme: Theme, days: int | None, *, can_change: bool) -> None:
        super().__init__()
        self.setObjectName("teamRetention")
        self._kept = days
        column = bare_column(self, spacing_px=theme.tokens.space.s)
        self.words = plain_label("", "text", wraps=True, name="teamRetentionWords")
        self.box = named(ChoiceBox(self), "teamRetentionBox", shown(_NAME))
        self.box.setAccessibleDescription(shown(_WHAT_GOES))
        self.days = named(QSpinBox(self), "teamRetentionDays", tr("Days for which messages are kept"))
        self.days.setRange(1, LONGEST_RETENTION_DAYS)
        self.days.setSuffix(tr(" days"))
        pad_spin_box(self.days, theme)
        self.set_button = push_button(
            tr("Set"), "teamRetentionSet", self._set, name=tr("Set how long messages are kept")
        )
        self.what_goes = plain_label(shown(_WHAT_GOES), "muted", wraps=True)
        column.addWidget(self.words)
        row = FlowRow(theme.tokens.space.s)
        for widget in (self.box, self.days, self.set_button):
            row.addWidget(widget)
            widget.setVisible(can_change)
        self.words.setVisible(not can_change)
        column.addLayout(row)
        column.addWidget(self.what_goes)
        self._can_change = can_change
        self.box.currentIndexChanged.connect(lambda _place: self._show_choice())
        self.days.valueChanged.connect(lambda _value: self._show_choice())
        self.show_days(days)

    def show_days(self, days: int | None) -> None:
        """Show the retention that applies now, in place of a choice made here."""
        had_focus = self.set_button.hasFocus() or self.days.hasFocus()
        self._kept = days
        self.words.setText(kept_sentence(days))
        self.what_goes.setVisible(self._can_change or days is not None)
        self.box.clear()
        for each in _CHOICES if days in _CHOICES else (*_CHOICES, days):
            self.box.addItem(kept_words(each), each)
        self.box.addItem(tr("Other…"), _OTHER)
        self.box.setCurrentIndex(self.box.findText(kept_words(days)))
        self.days.setValue(days or _CHOICES[1] or 1)
        self._show_choice()
        if had_focus:  # the field that had the focus may be hidden or disabled now
            self.box.setFocus()

    def _chosen(self) -> int | None:
        chosen = self.box.currentData()
        return self.days.value() if chosen == _OTHER else chosen

    def _show_choice(self) -> None:
        self.days.setVisible(self._can_change and self.box.currentData() == _OTHER)
        self.set_button.setEnabled(self._chosen() != self._kept)

    def _set(self) -> None:
        self.chosen.emit(self._chosen())


def kept_words(days: int | None) -> str:
    return tr("For ever") if days is None else shown(plural("For {count} days", "For {count} day", days))


def kept_sentence(days: int | None) -> str:
    """Return a sentence on how long messages are kept."""
    if days is None:
        return tr("Messages are kept for ever.")
    return shown(plural("Messages are kept for {count} days.", "Messages are kept for {count} day.", days))


def is_shorter(days: int | None, than: int | None) -> bool:
    """Return whether messages are kept for a shorter time with ``days`` than with ``than``."""
    return days is not None and (than is None or days < than)


def shorter_words(name: str, days: int) -> tuple[str, str, str]:
    """Question, text and button before messages are kept for a shorter time."""
    text = shown(
        plural(
            "Messages that are older than {count} days are erased for everybody, now and from now on: from the server,"
            " and from each computer when it syncs next. This cannot be undone. Backups, private copies and what"
            " somebody copied elsewhere keep them.",
            "Messages that are older than {count} day are erased for everybody, now and from now on: from the server,"
            " and from each computer when it syncs next. This cannot be undone. Backups, private copies and what"
            " somebody copied elsewhere keep them.",
            days,
        )
    )
    return (
        shown(
            plural(
                "Keep messages of “{name}” for {count} days only?",
                "Keep messages of “{name}” for {count} day only?",
                days,
                name=name,
            )
        ),
        text,
        tr("Erase what is older"),
    )
