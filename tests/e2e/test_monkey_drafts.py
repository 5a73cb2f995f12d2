"""Somebody types, sends, edits, opens and closes chats at random: every word is in a message or draft at the end."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.pane_bindings import PaneBindings
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.window import ask, play

pytestmark = pytest.mark.usefixtures("qapp")
_FIRST = int(os.environ.get("CHATDESK_FIRST_SEED", "0"))
_ACTS = 40
_THREADS = 3
_MOST_WINDOWS = 2
_PAUSES_S = (0, 0, 0.01, 0.05, 0.2, 0.4)  # a draft is stored 0.15 s after the last key


class _Writer:
    """Acts in all chats and in the quick window; ``typed`` has its words, each of them once, ``done`` what it did."""

    def __init__(self, application: WindowApplication, threads: list[str | None], seed: int) -> None:
        self._application = application
        self._threads = [*threads, None]
        self._random = random.Random(seed)
        self._acts = (
            self._type,
            self._open,
            self._send,
            self._beside,
            self._window,
            self._close,
            self._edit,
            self._ask,
        )
        self.typed: list[str] = []
        self.done: list[str] = []

    async def act(self) -> None:
        pane = self._random.choice(self._application.chats.shown())
        [what] = self._random.choices(self._acts, (4, 3, 1, 1, 1, 1, 2, 1))
        self.done.append(what.__name__)
        what(pane)
        await asyncio.sleep(self._random.choice(_PAUSES_S))

    def _word(self) -> str:
        self.typed.append(f"t{len(self.typed)}x")
        return f" {self.typed[-1]} "

    def _thread(self) -> str | None:
        return self._random.choice(self._threads)

    def _type(self, pane: PaneBindings) -> None:
        if not pane.panes.composer.editor.isReadOnly():
            QTest.keyClicks(pane.panes.composer.editor, self._word())

    def _open(self, pane: PaneBindings) -> None:
        pane.threads.open_soon(self._thread())

    def _send(self, pane: PaneBindings) -> None:
        pane.panes.composer.send_button.click()

    def _beside(self, _pane: PaneBindings) -> None:
        self._application.chats.open_beside(self._thread())

    def _window(self, _pane: PaneBindings) -> None:
        if len(self._application.chats.windows) < _MOST_WINDOWS:
            self._application.chats.open_window(self._thread())

    def _close(self, pane: PaneBindings) -> None:
        chats = self._application.chats
        if pane in chats.windows:
            pane.panes.window.close()
        elif pane is chats.beside:
            chats.close_beside()
        elif chats.beside is not None:
            self._application.panes.header.closeRequested.emit()

    def _edit(self, pane: PaneBindings) -> None:
        pane.messages.edit.start_last()

    def _ask(self, _pane: PaneBindings) -> None:
        quick = self._application.bindings.quick
        if quick.window is None or not quick.window.isVisible():
            quick.toggle()
        assert quick.window is not None
        QTest.keyClicks(quick.window.editor, self._word())
        if self._random.random() < 0.4:
            QTest.keyClick(quick.window.editor, Qt.Key.Key_Return)


def _kept(database: Path) -> str:
    """Return what is kept of what was typed: messages in all versions and drafts, with those of questions that wait."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT content FROM message_parts UNION ALL SELECT text FROM drafts").fetchall()
    return "\n".join(text for (text,) in rows if text)


@pytest.mark.parametrize("seed", [_FIRST, _FIRST + 1])
def test_no_word_is_lost_whatever_is_done_in_several_chats(tmp_path: Path, seed: int) -> None:
    paths = AppPaths.find(tmp_path / "profile")
    writers: list[_Writer] = []

    async def script(application: WindowApplication) -> None:
        threads: list[str | None] = []
        for number in range(_THREADS):
            await ask(application, f"question {number}")
            threads.append(application.threads.thread_id)
            await application.threads.open(None)
        writer = _Writer(application, threads, seed)
        writers.append(writer)
        for _ in range(_ACTS):
            await writer.act()

    play(paths, script)
    [writer] = writers
    kept = _kept(paths.database)
    assert writer.typed
    assert [word for word in writer.typed if word not in kept] == [], writer.done
