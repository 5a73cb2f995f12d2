"""Somebody types, sends, edits, compares, opens and closes chats at random, a temporary one among them, while answers
come and calls wait for approval: every word is in a message or draft at the end."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from chatdesk.core.domain.tools import Answer, ApprovalRequest, Tool, ToolHints
from chatdesk.core.ids import new_id
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.pane_bindings import PaneBindings
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.examples import IS_LONG
from tests.helpers.window import ask, play, until

pytestmark = pytest.mark.usefixtures("qapp")
_FIRST = int(os.environ.get("CHATDESK_FIRST_SEED", "0"))
_ACTS = 1_000 if IS_LONG else 40
_SLOW = "/demo slow"
_MODELS = (("offline", "offline-demo"), ("offline", "offline-demo"))
_THREADS = 3
_MOST_WINDOWS = 2
_PAUSES_S = (0, 0, 0.01, 0.05, 0.2, 0.4)  # a draft is stored 0.15 s after the last key


class _Writer:
    """Acts in all chats and in the quick window; ``typed`` has its words, each of them once, ``done`` what it did."""

    def __init__(self, application: WindowApplication, threads: list[str | None], seed: int) -> None:
        self._application = application
        self._threads = [*threads, None]
        self._random = random.Random(seed)
        self.approvals: Any = None
        self._acts = (
            self._type,
            self._open,
            self._send,
            self._beside,
            self._window,
            self._close,
            self._edit,
            self._ask,
            self._stream,
            self._stop,
            self._compare,
            self._await_approval,
            self._approve,
            self._start_temporary,
            self._keep_temporary,
        )
        self._calls: list[str] = []
        self.typed: list[str] = []
        self.done: list[str] = []

    async def act(self) -> None:
        pane = self._random.choice(self._application.chats.shown())
        [what] = self._random.choices(self._acts, (8, 6, 2, 2, 2, 2, 4, 2, 2, 1, 1, 1, 1, 1, 1))
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

    def _stream(self, pane: PaneBindings) -> None:
        """Ask for an answer that comes slowly, where nothing else would be sent with the question."""
        if not pane.panes.composer.text() and not pane.panes.composer.editor.isReadOnly():
            QTest.keyClicks(pane.panes.composer.editor, _SLOW)
            pane.panes.composer.send_button.click()

    def _stop(self, pane: PaneBindings) -> None:
        """Stop an answer; in an edit the same key drops what was typed, and offers to bring it back."""
        if pane.messages.edit.edited is None:
            pane.panes.composer.stopRequested.emit()

    def _compare(self, pane: PaneBindings) -> None:
        pane.messages.models.compare(_MODELS)

    def _await_approval(self, pane: PaneBindings) -> None:
        thread_id = pane.threads.stored_id
        if thread_id is not None:
            self._calls.append(new_id())
            tool = Tool("server", "Server", "tool", "", "", {}, ToolHints(), "")
            request = ApprovalRequest(self._calls[-1], thread_id, "message", tool, "{}", "https://tools.example")
            self._application.bindings.tasks.start(self.approvals.ask(request), "ask")

    def _approve(self, _pane: PaneBindings) -> None:
        if self._calls:
            call = self._calls.pop(self._random.randrange(len(self._calls)))
            self.approvals.answer(call, self._random.choice((Answer.ONCE, Answer.DENY)))

    def _start_temporary(self, _pane: PaneBindings) -> None:
        self._application.bindings.temporary.start()

    def _keep_temporary(self, _pane: PaneBindings) -> None:
        temporary = self._application.bindings.temporary
        if temporary.dialog is not None:
            temporary.dialog.answered.emit(True)
            temporary.dialog.close()
        else:
            temporary.keep()

    async def end(self) -> None:
        """Keep the temporary chat, whose words would go with it."""
        await until(self._is_temporary_kept)

    def _is_temporary_kept(self) -> bool:
        is_there = self._application.panes.registry.is_enabled("thread.keep")
        if is_there:
            self._keep_temporary(self._application.bindings)
        return not is_there


def _kept(database: Path) -> str:
    """Return what is kept of what was typed: messages in all versions and drafts, with those of questions that wait."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT content FROM message_parts UNION ALL SELECT text FROM drafts").fetchall()
    return "\n".join(text for (text,) in rows if text)


@pytest.mark.timeout(1_100 if IS_LONG else 120)
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
        writer.approvals = (await application.services()).chat.tools.approvals
        for _ in range(_ACTS):
            await writer.act()
        await writer.end()

    play(paths, script, timeout_s=1_000 if IS_LONG else 100)
    [writer] = writers
    kept = _kept(paths.database)
    assert writer.typed
    assert [word for word in writer.typed if word not in kept] == [], writer.done
