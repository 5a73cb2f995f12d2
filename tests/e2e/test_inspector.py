"""The inspector and the context meter in the real window."""

from __future__ import annotations

import json

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QListView, QPlainTextEdit, QWidget

from chatdesk.core.domain.message import ContextMark
from chatdesk.core.domain.summary import NewSummary, SummaryAuthor
from chatdesk.core.events import SummaryFailed
from chatdesk.core.paths import AppPaths
from chatdesk.core.storage.chat.summaries import SummaryRepository
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.inspector.inspector_binding import CONTEXT, QUESTIONS, SUMMARY, TREE, USAGE
from chatdesk.ui.widgets.buttons import PillButton
from tests.helpers.window import ask, play, type_text, until

_CONTROL = Qt.KeyboardModifier.ControlModifier
pytestmark = pytest.mark.usefixtures("qapp")


def _list(application: WindowApplication, name: str) -> QListView:
    return application.panes.window.findChild(QListView, name)


def _texts(rows: QListView, role: int = Qt.ItemDataRole.DisplayRole) -> list[str]:
    model = rows.model()
    return [str(model.index(place, 0).data(role)) for place in range(model.rowCount())]


def _button(application: WindowApplication, name: str) -> QAbstractButton:
    return application.panes.window.findChild(QAbstractButton, name)


def _choose(rows: QListView, text: str) -> None:
    place = next(place for place, each in enumerate(_texts(rows)) if text in each)
    rows.setCurrentIndex(rows.model().index(place, 0))


def test_the_tree_shows_all_versions_and_jumps_with_enter(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        answer = await ask(application, "hello")
        chat = (await application.services()).chat
        sent = await chat.edit_message(answer.parent_id, "hello again")
        await until(lambda: not chat.is_answering(answer.thread_id))
        application.panes.commands.trigger("view.tree")
        await until(lambda: _list(application, "treeList").model().rowCount() == 4)
        rows = _list(application, "treeList")
        assert _texts(rows)[0] == "hello" and _texts(rows)[2] == "hello again"
        words = _texts(rows, Qt.ItemDataRole.AccessibleTextRole)
        assert words[0] == "Question, version 1 of 2: hello"
        assert words[2] == "Question, version 2 of 2, shown: hello again"
        _choose(rows, "hello")
        QTest.keyClick(rows, Qt.Key.Key_Return)
        await until(lambda: application.threads.open_thread.current_leaf_id == answer.id)
        stack = await application.bindings.undo.stack()
        await until(lambda: stack.last is not None)
        application.panes.commands.trigger("edit.undo")
        await until(lambda: application.threads.open_thread.current_leaf_id == sent.answer.id)

    play(paths, script)


def test_what_is_in_the_trash_is_restored_from_the_tree(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        answer = await ask(application, "hello")
        chat = (await application.services()).chat
        application.panes.commands.trigger("view.tree")
        await chat.paths.delete_message(answer.id)
        rows = _list(application, "treeList")
        await until(lambda: any("in the trash" in each for each in _texts(rows, Qt.ItemDataRole.AccessibleTextRole)))
        rows.setCurrentIndex(rows.model().index(1, 0))
        restore = _button(application, "treeRestoreButton")
        assert restore.isVisible() and not _button(application, "treeJumpButton").isVisible()
        restore.click()
        await until(lambda: application.threads.open_thread.current_leaf_id == answer.id)
        await until(lambda: not any("trash" in each for each in _texts(rows, Qt.ItemDataRole.AccessibleTextRole)))

    play(paths, script)


def test_the_context_tab_pins_excludes_starts_and_copies(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "first words")
        await ask(application, "second words")
        application.panes.commands.trigger("view.context")
        rows = _list(application, "contextList")
        await until(lambda: rows.model().rowCount() == 4)
        accessible = Qt.ItemDataRole.AccessibleTextRole
        assert "second words" in _texts(rows)[1] and "first words" in _texts(rows)[3]
        rows.setCurrentIndex(rows.model().index(3, 0))
        _button(application, "contextExcludeButton").click()
        await until(lambda: any("excluded" in each for each in _texts(rows, accessible)))
        assert rows.currentIndex().row() == 3
        assert _button(application, "contextExcludeButton").text() == "Include"
        _button(application, "copyRequestButton").click()
        await until(lambda: "second words" in QGuiApplication.clipboard().text())
        body = QGuiApplication.clipboard().text()
        assert "first words" not in [message["content"] for message in json.loads(body)["messages"]]
        _button(application, "contextPinButton").click()
        await until(lambda: any("pinned" in each for each in _texts(rows, accessible)))
        rows.setCurrentIndex(rows.model().index(1, 0))
        _button(application, "contextStartButton").click()
        await until(lambda: sum("sent" in each for each in _texts(rows, accessible)) < 4)
        await until(lambda: _button(application, "contextStartButton").text() == "Start at the top")
        _button(application, "contextStartButton").click()
        await until(lambda: _button(application, "contextStartButton").text() == "Start here")

    play(paths, script)


def test_the_inspector_opens_by_key_and_button_and_gives_way_in_a_narrow_window(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        window = application.panes.window
        button = _button(application, "inspectorButton")
        button.click()
        inspector = window.findChild(QWidget, "inspector")
        assert inspector.isVisible() and button.isChecked()
        window.resize(560, 700)
        assert not application.panes.transcript.isVisible() and not application.panes.composer.isVisible()
        QTest.keyClick(inspector, Qt.Key.Key_Escape)
        assert not inspector.isVisible() and not button.isChecked()
        assert application.panes.composer.isVisible()
        application.panes.commands.trigger("view.inspector")
        assert inspector.isVisible()
        _button(application, "closeInspectorButton").click()
        assert not inspector.isVisible()

    play(paths, script)


@pytest.mark.parametrize(
    ("tab", "chats"), [*((tab, 1) for tab in (TREE, SUMMARY, USAGE, CONTEXT, QUESTIONS, None)), (TREE, 2)], ids=str
)
def test_letters_bring_a_composer_into_sight_that_the_inspector_covers(
    paths: AppPaths, tab: str | None, chats: int
) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        window = application.panes.window
        window.resize(*((640, 480) if chats == 1 else (1280, 820)))
        chat = application.bindings
        if chats == 2:
            QTest.keyClick(window, Qt.Key.Key_B, _CONTROL | Qt.KeyboardModifier.ShiftModifier)
            await until(lambda: application.chats.beside is not None)
            chat = application.bindings.active()
        chat.inspection.open(tab)
        await until(lambda: not chat.panes.composer.isVisible())
        for letter in "words":
            QTest.keyClicks(window.focusWidget(), letter)
        if tab != QUESTIONS:  # its field takes the letters
            assert chat.panes.composer.isVisible() and not chat.inspection.is_open
            assert chat.panes.composer.text() == "words"
            assert window.focusWidget() is chat.panes.composer.editor
            chat.inspection.open(tab)
            await until(lambda: not chat.panes.composer.isVisible())
        application.panes.registry.trigger("go.composer")
        assert chat.panes.composer.isVisible()
        assert window.focusWidget() is chat.panes.composer.editor

    play(paths, script)


def test_the_meter_follows_the_typing_and_explains_itself(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        meter = application.panes.header.context_meter
        assert not meter.isVisible()
        await ask(application, "hello")
        await until(meter.isVisible)
        before = meter.accessibleDescription()
        type_text(application, "many more words than before")
        await until(lambda: meter.accessibleDescription() != before)
        meter.click()
        popover = application.panes.window.findChild(QWidget, "contextPopover")
        assert "tokens are taken" in popover.accessibleDescription()
        popover.findChild(QAbstractButton, "contextMoreButton").click()
        assert application.bindings.inspection.is_open and application.bindings.inspection.inspector.tab == "Context"
        application.panes.commands.trigger("thread.new")
        await until(lambda: not meter.isVisible())

    play(paths, script)


def test_a_summary_is_made_edited_and_switched_off(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        answer = await ask(application, "the harbour and its 12 cranes")
        services = await application.services()
        chat, thread_id = services.chat, answer.thread_id
        made = NewSummary(
            thread_id, answer.parent_id, answer.id, "A harbour.", 3, SummaryAuthor.MODEL, model="demo", output_tokens=5
        )
        await SummaryRepository(services.database).add(made)
        application.panes.commands.trigger("view.summary")
        text = application.panes.window.findChild(QPlainTextEdit, "summaryText")
        await until(lambda: text.toPlainText() == "A harbour.")
        _button(application, "summaryFirstButton").click()
        edit = _button(application, "summaryEditButton")
        edit.click()
        text.setPlainText("thrown away")
        _button(application, "summaryCancelButton").click()
        assert text.toPlainText() != "thrown away" and text.isReadOnly()
        edit.click()
        text.setPlainText("The harbour has 12 cranes.")
        application.panes.window.findChild(QPlainTextEdit, "summaryFacts").setPlainText("12 cranes\n\n")
        edit.click()

        async def is_stored() -> bool:
            return (await chat.context.summaries.list(thread_id))[0].text == "The harbour has 12 cranes."

        await until(is_stored)
        newest = (await chat.context.summaries.list(thread_id))[0]
        assert newest.pinned_facts == ("12 cranes",)
        await until(lambda: text.toPlainText() == newest.text and edit.text() == "Edit")
        off = _button(application, "summaryOffButton")
        await until(off.isEnabled)
        off.click()
        await until(lambda: off.text() == "Send again")
        _button(application, "summaryRedoButton").click()
        toast = application.panes.window.findChild(QWidget, "toast")
        await until(toast.isVisible)
        _button(application, "summaryThreadSwitch").click()

        async def is_there() -> bool:
            return not (await chat.context.summaries.switches(thread_id)).is_on

        await until(is_there)

    play(paths, script)


def test_the_sources_of_a_summary_are_listed_and_lead_to_their_messages(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        for number in range(3):
            last = await ask(application, f"question {number}")
        services = await application.services()
        chat, thread_id = services.chat, last.thread_id
        path = (await chat.reader.get_thread_messages(thread_id)).messages
        await chat.context.steering.mark_message(path[1].id, ContextMark.EXCLUDED)
        new = NewSummary(thread_id, path[0].id, path[3].id, "In short.", 3, SummaryAuthor.MODEL, model="demo")
        await SummaryRepository(services.database).add(new)
        application.panes.commands.trigger("view.summary")
        sources = application.panes.window.findChild(QListView, "summarySources")
        await until(lambda: sources.model().rowCount() == 4)
        rows = [sources.model().index(place, 0) for place in range(4)]
        assert [row.data() for row in rows[::2]] == ["question 0", "question 1"]
        assert rows[1].data(Qt.ItemDataRole.AccessibleTextRole).startswith("Answer, excluded, ")
        jumped: list[str] = []
        application.panes.transcript.jump_to = jumped.append  # type: ignore[method-assign, assignment]
        sources.activated.emit(rows[2])
        await until(lambda: jumped == [path[2].id])
        # Another version above it: the positions have other messages now, but the ends can still be gone to.
        await chat.edit_message(path[2].id, "another question 1")
        await until(lambda: not sources.isVisible())
        await until(lambda: not chat.is_answering(thread_id))
        _button(application, "summaryLastButton").click()
        await until(lambda: jumped[-1] == path[3].id)
        await until(sources.isVisible)
        assert (await chat.reader.get_thread_messages(thread_id)).messages[3].id == path[3].id

    play(paths, script)


def test_a_summary_that_failed_is_said(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        application.panes.commands.trigger("view.summary")
        services.events.publish(SummaryFailed("x", "The summary could not be made."))
        toast = application.panes.window.findChild(QWidget, "toast")
        await until(toast.isVisible)

    play(paths, script)


def test_the_composer_counts_what_stands_in_it_with_a_thread_and_without(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        label = application.panes.composer.findChild(QWidget, "tokenCount")
        assert label.text() == ""
        type_text(application, "four words of text")
        await until(lambda: label.text().endswith("tokens"))
        alone = label.text()
        application.panes.composer.clear()
        await until(lambda: label.text() == "")
        await ask(application, "hello")
        type_text(application, "four words of text")
        await until(lambda: label.text().endswith("tokens"))
        assert abs(int(label.text().split()[-2]) - int(alone.split()[-2])) <= 8

    play(paths, script)


def test_the_ring_at_the_tabs_is_for_the_keyboard(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "hello")
        header, commands = application.panes.header, application.panes.commands
        QTest.mouseClick(header.inspector_button, Qt.MouseButton.LeftButton)
        tabs = application.panes.window.findChild(QWidget, "inspectorTabs")
        await until(tabs.hasFocus)
        by_mouse = tabs.grab().toImage()
        commands.trigger("view.inspector")
        await until(lambda: not tabs.isVisible())
        commands.trigger("view.inspector")
        await until(tabs.hasFocus)
        by_keys = tabs.grab().toImage()
        assert by_mouse != by_keys
        QTest.mouseClick(header.inspector_button, Qt.MouseButton.LeftButton)
        await until(lambda: not tabs.isVisible())
        await until(lambda: header.context_meter.isVisible())
        QTest.mouseClick(header.context_meter, Qt.MouseButton.LeftButton)
        await until(lambda: QApplication.activePopupWidget() is not None)
        more = QApplication.activePopupWidget().findChild(PillButton)
        assert more.hasFocus() and not more.shows_ring
        QTest.mouseClick(more, Qt.MouseButton.LeftButton)
        await until(tabs.hasFocus)
        assert tabs.grab().toImage() == by_mouse
        QTest.keyClick(tabs, Qt.Key.Key_Right)
        QTest.keyClick(tabs, Qt.Key.Key_Left)
        assert tabs.grab().toImage() == by_keys, "whoever uses the keys sees where they are"

    play(paths, script)
