"""The whole window: as it is, with the focus in the thread, and mirrored for languages that run from right to left."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.thread import Thread
from chatdesk.core.texts import tr
from chatdesk.ui.composer.composer import Composer
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.empty_state import EmptyState
from chatdesk.ui.widgets.header.thread_header import ThreadHeader
from chatdesk.ui.window.chat_pane import ChatPane
from chatdesk.ui.window.chat_window import ThreadWindow
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
    switched = build_pair(theme)
    switched.resize(560, 820)
    return [
        ("window", build_window(theme)),
        ("window-right-to-left", mirrored),
        ("window-focus", ringed),
        ("window-two-chats", build_pair(theme)),
        ("window-two-chats-narrow", switched),
        ("window-thread", build_thread_window(theme)),
    ]


def build_pair(theme: Theme) -> MainWindow:
    """The window with two chats, of which commands act on the one at the right."""
    window = build_window(theme)
    header, composer = _chat_parts(theme, "Index for the audit log")
    pane = ChatPane(theme, header, EmptyState(theme), composer, window.chats.splitter)
    _name, messages, blocks = sample_answer()
    pane.set_transcript(build_view(theme, messages, blocks))
    pane.show_transcript(True)
    window.add_pane(pane, share=0.5)
    window.chats.show_titles(["Row-level security for team projects", "Index for the audit log"])
    window.activate(pane)
    return window


def build_thread_window(theme: Theme) -> ThreadWindow:
    """A window with one chat."""
    header, composer = _chat_parts(theme, "Index for the audit log")
    window = ThreadWindow(theme, header, EmptyState(theme), composer)
    window.resize(760, 760)
    _name, messages, blocks = sample_answer()
    window.pane.set_transcript(build_view(theme, messages, blocks))
    window.pane.show_transcript(True)
    return window


def _chat_parts(theme: Theme, title: str) -> tuple[ThreadHeader, Composer]:
    header, composer = ThreadHeader(theme), Composer(theme)
    header.set_title(title)
    header.set_current("openai", "gpt-5")
    composer.set_placeholder(tr("Type a message"))
    return header, composer


def build_window(
    theme: Theme, *, has_thread: bool = True, sample: Sample | None = None, threads: Sequence[Thread] | None = None
) -> MainWindow:
    """The window with a thread in it, or with the empty state; beside it those threads, or the usual ones."""
    listed = sample_threads()[:-2] if threads is None else threads
    _name, messages, blocks = sample or sample_answer()
    header, composer = _chat_parts(theme, "Row-level security for team projects")
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
