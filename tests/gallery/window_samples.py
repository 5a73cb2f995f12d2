"""The whole window: as it is, with the focus in the thread, and mirrored for languages that run from right to left."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.thread import Thread
from chatdesk.ui.composer.composer import Composer
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.empty_state import EmptyState
from chatdesk.ui.widgets.header.thread_header import ThreadHeader
from chatdesk.ui.window.main_window import MainWindow
from tests.gallery.sidebar_samples import build_sidebar, sample_threads
from tests.gallery.transcript_samples import Sample, build_view, sample_answer


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    mirrored, ringed = build_window(theme), build_window(theme)
    mirrored.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    ringed.setProperty("focusOn", "transcript")
    # To the answer, and on to its first button.
    control = Qt.KeyboardModifier.ControlModifier
    ringed.setProperty("keys", [(Qt.Key.Key_Up, control), (Qt.Key.Key_Down, control), (Qt.Key.Key_Tab,)])
    return [("window", build_window(theme)), ("window-right-to-left", mirrored), ("window-focus", ringed)]


def build_window(
    theme: Theme, *, has_thread: bool = True, sample: Sample | None = None, threads: Sequence[Thread] | None = None
) -> MainWindow:
    """The window with a thread in it, or with the empty state; beside it those threads, or the usual ones."""
    listed = sample_threads()[:-2] if threads is None else threads
    _name, messages, blocks = sample or sample_answer()
    header, composer = ThreadHeader(theme), Composer(theme)
    header.set_title("Row-level security for team projects")
    header.set_current("openai", "gpt-5")
    composer.set_placeholder("Type a message")
    window = MainWindow(
        theme,
        sidebar=build_sidebar(theme, listed),
        header=header,
        empty_state=EmptyState(theme),
        composer=composer,
    )
    window.pane.set_transcript(build_view(theme, messages, blocks))
    window.pane.show_transcript(has_thread)
    return window
