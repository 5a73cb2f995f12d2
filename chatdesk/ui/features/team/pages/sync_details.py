"""Shows *Details* of team sync: its state, refused changes, and the log of rounds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import Signal, SignalInstance
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QVBoxLayout, QWidget

from chatdesk.core.domain.sharing.lost_changes import LostChanges
from chatdesk.core.domain.sharing.team import RefusedChange, ServerCheck, SyncRound, SyncStatus, Workspace
from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.marks import Mark
from chatdesk.ui.dialogs.panel import clear_layout, plain_label, thin_line
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.features.team.pages.team_table import TextTable
from chatdesk.ui.features.team.pages.team_text import round_words
from chatdesk.ui.features.team.sync_status_text import moment, status_icon, status_words
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from chatdesk.ui.widgets.layouts import FlowRow, bare_column

_WIDTH_PX: Final = 680
_MOST_REFUSED_HIGH: Final = 6
_MOST_RANGES: Final = 12
_EXCERPT: Final = 240
_TABLE_PX: Final = 220


class SyncDetailsDialog(TaskPanel):
    """The details of sync for one workspace. Requests about refused changes carry them, as a tuple."""

    workspaceChosen = Signal(str)
    syncRequested = Signal(str)
    checkRequested = Signal(str)
    goOnRequested = Signal(object)  # LostChanges
    copyTextRequested = Signal(object)
    retryRequested = Signal(object)
    forgetRequested = Signal(object)

    def __init__(
        self, theme: Theme, workspaces: Sequence[Workspace], *, chosen: str | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(
            theme, tr("Team sync: details"), object_name="syncDetailsDialog", width_px=_WIDTH_PX, parent=parent
        )
        self.workspace = named(ChoiceBox(), "detailsWorkspace", tr("Workspace"))
        for each in workspaces:
            self.workspace.addItem(each.name, each.id)
        place = self.workspace.findData(chosen)
        self.workspace.setCurrentIndex(max(0, place))
        self.workspace.setVisible(len(workspaces) > 1)
        self._mark = Mark(theme)
        self.status = plain_label("", "text", wraps=True, name="detailsStatus")
        row = QHBoxLayout()
        row.setSpacing(theme.tokens.space.s)
        row.addWidget(self._mark)
        row.addWidget(self.status, 1)
        self.sync_button = push_button(
            tr("Sync now"), "detailsSync", lambda: self.syncRequested.emit(self.workspace_id)
        )
        self.check_button = push_button(tr("Check against the server"), "detailsCheck", self._check)
        actions = FlowRow(theme.tokens.space.s)
        actions.addWidget(self.sync_button)
        actions.addWidget(self.check_button)
        self.outcome = plain_label("", "text", wraps=True, name="detailsResult")
        self.outcome.hide()
        self._shown_refused: tuple[RefusedChange, ...] = ()
        self._lost = QVBoxLayout()
        self._lost.setSpacing(theme.tokens.space.xs)
        self._refused = self._refused_box()
        self.rounds = TextTable(
            theme, (tr("When"), tr("What"), tr("Took")), name=tr("Sync log"), object_name="detailsRounds", wide=1
        )
        self.rounds.setMinimumHeight(round(_TABLE_PX * max(1.0, theme.scale)))
        self.body.addWidget(self.workspace)
        self.body.addLayout(row)
        self.body.addLayout(actions)
        self.body.addWidget(self.outcome)
        self.body.addLayout(self._lost)
        self.body.addWidget(self._refused)
        self.add_heading(tr("Sync log"))
        self.body.addWidget(self.rounds, 1)
        self.add_button(push_button(tr("Close"), "detailsClose", self.accept, is_way_out=True))
        self.workspace.currentIndexChanged.connect(lambda _place: self.workspaceChosen.emit(self.workspace_id))
        self.sync_button.setFocus()

    @property
    def workspace_id(self) -> str:
        return str(self.workspace.currentData() or "")

    def show_status(self, status: SyncStatus) -> None:
        if status.workspace_id == self.workspace_id:
            text = status_words(status)
            self.status.setText(text)
            self.status.setAccessibleName(text)
            self._mark.show_icon(*status_icon(status))

    def show_rounds(self, rounds: Sequence[SyncRound]) -> None:
        """Show the rounds of sync, the newest first."""
        self.rounds.show_rows(
            [(moment(each.at), round_words(each), tr("{count} ms", count=each.took_ms)) for each in rounds]
        )

    def show_check(self, check: ServerCheck) -> None:
        self.end_busy()
        self.show_result("\n".join(map(shown, check.sentences)))
        self._show_lost(check.lost)
        self.check_button.setFocus()

    def show_result(self, text: str) -> None:
        self.show_problem("")
        self._show_lost(())
        self.outcome.setText(text)
        self.outcome.setVisible(bool(text))
        announce(self, text)

    def _show_lost(self, found: Sequence[LostChanges]) -> None:
        """Show the losses of the server, with a button for owners that lets a project go on."""
        clear_layout(self._lost)
        for lost in found:
            self._lost.addWidget(plain_label(shown(lost.headline), "strong", wraps=True))
            for each in lost.ranges[:_MOST_RANGES]:
                self._lost.addWidget(plain_label(shown(each.sentence), "text", wraps=True))
            if len(lost.ranges) > _MOST_RANGES:
                self._lost.addWidget(
                    plain_label(tr("… and {count} more.", count=len(lost.ranges) - _MOST_RANGES), "muted")
                )
            self._lost.addWidget(plain_label(shown(lost.advice), "muted", wraps=True))
            if lost.may_accept:
                row = FlowRow(self.theme.tokens.space.s)
                row.addWidget(
                    push_button(
                        tr("Go on without them…"),
                        f"lost_{lost.project_id}",
                        partial(self.goOnRequested.emit, lost),
                        name=shown(lost.question),
                    )
                )
                self._lost.addLayout(row)
            self._lost.addWidget(thin_line())

    def show_refused(self, changes: Sequence[RefusedChange]) -> None:
        """Show the refused changes, the newest first; the selected rows stay so where nothing changed."""
        if tuple(changes) == self._shown_refused:
            return  # keeps the focus
        self._shown_refused = tuple(changes)
        self._refused.setVisible(bool(changes))
        heading = plural("Refused: {count} changes", "Refused: {count} change", len(changes))
        self._refused_heading.setText(shown(heading))
        self.refused.show_rows(
            [(moment(each.at), shown(each.sentence), _excerpt(each.text)) for each in self._shown_refused]
        )
        self.refused.fit(len(changes), most=_MOST_REFUSED_HIGH)
        self.refused.selectRow(0)

    def _refused_box(self) -> QWidget:
        """Return the list of refused changes, with buttons about the selected ones."""
        box = QWidget()
        self._refused_heading = plain_label("", "strong")
        self.refused = TextTable(
            self.theme,
            (tr("When"), tr("Why"), tr("Text")),
            name=tr("Refused changes"),
            object_name="detailsRefused",
            wide=1,
        )
        self.refused.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        words = tr(
            "The team does not have these, or has something else in their place. They are kept on this"
            " computer only, until you forget them."
        )
        buttons = FlowRow(self.theme.tokens.space.s)
        for text, name, signal in (
            (tr("Copy text"), "copyText", self.copyTextRequested),
            (tr("Try again"), "retry", self.retryRequested),
            (tr("Forget…"), "forget", self.forgetRequested),
        ):
            button = push_button(text, f"refused_{name}", partial(self._emit_selected, signal))
            button.setAccessibleDescription(tr("For the selected changes"))
            buttons.addWidget(button)
        column = bare_column(box, spacing_px=self.theme.tokens.space.xs)
        column.addWidget(self._refused_heading)
        column.addWidget(plain_label(words, "muted", wraps=True))
        column.addWidget(self.refused)
        column.addLayout(buttons)
        box.hide()
        return box

    def _emit_selected(self, signal: SignalInstance) -> None:
        rows = sorted(index.row() for index in self.refused.selectionModel().selectedRows())
        if rows:
            signal.emit(tuple(self._shown_refused[row] for row in rows))

    def _check(self) -> None:
        self.show_result("")
        self.show_busy(tr("Asking the server…"))
        self.checkRequested.emit(self.workspace_id)


def _excerpt(text: str) -> str:
    """Return the first words of a message, which may be a megabyte."""
    flat = " ".join(text[: 4 * _EXCERPT].split())
    return f"{flat[:_EXCERPT]}…" if len(flat) > _EXCERPT or len(text) > 4 * _EXCERPT else flat
