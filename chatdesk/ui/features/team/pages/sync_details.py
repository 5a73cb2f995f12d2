"""*Details* of team sync: its state, what was refused, and the log of rounds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from chatdesk.core.domain.sharing.lost_changes import LostChanges
from chatdesk.core.domain.sharing.team import RefusedChange, ServerCheck, SyncRound, SyncStatus, Workspace
from chatdesk.core.texts import Text, plural, shown, tr
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
from chatdesk.ui.widgets.layouts import FlowRow

_WIDTH_PX: Final = 680
_MOST_REFUSED: Final = 50
_MOST_RANGES: Final = 12
_EXCERPT: Final = 240
_TABLE_PX: Final = 220
_ONE: Final = (Text("Copy text"), Text("Copy to a private project"), Text("Try again"), Text("Forget"))
_ALL: Final = (Text("Copy all texts"), Text("Copy all to a private project"), Text("Try all again"), Text("Forget all"))


class SyncDetailsDialog(TaskPanel):
    """The details of sync for one workspace. Requests about refused changes carry their ids."""

    workspaceChosen = Signal(str)
    syncRequested = Signal(str)
    checkRequested = Signal(str)
    goOnRequested = Signal(object)  # LostChanges
    copyTextRequested = Signal(object)  # tuple[RefusedChange, ...]
    copyRequested = Signal(list)
    retryRequested = Signal(list)
    forgetRequested = Signal(list)

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
        self._refused = QVBoxLayout()
        self._refused.setSpacing(theme.tokens.space.xs)
        self.rounds = TextTable(
            theme, (tr("When"), tr("What"), tr("Took")), name=tr("Sync log"), object_name="detailsRounds", wide=1
        )
        self.rounds.setMinimumHeight(round(_TABLE_PX * max(1.0, theme.scale)))
        self.body.addWidget(self.workspace)
        self.body.addLayout(row)
        self.body.addLayout(actions)
        self.body.addWidget(self.outcome)
        self.body.addLayout(self._lost)
        self.body.addLayout(self._refused)
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
            self._lost.addWidget(_excerpt(shown(lost.headline), "strong"))
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
        """Show the refused changes, the newest first; those beyond the first fifty are counted."""
        if tuple(changes) == self._shown_refused:
            return  # so that the focus stays
        self._shown_refused = tuple(changes)
        clear_layout(self._refused)
        if not changes:
            return
        self._refused.addWidget(
            plain_label(shown(plural("Refused: {count} changes", "Refused: {count} change", len(changes))), "strong")
        )
        self._refused.addWidget(
            plain_label(
                tr(
                    "The team does not have these, or has something else in their place. They are kept on this"
                    " computer only, until you forget them."
                ),
                "muted",
                wraps=True,
            )
        )
        ids = [each.id for each in changes]
        if len(changes) > 1:
            self._refused.addLayout(self._buttons(tuple(changes), ids, "all", texts=_ALL))
        for change in changes[:_MOST_REFUSED]:
            self._refused.addWidget(_excerpt(f"{moment(change.at)}: {shown(change.sentence)}", "text"))
            if change.text:
                self._refused.addWidget(_excerpt(change.text, "muted"))
            self._refused.addLayout(self._buttons((change,), [change.id], change.id, at=moment(change.at)))
            self._refused.addWidget(thin_line())
        if len(changes) > _MOST_REFUSED:
            self._refused.addWidget(plain_label(tr("… and {count} more.", count=len(changes) - _MOST_REFUSED), "muted"))

    def _buttons(
        self,
        changes: tuple[RefusedChange, ...],
        ids: list[str],
        key: str,
        *,
        texts: tuple[str, ...] = _ONE,
        at: str = "",
    ) -> FlowRow:
        row = FlowRow(self.theme.tokens.space.s)
        runs = (
            ("copyText", lambda: self.copyTextRequested.emit(changes)),
            ("copy", lambda: self.copyRequested.emit(ids)),
            ("retry", lambda: self.retryRequested.emit(ids)),
            ("forget", lambda: self.forgetRequested.emit(ids)),
        )
        for text, (name, run) in zip(texts, runs, strict=True):
            words = shown(text)
            spoken = tr("{action} of the change of {time}", action=words, time=at) if at else words
            acts = name in ("retry", "forget")
            row.addWidget(push_button(words, f"refused_{name}_{key}", run, name=spoken, acts=acts))
        return row

    def _check(self) -> None:
        self.show_result("")
        self.show_busy(tr("Asking the server…"))
        self.checkRequested.emit(self.workspace_id)


def _excerpt(text: str, role: str) -> QLabel:
    """Return a label with the first words of a message, which may be a megabyte."""
    flat = " ".join(text[: 4 * _EXCERPT].split())
    is_cut = len(flat) > _EXCERPT or len(text) > 4 * _EXCERPT
    return plain_label(f"{flat[:_EXCERPT]}…" if is_cut else flat, role, wraps=True)  # type: ignore[arg-type]
