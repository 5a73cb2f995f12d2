"""Copying: what is selected, else a message, in every form that another program may want."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from PySide6.QtCore import QMimeData, QObject, Signal
from PySide6.QtGui import QGuiApplication

from chatdesk.ui.transcript.copied_html import as_html
from chatdesk.ui.transcript.copied_text import as_markdown, as_plain
from chatdesk.ui.transcript.entry import MessageEntry
from chatdesk.ui.transcript.excerpt import Excerpt, excerpts
from chatdesk.ui.transcript.gathering import MOST_MESSAGES, MOST_RENDERED, Gatherer
from chatdesk.ui.transcript.selection import Selection

# "copy" gives plain text and the same with its looks; each of the others one form alone.
FORMS = ("copy", "copy-markdown", "copy-plain", "copy-rich")


class Clipboard(QObject):
    """``copied`` carries the text that was put on the clipboard, ``announced`` what the reader should be told."""

    copied = Signal(str)
    announced = Signal(str)

    def __init__(self, selection: Selection, gatherer: Gatherer) -> None:
        super().__init__(gatherer)
        self._selection = selection
        self._gatherer = gatherer

    def copy(self, thread_id: str | None, entry: MessageEntry | None, *, form: str = "copy") -> None:
        """The selection, of which parts may have to be fetched first; without one the whole of ``entry``."""
        selected = self._selection.range()
        if selected is None:
            self._copy_message(entry, form)
        elif thread_id is not None:
            self._gatherer.gather(thread_id, self._selection, lambda found: self._put(excerpts(found, selected), form))

    def selected_text(self, thread_id: str | None, deliver: Callable[[str], None]) -> None:
        """What is selected, as plain text, once all of it is there; empty when nothing is."""
        selected = self._selection.range()
        if selected is None or thread_id is None:
            deliver("")
        else:
            self._gatherer.gather(
                thread_id, self._selection, lambda found: deliver(as_plain(excerpts(found, selected)))
            )

    def forget(self) -> None:
        """The thread is left: what is still being gathered is not copied."""
        self._gatherer.forget()

    def put_text(self, text: str, formats: Mapping[str, str] = MappingProxyType({})) -> None:
        """``formats`` are other shapes of the same by their MIME types."""
        if not text:
            return
        data = QMimeData()
        data.setText(text)
        for kind, content in formats.items():
            data.setData(kind, content.encode())
        QGuiApplication.clipboard().setMimeData(data)
        self.copied.emit(text)

    def _copy_message(self, entry: MessageEntry | None, form: str) -> None:
        if entry is None:
            return
        made = excerpts([entry], None)
        text, formats = shapes_of(made, form)
        # Of a whole message the text is its source, which loses nothing.
        self.put_text(entry.text if form == "copy" else text, formats)

    def _put(self, made: list[Excerpt], form: str) -> None:
        if len(made) >= MOST_MESSAGES:
            self.announced.emit(f"The first {MOST_MESSAGES:,} messages were copied.")
        self.put_text(*shapes_of(made, form))


def shapes_of(made: list[Excerpt], form: str = "copy") -> tuple[str, dict[str, str]]:
    """The excerpts in a form: text, and the same for programs that show more than text."""
    if form == "copy-markdown" or len(made) > MOST_RENDERED:
        return as_markdown(made), {}
    return as_plain(made, has_harmless_cells=True), {} if form == "copy-plain" else {"text/html": as_html(made)}
