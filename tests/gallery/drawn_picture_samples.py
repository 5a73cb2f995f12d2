"""Pictures of answers: with their buttons, on their way, and kept out."""

from __future__ import annotations

import base64
from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk.core.domain.attachment import PICTURE_COMING, Attachment
from chatdesk.core.domain.message import Part, PartType, Role, Status
from chatdesk.core.providers.offline.demo import sunset
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.contract import Picture, PictureSource
from chatdesk.ui.transcript.drawing.picture_loader import decode
from tests.gallery.transcript_samples import build_view, make_message

_PNG = base64.b64decode(sunset().partition(",")[2].rstrip(")"))
_SUNSET = Attachment("A sunset over the sea.png", "image/png", "5" * 64, len(_PNG), 480, 300)


class _Loader:
    def load(self, source: PictureSource, on_done: Callable[[Picture], None]) -> _Loader:
        QTimer.singleShot(0, lambda: on_done(decode(_PNG, source.most)))
        return self

    def cancel(self) -> None:
        """Nothing is waited for."""


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    messages = [
        make_message(0, Role.USER, "Draw a sunset over the sea, in three sizes."),
        make_message(
            1,
            Role.ASSISTANT,
            "",
            parts=(
                _text(0, "Here is the first one."),
                Part("p1", "m1", 1, PartType.IMAGE, _SUNSET.as_content()),
                _missing(2, "Not kept: The picture is larger than 16 MB."),
                _text(3, "The second one was too large to be sent."),
            ),
        ),
        make_message(2, Role.USER, "Once more, smaller."),
        make_message(
            3,
            Role.ASSISTANT,
            "",
            status=Status.STREAMING,
            parts=(_text(0, "I draw it."), _missing(1, PICTURE_COMING)),
        ),
    ]
    view = build_view(theme, messages, {})
    view.set_pictures(_Loader())
    view.setObjectName("transcript")
    pane = QWidget()
    pane.resize(1016, 860)
    layout = QVBoxLayout(pane)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(view)
    pane.setProperty("focusOn", "transcript")
    to_answer = (Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    pane.setProperty("keys", [(Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier), to_answer, (Qt.Key.Key_Tab,)])
    return [("transcript drawn pictures", pane)]


def _text(index: int, text: str) -> Part:
    return Part(f"t{index}", "m", index, PartType.TEXT, {"text": text})


def _missing(index: int, problem: str) -> Part:
    return Part(f"p{index}", "m", index, PartType.IMAGE, {"name": f"Picture {index}", "problem": problem})
