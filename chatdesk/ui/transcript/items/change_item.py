"""Draws the card of a proposed change to a file: the file, the state, and the possible actions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from chatdesk.core.domain.artifacts.file_change import FILE_DIFF, ChangeKind, ChangeState
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.rendering.blocks import CodeBlock, CodeRun
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.qt.unread_guard import UnreadMoment
from chatdesk.ui.transcript.contract import ChangeStateOf, ShownChange
from chatdesk.ui.transcript.drawing.card import paint_card, paint_text_line
from chatdesk.ui.transcript.drawing.item import Button, Item, Outcome, PaintState, paint_button
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.items.code_item import CodeItem
from chatdesk.ui.widgets.words import with_commas

_HEIGHT_PX = 92
_TOP_PX, _LINE_PX = 8, 20
_BUTTON_PX = 30
_LEFT_PX, _PAD_PX = 40, 12
_MOST_SHOWN, _MOST_LINES = 20_000, 40  # limits of the diff below a card
_FOLD_LINES = 9  # below its heading at most 240 px, with the button that unfolds it

APPLY, REVIEW, EDIT, REJECT, UNDO = "change-apply", "change-review", "change-edit", "change-reject", "change-undo"
_TITLES: Mapping[ChangeKind, str] = {
    ChangeKind.NEW: Text("New file"),
    ChangeKind.EDIT: Text("Change to a file"),
    ChangeKind.DELETE: Text("Removal of a file"),
}
# The state of a change, in words; the state is never a colour alone.
STATE_WORDS: Mapping[ChangeState, str] = {
    ChangeState.PROPOSED: Text("Proposed"),
    ChangeState.APPLIED: Text("Applied"),
    ChangeState.REJECTED: Text("Rejected"),
    ChangeState.OUTDATED: Text("Outdated: the file was changed since"),
    ChangeState.CHANGED_SINCE: Text("Applied; the file was changed since"),
    ChangeState.NO_FOLDER: Text("The project has no such folder here"),
    ChangeState.ELSEWHERE: Text("Proposed elsewhere, so it cannot be applied here"),
}
_BUTTONS: Mapping[ChangeState, tuple[tuple[str, str], ...]] = {
    ChangeState.PROPOSED: ((APPLY, Text("Apply")), (EDIT, Text("Edit")), (REJECT, Text("Reject"))),
    ChangeState.APPLIED: ((UNDO, Text("Undo")),),
    ChangeState.OUTDATED: ((REJECT, Text("Reject")),),
}


def _button_name(action: str, path: str) -> str:
    match action:
        case "change-apply" | "change-review":
            return tr("Apply the change to {file}", file=path)
        case "change-edit":
            return tr("Edit the change to {file}", file=path)
        case "change-reject":
            return tr("Reject the change to {file}", file=path)
    return tr("Undo the change to {file}", file=path)


class ChangeItem(Item):
    """The card of a change, of which ``diff`` is the lower half; a pressed button only requests an action in
    ``Outcome.change``. Where the diff is all of the change (``is_whole``) and not folded, the change can be applied at
    once, else it is shown in a dialog first."""

    kind = "change"
    is_selectable = True

    def __init__(self, change: ShownChange, *, diff: CodeItem | None = None, is_whole: bool = False) -> None:
        super().__init__()
        self._diff = diff
        self._is_whole = is_whole
        self.shown = change
        self._style: TranscriptStyle | None = None
        self._state: ChangeState | None = None
        self.unread = self._moment = UnreadMoment()

    def update_change_state(self, state_of: ChangeStateOf) -> bool:
        before, self._state = self._state, state_of(self.shown.change.id, self.shown.diff_sum)
        if self._state is before:
            return False
        self._moment.restart()
        self.revision += 1
        return True

    def guess(self, style: TranscriptStyle, width: float) -> float:
        return style.px(_HEIGHT_PX)

    def layout(self, style: TranscriptStyle, width: float) -> None:
        self._style = style
        self.height = style.px(_HEIGHT_PX)
        self.natural_width = width

    @property
    def words(self) -> str:
        """The name of the card for screen readers."""
        return with_commas((self._described(), self.text, self._state_words()))

    @property
    def text(self) -> str:
        return visible_controls(self.shown.change.path)

    def copied(self, start: int, end: int) -> str:
        return self.text[start:end]

    def areas_of(self, start: int, end: int) -> list[QRectF]:
        return [QRectF(0, 0, self.natural_width, self.height)] if end > start else []

    def offset_at(self, point: QPointF) -> int:
        return 0 if point.x() < self.natural_width / 2 else len(self.text)

    @property
    def _apply(self) -> str:
        return REVIEW if self._diff is None or not self._is_whole or self._diff.is_folded else APPLY

    def buttons(self) -> tuple[Button, ...]:
        style = self._style
        offered = () if self._state is None else _BUTTONS.get(self._state, ())
        if style is None or not offered:
            return ()
        made: list[Button] = []
        left, height = style.px(_LEFT_PX), style.px(_BUTTON_PX)
        top = self.height - height - style.px(_TOP_PX)
        for named, label in offered:
            if named == EDIT and self.shown.change.kind is ChangeKind.DELETE:
                continue
            action = self._apply if named == APPLY else named
            words = shown(Text("Apply…") if action == REVIEW else label)
            width = style.metrics("muted").horizontalAdvance(words) + style.px(24)
            name = _button_name(action, self.text)
            made.append(Button(action, name, QRectF(left, top, width, height), text=words, is_framed=True, acts=True))
            left += width + style.px(8)
        return tuple(made)

    def press(self, action: str) -> Outcome | None:
        if action == APPLY and (self._apply != APPLY or self._moment.is_unread):
            return None
        return Outcome(change=(action, self.shown)) if action in (APPLY, REVIEW, EDIT, REJECT, UNDO) else None

    def paint(self, painter: QPainter, state: PaintState) -> None:
        style = state.style
        ground = "selected" if state.selected else "code"
        area = QRectF(0, 0, self.natural_width, self.height)
        paint_card(painter, style, area, ground=ground, half="upper" if self._diff is not None else "")
        icon = style.icon("pencil", "muted")
        line, left = style.px(_LINE_PX), style.px(_LEFT_PX)
        top = style.px(_TOP_PX)
        painter.drawPixmap(QPointF(round(style.px(14)), round(top + style.px(2))), icon)
        room = self.natural_width - left - style.px(_PAD_PX)
        paint_text_line(painter, style, QRectF(left, top, room, line), self.text, role="table", colour="text")
        paint_text_line(
            painter, style, QRectF(left, top + line, room, line), self._described(), role="muted", colour="muted"
        )
        buttons = self.buttons()
        x = buttons[-1].area.right() + style.px(_PAD_PX) if buttons else left
        height = style.px(_BUTTON_PX)
        area = QRectF(x, self.height - height - top, self.natural_width - x - style.px(_PAD_PX), height)
        paint_text_line(painter, style, area, self._state_words(), role="muted", colour="muted")
        for button in buttons:
            paint_button(painter, button, state)

    def _state_words(self) -> str:
        return "" if self._state is None else shown(STATE_WORDS[self._state])

    def _described(self) -> str:
        change = self.shown.change
        counts = plural(
            "{count} lines added, {removed} removed",
            "{count} line added, {removed} removed",
            change.added,
            removed=change.removed,
        )
        return f"{shown(_TITLES[change.kind])} · {shown(counts)}"


def diff_item(content: Mapping[str, Any]) -> CodeItem | None:
    """Return the half of a card with the text of a change, as far as the part has it: lines that come and go are
    tinted. None where it has none."""
    described = content.get(FILE_DIFF)
    text = described.get("text") if isinstance(described, Mapping) else None
    if not isinstance(text, str) or not text:
        return None
    visible = visible_controls(text[:_MOST_SHOWN]).removesuffix("\n")
    whole = content.get("size_bytes")
    is_whole = isinstance(whole, int) and len(text.encode("utf-8", "replace")) >= whole
    item = CodeItem(
        CodeBlock("diff", visible, diff_runs(visible), remark="" if is_whole else tr("its beginning")),
        fold_lines=_FOLD_LINES,
    )
    item.is_of_answer = False
    item.is_lower_half, item.gap = True, 0.0
    return item


def shows_whole(content: Mapping[str, Any], diff_sum: str) -> bool:
    """Return whether the text in a part is the whole diff with that SHA-256 sum, and short enough to be read."""
    described = content.get(FILE_DIFF)
    text = described.get("text") if isinstance(described, Mapping) else None
    is_short = isinstance(text, str) and len(text) <= _MOST_SHOWN and text.count("\n") <= _MOST_LINES
    return is_short and hashlib.sha256(str(text).encode("utf-8", "replace")).hexdigest() == diff_sum


def diff_runs(text: str) -> tuple[CodeRun, ...]:
    """Return the colours of a diff's lines."""
    runs = []
    is_head = True
    for line in text.split("\n"):
        is_head = is_head and not line.startswith("@@")
        kind = "plain" if is_head else {"+": "inserted", "-": "deleted"}.get(line[:1], "plain")
        runs.append(CodeRun(len(line) + 1, kind))
    return tuple(runs)
