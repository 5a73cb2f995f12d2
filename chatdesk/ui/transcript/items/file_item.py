"""Draws the card of a message's file, with buttons to open, save, find or copy it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from chatdesk.core.attachments.file_kinds import can_open
from chatdesk.core.domain.attachment import Attachment, SentShare, Share
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.qt.unread_guard import UnreadMoment
from chatdesk.ui.transcript.drawing.card import paint_card, paint_text_line
from chatdesk.ui.transcript.drawing.item import (
    OPEN_ACTION,
    ArtifactSource,
    Button,
    Item,
    Outcome,
    PaintState,
    paint_button,
)
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.widgets.words import size_text, with_commas

_HEIGHT_PX = 52
_BUTTON_PX = 28
_WIDTH_PX = 460
_VERBS = (
    ("file-open", "external-link"),
    ("file-save", "download"),
    ("file-folder", "folder"),
    ("file-copy", "copy"),
    (OPEN_ACTION, "panel-right"),
)
EXTERNAL = ("file-open", "file-folder")  # actions that start another program
_KINDS = {
    "application/pdf": "PDF",
    "text/markdown": Text("Markdown"),
    "text/csv": Text("Table"),
    "application/json": "JSON",
    "text/html": Text("Web page"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": Text("Document"),
    "application/vnd.oasis.opendocument.text": Text("Document"),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": Text("Slides"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": Text("Table"),
    "application/epub+zip": Text("Book"),
    "message/rfc822": Text("Mail"),
    "application/zip": Text("Archive", "file"),
}

_STATES = {
    "fetching": Text("is being fetched from the team"),
    "missing": Text("missing on the team's server; tried again later"),
}
_SHARES = {Share.NAME: Text("not sent"), Share.PART: Text("sent in part")}


def share_words(sent: SentShare | None) -> str:
    """Return the words for an attachment that was not sent, or not whole; else an empty text."""
    return "" if sent is None else shown(_SHARES.get(sent.share, ""))


def file_action_name(action: str, name: str) -> str:
    """Return the name of a button on the card of an attached file, for screen readers and its tooltip."""
    match action:
        case "file-open":
            return tr("Open {file}", file=name)
        case "file-save":
            return tr("Save a copy of {file}", file=name)
        case "file-folder":
            return tr("Show in its folder: {file}", file=name)
        case "file-copy":
            return tr("Copy {file}", file=name)
    return tr("Open as artifact: {file}", file=name)


class FileItem(ArtifactSource, Item):
    """The card of an attached file; a pressed button only requests an action in ``Outcome.file``."""

    kind = "file"
    is_selectable = True

    def __init__(self, attachment: Attachment) -> None:
        super().__init__()
        self.attachment = attachment
        self.unread = UnreadMoment()
        self._style: TranscriptStyle | None = None
        self._state = ""
        self._sent: SentShare | None = None

    def update_share(self, sent: SentShare | None) -> bool:
        """Show how much of the file the model was sent, and return whether anything shown changed."""
        before, self._sent = share_words(self._sent), sent
        if share_words(sent) == before:
            return False
        self.revision += 1
        return True

    def tip_at(self, point: QPointF) -> str:
        return "" if self._sent is None else shown(self._sent.reason)

    def update_file_state(self, state_of: Callable[[str], str]) -> bool:
        """Show whether the file has arrived, and return whether anything shown changed. Called while the item is in
        view."""
        before, self._state = self._state, state_of(self.attachment.sha256)
        if self._state == before:
            return False
        self.revision += 1
        return True

    def guess(self, style: TranscriptStyle, width: float) -> float:
        return style.px(_HEIGHT_PX)

    def layout(self, style: TranscriptStyle, width: float) -> None:
        self._style = style
        self.height = style.px(_HEIGHT_PX)
        self.natural_width = min(width, style.px(_WIDTH_PX))

    @property
    def spoken(self) -> str:
        """The name of the card for screen readers."""
        return with_commas((self.attachment.name, self._described()))

    @property
    def text(self) -> str:
        return self.attachment.name

    def copied(self, start: int, end: int) -> str:
        return f"[{self.attachment.name}]" if end > start else ""

    def areas_of(self, start: int, end: int) -> list[QRectF]:
        return [QRectF(0, 0, self.natural_width, self.height)] if end > start else []

    def offset_at(self, point: QPointF) -> int:
        return 0 if point.x() < self.natural_width / 2 else len(self.text)

    def buttons(self) -> tuple[Button, ...]:
        style = self._style
        if style is None or self._state:  # there is nothing yet that could be opened
            return ()
        side = style.px(_BUTTON_PX)
        left_out = {"file-open": not can_open(self.attachment.mime), OPEN_ACTION: self.is_alone}
        verbs = [verb for verb in _VERBS if not left_out.get(verb[0], False)]
        left = self.natural_width - style.px(8) - side * len(verbs)
        top = (self.height - side) / 2
        return tuple(
            Button(
                action,
                file_action_name(action, self.attachment.name),
                QRectF(left + place * side, top, side, side),
                icon=icon,
                acts=action in EXTERNAL,
            )
            for place, (action, icon) in enumerate(verbs)
        )

    def press(self, action: str) -> Outcome | None:
        if action not in {verb[0] for verb in _VERBS}:
            return None
        if action == OPEN_ACTION:
            return Outcome(artifact=self.attachment)
        return Outcome(file=(action, self.attachment))

    @property
    def artifact(self) -> Attachment | None:
        return None if self._state else self.attachment

    def paint(self, painter: QPainter, state: PaintState) -> None:
        style = state.style
        ground = "selected" if state.selected else "code"
        paint_card(painter, style, QRectF(0, 0, self.natural_width, self.height), ground=ground)
        icon = style.icon("file-text", "muted")
        side = icon.deviceIndependentSize().height()
        painter.drawPixmap(QPointF(round(style.px(14)), round((self.height - side) / 2)), icon)
        buttons = self.buttons()
        left = style.px(40)
        room = (buttons[0].area.x() if buttons else self.natural_width) - left - style.px(8)
        line = self.height / 2
        upper = QRectF(left, style.px(5), room, line - style.px(5))
        lower = QRectF(left, line, room, line - style.px(6))
        paint_text_line(painter, style, upper, self.attachment.name, role="table", colour="text")
        paint_text_line(painter, style, lower, self._described(), role="muted", colour="muted")
        for button in buttons:
            paint_button(painter, button, state)

    def _described(self) -> str:
        kind = _KINDS.get(self.attachment.mime)
        if kind is None:
            ending = self.attachment.name.rpartition(".")[2]
            kind = (
                tr("{format} file", format=ending.upper())
                if 0 < len(ending) <= 5 and "." in self.attachment.name
                else tr("File")
            )
        state = _STATES.get(self._state, "")
        return " · ".join(
            map(shown, filter(None, (kind, size_text(self.attachment.size_bytes), state, share_words(self._sent))))
        )
