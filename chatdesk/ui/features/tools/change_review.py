"""Shows the dialog in which a person reviews a proposed change of a file, and applies, edits, rejects or undoes it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QTextOption
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from chatdesk.core.domain.artifacts.file_change import ChangeState
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.texts import plural, shown, tr
from chatdesk.core.tools.folder.exchange import MOST_CHANGED_BYTES
from chatdesk.core.tools.folder.file_changes import Review
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.text_field import TextField
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.contract import ShownChange
from chatdesk.ui.transcript.items.change_item import APPLY, EDIT, REJECT, STATE_WORDS, UNDO
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox

_SIZE_PX = (760, 600)
_TINT_ALPHA = 38


class ChangeReview(FormPanel):
    """A dialog that shows proposed changes of files. ``wanted(change)`` requests the review of a change, which
    ``show_review`` receives. ``chosen(action, change, text)`` reports the decision; ``text`` is the edited file,
    None if it was not edited. ``edits`` opens the text for editing at once."""

    wanted = Signal(object)
    chosen = Signal(str, object, object)

    def __init__(
        self,
        theme: Theme,
        changes: Sequence[ShownChange],
        *,
        edits: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        title = tr("Review proposed changes") if len(changes) > 1 else tr("Review the proposed change")
        super().__init__(theme, title, object_name="changeReview", size_px=_SIZE_PX, parent=parent)
        self._changes = tuple(changes)
        self._edits = edits
        self._text: str | None = None  # the file's text after the change, if it can be edited
        self.files = named(ChoiceBox(), "reviewFiles", tr("File"))
        for each in self._changes:
            self.files.addItem(visible_controls(each.change.path))
        self.files.setVisible(len(self._changes) > 1)
        self.where = plain_label("", "text", wraps=True, name="reviewWhere")
        self.where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.about = plain_label("", "muted", wraps=True, name="reviewAbout")
        self.diff = _Diff(theme)
        self.text = TextField(theme, name=tr("Text of the file"), object_name="reviewText", most=MOST_CHANGED_BYTES)
        self.text.setFont(theme.font("code"))
        self.text.hide()
        for widget in (self.files, self.where, self.about):
            self.body.addWidget(widget)
        self.body.addWidget(self.diff, 1)
        self.body.addWidget(self.text, 1)
        self.add_button(push_button(tr("Close"), "reviewClose", self.reject))
        self._actions = {
            REJECT: self.add_button(push_button(tr("Reject"), "reviewReject", lambda: self._choose(REJECT))),
            EDIT: self.add_button(push_button(tr("Edit"), "reviewEdit", self._edit)),
            UNDO: self.add_button(push_button(tr("Undo"), "reviewUndo", lambda: self._choose(UNDO))),
            APPLY: self.add_button(
                push_button(tr("Apply"), "reviewApply", lambda: self._choose(APPLY), is_primary=True)
            ),
        }
        self.guard.watch(list(self._actions.values()))
        self._read: ShownChange | None = None
        self._show_buttons(None)
        self.files.currentIndexChanged.connect(lambda _place: self._on_file_chosen())
        self.diff.setFocus()

    @property
    def shown(self) -> ShownChange:
        """The change that is shown."""
        return self._changes[max(0, self.files.currentIndex())]

    def ask(self) -> None:
        """Ask for the present text of the file that the shown change is for."""
        self._show_buttons(None)
        self.wanted.emit(self.shown)

    def show_review(self, change: ShownChange, review: Review) -> None:
        """Show all of a change, if it is still the one that is wanted."""
        if change is not self.shown:
            return
        self.where.setText(visible_controls(f"{review.folder}/{review.path}"))
        counts = shown(
            plural(
                "{count} lines added, {removed} removed",
                "{count} line added, {removed} removed",
                review.added,
                removed=review.removed,
            )
        )
        self.about.setText(f"{shown(STATE_WORDS[review.state])} · {counts}")
        self.diff.show_text(review.diff)
        self._text = review.text
        if change is not self._read:
            self._read = change
            self.guard.restart()
        self._show_buttons(review.state)
        self.show_problem("")
        if self._edits and review.state is ChangeState.PROPOSED:
            self._edit()

    def go_on(self) -> bool:
        """Show the next change, and return whether there is one."""
        place = self.files.currentIndex() + 1
        if place >= len(self._changes):
            return False
        self.files.setCurrentIndex(place)
        self.diff.setFocus()
        return True

    def _show_buttons(self, state: ChangeState | None) -> None:
        edit = () if self._text is None or self.text.isVisibleTo(self) else (EDIT,)
        offered = {
            ChangeState.PROPOSED: (APPLY, *edit, REJECT),
            ChangeState.OUTDATED: (REJECT,),
            ChangeState.APPLIED: (UNDO,),
        }
        for action, button in self._actions.items():
            button.setVisible(state is not None and action in offered.get(state, ()))

    def _on_file_chosen(self) -> None:
        self._show_editor(is_shown=False)
        self.ask()

    def _edit(self) -> None:
        """Show the text of the file in place of the difference."""
        self._edits = False
        if self._text is None:
            self.show_problem(tr("This text has characters that hide, so it is edited in an editor."))
            return
        self.text.show_written(self._text)
        self._show_editor(is_shown=True)
        self._actions[EDIT].hide()

    def _show_editor(self, *, is_shown: bool) -> None:
        self.diff.setVisible(not is_shown)
        self.text.setVisible(is_shown)
        (self.text if is_shown else self.diff).setFocus()

    def reject(self) -> None:
        """Close the dialog; *Close* says first what would be lost, as Esc does."""
        if not self.warns_of_unsaved():
            super().reject()

    def unsaved(self) -> object:
        edited = self._edited()
        return None if edited == self._text else edited

    def _edited(self) -> str | None:
        return self.text.written() if self.text.isVisibleTo(self) else None

    def _choose(self, action: str) -> None:
        text = self._edited() if action == APPLY else None
        self.chosen.emit(action, self.shown, None if text == self._text else text)


class _Diff(QPlainTextEdit):
    """A diff that can be read and copied. Only lines in view are tinted, so that a long one costs nothing."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName("reviewDiff")
        self.setAccessibleName(tr("Difference"))
        self.setReadOnly(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByKeyboard | Qt.TextInteractionFlag.TextSelectableByMouse
        )
        self.setTabChangesFocus(True)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setWordWrapMode(QTextOption.WrapMode.NoWrap)
        self.setFont(theme.font("code"))

    def show_text(self, text: str) -> None:
        self.setPlainText(visible_controls(text).removesuffix("\n"))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        block = self.firstVisibleBlock()
        offset = self.contentOffset()
        is_head = block.blockNumber() < 2
        while block.isValid():
            area = self.blockBoundingGeometry(block).translated(offset)
            if area.top() > self.viewport().height():
                break
            text = block.text()
            is_head = is_head and block.blockNumber() < 2
            kind = "" if is_head else {"+": "inserted", "-": "deleted"}.get(text[:1], "")
            if kind:
                colour = QColor(self._theme.tokens.syntax.of(kind))
                colour.setAlpha(_TINT_ALPHA)
                painter.fillRect(QRectF(0, area.top(), self.viewport().width(), area.height()), colour)
            block = block.next()
        painter.end()
        super().paintEvent(event)
