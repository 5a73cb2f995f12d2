"""Keeps the context of the next quick question: text of the clipboard or of the selection, or a picture of the
screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QClipboard, QGuiApplication, QImage

from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.texts import Text, plural, shown
from chatdesk.ui.features.quick.screenshot import take_screenshot

_LONGEST_TEXT: Final = 200_000
_CLIPBOARD, _SELECTION, _SCREENSHOT = Text("Clipboard"), Text("Selection"), Text("Screenshot")
_NOTHING_THERE: Final = Text("There is no text on the clipboard.")
_NOTHING_SELECTED: Final = Text("No text is selected in another window.")


@dataclass(frozen=True, slots=True)
class _Addition:
    """Text or a picture that goes with the next question. ``words`` name it for the person; ``data`` is what the file
    of the question will have."""

    name: str
    data: bytes
    words: str
    picture: QImage | None = None


class QuickContext(QObject):
    """The text or picture that goes with the next quick question. ``changed`` is emitted when something was added or
    left out, ``failed`` with a sentence when there was nothing to add."""

    changed = Signal()
    failed = Signal(str)

    def __init__(self, attachments: AttachmentService) -> None:
        super().__init__()
        self._attachments = attachments
        self._added: _Addition | None = None
        self._attached: _Addition | None = None  # what went, or goes, along with a question

    @property
    def words(self) -> str:
        """The name of the added text or picture, for a person; empty if there is none."""
        return "" if self._added is None else self._added.words

    @property
    def picture(self) -> QImage | None:
        """The picture that goes along."""
        return None if self._added is None else self._added.picture

    def add_text(self, kind: str) -> None:
        """Add the text of the ``clipboard`` or of the ``selection``."""
        is_clipboard = kind == "clipboard"
        mode = QClipboard.Mode.Clipboard if is_clipboard else QClipboard.Mode.Selection
        text = QGuiApplication.clipboard().text(mode)
        kept = text[:_LONGEST_TEXT]
        if kept.strip():
            name = shown(_CLIPBOARD if is_clipboard else _SELECTION)
            words = _words(name, len(kept), is_cut=len(text) > _LONGEST_TEXT)
            self._set(_Addition(f"{name}.txt", kept.encode("utf-8", "replace"), words))
        else:
            self.failed.emit(shown(_NOTHING_THERE if is_clipboard else _NOTHING_SELECTED))

    async def add_screenshot(self) -> None:
        """Let the person take a picture of the screen, and add it; add nothing if they cancel."""
        try:
            taken = await take_screenshot()
        except ChatDeskError as error:
            self.failed.emit(shown(error.sentence))
            return
        if taken is not None:
            self._set(_Addition(f"{shown(_SCREENSHOT)}.png", taken.data, shown(_SCREENSHOT), taken.image))

    def clear(self) -> None:
        """Remove the added text or picture."""
        self._set(None)

    def clear_attached(self) -> None:
        """Remove the attachments that were sent with a question, but keep later ones for the next question."""
        if self._added is self._attached:
            self._set(None)

    async def attached(self) -> tuple[Attachment, ...]:
        """Return the file for the next question, kept like any that is attached. Raises as ``add_bytes``."""
        added = self._attached = self._added
        return () if added is None else (await self._attachments.add_bytes(added.data, added.name),)

    def _set(self, added: _Addition | None) -> None:
        self._added = added
        self.changed.emit()


def _words(name: str, length: int, *, is_cut: bool) -> str:
    if is_cut:
        return shown(
            plural(
                "{name}, only the first {count} characters",
                "{name}, only the first {count} character",
                length,
                name=name,
            )
        )
    return shown(plural("{name}, {count} characters", "{name}, {count} character", length, name=name))
