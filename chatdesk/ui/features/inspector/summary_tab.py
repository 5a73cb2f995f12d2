"""Shows the summary that replaces the oldest messages: its text, its source, and its switches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from PySide6.QtCore import QDateTime, QLocale, QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from chatdesk.core.domain.context import ContextEntry
from chatdesk.core.domain.message import Role
from chatdesk.core.domain.summary import StaleReason, Summary, SummaryAuthor, SummaryState, SummarySwitches
from chatdesk.core.moments import moment_text
from chatdesk.core.texts import Sentences, Text, plural, shown, tr
from chatdesk.ui.accessibility.assistance import named, show_checked
from chatdesk.ui.features.inspector.rows import (
    ItemListModel,
    RowList,
    RowRole,
    button_row,
    plain_label,
    plain_preview,
    tokens_text,
)
from chatdesk.ui.features.settings.settings_row import SettingsRow
from chatdesk.ui.local_forms import money_text, number_text
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import PillButton
from chatdesk.ui.widgets.fields.switch import Switch
from chatdesk.ui.widgets.scrolled_page import FittedArea, ScrolledPage
from chatdesk.ui.widgets.words import with_commas

_STALE = {
    StaleReason.EDITED: Text("one of its messages was edited"),
    StaleReason.DELETED: Text("one of its messages was deleted"),
    StaleReason.SWITCHED: Text("another version of one of its messages is shown"),
    StaleReason.EXCLUDED: Text("one of its messages was excluded"),
}
_AnyIndex = QModelIndex | QPersistentModelIndex
_ICONS = {Role.USER.value: "user", Role.ASSISTANT.value: "sparkles", Role.TOOL.value: "wrench"}
_NAMES = {Role.USER.value: Text("Question"), Role.ASSISTANT.value: Text("Answer"), Role.TOOL.value: Text("Tool result")}
_MESSAGE = Text("Message")
_LEAST_PX = 64  # of what scrolls by itself, and takes what the rest leaves

# Asks for entries from a position on; they come through ``SourceList.add``.
SourceFetcher = Callable[[int], None]


class SummaryTab(FittedArea):
    """Shows the newest version. News do not overwrite an open edit. In a low window it scrolls."""

    editSaved = Signal(str, str, object)  # id, text, tuple of pinned facts
    redoRequested = Signal()
    switchRequested = Signal(str, bool)
    threadSwitched = Signal(bool)
    projectSwitched = Signal(bool)
    jumpRequested = Signal(str)
    agreed = Signal()
    stopped = Signal()

    def __init__(self, theme: Theme, fetch_sources: SourceFetcher) -> None:
        page = ScrolledPage()
        super().__init__(page)
        for ground in (page, self.viewport()):
            ground.setAutoFillBackground(False)
        self._theme = theme
        self._summary: Summary | None = None
        self._cost_usd: float | None = None
        self._newest: tuple[Summary | None, float | None] = (None, None)
        self._is_editing = False
        self._about = plain_label("", "muted")
        self._state = plain_label("", "text")
        self._state.setProperty("isDanger", True)
        self.text_field = _field(tr("Text of the summary"), "summaryText")
        self._facts_title = plain_label(tr("Kept word for word, a line each"), "muted")
        self.facts_field = _field(tr("Facts that are kept word for word, a line each"), "summaryFacts")
        self.facts_field.setMaximumHeight(110)
        self._sources_title = plain_label("", "muted")
        self.sources = SourceList(theme, fetch_sources)
        self.sources.setMinimumHeight(_LEAST_PX)
        self.sources.jumpRequested.connect(self.jumpRequested)
        self.thread_switch = Switch(theme, object_name="summaryThreadSwitch")
        self.thread_switch.toggled.connect(self.threadSwitched)
        self.project_switch = Switch(theme, object_name="summaryProjectSwitch")
        self.project_switch.toggled.connect(self.projectSwitched)
        self._pause = plain_label("", "muted")
        self._pause.setObjectName("summaryPause")
        self._work = plain_label("", "muted")
        self._work.setObjectName("summaryWork")
        self.agree_button = self._button(tr("Summarise"), "summaryAgreeButton", self.agreed.emit)
        self.stop_button = self._button(tr("Stop"), "summaryStopButton", self.stopped.emit)
        self.edit_button = self._button(tr("Edit"), "summaryEditButton", self._edit_or_save)
        self.cancel_button = self._button(tr("Cancel"), "summaryCancelButton", self._cancel)
        self.redo_button = self._button(tr("Redo"), "summaryRedoButton", self.redoRequested.emit)
        self.off_button = self._button(tr("Do not send"), "summaryOffButton", self._switch)
        self.first_button = self._button(tr("First source"), "summaryFirstButton", lambda: self._jump(is_first=True))
        self.last_button = self._button(tr("Last source"), "summaryLastButton", lambda: self._jump(is_first=False))
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 8, 0, 0)
        for widget in (self._about, self._work):
            column.addWidget(widget)
        column.addLayout(button_row(self.agree_button, self.stop_button))
        column.addWidget(self._state)
        column.addWidget(self.text_field, 3)
        column.addWidget(self._facts_title)
        column.addWidget(self.facts_field)
        column.addLayout(button_row(self.edit_button, self.cancel_button, self.redo_button, self.off_button))
        column.addWidget(self._sources_title)
        column.addWidget(self.sources, 2)
        column.addLayout(button_row(self.first_button, self.last_button))
        column.addWidget(self._pause)
        column.addWidget(SettingsRow(tr("Summarise this thread"), "", self.thread_switch))
        column.addWidget(SettingsRow(tr("Summarise threads of this project"), "", self.project_switch))
        theme.changed.connect(self._on_theme_changed)
        self._on_theme_changed()
        self.show_summaries((), SummarySwitches(), can_be_made=False)
        self.show_work("", can_agree=False, can_stop=False)

    def show_work(self, words: str, *, can_agree: bool, can_stop: bool) -> None:
        """Show the summary that is being made for the open thread, or asked about; empty hides the line."""
        self._work.setText(words)
        self._work.setVisible(bool(words))
        self.agree_button.setVisible(can_agree)
        self.stop_button.setVisible(can_stop)

    def show_summaries(
        self,
        summaries: Sequence[Summary],
        switches: SummarySwitches,
        *,
        can_be_made: bool,
        waits_for_tomorrow: bool = False,
        cost_usd: float | None = None,
    ) -> None:
        """Show the versions of the open thread's summary, the newest first. ``waits_for_tomorrow``: the limit of the
        day was reached; ``cost_usd``: the cost of the newest, if its price is known."""
        show_checked(self.thread_switch, switches.is_thread_on)
        show_checked(self.project_switch, switches.is_project_on)
        self._pause.setText(_pause(switches, waits_for_tomorrow=waits_for_tomorrow))
        self._pause.setVisible(bool(self._pause.text()))
        self.redo_button.setEnabled(can_be_made)
        self._newest = summaries[0] if summaries else None, cost_usd
        if not self._is_editing:  # even another thread's summary waits until the edit is saved or discarded
            self._show_newest()

    def _show_newest(self) -> None:
        self._summary, self._cost_usd = self._newest
        self._show()

    def _show(self) -> None:
        summary = self._summary
        self.text_field.setPlainText(summary.text if summary else "")
        self.facts_field.setPlainText("\n".join(summary.pinned_facts) if summary else "")
        self._about.setText(
            _about(summary, self._cost_usd)
            if summary
            else tr("There is no summary yet: it is made when the context fills.")
        )
        self._state.setText(_state(summary) if summary else "")
        self._state.setVisible(bool(self._state.text()))
        self._show_state()

    def _show_state(self) -> None:
        summary, is_editing = self._summary, self._is_editing
        for button in (self.edit_button, self.off_button):
            button.setEnabled(True)
        has_some = summary is not None
        for field in (self.text_field, self.facts_field):
            field.setReadOnly(not is_editing)
            field.setVisible(has_some)
        has_facts = summary is not None and bool(summary.pinned_facts)
        self.facts_field.setVisible(is_editing or has_facts)
        self._facts_title.setVisible(is_editing or has_facts)
        self.edit_button.setVisible(has_some)
        self.edit_button.setText(tr("Save") if is_editing else tr("Edit"))
        self.edit_button.set_name(tr("Save the summary") if is_editing else tr("Edit the summary"))
        self.cancel_button.setVisible(is_editing)
        self.redo_button.setVisible(has_some and not is_editing)
        self.off_button.setVisible(has_some and not is_editing)
        is_off = summary is not None and summary.state is SummaryState.OFF
        self.off_button.setText(tr("Send again") if is_off else tr("Do not send"))
        has_range = summary is not None and not summary.is_range_gone and not is_editing
        for button in (self.first_button, self.last_button):
            button.setVisible(has_range)
        # Where another version is shown, the messages at these positions are not those that it was made from.
        is_listed = has_range and summary is not None and summary.stale_reason is not StaleReason.SWITCHED
        for widget in (self._sources_title, self.sources):
            widget.setVisible(is_listed)
        if summary is not None and is_listed:
            made = plural("Made from {count} messages", "Made from {count} message", summary.message_count)
            self._sources_title.setText(shown(made))
            self.sources.show_range((summary.id, summary.stale_reason), summary.from_position)
        elif not is_editing:
            self.sources.clear()

    def _edit_or_save(self) -> None:
        if self._summary is None:
            return
        if not self._is_editing:
            self._is_editing = True
            self._show_state()
            self.text_field.setFocus()
            return
        facts = tuple(line.strip() for line in self.facts_field.toPlainText().splitlines() if line.strip())
        self._is_editing = False
        self._show_state()
        for button in (self.edit_button, self.off_button):
            button.setEnabled(False)  # until the version that is made now is shown
        self.editSaved.emit(self._summary.id, self.text_field.toPlainText(), facts)

    def _cancel(self) -> None:
        self._is_editing = False
        self._show_newest()

    def _switch(self) -> None:
        if self._summary is not None:
            self.switchRequested.emit(self._summary.id, self._summary.state is SummaryState.OFF)

    def _jump(self, *, is_first: bool) -> None:
        if self._summary is not None:
            self.jumpRequested.emit(self._summary.from_message_id if is_first else self._summary.to_message_id)

    def _button(self, text: str, object_name: str, run: Callable[[], object]) -> PillButton:
        button = PillButton(self._theme, text, object_name=object_name)
        button.clicked.connect(lambda _is_checked: run())
        return button

    def _on_theme_changed(self) -> None:
        theme = self._theme
        for field in (self.text_field, self.facts_field):
            field.setFont(theme.font("table"))


def _short_form(moment: datetime) -> str:
    at = QDateTime.fromSecsSinceEpoch(int(moment.timestamp()))
    return QLocale().toString(at, QLocale.FormatType.ShortFormat)


def _about(summary: Summary, cost_usd: float | None) -> str:
    when = moment_text(summary.created_at, _short_form)
    by_person = summary.author is SummaryAuthor.PERSON
    who = Text("you") if by_person else summary.model or Text("a model")
    said = plural(
        "Version {version}, by {who}, {when}: {count} messages in {tokens} tokens.",
        "Version {version}, by {who}, {when}: {count} message in {tokens} tokens.",
        summary.message_count,
        version=summary.version,
        who=who,
        when=when,
        tokens=summary.tokens,
    )
    spent = summary.input_tokens + summary.output_tokens
    if not spent:
        return shown(said)
    if cost_usd is None:
        took = plural("Making it took {count} tokens.", "Making it took {count} token.", spent)
    else:
        price = money_text(cost_usd)
        took = plural(
            "Making it took {count} tokens ({price}).", "Making it took {count} token ({price}).", spent, price=price
        )
    return shown(Sentences.of(said, took))


def _pause(switches: SummarySwitches, *, waits_for_tomorrow: bool) -> str:
    """Return a sentence on why no summary is made at present, where a person might wait for one."""
    if not switches.is_on_everywhere:
        return tr("Summaries are switched off in Settings, Context, for all threads.")
    if switches.is_thread_on and not switches.is_project_on:
        return tr("No thread of this project is summarised.")
    if switches.is_on and waits_for_tomorrow:
        return tr("Today's limit for titles and summaries is reached. Summaries are made again tomorrow.")
    return ""


def _state(summary: Summary) -> str:
    if summary.is_range_gone:
        return tr("Some of its messages are gone for good, so it is not sent.")
    if summary.state is SummaryState.OFF:
        return tr("It is not sent: you switched it off. Another one is made only when you redo it.")
    if summary.state is SummaryState.STALE:
        why = _STALE.get(summary.stale_reason, "") if summary.stale_reason is not None else ""
        if why:
            return tr("It is out of date and not sent: {why}. Redo it to have it sent again.", why=why)
        return tr("It is out of date and not sent. Redo it to have it sent again.")
    return ""


class _Field(QPlainTextEdit):
    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), _LEAST_PX)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()


def _field(name: str, object_name: str) -> QPlainTextEdit:
    field = named(_Field(), object_name, name)
    field.setTabChangesFocus(True)
    field.setProperty("inCard", True)
    return field


class SourceList(RowList):
    """The list of messages that a summary covers. ``jumpRequested`` carries the id of the message that was clicked, or
    on which Enter was pressed."""

    jumpRequested = Signal(str)

    def __init__(self, theme: Theme, fetch: SourceFetcher) -> None:
        super().__init__(theme, name=tr("Messages that the summary is made from"), object_name="summarySources")
        self._sources = _SourceModel(self, fetch)
        self.setModel(self._sources)
        # A click alone jumps; Qt calls Enter an activation, and on some desktops a click as well.
        self.clicked.connect(self._jump)
        self.activated.connect(self._jump)

    def sizeHint(self) -> QSize:
        return QSize(super().sizeHint().width(), _LEAST_PX)

    def show_range(self, key: object, first: int) -> None:
        """Show the sources of another summary, from the position ``first`` on; nothing happens while ``key`` stays the
        same."""
        self._sources.restart(key, first)

    def clear(self) -> None:
        self._sources.clear()

    def add(self, entries: Sequence[ContextEntry], *, next_position: int | None) -> None:
        """Add the entries that were asked for; ``next_position`` is where the list goes on, None at the end."""
        self._sources.add(entries, next_position)

    def _jump(self, index: _AnyIndex) -> None:
        entry = self._sources.item(index.row())
        if entry is not None:
            self.jumpRequested.emit(entry.message_id)


class _SourceModel(ItemListModel[ContextEntry]):
    def __init__(self, parent: QWidget, fetch: SourceFetcher) -> None:
        super().__init__(parent)
        self._fetch = fetch
        self._key: object = None
        self._next: int | None = None
        self._is_waiting = False

    def clear(self) -> None:
        self._key, self._next, self._is_waiting = None, None, False
        self.show_items(())

    def restart(self, key: object, first: int) -> None:
        if key == self._key:
            return
        self.clear()
        self._key, self._is_waiting = key, True
        self._fetch(first)

    def add(self, entries: Sequence[ContextEntry], next_position: int | None) -> None:
        self._is_waiting, self._next = False, next_position
        self.add_items(entries)

    def canFetchMore(self, _parent: _AnyIndex) -> bool:
        return self._next is not None and not self._is_waiting

    def fetchMore(self, _parent: _AnyIndex) -> None:
        if self._next is not None and not self._is_waiting:
            self._is_waiting = True
            self._fetch(self._next)

    def data(self, index: _AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self.item(index.row())
        if entry is None:
            return None
        preview = plain_preview(entry.preview) or tr("(no text)")
        if role == Qt.ItemDataRole.DisplayRole:
            return preview
        if role == Qt.ItemDataRole.AccessibleTextRole:
            who, fate = shown(_NAMES.get(entry.role, _MESSAGE)), tr("excluded") if entry.is_excluded else ""
            about = with_commas((who, fate, tokens_text(entry.tokens)))
            return tr("{about}: {text}", about=about, text=preview)
        return {
            RowRole.INDENT: 0,
            RowRole.ICON: _ICONS.get(entry.role, "info"),
            RowRole.NOTE: number_text(entry.tokens),
            RowRole.IS_STRUCK: entry.is_excluded,
        }.get(role)  # type: ignore[call-overload]
