"""Memories that a person makes in a thread: each way × memory on or off × kind of thread × what is done then."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Final

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from chatdesk.core.domain.memory import LONGEST_MEMORY, Memory, MemoryOrigin
from chatdesk.core.domain.message import Role
from chatdesk.core.events import MemoriesChanged
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.memory.remember_dialog import RememberDialog
from chatdesk.ui.transcript.copying.selection import TextPlace
from tests.e2e.test_library_window import opened
from tests.e2e.test_temporary_window import ask_there, begin
from tests.helpers.waiting import stays
from tests.helpers.window import ask, play, press, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")

FACT: Final = "I drink tea"
SENTENCE: Final = f"remember that {FACT}"
ENDS: Final = ("no", "leave", "keep")  # the last one changes what is kept


def question(application: WindowApplication) -> QWidget | None:
    found = application.panes.composer.findChild(QWidget, "composerQuestion")
    return found if found is not None and found.isVisible() else None


def answer(application: WindowApplication, name: str) -> QAbstractButton:
    found = application.panes.composer.findChild(QAbstractButton, name)
    assert found is not None
    return found


async def memories(application: WindowApplication) -> tuple[Memory, ...]:
    return await (await application.services()).memory.list()


async def thread_of(application: WindowApplication, kind: str) -> None:
    """Open a thread of a kind with a question in it."""
    await application.services()
    if kind == "temporary" and not application.threads.is_temporary:
        await begin(application)
        await ask_there(application, "hello")
    elif kind != "temporary":
        await application.threads.open(None)
        await ask(application, "hello")
    thread = application.threads.open_thread
    assert thread is not None
    application.panes.sidebar.set_shared_projects({thread.project_id: "shared"} if kind == "team" else {})
    await until(lambda: application.panes.transcript.isVisible() and len(application.panes.transcript.entries) >= 2)


def select_question(application: WindowApplication) -> None:
    """Select the words of the first message."""
    parts = application.panes.transcript.parts
    entry = application.panes.transcript.entries[0]
    item = next(each for each in entry.items if each.is_selectable)
    parts.selection.start(TextPlace(entry, item, 0))
    parts.selection.extend(TextPlace(entry, item, len(item.text)))


async def dialog_of(application: WindowApplication) -> RememberDialog:
    select_question(application)
    return await opened(application, RememberDialog, lambda: application.panes.commands.trigger("message.remember"))


async def send_sentence(application: WindowApplication, kind: str) -> None:
    await (ask_there if kind == "temporary" else ask)(application, SENTENCE)
    await until(lambda: question(application) is not None)
    assert any(each.message.text == SENTENCE for each in application.panes.transcript.entries)


async def leave(application: WindowApplication) -> None:
    application.threads.open_soon(None)
    await until(lambda: application.threads.thread_id is None)


async def end_sentence(application: WindowApplication, kind: str, end: str, *, is_on: bool) -> None:
    await send_sentence(application, kind)
    assert question(application).accessibleName() == (  # type: ignore[union-attr]
        f"Keep “{FACT}” as a memory?" if is_on else f"Memory is off. Turn it on and keep “{FACT}”?"
    )
    home = application.threads.thread_id
    if end == "leave":
        await leave(application)
        assert question(application) is None
        application.threads.open_soon(home)
        await until(lambda: application.threads.thread_id == home)
        await stays(lambda: question(application) is None, for_s=0.05)
        return
    # From the text, Shift+Tab leads to the buttons.
    QTest.keyClick(application.panes.composer.editor, Qt.Key.Key_Tab, Qt.KeyboardModifier.ShiftModifier)
    assert QApplication.focusWidget() is answer(application, "composerQuestionNo")
    if end == "keep":
        QTest.keyClick(answer(application, "composerQuestionNo"), Qt.Key.Key_Tab, Qt.KeyboardModifier.ShiftModifier)
    focus = QApplication.focusWidget()
    assert focus is answer(application, "composerQuestionYes" if end == "keep" else "composerQuestionNo")
    QTest.keyClick(focus, Qt.Key.Key_Space)
    await until(lambda: question(application) is None)
    assert application.panes.composer.editor.hasFocus()


async def end_selection(application: WindowApplication, kind: str, end: str, *, is_on: bool) -> None:
    dialog = await dialog_of(application)
    assert dialog.text.written() == "hello"
    assert dialog.place.count() == (2 if kind == "normal" else 1)
    assert dialog.erase.isVisible() is (kind != "temporary")
    assert dialog.keep_button.text() == ("Keep" if is_on else "Turn memory on and keep")
    if end == "keep":
        dialog.text.show_written(FACT)
        QTest.keyClick(dialog.text, Qt.Key.Key_Return)
    elif end == "no":
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
    else:
        home = application.threads.thread_id
        await leave(application)
        dialog.reject()
        application.threads.open_soon(home)
        await until(lambda: application.threads.thread_id == home)
    await until(lambda: not dialog.is_open)


@pytest.mark.parametrize(
    ("way", "kind", "is_on"), list(product(("sentence", "selection"), ("normal", "temporary", "team"), (True, False)))
)
def test_only_what_is_confirmed_is_kept(paths: AppPaths, way: str, kind: str, is_on: bool) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        settings = application.bindings.settings
        if is_on:
            settings.change(replace(settings.current, memory=True))
            await until(lambda: services.memory.is_on)
        for end in ENDS:
            await thread_of(application, kind)
            await (end_sentence if way == "sentence" else end_selection)(application, kind, end, is_on=is_on)
            if end != "keep":
                assert await memories(application) == ()
                assert services.memory.is_on is is_on
        (kept,) = await memories(application)
        messages = {each.message.id: each.message for each in application.panes.transcript.entries}
        assert services.memory.is_on
        assert kept.text == FACT
        assert kept.origin is (MemoryOrigin.PERSON if way == "sentence" else MemoryOrigin.SELECTION)
        assert (kept.message_id is None) is (kind == "temporary")
        assert kind == "temporary" or messages[kept.message_id].role is Role.USER
        thread = application.threads.open_thread
        assert thread is not None
        assert kept.project_id == (thread.project_id if (way, kind) == ("selection", "normal") else None)
        toast = application.panes.pane.toast
        assert toast.text == "Kept as a memory."
        changes: list[MemoriesChanged] = []
        subscription = services.events.subscribe(MemoriesChanged, changes.append)
        QTest.keyClick(toast.findChild(QAbstractButton), Qt.Key.Key_Space)
        await until(lambda: changes)
        subscription.cancel()
        assert await memories(application) == ()

    play(paths, script)


def test_an_unanswered_offer_does_not_outlive_the_program(paths: AppPaths) -> None:
    async def unanswered(application: WindowApplication) -> None:
        await thread_of(application, "normal")
        await send_sentence(application, "normal")

    async def again(application: WindowApplication) -> None:
        await application.services()
        await until(lambda: len(application.panes.transcript.entries) == 4)
        assert question(application) is None
        assert await memories(application) == ()

    play(paths, unanswered)
    play(paths, again)


def test_a_text_that_is_refused_keeps_nothing_and_turns_nothing_on(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        await thread_of(application, "normal")
        dialog = await dialog_of(application)
        for text, problem in (("", "needs a text"), ("x" * (LONGEST_MEMORY + 1), "the most is 500")):
            dialog.text.show_written(text)
            QTest.keyClick(dialog.text, Qt.Key.Key_Return)
            await until(lambda problem=problem: problem in dialog.problem.text())
            assert dialog.is_open
            assert not services.memory.is_on
        dialog.reject()
        assert await memories(application) == ()

    play(paths, script)


def test_no_selection_is_said_and_opens_nothing(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await thread_of(application, "normal")
        application.panes.commands.trigger("message.remember")
        await until(lambda: application.panes.pane.toast.isVisible())
        assert application.panes.pane.toast.text == "Select the words to remember first."
        assert not application.panes.window.findChildren(RememberDialog)

    play(paths, script)


def test_an_environment_variable_that_turns_memory_off_is_obeyed(
    paths: AppPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHATDESK_MEMORY", "false")

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        await thread_of(application, "normal")
        dialog = await dialog_of(application)
        assert not dialog.keep_button.isEnabled()
        QTest.keyClick(dialog.text, Qt.Key.Key_Return)
        dialog.reject()
        await ask(application, SENTENCE)
        toast = application.panes.pane.toast
        await until(lambda: "environment variable" in toast.text)
        assert question(application) is None
        assert not services.memory.is_on
        assert await memories(application) == ()

    play(paths, script)


def test_words_that_hide_something_are_shown_as_they_are_kept(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        application.bindings.settings.change(replace(application.bindings.settings.current, memory=True))
        await until(lambda: services.memory.is_on)
        type_text(application, "remember that ")
        application.panes.composer.insert_text("<b>I</b> \u202edrink\u200b tea")
        press(application, Qt.Key.Key_Return)
        await until(lambda: question(application) is not None)
        assert question(application).accessibleName() == "Keep “<b>I</b> drink tea” as a memory?"  # type: ignore[union-attr]
        answer(application, "composerQuestionYes").click()
        await until(lambda: question(application) is None)
        (kept,) = await memories(application)
        assert kept.text == "<b>I</b> drink tea"

    play(paths, script)


async def _proposing(application: WindowApplication, *, is_on: bool = True, proposes: bool = True) -> None:
    services = await application.services()
    settings = replace(application.bindings.settings.current, memory=is_on, memory_proposals=proposes)
    application.bindings.settings.change(settings)
    await until(lambda: services.memory.is_on is is_on)


def test_a_sentence_about_the_person_is_proposed_once_the_answer_is_complete(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await _proposing(application)
        await ask(application, "I live in Graz. Where can I swim?")
        await until(lambda: question(application) is not None)
        assert question(application).accessibleName() == "Keep “I live in Graz” as a memory?"  # type: ignore[union-attr]
        assert await memories(application) == ()
        await ask(application, "And where is it warm?")  # ignored
        await stays(lambda: question(application) is None, for_s=0.05)
        assert await memories(application) == ()

        await ask(application, "My name is Ada.")
        await until(lambda: question(application) is not None)
        answer(application, "composerQuestionNo").click()
        await ask(application, "My name is Ada.")
        await stays(lambda: question(application) is None, for_s=0.05)

        await ask(application, "I live in Graz. And now?")
        await until(lambda: question(application) is not None)
        answer(application, "composerQuestionYes").click()
        await until(lambda: question(application) is None)
        (kept,) = await memories(application)
        assert (kept.text, kept.origin) == ("I live in Graz", MemoryOrigin.PROPOSAL)
        assert kept.message_id is not None
        await ask(application, "I live in Graz. And then?")
        await stays(lambda: question(application) is None, for_s=0.05)

        await ask(application, "I prefer tea.")
        await until(lambda: question(application) is not None)
        await leave(application)
        assert question(application) is None
        assert len(await memories(application)) == 1

    play(paths, script)


@pytest.mark.parametrize(
    ("is_on", "proposes", "kind"), [(False, True, "normal"), (True, False, "normal"), (True, True, "temporary")]
)
def test_nothing_is_proposed_unless_both_are_on_and_the_thread_stays(
    paths: AppPaths, is_on: bool, proposes: bool, kind: str
) -> None:
    async def script(application: WindowApplication) -> None:
        await _proposing(application, is_on=is_on, proposes=proposes)
        await thread_of(application, kind)
        await (ask_there if kind == "temporary" else ask)(application, "I live in Graz.")
        await stays(lambda: question(application) is None, for_s=0.05)

    play(paths, script)
