"""Whatever the composer is in the middle of, and whatever is pressed then: what was typed is in exactly one place,
whole, and the next key goes where a person looks."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton

from chatdesk.core.domain.message import Message, Role
from chatdesk.core.domain.prompt import PromptKind
from chatdesk.core.domain.tools import ApprovalRequest, Tool, ToolHints
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.composer.text_editor import TextEditor
from tests.helpers.examples import sample
from tests.helpers.window import ask, play, press, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")
CONTROL: Final = Qt.KeyboardModifier.ControlModifier


class Writer:
    """Somebody in a window with two threads, ``here`` and ``there``; ``typed`` are the words so far."""

    def __init__(self, application: WindowApplication, paths: AppPaths) -> None:
        self.application = application
        self.paths = paths
        self.typed: list[str] = []
        self.searched: list[str] = []  # what the field of a search holds
        self.here = self.there = ""
        self.field: TextEditor | None = None  # where a person types; None: in the composer of the active chat

    @property
    def keys_go_to(self) -> QLineEdit | TextEditor:
        for chat in self.application.chats.shown():
            if (palette := chat.search.palette) is not None:
                return palette.field
        if self.field is not None and self.field.isVisible():
            return self.field
        return self.application.bindings.active().panes.composer.editor

    def type(self) -> str:
        """Type a word where the keys go, as a person does who sees the window."""
        self.typed.append(f"w{len(self.typed)}w")
        QTest.keyClicks(self.keys_go_to, f" {self.typed[-1]} ")
        return self.typed[-1]

    def places(self) -> Counter[str]:
        """Count the questions and drafts on the disk, and the search, that have each word."""
        with closing(sqlite3.connect(self.paths.database)) as connection:
            found = connection.execute(
                "SELECT p.content FROM message_parts p JOIN messages m ON m.id = p.message_id"
                " WHERE m.role = 'user' OR m.finish_reason = 'edited'"
                " UNION ALL SELECT text FROM drafts"
            ).fetchall()
        texts = [text or "" for (text,) in found] + self.searched
        return Counter({word: sum(text.count(f" {word} ") for text in texts) for word in self.typed})

    async def begin(self) -> None:
        await self.application.services()
        for name in ("there", "here"):
            await self.application.threads.open(None)
            await ask(self.application, "so far")
            setattr(self, name, self.application.threads.thread_id)

    async def last(self, role: Role) -> Message:
        page = await (await self.application.services()).chat.reader.get_thread_messages(self.here)
        return next(each for each in reversed(page.messages) if each.role is role)

    async def edit(self, message_id: str) -> None:
        self.application.messages.edit.start(message_id)
        await until(lambda: self.application.messages.edit.edited)
        self.type()


async def _edit_question(writer: Writer) -> None:
    writer.type()
    await writer.edit((await writer.last(Role.USER)).id)


async def _edit_answer(writer: Writer) -> None:
    await writer.edit((await writer.last(Role.ASSISTANT)).id)


async def _edit_note(writer: Writer) -> None:
    chat = (await writer.application.services()).chat
    await writer.edit((await chat.manual_messages.add_note(writer.here, "a note")).question.id)


async def _draft(writer: Writer) -> None:
    writer.type()


async def _empty(_writer: Writer) -> None:
    pass


async def _assistant(writer: Writer) -> None:
    prompts = (await writer.application.services()).prompts
    assistant = await prompts.create(PromptKind.ASSISTANT, "Helper", "Help.")
    writer.application.messages.assistants.ask_once(assistant.id)
    await until(lambda: writer.application.messages.assistants.once)
    writer.type()


async def _compare(writer: Writer) -> None:
    writer.application.messages.models.compare((("offline", "offline-demo"), ("offline", "offline-demo")))
    writer.type()


async def _attached(writer: Writer) -> None:
    file = writer.paths.data_dir / "notes.txt"
    file.write_text("notes", encoding="utf-8")
    composer = writer.application.panes.composer
    composer.filesOffered.emit([str(file)])
    await until(lambda: composer.files.attached)
    writer.type()


async def _queued(writer: Writer) -> None:
    composer = writer.application.panes.composer
    type_text(writer.application, "/demo slow")
    press(writer.application, Qt.Key.Key_Return)
    await until(lambda: composer.is_streaming and not composer.text())
    writer.type()
    press(writer.application, Qt.Key.Key_Return)
    await until(lambda: not composer.text())
    writer.type()


async def _streaming(writer: Writer) -> None:
    composer = writer.application.panes.composer
    type_text(writer.application, "/demo slow")
    press(writer.application, Qt.Key.Key_Return)
    await until(lambda: composer.is_streaming and not composer.text())
    writer.type()


async def _temporary(writer: Writer) -> None:
    threads = writer.application.threads
    writer.application.panes.commands.trigger("thread.temporary")
    await until(lambda: threads.thread_id not in (None, writer.here))
    writer.type()


async def _consent(writer: Writer) -> None:
    tool = Tool("server", "Server", "tool", "", "", {}, ToolHints(), "")
    request = ApprovalRequest("call", writer.here, "message", tool, "{}", "https://tools.example")
    approvals = (await writer.application.services()).chat.tools.approvals
    writer.application.bindings.tasks.start(approvals.ask(request), "ask")
    writer.type()


async def _second_window(writer: Writer) -> None:
    chats = writer.application.chats
    writer.type()
    chats.open_window(writer.here)
    await until(lambda: chats.windows)
    await until(lambda: chats.windows[0].threads.thread_id == writer.here)
    writer.type()


async def _edit_in_second_window(writer: Writer) -> None:
    await _second_window(writer)
    writer.application.chats.windows[0].messages.edit.start_last()
    await until(lambda: writer.application.chats.windows[0].messages.edit.edited)
    writer.type()


async def _quick(writer: Writer) -> None:
    writer.application.panes.commands.trigger("app.quick")
    window = writer.application.bindings.quick.window
    assert window is not None
    writer.field = window.editor
    writer.type()


STATES: Final[dict[str, Callable[[Writer], Awaitable[None]]]] = {
    "empty": _empty,
    "draft": _draft,
    "edited question": _edit_question,
    "edited answer": _edit_answer,
    "edited note": _edit_note,
    "assistant": _assistant,
    "comparison": _compare,
    "attachment": _attached,
    "queue": _queued,
    "quick window": _quick,
    "streaming": _streaming,
    "temporary chat": _temporary,
    "consent": _consent,
    "second window": _second_window,
    "edit beside a draft": _edit_in_second_window,
}


def _key(key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> Callable[[Writer], Any]:
    return lambda writer: QTest.keyClick(writer.keys_go_to, key, modifier)


def _note(writer: Writer) -> None:
    writer.application.panes.commands.trigger("message.note")


def _switch(writer: Writer) -> None:
    writer.application.bindings.active().threads.open_soon(writer.there)


def _beside(writer: Writer) -> None:
    writer.application.chats.open_beside(writer.there)


ACTIONS: Final[dict[str, Callable[[Writer], Any]]] = {
    "Enter": _key(Qt.Key.Key_Return),
    "Esc": _key(Qt.Key.Key_Escape),
    "Ctrl+N": _key(Qt.Key.Key_N, CONTROL),
    "Ctrl+K": _key(Qt.Key.Key_K, CONTROL),
    "note": _note,
    "another thread": _switch,
    "another chat": _beside,
    "close": lambda _writer: None,
}


@contextmanager
def busy_disk(paths: AppPaths) -> Iterator[None]:
    """Let another program write to the database in the meantime."""
    with closing(sqlite3.connect(paths.database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")


def _is_kept(application: WindowApplication) -> bool:
    """Keep the temporary chat, as often as it takes, and return whether there is none any more."""
    if is_there := application.panes.registry.is_enabled("thread.keep"):
        application.bindings.temporary.keep()
    return not is_there


def _text(field: QLineEdit | TextEditor) -> str:
    return field.text() if isinstance(field, QLineEdit) else field.toPlainText()


def _undo_button(application: WindowApplication) -> QPushButton | None:
    windows = [application.panes.window, *(each.panes.window for each in application.chats.windows)]
    found = [button for each in windows for button in each.findChildren(QPushButton, "toastAction")]
    return next((each for each in found if each.isVisible() and each.text() == "Undo"), None)


def play_and_find(folder: Path, act: Callable[[WindowApplication, Writer], Awaitable[None]]) -> None:
    """Play what somebody does; at the end, each word that they typed is in exactly one place."""
    paths = AppPaths.find(folder / "profile")
    writers: list[Writer] = []

    async def script(application: WindowApplication) -> None:
        writers.append(Writer(application, paths))
        await writers[0].begin()
        await act(application, writers[0])

    play(paths, script)
    assert writers[0].places() == Counter(dict.fromkeys(writers[0].typed, 1))


def test_keys_go_to_the_thread_that_is_seen_before_its_draft_is(tmp_path: Path) -> None:
    async def act(application: WindowApplication, writer: Writer) -> None:
        writer.type()
        panes = application.panes
        with busy_disk(writer.paths):  # the draft that is left cannot be stored yet
            panes.sidebar.thread_list.setFocus()
            application.threads.open_soon(writer.there)
            await until(lambda: application.threads.thread_id == writer.there)
            assert panes.window.focusWidget() is panes.composer.editor
            writer.type()
        await until(lambda: set(writer.places().values()) == {1})

    play_and_find(tmp_path, act)


def test_a_closed_windows_text_outlives_an_edit_of_the_same_thread(tmp_path: Path) -> None:
    async def act(application: WindowApplication, writer: Writer) -> None:
        chats = application.chats
        chats.open_window(writer.here)
        await until(lambda: chats.windows)
        window = chats.windows[0]
        window.messages.edit.start_last()
        await until(lambda: window.messages.edit.edited)
        writer.field = window.panes.composer.editor
        writer.type()
        window.panes.window.close()
        await until(lambda: not chats.windows)
        application.messages.edit.start_last()
        await until(lambda: application.messages.edit.edited)
        await application.threads.open(writer.there)

    play_and_find(tmp_path, act)


def test_two_edits_of_a_thread_are_both_kept_when_one_ends_out_of_sight(tmp_path: Path) -> None:
    async def act(application: WindowApplication, writer: Writer) -> None:
        chats = application.chats
        chats.open_window(writer.here)
        await until(lambda: chats.windows)
        window = chats.windows[0]
        for chat in (application, window):
            chat.messages.edit.start_last()
            await until(lambda chat=chat: chat.messages.edit.edited)  # type: ignore[misc]
        writer.field = window.panes.composer.editor
        writer.type()
        await window.threads.open(writer.there)
        window.messages.edit.start_last()  # ends the edit in the thread that was left
        await until(lambda: window.messages.edit.edited)
        writer.field = application.panes.composer.editor
        writer.type()  # stored after the other's

    play_and_find(tmp_path, act)


def test_what_is_typed_while_another_window_reads_the_draft_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(application: WindowApplication, writer: Writer) -> None:
        chats, services = application.chats, await application.services()
        chats.open_window(writer.here)
        await until(lambda: chats.windows)
        window = chats.windows[0]
        await until(lambda: window.threads.thread_id == writer.here)
        await application.threads.open(writer.there)
        read, reading, may_end = services.chat.drafts.get, asyncio.Event(), asyncio.Event()

        async def get(thread_id: str | None) -> Any:
            draft = await read(thread_id)
            reading.set()
            await may_end.wait()
            return draft

        monkeypatch.setattr(services.chat.drafts, "get", get)
        opening = asyncio.ensure_future(window.threads.open(None))
        await reading.wait()
        monkeypatch.setattr(services.chat.drafts, "get", read)
        await application.threads.open(None)
        writer.field = application.panes.composer.editor
        writer.type()
        may_end.set()
        await opening
        writer.field = window.panes.composer.editor
        writer.type()

    play_and_find(tmp_path, act)


def test_a_draft_outlives_an_edit_that_is_sent_while_one_types_on_and_leaves(tmp_path: Path) -> None:
    async def act(application: WindowApplication, writer: Writer) -> None:
        writer.type()
        application.messages.edit.start_last()
        await until(lambda: application.messages.edit.edited)
        writer.type()
        with busy_disk(writer.paths):
            application.panes.composer.send_button.click()
            for _ in range(20):  # turns of the loop, until the edit waits for the disk
                await asyncio.sleep(0)
            writer.type()
            application.threads.open_soon(writer.there)
            for _ in range(20):
                await asyncio.sleep(0)
        await until(lambda: application.threads.thread_id == writer.there)

    play_and_find(tmp_path, act)


def test_what_is_typed_into_an_edit_before_it_is_back_is_kept(tmp_path: Path) -> None:
    async def act(application: WindowApplication, writer: Writer) -> None:
        application.messages.edit.start_last()
        await until(lambda: application.messages.edit.edited)
        drafts = application.bindings.drafts
        await application.threads.open(writer.there)
        with busy_disk(writer.paths):
            drafts.show(writer.here)
            writer.type()
            drafts.show(writer.there)
        await drafts.load()
        await application.threads.open(writer.there)
        await application.threads.open(writer.here)
        writer.type()

    play_and_find(tmp_path, act)


def test_text_typed_while_a_window_closes_is_kept(tmp_path: Path) -> None:
    async def act(application: WindowApplication, writer: Writer) -> None:
        chats = application.chats
        chats.open_window(writer.here)
        await until(lambda: chats.windows)
        window = chats.windows[0]
        writer.field = window.panes.composer.editor
        writer.type()
        with busy_disk(writer.paths):
            window.panes.window.close()
            for _ in range(20):  # turns of the loop, until the draft waits for the disk
                await asyncio.sleep(0)
            writer.type()
        await until(lambda: not chats.windows)

    play_and_find(tmp_path, act)


# What is in a temporary chat goes with it, which is asked about (test_temporary_window).
CASES: Final = [each for each in product(STATES, ACTIONS, (False, True)) if each[:2] != ("temporary chat", "close")]


@pytest.mark.parametrize(("state", "action", "is_busy"), sample(CASES, 14))
def test_typed_text_is_in_one_place(tmp_path: Path, state: str, action: str, is_busy: bool) -> None:
    async def act(application: WindowApplication, writer: Writer) -> None:
        await STATES[state](writer)
        with busy_disk(writer.paths) if is_busy else nullcontext():
            ACTIONS[action](writer)
            if action != "close":
                word = writer.type()
                await until(lambda: word in _text(writer.keys_go_to))
                if isinstance(field := writer.keys_go_to, QLineEdit):
                    writer.searched.append(field.text())
        if state.startswith("edit") and action == "Esc":
            await until(lambda: _undo_button(application))
            button = _undo_button(application)
            assert button is not None
            button.click()
        if state == "temporary chat":
            await until(lambda: _is_kept(application))
        if action != "close":
            await until(lambda: set(writer.places().values()) <= {1}, within_s=15)

    play_and_find(tmp_path, act)
