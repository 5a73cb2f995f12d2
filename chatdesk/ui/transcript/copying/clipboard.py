"""Copies the selection, or a message, in every format that another program may want."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from PySide6.QtCore import QMimeData, QObject, QRunnable, Qt, QThreadPool, Signal
from PySide6.QtGui import QGuiApplication

from chatdesk.core.texts import tr
from chatdesk.ui.transcript.copying import copied_text  # loaded by the first copy
from chatdesk.ui.transcript.copying.excerpt import Excerpt, excerpts
from chatdesk.ui.transcript.copying.selection import Selection
from chatdesk.ui.transcript.copying.selection_loader import MOST_MESSAGES, MOST_RENDERED, SelectionLoader
from chatdesk.ui.transcript.messages.entry import MessageEntry

_MOST_AT_ONCE = 60  # items; more are put into their forms on another thread
# "copy" gives Markdown and the same with its looks; each of the others one form alone.
FORMS = ("copy", "copy-markdown", "copy-plain", "copy-rich")

Shapes = tuple[str, dict[str, str]]


class Clipboard(QObject):
    """The copying of messages.

    ``copied`` carries the text that was put on the clipboard, ``announced`` a sentence for the reader.
    """

    copied = Signal(str)
    announced = Signal(str)
    _made = Signal(int, object)

    def __init__(self, selection: Selection, loader: SelectionLoader) -> None:
        super().__init__(loader)
        self._selection = selection
        self._loader = loader
        self._number = 0  # the number of the newest copy: an older one that is still running is discarded
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._made.connect(self._on_made, Qt.ConnectionType.QueuedConnection)

    def copy(self, thread_id: str | None, entry: MessageEntry | None, *, form: str = "copy") -> None:
        """Copy the selection, or the whole of ``entry`` when nothing is selected.

        Parts of the selection may have to be fetched first.
        """
        selected = self._selection.range()
        if selected is None:
            self._copy_message(entry, form)
        elif thread_id is not None:
            self._loader.load(
                thread_id, self._selection, lambda found: self._copy_excerpts(excerpts(found, selected), form)
            )

    def selected_text(self, thread_id: str | None, deliver: Callable[[str], None]) -> None:
        """Deliver the selection as plain text once all of it is loaded; an empty text without a selection."""
        selected = self._selection.range()
        if selected is None or thread_id is None:
            deliver("")
            return

        def receive(found: list[MessageEntry]) -> None:
            made = excerpts(found, selected)
            self._make(made, lambda: (copied_text.as_plain(made), {}), lambda text, _: deliver(text))

        self._loader.load(thread_id, self._selection, receive)

    def quote(self, thread_id: str | None, entry: MessageEntry | None, deliver: Callable[[str], None]) -> None:
        """Deliver the Markdown of the selection once all of it is loaded, or else of ``entry``."""
        selected = self._selection.range()
        if selected is not None and thread_id is not None:
            self._loader.load(
                thread_id, self._selection, lambda found: deliver(copied_text.as_markdown(excerpts(found, selected)))
            )
        else:
            deliver("" if entry is None else entry.text)

    def forget(self) -> None:
        """Drop the copy that is being made, because the thread is left."""
        self._loader.forget()
        self._number += 1
        self._pool.clear()

    def set_text(self, text: str, formats: Mapping[str, str] = MappingProxyType({})) -> None:
        """Put text on the clipboard; ``formats`` are other formats of it by their MIME types."""
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
        source = entry.text

        def shapes() -> Shapes:
            text, formats = shapes_of(made, form)
            # A whole message is copied as its source, which loses nothing.
            return source if form == "copy" else text, formats

        self._make(made, shapes, self.set_text)

    def _copy_excerpts(self, made: list[Excerpt], form: str) -> None:
        if len(made) >= MOST_MESSAGES:
            self.announced.emit(tr("The first {most_messages} messages were copied.", most_messages=MOST_MESSAGES))
        self._make(made, lambda: shapes_of(made, form), self.set_text)

    def _make(
        self, made: list[Excerpt], work: Callable[[], Shapes], deliver: Callable[[str, dict[str, str]], None]
    ) -> None:
        """Make a short text at once, and a long one on another thread."""
        self._number += 1
        if sum(len(each.items) for each in made) <= _MOST_AT_ONCE:
            deliver(*work())
            return
        self._pool.clear()
        self._pool.start(_Job(self._number, work, deliver, self._made))

    def _on_made(self, number: int, deliver: Callable[[], None]) -> None:
        if number == self._number:
            deliver()


class _Job(QRunnable):
    def __init__(
        self, number: int, work: Callable[[], Shapes], deliver: Callable[[str, dict[str, str]], None], done: object
    ) -> None:
        super().__init__()
        self._number, self._work, self._deliver, self._done = number, work, deliver, done

    def run(self) -> None:
        shapes = self._work()
        self._done.emit(self._number, lambda: self._deliver(*shapes))  # type: ignore[attr-defined]


def shapes_of(made: list[Excerpt], form: str = "copy") -> Shapes:
    """Return the text of the excerpts in a form, and their other formats by MIME type."""
    if form == "copy-markdown" or len(made) > MOST_RENDERED:
        return copied_text.as_markdown(made), {}
    if form == "copy":
        return copied_text.as_markdown(made, is_bare=True), {"text/html": copied_text.as_html(made)}
    text = copied_text.as_plain(made, has_harmless_cells=True)
    return text, {} if form == "copy-plain" else {"text/html": copied_text.as_html(made)}
